//! The torrents of a film or episode: those known from before and those the indexers know, gathered once for everybody.
//!
//! All sources are asked at the same time under one budget. What comes later is not lost: it is remembered, and the next
//! list has it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chill_core::{
    Chance, ContentId, Found, InfoHash, KnownFile, KnownTorrent, Library, LibraryError, Numbers, Source, Title, Titles,
    Wanted,
};
use chill_release::{Release, normalise_title, parse};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::own_indexers::Own;
use super::shelf::Shelf;
use super::suitable::suits;

/// What was gathered serves this long.
const LIFE: Duration = Duration::from_secs(900);
/// Some live longer than others by up to so many hundredths.
const SPREAD: u64 = 20;
/// The longest of them.
const LONGEST_LIFE: Duration = Duration::from_secs(LIFE.as_secs() * (100 + SPREAD) / 100);
/// The same, when a source or the titles were away, or when there is nothing.
const SHORT_LIFE: Duration = Duration::from_secs(60);
/// The same, when a source or the titles were away and so nothing was found: the next viewer may be luckier.
const NO_LIFE: Duration = Duration::from_secs(5);
/// A source that takes longer is given up, also in the background.
const LATEST: Duration = Duration::from_secs(30);
/// A playback waits so long for a title that no list has found out before.
const AT_PLAYBACK: Duration = Duration::from_secs(2);
/// The title's share of the budget.
const TITLE_SHARE: u32 = 2;
/// Torrents taken from one source, and kept in all.
const MOST: usize = 1_000;
/// Longest name of a torrent, in bytes.
const LONGEST_NAME: usize = 512;
/// Torrents kept in memory for all films together.
const CAPACITY: u64 = 60_000;

/// A torrent that may hold what was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) found: Found,
    pub(crate) release: Release,
    /// Its files, when they are known.
    pub(crate) files: Vec<KnownFile>,
}

/// Versions of what a shelf was made of: its own gathering's, that of the one beside it, and which one that is.
type Edition = (u64, u64, usize);

/// What was gathered for one film or episode.
pub(crate) struct Gathering {
    pub(crate) content: ContentId,
    pub(crate) title: Option<Title>,
    candidates: Mutex<HashMap<InfoHash, Arc<Candidate>>>,
    version: AtomicU64,
    shelf: Mutex<Option<(Edition, Arc<Shelf>)>>,
    /// How much longer than others it lives, in hundredths: so that not all are searched anew at the same time.
    spread: u64,
    born: Instant,
    incomplete: AtomicBool,
}

/// All gatherings that are still good.
pub(crate) struct Catalogue {
    sources: Vec<Arc<dyn Source>>,
    titles: Arc<dyn Titles>,
    library: Arc<dyn Library>,
    budget: Duration,
    chance: Chance,
    gatherings: moka::future::Cache<ContentId, Arc<Gathering>>,
    /// What viewers' own indexers found: for links with the same indexers alone.
    own: moka::future::Cache<(ContentId, [u8; 32]), Arc<Gathering>>,
}

impl Catalogue {
    pub(crate) fn new(
        sources: Vec<Arc<dyn Source>>,
        titles: Arc<dyn Titles>,
        library: Arc<dyn Library>,
        budget: Duration,
        chance: Chance,
    ) -> Self {
        let size =
            |gathering: &Arc<Gathering>| u32::try_from(gathering.lock().len()).unwrap_or(u32::MAX).saturating_add(10);
        let weigh = move |_: &ContentId, gathering: &Arc<Gathering>| size(gathering);
        let weigh_own = move |_: &(ContentId, [u8; 32]), gathering: &Arc<Gathering>| size(gathering);
        let gatherings =
            moka::future::Cache::builder().max_capacity(CAPACITY).weigher(weigh).time_to_live(LONGEST_LIFE).build();
        let own = moka::future::Cache::builder().max_capacity(CAPACITY).weigher(weigh_own);
        let own = own.time_to_live(LONGEST_LIFE).build();
        Self { sources, titles, library, budget, chance, gatherings, own }
    }

