//! Usage that has not been delivered yet, kept where a crash cannot reach it.

use async_trait::async_trait;

use crate::{EventId, UsageEvent};

/// The spool cannot be written or read now. The text is for the log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the usage spool is not available: {0}")]
pub struct SpoolError(pub String);

/// Usage events between the moment they happen and the moment the control plane has counted them.
#[async_trait]
pub trait Spool: Send + Sync + 'static {
    /// Keeps events; when it returns, a killed process has not lost them.
    ///
    /// # Errors
    /// [`SpoolError`]: none of them were kept.
    async fn append(&self, events: &[UsageEvent]) -> Result<(), SpoolError>;

    /// The oldest events, at most `limit`, still kept.
    ///
    /// # Errors
    /// [`SpoolError`].
    async fn oldest(&self, limit: usize) -> Result<Vec<UsageEvent>, SpoolError>;

    /// Forgets delivered events.
    ///
    /// # Errors
    /// [`SpoolError`]: they will be delivered again, and counted once.
    async fn forget(&self, delivered: &[EventId]) -> Result<(), SpoolError>;
}
