//! By which right a viewer uses a store: a leased key of the pool, or a token of his own; the pool first.
//!
//! A key that fails is told to the control plane and another one asked for, a bounded number of times; then the viewer's
//! own token; then he is told why.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chill_core::control::Delivery;
use chill_core::store::Retry;
use chill_core::usage::Outcome;
use chill_core::{ControlError, KeyId, Secret, StoreCode, StoreError};
use tokio::time::Instant;

use crate::edge::Edge;
use crate::lease::{Asker, Held, Purpose};
use crate::playbacks::Lack;
use crate::refusal::{Code, Refusal};
use crate::stremio::user_data::Entry;
use crate::usage::Deed;
use crate::viewer::Viewer;

/// Keys of the pool tried for one request.
const MOST_KEYS: usize = 3;
/// How long a search for another right that found none need not be repeated.
const LATELY: Duration = Duration::from_secs(3);

/// The right in use. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Grant {
    /// A leased key.
    Pool {
        /// Whose lease.
        asker: Asker,
        /// The lease.
        held: Arc<Held>,
    },
    /// The viewer's own token.
    Own(Secret),
}

impl Grant {
    /// What opens the store.
    pub(crate) fn key(&self) -> &Secret {
        match self {
            Self::Pool { held, .. } => &held.lease.key,
            Self::Own(token) => token,
        }
    }

    /// Whether the bytes come through this server: those of a viewer's own account go to him directly.
    pub(crate) fn is_proxied(&self, usual: Delivery) -> bool {
        match self {
            Self::Pool { held, .. } => held.lease.delivery.unwrap_or(usual) == Delivery::Relay,
            Self::Own(_) => false,
        }
    }

    /// The lease, and whose.
    pub(crate) fn lease(&self) -> Option<(Asker, Arc<Held>)> {
        match self {
            Self::Pool { asker, held } => Some((asker.clone(), held.clone())),
            Self::Own(_) => None,
        }
    }

    /// Whether both are the same right.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pool { held: a, .. }, Self::Pool { held: b, .. }) => a.lease.key_id == b.lease.key_id,
            (Self::Own(a), Self::Own(b)) => a.expose() == b.expose(),
            _ => false,
        }
    }
}

#[derive(Clone, Debug)]
enum Way {
    Pool(Asker),
    Own(Secret),
}

/// The ways to one store that are left to try, and what came of those tried.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    store: StoreCode,
    left: VecDeque<Way>,
    excluded: Vec<KeyId>,
    refusal: Option<Refusal>,
    /// When no other right was found last.
    nowhere_since: Option<Instant>,
}

impl Ways {
    /// All ways of a link's entries to a store.
    ///
    /// # Errors
    /// When there is none: the link only has a right to the pool, which this server does not offer.
    pub(crate) fn new(edge: &Edge, viewer: &Viewer, entries: &[Entry], store: StoreCode) -> Result<Self, Refusal> {
        let mut left = VecDeque::new();
        for entry in entries.iter().filter(|entry| entry.store == store) {
            let asker = |link| Asker { link, device: viewer.device.clone(), label: viewer.label.clone() };
            left.extend(entry.auth.filter(|_| edge.config.pool).map(|link| Way::Pool(asker(link))));
            left.extend(entry.token.clone().map(Way::Own));
        }
        if left.is_empty() {
            return Err(Refusal::new(
                Code::NoKey,
                "the pool is switched off here and the link has no token of its own",
            ));
        }
        Ok(Self { store, left, excluded: Vec::new(), refusal: None, nowhere_since: None })
    }

    /// No way at all, for a playback that only tests what playbacks do.
    #[cfg(test)]
    pub(crate) fn none(store: StoreCode) -> Self {
        Self { store, left: VecDeque::new(), excluded: Vec::new(), refusal: None, nowhere_since: None }
    }

    /// The store they lead to.
    pub(crate) fn store(&self) -> StoreCode {
        self.store
    }

    /// The next right that may be tried.
    ///
    /// # Errors
    /// When none is left: what the viewer should be told.
    pub(crate) async fn next(&mut self, edge: &Edge, purpose: Purpose) -> Result<Grant, Refusal> {
        loop {
            match self.left.front() {
                None => return Err(self.refusal()),
                Some(Way::Own(token)) => return Ok(Grant::Own(token.clone())),
                Some(Way::Pool(asker)) if self.excluded.len() < MOST_KEYS => {
                    match edge.leases.get(asker, self.store, purpose, &self.excluded).await {
                        // A foreign control plane may not know how to leave a key out.
                        Ok(held) if self.excluded.contains(&held.lease.key_id) => self.drop_way(),
                        Ok(held) => return Ok(Grant::Pool { asker: asker.clone(), held }),
                        Err(error) => self.refused(&error),
                    }
                }
                Some(Way::Pool(_)) => self.drop_way(),
            }
        }
    }

