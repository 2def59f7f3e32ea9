//! Which file of a torrent is the film or the episode.
//!
//! An episode is found by its numbers, else by the name the link gives, else by its position, else because it is the only
//! video; a film by name, by position, by title and year, else it is the largest video. Samples and extras never.

use chill_core::{ContentId, Title};
use chill_release::{EpisodeNumbers, episode_of, is_sample_or_extra, is_video, parse, titles_match};

/// More files of one torrent are not looked at.
const MOST_FILES: usize = 5_000;
/// A release's year may differ from the title's by this much.
const YEAR_SLACK: u16 = 1;

/// What is looked for inside a torrent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) content: &'a ContentId,
    /// What the film is called, where that is known: it tells the films of a collection apart.
    pub(crate) title: Option<&'a Title>,
    /// The torrent's own name: it tells the season where files only count episodes.
    pub(crate) torrent: &'a str,
    /// The file's name, as the link gives it.
    pub(crate) name: Option<&'a str>,
    /// The file's position in the torrent, as the link gives it.
    pub(crate) index: Option<usize>,
}

#[derive(Clone, Copy)]
struct Video<'a> {
    position: usize,
    path: &'a str,
    size: u64,
}

impl<'a> Video<'a> {
    fn name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    fn is_named(&self, name: &str) -> bool {
        self.name() == name || self.path.trim_start_matches('/') == name.trim_start_matches('/')
    }
}

/// The position of the file among `files` (path and bytes of each, in the torrent's order); none when it is not there.
pub(crate) fn choose<'a>(files: impl Iterator<Item = (&'a str, Option<u64>)>, wish: &Wish<'_>) -> Option<usize> {
    let videos: Vec<Video<'a>> = files
        .take(MOST_FILES)
        .enumerate()
        .map(|(position, (path, size))| Video { position, path, size: size.unwrap_or(0) })
        .filter(|video| is_video(video.path) && !is_sample_or_extra(video.path))
        .collect();
    let chosen = match wish.content.episode() {
        Some((season, episode)) => choose_episode(&videos, wish, season, episode),
        None => choose_film(&videos, wish),
    };
    chosen.map(|video| video.position)
}

fn choose_episode<'a>(videos: &[Video<'a>], wish: &Wish<'_>, season: u16, episode: u16) -> Option<Video<'a>> {
    let numbered: Vec<(Video<'a>, EpisodeNumbers)> =
        videos.iter().map(|video| (*video, episode_of(video.path))).collect();
    let exact = numbered.iter().filter(|(_, n)| n.season == Some(season) && n.episodes.contains(&episode));
    if let Some(found) = best(exact, wish) {
        return Some(found);
    }
    let seasons = parse(wish.torrent).seasons;
    // Files that only count episodes belong to the season their torrent names, or to the first when it names none.
    let season_fits = if seasons.is_empty() { season == 1 } else { seasons == [season] };
    if season_fits {
        let bare = numbered.iter().filter(|(_, n)| n.season.is_none() && n.episodes.contains(&episode));
        if let Some(found) = best(bare, wish) {
            return Some(found);
        }
    }
    let other_season = !seasons.is_empty() && !seasons.contains(&season);
    let silent = |n: &EpisodeNumbers| n.episodes.is_empty() && n.season.is_none_or(|s| s == season) && !other_season;
    let unnumbered: Vec<Video<'a>> = numbered.iter().filter(|(_, n)| silent(n)).map(|(video, _)| *video).collect();
    let by_name = wish.name.and_then(|name| unnumbered.iter().find(|video| video.is_named(name)));
    let by_index = || wish.index.and_then(|index| unnumbered.iter().find(|video| video.position == index));
    let only = || if videos.len() == 1 { unnumbered.first() } else { None };
    by_name.or_else(by_index).or_else(only).copied()
}

/// Among files of the same episode: the named one, else the one with the fewest other episodes, else the largest.
fn best<'a: 'b, 'b>(
    matching: impl Iterator<Item = &'b (Video<'a>, EpisodeNumbers)>,
    wish: &Wish<'_>,
) -> Option<Video<'a>> {
    let rank = |(video, numbers): &&(Video<'a>, EpisodeNumbers)| {
        let named = wish.name.is_some_and(|name| video.is_named(name));
        (!named, numbers.episodes.len(), u64::MAX - video.size)
    };
    matching.min_by_key(rank).map(|(video, _)| *video)
}

fn choose_film<'a>(videos: &[Video<'a>], wish: &Wish<'_>) -> Option<Video<'a>> {
    let by_name = wish.name.and_then(|name| videos.iter().find(|video| video.is_named(name)));
    let by_index = || wish.index.and_then(|index| videos.iter().find(|video| video.position == index));
    let by_title = || {
        let title = wish.title.filter(|_| videos.len() > 1)?;
        videos.iter().filter(|video| is_called(video.name(), title)).max_by_key(|video| video.size)
    };
    let largest = || videos.iter().max_by_key(|video| video.size);
    by_name.or_else(by_index).or_else(by_title).or_else(largest).copied()
}

fn is_called(name: &str, title: &Title) -> bool {
    let release = parse(name);
    let year_fits = match (title.year, release.years()) {
        (Some(year), Some((first, last))) => {
            (first.saturating_sub(YEAR_SLACK)..=last.saturating_add(YEAR_SLACK)).contains(&year)
        }
        _ => true,
    };
    year_fits && titles_match(&release.title, &title.name)
}

#[cfg(test)]
mod tests;
