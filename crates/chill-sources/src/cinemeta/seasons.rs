//! How long the seasons of a series are, and what that says of an episode counted through.

use chill_core::Numbers;
use serde::Deserialize;

/// More seasons are not remembered.
const MOST: u16 = 100;

/// The number of the last episode of each season, from the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seasons(Vec<u16>);

/// One episode, as far as it matters here.
#[derive(Deserialize)]
pub(super) struct Video {
    #[serde(default)]
    season: Option<u16>,
    #[serde(default)]
    episode: Option<u16>,
    /// The older name of the same.
    #[serde(default)]
    number: Option<u16>,
}

impl Seasons {
    pub(super) fn of(videos: &[Video]) -> Self {
        let mut last = Vec::new();
        for video in videos {
            let (Some(season @ 1..=MOST), Some(episode)) = (video.season, video.episode.or(video.number)) else {
                continue;
            };
            let place = usize::from(season - 1);
            if last.len() <= place {
                last.resize(place + 1, 0);
            }
            if let Some(known) = last.get_mut(place) {
                *known = episode.max(*known);
            }
        }
        Self(last)
    }

    /// The numbers of an episode; none when nothing is known that its id does not say. An episode beyond the first
    /// season's end is taken as counted through, when later seasons reach that far.
    pub(super) fn numbers(&self, season: u16, episode: u16) -> Option<Numbers> {
        let first = *self.0.first()?;
        if season == 1 && episode > first {
            let (season, within) = self.place(episode)?;
            return Some(Numbers { season: Some(season), episode: within, absolute: Some(episode), own: episode });
        }
        if season == 0 {
            return None;
        }
        let before = self.0.get(..usize::from(season - 1))?;
        // A season nothing is known of would make the sum too small.
        if before.contains(&0) {
            return None;
        }
        let absolute = before.iter().try_fold(episode, |sum, length| sum.checked_add(*length))?;
        Some(Numbers { season: Some(season), episode, absolute: Some(absolute), own: episode })
    }

    fn place(&self, absolute: u16) -> Option<(u16, u16)> {
        let mut left = absolute;
        for (season, length) in (1_u16..).zip(&self.0) {
            if *length == 0 {
                return None;
            }
            if left <= *length {
                return Some((season, left));
            }
            left -= length;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seasons(episodes: &[(u16, u16)]) -> Seasons {
        let video =
            |&(season, episode): &(u16, u16)| Video { season: Some(season), episode: Some(episode), number: None };
        Seasons::of(&episodes.iter().map(video).collect::<Vec<_>>())
    }

    #[test]
    fn episodes_are_counted_through() {
        let series = seasons(&[(0, 3), (1, 1), (1, 12), (2, 13), (3, 2), (900, 1)]);
        for ((season, episode), expected) in [
            ((1, 5), Some((1, 5, 5))),
            ((2, 5), Some((2, 5, 17))),
            ((3, 1), Some((3, 1, 26))),
            ((3, 9), Some((3, 9, 34))),
            ((1, 17), Some((2, 5, 17))),
            ((1, 27), Some((3, 2, 27))),
            ((1, 28), None),
            ((0, 1), None),
            ((9, 1), None),
        ] {
            let numbers = series.numbers(season, episode);
            let told = numbers.map(|n| (n.season.unwrap(), n.episode, n.absolute.unwrap()));
            assert_eq!(told, expected, "S{season}E{episode}");
        }
        assert_eq!(seasons(&[]).numbers(1, 1), None);
        assert_eq!(seasons(&[(1, 5), (3, 5)]).numbers(3, 1), None, "who knows how long the second was");
        assert_eq!(seasons(&[(1, u16::MAX), (2, 5)]).numbers(2, 1), None);
    }
}
