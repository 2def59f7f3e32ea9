//! The lease cache: one question to the control plane for many requests of a device.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chill_core::control::Subject;
use chill_core::{
    Action, Change, ControlError, ControlPlane, DeviceId, InfoHash, KeyId, Lease, LeaseRequest, LinkId, StoreCode,
};
use tokio::time::Instant;

use super::fences::{Fences, Stamp};

/// Longest life of a lease while changes are heard.
const LONGEST: Duration = Duration::from_secs(300);
/// Longest life while they are not.
const UNHEARD: Duration = Duration::from_secs(5);
/// A refusal is asked again after this long, so that a viewer who was let in again need not wait.
const REFUSED: Duration = Duration::from_secs(2);
/// A control plane that takes longer is away.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often an answer may come too late before the control plane counts as away.
const OVERTAKEN: usize = 3;
/// At most so many leases are remembered.
const CAPACITY: u64 = 100_000;

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) link: LinkId,
    pub(crate) device: DeviceId,
    pub(crate) label: String,
}

/// What for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    pub(crate) action: &'static str,
    pub(crate) hash: Option<InfoHash>,
}

/// A granted lease and its date.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) lease: Lease,
    pub(crate) stamp: Stamp,
    asked: Instant,
}

/// A question. Only equal ones share an answer on its way; one that has come also answers those it is good enough for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct LeaseKey {
    link: LinkId,
    device: DeviceId,
    store: StoreCode,
    /// In order.
    exclude: Vec<KeyId>,
}

#[derive(Clone, Debug)]
enum Answer {
    Granted(Arc<Held>),
    /// `turn` tells who waited for this answer: whoever took a lower turn.
    Refused {
        error: ControlError,
        stamp: Stamp,
        asked: Instant,
        turn: u64,
    },
}

/// The leases in use.
pub(crate) struct Leases {
    control: Arc<dyn ControlPlane>,
    answers: moka::future::Cache<LeaseKey, Answer>,
    fences: Fences,
    turns: AtomicU64,
    hearing: Mutex<Hearing>,
}

/// Whether changes are heard, and since when it has been so.
#[derive(Clone, Copy, Debug)]
struct Hearing {
    heard: bool,
    since: Instant,
    last: Instant,
}

impl Leases {
    pub(crate) fn new(control: Arc<dyn ControlPlane>) -> Self {
        // The real life of a lease is decided on every use; this only gives the memory back.
        let answers = moka::future::Cache::builder().max_capacity(CAPACITY).time_to_live(LONGEST * 2).build();
        let hearing = Mutex::new(Hearing { heard: false, since: Instant::now(), last: Instant::now() });
        Self { control, answers, fences: Fences::default(), turns: AtomicU64::new(0), hearing }
    }

    /// The lease of a device at a store, from memory where that is allowed. Concurrent questions become one. A lease of
    /// one of the keys in `exclude` does not count.
    pub(crate) async fn get(
        &self,
        asker: &Asker,
        store: StoreCode,
        purpose: Purpose,
        exclude: &[KeyId],
    ) -> Result<Arc<Held>, ControlError> {
        let turn = self.turn();
        let mut exclude: Vec<KeyId> = exclude.iter().take(LeaseRequest::MAX_EXCLUDED).cloned().collect();
        exclude.sort_unstable();
        let any = LeaseKey { link: asker.link, device: asker.device.clone(), store, exclude: Vec::new() };
        if let Some(answer) = self.answers.get(&any).await.filter(|answer| self.usable(&any, answer, &exclude, turn)) {
            metrics::counter!("chillproxy_lease_cache_total", "result" => "hit").increment(1);
            return answer.into_result();
        }
        let answer = if exclude.is_empty() {
            self.asked(&any, asker, purpose, turn).await
        } else {
            let around = LeaseKey { exclude, ..any.clone() };
            let answer = self.asked(&around, asker, purpose, turn).await;
            if matches!(answer, Answer::Granted(_)) {
                self.answers.insert(any, answer.clone()).await;
            }
            answer
        };
        answer.into_result()
    }

    /// The answer to exactly this question, from whoever asks it now.
    async fn asked(&self, key: &LeaseKey, asker: &Asker, purpose: Purpose, turn: u64) -> Answer {
        let request = LeaseRequest {
            link: asker.link,
            device: asker.device.clone(),
            device_label: Some(asker.label.clone()),
            action: Action::known(purpose.action),
            hash: purpose.hash,
            store: key.store,
            exclude: key.exclude.clone(),
        };
        let ask = Box::pin(self.ask(key, &request));
        let usable = |answer: &Answer| self.usable(key, answer, &key.exclude, turn);
        let entry = self.answers.entry_by_ref(key).or_insert_with_if(ask, |answer| !usable(answer)).await;
        let result = if entry.is_fresh() { "asked" } else { "joined" };
        metrics::counter!("chillproxy_lease_cache_total", "result" => result).increment(1);
        entry.into_value()
    }

