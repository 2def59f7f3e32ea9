//! Episode numbers that stand bare: `Title - 05`, `[116]`, `02.09.avi`, `4-13 Title.mkv`.

use crate::lexicon::Word;
use crate::numbers::{self, Into, Join};
use crate::reading::{Claim, Reading};

/// Reads bare numbers, when nothing named an episode.
pub(crate) fn read(r: &mut Reading<'_>) {
    if !r.out.episodes.is_empty() || r.out.date.is_some() || !r.any_number() {
        return;
    }
    let _ = ending_pair(r)
        .or_else(|| opening_pair(r))
        .or_else(|| boxed_pair(r))
        .or_else(|| dashed_pair(r))
        .or_else(|| ranged(r))
        .or_else(|| set_off(r))
        .or_else(|| before_remarks(r))
        .or_else(|| opening_range(r))
        .or_else(|| opening(r))
        .or_else(|| closing(r));
}

fn blank_one(gap: &[u8]) -> bool {
    matches!(gap, [b' ' | b'.' | b'_'])
}

/// `Title.02.09.avi`: season and episode right before the extension.
fn ending_pair(r: &mut Reading<'_>) -> Option<()> {
    let last = r.count().checked_sub(1)?;
    let first = last.checked_sub(1)?;
    let (season, episode) = (numbers::small(r, first, 2)?, numbers::small(r, last, 2)?);
    let twice = r.gap(last) == b"-" && r.gap(first) == b"-" && first > 0;
    let dashed = r.gap(last) == b"-" && blank_one(r.gap(first)) || twice;
    let two = (r.token(first).len() == 2 || dashed) && r.token(last).len() == 2 && r.end_of(last) == r.stop;
    let tidy = matches!(r.gap(last), b"." | b" " | b"_" | b"-") && !r.glued(first) && r.out.extension.is_some();
    let lone = first == 0 || !r.token(first - 1).digits;
    if !two
        || !tidy
        || !lone
        || !r.out.seasons.is_empty()
        || r.gap(first).contains(&b'-') && r.gap(last) == b"-" && !twice
    {
        return None;
    }
    pair(r, first, season, episode);
    Some(())
}

fn pair(r: &mut Reading<'_>, first: usize, season: u32, episode: u32) {
    numbers::add(r, Into::Seasons, season);
    numbers::add(r, Into::Episodes, episode);
    r.claim(first, first + 2, Claim::Ends);
}

/// `4-13 Crossing.m4v`, `11.14 - The Letter.mp4`.
fn opening_pair(r: &mut Reading<'_>) -> Option<()> {
    let (season, episode) = (numbers::small(r, 0, 2)?, numbers::small(r, 1, 3)?);
    let opens = r.start(0) == 0 && r.out.extension.is_some() && r.out.seasons.is_empty() && r.token(1).len() >= 2;
    let dash = r.gap(1) == b"-" && blank_one(r.gap(2)) && !r.token(2).digits;
    let dot = r.gap(1) == b"." && r.gap(2) == b" - ";
    if !opens || !(dash || dot) {
        return None;
    }
    pair(r, 0, season, episode);
    Some(())
}

/// `[3.05]`, `(1.02)`.
fn boxed_pair(r: &mut Reading<'_>) -> Option<()> {
    if !r.out.seasons.is_empty() {
        return None;
    }
    let i = (0..r.count()).find(|i| {
        let opens = r.gap(*i).last().is_some_and(|byte| matches!(byte, b'[' | b'('));
        let closes = r.gap(*i + 2).first().is_some_and(|byte| matches!(byte, b']' | b')'));
        opens
            && closes
            && r.gap(*i + 1) == b"."
            && numbers::small(r, *i, 2).is_some()
            && numbers::small(r, *i + 1, 3).is_some()
    })?;
    let (season, episode) = (r.number(i)?, r.number(i + 1)?);
    pair(r, i, season, episode);
    Some(())
}

/// `Title - 6.01 - Name`.
fn dashed_pair(r: &mut Reading<'_>) -> Option<()> {
    if !r.out.seasons.is_empty() {
        return None;
    }
    let dash = |gap: &[u8]| gap.contains(&b'-') && gap.len() <= 3;
    let i = (1..r.count()).find(|i| {
        dash(r.gap(*i))
            && dash(r.gap(*i + 2))
            && r.gap(*i + 1) == b"."
            && numbers::small(r, *i, 2).is_some()
            && r.token(*i + 1).len() >= 2
            && numbers::small(r, *i + 1, 3).is_some()
    })?;
    let (season, episode) = (r.number(i)?, r.number(i + 1)?);
    pair(r, i, season, episode);
    Some(())
}

