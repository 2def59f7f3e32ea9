//! Episodes that are named as such: `E05`, `1x02`, `Ep. 4`, `Cap.103`, `22 из 24`.

use crate::MAX_NUMBER;
use crate::lexicon::Word;
use crate::numbers::{Into, Join, add, add_range, is_decimal, join, series, small};
use crate::reading::{Claim, Reading};

/// The episodes behind a season: `E01`, ` - E01`, `.07`, `xE03`, ` EP (01-10)`; the run behind them.
pub(crate) fn episodes_behind(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let apart = r.gap(i).len() <= 3 && join(r, i) != Join::List;
    let marked = match r.token(i).word {
        Word::EpisodeLetter | Word::Times if apart && r.gap(i + 1).len() <= 1 => Some(i + 1),
        Word::Episode | Word::Cap if apart => Some(i + 1),
        _ => None,
    };
    if let Some(at) = marked {
        let opened = r.gap(at).len() <= 3;
        // "EP #1.2" repeats the season.
        let at = if r.gap(at).contains(&b'#') && r.gap(at + 1) == b"." && small(r, at + 1, 3).is_some() {
            at + 1
        } else {
            at
        };
        if opened && small(r, at, 5).is_some() {
            let opened = r.gap(at).last().is_some_and(|byte| matches!(byte, b'(' | b'['));
            return Some(series(r, at, Into::Episodes, opened));
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

/// `1x02`, `7x23-24`, `1x01x02`.
pub(crate) fn crossed(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let season = small(r, i, 2).or_else(|| small(r, i, 4).filter(|year| (1950..=2040).contains(year)))?;
    let cross = matches!(r.token(i + 1).word, Word::Times) && !r.token(i + 1).used;
    let tight = r.glued(i + 1) && (r.glued(i + 2) || r.gap(i + 2) == b".");
    let wide = r.gap(i + 1) == b" " && r.gap(i + 2) == b" " && !r.glued(i);
    small(r, i + 2, 3).filter(|_| cross && (tight || wide))?;
    // "1.8x11" is a decimal, "2005.8x11" is not.
    let decimal = i > 0 && r.gap(i) == b"." && r.token(i - 1).digits && r.token(i - 1).len() < 4;
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

/// `Ep. 4`, `E05`, `Episodes 1-12`, `Cap.110`, `Серии: 1-73 из 73`, `E3951-3954`.
pub(crate) fn episode_word(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let word = r.word(i);
    let letter = word == Word::EpisodeLetter;
    if !matches!(word, Word::Episode | Word::Cap | Word::EpisodeLetter) || r.glued(i) {
        return None;
    }
    let gap = r.gap(i + 1);
    let opens = if letter {
        matches!(gap, [] | b".")
    } else {
        gap.len() <= 4 && gap.iter().all(|byte| matches!(byte, b' ' | b'.' | b':' | b'-' | b'_' | b'(' | b'[' | b'#'))
            || gap == " №".as_bytes()
    };
    let value = small(r, i + 1, 4).filter(|_| opens)?;
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

/// `22.seria`, `97. Bölüm`, `1-24 серии`, `4of4`, `22 из 22`, `01話`.
pub(crate) fn counted(r: &mut Reading<'_>, i: usize) -> Option<usize> {
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
        || r.word(at) == Word::Episode && r.glued(at) && !r.text(at).is_ascii() && r.text(at).len() == 3
        || r.word(at) == Word::Episode
            && close
            && (r.text(at).starts_with(b"ser")
                || r.text(at).starts_with(b"\xd1\x81")
                || r.text(at) == "bölüm".as_bytes());
    if !of && !word || r.glued(i) && r.text(i - 1).is_ascii() && r.token(i - 1).word != Word::Part {
        return None;
    }
    // "22 of 24" says how many there are so far; a file is one of them.
    let first = if of && first == last && !r.one_file { 1.min(first) } else { first };
    add_range(r, Into::Episodes, first, last);
    let to = if of { at + 2 } else { total(r, at + 1) };
    // "第05話".
    let lead = i > 0 && (r.glued(i) && r.text(i - 1) == "第".as_bytes() || of && r.token(i - 1).word == Word::Part);
    let from = if lead { i - 1 } else { i };
    r.claim(from, to, Claim::Ends);
    Some(to - i)
}