    /// Whether a lease of that date may still be used: no change has overtaken it.
    pub(crate) fn stands(&self, asker: &Asker, held: &Held) -> bool {
        self.fences.allow(held.stamp, asker.link, &asker.device, Some(&held.lease.key_id))
    }

    /// Takes note of a change: answers of before are dropped and cannot come back.
    pub(crate) async fn changed(&self, change: &Change) {
        self.fences.raise(change);
        let concerned = |key: &LeaseKey, answer: &Answer| match &change.subject {
            Subject::Everything => true,
            Subject::Link(link) => key.link == *link,
            Subject::Device(link, device) => key.link == *link && key.device == *device,
            Subject::Key(id) => matches!(answer, Answer::Granted(held) if held.lease.key_id == *id),
        };
        let gone: Vec<_> = self.answers.iter().filter(|(key, answer)| concerned(key, answer)).collect();
        for (key, _) in gone {
            self.answers.invalidate(&*key).await;
        }
    }

    /// Takes note that changes are heard: up to now none was missed.
    pub(crate) fn hear(&self) {
        metrics::gauge!("chillproxy_feed_connected").set(1.0);
        let now = Instant::now();
        let mut hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        if !hearing.heard {
            hearing.since = now;
        }
        (hearing.heard, hearing.last) = (true, now);
    }

    /// Takes note that changes are not heard any more, which may have been so since the last time they were.
    pub(crate) fn deafen(&self) {
        metrics::gauge!("chillproxy_feed_connected").set(0.0);
        let mut hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        if hearing.heard {
            (hearing.heard, hearing.since) = (false, hearing.last);
        }
    }

    /// Since when changes have not been heard; none while they are.
    pub(crate) fn deaf_since(&self) -> Option<Instant> {
        let hearing = self.hearing();
        (!hearing.heard).then_some(hearing.since)
    }

    /// The newest change heard.
    #[cfg(test)]
    pub(crate) fn newest(&self) -> chill_core::Epoch {
        self.fences.now().epoch
    }

    fn hearing(&self) -> Hearing {
        *self.hearing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a lease asked for at that moment may be used. One of a time when changes were not heard stays short, since
    /// the feed that came back may still have to tell what was missed.
    fn life(&self, held: &Held) -> Duration {
        let hearing = self.hearing();
        let life = if hearing.heard && held.asked >= hearing.since { LONGEST } else { UNHEARD };
        life.min(held.lease.ttl)
    }

    fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::SeqCst)
    }

    fn usable(&self, key: &LeaseKey, answer: &Answer, exclude: &[KeyId], turn: u64) -> bool {
        match answer {
            Answer::Granted(held) => {
                held.asked.elapsed() < self.life(held)
                    && !exclude.contains(&held.lease.key_id)
                    && self.fences.allow(held.stamp, key.link, &key.device, Some(&held.lease.key_id))
            }
            // A failure serves those who waited for it, and nobody after them.
            Answer::Refused { turn: answered, .. } if *answered > turn => true,
            Answer::Refused { error: ControlError::Unavailable { .. }, .. } => false,
            Answer::Refused { stamp, asked, .. } => {
                exclude.is_empty()
                    && asked.elapsed() < REFUSED
                    && self.fences.allow(*stamp, key.link, &key.device, None)
            }
        }
    }

    async fn ask(&self, key: &LeaseKey, request: &LeaseRequest) -> Answer {
        let refused = |error, stamp, asked| Answer::Refused { error, stamp, asked, turn: self.turn() };
        let away = |why: &str| ControlError::unavailable(why);
        let mut before = self.fences.now();
        for _ in 0..OVERTAKEN {
            let asked = Instant::now();
            let answer = tokio::time::timeout(PATIENCE, self.control.lease(request)).await;
            let lease = match answer {
                Ok(Ok(lease)) if lease.store == key.store => lease,
                Ok(Ok(_)) => return refused(away("it answered for another store"), before, asked),
                Ok(Err(error)) => return refused(error, before, asked),
                Err(_) => return refused(away("no answer in time"), before, asked),
            };
            let stamp = Fences::stamp(before, lease.epoch);
            if self.fences.allow(stamp, key.link, &key.device, Some(&lease.key_id)) {
                return Answer::Granted(Arc::new(Held { lease, stamp, asked }));
            }
            // A change overtook the answer while it was on its way: it may be about this very user.
            before = self.fences.now();
        }
        refused(away("its answers are older than the changes it told"), before, Instant::now())
    }
}

impl Answer {
    fn into_result(self) -> Result<Arc<Held>, ControlError> {
        match self {
            Self::Granted(held) => Ok(held),
            Self::Refused { error, .. } => Err(error),
        }
    }
}
