//! Which file of a torrent is the film or the episode.
//!
//! An episode is found by its numbers (`episode`), else by the name the link gives, else by its position, else because it
//! is the only video; a film by name, by position, by title and year, else it is the largest video, and of several discs
//! the first. Samples and extras never.

mod episode;
mod parts;

use chill_core::{ContentId, Numbers, Title};
use chill_release::{is_sample_or_extra, is_video, parse};

use super::suitable::is_named;

/// More files of one torrent are not looked at.
const MOST_FILES: usize = 5_000;
/// A release's year may differ from the title's by this much.
const YEAR_SLACK: u16 = 1;

/// What is looked for inside a torrent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) content: &'a ContentId,
    /// What it is called, where that is known: it tells the films of a collection apart, and how an episode counts.
    pub(crate) title: Option<&'a Title>,
    /// The torrent's own name: it tells the season where files only count episodes.
    pub(crate) torrent: &'a str,
    /// The file's name, as the link gives it.
    pub(crate) name: Option<&'a str>,
    /// The file's position in the torrent, as the link gives it.
    pub(crate) index: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
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

    /// Larger first, then the one that comes first.
    fn by_size(&self) -> (u64, std::cmp::Reverse<usize>) {
        (self.size, std::cmp::Reverse(self.position))
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
    let chosen = match Numbers::of(wish.content, wish.title) {
        Some(numbers) => episode::choose(&videos, wish, numbers),
        None => choose_film(&videos, wish),
    };
    chosen.map(|video| video.position)
}

fn choose_film<'a>(videos: &[Video<'a>], wish: &Wish<'_>) -> Option<Video<'a>> {
    let by_name = wish.name.and_then(|name| videos.iter().find(|video| video.is_named(name)));
    let by_index = || wish.index.and_then(|index| videos.iter().find(|video| video.position == index));
    if let Some(clicked) = by_name.or_else(by_index) {
        return Some(*clicked);
    }
    let by_title = || {
        let title = wish.title.filter(|_| videos.len() > 1)?;
        videos.iter().filter(|video| is_called(video, title)).max_by_key(|video| video.by_size())
    };
    let largest = || videos.iter().max_by_key(|video| video.by_size());
    let film = by_title().or_else(largest)?;
    Some(*parts::first(videos, film))
}

fn is_called(video: &Video<'_>, title: &Title) -> bool {
    let release = parse(video.name());
    let year_fits = match (title.year, release.years()) {
        (Some(year), Some((first, last))) => {
            (first.saturating_sub(YEAR_SLACK)..=last.saturating_add(YEAR_SLACK)).contains(&year)
        }
        _ => true,
    };
    year_fits && is_named(&release, title.names())
}

#[cfg(test)]
mod tests;
