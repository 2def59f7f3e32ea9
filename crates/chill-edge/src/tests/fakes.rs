//! A control plane, a spool, a library, titles and a source that do as a test tells them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chill_core::control::{Act, Recorded, Subject};
use chill_core::source::{Indexers, OwnIndexer};
use chill_core::{
    Change, ContentId, ControlError, ControlPlane, Denial, DenialCode, Epoch, EventId, Feed, FeedItem, Found, InfoHash,
    KnownFile, KnownTorrent, Lease, LeaseRequest, Library, LibraryError, Listed, Secret, Source, SourceError, Spool,
    SpoolError, StoreCode, Title, Titles, UsageEvent, Wanted,
};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lease of `key` (which is also the key's name) at TorBox.
pub(crate) fn lease(key: &str, epoch: Epoch) -> Lease {
    Lease {
        key: Secret::new(key),
        key_id: key.parse().unwrap(),
        store: StoreCode::TorBox,
        device_count: 1,
        ttl: Duration::from_secs(300),
        grace: Duration::from_secs(60),
        epoch,
        delivery: None,
        max_streams: None,
    }
}

pub(crate) fn denied(code: DenialCode) -> ControlError {
    ControlError::Denied(Denial { code, message: format!("the words for {code}"), device_count: None })
}

type Teller = mpsc::Sender<Result<FeedItem, ControlError>>;
type Decide = Box<dyn FnMut(&LeaseRequest) -> Result<Lease, ControlError> + Send>;

/// A control plane that decides by a closure, tells changes, and counts what is recorded.
pub(crate) struct FakeControl {
    decide: Mutex<Decide>,
    pub(crate) asked: Mutex<Vec<LeaseRequest>>,
    pub(crate) recorded: Mutex<Vec<UsageEvent>>,
    pub(crate) record_fails: Mutex<bool>,
    /// When it says to come back with what it did not record.
    pub(crate) record_later: Mutex<Option<Duration>>,
    pub(crate) record_asked: Mutex<Vec<Instant>>,
    /// While set, an answer is decided but does not arrive.
    held: Mutex<Option<Arc<Notify>>>,
    /// Told when a question was decided.
    pub(crate) decided: Notify,
    log: Mutex<Vec<Change>>,
    /// Who listens; none while nobody may.
    feeds: Mutex<Option<Vec<Teller>>>,
}

impl FakeControl {
    pub(crate) fn new(decide: impl FnMut(&LeaseRequest) -> Result<Lease, ControlError> + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            decide: Mutex::new(Box::new(decide)),
            asked: Mutex::default(),
            recorded: Mutex::default(),
            record_fails: Mutex::default(),
            record_later: Mutex::default(),
            record_asked: Mutex::default(),
            held: Mutex::default(),
            decided: Notify::new(),
            log: Mutex::default(),
            feeds: Mutex::new(Some(Vec::new())),
        })
    }

    pub(crate) fn decide(&self, decide: impl FnMut(&LeaseRequest) -> Result<Lease, ControlError> + Send + 'static) {
        *lock(&self.decide) = Box::new(decide);
    }

    pub(crate) fn asked(&self) -> usize {
        lock(&self.asked).len()
    }

    /// Holds answers back until the returned handle is notified.
    pub(crate) fn hold(&self) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        *lock(&self.held) = Some(gate.clone());
        gate
    }

    pub(crate) fn release(&self) {
        if let Some(gate) = lock(&self.held).take() {
            gate.notify_waiters();
            gate.notify_one();
        }
    }

    /// Tells a change to whoever listens.
    pub(crate) fn tell(&self, epoch: Epoch, subject: Subject, act: Act) {
        let change = Change { epoch, subject, act, at: None };
        lock(&self.log).push(change.clone());
        for feed in lock(&self.feeds).iter_mut().flatten() {
            let _ = feed.try_send(Ok(FeedItem::Change(change.clone())));
        }
    }

    /// Tells whoever listens that nothing changed.
    pub(crate) fn alive(&self) {
        for feed in lock(&self.feeds).iter_mut().flatten() {
            let _ = feed.try_send(Ok(FeedItem::Alive));
        }
    }

    /// Ends all feeds and refuses new ones, or allows them again.
    pub(crate) fn feed(&self, works: bool) {
        let mut feeds = lock(&self.feeds);
        for feed in feeds.iter_mut().flatten() {
            let _ = feed.try_send(Err(ControlError::unavailable("the feed broke")));
        }
        *feeds = works.then(Vec::new);
    }

    fn epoch(&self) -> Epoch {
        lock(&self.log).last().map_or(0, |change| change.epoch)
    }
}

#[async_trait]
impl ControlPlane for FakeControl {
    async fn lease(&self, ask: &LeaseRequest) -> Result<Lease, ControlError> {
        lock(&self.asked).push(ask.clone());
        let answer = (lock(&self.decide))(ask);
        self.decided.notify_one();
        let gate = lock(&self.held).clone();
        if let Some(gate) = gate {
            gate.notified().await;
        }
        answer
    }

    async fn record(&self, events: &[UsageEvent]) -> Result<Recorded, ControlError> {
        lock(&self.record_asked).push(Instant::now());
        if *lock(&self.record_fails) {
            return Err(ControlError::Unavailable {
                why: "no database".into(),
                retry_after: *lock(&self.record_later),
            });
        }
        lock(&self.recorded).extend_from_slice(events);
        Ok(Recorded { accepted: events.len(), duplicates: 0 })
    }

