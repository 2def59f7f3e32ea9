//! Which episode a file of a pack is.

use crate::reading::Reading;
use crate::token::Tokens;
use crate::{Release, ReleaseType, cut, read_all};

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

/// Reads season and episodes of a file inside a torrent from its path. Folders give the season where the name does not,
/// and the episode where the file is the only one of its own folder's; an OVA or a special is of season 0.
#[must_use]
pub fn episode_of(path: &str) -> EpisodeNumbers {
    let (folders, file) = path.rsplit_once(['/', '\\']).unwrap_or(("", path));
    let mut folders = folders.rsplit(['/', '\\']);
    let mut read = read_name(file);
    if read.episodes.is_empty() && read.seasons.is_empty() {
        let mut of_folder = folders.clone().next().map(read_name).unwrap_or_default();
        if of_folder.episodes.len() == 1 {
            (read.episodes, read.seasons) = (std::mem::take(&mut of_folder.episodes), of_folder.seasons);
        }
    }
    if read.episodes.is_empty() && read.seasons.is_empty() {
        read.episodes.extend(leading_number(file));
    }
    let special = || (!read.episodes.is_empty() && is_special(&read, file)).then_some(0);
    let own = read.seasons.first().copied().or_else(special);
    let absolute = if own.is_none() { read.episodes.first().copied() } else { None };
    let season = own.or_else(|| folders.by_ref().take(3).find_map(folder_season));
    EpisodeNumbers { season, episodes: read.episodes, absolute }
}

/// `01.Dawn.mkv`: a number that a list of files is in order by.
fn leading_number(file: &str) -> Option<u16> {
    let end = file.find(|c: char| !c.is_ascii_digit()).filter(|end| (1..=3).contains(end))?;
    let (number, rest) = file.split_at(end);
    rest.starts_with(['.', ' ', '_', '-']).then(|| number.parse().ok()).flatten()
}

/// Whether a name calls itself a special: `Show - Special 2`, `Show OVA 1`.
fn is_special(read: &Release, file: &str) -> bool {
    let kinds = [ReleaseType::Ova, ReleaseType::Oad];
    let mut words = file.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let numbered = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    kinds.into_iter().any(|kind| read.release_types.contains(kind))
        || words.by_ref().any(|word| ["special", "sp"].iter().any(|special| word.eq_ignore_ascii_case(special)))
            && words.next().is_some_and(numbered)
}

fn folder_season(folder: &str) -> Option<u16> {
    if ["specials", "special", "ova", "ovas", "oad"].iter().any(|word| folder.eq_ignore_ascii_case(word)) {
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
