//! Editions, flags, networks, containers, sizes, release types, packs.

use crate::lexicon::{Flag, Word};
use crate::reading::{Claim, Reading};
use crate::values::{Edition, Network};

/// Reads what begins at `i` and needs no context; the number of runs claimed, 0 for none.
pub(crate) fn read(r: &mut Reading<'_>, i: usize) -> usize {
    let span = usize::from(r.token(i).span);
    let length = match r.word(i) {
        Word::Flag(found) if r.whole(i) => {
            flag(r, found);
            span
        }
        // "REPACK2".
        Word::Flag(Flag::Repack) if r.glued(i + 1) && r.token(i + 1).digits && r.token(i + 1).len() == 1 => {
            flag(r, Flag::Repack);
            2
        }
        Word::LateFlag(Flag::Documentary) if r.whole(i) && r.start(i) > r.begin && !shouted(r, i) => {
            // Said before the year too, where it may be part of the title.
            r.out.documentary = true;
            return 0;
        }
        Word::LateFlag(found) if r.whole(i) && shouted(r, i) => {
            flag(r, found);
            span
        }
        Word::Extended => match extended(r, i) {
            0 => return 0,
            length => length,
        },
        Word::Network(network) if r.whole(i) => {
            r.out.network = r.out.network.or(Some(network));
            span
        }
        Word::ReleaseType(kind) if r.whole(i) || r.token(i + 1).digits && !r.glued(i) => {
            r.out.release_types.insert(kind);
            span
        }
        Word::Unit => return size(r, i),
        _ => match phrase(r, i) {
            0 => return 0,
            length => length,
        },
    };
    r.claim(i, i + length, Claim::Ends);
    length
}

/// Words that mean something only behind the title.
pub(crate) fn read_late(r: &mut Reading<'_>, i: usize) -> usize {
    if !r.whole(i) {
        return 0;
    }
    let span = usize::from(r.token(i).span);
    match r.word(i) {
        Word::LateFlag(found) => flag(r, found),
        Word::LateEdition(Edition::Directors) if !r.capitals(i) => return 0,
        Word::LateEdition(edition) => r.out.edition = r.out.edition.or(Some(edition)),
        Word::LateNetwork(network) if !(network == Network::Hbo && r.text(i) == b"max" && !r.capitals(i)) => {
            if matches!(r.text(i), b"cr" | b"nf" | b"nick" | b"amc" | b"atv" | b"stan") && !r.capitals(i) {
                return 0;
            }
            r.out.network = r.out.network.or(Some(network));
        }
        Word::Ma if r.raw(i) == "MA" => r.out.network = r.out.network.or(Some(Network::MoviesAnywhere)),
        Word::Container(container) => r.out.container = r.out.container.or(Some(container.as_str())),
        Word::Hq | Word::Ppv => {}
        _ => return 0,
    }
    r.claim(i, i + span, Claim::Ends);
    span
}

/// In capitals, among words that are not.
fn shouted(r: &Reading<'_>, i: usize) -> bool {
    r.capitals(i) && r.text(i).len() > 2 && i > 0 && !r.capitals(i - 1) && r.start(i) > r.begin
}

fn flag(r: &mut Reading<'_>, flag: Flag) {
    let out = &mut r.out;
    match flag {
        Flag::Commentary => out.commentary = true,
        Flag::Convert => out.convert = true,
        Flag::Documentary => out.documentary = true,
        Flag::Dubbed => out.dubbed = true,
        Flag::Hardcoded => out.hardcoded = true,
        Flag::Proper => out.proper = true,
        Flag::Remastered => {
            out.remastered = true;
            out.edition = out.edition.or(Some(Edition::Remastered));
        }
        Flag::Repack => out.repack = true,
        Flag::Retail => out.retail = true,
        Flag::Subbed => out.subbed = true,
        Flag::Uncensored => out.uncensored = true,
        Flag::Unrated => out.unrated = true,
        Flag::Upscaled => out.upscaled = true,
    }
}

/// `Extended`, `Extended Cut`; a title may hold the word, a remark stands off or shouts.
fn extended(r: &mut Reading<'_>, i: usize) -> usize {
    let follows = r.near(i + 1) && matches!(r.word(i + 1), Word::Cut | Word::EditionNoun);
    let directors = r.near(i + 1) && r.word(i + 1) == Word::Director;
    let apart = r.gap(i).contains(&b'-') || r.gap(i).iter().any(|byte| matches!(byte, b'(' | b'['));
    if !(follows || directors || apart || r.capitals(i) || r.late(i) || !r.gap(i + 1).starts_with(b" ")) {
        return 0;
    }
    r.out.extended = true;
    if !directors {
        r.out.edition = Some(Edition::Extended);
    }
    1 + usize::from(follows)
}

