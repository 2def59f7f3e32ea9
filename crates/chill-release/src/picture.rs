//! Resolution, source, codec, dynamic range, bit depth, stereoscopy.

use crate::lexicon::Word;
use crate::quality::Quality;
use crate::reading::{Claim, Reading};
use crate::resolution::Resolution;
use crate::source::source;
use crate::values::{BitDepth, Codec, Hdr, ThreeD};

/// Reads what begins at `i`; the number of runs claimed, 0 for none.
pub(crate) fn read(r: &mut Reading<'_>, i: usize) -> usize {
    if r.token(i).digits {
        return size(r, i).or_else(|| lines(r, i)).or_else(|| thousands(r, i)).or_else(|| depth(r, i)).unwrap_or(0);
    }
    source(r, i).or_else(|| codec(r, i)).or_else(|| light(r, i)).or_else(|| stereoscopy(r, i)).unwrap_or(0)
}

/// `1080p`, `720i`; the last one named wins, as in "2160p to 1080p".
fn lines(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let value = r.number(i).filter(|value| (144..=4320).contains(value) && r.token(i).len() >= 3)?;
    let unit = r.text(i + 1);
    let standard = matches!(value, 240 | 360 | 480 | 540 | 576 | 720 | 1080 | 1440 | 2160 | 4320);
    let split = r.gap(i + 1) == b"p";
    let fits = split
        || r.glued(i + 1)
            && (matches!(unit, b"p" | b"i") || standard && matches!(unit, b"px" | b"hd" | b"phd" | b"pfull" | b"pp"));
    if !fits {
        return None;
    }
    r.out.resolution = Some(Resolution::of_lines(u16::try_from(value).ok()?));
    if split {
        r.claim(i, i + 1, Claim::Tech);
        return Some(1);
    }
    r.claim(i, i + 2, Claim::Tech);
    if r.glued(i + 2) && r.token(i + 2).digits {
        let to = if r.glued(i + 3) && r.text(i + 3) == b"fps" { i + 4 } else { i + 3 };
        r.claim(i + 2, to, Claim::Keeps);
    }
    Some(2)
}

/// `1920x1080`.
fn size(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let width = r.number(i).filter(|_| r.token(i).len() >= 3)?;
    let at = match (r.text(i + 1), r.gap(i + 1)) {
        (b"x", []) if r.glued(i + 2) => i + 2,
        (_, gap) if gap == "×".as_bytes() => i + 1,
        _ => return None,
    };
    let height = r.number(at).filter(|_| r.token(at).len() >= 3)?;
    if r.out.resolution.is_none() {
        r.out.resolution = Some(Resolution::of_size(width, height));
    }
    let to = if r.glued(at + 1) && r.text(at + 1) == b"p" { at + 2 } else { at + 1 };
    r.claim(i, to, Claim::Tech);
    Some(to - i)
}

/// `4k`.
fn thousands(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let resolution = match r.number(i)? {
        2 => Resolution::QHD,
        4 => Resolution::UHD,
        8 => Resolution::of_lines(4320),
        _ => return None,
    };
    let split = r.gap(i + 1) == b"k";
    if r.token(i).len() != 1 || r.glued(i) || !(split || r.glued(i + 1) && r.text(i + 1) == b"k") {
        return None;
    }
    if r.out.resolution.is_none() {
        r.out.resolution = Some(resolution);
    }
    let length = if split { 1 } else { 2 };
    r.claim(i, i + length, Claim::Tech);
    Some(length)
}

/// `10bit`, `10-bit`.
fn depth(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    if r.word(i + 1) != Word::Bit || !r.near(i + 1) {
        return None;
    }
    r.out.bit_depth = Some(match r.number(i)? {
        8 => BitDepth::Eight,
        10 => BitDepth::Ten,
        12 => BitDepth::Twelve,
        _ => return None,
    });
    r.claim(i, i + 2, Claim::Tech);
    Some(2)
}

/// Joins what the passes saw apart: a remux of a disc, a bare `UHD`, a bare number in brackets, a codec that is all there is.
pub(crate) fn finish(r: &mut Reading<'_>) {
    if r.remux {
        let disc =
            matches!(r.out.quality, Some(Quality::BluRay | Quality::BdRip | Quality::BrRip | Quality::BluRayRemux))
                || r.uhd;
        r.out.quality = Some(if disc { Quality::BluRayRemux } else { Quality::Remux });
    }
    if r.out.quality.is_none() {
        r.out.quality = match r.out.codec {
            Some(Codec::Xvid) => Some(Quality::Xvid),
            Some(Codec::Divx) => Some(Quality::Divx),
            _ => None,
        };
    }
    if r.out.resolution.is_none() && r.uhd {
        r.out.resolution = Some(Resolution::UHD);
    }
}

/// `[720]`: a bare standard height that fills its bracket.
pub(crate) fn bare_lines(r: &mut Reading<'_>) {
    if r.out.resolution.is_some() {
        return;
    }
    for i in 0..r.count() {
        let Some(value @ (480 | 576 | 720 | 1080 | 2160)) = r.number(i) else { continue };
        if r.fills_bracket(i) && r.start(i) > r.begin {
            r.out.resolution = u16::try_from(value).ok().map(Resolution::of_lines);
            r.claim(i, i + 1, Claim::Tech);
            return;
        }
    }
}

