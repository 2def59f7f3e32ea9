//! Whether a release can hold the film or episode that was asked for.

use chill_core::source::is_anime;
use chill_core::{ContentId, Numbers, Title};
use chill_release::{Release, titles_match};

/// A release's year may differ from the title's by this much: festivals, late releases, sloppy names.
const YEAR_SLACK: u16 = 1;

/// Whether the release is worth listing. `exact`: the source searched by id, so its title needs no look; its season and
/// episode still do, because indexers answer with neighbours.
pub(crate) fn suits(content: &ContentId, title: Option<&Title>, release: &Release, exact: bool) -> bool {
    let is_called = || exact || title.is_some_and(|title| is_called(release, title, content));
    match Numbers::of(content, title) {
        None => is_called() && (exact || (release.seasons.is_empty() && release.episodes.is_empty())),
        Some(numbers) if is_anime(content, title) => holds_anime(release, title, numbers, exact),
        Some(numbers) => is_called() && holds_episode(release, numbers, exact),
    }
}

fn is_called(release: &Release, title: &Title, content: &ContentId) -> bool {
    if !is_named(release, title.names()) {
        return false;
    }
    match (title.year, release.years()) {
        (Some(year), Some((first, last))) => {
            let from = first.saturating_sub(YEAR_SLACK);
            // A series' release bears the year of its season, which is the first year or a later one.
            if content.is_film() {
                (from..=last.saturating_add(YEAR_SLACK)).contains(&year)
            } else {
                year <= last.saturating_add(YEAR_SLACK)
            }
        }
        _ => true,
    }
}

/// Whether the release's title, or one of several that it has, is one of the names.
pub(crate) fn is_named<'a>(release: &Release, mut names: impl Iterator<Item = &'a str>) -> bool {
    let title = release.title.as_str();
    let several = title.contains(['/', '|']) || title.contains(" aka ") || title.contains(" AKA ");
    names.any(|name| {
        titles_match(title, name)
            || several
                && title
                    .split(['/', '|'])
                    .flat_map(|part| part.split(" aka "))
                    .flat_map(|part| part.split(" AKA "))
                    .any(|part| titles_match(part, name))
    })
}

fn holds_episode(release: &Release, numbers: Numbers, exact: bool) -> bool {
    let Numbers { season, episode, absolute, .. } = numbers;
    let season_fits = match release.seasons.as_slice() {
        [] => exact || release.complete || (season == Some(1) && !release.episodes.is_empty()),
        seasons => season.is_some_and(|season| seasons.contains(&season)),
    };
    if season_fits && (release.episodes.is_empty() || release.episodes.contains(&episode)) {
        return true;
    }
    // What names no season may count through all of them.
    release.seasons.is_empty() && absolute.is_some_and(|absolute| release.episodes.contains(&absolute))
}

