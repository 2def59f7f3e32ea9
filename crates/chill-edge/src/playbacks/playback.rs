//! One viewing of one file: where it sits, under whose rule, and what it carried.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chill_core::control::Subject;
use chill_core::store::ItemId;
use chill_core::{Change, DeviceId, PlaybackId, StoreCode};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::books::{Books, Carried};
use super::lock;
use super::requests::Requests;
use super::streams::Who;
use crate::access::{Grant, Ways};
use crate::lease::{Asker, Held};
use crate::relay::Meter;
use crate::stremio::route::Click;

/// What makes two requests the same playback.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlaybackKey {
    /// SHA-256 of the rights the link gives at the store.
    pub(crate) holder: [u8; 32],
    pub(crate) device: DeviceId,
    pub(crate) click: Click,
}

/// At which store, with which right, from which item, which file.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) store: StoreCode,
    pub(crate) grant: Grant,
    pub(crate) item: ItemId,
    pub(crate) file: u64,
}

/// Under which user of the pool a playback is: the one whose key carries it, or carried it before his own token did.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) asker: Asker,
    /// His last lease.
    pub(crate) held: Arc<Held>,
    /// Whether the key of that lease carries it now.
    pub(crate) by_key: bool,
}

impl Rule {
    /// As far as streams are counted by it.
    pub(super) fn who(&self) -> Who<'_> {
        Who { asker: &self.asker, held: self.by_key.then_some(&self.held) }
    }
}

/// One viewing of one file.
pub(crate) struct Playback {
    pub(crate) id: PlaybackId,
    pub(crate) key: PlaybackKey,
    pub(crate) file_name: String,
    /// Whether the store had it when it was asked for.
    pub(crate) cached: bool,
    pub(crate) meter: Arc<Meter>,
    /// Bounds how many of its requests run.
    pub(crate) requests: Requests,
    /// Cancelled when the viewer's right ends.
    pub(crate) cut: CancellationToken,
    /// Set once the start was written down; only what a key of the pool carries is.
    pub(crate) announced: OnceCell<()>,
    /// Held while another right is looked for.
    pub(crate) ways: tokio::sync::Mutex<Ways>,
    right: Mutex<Right>,
    touched: Mutex<Instant>,
    /// When the right was last known to be good while changes could not be heard.
    confirmed: Mutex<Instant>,
    /// Since when changes may have been missed, so that the right must be asked for again.
    doubted: Mutex<Option<Instant>>,
}

/// By which right it plays, and what it owes: the books must not miss a change of the right.
struct Right {
    seat: Seat,
    /// Cancelled when another takes its place: two keys must not carry one film, for what both bring is charged to one of them.
    replaced: CancellationToken,
    /// The last lease it played by, and whose.
    lease: Option<(Asker, Arc<Held>)>,
    books: Books,
    /// When bytes were charged last.
    charged_at: Instant,
}

/// What a new playback is made of.
pub(crate) struct Opening {
    pub(crate) id: PlaybackId,
    pub(crate) key: PlaybackKey,
    pub(crate) file_name: String,
    pub(crate) cached: bool,
    pub(crate) meter: Arc<Meter>,
    pub(crate) ways: Ways,
    pub(crate) seat: Seat,
}

impl Right {
    fn new(seat: Seat) -> Self {
        let lease = seat.grant.lease();
        let replaced = CancellationToken::new();
        Self { seat, replaced, lease, books: Books::default(), charged_at: Instant::now() }
    }

    /// The lease whose rule would hold with a grant, and whether its key would carry the film.
    fn lease_with<'a>(&'a self, grant: &'a Grant) -> Option<(&'a Asker, &'a Arc<Held>, bool)> {
        match (grant, &self.lease) {
            (Grant::Pool { asker, held }, _) => Some((asker, held, true)),
            (Grant::Own(_), last) => last.as_ref().map(|(asker, held)| (asker, held, false)),
        }
    }

    fn rule(&self, grant: &Grant) -> Option<Rule> {
        let (asker, held, by_key) = self.lease_with(grant)?;
        Some(Rule { asker: asker.clone(), held: held.clone(), by_key })
    }
}

impl Playback {
    pub(crate) fn new(opening: Opening) -> Self {
        let now = Instant::now();
        Self {
            id: opening.id,
            key: opening.key,
            file_name: opening.file_name,
            cached: opening.cached,
            meter: opening.meter,
            requests: Requests::new(),
            cut: CancellationToken::new(),
            announced: OnceCell::new(),
            ways: tokio::sync::Mutex::new(opening.ways),
            right: Mutex::new(Right::new(opening.seat)),
            touched: Mutex::new(now),
            confirmed: Mutex::new(now),
            doubted: Mutex::new(None),
        }
    }

