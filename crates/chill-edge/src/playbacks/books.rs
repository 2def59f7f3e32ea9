//! What a playback carried, by the right of the pool that it came by, until it is written down.

use std::sync::Arc;

use crate::access::Grant;
use crate::lease::{Asker, Held};

/// Bytes that came by one key, for one user, and are not written down yet.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    pub(crate) asker: Asker,
    pub(crate) held: Arc<Held>,
    pub(crate) bytes: u64,
}

impl Carried {
    fn is_by(&self, asker: &Asker, held: &Held) -> bool {
        self.asker.link == asker.link && self.held.lease.key_id == held.lease.key_id
    }
}

/// The books of one playback. Every byte is charged once: to the right that was in use when it was.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// How many bytes were charged, also those that are nobody's business.
    charged: u64,
    /// What is charged and not written down; one entry a key and user.
    owed: Vec<Carried>,
}

impl Books {
    /// Charges what came since the last time to the right that it came by; `total`: all bytes so far. A viewer's own token
    /// owes nothing. False when nothing came.
    pub(super) fn charge(&mut self, grant: &Grant, total: u64) -> bool {
        let bytes = total.saturating_sub(self.charged);
        self.charged += bytes;
        let Grant::Pool { asker, held } = grant else { return bytes > 0 };
        match self.owed.iter_mut().find(|owed| owed.is_by(asker, held)) {
            Some(owed) => owed.bytes += bytes,
            None if bytes > 0 => self.owed.push(Carried { asker: asker.clone(), held: held.clone(), bytes }),
            None => {}
        }
        bytes > 0
    }

    /// What is to be written down.
    pub(super) fn owed(&self) -> Vec<Carried> {
        self.owed.clone()
    }

    /// Takes note that this much is written down; more may have been charged meanwhile.
    pub(super) fn written(&mut self, carried: &Carried) {
        for owed in self.owed.iter_mut().filter(|owed| owed.is_by(&carried.asker, &carried.held)) {
            owed.bytes = owed.bytes.saturating_sub(carried.bytes);
        }
        self.owed.retain(|owed| owed.bytes > 0);
    }

    /// Whether all of so many bytes is written down.
    pub(super) fn are_closed(&self, total: u64) -> bool {
        self.owed.is_empty() && self.charged >= total
    }
}
