//! Names of anime: seasons are often a part of them.

use chill_release::{normalise_title, parse};

/// A name taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Without the season.
    pub(super) series: String,
    pub(super) season: Option<u16>,
}

/// Takes the season out of a name such as `Tidal Blades Season 2` or `Tidal Blades 2nd Season`.
pub(super) fn read(name: &str) -> Name {
    let release = parse(name);
    match release.seasons.as_slice() {
        [season] if !release.title.is_empty() && release.episodes.is_empty() => {
            Name { series: release.title.clone(), season: Some(*season) }
        }
        _ => Name { series: name.to_owned(), season: None },
    }
}

/// Adds a name that says something new.
pub(super) fn add(names: &mut Vec<String>, name: &str) {
    let plain = normalise_title(name);
    if !plain.is_empty() && !names.iter().any(|known| normalise_title(known) == plain) {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_is_taken_out_of_a_name() {
        for (name, series, season) in [
            ("Tidal Blades", "Tidal Blades", None),
            ("Tidal Blades Season 2", "Tidal Blades", Some(2)),
            ("Tidal Blades 2nd Season", "Tidal Blades", Some(2)),
            ("Tidal Blades S3", "Tidal Blades", Some(3)),
            ("Tidal Blades: The Long Night", "Tidal Blades: The Long Night", None),
            ("86", "86", None),
            ("潮の刃", "潮の刃", None),
        ] {
            let read = read(name);
            assert_eq!((read.series.as_str(), read.season), (series, season), "{name}");
        }
    }

    #[test]
    fn a_name_is_added_once() {
        let mut names = Vec::new();
        for name in ["Tidal Blades", "TIDAL BLADES!", "潮の刃", "!?", ""] {
            add(&mut names, name);
        }
        assert_eq!(names, ["Tidal Blades", "潮の刃"]);
    }
}
