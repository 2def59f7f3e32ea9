//! Anime that is asked for by IMDb's id: which anime of the map an episode is in, and how it is counted through.

use chill_core::{AnimeId, AnimePlace, ContentId, Numbers, Title};

type Part = (AnimeId, AnimePlace);

/// The anime that a film or an episode is in; none when the map has several that may be.
pub(super) fn part_of<'a>(parts: &'a [Part], content: &ContentId) -> Option<&'a Part> {
    let ContentId::Episode { season, episode, .. } = content else { return only(parts.iter()) };
    let within = parts.iter().filter(|(_, place)| place.season == Some(*season) && place.offset < *episode);
    let last = within.max_by_key(|(id, place)| (place.offset, std::cmp::Reverse(id.number)));
    last.or_else(|| only(parts.iter().filter(|(_, place)| place.season.is_none())))
}

fn only<'a>(mut parts: impl Iterator<Item = &'a Part>) -> Option<&'a Part> {
    parts.next().filter(|_| parts.next().is_none())
}

/// The numbers of an episode: as a catalogue that knows all seasons tells them, else as the map counts.
pub(super) fn numbers(parts: &[Part], part: Option<&Part>, content: &ContentId, titles: &[Title]) -> Option<Numbers> {
    let ContentId::Episode { season, episode, .. } = *content else { return None };
    let told = titles.iter().find_map(|title| title.numbers);
    let absolute = || before(parts, season).and_then(|before| before.checked_add(episode));
    let told = told.unwrap_or_else(|| Numbers { season: Some(season), episode, absolute: absolute(), own: episode });
    let own = part.map(|(_, place)| match place.season {
        // One anime of all seasons counts through them.
        None => told.absolute.unwrap_or(told.episode),
        Some(_) => told.episode.saturating_sub(place.offset),
    });
    Some(Numbers { own: own.filter(|own| *own > 0).unwrap_or(told.episode), ..told })
}

/// Episodes before a season; none when the map does not say for each of them how many it has.
fn before(parts: &[Part], season: u16) -> Option<u16> {
    let mut sum = 0_u16;
    for earlier in 1..season {
        let mut of_season = parts.iter().filter(|(_, place)| place.season == Some(earlier)).peekable();
        of_season.peek()?;
        // The last part begins where those before it end, so that a special beside them does not count.
        let end = |(_, place): &Part| place.episodes.and_then(|episodes| place.offset.checked_add(episodes));
        let longest = of_season.map(end).try_fold(0, |most, end| Some(end?.max(most)))?;
        sum = sum.checked_add(longest)?;
    }
    (season > 0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use chill_core::AnimeSite;

    use super::*;

    fn part(number: u32, season: Option<u16>, offset: u16, episodes: Option<u16>) -> Part {
        let place = AnimePlace { kitsu: Some(number), imdb: Some("tt5".to_owned()), season, offset, episodes };
        (AnimeId { site: AnimeSite::Kitsu, number }, place)
    }

    #[test]
    fn an_episode_is_in_the_part_that_begins_before_it() {
        let seasons = [part(1, Some(1), 0, None), part(2, Some(2), 0, None), part(3, Some(2), 12, None)];
        let special = [part(8, Some(0), 0, None)];
        let through = [part(4, None, 0, None), special[0].clone()];
        let two = [part(4, None, 0, None), part(5, None, 0, None)];
        for (parts, content, expected) in [
            (seasons.as_slice(), "tt5:1:5", Some(1)),
            (&seasons, "tt5:2:12", Some(2)),
            (&seasons, "tt5:2:13", Some(3)),
            (&seasons, "tt5:3:1", None),
            (&seasons, "tt5", None),
            (&through, "tt5:9:20", Some(4)),
            (&through, "tt5:0:2", Some(8)),
            (&two, "tt5:1:1", None),
            (&special, "tt5", Some(8)),
            (&[], "tt5:1:1", None),
        ] {
            let found = part_of(parts, &content.parse().unwrap());
            assert_eq!(found.map(|(id, _)| id.number), expected, "{content}");
        }
    }

    #[test]
    fn the_map_counts_through_where_no_catalogue_does() {
        let counted = [
            part(1, Some(1), 0, Some(40)),
            part(2, Some(2), 0, Some(12)),
            part(3, Some(2), 12, Some(38)),
            part(4, Some(3), 0, Some(27)),
            part(9, Some(0), 0, None),
            part(5, Some(4), 0, None),
        ];
        for (content, expected) in [
            ("tt5:1:5", Some((Some(5), 5))),
            ("tt5:2:14", Some((Some(54), 2))),
            ("tt5:4:20", Some((Some(137), 20))),
            ("tt5:5:1", Some((None, 1))),
            ("tt5:0:3", Some((None, 3))),
            ("tt5", None),
        ] {
            let content = content.parse().unwrap();
            let numbers = numbers(&counted, part_of(&counted, &content), &content, &[]);
            assert_eq!(numbers.map(|n| (n.absolute, n.own)), expected, "{content}");
        }
        let content = "tt5:4:20".parse().unwrap();
        let told = Numbers { season: Some(4), episode: 20, absolute: Some(140), own: 20 };
        let titles = [Title { numbers: Some(told), ..Title::new("Tidal Blades", None) }];
        assert_eq!(numbers(&counted, part_of(&counted, &content), &content, &titles), Some(told));
        let through = [part(7, None, 0, None)];
        let own = numbers(&through, through.first(), &content, &titles).unwrap().own;
        assert_eq!(own, 140, "one anime of all seasons");
    }
}