fn phrase(r: &mut Reading<'_>, i: usize) -> usize {
    // "Director's" is two runs.
    let possessive = usize::from(r.text(i + 1) == b"s" && r.gap(i + 1) != b" " && r.gap(i + 1).len() <= 3);
    let behind = i + 1 + possessive;
    let next = if r.near(behind) { r.word(behind) } else { Word::None };
    let name = |r: &Reading<'_>, word: &[u8]| r.near(i + 1) && r.text(i + 1) == word;
    match r.word(i) {
        Word::Director if matches!(next, Word::Cut | Word::EditionNoun) => {
            r.out.edition = Some(Edition::Directors);
            2 + possessive
        }
        Word::Collector if possessive == 1 || matches!(next, Word::EditionNoun | Word::Cut) => {
            r.out.edition = r.out.edition.or(Some(Edition::Collectors));
            1 + possessive + usize::from(matches!(next, Word::EditionNoun | Word::Cut))
        }
        Word::Edition(edition) if r.whole(i) && !name(r, b"gems") => {
            r.out.edition = r.out.edition.or(Some(edition));
            1
        }
        Word::LateEdition(edition) if matches!(next, Word::Cut | Word::EditionNoun) || next == Word::Collection => {
            r.out.edition = r.out.edition.or(Some(edition));
            2
        }
        Word::Special | Word::Ultimate | Word::Final | Word::Anniversary
            if matches!(next, Word::EditionNoun | Word::Cut) =>
        {
            let edition = match r.word(i) {
                Word::Special => Edition::Special,
                Word::Ultimate => Edition::Ultimate,
                Word::Anniversary => Edition::Anniversary,
                _ => Edition::Final,
            };
            r.out.edition = r.out.edition.or(Some(edition));
            2
        }
        Word::Ordinal if next == Word::Anniversary && r.glued(i) => {
            r.out.edition = r.out.edition.or(Some(Edition::Anniversary));
            r.claim(i - 1, i, Claim::Ends);
            2 + usize::from(matches!(r.word(i + 2), Word::EditionNoun | Word::Cut))
        }
        Word::Adult if name(r, b"swim") => network(r, Network::AdultSwim),
        Word::Animal if name(r, b"planet") => network(r, Network::AnimalPlanet),
        Word::Cartoon if name(r, b"network") => network(r, Network::Cartoon),
        Word::Apple if next == Word::Tv => network(r, Network::AppleTv),
        _ => 0,
    }
}

fn network(r: &mut Reading<'_>, network: Network) -> usize {
    r.out.network = r.out.network.or(Some(network));
    2
}

/// `1.4GB`, `700 MB`: the number stands before the unit.
fn size(r: &mut Reading<'_>, unit: usize) -> usize {
    if unit == 0 || !r.token(unit - 1).digits || !(r.near(unit)) || r.glued(unit + 1) {
        return 0;
    }
    let decimal = unit > 1
        && r.token(unit - 2).digits
        && !r.glued(unit - 2)
        && matches!(r.gap(unit - 1), b"." | b",")
        && r.token(unit - 2).len() <= 3;
    let from = if decimal { unit - 2 } else { unit - 1 };
    let text = r.name.get(r.start(from)..r.end_of(unit)).unwrap_or_default();
    if r.out.size.is_none() {
        r.out.size = Some(text.to_owned());
    }
    r.claim(from, unit + 1, Claim::Ends);
    1
}

/// Whether the name speaks of more than one film or episode. Needs seasons and episodes to be known.
pub(crate) fn packs(r: &mut Reading<'_>) {
    let single = !r.out.episodes.is_empty();
    let count = r.count();
    for i in 0..count {
        let late = r.late(i);
        let opens = r.start(i) <= r.begin;
        let (found, claim) = match r.word(i) {
            _ if !r.whole(i) => continue,
            Word::Complete => {
                let the = i > 0 && r.text(i - 1) == b"the" && r.near(i);
                let telling = late || the || pack_word_near(r, i) || shouted(r, i) || r.bracketed(i) || !r.has(i + 1);
                let telling = telling || !opens && r.late(i + 1);
                let behind = i > 0 && matches!(r.word(i - 1), Word::Series | Word::Season) && r.start(i - 1) > r.begin;
                (telling || behind, usize::from(the || behind))
            }
            Word::Cycle => (true, 0),
            Word::Saga => {
                r.out.complete = true;
                continue;
            }
            Word::Collection => (!single, usize::from(i > 0 && r.word(i - 1) == Word::Ultimate)),
            Word::All | Word::Full if late || pack_word_near(r, i) => (pack_word_near(r, i), 0),
            Word::Box if late || r.text(i) == b"boxset" => (r.text(i) == b"boxset" || pack_word_near(r, i), 0),
            Word::Movies if late && i > 0 && r.token(i - 1).digits => (true, 0),
            _ => continue,
        };
        if found {
            r.out.complete = true;
            let from = i - usize::from(claim == 1);
            r.claim(from, i + 1, Claim::Ends);
        }
    }
}

fn pack_word_near(r: &Reading<'_>, i: usize) -> bool {
    let pack = |word: Word| {
        matches!(
            word,
            Word::Series
                | Word::Season
                | Word::Temporada
                | Word::Box
                | Word::Movies
                | Word::Collection
                | Word::Saga
                | Word::Episode
        )
    };
    (i + 1..i + 4).any(|at| pack(r.token(at).word)) || i > 0 && pack(r.token(i - 1).word)
}