    /// The torrents of a film or episode. Concurrent requests wait for the same search.
    pub(crate) async fn get(&self, content: &ContentId) -> Arc<Gathering> {
        if let Some(gathering) = self.gatherings.get(content).await.filter(|gathering| gathering.is_good()) {
            return gathering;
        }
        let gather = Box::pin(self.gather(content));
        let entry = self.gatherings.entry_by_ref(content);
        entry.or_insert_with_if(gather, |gathering| !gathering.is_good()).await.into_value()
    }

    /// What a viewer's own indexers find, searched beside [`Self::get`]. It is kept for him, and not in the library.
    pub(crate) async fn own(&self, content: &ContentId, own: Own) -> Arc<Gathering> {
        let Own { sources, id } = own;
        let gather = Box::pin(async {
            let deadline = Instant::now() + self.budget;
            let (title, title_known) = self.title_within(content, self.budget / TITLE_SHARE).await;
            let gathering = self.begin(content, title, !title_known);
            self.search_until(deadline, sources, &gathering, None).await;
            gathering
        });
        let entry = self.own.entry((content.clone(), id));
        entry.or_insert_with_if(gather, |gathering| !gathering.is_good()).await.into_value()
    }

    fn begin(&self, content: &ContentId, title: Option<Title>, incomplete: bool) -> Arc<Gathering> {
        Arc::new(Gathering { spread: self.chance.below(SPREAD), ..Gathering::new(content.clone(), title, incomplete) })
    }

    /// Searches, and waits until all have answered or the time is over.
    async fn search_until(
        &self,
        deadline: Instant,
        sources: Vec<Arc<dyn Source>>,
        gathering: &Arc<Gathering>,
        library: Option<Arc<dyn Library>>,
    ) {
        let (done, all_done) = oneshot::channel();
        let wanted = Wanted {
            content: gathering.content.clone(),
            title: gathering.title.clone(),
            budget: deadline.saturating_duration_since(Instant::now()),
        };
        // On its own, so that what comes late is still remembered.
        tokio::spawn(search(sources, wanted, gathering.clone(), library, done));
        if timeout_at(deadline, all_done).await.is_err() {
            tracing::debug!("some sources are late; their torrents come with the next list");
        }
    }

    /// What is called what: from the list that was shown just before, else asked for. A playback does not wait long.
    pub(crate) async fn title(&self, content: &ContentId) -> Option<Title> {
        match self.gatherings.get(content).await {
            Some(gathering) => gathering.title.clone(),
            None => self.title_within(content, AT_PLAYBACK).await.0,
        }
    }

    /// The title, and whether it could be found out at all.
    async fn title_within(&self, content: &ContentId, budget: Duration) -> (Option<Title>, bool) {
        match timeout(budget, self.titles.title(content)).await {
            Ok(Ok(title)) => (title, true),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the title could not be found out");
                (None, false)
            }
            Err(_) => (None, false),
        }
    }

    async fn known(&self, content: &ContentId, budget: Duration) -> Vec<KnownTorrent> {
        match timeout(budget, self.library.find(content)).await {
            Ok(Ok(known)) => return known,
            Ok(Err(error)) => tracing::warn!(%error, "a stream list goes without the known torrents"),
            Err(_) => tracing::warn!("a stream list goes without the known torrents: they took too long"),
        }
        Vec::new()
    }

    async fn gather(&self, content: &ContentId) -> Arc<Gathering> {
        let deadline = Instant::now() + self.budget;
        let share = self.budget / TITLE_SHARE;
        let ((title, title_known), known) = tokio::join!(self.title_within(content, share), self.known(content, share));
        let gathering = self.begin(content, title, !title_known);
        gathering.admit_known(known);
        if let Some(same) = gathering.at_imdb().filter(|same| same != content) {
            gathering.admit_known(self.known(&same, share).await);
        }
        self.search_until(deadline, self.sources.clone(), &gathering, Some(self.library.clone())).await;
        gathering
    }
}

