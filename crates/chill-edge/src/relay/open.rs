//! From a player's request to an origin's answer: the link at hand, and a fresh one when that fails.

use bytes::Bytes;
use chill_core::{Secret, StoreErrorKind};
use http::{Method, StatusCode};

use super::answer::{Answer, Shape, Unfit};
use super::ask::Ask;
use super::forward::forward;
use super::upstream::{Failure, Upstream};
use super::{DESTINATION_REFUSED, Film, Link, Origin, OriginError, OriginErrorKind};

/// How far into a body the relay reads to get to the range an origin would not send by itself. Further in, the player
/// gets the whole film as a 200, and decides.
const FORWARD: u64 = 1024 * 1024;

/// An origin that has begun to answer.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) answer: Answer,
    /// First bytes of the film, read already.
    pub(super) ready: Bytes,
    /// The link that worked.
    pub(super) link: Link,
}

/// Why one attempt brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Setback {
    /// No response head.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A response that is not the film.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl From<Setback> for OriginError {
    fn from(setback: Setback) -> Self {
        let kind = match setback {
            Setback::Failure(Failure::Connect | Failure::Timeout | Failure::Broken | Failure::Busy) => {
                OriginErrorKind::Unreachable
            }
            Setback::Failure(Failure::Refused) => OriginErrorKind::Refused { code: DESTINATION_REFUSED },
            Setback::Failure(Failure::BadLink | Failure::Redirects) | Setback::Unfit(_) => OriginErrorKind::LinkBroken,
        };
        let status = match setback {
            Setback::Unfit(Unfit::Status(status)) => Some(status),
            Setback::Unfit(_) | Setback::Failure(_) => None,
        };
        Self { status, ..Self::new(kind, setback.to_string()) }
    }
}

/// Asks the origin; once more, with a fresh link, when the first one fails; and with a second fresh one, where that may
/// lead elsewhere.
pub(super) async fn open(upstream: &Upstream, ask: &Ask, film: &Film) -> Result<Opened, OriginError> {
    let fresh_links = if !film.origin.renews() { 0 } else { 1 + u8::from(film.origin.falls_back()) };
    let mut link = linked(upstream, &*film.origin, false).await?;
    for left in (0..=fresh_links).rev() {
        match opened(upstream, ask, &*film.origin, &link.url).await {
            Ok((answer, ready)) => return Ok(Opened { answer, ready, link }),
            // A fresh link leads to the same origin.
            Err(setback) if left == 0 || setback == Failure::Busy.into() => return Err(setback.into()),
            Err(setback) => tracing::info!(%setback, "the link failed; asking the store for a fresh one"),
        }
        link = linked(upstream, &*film.origin, true).await?;
    }
    Err(OriginError::new(OriginErrorKind::LinkBroken, "no link worked"))
}

/// A link from the store, or an error within bounded time.
pub(super) async fn linked(upstream: &Upstream, origin: &dyn Origin, fresh: bool) -> Result<Link, OriginError> {
    let late = |_| OriginError::new(OriginErrorKind::Store(StoreErrorKind::Timeout), "no link in time");
    tokio::time::timeout(upstream.config.link_timeout, origin.link(fresh)).await.map_err(late)?
}

async fn opened(
    upstream: &Upstream,
    ask: &Ask,
    origin: &dyn Origin,
    link: &Secret,
) -> Result<(Answer, Bytes), Setback> {
    let mut answer = match fetch(upstream, ask, origin, link).await {
        // HEAD is optional for some CDNs, and some links are signed for GET alone; the head of a GET says the same.
        Err(Setback::Unfit(Unfit::Status(403 | 405 | 501))) if ask.method == Method::HEAD => {
            fetch(upstream, &ask.as_get(), origin, link).await?
        }
        // An origin that sees the range but not its condition would have the player join two versions.
        Ok(answer) if !meets(ask, &answer) => {
            // Its connection may be the only one that the origin allows.
            drop(answer);
            fetch(upstream, &ask.whole(), origin, link).await?
        }
        other => other?,
    };
    let Some(skip) = narrowed(ask, &mut answer) else { return Ok((answer, Bytes::new())) };
    if ask.method == Method::HEAD {
        return Ok((answer, Bytes::new()));
    }
    let skipping = forward(&mut answer.body, skip, upstream.config.stall_timeout, |_| true);
    let ready = tokio::time::timeout(upstream.config.head_timeout, skipping).await.map_err(|_| Failure::Timeout)?;
    Ok((answer, ready.ok_or(Failure::Broken)?))
}

/// Whether a part is of the version that the player has the rest of.
fn meets(ask: &Ask, answer: &Answer) -> bool {
    let is_part = matches!(answer.shape, Shape::Part(_));
    ask.if_range.as_ref().is_none_or(|if_range| !is_part || answer.validator.meets(if_range))
}

/// Sends the request, and again when the connection broke: a kept-alive one may have been closed under it.
pub(super) async fn fetch(
    upstream: &Upstream,
    ask: &Ask,
    origin: &dyn Origin,
    link: &Secret,
) -> Result<Answer, Setback> {
    let mut headers = ask.upstream_headers(upstream.config.user_agent);
    headers.extend(origin.request_headers());
    let mut response = upstream.send(&ask.method, link, &headers).await;
    if matches!(response, Err(Failure::Broken)) {
        response = upstream.send(&ask.method, link, &headers).await;
    }
    Ok(Answer::judge(ask, response?)?)
}

/// Turns the whole film, sent by an origin that ignores ranges, into the part asked for: when that begins early, or when
/// only its head is wanted. Gives how many bytes come before it.
fn narrowed(ask: &Ask, answer: &mut Answer) -> Option<u64> {
    let Shape::Whole { length: Some(length) } = answer.shape else { return None };
    // With If-Range the whole film is the right answer: the player's part is of another version.
    let range = ask.range.filter(|_| ask.if_range.is_none())?;
    let span = range.resolve(length);
    if ask.method == Method::HEAD && answer.takes_ranges {
        // An origin need not look at the range of a HEAD (§14.2), but would at that of the GET it is asked for.
        answer.shape = span.map_or(Shape::Unsatisfiable { length: Some(length) }, Shape::Part);
        return Some(0);
    }
    let span = span.filter(|span| span.first <= FORWARD)?;
    answer.shape = Shape::Part(span);
    Some(span.first)
}

impl Shape {
    /// The status a viewer gets.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Whole { .. } => StatusCode::OK,
            Self::Part(_) => StatusCode::PARTIAL_CONTENT,
            Self::Unsatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        }
    }
}
