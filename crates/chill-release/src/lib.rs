//! What a release name says: title, year, season, resolution and the rest.
//!
//! A name is cut once into runs of letters and digits (`token`), each run is looked up in tables of words
//! (`lexicon`), and rules claim runs in order: what is unmistakable first, then dates and numbers, then the words that mean
//! something only behind the title. The title is what stands before the first claim. Everything is linear in the length of the
//! name, names are cut at 768 bytes, and lists of numbers are bounded.
//!
//! It knows nothing of torrents, stores or users, and does not look titles up. Start reading at [`parse`].

mod bare;
mod compare;
mod dates;
mod episodes;
mod file_name;
mod language;
mod lexicon;
mod numbers;
mod picture;
mod place;
mod quality;
mod reading;
mod release;
mod remarks;
mod resolution;
mod seasons;
mod set;
mod size;
mod sound;
mod source;
mod spoken;
mod title;
mod token;
mod values;
mod video;

#[cfg(test)]
mod tests;

pub use compare::{normalise_title, titles_match};
pub use file_name::{EpisodeNumbers, episode_of};
pub use language::{Language, language_flag, language_name};
pub use quality::Quality;
pub use release::Release;
pub use resolution::Resolution;
pub use set::{Member, Set};
pub use size::size_bytes;
pub use values::{Audio, BitDepth, Channels, Codec, Edition, Hdr, Network, ReleaseType, ThreeD};
pub use video::{is_sample_or_extra, is_subtitles, is_video};

use reading::Reading;
use token::Tokens;

/// Longest list of seasons, episodes or volumes.
pub const MAX_NUMBERS: usize = 2_000;
/// Greatest season, episode or volume number.
pub const MAX_NUMBER: u16 = 19_999;

/// Reads a release name or the name of a file. Never fails: a name that says nothing is all title.
#[must_use]
pub fn parse(name: &str) -> Release {
    let name = cut(name);
    let mut tokens = Tokens::of(name);
    let mut reading = Reading::new(name, &mut tokens);
    read_all(&mut reading);
    reading.out
}

/// The part of a name that is read, cut between characters.
fn cut(name: &str) -> &str {
    let name = name.trim();
    // "film.mkv.torrent" is about the film.
    let name = name.strip_suffix(".torrent").filter(|inner| video::extension(inner).is_some()).unwrap_or(name);
    let mut end = name.len().min(token::LONGEST);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}

fn read_all(r: &mut Reading<'_>) {
    place::site(r);
    place::opening_bracket(r);
    place::checksum(r);
    each(r, read_firm);
    picture::bare_lines(r);
    dates::read(r);
    numbers::read(r);
    bare::read(r);
    spoken::before_the_end(r);
    spoken::boxed(r);
    let mut i = spoken::first_late(r);
    while i < r.count() {
        i += read_late(r, i).max(1);
    }
    remarks::packs(r);
    picture::finish(r);
    spoken::finish(r);
    place::group(r);
    title::read(r);
}

/// Rules that need no context.
fn read_firm(r: &mut Reading<'_>, i: usize) -> usize {
    let readers: &[Reader] = if r.plain(i) {
        &[spoken::read]
    } else if r.token(i).digits {
        &[picture::read, sound::read]
    } else {
        &[picture::read, sound::read, remarks::read, spoken::read]
    };
    first_of(readers, r, i)
}

/// Rules for what stands behind the title.
fn read_late(r: &mut Reading<'_>, i: usize) -> usize {
    let readers: &[Reader] = if r.plain(i) {
        &[spoken::read]
    } else {
        &[
            source::read_late,
            picture::read_late_3d,
            sound::read,
            remarks::read_late,
            spoken::read,
            spoken::read_late,
            region,
        ]
    };
    first_of(readers, r, i)
}

/// Reads what begins at a run and claims it; the number of runs claimed, 0 for none.
type Reader = fn(&mut Reading<'_>, usize) -> usize;

fn first_of(readers: &[Reader], r: &mut Reading<'_>, i: usize) -> usize {
    readers.iter().map(|read| read(r, i)).find(|length| *length > 0).unwrap_or(0)
}

/// `R5`, `R2J`.
fn region(r: &mut Reading<'_>, i: usize) -> usize {
    let digit = r.glued(i + 1) && r.token(i + 1).len() == 1 && r.token(i + 1).digits;
    if r.word(i) != lexicon::Word::Region || r.glued(i) || !digit || !r.capitals(i) {
        return 0;
    }
    let to = if r.glued(i + 2) { i + 3 } else { i + 2 };
    if r.number(i + 1) == Some(5) {
        source::offer(r, Quality::R5);
    }
    r.out.region = r.name.get(r.start(i)..r.end_of(to - 1)).map(str::to_owned);
    r.claim(i, to, reading::Claim::Ends);
    to - i
}

fn each(r: &mut Reading<'_>, read: impl Fn(&mut Reading<'_>, usize) -> usize) {
    let mut i = 0;
    while i < r.count() {
        i += if r.token(i).used { 1 } else { read(r, i).max(1) };
    }
}
