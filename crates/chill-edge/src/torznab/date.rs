//! Dates as RSS writes them (RFC 822 with the year in four digits).

use std::time::{Duration, UNIX_EPOCH};

use chill_core::Millis;

/// The last second of the year 9999, which is as far as such dates go.
const LAST: u64 = 253_402_300_799;

/// `Mon, 02 Jan 2006 15:04:05 GMT`.
pub(super) fn rss(at: Millis) -> String {
    let seconds = u64::try_from(at / 1_000).unwrap_or(0).min(LAST);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_feeds_have_them() {
        for (at, text) in [
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_136_214_245_000, "Mon, 02 Jan 2006 15:04:05 GMT"),
            (-5_000, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (Millis::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(rss(at), text, "{at}");
        }
    }
}