/// A number that may be an episode: whole, after the title began, before picture and sound, no year.
fn candidate(r: &Reading<'_>, i: usize) -> Option<u32> {
    let value = r.number(i).filter(|_| r.start(i) > r.begin && !r.glued(i))?;
    let revised = r.glued(i + 1)
        && (matches!(r.text(i + 1), b"v") && r.token(i + 2).digits || matches!(r.text(i + 1), b"a" | b"b" | b"c"));
    let film = i > 0 && matches!(r.token(i - 1).word, Word::Movie | Word::Movies) && r.gap(i).len() <= 3
        || r.token(i + 1).word == Word::Movie && r.gap(i + 1).len() == 1;
    let part = i > 0 && r.token(i - 1).word == Word::Part;
    let year = r.token(i).len() == 4 && (1900..=2032).contains(&value);
    ((!r.glued(i + 1) || revised) && !film && !part && !year && !decimal(r, i)).then_some(value)
}

/// `5.1`, `2.0`.
fn decimal(r: &Reading<'_>, i: usize) -> bool {
    r.gap(i + 1) == b"." && r.token(i + 1).digits && r.token(i + 1).len() == 1 && r.token(i).len() == 1
        || i > 0 && r.gap(i) == b"." && r.token(i - 1).digits && r.token(i).len() == 1
}

/// `01-25`, `(01-13)`, `00~25`, `103, 104`, `215 ao 220`.
fn ranged(r: &mut Reading<'_>) -> Option<()> {
    for i in 0..r.count() {
        // " - 1-26 [": from the first one on.
        let whole = |first| first == 1 && opens_number(r, i) && closes_number(r, i + 1) && r.token(i + 1).len() >= 2;
        let usual = (2..=3).contains(&r.token(i).len()) || wave(r, i + 1);
        let Some(first) = candidate(r, i).filter(|first| usual || whole(*first)) else {
            continue;
        };
        let to = r.word(i + 1) == Word::To && matches!(r.text(i + 1), b"ao" | b"to" | b"al");
        let next = if to { i + 2 } else { i + 1 };
        let Some(last) = candidate_end(r, next).filter(|last| *last > first) else { continue };
        let gap = r.gap(i + 1);
        let same = r.token(i).len() == r.token(next).len();
        let context = opens_number(r, i) || same;
        let joined = match numbers::join(r, i + 1) {
            _ if to => true,
            Join::Range if wave(r, i + 1) => true,
            Join::Range => context && (gap.len() == 1 || opens_number(r, i) && closes_number(r, next)),
            Join::List => context && gap.iter().any(|byte| matches!(byte, b',' | b'&' | b'+')) && last == first + 1,
            Join::Nothing => false,
        };
        let third = r.token(next + 1).digits && r.gap(next + 1) == gap;
        if !joined || third {
            continue;
        }
        numbers::add_range(r, Into::Episodes, first, last);
        r.claim(i, next + 1, Claim::Ends);
        return Some(());
    }
    None
}

fn wave(r: &Reading<'_>, i: usize) -> bool {
    r.gap(i).contains(&b'~') && r.gap(i).len() <= 3
}

fn candidate_end(r: &Reading<'_>, i: usize) -> Option<u32> {
    let value = r.number(i).filter(|_| r.token(i).len() <= 4)?;
    let year = r.token(i).len() == 4 && (1900..=2032).contains(&value);
    (!year && (!r.glued(i + 1) || matches!(r.text(i + 1), b"v"))).then_some(value)
}

/// A dash with a space, or a bracket, stands before it.
fn opens_number(r: &Reading<'_>, i: usize) -> bool {
    let gap = r.gap(i);
    let dash = gap.contains(&b'-') && (gap.len() > 1 || r.start(i) > r.end)
        || gap.windows(3).any(|three| matches!(three, b"\xe2\x80\x93" | b"\xe2\x80\x94"));
    let box_ = gap.last().is_some_and(|byte| matches!(byte, b'[' | b'(' | b'#')) || gap.ends_with("【".as_bytes());
    dash || box_
}

/// What follows an episode number: the end, a dash, a bracket or a remark.
fn closes_number(r: &Reading<'_>, i: usize) -> bool {
    let next = if r.glued(i + 1) { if r.text(i + 1) == b"v" { i + 3 } else { i + 2 } } else { i + 1 };
    let gap = r.gap(next);
    !r.has(next)
        || gap.iter().any(|byte| !matches!(byte, b' ' | b'.' | b'_' | b'\'' | b','))
        || r.token(next).used
        || !blank_one(gap)
}

/// `Title - 05 [`, `[116]`, `_-_003_-_`; one that closes well outranks one that runs on.
fn set_off(r: &mut Reading<'_>) -> Option<()> {
    let fits = |r: &Reading<'_>, i: usize| {
        let boxed = r.gap(i).last().is_some_and(|byte| matches!(byte, b'[' | b'('));
        let long = r.token(i).len() <= 4 && (!boxed || (2..=3).contains(&r.token(i).len()));
        let alone =
            !boxed || r.gap(i + 1).first().is_some_and(|byte| matches!(byte, b']' | b')' | b' ')) || r.glued(i + 1);
        candidate(r, i).is_some() && long && alone && opens_number(r, i) && r.start(i) < r.tech.max(r.begin + 1)
    };
    let late_box = |r: &Reading<'_>, i: usize| {
        let boxed = r.gap(i).ends_with(b"[") && r.gap(i + 1).starts_with(b"]");
        boxed && (2..=3).contains(&r.token(i).len()) && candidate(r, i).is_some() && r.has(i + 1)
    };
    let count = r.count();
    let film = r.out.year.is_some() && r.out.seasons.is_empty() && r.leading_group.is_none();
    let i = (0..count)
        .find(|i| fits(r, *i) && closes_number(r, *i) && !(film && r.start(*i) < r.dated))
        .or_else(|| (0..count).find(|i| fits(r, *i) && !film && r.token(*i).len() >= 2))
        .or_else(|| (0..count).find(|i| late_box(r, *i) && !film))?;
    take(r, i)
}

