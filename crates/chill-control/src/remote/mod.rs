//! The control plane over HTTP: what an edge of its own process asks instead of [`crate::Control`].
//!
//! For: `get-key`, `log-usage` and the events socket at one of several control nodes, with the next one when one is away;
//! also at a control plane that only knows the founding fields.
//!
//! Refuses: to keep anything an answer said. Caching is the edge's. Start reading at [`RemoteControl`], then `call`.

mod call;
mod complaint;
mod feed;
mod guess;
mod lease;
mod nodes;
mod roots;
mod socket;
#[cfg(test)]
mod tests;
mod usage;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use chill_core::control::Recorded;
use chill_core::{Chance, Clock, ControlError, ControlPlane, Epoch, Feed, Lease, LeaseRequest, Secret, UsageEvent};
use tokio::time::Instant;
use url::Url;

use call::{Calls, Route};
use nodes::Nodes;
pub use roots::{ExtraRoots, InvalidRoots};
use usage::Singles;

/// Where the control plane is, and how it is asked.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// Its nodes, `http` or `https`, tried in this order; the one that answered last is asked first.
    pub urls: Vec<Url>,
    /// The bearer key.
    pub key: Secret,
    /// Authorities that `https` addresses may have their certificates of, besides the public ones.
    pub roots: ExtraRoots,
    /// The time of day, for what is logged once a minute.
    pub clock: Clock,
    /// For jitter and the socket's handshake.
    pub chance: Chance,
    /// How long anything may take.
    pub deadlines: Deadlines,
}

/// How long an edge waits for its control plane.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// One call, all nodes tried.
    pub call: Duration,
    /// Between two questions whether the events socket is alive.
    pub ping: Duration,
    /// An events socket silent for this long is dead.
    pub silence: Duration,
}

impl Default for Deadlines {
    /// A cut socket is noticed before a lease that lives without it would end.
    fn default() -> Self {
        Self { call: Duration::from_secs(5), ping: Duration::from_millis(1_300), silence: Duration::from_millis(4_000) }
    }
}

/// A control plane that cannot be asked as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRemote {
    /// No address, or one of another protocol.
    #[error("CHILLSTREAMS_API_URL must name one or more addresses such as http://control.internal:3000")]
    Address,
    /// No key, or one that no header can carry.
    #[error("CHILLSTREAMS_API_KEY must hold the control plane's internal API key, in visible ASCII characters")]
    Key,
}

/// The control plane over HTTP. Clones share connections.
#[derive(Clone)]
pub struct RemoteControl {
    inner: Arc<Remote>,
}

/// What all calls share.
struct Remote {
    calls: Calls,
    nodes: Nodes,
    chance: Chance,
    deadlines: Deadlines,
    /// Events delivered one by one, to a control plane that reads no lists.
    singles: Singles,
    /// Whether the last node asked had no events socket.
    feedless: AtomicBool,
}

impl fmt::Debug for RemoteControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteControl({} nodes)", self.inner.nodes.len())
    }
}

impl RemoteControl {
    /// A control plane at these addresses. Nothing is asked yet.
    ///
    /// # Errors
    /// [`InvalidRemote`].
    pub fn new(config: RemoteConfig) -> Result<Self, InvalidRemote> {
        let nodes = Nodes::new(&config.urls)?;
        let calls = Calls::new(&config.key, &config.roots, config.clock, config.chance.clone())?;
        let (chance, deadlines) = (config.chance, config.deadlines);
        let (singles, feedless) = (Singles::default(), AtomicBool::new(false));
        Ok(Self { inner: Arc::new(Remote { calls, nodes, chance, deadlines, singles, feedless }) })
    }

    /// Whether a node answers and takes the key, for readiness. Changes nothing there.
    ///
    /// # Errors
    /// [`ControlError::Unavailable`], with a sentence.
    pub async fn reach(&self, patience: Duration) -> Result<(), ControlError> {
        let end = Instant::now() + patience;
        let asked = self.inner.calls.post(&self.inner.nodes, Route::LogUsage, b"[]", end).await;
        asked.map(|_| ())
    }
}

#[async_trait]
impl ControlPlane for RemoteControl {
    async fn lease(&self, ask: &LeaseRequest) -> Result<Lease, ControlError> {
        let end = Instant::now() + self.inner.deadlines.call;
        let question = lease::question(ask);
        let answer = self.inner.calls.post(&self.inner.nodes, Route::GetKey, question.as_bytes(), end).await?;
        lease::read(ask, &answer)
    }

    async fn record(&self, events: &[UsageEvent]) -> Result<Recorded, ControlError> {
        usage::deliver(&self.inner, events).await
    }

    fn watch(&self, since: Option<Epoch>) -> Feed {
        feed::changes(Arc::clone(&self.inner), since)
    }
}
