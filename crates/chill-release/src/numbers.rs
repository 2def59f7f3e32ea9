//! Seasons, episodes and volumes that are named as such: `S01E02`, `1x02`, `Season 1-3`, `Ep. 4`, `Vol. 2`.
//!
//! Numbers that stand bare are the business of [`crate::bare`].

use crate::lexicon::Word;
use crate::reading::{Claim, Reading};
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
    // Episodes of long-running serials may go beyond the bound of seasons.
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
    volumes(r);
    let mut i = 0;
    while i < r.count() {
        i += lettered(r, i).or_else(|| crossed(r, i)).unwrap_or(1);
    }
    i = 0;
    while i < r.count() {
        i += season_word(r, i).or_else(|| ordinal_season(r, i)).unwrap_or(1);
    }
    if r.out.episodes.is_empty() {
        i = 0;
        while i < r.count() {
            i += episode_word(r, i).or_else(|| counted(r, i)).unwrap_or(1);
        }
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
    if gap.len() > 5 {
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

/// `S01`, `s1e2`, `T02E22`, `S01-S05`; also behind a title glued to it.
fn lettered(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let season = small(r, i + 1, 4).filter(|_| r.glued(i + 1))?;
    let marker = r.glued(i + 2) && matches!(r.token(i + 2).word, Word::EpisodeLetter | Word::Episode | Word::Times);
    // "[E-AC3-S78]": a signature behind a sound format.
    let signature = i > 0 && r.gap(i) == b"-" && r.token(i - 1).used && r.token(i).bracket > 0;
    let letter = !r.token(i).used && !r.token(i).digits && !r.glued(i) && !signature;
    let text = r.text(i);
    let fits = match text {
        b"s" | b"so" => {
            letter && (marker || !r.glued(i + 2) || r.token(i + 1).len() == 2) && (r.token(i + 1).len() <= 3 || marker)
        }
        b"sn" => letter,
        b"t" => letter && (marker || r.token(i + 1).len() == 2 && followed_by_episode(r, i + 2)),
        [.., b's'] => marker && r.token(i + 1).len() == 2 && r.raw(i).ends_with('S') && !r.token(i).digits,
        _ => false,
    };
    if !fits {
        return None;
    }
    // "SO2E04": the letter O for a zero.
    let glued_title = text.len() > 2;
    r.spanish |= text == b"t" && false;
    add(r, Into::Seasons, season);
    let from = if glued_title { i + 1 } else { i };
    let before_glued = r.end_of(i).saturating_sub(1);
    let mut to = episodes_behind(r, i + 2).unwrap_or(i + 2);
    if to == i + 2 {
        to = more_seasons(r, i + 2, season);
    }
    r.claim(from, to, Claim::Ends);
    if glued_title {
        r.end = r.end.min(before_glued.max(r.begin));
    }
    Some(to - i)
}

fn followed_by_episode(r: &Reading<'_>, i: usize) -> bool {
    matches!(r.word(i), Word::EpisodeLetter | Word::Episode) && r.token(i + 1).digits
}

/// `S01-S05`, `S01-05`, `S01 / S02 / S03`, `S01+S02`; the run behind the last season.
fn more_seasons(r: &mut Reading<'_>, mut i: usize, first: u32) -> usize {
    let mut last = first;
    loop {
        let lettered = r.word(i) == Word::SeasonLetter && r.glued(i + 1) && small(r, i + 1, 3).is_some();
        let to = r.word(i) == Word::To && r.word(i + 1) == Word::SeasonLetter;
        let (joined, at) = match join(r, i) {
            _ if to => (Join::Range, i + 2),
            joined if lettered => (if joined == Join::Nothing { Join::List } else { joined }, i + 1),
            Join::Range if r.gap(i).len() == 1 && r.token(i).len() == r.token(i - 1).len() => (Join::Range, i),
            Join::List if r.token(i).len() == 2 => (Join::List, i),
            _ => return i,
        };
        let Some(value) = small(r, at, 3).filter(|value| *value > last || lettered) else { return i };
        if blank(r.gap(i)) && !lettered && !to {
            return i;
        }
        if joined == Join::Range && value > last {
            add_range(r, Into::Seasons, last, value);
        } else {
            add(r, Into::Seasons, value);
        }
        last = value;
        i = at + 1;
    }
}

/// The episodes behind a season: `E01`, ` - E01`, `.07`, `xE03`, ` EP (01-10)`; the run behind them.
fn episodes_behind(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let apart = r.gap(i).len() <= 3 && join(r, i) != Join::List;
    let marked = match r.token(i).word {
        Word::EpisodeLetter | Word::Times if apart && r.gap(i + 1).len() <= 1 => Some(i + 1),
        Word::Episode | Word::Cap if apart => Some(i + 1),
        _ => None,
    };
    if let Some(at) = marked {
        let opened = r.gap(at).len() <= 3;
        // "EP #1.2" repeats the season.
        let at = if r.gap(at).contains(&b'#') && r.gap(at + 1) == b"." && small(r, at + 1, 3).is_some() { at + 1 } else { at };
        if opened && small(r, at, 4).is_some() {
            return Some(series(r, at, Into::Episodes, true));
        }
        return None;
    }
    // "S01.07", "S01 03", "S2 - 05".
    let value = small(r, i, 3)?;
    let gap = r.gap(i);
    let dotted = matches!(gap, b"." | b" " | b"_") && r.token(i).len() == 2;
    let dashed = matches!(gap, b" - " | b"_-_" | b".-.") && r.token(i).len() >= 2;
    let boxed = matches!(gap, b" (" | b"(" | b" [" | b"[") && join(r, i + 1) == Join::Range && r.token(i + 1).digits;
    let free = !r.glued(i + 1) || r.text(i + 1) == b"v";
    if !(dotted || dashed || boxed) || !free || is_decimal(r, i) || value > u32::from(MAX_NUMBER) {
        return None;
    }
    Some(series(r, i, Into::Episodes, boxed || dashed))
}

fn is_decimal(r: &Reading<'_>, i: usize) -> bool {
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
fn part_letter(r: &Reading<'_>, i: usize) -> usize {
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
    if again && r.token(i + 3).digits {
        return (if join(r, i) == Join::Range { Join::Range } else { Join::List }, i + 3);
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

/// `1x02`, `7x23-24`, `1x01x02`.
fn crossed(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let season = small(r, i, 2)?;
    let cross = matches!(r.token(i + 1).word, Word::Times) && !r.token(i + 1).used;
    let tight = r.glued(i + 1) && (r.glued(i + 2) || r.gap(i + 2) == b".");
    let wide = r.gap(i + 1) == b" " && r.gap(i + 2) == b" " && !r.glued(i);
    small(r, i + 2, 3).filter(|_| cross && (tight || wide))?;
    let decimal = i > 0 && r.gap(i) == b"." && r.token(i - 1).digits;
    if decimal || r.token(i).len() == 1 && r.token(i + 2).len() == 1 && r.glued(i) {
        return None;
    }
    add(r, Into::Seasons, season);
    let to = series(r, i + 2, Into::Episodes, false);
    let to = total(r, to);
    r.claim(i, to, Claim::Ends);
    Some(to - i)
}

/// Steps over "of 16".
fn total(r: &Reading<'_>, i: usize) -> usize {
    if r.word(i) == Word::Of && r.token(i + 1).digits { i + 2 } else { i }
}

/// `Season 1-5`, `Temporadas 1 2 3`, `Сезон: 1, 2`, `Series 2`.
fn season_word(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let word = r.word(i);
    if !matches!(word, Word::Season | Word::Temporada | Word::Series)
        || r.glued(i) && !r.token(i).digits && r.text(i) != "季".as_bytes()
    {
        return None;
    }
    let gap = r.gap(i + 1);
    let opens = gap.len() <= 5
        && gap
            .iter()
            .all(|byte| matches!(byte, b' ' | b'.' | b':' | b'-' | b'_' | b'(' | b'[' | b'#' | 0xe2 | 0x84 | 0x96));
    let first = small(r, i + 1, if word == Word::Series { 2 } else { 4 }).filter(|_| opens);
    let Some(first) = first else {
        return season_letter_behind(r, i);
    };
    if r.token(i + 1).len() == 4 && first > 1900 && word == Word::Series {
        return None;
    }
    if join(r, i + 1) == Join::Range && r.gap(i + 1) == b"-" && word == Word::Series {
        return None;
    }
    let known = !r.out.seasons.is_empty();
    if !known {
        add(r, Into::Seasons, first);
    }
    r.spanish |= word == Word::Temporada && r.text(i) != b"temp";
    let to = if known { i + 2 } else { season_series(r, i + 1, first) };
    r.claim(i, to, Claim::Ends);
    Some(to - i)
}

/// "Season S02", "Seasons - S01": the word only introduces.
fn season_letter_behind(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let known = r.token(i + 1).used && r.token(i + 1).word == Word::SeasonLetter && r.gap(i + 1).len() <= 3;
    known.then(|| {
        r.claim(i, i + 1, Claim::Ends);
        1
    })
}

/// The numbers behind "Season"; the run behind the last one. In a file's name `Season 2 - 10` is an episode, not a range.
fn season_series(r: &mut Reading<'_>, i: usize, first: u32) -> usize {
    let mut last = first;
    let mut at = i + 1;
    loop {
        let gap = r.gap(at);
        let spaced_dash = join(r, at) == Join::Range && gap.len() > 1;
        let file = r.out.extension.is_some() || r.leading_group.is_some();
        let value = small(r, at, 2);
        if let Some(value) = value.filter(|_| {
            spaced_dash && file || gap == b"." && r.token(at).len() == 2 && at == i + 1 && value > Some(last + 1)
        }) {
            if r.out.episodes.is_empty() {
                add(r, Into::Episodes, value);
                return part_letter(r, at + 1);
            }
            return at;
        }
        let (joined, next) = match value {
            Some(_) if gap == b": " || gap == b":" => (Join::Range, at),
            Some(value) if blank(gap) && value == last + 1 && value < 40 => (Join::List, at),
            Some(_) => (join(r, at), at),
            None if matches!(r.word(at), Word::To) && r.token(at + 1).digits => (Join::Range, at + 1),
            None if r.word(at) == Word::And && r.token(at + 1).digits => (Join::List, at + 1),
            None if matches!(r.word(at), Word::Season | Word::Temporada) && join(r, at) != Join::Nothing => {
                (join(r, at), at + 1)
            }
            None => return at,
        };
        let Some(value) =
            small(r, next, 2).filter(|value| joined != Join::Nothing && *value > last && !is_decimal(r, next))
        else {
            return at;
        };
        if joined == Join::Range {
            add_range(r, Into::Seasons, last, value);
        } else {
            add(r, Into::Seasons, value);
        }
        last = value;
        at = next + 1;
    }
}

/// `2nd Season`, `1ª Temporada`, `3 сезон`, `1-3 сезоны`.
fn ordinal_season(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let first = small(r, i, 2).filter(|_| !r.glued(i))?;
    let mut at = i + 1;
    let mut last = first;
    if join(r, at) == Join::Range && small(r, at, 2).is_some_and(|value| value > first) {
        last = small(r, at, 2)?;
        at += 1;
    }
    if r.token(at).word == Word::Ordinal
        || r.glued(at) && matches!(r.text(at), b"a" | b"\xd0\xb9")
        || r.gap(at) == b"-" && r.text(at) == "й".as_bytes()
    {
        at += 1;
    }
    let word = r.word(at);
    let close =
        blank(r.gap(at)) || r.gap(at).windows(2).any(|pair| matches!(pair, b"\xc2\xaa" | b"\xc2\xba" | b"\xc2\xb0"));
    let fits = match word {
        Word::Season | Word::Temporada => close,
        _ => false,
    };
    // "3 Season 2": the number in front belongs to the title.
    if !fits
        || r.token(at + 1).digits
            && !r.token(at + 1).used
            && at == i + 1
            && r.text(at) != "季".as_bytes()
            && blank(r.gap(at + 1))
            && !r.text(at).starts_with(b"\xd1")
            && !r.text(at).starts_with(b"sez")
    {
        return None;
    }
    if r.out.seasons.is_empty() {
        add_range(r, Into::Seasons, first, last);
    }
    r.spanish |= word == Word::Temporada;
    r.claim(i, at + 1, Claim::Ends);
    Some(at + 1 - i)
}

/// `Ep. 4`, `E05`, `Episodes 1-12`, `Cap.110`, `Серии: 1-73 из 73`, `E3951-3954`.
fn episode_word(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let word = r.word(i);
    let letter = word == Word::EpisodeLetter;
    if !(matches!(word, Word::Episode | Word::Cap) || letter)
        || r.glued(i) && !letter
        || r.glued(i) && r.token(i).digits
    {
        return None;
    }
    let gap = r.gap(i + 1);
    let opens = if letter {
        matches!(gap, [] | b".")
    } else {
        gap.len() <= 4 && gap.iter().all(|byte| matches!(byte, b' ' | b'.' | b':' | b'-' | b'_' | b'(' | b'[' | b'#'))
            || gap == " №".as_bytes()
    };
    let value = small(r, i + 1, 4).filter(|_| opens && !(letter && r.glued(i)))?;
    if letter && r.token(i + 1).len() == 1 && !(r.late(i) || r.capitals(i))
        || letter && gap == b"." && r.token(i + 1).len() < 2
    {
        return None;
    }
    if word == Word::Cap {
        r.spanish = true;
        if let Some(to) = chapter(r, i, value) {
            return Some(to - i);
        }
    }
    // "Ep #1.2" is season and episode.
    if !letter
        && r.gap(i + 2) == b"."
        && r.token(i + 1).len() <= 2
        && small(r, i + 2, 3).is_some()
        && (r.token(i + 2).len() == 1 || r.gap(i + 1).contains(&b'#'))
    {
        if r.out.seasons.is_empty() {
            add(r, Into::Seasons, value);
        }
        let to = series(r, i + 2, Into::Episodes, false);
        r.claim(i, to, Claim::Ends);
        return Some(to - i);
    }
    let to = series(r, i + 1, Into::Episodes, !letter);
    let to = total(r, to);
    r.claim(i, to, Claim::Ends);
    Some(to - i)
}

/// `Cap.103` is the third chapter of the first season.
fn chapter(r: &mut Reading<'_>, i: usize, value: u32) -> Option<usize> {
    let (season, episode) = (value / 100, value % 100);
    let known = r.out.seasons.first().map(|season| u32::from(*season));
    if r.token(i + 1).len() < 3 || known.is_some_and(|known| known != season) {
        return None;
    }
    add(r, Into::Seasons, season);
    let mut to = i + 2;
    let last = small(r, to, 4).filter(|last| matches!(r.gap(to), b"-" | b"_") && last / 100 == season);
    match last {
        Some(last) => {
            add_range(r, Into::Episodes, episode, last % 100);
            to += 1;
        }
        None => add(r, Into::Episodes, episode),
    }
    r.claim(i, to, Claim::Ends);
    Some(to)
}

/// `22.seria`, `1-24 серии`, `4of4`, `22 из 22`, `01話`.
fn counted(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let first = small(r, i, 3)?;
    let mut at = i + 1;
    let mut last = first;
    if join(r, at) == Join::Range && small(r, at, 3).is_some_and(|value| value > first) {
        last = small(r, at, 3)?;
        at += 1;
    }
    if matches!(r.text(at), b"\xd1\x8f" | b"ya") {
        at += 1;
    }
    let close = r.gap(at).len() <= 3 && join(r, at) != Join::List;
    let of = r.word(at) == Word::Of
        && close
        && small(r, at + 1, 3).is_some_and(|total| total >= last)
        && r.gap(at + 1).len() <= 1;
    let word = r.word(at) == Word::Episode
        && close
        && !r.token(at + 1).digits
        && !matches!(r.text(at), b"ep" | b"eps" | b"epi");
    let word = word
        || r.word(at) == Word::Episode
            && close
            && (r.text(at).starts_with(b"ser") || r.text(at).starts_with(b"\xd1\x81"));
    if !of && !word || r.glued(i) && r.text(i - 1).is_ascii() && r.token(i - 1).word != Word::Part {
        return None;
    }
    // "22 of 24" says how many there are so far; a file is one of them.
    let first = if of && !r.one_file { 1.min(first) } else { first };
    add_range(r, Into::Episodes, first, last);
    let to = if of { at + 2 } else { total(r, at + 1) };
    r.claim(i, to, Claim::Ends);
    Some(to - i)
}

/// `Vol. 2`, `Volume 1-3`; before a year it is part of a film's title.
fn volumes(r: &mut Reading<'_>) {
    let mut i = 0;
    while i < r.count() {
        let opens =
            r.gap(i + 1).iter().all(|byte| matches!(byte, b' ' | b'.' | b'-' | b'_')) && r.gap(i + 1).len() <= 3;
        let titled = r.dated < r.stop && r.start(i) < r.dated;
        if r.word(i) != Word::Volume || !opens || small(r, i + 1, 3).is_none() || titled {
            i += 1;
            continue;
        }
        let to = series(r, i + 1, Into::Volumes, true);
        r.claim(i, to, Claim::Ends);
        i = to;
    }
}