    /// Takes note that a right failed at the store, and tells the control plane when it was a key of the pool.
    ///
    /// # Errors
    /// The refusal, when no other right can help: the store or the torrent is at fault.
    pub(crate) async fn failed(
        &mut self,
        edge: &Edge,
        grant: &Grant,
        purpose: Purpose,
        error: &StoreError,
    ) -> Result<(), Refusal> {
        tell(edge, grant, purpose, error).await;
        let refusal = Refusal::from(error);
        if matches!(error.kind.retry(), Retry::Never | Retry::SameKey) {
            return Err(refusal);
        }
        self.refusal = Some(refusal);
        self.pass(grant);
        Ok(())
    }

    /// Takes note that a right does not carry one more stream. Another key is only asked for where that would help.
    pub(crate) fn full(&mut self, grant: &Grant, lack: Lack) {
        let why = match lack {
            Lack::Key => "every allowed key carries as many streams as it may",
            Lack::Else => "the user, or this node, carries as many streams as it may",
        };
        self.refusal = Some(Refusal::new(Code::StreamLimit, why));
        match lack {
            Lack::Key => self.pass(grant),
            Lack::Else => self.drop_way(),
        }
    }

    /// Takes note that no other right was found: the requests of one film need not all look.
    pub(crate) fn lead_nowhere(&mut self) {
        self.nowhere_since = Some(Instant::now());
    }

    /// Whether that was noted a moment ago.
    pub(crate) fn were_tried_lately(&self) -> bool {
        self.nowhere_since.is_some_and(|since| since.elapsed() < LATELY)
    }

    /// Takes note that a right which did not carry one more stream does now; other keys may be needed beside it later.
    pub(crate) fn has_room_again(&mut self, grant: &Grant) {
        if let (Grant::Pool { asker, .. }, None) = (grant, self.left.front()) {
            self.left.push_front(Way::Pool(asker.clone()));
            (self.excluded, self.refusal) = (Vec::new(), None);
        }
    }

    /// Takes note that the store gives links for a right, but no byte comes from them. The key itself did nothing wrong.
    pub(crate) fn fruitless(&mut self, grant: &Grant) {
        self.refusal = Some(Refusal::new(Code::LinkBroken, "no link of any allowed key brings the film"));
        self.pass(grant);
    }

    /// The next try uses another right than this one.
    fn pass(&mut self, grant: &Grant) {
        match grant {
            Grant::Pool { held, .. } => self.excluded.push(held.lease.key_id.clone()),
            Grant::Own(_) => self.drop_way(),
        }
    }

    fn refused(&mut self, error: &ControlError) {
        // What a store said about a key explains more than "no other key".
        self.refusal.get_or_insert_with(|| Refusal::from(error));
        self.drop_way();
    }

    fn drop_way(&mut self) {
        self.left.pop_front();
        self.excluded.clear();
    }

    /// What the viewer should be told when nothing is left.
    pub(crate) fn refusal(&self) -> Refusal {
        let none = || Refusal::new(Code::NoKey, "the link names no right at this store");
        self.refusal.clone().unwrap_or_else(none)
    }
}

/// Tells the control plane how a leased key failed, so that it can rest or be looked at.
async fn tell(edge: &Edge, grant: &Grant, purpose: Purpose, error: &StoreError) {
    let outcome = error.kind.outcome();
    let Grant::Pool { asker, held } = grant else { return };
    if outcome == Outcome::Failed && error.kind.retry() == Retry::Never {
        return;
    }
    tracing::warn!(key = %held.lease.key_id, store = %error.store, %error, "a key of the pool failed");
    let deed =
        Deed { asker, held, action: failure_action(purpose), hash: purpose.hash, cached: None, bytes: 0, outcome };
    if let Err(error) = edge.usage.keep(&deed).await {
        tracing::warn!(%error, "a key's failure could not be written down");
    }
}

/// A failure is told under the act that failed, never as a stream: only `stream-request` counts as one.
fn failure_action(purpose: Purpose) -> &'static str {
    use chill_core::Action;
    if purpose.action == Action::STREAM_REQUEST { Action::ADD_TORRENT } else { purpose.action }
}
