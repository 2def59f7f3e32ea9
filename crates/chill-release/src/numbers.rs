//! Lists of numbers: how seasons, episodes and volumes are joined, bounded and ordered.
//!
//! Numbers that stand bare are the business of [`crate::bare`].

use crate::episodes::{counted, crossed, episode_word};
use crate::lexicon::Word;
use crate::reading::{Claim, Reading};
use crate::seasons::{lettered, ordinal_season, season_word};
use crate::{MAX_NUMBER, MAX_NUMBERS};

/// Which list a number goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    Seasons,
    Episodes,
    Volumes,
}

/// Adds a number, within the bounds.
pub(crate) fn add(r: &mut Reading<'_>, list: Into, value: u32) {
    let list = match list {
        Into::Seasons => &mut r.out.seasons,
        Into::Episodes => &mut r.out.episodes,
        Into::Volumes => &mut r.out.volumes,
    };
    if let Ok(value) = u16::try_from(value)
        && value <= MAX_NUMBER
        && list.len() < MAX_NUMBERS
        && !list.contains(&value)
    {
        list.push(value);
    }
}

/// Adds a range; one that runs backwards or is absurdly wide counts as its first number.
pub(crate) fn add_range(r: &mut Reading<'_>, list: Into, from: u32, to: u32) {
    add(r, list, from);
    if to > from && to <= u32::from(MAX_NUMBER) && (to - from) as usize <= MAX_NUMBERS {
        let values = match list {
            Into::Seasons => &mut r.out.seasons,
            Into::Episodes => &mut r.out.episodes,
            Into::Volumes => &mut r.out.volumes,
        };
        let room = MAX_NUMBERS.saturating_sub(values.len());
        values.extend((from + 1..=to).filter_map(|value| u16::try_from(value).ok()).take(room));
    }
}

/// Reads everything that is named.
pub(crate) fn read(r: &mut Reading<'_>) {
    if !r.any_number() {
        return;
    }
    volumes(r);
    let mut i = 0;
    while i < r.count() {
        i += if r.token(i).digits { crossed(r, i) } else { lettered(r, i) }.unwrap_or(1);
    }
    i = 0;
    while i < r.count() {
        i += if r.token(i).digits { ordinal_season(r, i) } else { season_word(r, i) }.unwrap_or(1);
    }
    i = 0;
    while r.out.episodes.is_empty() && i < r.count() {
        i += if r.token(i).digits { counted(r, i) } else { episode_word(r, i) }.unwrap_or(1);
    }
    tidy(&mut r.out.seasons);
    tidy(&mut r.out.episodes);
}

fn tidy(list: &mut Vec<u16>) {
    if !list.is_sorted_by(|a, b| a < b) {
        list.sort_unstable();
        list.dedup();
    }
}

/// Spaces, dots and underscores only, at most three of them.
pub(crate) fn blank(gap: &[u8]) -> bool {
    gap.len() <= 3 && gap.iter().all(|byte| matches!(byte, b' ' | b'.' | b'_'))
}

/// What a gap between two numbers says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    Range,
    List,
    Nothing,
}

/// Reads the gap before run `i`.
pub(crate) fn join(r: &Reading<'_>, i: usize) -> Join {
    let gap = r.gap(i);
    let mut found = Join::Nothing;
    if gap.len() > 5 || gap == b"/" && r.out.extension.is_some() {
        return Join::Nothing;
    }
    for byte in gap {
        found = match byte {
            b'-' | b'~' => Join::Range,
            b'+' | b'&' | b',' | b'/' => Join::List,
            b' ' | b'.' | b'_' => found,
            0xe2 | 0x80 | 0x93 | 0x94 | 0x92 => Join::Range,
            _ => return Join::Nothing,
        };
    }
    found
}

/// The number of a run that may be an episode or season of up to `digits` digits.
pub(crate) fn small(r: &Reading<'_>, i: usize, digits: usize) -> Option<u32> {
    r.number(i).filter(|_| r.token(i).len() <= digits)
}

pub(crate) fn is_decimal(r: &Reading<'_>, i: usize) -> bool {
    r.gap(i + 1) == b"." && r.token(i + 1).digits && r.token(i + 1).len() == 1
}

/// A number and what is joined to it; the run behind the last one. `loose` allows ranges set off by spaces.
pub(crate) fn series(r: &mut Reading<'_>, i: usize, list: Into, loose: bool) -> usize {
    let Some(first) = r.number(i) else { return i };
    add(r, list, first);
    let width = r.token(i).len();
    let mut last = first;
    let mut at = part_letter(r, i + 1);
    loop {
        let (joined, next) = next_number(r, at, list, loose, i.checked_sub(1).map_or(b"", |lead| r.text(lead)));
        let Some(value) = r.number(next).filter(|_| joined != Join::Nothing) else { return at };
        let length = r.token(next).len();
        let fits = length <= width.max(3)
            && !is_decimal(r, next)
            && (value > last || joined == Join::List && value + 1 >= last);
        let unit = r.glued(next + 1)
            && !matches!(r.text(next + 1), b"v" | b"a" | b"b" | b"c" | b"e" | b"x" | b"\xd1\x8f" | b"\xd0\xb9")
            && list != Into::Volumes;
        if !fits || unit && joined == Join::List {
            return at;
        }
        if joined == Join::Range {
            add_range(r, list, last, value);
        } else {
            add(r, list, value);
        }
        last = value;
        at = part_letter(r, next + 1);
    }
}