    pub(crate) fn seat(&self) -> Seat {
        lock(&self.right).seat.clone()
    }

    /// The seat, and what is cancelled when another one takes its place.
    pub(crate) fn sitting(&self) -> (Seat, CancellationToken) {
        let right = lock(&self.right);
        (right.seat.clone(), right.replaced.clone())
    }

    /// Under whose rule it is; none: a viewer's own token carries it and always did.
    pub(crate) fn rule(&self) -> Option<Rule> {
        let right = lock(&self.right);
        right.rule(&right.seat.grant)
    }

    /// Under whose rule it would be with another right: who falls back to his own token is still whose film it was.
    pub(super) fn rule_with(&self, grant: &Grant) -> Option<Rule> {
        lock(&self.right).rule(grant)
    }

    /// Goes on with another right; what came so far is charged to the one it leaves, and all its requests leave that too.
    pub(super) fn sit(&self, seat: Seat) {
        let mut right = lock(&self.right);
        let Right { seat: former, replaced, lease, books, .. } = &mut *right;
        if !former.grant.is(&seat.grant) {
            std::mem::take(replaced).cancel();
        }
        books.charge(&former.grant, self.meter.bytes());
        *lease = seat.grant.lease().or_else(|| lease.take());
        *former = seat;
        drop(right);
        self.confirm();
    }

    /// Takes note that its right was just confirmed.
    pub(crate) fn confirm(&self) {
        *lock(&self.confirmed) = Instant::now();
        *lock(&self.doubted) = None;
    }

    /// Since when its right has not been confirmed; `deaf_since` is when changes stopped being heard. None: it stands.
    pub(crate) fn unconfirmed_since(&self, deaf_since: Option<Instant>) -> Option<Instant> {
        let deaf = deaf_since.map(|since| since.max(*lock(&self.confirmed)));
        [deaf, *lock(&self.doubted)].into_iter().flatten().min()
    }

    pub(crate) fn is_doubted(&self) -> bool {
        lock(&self.doubted).is_some()
    }

    pub(super) fn doubt(&self) {
        lock(&self.doubted).get_or_insert_with(Instant::now);
    }

    /// Takes note of a newer lease of its user, by which it goes on where it is the same key's.
    pub(crate) fn renew(&self, asker: &Asker, held: Arc<Held>) {
        let mut right = lock(&self.right);
        let newer = Grant::Pool { asker: asker.clone(), held };
        if right.lease.as_ref().is_some_and(|(of, _)| of.link == asker.link) {
            right.lease = newer.lease();
        }
        if right.seat.grant.is(&newer) {
            right.seat.grant = newer;
        }
        drop(right);
        self.confirm();
    }

    /// What is to be written down now: what rights carried that it left; and what came by the one in use, when nothing is
    /// being carried or the last of it was charged longer ago than that.
    pub(crate) fn owes(&self, age: Duration) -> Vec<Carried> {
        let rests = self.meter.open() == 0;
        let mut right = lock(&self.right);
        let Right { seat, books, charged_at, .. } = &mut *right;
        if (rests || charged_at.elapsed() >= age) && books.charge(&seat.grant, self.meter.bytes()) {
            *charged_at = Instant::now();
        }
        books.owed()
    }

    /// Takes note that this much of what it owed is written down.
    pub(crate) fn written(&self, carried: &Carried) {
        lock(&self.right).books.written(carried);
    }

    /// Whether it carries nothing and all it carried is written down.
    pub(super) fn is_closed(&self) -> bool {
        self.meter.open() == 0 && lock(&self.right).books.are_closed(self.meter.bytes())
    }

    pub(super) fn touch(&self) {
        *lock(&self.touched) = Instant::now();
    }

    pub(super) fn idle_since(&self) -> Instant {
        *lock(&self.touched)
    }

    pub(super) fn concerns(&self, change: &Change) -> bool {
        let right = lock(&self.right);
        let Some((asker, held, by_key)) = right.lease_with(&right.seat.grant) else { return false };
        let subject = match &change.subject {
            Subject::Everything => return true,
            Subject::Link(link) => asker.link == *link,
            Subject::Device(link, device) => asker.link == *link && asker.device == *device,
            Subject::Key(key) => by_key && held.lease.key_id == *key,
        };
        // A right given after the change is not touched by hearing of the change late.
        subject && held.stamp.epoch < change.epoch
    }
}
