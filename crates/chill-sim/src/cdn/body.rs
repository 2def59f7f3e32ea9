//! The bytes of an answer, made as they are sent, and the ways they can fail to arrive.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use tokio::time::Instant;

use crate::calls::Entry;
use crate::content::{PIECE, content_bytes};
use crate::serve::Connection;

/// How a body is sent.
pub(super) struct Sending {
    pub(super) seed: u64,
    pub(super) at: u64,
    pub(super) end: u64,
    pub(super) bytes_per_s: Option<u64>,
    pub(super) cut_at: Option<u64>,
    pub(super) stall_at: Option<u64>,
    pub(super) entry: Arc<Entry>,
    pub(super) connection: Option<Arc<Connection>>,
    /// Held, not read: dropping the body counts it out.
    pub(super) _open: Open,
}

/// Counts a body as open until it is dropped.
pub(super) struct Open(Arc<AtomicU64>);

impl Open {
    pub(super) fn counted(open: &Arc<AtomicU64>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Progress {
    sending: Sending,
    sent: u64,
    started: Instant,
}

pub(super) fn body(sending: Sending) -> Body {
    let progress = Progress { sending, sent: 0, started: Instant::now() };
    Body::from_stream(stream::unfold(progress, next_piece))
}

async fn next_piece(mut progress: Progress) -> Option<(io::Result<Bytes>, Progress)> {
    let Progress { sending, sent, started } = &mut progress;
    let left = sending.end - sending.at;
    let mut len = left.min(PIECE as u64);
    if let Some(bytes_per_s) = sending.bytes_per_s {
        len = len.min((bytes_per_s / 20).max(1));
        let due = Duration::from_micros(sent.saturating_mul(1_000_000) / bytes_per_s.max(1));
        tokio::time::sleep_until(*started + due).await;
    }
    for limit in [sending.cut_at, sending.stall_at].into_iter().flatten() {
        len = len.min(limit.saturating_sub(*sent));
    }
    if left > 0 && len == 0 {
        if sending.cut_at == Some(*sent)
            && let Some(connection) = &sending.connection
        {
            connection.flushed().await;
            connection.close();
        }
        return std::future::pending().await;
    }
    if left == 0 {
        return None;
    }
    let piece = content_bytes(sending.seed, sending.at, usize::try_from(len).unwrap_or(PIECE));
    sending.at += len;
    *sent += len;
    sending.entry.bytes_sent.store(*sent, Ordering::Relaxed);
    Some((Ok(Bytes::from(piece)), progress))
}
