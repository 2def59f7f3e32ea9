//! One viewing of one file: where it sits, and what it carried.

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

/// One viewing of one file.
pub(crate) struct Playback {
    pub(crate) id: PlaybackId,
    pub(crate) key: PlaybackKey,
    pub(crate) file_name: String,
    /// Whether the store had it when it was asked for.
    pub(crate) cached: bool,
    /// Whether the player is sent to the store instead of being served.
    pub(crate) redirect: bool,
    pub(crate) meter: Arc<Meter>,
    /// Cancelled when the viewer's right ends.
    pub(crate) cut: CancellationToken,
    /// Set once the start was written down.
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
    pub(crate) redirect: bool,
    pub(crate) meter: Arc<Meter>,
    pub(crate) ways: Ways,
    pub(crate) seat: Seat,
}

impl Playback {
    pub(crate) fn new(opening: Opening) -> Self {
        let now = Instant::now();
        Self {
            id: opening.id,
            key: opening.key,
            file_name: opening.file_name,
            cached: opening.cached,
            redirect: opening.redirect,
            meter: opening.meter,
            cut: CancellationToken::new(),
            announced: OnceCell::new(),
            ways: tokio::sync::Mutex::new(opening.ways),
            right: Mutex::new(Right { seat: opening.seat, books: Books::default(), charged_at: now }),
            touched: Mutex::new(now),
            confirmed: Mutex::new(now),
            doubted: Mutex::new(None),
        }
    }

    pub(crate) fn seat(&self) -> Seat {
        lock(&self.right).seat.clone()
    }

    /// Goes on with another right; what came so far is charged to the one it leaves.
    pub(super) fn sit(&self, seat: Seat) {
        let mut right = lock(&self.right);
        let Right { seat: former, books, .. } = &mut *right;
        books.charge(&former.grant, self.meter.bytes());
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

    /// Goes on with a newer lease of the same key.
    pub(crate) fn renew(&self, asker: &Asker, held: Arc<Held>) {
        lock(&self.right).seat.grant = Grant::Pool { asker: asker.clone(), held };
        self.confirm();
    }

    /// What is to be written down now: what rights carried that it left; and what came by the one in use, when nothing is
    /// being carried or the last of it was charged longer ago than that.
    pub(crate) fn owes(&self, age: Duration) -> Vec<Carried> {
        let rests = self.meter.open() == 0;
        let mut right = lock(&self.right);
        let Right { seat, books, charged_at } = &mut *right;
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
        let Grant::Pool { asker, held } = &lock(&self.right).seat.grant else { return false };
        let subject = match &change.subject {
            Subject::Everything => return true,
            Subject::Link(link) => asker.link == *link,
            Subject::Device(link, device) => asker.link == *link && asker.device == *device,
            Subject::Key(key) => held.lease.key_id == *key,
        };
        // A right given after the change is not touched by hearing of the change late.
        subject && held.stamp.epoch < change.epoch
    }
}
