//! The events socket's client end: the upgrade over the same HTTP client, and frames until the other end is silent.

use bytes::Bytes;
use chill_core::{Chance, ControlError, Epoch};
use data_encoding::BASE64;
use futures_util::{SinkExt, StreamExt};
use http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::Deadlines;
use super::call::Calls;
use super::nodes::Node;
use crate::wire::frame::Frame;

const PATH: &str = "/api/v1/internal/pool/events";
/// Bytes of one frame.
const MOST: usize = 64 * 1_024;

/// An open events socket.
pub(super) struct Socket {
    frames: WebSocketStream<TokioIo<Upgraded>>,
    node: Node,
    heard: Instant,
    ping: Interval,
    deadlines: Deadlines,
}

/// Why there is no socket.
pub(super) enum NoSocket {
    /// The node answers, but has none.
    Feedless,
    /// Another node may have one.
    Elsewhere(ControlError),
}

impl Socket {
    /// Opens the socket of one node until `end`.
    pub(super) async fn open(
        calls: &Calls,
        node: &Node,
        since: Option<Epoch>,
        chance: &Chance,
        deadlines: Deadlines,
        end: Instant,
    ) -> Result<Self, NoSocket> {
        let broken = || NoSocket::Elsewhere(gone(node, "the handshake of the events socket failed"));
        let key = BASE64.encode(&chance.bytes::<16>().map_err(|_| broken())?);
        let path = since.map_or_else(|| PATH.to_owned(), |since| format!("{PATH}?since={since}"));
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = node.uri(&path).ok_or_else(broken)?;
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).map_err(|_| broken())?);
        let response = calls.open(node, request, end).await.map_err(NoSocket::Elsewhere)?;
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => {}
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => return Err(NoSocket::Elsewhere(calls.refused(node))),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                let what = format!("its events socket answered with status {}", status.as_u16());
                return Err(NoSocket::Elsewhere(gone(node, &what)));
            }
            _ => return Err(NoSocket::Feedless),
        }
        let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        if accept != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(broken());
        }
        let upgraded = timeout_at(end, hyper::upgrade::on(response)).await;
        let upgraded = upgraded.map_err(|_| broken())?.map_err(|_| broken())?;
        let config = WebSocketConfig::default().max_message_size(Some(MOST)).max_frame_size(Some(MOST));
        let frames = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
        let mut ping = interval(deadlines.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { frames, node: node.clone(), heard: Instant::now(), ping, deadlines })
    }

    /// The node at the other end.
    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// The next frame, or none for another sign of life. Asks meanwhile whether the other end is still there.
    ///
    /// # Errors
    /// When it is not.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, ControlError> {
        loop {
            tokio::select! {
                message = self.frames.next() => {
                    self.heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            return serde_json::from_str(text.as_str())
                                .map(Some)
                                .map_err(|_| gone(&self.node, "a frame of the events socket cannot be read"));
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => {
                            return Err(gone(&self.node, "the events socket was closed"));
                        }
                        Some(Ok(_)) => return Ok(None),
                    }
                }
                () = sleep_until(self.heard + self.deadlines.silence) => return Err(self.silent()),
                _ = self.ping.tick() => self.ask().await?,
            }
        }
    }

    async fn ask(&mut self) -> Result<(), ControlError> {
        let left = self.deadlines.silence.saturating_sub(self.heard.elapsed());
        let sent = timeout(left, self.frames.send(Message::Ping(Bytes::new()))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(gone(&self.node, "the events socket was closed")),
            Err(_) => Err(self.silent()),
        }
    }

    fn silent(&self) -> ControlError {
        gone(&self.node, "the events socket is silent")
    }
}

pub(super) fn gone(node: &Node, what: &str) -> ControlError {
    ControlError::unavailable(format!("{node}: {what}"))
}
