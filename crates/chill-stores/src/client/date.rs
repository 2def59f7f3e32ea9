//! Dates as vendors write them: RFC 3339 in bodies, HTTP dates and seconds in headers.

use std::time::{Duration, UNIX_EPOCH};

use chill_core::{Millis, clock};
use http::HeaderValue;

/// A UTC date and time of RFC 3339, with or without fraction and offset, in milliseconds since the epoch.
pub(crate) fn rfc3339(text: &str) -> Option<Millis> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, offset) = split_offset(time)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut time = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    let milli = format!("{fraction:0<3.3}").parse::<i64>().ok()?;
    in_range.then(|| {
        let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
        seconds * 1000 + milli
    })
}

/// The time without its zone, and the zone's offset in seconds. No zone means UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (time, zone) = time.split_at(at);
    let (hours, minutes) = zone[1..].split_once(':')?;
    let seconds = i64::from(hours.parse::<u8>().ok()?) * 3600 + i64::from(minutes.parse::<u8>().ok()?) * 60;
    Some((time, if zone.starts_with('-') { -seconds } else { seconds }))
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that leap days come last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP date.
pub(crate) fn retry_after(value: &HeaderValue, now: Millis) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Some(wait) = seconds(text) {
        return Some(wait);
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(until(clock::millis(at), now))
}

/// `x-ratelimit-reset` as vendors send it: seconds to wait, or a Unix time with or without fraction.
pub(crate) fn rate_reset(value: &HeaderValue, now: Millis) -> Option<Duration> {
    /// No wait is that long, and no Unix time since 2001 is that small.
    const UNIX_TIME_FROM: u64 = 1_000_000_000;
    let wait = seconds(value.to_str().ok()?.trim())?;
    Some(if wait.as_secs() >= UNIX_TIME_FROM { until(clock::millis(wait), now) } else { wait })
}

/// How long from `now` to `at`; nothing when that is past.
pub(crate) fn until(at: Millis, now: Millis) -> Duration {
    Duration::from_millis(u64::try_from(at.saturating_sub(now)).unwrap_or(0))
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse::<f64>().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_rfc_3339() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696_000),
            ("2000-02-29T12:34:56.25Z", 951_827_696_250),
            ("2000-02-29T14:34:56.123456+02:00", 951_827_696_123),
            ("2000-02-29 12:34:56", 951_827_696_000),
            ("2024-12-31T23:59:60Z", 1_735_689_600_000),
        ] {
            assert_eq!(rfc3339(text), Some(expected), "{text}");
        }
        for text in
            ["", "soon", "2000-02-29", "2000-13-01T00:00:00Z", "99999999999999-01-01T00:00:00Z", "2000-02-29T1:é"]
        {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn headers_that_say_when() {
        let now = 784_111_777_000;
        let wait = |text| retry_after(&HeaderValue::from_static(text), now);
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("-5"), None);
        assert_eq!(wait("soon"), None);
        let reset = |text| rate_reset(&HeaderValue::from_static(text), 1_785_453_000_000);
        assert_eq!(reset("37"), Some(Duration::from_secs(37)));
        assert_eq!(reset("1785453098.5"), Some(Duration::from_millis(98_500)));
        assert_eq!(reset("inf"), None);
    }
}
