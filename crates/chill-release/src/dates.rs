//! Years and broadcast dates.

use crate::lexicon::Word;
use crate::reading::{Claim, Reading};

/// Years that a film can be from.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2032;

/// Reads the date, then the year. Needs the remarks on picture and sound to be claimed.
pub(crate) fn read(r: &mut Reading<'_>) {
    if !r.any_number() {
        return;
    }
    if !(0..r.count()).any(|i| date_at(r, i)) {
        year(r);
    } else {
        bracketed_year(r);
    }
}

fn date_at(r: &mut Reading<'_>, i: usize) -> bool {
    if !r.token(i).digits && !matches!(r.word(i), Word::Month(_)) {
        return false;
    }
    let found = written(r, i).or_else(|| packed(r, i)).or_else(|| numeric(r, i));
    let Some((date, length)) = found else { return false };
    r.out.date = Some(date);
    let start = r.start(i);
    r.claim(i, i + length, Claim::Ends);
    r.dated = r.dated.min(start);
    true
}

fn iso(year: u32, month: u32, day: u32) -> Option<String> {
    let year = match year {
        0..=39 => 2000 + year,
        40..=99 => 1900 + year,
        year => year,
    };
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (YEARS.contains(&year) && (1..=days).contains(&day)).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// `2017.09.13`, `13-09-2017`, `11/21/17`, `18.09.00`.
fn numeric(r: &Reading<'_>, i: usize) -> Option<(String, usize)> {
    let (a, b, c) = (r.number(i)?, r.number(i + 1)?, r.number(i + 2)?);
    let (gap, second) = (r.gap(i + 1), r.gap(i + 2));
    let mark = matches!(gap, [b' ' | b'.' | b'-' | b'/' | b'_']) && gap == second;
    let lengths = (r.token(i).len(), r.token(i + 1).len(), r.token(i + 2).len());
    if !mark
        || r.glued(i)
        || r.glued(i + 3)
        || lengths.1 > 2
        || r.token(i + 3).digits && r.gap(i + 3) == gap && gap == b"-"
    {
        return None;
    }
    let date = match lengths {
        (4, ..) if YEARS.contains(&a) => iso(a, b, c).or_else(|| iso(a, c, b)),
        (1 | 2, _, 4) if YEARS.contains(&c) => iso(c, b, a).or_else(|| iso(c, a, b)),
        (2, 2, 2) if gap != b" " || r.has(i.wrapping_sub(1)) => {
            iso(c, a, b).or_else(|| iso(c, b, a)).or_else(|| iso(a, b, c))
        }
        (1 | 2, 1 | 2, 2) if gap == b"/" => iso(c, a, b).or_else(|| iso(c, b, a)),
        _ => None,
    }?;
    Some((date, 3))
}

/// `4th October 2020`, `16-Feb-17`, `October 4, 2020`.
fn written(r: &Reading<'_>, i: usize) -> Option<(String, usize)> {
    let close = |at: usize| r.has(at) && r.gap(at).len() <= 2;
    if let Word::Month(month) = r.word(i) {
        let day = r.number(i + 1).filter(|_| close(i + 1) && r.token(i + 1).len() <= 2)?;
        let behind = if r.glued(i + 2) && r.word(i + 2) == Word::Ordinal { i + 3 } else { i + 2 };
        let year = r.number(behind).filter(|_| close(behind) && r.token(behind).len() == 4)?;
        return iso(year, u32::from(month), day).map(|date| (date, behind + 1 - i));
    }
    let day = r.number(i).filter(|_| r.token(i).len() <= 2 && !r.glued(i))?;
    let mut at = i + 1;
    if r.word(at) == Word::Ordinal {
        at += 1;
    }
    if r.text(at) == b"of" {
        at += 1;
    }
    let Word::Month(month) = r.word(at) else { return None };
    let year = r.number(at + 1).filter(|_| close(at) && close(at + 1) && matches!(r.token(at + 1).len(), 2 | 4))?;
    if r.token(at + 1).len() == 2 && r.gap(at) != r.gap(at + 1) {
        return None;
    }
    iso(year, u32::from(month), day).map(|date| (date, at + 2 - i))
}

/// `20170913`.
fn packed(r: &Reading<'_>, i: usize) -> Option<(String, usize)> {
    let token = r.token(i);
    if !token.digits || token.used || token.len() != 8 || !r.whole(i) {
        return None;
    }
    let (year, month, day) = (token.value / 10_000, token.value / 100 % 100, token.value % 100);
    iso(year, month, day).filter(|_| year >= 1900).map(|date| (date, 1))
}

/// A four-digit run that may be a year.
fn is_year(r: &Reading<'_>, i: usize) -> bool {
    // "Cap.1905" is a chapter.
    if i > 0 && r.token(i - 1).word == Word::Cap {
        return false;
    }
    let glued_behind = r.glued(i + 1) && !matches!(r.text(i + 1), b"\xd0\xb3");
    r.token(i).len() == 4 && r.number(i).is_some_and(|value| YEARS.contains(&value)) && !r.glued(i) && !glued_behind
}

fn boxed(r: &Reading<'_>, i: usize, last: usize) -> bool {
    let opens = r.gap(i).iter().rev().find(|byte| **byte != b' ').is_some_and(|byte| matches!(byte, b'(' | b'['));
    opens && r.gap(last + 1).iter().find(|byte| **byte != b' ').is_some_and(|byte| matches!(byte, b')' | b']' | b','))
}

/// The second year of a range that begins at `i`.
fn range(r: &Reading<'_>, i: usize) -> Option<usize> {
    let dash = matches!(r.gap(i + 1), b"-" | b" - " | b"\xe2\x80\x93" | b" \xe2\x80\x93 ");
    let (first, second) = (r.token(i).value, r.token(i + 1).value);
    let whole = is_year(r, i + 1) && first < second;
    // "(1988 - 89)".
    let short = r.token(i + 1).digits && r.token(i + 1).len() == 2 && boxed(r, i, i + 1) && first % 100 < second;
    (dash && (whole || short)).then_some(i + 1)
}

/// A year in brackets, else the last bare one before picture and sound, else the first; one that opens the name comes last.
fn year(r: &mut Reading<'_>) {
    let (mut bare, mut opening) = (None, None);
    let mut i = 0;
    while i < r.count() {
        if !is_year(r, i) {
            i += 1;
            continue;
        }
        let last = range(r, i).unwrap_or(i);
        if boxed(r, i, last) && r.start(i) > r.begin {
            return set(r, i, last);
        }
        if i == 0 || r.start(i) <= r.begin {
            opening = opening.or(Some((i, last)));
        } else if !r.late(i) || bare.is_none() {
            bare = Some((i, last));
        }
        i = last + 1;
    }
    if let Some((first, last)) = bare.or(opening) {
        set(r, first, last);
    }
}

/// Beside a date, only a year in brackets counts.
fn bracketed_year(r: &mut Reading<'_>) {
    if let Some(i) = (0..r.count()).find(|i| is_year(r, *i) && boxed(r, *i, *i)) {
        set(r, i, i);
    }
}

/// The last year of a range; of two digits, it is of the first one's century.
fn second_year(r: &Reading<'_>, first: usize, last: usize) -> u32 {
    match r.token(last).value {
        short @ 0..=99 => r.token(first).value / 100 * 100 + short,
        whole => whole,
    }
}

fn set(r: &mut Reading<'_>, first: usize, last: usize) {
    r.out.year = Some(if first == last {
        r.raw(first).to_owned()
    } else {
        format!("{}-{}", r.raw(first), second_year(r, first, last))
    });
    if r.start(first) > r.begin {
        r.dated = r.start(first);
    }
    r.claim(first, last + 1, Claim::Ends);
}
