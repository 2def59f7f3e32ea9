//! Seasons that are named as such: `S01E02`, `S01-S05`, `Season 1-3`, `2nd Season`, `3 сезон`.

use crate::episodes::episodes_behind;
use crate::lexicon::Word;
use crate::numbers::{Into, Join, add, add_range, blank, is_decimal, join, part_letter, small};
use crate::reading::{Claim, Reading};

/// `S01`, `s1e2`, `T02E22`, `S.04 Ep.07`, `S01-S05`; also behind a title glued to it.
pub(crate) fn lettered(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    if let Some(to) = run_together(r, i).or_else(|| spaced(r, i)) {
        return Some(to);
    }
    let dotted = r.text(i) == b"s" && matches!(r.gap(i + 1), b"." | b". ") && names_episode(r, i + 2);
    let season = small(r, i + 1, 4).filter(|_| r.glued(i + 1) || dotted)?;
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
        b"t" => {
            let two_digits = r.token(i + 1).len() == 2 && followed_by_episode(r, i + 2);
            letter && (marker || two_digits || names_episode(r, i + 2))
        }
        [.., b's'] => marker && r.token(i + 1).len() == 2 && r.raw(i).ends_with('S') && !r.token(i).digits,
        _ => false,
    };
    if !fits {
        return None;
    }
    let glued_title = text.len() > 2;
    r.spanish |= r.word(i + 2) == Word::Cap;
    // "S01E01-S02E03" spans seasons: no list of episodes fits both.
    let spans = r.out.seasons.last().is_some_and(|last| u32::from(*last) < season) && join(r, i) == Join::Range;
    let spans = spans && r.token(i - 1).used && !r.out.episodes.is_empty();
    if spans {
        let first = r.out.seasons.last().map_or(season, |last| u32::from(*last));
        add_range(r, Into::Seasons, first, season);
    } else {
        add(r, Into::Seasons, season);
    }
    let from = if glued_title { i + 1 } else { i };
    let before_glued = r.end_of(i).saturating_sub(1);
    let mut to = episodes_behind(r, i + 2).unwrap_or(i + 2);
    if spans {
        r.out.episodes.clear();
    }
    if to == i + 2 && !spans {
        to = more_seasons(r, i + 2, season);
    }
    r.claim(from, to, Claim::Ends);
    if glued_title {
        r.end = r.end.min(before_glued.max(r.begin));
    }
    Some(to - i)
}

/// `S0615`: season and episode in one number.
fn run_together(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let value = small(r, i + 1, 4).filter(|_| r.glued(i + 1) && r.token(i + 1).len() == 4)?;
    let alone = r.text(i) == b"s" && !r.token(i).used && !r.glued(i) && !r.glued(i + 2);
    let (season, episode) = (value / 100, value % 100);
    if !alone || !(1..10).contains(&season) || episode == 0 {
        return None;
    }
    add(r, Into::Seasons, season);
    add(r, Into::Episodes, episode);
    r.claim(i, i + 2, Claim::Ends);
    Some(2)
}

/// `S 04 E 10`.
fn spaced(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let (season, episode) = (small(r, i + 1, 2)?, small(r, i + 3, 3)?);
    let apart = (i + 1..=i + 3).all(|at| r.gap(at) == b" ") && !r.glued(i);
    let letters = r.text(i) == b"s" && r.text(i + 2) == b"e" && !r.token(i).used && !r.token(i + 2).used;
    if !apart || !letters {
        return None;
    }
    add(r, Into::Seasons, season);
    add(r, Into::Episodes, episode);
    r.claim(i, i + 4, Claim::Ends);
    Some(4)
}

/// A word for an episode with its number, as in `S.04 Ep.07` and `[T3][Cap.5]`.
fn names_episode(r: &Reading<'_>, i: usize) -> bool {
    matches!(r.word(i), Word::Episode | Word::Cap) && r.gap(i).len() <= 3 && r.token(i + 1).digits
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
            Join::List if r.token(i).len() == r.token(i - 1).len() => (Join::List, i),
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

/// `Season 1-5`, `Temporadas 1 2 3`, `Сезон: 1, 2`, `Series 2`.
pub(crate) fn season_word(r: &mut Reading<'_>, i: usize) -> Option<usize> {
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
        let boxed = r.token(at).bracket > 0 && r.token(at).bracket == r.token(i).bracket;
        let file = (r.out.extension.is_some() || r.leading_group.is_some()) && !boxed;
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
            None if (r.word(at) == Word::To || r.text(at) == b"a") && r.token(at + 1).digits => (Join::Range, at + 1),
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
pub(crate) fn ordinal_season(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let counted = i > 0 && r.text(i - 1) == "第".as_bytes();
    let first = small(r, i, 2).filter(|_| !r.glued(i) || counted)?;
    let mut at = i + 1;
    let mut last = first;
    if join(r, at) == Join::Range && small(r, at, 2).is_some_and(|value| value > first) {
        last = small(r, at, 2)?;
        at += 1;
    }
    if r.token(at).word == Word::Ordinal
        || r.glued(at) && matches!(r.text(at), b"a" | b"\xd0\xb9" | b"\xc3\xa2")
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
    r.claim(i - usize::from(counted), at + 1, Claim::Ends);
    Some(at + 1 - i)
}