/// Anime is numbered within its season, through all seasons, or within a part that has a name of its own.
fn holds_anime(release: &Release, title: Option<&Title>, numbers: Numbers, exact: bool) -> bool {
    let Numbers { season, episode, absolute, own } = numbers;
    let series = exact || title.is_some_and(|title| is_named(release, title.names()));
    let part = title.is_some_and(|title| is_named(release, title.part.iter().map(String::as_str)));
    let has = |number: u16| release.episodes.is_empty() || release.episodes.contains(&number);
    let has_absolute = absolute.is_some_and(|absolute| release.episodes.contains(&absolute));
    if release.seasons.is_empty() {
        let first = season.is_none_or(|season| season == 1);
        let whole = release.episodes.is_empty();
        return part && has(own) || series && (whole || has_absolute || first && release.episodes.contains(&episode));
    }
    let season_fits = release.seasons.contains(&season.unwrap_or(1));
    (series || part) && (season_fits && has(episode) || (season.is_none() || season_fits) && has_absolute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chill_release::parse;

    fn title(name: &str, year: Option<u16>) -> Title {
        Title::new(name, year)
    }

    #[test]
    fn films_match_by_title_and_year() {
        let film: ContentId = "tt0063350".parse().unwrap();
        let named = title("Night of the Quiet Hills", Some(1968));
        let suits = |name: &str| suits(&film, Some(&named), &parse(name), false);
        assert!(suits("Night.of.the.Quiet.Hills.1968.1080p.BluRay.x264-GRP"));
        assert!(suits("Night of the Quiet Hills (1969) 720p"));
        assert!(suits("Night.of.the.Quiet.Hills.1080p.WEB-DL"));
        assert!(!suits("Night.of.the.Quiet.Hills.1990.1080p.BluRay.x264-GRP"), "a remake");
        assert!(!suits("Day.of.the.Loud.Valleys.1968.1080p.BluRay"));
        assert!(!suits("Night.of.the.Quiet.Hills.S01E02.1080p.WEB"), "a series of the same name");
    }

    #[test]
    fn an_exact_source_needs_no_title_but_the_right_episode() {
        let film: ContentId = "tt1".parse().unwrap();
        assert!(suits(&film, None, &parse("Ein.anderer.Titel.1968.1080p"), true));
        assert!(!suits(&film, None, &parse("Night.1968.1080p"), false), "nobody knows what the film is called");
        let episode: ContentId = "tt2:2:5".parse().unwrap();
        assert!(suits(&episode, None, &parse("Serie.S02E05.1080p"), true));
        assert!(!suits(&episode, None, &parse("Serie.S02E06.1080p"), true));
        assert!(!suits(&episode, None, &parse("Serie.S03.1080p"), true));
    }

    #[test]
    fn episodes_are_inside_their_releases() {
        let episode: ContentId = "tt2:2:5".parse().unwrap();
        let named = title("Harbour Lights", Some(2001));
        let suits = |name: &str| suits(&episode, Some(&named), &parse(name), false);
        for good in [
            "Harbour.Lights.S02E05.1080p.WEB-DL.x264-GRP",
            "Harbour.Lights.S02.1080p.WEB-DL.x264-GRP",
            "Harbour.Lights.S01-S04.720p.BluRay",
            "Harbour.Lights.S02E04-E06.720p",
            "Harbour Lights 2003 S02E05 720p",
        ] {
            assert!(suits(good), "{good}");
        }
        for bad in [
            "Harbour.Lights.S02E04.1080p.WEB-DL.x264-GRP",
            "Harbour.Lights.S01.1080p.WEB-DL.x264-GRP",
            "Harbour.Lights.S03E05.720p",
            "Other.Show.S02E05.1080p.WEB",
            "Harbour.Lights.1999.S02E05.720p",
        ] {
            assert!(!suits(bad), "{bad}");
        }
    }

    #[test]
    fn a_foreign_film_is_known_by_each_of_its_titles() {
        let film: ContentId = "tt1".parse().unwrap();
        let named = Title { also: vec!["Die stillen Hügel".to_owned()], ..title("The Quiet Hills", Some(1968)) };
        for (name, expected) in [
            ("Die.stillen.Huegel.1968.German.1080p.BluRay-GRP", true),
            ("Die.stillen.Hügel.1968.German.1080p.BluRay-GRP", true),
            ("The.Quiet.Hills.1968.1080p", true),
            ("Die stillen Hügel / The Quiet Hills (1968) 1080p", true),
            ("Die stillen Täler (1968) 1080p", false),
        ] {
            assert_eq!(suits(&film, Some(&named), &parse(name), false), expected, "{name}: {}", parse(name).title);
        }
    }

    #[test]
    fn anime_suits_however_it_counts() {
        let content: ContentId = "kitsu:8671:5".parse().unwrap();
        let numbers = Some(Numbers { season: Some(2), episode: 5, absolute: Some(30), own: 5 });
        let names = Title { part: vec!["Tidal Blades Ebb".to_owned()], numbers, ..title("Tidal Blades", Some(2013)) };
        let names = Title { also: vec!["Ushio no Yaiba".to_owned()], ..names };
        for (name, expected) in [
            ("[Grp] Tidal Blades S2 - 05 [1080p]", true),
            ("[Grp] Ushio no Yaiba S2 - 05 [1080p]", true),
            ("[Grp] Ushio no Yaiba - 30 [1080p]", true),
            ("[Grp] Tidal Blades - 05 [1080p]", false),
            ("[Grp] Tidal Blades Ebb - 05 [1080p]", true),
            ("[Grp] Tidal Blades Ebb - 30 [1080p]", false),
            ("Tidal.Blades.S02E05.1080p.WEB", true),
            ("Tidal.Blades.S02E30.1080p.WEB", true),
            ("Tidal.Blades.S01E05.1080p.WEB", false),
            ("[Grp] Tidal Blades S01-S03 [1080p]", true),
            ("[Grp] Tidal Blades (01-37) [1080p][Batch]", true),
            ("[Grp] Tidal Blades (01-25) [1080p][Batch]", false),
            ("[Grp] Other Blades - 30 [1080p]", false),
        ] {
            assert_eq!(suits(&content, Some(&names), &parse(name), false), expected, "{name}: {:?}", parse(name));
        }
        let by_imdb: ContentId = "tt5:2:5".parse().unwrap();
        let anime = Title { is_anime: true, imdb: Some("tt5".to_owned()), ..names };
        for (name, expected) in [
            ("[Grp] Tidal Blades - 30 [1080p]", true),
            ("[Grp] Ushio no Yaiba - 30 [1080p]", true),
            ("[Grp] Ushio no Yaiba - 29 [1080p]", false),
            ("[Grp] Tidal Blades Ebb - 05 [1080p]", true),
            ("Tidal.Blades.S02E05.1080p.WEB", true),
            ("Tidal.Blades.S02E30.1080p.WEB", true),
            ("Tidal.Blades.S01E05.1080p.WEB", false),
            ("[Grp] Tidal Blades (01-37) [1080p][Batch]", true),
        ] {
            assert_eq!(suits(&by_imdb, Some(&anime), &parse(name), false), expected, "{name}: {:?}", parse(name));
        }
        let through: ContentId = "kitsu:12:137".parse().unwrap();
        let names = title("Tidal Blades", None);
        for (name, expected) in [
            ("[Grp] Tidal Blades - 137 [1080p]", true),
            ("[Grp] Tidal Blades - 0137 [720p]", true),
            ("[Grp] Tidal Blades - 136 [1080p]", false),
            ("[Grp] Tidal Blades S05E137 [1080p]", true),
            ("[Grp] Tidal Blades 001-200 [1080p]", true),
        ] {
            assert_eq!(suits(&through, Some(&names), &parse(name), false), expected, "{name}: {:?}", parse(name));
        }
    }
}
