//! The byte path: an origin's body on its way to a viewer's connection.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::OpenRequest;
use super::bypass::{Bypass, is_stand_in};
use super::fingerprint::{Coming, Fingerprint};
use super::line::OriginBody;
use super::outlet::Outlet;
use super::patience::Patience;
use super::resume::{GaveUp, Rest, Resumed, WayBack};
use super::unsent::LEAST;

/// Bytes after which earlier attempts to go on are forgotten. Less is no progress: an origin that breaks after every
/// few bytes would be asked millions of times.
const PROGRESS: u64 = 64 * 1024;

/// Why a body ended before its length; hyper closes the connection on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrokenOff {
    #[error("the playback was cut")]
    Cut,
    #[error("the origin broke off and could not go on")]
    Origin,
    #[error("the player took no byte for too long")]
    Player,
}

/// Exactly the promised bytes, or an error. Holds no byte longer than until the connection takes it.
pub(super) struct RelayBody {
    state: State,
    /// Bytes that were read before the connection asked.
    ready: Bytes,
    /// The next byte of the film to hand over, and the one after the last; `u64::MAX` when the length is not known.
    owed: Range<u64>,
    /// None when the length is not known.
    way: Option<WayBack>,
    sent: Option<Fingerprint>,
    tries: u32,
    resumed_at: u64,
    /// A player that does not take its bytes is not the origin's fault and does not wear this out: nothing is asked for
    /// meanwhile.
    stall: Patience,
    /// What the player takes, and when; read no faster.
    outlet: Outlet,
    /// Wears out while the player has no room.
    unread: Option<Patience>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    /// When another link has taken the place of the one at hand.
    replaced: Pin<Box<WaitForCancellationFutureOwned>>,
    open: Option<OpenRequest>,
}

enum State {
    Flowing(OriginBody),
    Resuming(Pin<Box<dyn Future<Output = Result<Resumed, GaveUp>> + Send>>),
    /// Nothing more will come; what was handed over may leave first, since an error makes hyper forget it.
    GivenUp,
    Over,
}

/// What a body keeps to, beside its bytes.
pub(super) struct Terms {
    /// How long the origin may send nothing.
    pub(super) stall: Duration,
    /// How fast, and how long, the player may read.
    pub(super) outlet: Outlet,
    /// When another link has taken the place of its own.
    pub(super) replaced: CancellationToken,
    /// When it must end.
    pub(super) cut: CancellationToken,
}

impl RelayBody {
    pub(super) fn new(
        body: OriginBody,
        ready: Bytes,
        owed: Range<u64>,
        way: Option<WayBack>,
        terms: Terms,
        mut open: OpenRequest,
    ) -> Self {
        // It has its head; what it wants of the bytes it has not shown.
        open.set_hungry(false);
        let Terms { stall, outlet, replaced, cut } = terms;
        let sent = way.as_ref().map(|_| Fingerprint::default());
        Self {
            state: State::Flowing(body),
            ready,
            resumed_at: owed.start,
            owed,
            way,
            sent,
            tries: 0,
            stall: Patience::new(stall),
            outlet,
            unread: None,
            cut: Box::pin(cut.cancelled_owned()),
            replaced: Box::pin(replaced.cancelled_owned()),
            open: Some(open),
        }
    }

    /// Takes a piece from the origin; gives the part of it that is owed.
    fn hand_over(&mut self, mut data: Bytes) -> Frame<Bytes> {
        self.stall.renew();
        let left = self.owed.end - self.owed.start;
        data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.owed.start += data.len() as u64;
        match &mut self.sent {
            Some(sent) if is_stand_in(&data) => sent.pass(data.len()),
            Some(sent) => sent.add(&data),
            None => {}
        }
        if let Some(open) = &self.open {
            open.count(data.len() as u64);
        }
        if self.owed.is_empty() {
            self.close();
        }
        Frame::data(data)
    }

    /// All was handed over.
    fn close(&mut self) {
        self.outlet.close();
        self.finish();
    }

    /// Ends the request as soon as nothing is owed, without waiting for the connection to drop the body.
    fn finish(&mut self) {
        self.state = State::Over;
        self.way = None;
        self.open = None;
    }

    fn fail(&mut self, why: BrokenOff) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match why {
            BrokenOff::Origin => metrics::counter!("chillproxy_relay_broken_total").increment(1),
            // What the kernel still holds is not for this player any more.
            BrokenOff::Cut | BrokenOff::Player => self.outlet.reset(),
        }
        if self.way.is_none() {
            // A player of HTTP/1.0 would take the connection's end for the film's.
            self.outlet.reset();
        }
        self.finish();
        Poll::Ready(Some(Err(why)))
    }

    /// Fails when asked the next time.
    fn give_up(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.state = State::GivenUp;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Begins to go on after a break; false when there is no way back.
    fn begin_resuming(&mut self) -> bool {
        self.stall.renew();
        self.unread = None;
        let Some(way) = &self.way else { return false };
        if self.owed.start - self.resumed_at >= PROGRESS {
            self.tries = 0;
        }
        let sent = self.sent.clone().unwrap_or_default();
        let rest = Rest { next: self.owed.start, last: self.owed.end - 1, sent, tries: self.tries };
        self.state = State::Resuming(Box::pin(way.clone().resume(rest)));
        true
    }

    fn go_on(&mut self, resumed: Resumed) {
        self.state = State::Flowing(resumed.body);
        self.ready = resumed.ready;
        self.tries = resumed.tries;
        self.resumed_at = self.owed.start;
        self.replaced.set(resumed.link.replaced.clone().cancelled_owned());
        if let Some(way) = &mut self.way {
            way.link = resumed.link;
        }
    }
}

