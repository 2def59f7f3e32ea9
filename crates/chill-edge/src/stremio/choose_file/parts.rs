//! Films in several files: the discs of an old rip, the pieces of a DVD.

use super::Video;

/// Words before the number of a disc or part.
const WORDS: [&str; 7] = ["cd", "disc", "disk", "dvd", "part", "pt", "teil"];

/// The first part of the film that `film` is a part of; `film` itself when it is whole.
pub(super) fn first<'v, 'a>(videos: &'v [Video<'a>], film: &'v Video<'a>) -> &'v Video<'a> {
    let Some((number, before, after)) = part(film.path) else { return film };
    let first = |video: &&Video<'a>| {
        part(video.path).is_some_and(|(other, start, end)| {
            (1..number).contains(&other) && (start, end) == (before.clone(), after.clone())
        })
    };
    videos.iter().filter(first).min_by_key(|video| part(video.path).map(|(number, ..)| number)).unwrap_or(film)
}

/// The number behind `Part` at the end of a name, as some mini series count.
pub(super) fn number(path: &str) -> Option<u32> {
    let (number, before, _) = part(path)?;
    let before = before.trim_end_matches([' ', '.', '-', '_']);
    ["part", "pt", "teil"].iter().any(|word| before.ends_with(word)).then_some(number)
}

/// The number of a part, and the path before and after it without that number: equal for all parts of one film.
fn part(path: &str) -> Option<(u32, String, String)> {
    let low = path.to_ascii_lowercase();
    let mut found = None;
    let runs = low.char_indices().filter(|(at, c)| {
        c.is_ascii_digit() && !low.get(..*at).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()))
    });
    for (at, _) in runs {
        let (before, rest) = low.split_at(at);
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if digits <= 2
            && (is_disc(before) || is_dvd_piece(before, after))
            && let Ok(number) = number.parse()
        {
            found = Some((number, without_parts(before), after.to_owned()));
        }
    }
    found
}

fn is_disc(before: &str) -> bool {
    let word = before.trim_end_matches([' ', '.', '-', '_', '#']);
    let start = word.rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    word.get(start..).is_some_and(|word| WORDS.contains(&word))
}

/// `VTS_01_2.VOB`
fn is_dvd_piece(before: &str, after: &str) -> bool {
    after == ".vob" && before.rsplit('/').next().is_some_and(|name| name.starts_with("vts_") && name.len() == 7)
}

/// A folder may bear the number too: `CD1/film.cd1.avi`.
fn without_parts(before: &str) -> String {
    let mut kept = String::with_capacity(before.len());
    for folder in before.split_inclusive('/') {
        let disc = folder.trim_end_matches(|c: char| c == '/' || c.is_ascii_digit());
        kept.push_str(if folder.ends_with('/') && is_disc(disc) { disc } else { folder });
    }
    kept
}
