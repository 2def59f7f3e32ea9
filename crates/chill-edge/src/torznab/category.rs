//! Torznab's categories, as far as they are told apart here.

use chill_core::ContentId;
use chill_release::{Release, Resolution};

/// A category's number and name.
type Named = (u32, &'static str);

/// The main categories, each with those below it.
pub(super) const ALL: [(u32, &str, &[Named]); 2] = [
    (2000, "Movies", &[(2030, "Movies/SD"), (2040, "Movies/HD"), (2045, "Movies/UHD")]),
    (5000, "TV", &[(5030, "TV/SD"), (5040, "TV/HD"), (5045, "TV/UHD"), (5070, "TV/Anime")]),
];

/// The main category of a torrent, and those below it that it is in.
pub(super) fn of(content: &ContentId, release: &Release) -> Vec<u32> {
    let main = if content.is_film() { 2000 } else { 5000 };
    let below = match release.resolution.map_or(0, Resolution::rank) {
        2160.. => main + 45,
        720.. => main + 40,
        _ => main + 30,
    };
    let anime = matches!(content, ContentId::Anime { episode: Some(_), .. }).then_some(5070);
    [main, below].into_iter().chain(anime).collect()
}

/// Whether a torrent of these categories was asked for; a main category stands for all below it.
pub(super) fn wanted(asked: &[u32], own: &[u32]) -> bool {
    asked.is_empty() || asked.iter().any(|asked| own.contains(asked))
}