async fn search(
    sources: Vec<Arc<dyn Source>>,
    wanted: Wanted,
    gathering: Arc<Gathering>,
    library: Option<Arc<dyn Library>>,
    done: oneshot::Sender<()>,
) {
    // A name is told only of the viewer's own indexers: the operator's are nobody's affair.
    let own = library.is_none();
    let begun = Instant::now();
    let ask = |source: Arc<dyn Source>| {
        let wanted = &wanted;
        async move { (source.name().to_owned(), timeout(LATEST, source.search(wanted)).await) }
    };
    let mut answers: FuturesUnordered<_> = sources.into_iter().map(ask).collect();
    let mut new = Vec::new();
    while let Some((name, answer)) = answers.next().await {
        time(if own { "own" } else { &name }, &answer, begun);
        match answer {
            Ok(Ok(found)) => new.extend(gathering.admit(found, own)),
            Ok(Err(error)) => {
                gathering.incomplete.store(true, Ordering::Relaxed);
                tracing::warn!(source = name, %error, "a source could not search");
            }
            Err(_) => {
                gathering.incomplete.store(true, Ordering::Relaxed);
                tracing::warn!(source = name, "a source took too long");
            }
        }
    }
    // Nobody may be waiting any more.
    let _ = done.send(());
    new.retain(|found: &Found| !found.private);
    if let Some(library) = library.filter(|_| !new.is_empty())
        && let Err(error) = remember(&*library, &wanted, &new).await
    {
        tracing::warn!(%error, "found torrents could not be remembered");
    }
}

/// How long a source took, and how it ended.
fn time<T, E, L>(name: &str, answer: &Result<Result<T, E>, L>, begun: Instant) {
    let outcome = match answer {
        Ok(Ok(_)) => "found",
        Ok(Err(_)) => "failed",
        Err(_) => "late",
    };
    let labels = [("source", name.to_owned()), ("outcome", outcome.to_owned())];
    metrics::histogram!("chillproxy_source_seconds", &labels).record(begun.elapsed().as_secs_f64());
}

/// Remembers torrents, and what the film or series is called that they are of.
async fn remember(library: &dyn Library, wanted: &Wanted, new: &[Found]) -> Result<(), LibraryError> {
    library.remember(&wanted.content, new).await?;
    let names = wanted.title.iter().flat_map(|title| title.names().chain(title.part.iter().map(String::as_str)));
    library.call(&wanted.content, &names.map(normalise_title).collect::<Vec<_>>()).await
}

impl Gathering {
    pub(crate) fn new(content: ContentId, title: Option<Title>, incomplete: bool) -> Self {
        Self {
            content,
            title,
            candidates: Mutex::default(),
            version: AtomicU64::new(0),
            shelf: Mutex::default(),
            spread: 0,
            born: Instant::now(),
            incomplete: AtomicBool::new(incomplete),
        }
    }

    /// The same by IMDb's id and its season there, where that is known: its torrents may be known under that.
    fn at_imdb(&self) -> Option<ContentId> {
        let title = self.title.as_ref()?;
        let imdb = title.imdb.clone()?;
        match Numbers::of(&self.content, Some(title)) {
            None => Some(ContentId::Movie { imdb }),
            Some(Numbers { season, episode, .. }) => Some(ContentId::Episode { imdb, season: season?, episode }),
        }
    }

    /// The candidates in order of liking; made anew only when something was added.
    pub(crate) fn shelf(&self) -> Arc<Shelf> {
        let version = self.version.load(Ordering::Acquire);
        self.kept((version, 0, 0), || self.lock().values().cloned().collect())
    }

    /// The same together with what others have gathered for everybody.
    pub(crate) fn shelf_with(&self, shared: &Arc<Self>) -> Arc<Shelf> {
        let versions = [self, shared].map(|gathering| gathering.version.load(Ordering::Acquire));
        let [own, of_shared] = versions;
        self.kept((own, of_shared, Arc::as_ptr(shared).addr()), || {
            let mut all = shared.lock().clone();
            for (hash, own) in self.lock().iter() {
                let entry = all.entry(*hash).or_insert_with(|| own.clone());
                if !Arc::ptr_eq(entry, own) {
                    *entry = Arc::new(merge(entry, Candidate::clone(own)));
                }
            }
            all.into_values().collect()
        })
    }