/// Steps over `a`, `b`, `v2` glued to a number.
pub(crate) fn part_letter(r: &Reading<'_>, i: usize) -> usize {
    match r.text(i) {
        b"a" | b"b" | b"c" if r.glued(i) && !r.glued(i + 1) => i + 1,
        b"v" if r.glued(i) && r.glued(i + 1) && r.token(i + 1).len() <= 2 => i + 2,
        _ => i,
    }
}

/// How the next number of a series is joined to the last, and where it stands.
fn next_number(r: &Reading<'_>, i: usize, list: Into, loose: bool, lead: &[u8]) -> (Join, usize) {
    let marker = |at: usize| match list {
        Into::Episodes => {
            matches!(r.token(at).word, Word::EpisodeLetter | Word::Episode | Word::Times) && !r.token(at).used
        }
        Into::Seasons => r.word(at) == Word::Season,
        Into::Volumes => r.word(at) == Word::Volume,
    };
    let spaced = r.gap(i).len() > 1;
    // "S01E01-S01E03": the season again.
    let again =
        list == Into::Episodes && r.word(i) == Word::SeasonLetter && r.glued(i + 1) && r.glued(i + 2) && marker(i + 2);
    let same = again && r.out.seasons.last().is_some_and(|season| u32::from(*season) == r.token(i + 1).value);
    if same && r.token(i + 3).digits {
        return (if join(r, i) == Join::Range { Join::Range } else { Join::List }, i + 3);
    }
    // "4x10-4x12".
    let crossed =
        list == Into::Episodes && r.token(i).digits && r.glued(i + 1) && r.text(i + 1) == b"x" && r.glued(i + 2);
    if crossed
        && r.token(i + 2).digits
        && r.out.seasons.last().is_some_and(|season| u32::from(*season) == r.token(i).value)
    {
        return (join(r, i), i + 2);
    }
    if marker(i) && r.token(i + 1).digits && r.gap(i + 1).len() <= 1 {
        // "S05E53 - Ep.129" counts the same episode twice.
        if spaced && r.word(i) == Word::Episode && list == Into::Episodes && lead != r.text(i) {
            return (Join::Nothing, i);
        }
        return match join(r, i) {
            Join::Nothing if r.gap(i).is_empty() || blank(r.gap(i)) => (Join::List, i + 1),
            joined => (joined, i + 1),
        };
    }
    let words = matches!(r.word(i), Word::To) || list == Into::Episodes && r.text(i) == b"a";
    if words && r.gap(i).len() <= 1 && !r.glued(i) {
        if let Some(at) = same_season(r, i + 1).filter(|_| list == Into::Episodes) {
            return (Join::Range, at);
        }
        let at = if marker(i + 1) { i + 2 } else { i + 1 };
        return if r.token(at).digits { (Join::Range, at) } else { (Join::Nothing, i) };
    }
    if r.word(i) == Word::And && r.token(i + 1).digits && r.token(i + 1).len() <= 2 {
        return (Join::List, i + 1);
    }
    match join(r, i) {
        Join::Range if spaced && !loose => (Join::Nothing, i),
        Join::Range if r.gap(i).iter().filter(|byte| **byte == b'-').count() > 1 => (Join::Nothing, i),
        joined => (joined, i),
    }
}

/// The episode behind the season that was read last, said again: `S01E05`, `1x08`.
fn same_season(r: &Reading<'_>, i: usize) -> Option<usize> {
    let letter = r.word(i) == Word::SeasonLetter && r.glued(i + 1);
    let season = if letter { i + 1 } else { i };
    let said =
        r.out.seasons.last().is_some_and(|last| r.token(season).digits && u32::from(*last) == r.token(season).value);
    let marked = r.glued(season + 1) && matches!(r.token(season + 1).word, Word::EpisodeLetter | Word::Times);
    (said && marked && r.glued(season + 2) && r.token(season + 2).digits).then_some(season + 2)
}

/// `Vol. 2`, `Volume 1-3`; before a year it is part of a film's title.
fn volumes(r: &mut Reading<'_>) {
    let mut i = 0;
    while i < r.count() {
        let opens =
            r.gap(i + 1).iter().all(|byte| matches!(byte, b' ' | b'.' | b'-' | b'_')) && r.gap(i + 1).len() <= 3;
        let several = join(r, i + 2) != Join::Nothing && small(r, i + 2, 3).is_some();
        let titled = r.dated < r.stop && r.start(i) < r.dated && !several;
        if r.word(i) != Word::Volume || !opens || small(r, i + 1, 3).is_none() || titled {
            i += 1;
            continue;
        }
        let to = series(r, i + 1, Into::Volumes, true);
        r.claim(i, to, Claim::Ends);
        i = to;
    }
}
