//! Going on where an origin broke off, in the same response.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::answer::Shape;
use super::ask::Ask;
use super::fingerprint::{Fingerprint, OVERLAP};
use super::forward::forward;
use super::line::OriginBody;
use super::open::{Setback, fetch, linked};
use super::upstream::{Failure, Upstream};
use super::validator::{Agreement, Validator};
use super::{Link, Origin};

/// All that is needed to ask for the rest of a film.
#[derive(Clone)]
pub(super) struct WayBack {
    pub(super) upstream: Arc<Upstream>,
    pub(super) origin: Arc<dyn Origin>,
    /// The link that worked last.
    pub(super) link: Link,
    /// Of the answer the viewer was promised.
    pub(super) validator: Validator,
    /// Of the whole film.
    pub(super) length: u64,
}

/// The bytes that are missing.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    /// The first byte the viewer does not have.
    pub(super) next: u64,
    /// The last byte promised, included.
    pub(super) last: u64,
    /// Bytes before `next`, for where the heads do not show that it is the same film.
    pub(super) sent: Fingerprint,
    /// Attempts made since the last progress.
    pub(super) tries: u32,
}

/// An origin that goes on.
#[derive(Debug)]
pub(super) struct Resumed {
    pub(super) body: OriginBody,
    /// First bytes of the rest, read already.
    pub(super) ready: Bytes,
    pub(super) link: Link,
    pub(super) tries: u32,
}

/// Why the response ends as broken.
#[derive(Debug, thiserror::Error)]
pub(super) enum GaveUp {
    /// As often as is sensible.
    #[error("every attempt to go on failed, the last one with: {0}")]
    Tries(Setback),
    /// The origin now has another file.
    #[error("the origin has another version of the film now")]
    Changed,
    /// The viewer may not go on.
    #[error("the playback may not go on")]
    Refused,
}

enum Attempt {
    Failed(Setback),
    /// Another version, by its head; another copy of the film may still have the same bytes.
    Renamed,
    Changed,
}

/// What must agree before an answer goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// The head names the same version.
    Head,
    /// The bytes before the place where it goes on are the same.
    Bytes,
}

impl<E: Into<Setback>> From<E> for Attempt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl WayBack {
    /// Asks for the rest: at once with the link that worked, or with the one at hand where that is to be left; then with fresh
    /// ones every other time, with growing pauses. The first one must name the same version; behind another link the bytes
    /// themselves may show that it is the same.
    pub(super) async fn resume(mut self, mut rest: Rest) -> Result<Resumed, GaveUp> {
        let (mut setback, mut fresh) = (Setback::Failure(Failure::Broken), false);
        let (mut changed, mut leads_elsewhere) = (false, false);
        while rest.tries < self.upstream.config.resumes {
            rest.tries += 1;
            tokio::time::sleep(self.pause(rest.tries)).await;
            let replaced = self.link.replaced.is_cancelled();
            if replaced || (rest.tries.is_multiple_of(2) && setback != Failure::Busy.into()) {
                // Where others have gone on, nothing has failed yet.
                match linked(&self.upstream, &*self.origin, !replaced).await {
                    Ok(link) => {
                        leads_elsewhere |= link.url.expose() != self.link.url.expose();
                        (self.link, fresh) = (link, true);
                    }
                    Err(error) if error.is_final() => return Err(GaveUp::Refused),
                    Err(error) => {
                        tracing::info!(%error, "no fresh link for a film that broke off");
                        continue;
                    }
                }
            }
            if leads_elsewhere && self.is_beyond_proof(&rest) {
                return Err(GaveUp::Changed);
            }
            match self.proven(&rest, fresh).await {
                Ok((body, ready)) => {
                    metrics::counter!("chillproxy_relay_resumes_total").increment(1);
                    return Ok(Resumed { body, ready, link: self.link, tries: rest.tries });
                }
                // The right film may still be behind another link, or another key's.
                Err(Attempt::Changed | Attempt::Renamed) => changed = true,
                Err(Attempt::Failed(why)) => setback = why,
            }
        }
        Err(if changed { GaveUp::Changed } else { GaveUp::Tries(setback) })
    }

    /// Whether nothing can show that another link leads to the same film. Where not a byte was sent, none can be wrong.
    fn is_beyond_proof(&self, rest: &Rest) -> bool {
        !self.validator.is_telling() && (1..OVERLAP).contains(&rest.sent.reach())
    }

    /// One attempt. Another link may lead to another copy of the film, which another server names in its own way.
    async fn proven(&self, rest: &Rest, fresh: bool) -> Result<(OriginBody, Bytes), Attempt> {
        if !self.validator.is_telling() {
            return self.attempt(rest, Proof::Bytes).await;
        }
        match self.attempt(rest, Proof::Head).await {
            Err(Attempt::Renamed) if fresh && rest.sent.reach() >= OVERLAP => self.attempt(rest, Proof::Bytes).await,
            other => other,
        }
    }

    async fn attempt(&self, rest: &Rest, proof: Proof) -> Result<(OriginBody, Bytes), Attempt> {
        let back = if proof == Proof::Bytes { rest.sent.reach() } else { 0 };
        let first = rest.next - back;
        let ask = Ask::rest(first, rest.last).carrying(self.origin.carries());
        let mut answer = fetch(&self.upstream, &ask, &*self.origin, &self.link.url).await?;
        let Shape::Part(span) = answer.shape else { return Err(super::answer::Unfit::OtherRange.into()) };
        if span.length != self.length {
            return Err(Attempt::Changed);
        }
        // An origin may send less than it was asked for (RFC 9110 §15.3.7); what is missing then is asked for next.
        if span.first != first || span.last > rest.last || span.last < rest.next {
            return Err(super::answer::Unfit::OtherRange.into());
        }
        let agreement = self.validator.agreement(&answer.validator);
        // An origin that never named a version is judged by whatever was sent.
        let silent = agreement == Agreement::Unknown && !self.validator.is_telling();
        if agreement != Agreement::Same && !silent && back < OVERLAP {
            return Err(Attempt::Renamed);
        }
        let ready = self.past_known(&mut answer.body, &rest.sent, back).await?;
        Ok((answer.body, ready))
    }

    async fn past_known(&self, body: &mut OriginBody, sent: &Fingerprint, back: u64) -> Result<Bytes, Attempt> {
        let (mut comparison, mut same) = (sent.compare(), true);
        let stall = self.upstream.config.stall_timeout;
        let ready = forward(body, back, stall, |again| {
            same = comparison.add(again);
            same
        });
        // As long as a head may take: the player waits for what comes behind it.
        match tokio::time::timeout(self.upstream.config.head_timeout, ready).await.map_err(|_| Failure::Timeout)? {
            Some(ready) => Ok(ready),
            None if same => Err(Failure::Broken.into()),
            None => Err(Attempt::Changed),
        }
    }

    /// None, a moment, then doubling, with up to half as much again so that streams do not return all at once.
    fn pause(&self, tries: u32) -> Duration {
        let config = &self.upstream.config;
        let base = match tries {
            0 | 1 => return Duration::ZERO,
            2 => config.resume_pause / 5,
            more => config.resume_pause * (1 << (more - 3).min(4)),
        };
        base + Duration::from_micros(config.chance.below(u64::try_from(base.as_micros() / 2).unwrap_or(0)))
    }
}
