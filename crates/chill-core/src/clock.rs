//! Time as a parameter: the system's clock in a process, a clock set by hand in a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// Where the time of day comes from. Cheap to clone; clones of a fixed clock move together.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that only moves when told to.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock standing still at `now`.
    #[must_use]
    pub fn fixed(now: Millis) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(now)))
    }

    /// The time now, in milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> Millis {
        match self {
            Self::System => system_now(),
            Self::Fixed(at) => at.load(Ordering::SeqCst),
        }
    }

    /// Moves a fixed clock forward. The machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Self::Fixed(at) = self {
            at.fetch_add(millis(by), Ordering::SeqCst);
        }
    }
}

/// A duration in whole milliseconds, saturating.
#[must_use]
pub fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
fn system_now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_fixed_clock_move_together() {
        let clock = Clock::fixed(1_000);
        let other = clock.clone();
        clock.advance(Duration::from_secs(2));
        assert_eq!(other.now(), 3_000);
    }
}