    fn kept(&self, edition: Edition, candidates: impl FnOnce() -> Vec<Arc<Candidate>>) -> Arc<Shelf> {
        let mut kept = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, shelf)) = kept.as_ref()
            && *of == edition
        {
            return shelf.clone();
        }
        let shelf = Arc::new(Shelf::new(candidates()));
        *kept = Some((edition, shelf.clone()));
        shelf
    }

    /// Adds what a source found, as far as it suits. Returns what was added.
    ///
    /// `named`: whether viewers may read which source told of them.
    pub(crate) fn admit(&self, found: Vec<Found>, named: bool) -> Vec<Found> {
        let mut added = Vec::new();
        for mut found in found.into_iter().take(MOST) {
            found.name.truncate(found.name.floor_char_boundary(LONGEST_NAME));
            let release = parse(&found.name);
            if suits(&self.content, self.title.as_ref(), &release, found.exact) {
                added.push(found.clone());
                if !named {
                    found.source.clear();
                }
                self.put(Candidate { found, release, files: Vec::new() });
            }
        }
        added
    }

    /// Adds what is known from before. It was found to suit then, so only the episode is looked at.
    fn admit_known(&self, known: Vec<KnownTorrent>) {
        for KnownTorrent { mut found, files } in known.into_iter().take(MOST) {
            found.name.truncate(found.name.floor_char_boundary(LONGEST_NAME));
            found.source.clear();
            let release = parse(&found.name);
            if suits(&self.content, self.title.as_ref(), &release, true) {
                self.put(Candidate { found, release, files });
            }
        }
    }

    /// Adds a candidate, or what it tells about one that is there.
    fn put(&self, new: Candidate) {
        let mut candidates = self.lock();
        let hash = new.found.hash;
        let merged = match candidates.get(&hash) {
            Some(old) => merge(old, new),
            None if candidates.len() >= MOST => return,
            None => new,
        };
        candidates.insert(hash, Arc::new(merged));
        self.version.fetch_add(1, Ordering::Release);
    }

    fn is_good(&self) -> bool {
        let (incomplete, empty) = (self.incomplete.load(Ordering::Relaxed), self.version.load(Ordering::Acquire) == 0);
        let life = match (incomplete, empty) {
            (true, true) => NO_LIFE,
            (false, false) => LIFE,
            _ => SHORT_LIFE,
        };
        self.born.elapsed() < life + life * u32::try_from(self.spread).unwrap_or(0) / 100
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<InfoHash, Arc<Candidate>>> {
        self.candidates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn merge(old: &Candidate, new: Candidate) -> Candidate {
    let mut found = old.found.clone();
    found.seeders = found.seeders.max(new.found.seeders);
    found.size = found.size.or(new.found.size);
    if found.source.is_empty() {
        found.source = new.found.source;
    }
    // Public somewhere is public.
    found.private &= new.found.private;
    let files = if old.files.is_empty() { new.files } else { old.files.clone() };
    Candidate { found, release: old.release.clone(), files }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tests::stage::Stage;

    #[tokio::test(start_paused = true)]
    async fn what_was_gathered_at_the_same_moment_grows_old_at_different_ones() {
        let catalogue = &Stage::new().edge.catalogue;
        let content = ContentId::Movie { imdb: "tt0063350".to_owned() };
        let gathered: Vec<_> = (0..100).map(|_| catalogue.begin(&content, None, false)).collect();
        let spreads: HashSet<u64> = gathered.iter().map(|gathering| gathering.spread).collect();
        assert!(spreads.len() > 5 && spreads.iter().all(|spread| *spread < SPREAD), "{spreads:?}");

        let good = || gathered.iter().filter(|gathering| gathering.is_good()).count();
        tokio::time::advance(SHORT_LIFE - Duration::from_millis(1)).await;
        assert_eq!(good(), 100, "nothing found is believed for its whole time");
        tokio::time::advance(SHORT_LIFE / 10).await;
        assert!((1..100).contains(&good()), "{} of 100", good());
        tokio::time::advance(SHORT_LIFE / 10).await;
        assert_eq!(good(), 0);
    }
}
