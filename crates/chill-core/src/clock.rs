//! Time as a parameter: the system's clock in a process, a clock set by hand in a test.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

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

    /// Milliseconds since some moment, for how long something lasts: the machine's time of day may be set, and this neither
    /// goes back nor jumps then.
    #[must_use]
    pub fn steady(&self) -> Millis {
        match self {
            Self::System => millis(START.elapsed()),
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

/// A day since 1970-01-01 as `2026-11-23`, in the proleptic Gregorian calendar (Howard Hinnant, `civil_from_days`).
#[must_use]
pub fn date(day: i64) -> String {
    let z = day + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (month, of_month) =
        (if shifted < 10 { shifted + 3 } else { shifted - 9 }, of_year - (153 * shifted + 2) / 5 + 1);
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{of_month:02}")
}

#[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
fn system_now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (day, text) in [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_780, "2026-11-23")] {
            assert_eq!(date(day), text);
        }
    }

    #[test]
    fn clones_of_a_fixed_clock_move_together() {
        let clock = Clock::fixed(1_000);
        let other = clock.clone();
        clock.advance(Duration::from_secs(2));
        assert_eq!(other.now(), 3_000);
    }
}
