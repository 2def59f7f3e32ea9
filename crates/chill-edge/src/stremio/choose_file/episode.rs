//! The file of an episode, by its numbers: with a season, within a torrent that is of one season, or counted through.

use chill_core::Numbers;
use chill_release::{EpisodeNumbers, Release, episode_of, parse};

use super::{Video, Wish, parts};
use crate::stremio::suitable::is_named;

type Numbered<'a> = (Video<'a>, EpisodeNumbers);

/// The most episodes a season has in packs that write `102` for the second episode of the first season.
const HUNDRED_STYLE: u16 = 60;

pub(super) fn choose<'a>(videos: &[Video<'a>], wish: &Wish<'_>, numbers: Numbers) -> Option<Video<'a>> {
    let numbered: Vec<Numbered<'a>> = videos.iter().map(|video| (*video, episode_of(video.path))).collect();
    let pack = Pack { torrent: parse(wish.torrent), numbered: &numbered, wish, numbers };
    pack.by_numbers().or_else(|| pack.without_numbers())
}

/// A torrent's files and what is wanted of them.
struct Pack<'p, 'a> {
    torrent: Release,
    numbered: &'p [Numbered<'a>],
    wish: &'p Wish<'p>,
    numbers: Numbers,
}

impl<'a> Pack<'_, 'a> {
    fn by_numbers(&self) -> Option<Video<'a>> {
        let Numbers { season, episode, absolute, own } = self.numbers;
        if let Some(found) = absolute.filter(|_| self.counts_through()).and_then(|number| self.in_season(number)) {
            return Some(found);
        }
        let bare = |number: u16| self.best(|n| n.season.is_none() && n.episodes.contains(&number));
        let through = || absolute.and_then(bare);
        if season.is_none()
            && let Some(found) = bare(own).or_else(through)
        {
            return Some(found);
        }
        let season = season.or_else(|| self.only_season());
        let exact = |n: &EpisodeNumbers| n.season.is_some() && n.season == season && n.episodes.contains(&episode);
        if let Some(found) = self.best(exact) {
            return Some(found);
        }
        if self.is_of_other_seasons() {
            return None;
        }
        if self.is_of_the_season() {
            return bare(own).or_else(through).or_else(|| self.in_hundreds());
        }
        let first = season == Some(1) && self.torrent.seasons.is_empty();
        through().or_else(|| first.then(|| bare(own)).flatten()).or_else(|| self.in_hundreds())
    }

    /// Folders of seasons whose files count on from the season before.
    fn counts_through(&self) -> bool {
        let Numbers { season: Some(season), episode, absolute: Some(absolute), .. } = self.numbers else {
            return false;
        };
        let in_folder = |n: &&Numbered<'a>| n.1.season == Some(season) && n.1.absolute.is_some();
        let mut of_season = self.numbered.iter().filter(in_folder).peekable();
        absolute != episode && of_season.peek().is_some() && of_season.all(|(_, n)| !n.episodes.contains(&1))
    }

    fn in_season(&self, absolute: u16) -> Option<Video<'a>> {
        self.best(|n| n.season == self.numbers.season && n.absolute.is_some() && n.episodes.contains(&absolute))
    }

    /// The season of all files, where it is not known which one is wanted.
    fn only_season(&self) -> Option<u16> {
        if self.numbered.iter().any(|(_, n)| n.season.is_none() && !n.episodes.is_empty()) {
            return None;
        }
        let mut seasons = self.numbered.iter().filter_map(|(_, n)| n.season);
        let first = seasons.next()?;
        if seasons.all(|season| season == first) { Some(first) } else { Some(1) }
    }

    fn is_of_other_seasons(&self) -> bool {
        let seasons = &self.torrent.seasons;
        !seasons.is_empty() && self.numbers.season.is_some_and(|season| !seasons.contains(&season))
    }

    /// Files that only count episodes belong to the season their torrent names alone, or whose part it is named after.
    fn is_of_the_season(&self) -> bool {
        let part = self.wish.title.map(|title| title.part.as_slice()).unwrap_or_default();
        match self.torrent.seasons.as_slice() {
            [season] => self.numbers.season.is_none_or(|wanted| wanted == *season),
            [] => !part.is_empty() && is_named(&self.torrent, part.iter().map(String::as_str)),
            _ => false,
        }
    }

    /// `102` is the second episode of the first season where all files are numbered like that.
    fn in_hundreds(&self) -> Option<Video<'a>> {
        let Numbers { season: Some(season @ 1..), episode: episode @ 1..HUNDRED_STYLE, .. } = self.numbers else {
            return None;
        };
        let wanted = season.checked_mul(100)?.checked_add(episode)?;
        let bare = || self.numbered.iter().filter_map(|(_, n)| n.absolute.filter(|_| n.season.is_none()));
        let styled = bare().all(|number| number > 100 && (1..HUNDRED_STYLE).contains(&(number % 100)));
        let found = styled.then(|| self.best(|n| n.season.is_none() && n.episodes.contains(&wanted))).flatten();
        // One file alone may as well be counted through; a whole season begins with its first episode.
        let begins = bare().any(|number| number % 100 == 1) || bare().count() == 1;
        found.filter(|_| begins)
    }

    /// Files that say no number at all: by name, by position, or the only one there is.
    fn without_numbers(&self) -> Option<Video<'a>> {
        if self.is_of_other_seasons() {
            return None;
        }
        let season = self.numbers.season;
        let silent = |n: &EpisodeNumbers| n.episodes.is_empty() && n.season.is_none_or(|s| Some(s) == season);
        let unnumbered: Vec<Video<'a>> =
            self.numbered.iter().filter(|(_, n)| silent(n)).map(|(video, _)| *video).collect();
        let by_name = self.wish.name.and_then(|name| unnumbered.iter().find(|video| video.is_named(name)));
        let by_index = || self.wish.index.and_then(|index| unnumbered.iter().find(|video| video.position == index));
        let only = || if self.numbered.len() == 1 { unnumbered.first() } else { None };
        let part = || {
            let first = season.is_none_or(|season| season == 1);
            let episode = Some(u32::from(self.numbers.own)).filter(|_| first);
            unnumbered.iter().find(|video| episode.is_some() && parts::number(video.path) == episode)
        };
        by_name.or_else(by_index).or_else(part).or_else(only).copied()
    }

    /// Among files of the same episode: the named one, else the one whose title is right, else the one with the fewest
    /// other episodes, else the largest.
    fn best(&self, holds: impl Fn(&EpisodeNumbers) -> bool) -> Option<Video<'a>> {
        let matching: Vec<&Numbered<'a>> = self.numbered.iter().filter(|(_, n)| holds(n)).collect();
        let title = self.wish.title.filter(|_| matching.len() > 1);
        let rank = |(video, numbers): &&Numbered<'a>| {
            let clicked = self.wish.name.is_some_and(|name| video.is_named(name));
            let called = title.is_some_and(|title| {
                is_named(&parse(video.name()), title.names().chain(title.part.iter().map(String::as_str)))
            });
            (!clicked, !called, numbers.episodes.len(), u64::MAX - video.size)
        };
        matching.into_iter().min_by_key(rank).map(|(video, _)| *video)
    }
}
