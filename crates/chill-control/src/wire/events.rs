//! `GET /api/v1/internal/pool/events`: the change feed as a WebSocket. `hello`, then changes in order, for ever.
//!
//! A reader that takes nothing, or is silent for three pings, is dropped: what it missed it gets when it comes back with
//! `since`. Nothing waits for it in memory meanwhile.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chill_core::{ControlPlane, Epoch, Feed, FeedItem};
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Api;
use super::answer::Refusal;
use super::frame::Frame;

/// How often the server asks whether the other end is there.
const PING: Duration = Duration::from_secs(15);
/// A reader that says nothing for this long is gone.
const SILENCE: Duration = Duration::from_secs(50);
/// A reader that takes no frame for this long is too slow.
const PATIENCE: Duration = Duration::from_secs(5);
/// Sockets open at once.
pub(super) const MOST_SOCKETS: usize = 1_024;
/// Bytes a reader may say at once; it has nothing to say but pongs.
const MOST_HEARD: usize = 4 * 1_024;
/// Bytes on their way to one reader.
const MOST_WAITING: usize = 256 * 1_024;
/// RFC 6455, section 7.4.1: the server cannot go on.
const TROUBLE: u16 = 1_011;

pub(super) async fn events(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let since = since(query.as_deref())?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let place = Arc::clone(&api.sockets).try_acquire_owned().map_err(|_| Refusal::Unavailable(None))?;
    let upgrade = upgrade.max_message_size(MOST_HEARD).max_frame_size(MOST_HEARD);
    let upgrade = upgrade.write_buffer_size(0).max_write_buffer_size(MOST_WAITING);
    Ok(upgrade.on_upgrade(move |socket| tell(socket, Arc::clone(&api.control), since, place)))
}

/// The last epoch the reader has seen.
fn since(query: Option<&str>) -> Result<Option<Epoch>, Refusal> {
    let wrong = || Refusal::malformed("since", "expected a whole number, 0 or more");
    let mut pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let given = pairs.find(|(name, value)| *name == "since" && !value.is_empty());
    given.map(|(_, value)| value.parse().map_err(|_| wrong())).transpose()
}

/// Tells one reader until he leaves, and holds his place.
async fn tell(
    mut socket: WebSocket,
    control: Arc<dyn ControlPlane>,
    since: Option<Epoch>,
    _place: OwnedSemaphorePermit,
) {
    if let Err(Left::Trouble) = follow(&mut socket, &*control, since).await {
        let close = CloseFrame { code: TROUBLE, reason: "try again soon".into() };
        drop(timeout(PATIENCE, socket.send(Message::Close(Some(close)))).await);
    }
}

/// Why the telling ended.
enum Left {
    /// The reader is gone, or too slow.
    Reader,
    /// The control plane cannot follow its changes now.
    Trouble,
}

async fn follow(socket: &mut WebSocket, control: &dyn ControlPlane, since: Option<Epoch>) -> Result<(), Left> {
    let mut changes = begin(socket, control, since).await?;
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(Ok(FeedItem::Change(change))) => send(socket, &Frame::from(&change)).await?,
                // The socket's own pings and pongs say so.
                Some(Ok(FeedItem::Connected { .. } | FeedItem::Alive)) => {}
                Some(Err(_)) | None => return Err(Left::Trouble),
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Left::Reader),
                Some(Ok(_)) => heard = Instant::now(),
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE {
                    return Err(Left::Reader);
                }
                write(socket, Message::Ping(Bytes::new())).await?;
            }
        }
    }
}

/// Greets with the present epoch; the changes after `since` or else after now follow.
async fn begin(socket: &mut WebSocket, control: &dyn ControlPlane, since: Option<Epoch>) -> Result<Feed, Left> {
    let mut changes = control.watch(since);
    let Ok(Some(Ok(FeedItem::Connected { epoch }))) = timeout(PATIENCE, changes.next()).await else {
        return Err(Left::Trouble);
    };
    send(socket, &Frame::Hello { epoch }).await?;
    if since.is_none() {
        // Whoever did not ask for the past forgets it by himself.
        let everything = timeout(PATIENCE, changes.next()).await;
        everything.ok().flatten().and_then(Result::ok).ok_or(Left::Trouble)?;
    }
    Ok(changes)
}

async fn send(socket: &mut WebSocket, frame: &Frame) -> Result<(), Left> {
    let text = serde_json::to_string(frame).map_err(|_| Left::Trouble)?;
    write(socket, Message::Text(text.into())).await
}

async fn write(socket: &mut WebSocket, message: Message) -> Result<(), Left> {
    match timeout(PATIENCE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Left::Reader),
    }
}