fn take(r: &mut Reading<'_>, i: usize) -> Option<()> {
    let value = r.number(i)?;
    numbers::add(r, Into::Episodes, value);
    let to = match r.text(i + 1) {
        b"v" if r.glued(i + 1) => i + 3,
        b"a" | b"b" | b"c" if r.glued(i + 1) => i + 2,
        _ => i + 1,
    };
    r.claim(i, to, Claim::Ends);
    Some(())
}

/// `[Group] Title 05 [1080p]`: only where a group in brackets or a checksum tells an episode from a sequel.
fn before_remarks(r: &mut Reading<'_>) -> Option<()> {
    // A number that begins with a zero, or one of a file in a pack, is no sequel's.
    let counted =
        |i: usize| r.token(i).len() == 2 && r.text(i).starts_with(b"0") || r.one_file && r.token(i).len() >= 2;
    let anime = r.leading_group.is_some() || r.out.episode_code.is_some() || (1..r.count()).any(counted);
    let season = !r.out.seasons.is_empty();
    if !season && (!anime || r.out.year.is_some()) {
        return None;
    }
    let i = (1..r.count()).find(|i| {
        let sure = r.leading_group.is_some() || r.out.episode_code.is_some() || counted(*i);
        let whole = candidate(r, *i).is_some() && (sure && r.token(*i).len() >= 2 || season);
        let next = if r.text(*i + 1) == b"v" && r.glued(*i + 1) { *i + 3 } else { *i + 1 };
        let boundary = r.gap(next).iter().any(|byte| matches!(byte, b'[' | b'(')) || r.token(next).used || !r.has(next);
        let apart = blank_one(r.gap(*i)) || matches!(r.gap(*i), b") " | b"] ");
        whole && boundary && apart && r.start(*i) < r.tech && (!season || r.token(*i - 1).used)
    })?;
    take(r, i)
}

/// `611-612 - Title.mp4`.
fn opening_range(r: &mut Reading<'_>) -> Option<()> {
    let (first, last) = (numbers::small(r, 0, 3)?, numbers::small(r, 1, 3)?);
    let fits =
        r.start(0) == 0 && r.out.extension.is_some() && r.gap(1) == b"-" && r.gap(2) == b" - " && last == first + 1;
    if !fits || r.token(0).len() != r.token(1).len() {
        return None;
    }
    numbers::add_range(r, Into::Episodes, first, last);
    r.claim(0, 2, Claim::Keeps);
    Some(())
}

/// `512 - Harbour '07.avi`, `523 23.mp4`, `04. Rehearsal.mkv`: a file that says nothing else.
fn opening(r: &mut Reading<'_>) -> Option<()> {
    let value = numbers::small(r, 0, 3)?;
    let plain = r.out.extension.is_some() && r.out.year.is_none() && r.start(0) == 0 && r.out.seasons.len() <= 1;
    let length = r.token(0).len();
    let listed = matches!(r.gap(1), b". " | b" - " | b"_-_" | b"-") && length >= 2;
    let numbered = r.token(1).digits && length == 3 && r.gap(1) == b" ";
    let lone = !r.has(1) && length >= 2;
    let pair = r.token(1).digits && r.gap(1) == b"-";
    if !plain || !(listed || numbered || lone) || pair || r.glued(1) {
        return None;
    }
    numbers::add(r, Into::Episodes, value);
    r.claim(0, 1, Claim::Keeps);
    Some(())
}

/// `the-grey-files-502.mkv`, `title_05.avi`: a number at the end of a file's name.
fn closing(r: &mut Reading<'_>) -> Option<()> {
    let last = r.count().checked_sub(1)?;
    let value = numbers::small(r, last, 3).filter(|_| last > 0 && candidate(r, last).is_some())?;
    let zero = r.text(last).starts_with(b"0") && r.token(last).len() == 2;
    if r.token(last).len() != 3 && !zero && !(r.one_file && r.token(last).len() == 2) {
        return None;
    }
    if r.out.extension.is_none()
        || r.out.year.is_some()
        || !matches!(r.gap(last), b"-" | b"_" | b"." | b" " | b" _ ")
        || r.tech < r.stop
    {
        return None;
    }
    numbers::add(r, Into::Episodes, value);
    r.claim(last, last + 1, Claim::Ends);
    Some(())
}
