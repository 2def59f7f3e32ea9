//! The bytes of an answer, read when somebody wants them.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};

use super::super::bypass::{Bypass, stand_in};
use super::super::sockets::Place;
use super::Line;
use super::framing::Framing;
use super::plain::PlainBody;
use super::pool::Pool;

/// The body of an answer. Its connection goes back to the others at its end, and is closed when it is dropped earlier.
pub(in crate::relay) struct OriginBody {
    line: Option<Box<Line>>,
    framing: Framing,
    /// Where the connection may wait for its next request.
    home: Option<(Arc<Pool>, Place)>,
    /// The whole body, when hyper reads it.
    plain: Option<Box<PlainBody>>,
}

impl std::fmt::Debug for OriginBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OriginBody").field("framing", &self.framing).finish_non_exhaustive()
    }
}

impl OriginBody {
    pub(super) fn new(line: Line, framing: Framing, home: Option<(Arc<Pool>, Place)>) -> Self {
        let mut body = Self { line: Some(Box::new(line)), framing, home, plain: None };
        if body.framing.is_over() {
            body.go_home();
        }
        body
    }

    /// A body that hyper reads.
    pub(super) fn plain(body: PlainBody) -> Self {
        Self { line: None, framing: Framing::UntilClose, home: None, plain: Some(Box::new(body)) }
    }

    /// Waits until [`OriginBody::poll_data`] may have something: cheap, and true at least as often as it should be.
    pub(in crate::relay) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.line.as_ref().map_or(Poll::Ready(()), |line| line.poll_ready(cx))
    }

    /// The next bytes, about `most`; none at the body's end.
    ///
    /// # Errors
    /// When the connection ends or breaks before the body does.
    pub(in crate::relay) fn poll_data(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(plain) = &mut self.plain {
            return plain.poll_data(cx, most);
        }
        loop {
            let Some(line) = &mut self.line else { return Poll::Ready(None) };
            let raw = std::task::ready!(line.poll_raw(cx, self.framing.reach(most).max(1)));
            let mut raw = match raw {
                Ok(raw) if !raw.is_empty() => raw,
                Ok(_) if self.framing == Framing::UntilClose => return Poll::Ready(self.end(None)),
                Ok(_) => return Poll::Ready(self.end(Some(io::ErrorKind::UnexpectedEof))),
                Err(error) => return Poll::Ready(self.end(Some(error.kind()))),
            };
            let Ok(piece) = self.framing.take(&mut raw) else {
                return Poll::Ready(self.end(Some(io::ErrorKind::InvalidData)));
            };
            if !raw.is_empty() {
                line.put_back(raw);
            }
            if self.framing.is_over() {
                self.go_home();
            }
            if !piece.is_empty() {
                return Poll::Ready(Some(Ok(piece)));
            }
        }
    }

    /// The next bytes, at most `most`, past this process; their stand-in is given. None when they must be read.
    ///
    /// # Errors
    /// When the connection ends before the body does.
    pub(in crate::relay) fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        bypass: &Bypass,
        most: usize,
    ) -> Option<Poll<io::Result<Bytes>>> {
        let Framing::Length(left) = self.framing else { return None };
        let most = usize::try_from(left).map_or(most, |left| left.min(most));
        let count = match self.line.as_ref()?.bare()?.poll_pass(cx, bypass, most)? {
            Poll::Ready(count) => count,
            Poll::Pending => return Some(Poll::Pending),
        };
        if count == 0 {
            self.line = None;
            return Some(Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        self.framing.pass(count);
        if self.framing.is_over() {
            self.go_home();
        }
        Some(Poll::Ready(Ok(stand_in(count))))
    }

    /// Whether the next bytes may go past this process.
    pub(in crate::relay) fn may_pass(&self) -> bool {
        matches!(self.framing, Framing::Length(_)) && self.line.as_ref().is_some_and(|line| line.bare().is_some())
    }

    /// The next bytes.
    ///
    /// # Errors
    /// As [`OriginBody::poll_data`].
    pub(in crate::relay) async fn data(&mut self, most: usize) -> Option<io::Result<Bytes>> {
        std::future::poll_fn(|cx| self.poll_data(cx, most)).await
    }

    fn end(&mut self, error: Option<io::ErrorKind>) -> Option<io::Result<Bytes>> {
        self.line = None;
        error.map(|kind| Err(kind.into()))
    }

    /// Nothing of it is left on the connection.
    fn go_home(&mut self) {
        let line = self.line.take();
        if let Some((line, (pool, place))) = line.zip(self.home.take()) {
            pool.put(place, line);
        }
    }
}

impl Drop for OriginBody {
    /// A page beside a refusal is mostly here already, and then the connection serves again.
    fn drop(&mut self) {
        let Some(line) = &mut self.line else { return };
        if let Framing::Length(left) = self.framing
            && let Ok(left) = usize::try_from(left)
            && left <= line.left.len()
        {
            line.left.advance(left);
            self.go_home();
        }
    }
}
