//! Where a film's bytes come from, and what can go wrong before the first of them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chill_core::{Secret, StoreError, StoreErrorKind};
use http::{HeaderMap, HeaderValue};
use tokio_util::sync::CancellationToken;

use super::Meter;

/// The code of an [`OriginErrorKind::Refused`] for a link or a redirect to where the relay may not connect.
pub const DESTINATION_REFUSED: &str = "destination_refused";

/// What the bytes of an [`Origin`] may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carries {
    /// A film, or what belongs to one. A page, a content coding, or a body whose end nothing tells is none, and its type is
    /// told by its name where the origin names none that is played.
    #[default]
    Film,
    /// Whatever its server has, of the type and in the coding the server says.
    AnyFile,
}

/// Where a file's bytes come from, and until when.
#[derive(Clone, Debug)]
pub struct Link {
    /// http or https.
    pub url: Secret,
    /// Cancelled when others of this playback have gone on with another right: who reads by this link then leaves it, and asks
    /// for the one at hand. Two rights at once would be charged to, and cut with, one of them.
    pub replaced: CancellationToken,
}

impl Link {
    /// One that nobody leaves.
    #[must_use]
    pub fn lasting(url: Secret) -> Self {
        Self { url, replaced: CancellationToken::new() }
    }
}

/// One file at one store, as its playback knows it.
#[async_trait]
pub trait Origin: Send + Sync {
    /// Where the file's bytes come from. `fresh`: the last link failed; ask the store anew, possibly with another key. Each
    /// request asks for the link at hand once, and whenever it has to leave one; for a fresh one at most once before its first
    /// byte (twice where [`Origin::falls_back`]) and at most every other time it tries to go on after a break.
    ///
    /// # Errors
    /// [`OriginError`]; [`OriginErrorKind::Refused`] ends a running response for good, other kinds are tried again.
    async fn link(&self, fresh: bool) -> Result<Link, OriginError>;

    /// Headers the origin wants beside the relay's own, which they may replace; hop-by-hop headers, ranges and conditions
    /// do not belong here. A redirect to another origin gets none of them that could tell a secret.
    fn request_headers(&self) -> HeaderMap {
        HeaderMap::new()
    }

    /// What the bytes may be.
    fn carries(&self) -> Carries {
        Carries::Film
    }

    /// Whether a fresh link can be another one. Where it cannot, a link that does not work is told at once.
    fn renews(&self) -> bool {
        true
    }

    /// Whether a second fresh link right after the first one may lead elsewhere, such as to another account's.
    fn falls_back(&self) -> bool {
        false
    }
}

/// What is to be relayed, and for which playback.
#[derive(Clone)]
pub struct Film {
    /// Where the bytes come from.
    pub origin: Arc<dyn Origin>,
    /// Counts them; shared by all requests of one playback.
    pub meter: Arc<Meter>,
    /// Ends the response at once when cancelled.
    pub cut: CancellationToken,
    /// The file's name, for its media type and for players that show it.
    pub file_name: String,
}

impl fmt::Debug for Film {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Film").field("file_name", &self.file_name).finish_non_exhaustive()
    }
}

/// No byte could be had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct OriginError {
    /// What went wrong; the caller maps it to a status clip.
    pub kind: OriginErrorKind,
    /// One sentence for the log, free of URLs and keys.
    pub message: String,
    /// What the origin answered, where it did and that was the reason.
    pub status: Option<u16>,
    /// When to come again, in the origin's own words, where it was asked too often or is away (RFC 9110 §10.2.3).
    pub retry_after: Option<HeaderValue>,
}

/// The kinds of [`OriginError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginErrorKind {
    /// The store gave no link.
    #[error("the store gave no link ({0})")]
    Store(StoreErrorKind),
    /// The link, and the fresh one after it, answered with something that is not the film.
    #[error("the link does not work")]
    LinkBroken,
    /// The origin could not be reached, or did not answer in time.
    #[error("the origin could not be reached")]
    Unreachable,
    /// The viewer may not have it any more.
    #[error("refused ({code})")]
    Refused {
        /// The code of the refusal.
        code: &'static str,
    },
    /// The playback was cut while the origin was being asked.
    #[error("the playback was cut")]
    Cut,
}

impl OriginError {
    /// An error of this kind with its sentence.
    #[must_use]
    pub fn new(kind: OriginErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), status: None, retry_after: None }
    }

    pub(crate) fn cut() -> Self {
        Self::new(OriginErrorKind::Cut, "it ended before the first byte")
    }

    /// Whether asking again within this response is pointless.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.kind, OriginErrorKind::Refused { .. } | OriginErrorKind::Cut)
    }
}

impl From<StoreError> for OriginError {
    fn from(error: StoreError) -> Self {
        Self::new(OriginErrorKind::Store(error.kind), error.message)
    }
}
