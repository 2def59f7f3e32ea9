//! How long a link is good for, as its maker writes it.

use chill_core::Millis;

/// Not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidExpiry;

const NANOS_PER_MILLI: i128 = 1_000_000;
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The second, since the epoch, at which a link made `now` ends; none when it never does. `text` is a duration as the Go
/// package `time` writes them (`90s`, `1h30m`), of seconds where it ends in a digit; empty or zero is no expiry; a
/// negative one has passed.
pub(super) fn expires_at(text: &str, now: Millis) -> Result<Option<i64>, InvalidExpiry> {
    if text.is_empty() {
        return Ok(None);
    }
    let seconds = if text.ends_with(|last: char| last.is_ascii_digit()) { "s" } else { "" };
    let span = nanos(&format!("{text}{seconds}"))?;
    if span == 0 {
        return Ok(None);
    }
    let at = (i128::from(now) * NANOS_PER_MILLI + span).div_euclid(NANOS_PER_SECOND);
    i64::try_from(at).map(Some).map_err(|_| InvalidExpiry)
}

/// A sum of numbers with units, such as `-1h1.5s`, in nanoseconds; within 292 years.
fn nanos(text: &str) -> Result<i128, InvalidExpiry> {
    let (sign, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    if rest.is_empty() {
        return Err(InvalidExpiry);
    }
    let mut sum = 0_i128;
    while !rest.is_empty() {
        let (term, after) = term(rest)?;
        sum += term;
        if sum > i128::from(i64::MAX) {
            return Err(InvalidExpiry);
        }
        rest = after;
    }
    Ok(sign * sum)
}

/// The first number with its unit, and what comes after it.
fn term(text: &str) -> Result<(i128, &str), InvalidExpiry> {
    let number = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(InvalidExpiry)?;
    let (number, rest) = text.split_at(number);
    let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, after) = rest.split_at(unit);
    let scale = scale(unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(InvalidExpiry);
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().map_err(|_| InvalidExpiry)? };
    let mut sum = i128::from(whole) * scale;
    let mut place = scale;
    for digit in fraction.bytes() {
        place /= 10;
        sum += i128::from(digit - b'0') * place;
    }
    Ok((sum, after))
}

fn scale(unit: &str) -> Result<i128, InvalidExpiry> {
    match unit {
        "ns" => Ok(1),
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(1_000),
        "ms" => Ok(NANOS_PER_MILLI),
        "s" => Ok(NANOS_PER_SECOND),
        "m" => Ok(60 * NANOS_PER_SECOND),
        "h" => Ok(3_600 * NANOS_PER_SECOND),
        _ => Err(InvalidExpiry),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = 1_700_000_000_900;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, ends) in [
            ("", None),
            ("0", None),
            ("0s", None),
            ("0h0m", None),
            ("-0", None),
            ("60", Some(1_700_000_060)),
            ("90s", Some(1_700_000_090)),
            ("1h30m", Some(1_700_005_400)),
            ("1h30", Some(1_700_003_630)),
            ("1.5h", Some(1_700_005_400)),
            (".5m", Some(1_700_000_030)),
            ("5.s", Some(1_700_000_005)),
            ("+5s", Some(1_700_000_005)),
            ("100ms", Some(1_700_000_001)),
            ("1us1\u{b5}s1ns", Some(1_700_000_000)),
            ("-1s", Some(1_699_999_999)),
            ("-1h", Some(1_699_996_400)),
        ] {
            assert_eq!(expires_at(text, NOW), Ok(ends), "{text}");
        }
        for wrong in [
            "1d",
            "h",
            "s",
            ".",
            ".s",
            "1.2.3s",
            "1 h",
            "1h ",
            "-",
            "+",
            "--1s",
            "3000000h",
            "99999999999999999999s",
            "1H",
            "NaN",
            "1e3s",
        ] {
            assert_eq!(expires_at(wrong, NOW), Err(InvalidExpiry), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[-+0-9.a-zµ ]{0,24}|.{0,20}", now in 0..4_102_444_800_000_i64) {
            if let Ok(Some(ends)) = expires_at(&text, now) {
                prop_assert!((ends - now / 1_000).abs() <= i64::MAX / 1_000_000_000 + 1);
            }
        }
    }
}
