//! Which episode a file of a pack is.

use crate::reading::Reading;
use crate::token::Tokens;
use crate::{Release, cut, read_all};

/// The numbers a file's path gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpisodeNumbers {
    /// Season, from the file's name or from its folder.
    pub season: Option<u16>,
    /// Episodes, more than one for a double episode.
    pub episodes: Vec<u16>,
    /// The number as it stands when no season goes with it, as anime counts through.
    pub absolute: Option<u16>,
}

/// Reads season and episodes of a file inside a torrent from its path; folders give the season where the name does not.
#[must_use]
pub fn episode_of(path: &str) -> EpisodeNumbers {
    let (folders, file) = path.rsplit_once(['/', '\\']).unwrap_or(("", path));
    let read = read_name(file);
    let own = read.seasons.first().copied();
    let absolute = if own.is_none() { read.episodes.first().copied() } else { None };
    let season = own.or_else(|| folders.rsplit(['/', '\\']).take(3).find_map(folder_season));
    EpisodeNumbers { season, episodes: read.episodes, absolute }
}

fn folder_season(folder: &str) -> Option<u16> {
    if folder.eq_ignore_ascii_case("specials") {
        return Some(0);
    }
    match read_name(folder).seasons.as_slice() {
        [season] => Some(*season),
        _ => None,
    }
}

fn read_name(name: &str) -> Release {
    let name = cut(name);
    let mut tokens = Tokens::of(name);
    let mut reading = Reading::new(name, &mut tokens);
    reading.one_file = true;
    read_all(&mut reading);
    reading.out
}
