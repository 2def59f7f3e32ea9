//! The change feed of the remote control plane: one node's socket until it ends; the caller comes back for the next.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chill_core::{Change, ControlError, Epoch, Feed, FeedItem};
use futures_util::stream::try_unfold;
use tokio::time::{Instant, sleep, timeout_at};

use super::Remote;
use super::socket::{NoSocket, Socket, gone};
use crate::wire::frame::Frame;

/// A control plane that has no events socket is asked for one this often.
const FEEDLESS: Duration = Duration::from_secs(30);

enum Follower {
    Wanted(Option<Epoch>),
    /// Everything must be forgotten before what the socket tells.
    Anew(Box<Socket>, Epoch),
    Open(Box<Socket>),
}

/// Changes after `since`; the stream ends with its first error.
pub(super) fn changes(remote: Arc<Remote>, since: Option<Epoch>) -> Feed {
    Box::pin(try_unfold(Follower::Wanted(since), move |follower| {
        let remote = Arc::clone(&remote);
        async move {
            let mut socket = match follower {
                Follower::Open(socket) => socket,
                Follower::Anew(socket, epoch) => {
                    return Ok(Some((FeedItem::Change(Change::everything(epoch)), Follower::Open(socket))));
                }
                Follower::Wanted(since) => {
                    let (socket, epoch) = connect(&remote, since).await?;
                    // Epochs that begin anew, or nothing to resume from: all that was kept is to be forgotten.
                    let anew = since.is_none_or(|since| epoch < since);
                    let follower = if anew { Follower::Anew(socket, epoch) } else { Follower::Open(socket) };
                    return Ok(Some((FeedItem::Connected { epoch }, follower)));
                }
            };
            let frame = socket.next().await.inspect_err(|_| remote.nodes.failed(socket.node()))?;
            let change = frame.as_ref().map(Frame::change).transpose();
            let change = change.map_err(|_| gone(socket.node(), "a change of the feed cannot be read"))?;
            // A frame that tells of no change is a sign of life, as a pong is.
            let item = change.flatten().map_or(FeedItem::Alive, FeedItem::Change);
            Ok(Some((item, Follower::Open(socket))))
        }
    }))
}

/// The socket of the first node that has one, and the epoch it greets with.
async fn connect(remote: &Remote, since: Option<Epoch>) -> Result<(Box<Socket>, Epoch), ControlError> {
    let end = Instant::now() + remote.deadlines.call;
    let turn = remote.nodes.in_turn();
    let mut left = u32::try_from(turn.len()).unwrap_or(u32::MAX);
    let (mut problem, mut feedless) = (None, false);
    for node in turn {
        let now = Instant::now();
        let share = now + end.saturating_duration_since(now) / left.max(1);
        left = left.saturating_sub(1);
        match Socket::open(&remote.calls, &node, since, &remote.chance, remote.deadlines, share).await {
            Ok(mut socket) => match timeout_at(share, greeting(&mut socket)).await {
                Ok(Ok(epoch)) => {
                    remote.feedless.store(false, Ordering::Relaxed);
                    return Ok((Box::new(socket), epoch));
                }
                Ok(Err(error)) => problem = Some(error),
                Err(_) => problem = Some(gone(&node, "its events socket does not greet")),
            },
            Err(NoSocket::Feedless) => feedless = true,
            Err(NoSocket::Elsewhere(error)) => problem = Some(error),
        }
        remote.nodes.failed(&node);
    }
    match problem {
        Some(error) => Err(error),
        None => {
            debug_assert!(feedless, "every node was asked");
            // Known already: asking again and again would only fill two logs.
            if remote.feedless.swap(true, Ordering::Relaxed) {
                sleep(FEEDLESS).await;
            }
            Err(ControlError::unavailable("it has no events socket, so leases live for 5 s at most"))
        }
    }
}

async fn greeting(socket: &mut Socket) -> Result<Epoch, ControlError> {
    loop {
        match socket.next().await? {
            Some(Frame::Hello { epoch }) => return Ok(epoch),
            Some(Frame::Unknown) | None => {}
            Some(Frame::Change { .. } | Frame::Gap { .. }) => {
                return Err(gone(socket.node(), "its events socket does not greet"));
            }
        }
    }
}