    fn watch(&self, since: Option<Epoch>) -> Feed {
        let (sender, receiver) = mpsc::channel(64);
        match (&mut *lock(&self.feeds), since) {
            (None, _) => {
                let _ = sender.try_send(Err(ControlError::unavailable("no feed")));
            }
            (Some(feeds), since) => {
                let epoch = self.epoch();
                let _ = sender.try_send(Ok(FeedItem::Connected { epoch }));
                if since.is_none() {
                    let _ = sender.try_send(Ok(FeedItem::Change(Change::everything(epoch))));
                }
                for change in lock(&self.log).iter().filter(|change| since.is_some_and(|since| change.epoch > since)) {
                    let _ = sender.try_send(Ok(FeedItem::Change(change.clone())));
                }
                feeds.push(sender);
            }
        }
        Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async {
            let item = receiver.recv().await?;
            Some((item, receiver))
        }))
    }
}

/// A spool in memory.
#[derive(Default)]
pub(crate) struct MemorySpool {
    pub(crate) events: Mutex<Vec<UsageEvent>>,
    pub(crate) broken: Mutex<bool>,
}

impl MemorySpool {
    fn works(&self) -> Result<(), SpoolError> {
        if *lock(&self.broken) { Err(SpoolError("database is locked".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl Spool for MemorySpool {
    async fn append(&self, events: &[UsageEvent]) -> Result<(), SpoolError> {
        self.works()?;
        lock(&self.events).extend_from_slice(events);
        Ok(())
    }

    async fn oldest(&self, limit: usize) -> Result<Vec<UsageEvent>, SpoolError> {
        self.works()?;
        Ok(lock(&self.events).iter().take(limit).cloned().collect())
    }

    async fn forget(&self, delivered: &[EventId]) -> Result<(), SpoolError> {
        self.works()?;
        lock(&self.events).retain(|event| !delivered.contains(&event.id));
        Ok(())
    }
}

/// Known torrents in memory.
#[derive(Default)]
pub(crate) struct MemoryLibrary {
    pub(crate) known: Mutex<HashMap<String, Vec<KnownTorrent>>>,
    pub(crate) files: Mutex<HashMap<InfoHash, Vec<KnownFile>>>,
    pub(crate) listed: Mutex<Vec<Listed>>,
    pub(crate) called: Mutex<HashSet<(String, String)>>,
}

#[async_trait]
impl Library for MemoryLibrary {
    async fn find(&self, content: &ContentId) -> Result<Vec<KnownTorrent>, LibraryError> {
        Ok(lock(&self.known).get(content.work().as_ref()).cloned().unwrap_or_default())
    }

    async fn remember(&self, content: &ContentId, found: &[Found]) -> Result<(), LibraryError> {
        let new = found.iter().map(|found| KnownTorrent { found: found.clone(), files: Vec::new() });
        lock(&self.known).entry(content.work().into_owned()).or_default().extend(new);
        Ok(())
    }

    async fn call(&self, content: &ContentId, names: &[String]) -> Result<(), LibraryError> {
        let called = names.iter().map(|name| (name.clone(), content.work().into_owned()));
        lock(&self.called).extend(called);
        Ok(())
    }

    async fn newest(&self, limit: usize) -> Result<Vec<Listed>, LibraryError> {
        Ok(lock(&self.listed).iter().take(limit).cloned().collect())
    }

    async fn of_work(&self, work: &str) -> Result<Vec<Listed>, LibraryError> {
        Ok(lock(&self.listed).iter().filter(|listed| listed.content.work() == work).cloned().collect())
    }

    async fn called(&self, name: &str) -> Result<Vec<String>, LibraryError> {
        Ok(lock(&self.called).iter().filter(|(known, _)| known == name).map(|(_, work)| work.clone()).collect())
    }

    async fn remember_files(&self, hash: &InfoHash, files: &[KnownFile]) -> Result<(), LibraryError> {
        lock(&self.files).insert(*hash, files.to_vec());
        Ok(())
    }
}

/// Every film and series has this title.
pub(crate) struct OneTitle(pub(crate) Option<Title>);

#[async_trait]
impl Titles for OneTitle {
    async fn title(&self, _: &ContentId) -> Result<Option<Title>, SourceError> {
        Ok(self.0.clone())
    }
}

/// An indexer that knows some torrents, and may take its time or fail.
#[derive(Default)]
pub(crate) struct FakeSource {
    pub(crate) found: Mutex<Vec<Found>>,
    pub(crate) takes: Mutex<Duration>,
    pub(crate) fails: Mutex<bool>,
    pub(crate) searches: Mutex<usize>,
}

#[async_trait]
impl Source for FakeSource {
    fn name(&self) -> &str {
        "indexer"
    }

    async fn search(&self, _: &Wanted) -> Result<Vec<Found>, SourceError> {
        *lock(&self.searches) += 1;
        let takes = *lock(&self.takes);
        tokio::time::sleep(takes).await;
        if *lock(&self.fails) {
            return Err(SourceError { origin: "indexer".to_owned(), message: "garbage".to_owned() });
        }
        Ok(lock(&self.found).clone())
    }
}

/// Viewers' own indexers: each is the same source, whatever it is called.
#[derive(Default)]
pub(crate) struct FakeIndexers {
    pub(crate) source: Arc<FakeSource>,
    pub(crate) opened: Mutex<Vec<String>>,
}

#[async_trait]
impl Indexers for FakeIndexers {
    async fn open(&self, own: &OwnIndexer) -> Result<Arc<dyn Source>, String> {
        lock(&self.opened).push(format!("{} {} {}", own.kind, own.url, own.apikey.expose()));
        if own.url.starts_with("http") { Ok(self.source.clone()) } else { Err("the address is no URL".to_owned()) }
    }

    async fn check(&self, own: &OwnIndexer) -> Result<String, String> {
        lock(&self.opened).push(format!("check {} {}", own.url, own.apikey.expose()));
        if own.apikey.expose() == "good" { Ok("It answers.".to_owned()) } else { Err("Invalid API Key".to_owned()) }
    }
}
