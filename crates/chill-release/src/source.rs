//! Where the picture was taken from.

use crate::lexicon::Word;
use crate::quality::Quality;
use crate::reading::{Claim, Reading};

/// Sources that show more of the same film outrank a first, weaker mention of another.
pub(crate) fn offer(r: &mut Reading<'_>, quality: Quality) {
    let weight = |quality: Quality| match quality {
        Quality::TeleSync | Quality::TeleCine | Quality::Screener | Quality::Cam => 4,
        Quality::BluRayRemux | Quality::Remux => 3,
        Quality::Dvd | Quality::Web | Quality::R5 | Quality::PpvRip | Quality::TvRip => 1,
        Quality::Xvid | Quality::Divx => 0,
        _ => 2,
    };
    if r.out.quality.is_none_or(|known| weight(quality) > weight(known)) {
        r.out.quality = Some(quality);
    }
}

pub(crate) fn source(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let next = |r: &Reading<'_>, at: usize| if r.near(at) { r.word(at) } else { Word::None };
    let span = usize::from(r.token(i).span);
    let (one, two) = (next(r, i + span), next(r, i + span + 1));
    let (quality, length) = match (r.word(i), one, two) {
        (Word::Source(Quality::HdTv), Word::Rip, _) => (Quality::HdTvRip, span + 1),
        (Word::Source(Quality::WebDl), Word::Rip, _) => (Quality::WebDlRip, span + 1),
        (Word::Source(quality), Word::Rip, _) if weak_rip(quality) => (quality, span + 1),
        (Word::Source(quality), ..) => (quality, span),
        (Word::Web, Word::Dl, Word::Rip) => (Quality::WebDlRip, 3),
        (Word::Web, Word::Dl, Word::Mux) | (Word::Dl, Word::Mux, _) => {
            (Quality::WebMux, if one == Word::Dl { 3 } else { 2 })
        }
        (Word::Web, Word::DlRip, _) => (Quality::WebDlRip, 2),
        (Word::Web, Word::Dl, _) => (Quality::WebDl, 2),
        (Word::Web, Word::Rip, _) => (Quality::WebRip, 2),
        (Word::Web, Word::Source(Quality::HdRip), _) => (Quality::WebRip, 2),
        (Word::Web, Word::Mux, _) => (Quality::WebMux, 2),
        (Word::Web, Word::Scr, _) => (Quality::Screener, 2),
        (Word::Web, ..) if r.whole(i) && (r.late(i) || r.capitals(i)) => (Quality::Web, 1),
        (Word::Blu, Word::Ray, Word::Rip) => (Quality::BdRip, 3),
        (Word::Blu, Word::Ray, _) => (Quality::BluRay, 2),
        (Word::Pre, Word::Source(Quality::HdRip | Quality::DvdRip), _) => (Quality::Screener, 2),
        (Word::Pre, Word::Dvd | Word::Hd, Word::Rip) => (Quality::Screener, 3),
        (Word::Pre, Word::Dvd | Word::Hd, _) => (Quality::Screener, 2),
        (Word::Dvd | Word::Bd | Word::Brazil | Word::Hd, Word::Scr, _) => (Quality::Screener, 2),
        (Word::Hd | Word::Hq, Word::Ts, _) => (Quality::TeleSync, 2),
        (Word::Hd | Word::Hq, Word::Tc, _) => (Quality::TeleCine, 2),
        (Word::Hd | Word::Hq, Word::Cam, Word::Rip) => (Quality::Cam, 3),
        (Word::Hd | Word::Hq, Word::Cam, _) => (Quality::Cam, 2),
        (Word::Hd, Word::Tv, Word::Rip) => (Quality::HdTvRip, 3),
        (Word::Hd, Word::Tv, _) => (Quality::HdTv, 2),
        (Word::Hd, Word::Rip, _) => (Quality::HdRip, 2),
        (Word::Uhd, Word::Rip, _) => (Quality::UhdRip, 2),
        (Word::Uhd, Word::Remux, _) => (Quality::BluRayRemux, 2),
        (Word::Dvd, Word::Rip, _) => (Quality::DvdRip, 2),
        (Word::Dvd, Word::Mux, _) => (Quality::DvdMux, 2),
        (Word::Bd, Word::Rip, _) => (Quality::BdRip, 2),
        (Word::Bd, Word::Mux, _) => (Quality::BdMux, 2),
        (Word::Brazil, Word::Rip, _) => (Quality::BrRip, 2),
        (Word::Sat, Word::Rip, _) => (Quality::SatRip, 2),
        (Word::Tv, Word::Rip, _) => (Quality::TvRip, 2),
        (Word::Ppv, Word::Rip, _) => (Quality::PpvRip, 2),
        (Word::Scr, Word::Rip, _) => (Quality::Screener, 2),
        (Word::Scr, ..) if r.whole(i) => (Quality::Screener, 1),
        (Word::Ts, Word::Rip, _) if r.whole(i) => (Quality::TeleSync, 2),
        (Word::Tc, Word::Rip, _) if r.whole(i) => (Quality::TeleCine, 2),
        (Word::Cam, Word::Rip, _) => (Quality::Cam, 2),
        (Word::Dvd, ..) if r.glued(i + 1) && r.token(i + 1).digits => (Quality::Dvd, 2),
        // "[DVD]": what fills its bracket is no word of the title.
        (Word::Dvd, ..) if r.whole(i) && r.fills_bracket(i) => (Quality::Dvd, 1),
        (Word::Bd, ..) if r.whole(i) && !r.glued(i) => (Quality::BdRip, 1),
        (Word::Uhd, ..) => {
            r.uhd = true;
            r.claim(i, i + 1, Claim::Tech);
            return Some(1);
        }
        (Word::Remux, ..) => {
            r.remux = true;
            r.claim(i, i + 1, Claim::Tech);
            return Some(1);
        }
        (Word::Ppv, ..) if r.capitals(i) => {
            r.claim(i, i + 1, Claim::Keeps);
            return Some(1);
        }
        _ => return None,
    };
    offer(r, quality);
    r.claim(i, i + length, Claim::Tech);
    Some(length)
}

/// Sources that a separate "Rip" behind them does not change.
fn weak_rip(quality: Quality) -> bool {
    matches!(quality, Quality::TeleSync | Quality::TeleCine | Quality::Cam | Quality::Screener)
}

/// Words that mean a source only behind the title.
pub(crate) fn read_late(r: &mut Reading<'_>, i: usize) -> usize {
    if !r.whole(i) {
        return 0;
    }
    let quality = match r.word(i) {
        Word::LateSource(quality) => quality,
        Word::Ts => Quality::TeleSync,
        Word::Tc => Quality::TeleCine,
        Word::Cam => Quality::Cam,
        Word::Dvd => Quality::Dvd,
        Word::Tv if r.capitals(i) => Quality::TvRip,
        Word::Rip => {
            r.claim(i, i + 1, Claim::Tech);
            return 1;
        }
        _ => return 0,
    };
    let span = usize::from(r.token(i).span);
    offer(r, quality);
    r.claim(i, i + span, Claim::Tech);
    span
}
