//! What is said at most once a minute, however often it happens.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chill_core::Clock;
use chill_core::clock::millis;

const PAUSE: Duration = Duration::from_secs(60);

/// When it was said last.
pub(super) struct Complaint {
    clock: Clock,
    last: AtomicI64,
}

impl Complaint {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, last: AtomicI64::new(i64::MIN) }
    }

    /// Whether it is time to say it again; true for one caller a minute.
    pub(super) fn due(&self) -> bool {
        let (now, last) = (self.clock.now(), self.last.load(Ordering::Relaxed));
        let due = now.saturating_sub(last) >= millis(PAUSE);
        due && self.last.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute() {
        let clock = Clock::fixed(1_000);
        let complaint = Complaint::new(clock.clone());
        assert!(complaint.due());
        assert!(!complaint.due());
        clock.advance(Duration::from_secs(59));
        assert!(!complaint.due());
        clock.advance(Duration::from_secs(1));
        assert!(complaint.due());
    }
}