fn codec(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let (codec, length) = match r.word(i) {
        Word::Codec(codec) => (codec, usize::from(r.token(i).span)),
        Word::CodecLetter | Word::Times if r.near(i + 1) && !r.glued(i) => {
            let x = r.text(i) == b"x";
            match r.number(i + 1)? {
                264 => (if x { Codec::X264 } else { Codec::H264 }, 2),
                265 => (if x { Codec::X265 } else { Codec::H265 }, 2),
                _ => return None,
            }
        }
        Word::Mpeg if r.near(i + 1) && r.number(i + 1) == Some(2) => (Codec::Mpeg2, 2),
        _ => return None,
    };
    let weight = |codec: Codec| match codec {
        Codec::Hevc => 3,
        Codec::X264 | Codec::H264 | Codec::X265 | Codec::H265 | Codec::Av1 => 2,
        _ => 1,
    };
    if r.out.codec.is_none_or(|known| weight(codec) > weight(known)) {
        r.out.codec = Some(codec);
    }
    if codec == Codec::Hevc && r.text(i) == b"hevc" && r.near(i + 1) && r.number(i + 1) == Some(10)
        || r.token(i).span == 2 && r.text(i) == b"hevc"
    {
        r.out.bit_depth = Some(BitDepth::Ten);
        if r.word(i + 2) != Word::Bit && length == 1 {
            r.claim(i, i + 2, Claim::Tech);
            return Some(2);
        }
    }
    r.claim(i, i + length, Claim::Tech);
    Some(length)
}

fn light(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let span = usize::from(r.token(i).span);
    let behind = i + span;
    let (hdr, length) = match r.word(i) {
        Word::Lines(lines) => {
            r.out.resolution = r.out.resolution.or(Some(Resolution::of_lines(lines)));
            r.claim(i, i + span, Claim::Tech);
            return Some(span);
        }
        Word::Hdr10 => {
            r.out.bit_depth = r.out.bit_depth.or(Some(BitDepth::Ten));
            match r.word(behind) {
                Word::Plus if r.near(behind) => (Hdr::TenPlus, span + 1),
                _ if r.gap(behind).starts_with(b"+") => (Hdr::TenPlus, span),
                _ => (Hdr::High, span),
            }
        }
        Word::Hdr(hdr) if r.text(i).len() > 2 => (hdr, span),
        Word::Dolby if r.word(i + 1) == Word::Vision && r.near(i + 1) => (Hdr::DolbyVision, 2),
        Word::Dv if r.whole(i) && (r.late(i) || r.capitals(i)) => (Hdr::DolbyVision, 1),
        Word::Hi if r.glued(i + 1) && r.number(i + 1) == Some(10) => {
            r.out.bit_depth = Some(BitDepth::Ten);
            let to = if r.glued(i + 2) { i + 3 } else { i + 2 };
            r.claim(i, to, Claim::Tech);
            return Some(to - i);
        }
        _ => return None,
    };
    r.out.hdr.insert(hdr);
    r.claim(i, i + length, Claim::Tech);
    Some(length)
}

/// `3D` counts behind the title only; a packing counts wherever it is unmistakable.
fn stereoscopy(r: &mut Reading<'_>, i: usize) -> Option<usize> {
    let span = usize::from(r.token(i).span);
    let (packing, length) = match r.word(i) {
        Word::Half | Word::Full if r.near(i + 1) => {
            let half = r.word(i) == Word::Half;
            match r.word(i + 1) {
                Word::Picture(ThreeD::Sbs) | Word::Side => (if half { ThreeD::HalfSbs } else { ThreeD::Sbs }, 2),
                Word::Picture(ThreeD::Ou) | Word::Over => (if half { ThreeD::HalfOu } else { ThreeD::Ou }, 2),
                _ => return None,
            }
        }
        Word::CodecLetter if r.gap(i + 1) == b"-" => match r.word(i + 1) {
            Word::Picture(ThreeD::Sbs) => (ThreeD::HalfSbs, 2),
            Word::Picture(ThreeD::Ou) => (ThreeD::HalfOu, 2),
            _ => return None,
        },
        Word::Picture(packing @ (ThreeD::Sbs | ThreeD::HalfSbs | ThreeD::HalfOu)) if r.whole(i) => (packing, span),
        Word::Picture(ThreeD::Ou) if r.whole(i) && r.capitals(i) && r.late(i) => (ThreeD::Ou, span),
        Word::Picture(ThreeD::Plain) if r.text(i) == b"bd" => (ThreeD::Plain, span),
        _ => return None,
    };
    if r.out.three_d.is_none_or(|known| known == ThreeD::Plain) {
        r.out.three_d = Some(packing);
    }
    r.claim(i, i + length, Claim::Tech);
    Some(length)
}

/// `3D` behind the title, or right before its end beside a packing.
pub(crate) fn read_late_3d(r: &mut Reading<'_>, i: usize) -> usize {
    match r.word(i) {
        Word::Picture(packing @ (ThreeD::Plain | ThreeD::Ou)) if r.whole(i) => {
            let span = usize::from(r.token(i).span);
            if r.out.three_d.is_none_or(|known| known == ThreeD::Plain)
                && (packing == ThreeD::Plain || r.out.three_d.is_some())
            {
                r.out.three_d = Some(packing);
            }
            r.claim(i, i + span, Claim::Tech);
            span
        }
        _ => 0,
    }
}
