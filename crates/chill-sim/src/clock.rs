//! The simulated time every expiry, rate window, cooldown and download progress is counted on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Locks state whose holder may have panicked: a simulator goes on serving what it has.
pub(crate) fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that starts at the wall clock, runs by itself, and can be moved forward, set, frozen and resumed.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<Mutex<Reading>>);

#[derive(Debug)]
struct Reading {
    base_ms: i64,
    running_since: Option<Instant>,
}

impl Reading {
    fn now(&self) -> i64 {
        self.base_ms + self.running_since.map_or(0, |since| millis(since.elapsed()))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl SimClock {
    /// Starts at the machine's time, because clients compare some dates (premium until) with their own.
    #[expect(clippy::disallowed_methods, reason = "other people's machines have a wall clock of their own")]
    pub(crate) fn start() -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(Arc::new(Mutex::new(Reading { base_ms: millis(since_epoch), running_since: Some(Instant::now()) })))
    }

    /// Simulated time in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        lock(&self.0).now()
    }

    /// Moves simulated time forward at once.
    pub fn advance(&self, by: Duration) {
        lock(&self.0).base_ms += millis(by);
    }

    /// Sets simulated time; a running clock runs on from there.
    pub fn set_ms(&self, epoch_ms: i64) {
        let mut reading = lock(&self.0);
        reading.base_ms = epoch_ms;
        reading.running_since = reading.running_since.map(|_| Instant::now());
    }

    /// Stops simulated time until [`SimClock::resume`]; `advance` still moves it.
    pub fn freeze(&self) {
        let mut reading = lock(&self.0);
        reading.base_ms = reading.now();
        reading.running_since = None;
    }

    /// Lets simulated time run again.
    pub fn resume(&self) {
        let mut reading = lock(&self.0);
        reading.running_since.get_or_insert_with(Instant::now);
    }
}

struct Civil {
    year: i64,
    month: usize,
    day: i64,
    weekday: usize,
    second_of_day: i64,
}

/// Days to calendar date in the proleptic Gregorian calendar, by counting in 400-year eras from 1 March 0000.
fn civil(epoch_ms: i64) -> Civil {
    let seconds = epoch_ms.div_euclid(1000);
    let days = seconds.div_euclid(86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month: usize::try_from(month).unwrap_or(1),
        day,
        weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
        second_of_day: seconds.rem_euclid(86_400),
    }
}

/// `2026-05-04T10:11:12Z` (RFC 3339).
pub(crate) fn rfc3339(epoch_ms: i64) -> String {
    let Civil { year, month, day, second_of_day: s, .. } = civil(epoch_ms);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", s / 3600, s / 60 % 60, s % 60)
}

/// `Mon, 04 May 2026 10:11:12` and the zone as given: `GMT` for HTTP (RFC 9110 §5.6.7), `+0000` for RSS (RFC 822).
pub(crate) fn internet_date(epoch_ms: i64, zone: &str) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Civil { year, month, day, weekday, second_of_day: s } = civil(epoch_ms);
    let (weekday, month) = (DAYS[weekday % 7], MONTHS[(month + 11) % 12]);
    format!("{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} {zone}", s / 3600, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_827_696_000), "2000-02-29T12:34:56Z");
        assert_eq!(internet_date(784_111_777_000, "GMT"), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[tokio::test]
    async fn a_frozen_clock_moves_only_when_told() {
        let clock = SimClock::start();
        clock.freeze();
        let before = clock.now_ms();
        clock.advance(Duration::from_secs(600));
        assert_eq!(clock.now_ms(), before + 600_000);
        clock.set_ms(5);
        assert_eq!(clock.now_ms(), 5);
    }
}
