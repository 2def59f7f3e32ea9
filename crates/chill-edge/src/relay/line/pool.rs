//! Connections that wait for their next request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use super::super::sockets::Place;
use super::Line;

/// The waiting connections of all origins.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Duration,
    most: usize,
    waiting: Mutex<Waiting>,
    returned: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Those that came last are taken first, so that the others may grow old.
    lines: HashMap<Place, Vec<(Box<Line>, Instant)>>,
    /// Whether a task looks after them.
    tended: bool,
}

impl Pool {
    pub(super) fn new(idle: Duration, most: usize) -> Self {
        Self { idle, most, waiting: Mutex::default(), returned: Notify::new() }
    }

    /// A connection on which nothing has happened since its last answer.
    pub(super) fn take(&self, place: &Place) -> Option<Line> {
        let mut waiting = self.lock();
        let lines = waiting.lines.get_mut(place)?;
        while let Some((line, since)) = lines.pop() {
            if since.elapsed() < self.idle && line.is_quiet() {
                return Some(*line);
            }
        }
        None
    }

    /// Resolves when a connection is kept, from now on.
    pub(super) fn returned(&self) -> Notified<'_> {
        self.returned.notified()
    }

    /// Keeps a connection, while there are not too many already.
    pub(super) fn put(self: &Arc<Self>, place: Place, line: Box<Line>) {
        let mut waiting = self.lock();
        let lines = waiting.lines.entry(place).or_default();
        if lines.len() < self.most {
            lines.push((line, Instant::now()));
        }
        if !waiting.tended {
            waiting.tended = true;
            tokio::spawn(tend(Arc::downgrade(self), self.idle));
        }
        drop(waiting);
        self.returned.notify_waiters();
    }

    /// Closes what has waited too long; whether any still waits.
    fn close_old(&self) -> bool {
        let mut waiting = self.lock();
        waiting.lines.retain(|_, lines| {
            lines.retain(|(_, since)| since.elapsed() < self.idle);
            !lines.is_empty()
        });
        waiting.tended = !waiting.lines.is_empty();
        waiting.tended
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends with the pool, or with its last connection.
async fn tend(pool: std::sync::Weak<Pool>, idle: Duration) {
    loop {
        tokio::time::sleep(idle / 4).await;
        if !pool.upgrade().is_some_and(|pool| pool.close_old()) {
            return;
        }
    }
}