/// One look at the origin.
enum Flow {
    Data(Bytes),
    /// The origin ended by itself; right only when the length was not known.
    End,
    Broke,
}

/// What a body may take from its origin next.
struct Wanted<'a> {
    /// At most so many bytes.
    room: usize,
    /// Which of them must be read; none when nothing is kept for a comparison.
    coming: Option<Coming>,
    /// The way of the others.
    bypass: Option<&'a Bypass>,
}

fn poll_origin(body: &mut OriginBody, wanted: &Wanted<'_>, stall: &mut Patience, cx: &mut Context<'_>) -> Poll<Flow> {
    match poll_next(body, wanted, cx) {
        Poll::Ready(Some(Ok(data))) => Poll::Ready(Flow::Data(data)),
        Poll::Ready(Some(Err(_))) => Poll::Ready(Flow::Broke),
        Poll::Ready(None) => Poll::Ready(Flow::End),
        Poll::Pending => stall.poll_over(cx).map(|()| Flow::Broke),
    }
}

fn poll_next(body: &mut OriginBody, wanted: &Wanted<'_>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
    let room = match (wanted.bypass, wanted.coming) {
        (Some(bypass), Some(Coming::Unread(most))) if most >= LEAST => {
            if let Some(passed) = body.poll_pass(cx, bypass, wanted.room.min(most)) {
                return passed.map(Some);
            }
            wanted.room
        }
        // No further, so that the next ones need not be read.
        (Some(_), Some(Coming::Read(most))) if body.may_pass() => wanted.room.min(most),
        _ => wanted.room,
    };
    body.poll_data(cx, room)
}

/// Waits until the player has room, but not for ever.
fn poll_room(outlet: &Outlet, unread: &mut Option<Patience>, cx: &mut Context<'_>) -> Poll<Result<usize, BrokenOff>> {
    match (outlet.poll_room(cx), outlet.idle()) {
        (Poll::Ready(room), _) => {
            *unread = None;
            Poll::Ready(Ok(room))
        }
        (Poll::Pending, Some(idle)) => {
            std::task::ready!(unread.get_or_insert_with(|| Patience::new(idle)).poll_over(cx));
            Poll::Ready(Err(BrokenOff::Player))
        }
        (Poll::Pending, None) => Poll::Pending,
    }
}

impl Body for RelayBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = self.get_mut();
        let frame = this.poll_owed(cx);
        let player_waits = frame.is_pending() && this.unread.is_none();
        if let Some(open) = &mut this.open {
            open.set_hungry(player_waits);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        // A body that failed is not at its end, however little is owed.
        self.owed.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.way {
            Some(_) => SizeHint::with_exact(self.owed.end - self.owed.start),
            None if self.owed.is_empty() => SizeHint::with_exact(0),
            None => SizeHint::default(),
        }
    }
}

impl RelayBody {
    /// As [`Body::poll_frame`].
    fn poll_owed(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        loop {
            if matches!(self.state, State::Over) {
                return Poll::Ready(None);
            }
            if self.cut.as_mut().poll(cx).is_ready() {
                return self.fail(BrokenOff::Cut);
            }
            if matches!(self.state, State::Flowing(_)) && self.replaced.as_mut().poll(cx).is_ready() {
                // Bytes of the old link that are still here come again by the new one.
                self.ready.clear();
                if !self.begin_resuming() {
                    return self.give_up(cx);
                }
            }
            if !self.ready.is_empty() {
                let ready = std::mem::take(&mut self.ready);
                return Poll::Ready(Some(Ok(self.hand_over(ready))));
            }
            match &mut self.state {
                State::Flowing(body) => {
                    // The player's kernel is asked only when there is something for it, or it had no room.
                    if self.unread.is_none() && body.poll_ready(cx).is_pending() {
                        std::task::ready!(self.stall.poll_over(cx));
                    }
                    let room = match poll_room(&self.outlet, &mut self.unread, cx) {
                        Poll::Ready(Ok(room)) => room,
                        Poll::Ready(Err(why)) => return self.fail(why),
                        Poll::Pending => {
                            // Nobody waits for the origin meanwhile.
                            self.stall.renew();
                            return Poll::Pending;
                        }
                    };
                    let left = usize::try_from(self.owed.end - self.owed.start).unwrap_or(usize::MAX);
                    let (coming, bypass) = (self.sent.as_ref().map(Fingerprint::coming), self.outlet.bypass());
                    let wanted = Wanted { room: room.min(left), coming, bypass };
                    match std::task::ready!(poll_origin(body, &wanted, &mut self.stall, cx)) {
                        Flow::Data(data) => return Poll::Ready(Some(Ok(self.hand_over(data)))),
                        Flow::End if self.way.is_none() => self.close(),
                        Flow::End | Flow::Broke if self.begin_resuming() => {}
                        Flow::End | Flow::Broke => return self.give_up(cx),
                    }
                }
                State::Resuming(resuming) => match std::task::ready!(resuming.as_mut().poll(cx)) {
                    Ok(resumed) => self.go_on(resumed),
                    Err(reason) => {
                        tracing::warn!(%reason, "a film ends before its end");
                        return self.give_up(cx);
                    }
                },
                State::GivenUp => return self.fail(BrokenOff::Origin),
                State::Over => {}
            }
        }
    }
}
