//! Waiting for somebody who may never come: an origin's next byte, or a player to take one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// How long something has been waited for. Costs a timer only from the first wait on, and one timer for all of them.
#[derive(Debug)]
pub(super) struct Patience {
    limit: Duration,
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, since: None, timer: None }
    }

    /// It came: the next wait begins anew.
    pub(super) fn renew(&mut self) {
        self.since = None;
    }

    /// Waits on; ready when it has taken too long.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = *self.since.get_or_insert_with(Instant::now) + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // The timer is not moved at each renewal; when it fires early it is set anew.
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_the_whole_time() {
        let mut patience = Patience::new(Duration::from_secs(10));
        for _ in 0..5 {
            let early = poll_fn(|cx| patience.poll_over(cx));
            assert!(tokio::time::timeout(Duration::from_secs(9), early).await.is_err());
            patience.renew();
        }
        let begun = Instant::now();
        poll_fn(|cx| patience.poll_over(cx)).await;
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}
