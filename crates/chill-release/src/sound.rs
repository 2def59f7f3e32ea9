//! Sound formats and loudspeaker layouts.

use crate::lexicon::Word;
use crate::reading::{Claim, Reading};
use crate::values::{Audio, Channels};

/// Reads what begins at `i`; the number of runs claimed, 0 for none.
pub(crate) fn read(r: &mut Reading<'_>, i: usize) -> usize {
    if r.token(i).digits {
        return layout(r, i, i).unwrap_or(0);
    }
    let Some(length) = format(r, i) else {
        return speakers(r, i).unwrap_or(0);
    };
    r.claim(i, i + length, Claim::Tech);
    let behind = i + length;
    length + layout(r, behind, i).or_else(|| whole_channels(r, behind)).unwrap_or(0)
}

fn format(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let span = usize::from(r.token(i).span);
    let near = |r: &Reading<'_>, at: usize| r.near(at) || matches!(r.gap(at), b"] [" | b"][" | b" - ");
    let (audio, length) = match r.word(i) {
        Word::Audio(audio) => (audio, span),
        Word::Dts => dts(r, i),
        Word::True if r.near(i + 1) && r.word(i + 1) == Word::Hd => (Audio::TrueHd, 2),
        Word::Ac if r.near(i + 1) && r.number(i + 1) == Some(3) => {
            let enhanced = r.text(i) == b"eac" || i > 0 && r.word(i - 1) == Word::EpisodeLetter && r.gap(i) == b"-";
            (if enhanced { Audio::Eac3 } else { Audio::Ac3 }, 2)
        }
        Word::EpisodeLetter if r.gap(i + 1) == b"-" => match r.word(i + 1) {
            Word::Audio(Audio::Ac3) => (Audio::Eac3, 1 + usize::from(r.token(i + 1).span)),
            Word::Ac if r.near(i + 2) && r.number(i + 2) == Some(3) => (Audio::Eac3, 3),
            _ => return None,
        },
        Word::Dd if r.gap(i + 1).starts_with(b"+") => (Audio::Ddp, 1),
        Word::Dd if r.late(i) || r.capitals(i) => (Audio::Dd, 1),
        Word::Dolby if near(r, i + 1) && r.word(i + 1) == Word::Digital => {
            if near(r, i + 2) && r.word(i + 2) == Word::Plus || r.gap(i + 2).starts_with(b"+") {
                (Audio::Ddp, if r.word(i + 2) == Word::Plus { 3 } else { 2 })
            } else {
                (Audio::Dd, 2)
            }
        }
        Word::Dolby if r.near(i + 1) && r.word(i + 1) == Word::Audio(Audio::Atmos) => (Audio::Atmos, 2),
        Word::Hq if r.near(i + 1) && matches!(r.word(i + 1), Word::Clean | Word::Track) => {
            (Audio::Hq, if r.near(i + 2) && r.word(i + 2) == Word::Track { 3 } else { 2 })
        }
        _ => return None,
    };
    if r.text(i) == b"ddpa" {
        r.out.audio.insert(Audio::Atmos);
    }
    r.out.audio.insert(audio);
    Some(length)
}

/// `DTS`, `DTS-HD`, `DTS-HD HR` lose something; `DTS-HD MA` and `DTS:X` do not.
fn dts(r: &Reading<'_>, i: usize) -> (Audio, usize) {
    let near = |at: usize| r.near(at) || matches!(r.gap(at), b"] [" | b"][" | b":");
    let mut at = i + 1;
    if near(at) && r.word(at) == Word::Hd {
        at += 1;
    }
    match r.word(at) {
        Word::Ma if near(at) => {
            let more = near(at + 1) && r.word(at + 1) == Word::Track;
            (Audio::DtsLossless, at + 1 + usize::from(more) - i)
        }
        Word::Times if at == i + 1 && near(at) && !r.glued(at + 1) => (Audio::DtsLossless, 2),
        _ if at == i + 1 && near(at) && r.text(at) == b"es" => (Audio::DtsLossy, 2),
        Word::Hr if near(at) => (Audio::DtsLossy, at + 1 - i),
        _ => (Audio::DtsLossy, at - i),
    }
}

/// `5.1`, `7.1`, `2.0`: two digits with a dot, or behind a sound format with a space or dash.
fn layout(r: &mut Reading<'_>, i: usize, format: usize) -> Option<usize> {
    let (front, low) = (r.number(i)?, r.number(i + 1)?);
    if r.token(i).len() != 1 || r.token(i + 1).len() != 1 {
        return None;
    }
    let channels = match (front, low) {
        (2, 0) => Channels::Two,
        (2, 1) => Channels::TwoOne,
        (5, 1) => Channels::FiveOne,
        (6, 1) => Channels::SixOne,
        (7, 1) => Channels::SevenOne,
        (1, 0) => Channels::Mono,
        (5..=7, 0) => {
            return behind_format(r, i, format).then(|| {
                r.claim(i, i + 2, Claim::Keeps);
                2
            });
        }
        _ => return None,
    };
    let dotted = r.gap(i + 1) == b"." && r.start(i) > r.begin && (r.late(i) || front >= 5 || r.bracketed(i));
    let boxed = r.gap(i + 1) == b"-" && r.gap(i).ends_with(b"[") && r.gap(i + 2).starts_with(b"]");
    if !(dotted || boxed || behind_format(r, i, format)) {
        return None;
    }
    r.out.channels.insert(channels);
    let to = if r.near(i + 2) && r.word(i + 2) == Word::Ch { i + 3 } else { i + 2 };
    let times = r.glued(to) && r.text(to) == b"x" && r.token(to + 1).digits;
    let to = if times { to + 2 } else { to };
    r.claim(i, to, Claim::Tech);
    Some(to - i)
}

fn behind_format(r: &Reading<'_>, i: usize, format: usize) -> bool {
    format < i && matches!(r.gap(i), [] | [_]) && matches!(r.gap(i + 1), b"." | b" " | b"_" | b"-")
}

/// `AAC2`, `AC3x2`, `FLACx3`: a number glued to the format.
fn whole_channels(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    if !r.glued(i) {
        return None;
    }
    let length = if r.token(i).digits { 1 } else { usize::from(r.text(i) == b"x" && r.token(i + 1).digits) * 2 };
    r.claim(i, i + length, Claim::Keeps);
    Some(length)
}

fn speakers(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    match r.word(i) {
        Word::Channels(channels) if r.late(i) => {
            r.out.channels.insert(channels);
            r.claim(i, i + 1, Claim::Tech);
            Some(1)
        }
        Word::Ch if r.near(i) && i > 0 => {
            let channels = match r.number(i - 1)? {
                2 => Channels::Two,
                6 => Channels::FiveOne,
                8 => Channels::SevenOne,
                _ => return None,
            };
            r.out.channels.insert(channels);
            r.claim(i - 1, i + 1, Claim::Tech);
            Some(1)
        }
        _ => None,
    }
}
