//! Whether a release can hold the film or episode that was asked for.

use chill_core::{ContentId, Title};
use chill_release::{Release, titles_match};

/// A release's year may differ from the title's by this much: festivals, late releases, sloppy names.
const YEAR_SLACK: u16 = 1;

/// Whether the release is worth listing. `exact`: the source searched by id, so its title needs no look; its season and
/// episode still do, because indexers answer with neighbours.
pub(crate) fn suits(content: &ContentId, title: Option<&Title>, release: &Release, exact: bool) -> bool {
    let named = exact || title.is_some_and(|title| is_called(release, title, content));
    named
        && match content.episode() {
            None => exact || (release.seasons.is_empty() && release.episodes.is_empty()),
            Some((season, episode)) => holds_episode(release, season, episode, exact),
        }
}

fn is_called(release: &Release, title: &Title, content: &ContentId) -> bool {
    if !titles_match(&release.title, &title.name) {
        return false;
    }
    match (title.year, release.years()) {
        (Some(year), Some((first, last))) => {
            let from = first.saturating_sub(YEAR_SLACK);
            // A series' release bears the year of its season, which is the first year or a later one.
            match content {
                ContentId::Movie { .. } => (from..=last.saturating_add(YEAR_SLACK)).contains(&year),
                ContentId::Episode { .. } => year <= last.saturating_add(YEAR_SLACK),
            }
        }
        _ => true,
    }
}

fn holds_episode(release: &Release, season: u16, episode: u16, exact: bool) -> bool {
    let season_fits = match release.seasons.as_slice() {
        [] => exact || release.complete || (season == 1 && !release.episodes.is_empty()),
        seasons => seasons.contains(&season),
    };
    season_fits && (release.episodes.is_empty() || release.episodes.contains(&episode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chill_release::parse;

    fn title(name: &str, year: Option<u16>) -> Title {
        Title { name: name.to_owned(), year }
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
}
