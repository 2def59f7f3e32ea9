//! Which files of a torrent are worth playing.

/// What a file with an extension holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Video,
    Subtitles,
    Other,
}

/// Extensions that end a name without belonging to it, sorted.
pub(crate) const EXTENSIONS: &[(&str, Kind)] = &[
    ("3g2", Kind::Video),
    ("3gp", Kind::Video),
    ("amv", Kind::Video),
    ("asf", Kind::Video),
    ("ass", Kind::Subtitles),
    ("avi", Kind::Video),
    ("divx", Kind::Video),
    ("drc", Kind::Video),
    ("f4a", Kind::Video),
    ("f4b", Kind::Video),
    ("f4p", Kind::Video),
    ("f4v", Kind::Video),
    ("flv", Kind::Video),
    ("gifv", Kind::Video),
    ("idx", Kind::Subtitles),
    ("iso", Kind::Other),
    ("jpg", Kind::Other),
    ("m2ts", Kind::Video),
    ("m2v", Kind::Video),
    ("m4a", Kind::Other),
    ("m4p", Kind::Video),
    ("m4v", Kind::Video),
    ("mk3d", Kind::Video),
    ("mka", Kind::Other),
    ("mks", Kind::Other),
    ("mkv", Kind::Video),
    ("mng", Kind::Video),
    ("mov", Kind::Video),
    ("mp2", Kind::Video),
    ("mp4", Kind::Video),
    ("mpe", Kind::Video),
    ("mpeg", Kind::Video),
    ("mpg", Kind::Video),
    ("mpv", Kind::Video),
    ("mts", Kind::Video),
    ("mxf", Kind::Video),
    ("nfo", Kind::Other),
    ("nsv", Kind::Video),
    ("nzb", Kind::Other),
    ("ogm", Kind::Video),
    ("ogv", Kind::Video),
    ("png", Kind::Other),
    ("qt", Kind::Video),
    ("rar", Kind::Other),
    ("rm", Kind::Video),
    ("rmvb", Kind::Video),
    ("roq", Kind::Video),
    ("sfv", Kind::Other),
    ("smi", Kind::Subtitles),
    ("srt", Kind::Subtitles),
    ("ssa", Kind::Subtitles),
    ("strm", Kind::Video),
    ("sub", Kind::Subtitles),
    ("sup", Kind::Subtitles),
    ("svi", Kind::Video),
    ("torrent", Kind::Other),
    ("ts", Kind::Video),
    ("txt", Kind::Other),
    ("vob", Kind::Video),
    ("vtt", Kind::Subtitles),
    ("webm", Kind::Video),
    ("wmv", Kind::Video),
    ("wtv", Kind::Video),
    ("yuv", Kind::Video),
    ("zip", Kind::Other),
];

/// The known extension at the end of a name, lower-case and without its dot, and what such a file holds.
pub(crate) fn extension(name: &str) -> Option<(&'static str, Kind)> {
    let (_, last) = name.rsplit_once('.')?;
    let mut low = [0_u8; 8];
    let low = low.get_mut(..last.len())?;
    low.copy_from_slice(last.as_bytes());
    low.make_ascii_lowercase();
    let at = EXTENSIONS.binary_search_by(|(known, _)| known.as_bytes().cmp(low)).ok()?;
    EXTENSIONS.get(at).copied()
}

/// Whether the path ends in the extension of a video file.
#[must_use]
pub fn is_video(path: &str) -> bool {
    extension(path).is_some_and(|(_, kind)| kind == Kind::Video)
}

/// Whether the path ends in the extension of a subtitle file.
#[must_use]
pub fn is_subtitles(path: &str) -> bool {
    extension(path).is_some_and(|(_, kind)| kind == Kind::Subtitles)
}

/// Words that mark a file as something beside the film.
const EXTRAS: &[&str] = &[
    "behindthescenes",
    "bloopers",
    "bonus",
    "creditless",
    "deletedscene",
    "deletedscenes",
    "extra",
    "extras",
    "featurette",
    "featurettes",
    "gagreel",
    "interview",
    "interviews",
    "makingof",
    "nced",
    "ncop",
    "preview",
    "previews",
    "promo",
    "proof",
    "sample",
    "samples",
    "screens",
    "shorts",
    "teaser",
    "trailer",
    "trailers",
];

/// Folder and file-name words that are extras only when they stand alone, because films and episodes bear them too.
const WEAK_EXTRAS: &[&str] =
    &["extra", "interview", "preview", "promo", "proof", "shorts", "bonus", "teaser", "screens", "interviews"];

/// Whether a file of a torrent is a sample, trailer, creditless opening or other extra, judged by its folders and its name.
#[must_use]
pub fn is_sample_or_extra(path: &str) -> bool {
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or("");
    parts.next_back();
    let stem =
        extension(file).and_then(|(known, _)| file.get(..file.len().checked_sub(known.len() + 1)?)).unwrap_or(file);
    is_extra_name(stem) || path.rsplit(['/', '\\']).skip(1).any(is_extra_folder)
}

fn is_extra_folder(folder: &str) -> bool {
    joined_is(folder.bytes(), EXTRAS)
}

/// A name that is an extra as a whole, or that carries a word which only extras carry, at its start or end.
fn is_extra_name(stem: &str) -> bool {
    if joined_is(stem.bytes(), EXTRAS) {
        return true;
    }
    let words = || stem.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let strong = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        EXTRAS.iter().any(|known| known.eq_ignore_ascii_case(letters))
            && !WEAK_EXTRAS.iter().any(|weak| weak.eq_ignore_ascii_case(letters))
    };
    // "sample-film.mkv", but not the film "Sample This".
    let first = stem.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sample-"));
    let last = words().next_back().is_some_and(strong);
    let numbered = |letters: &str| letters.eq_ignore_ascii_case("ncop") || letters.eq_ignore_ascii_case("nced");
    first
        || last
        || words().any(|word| numbered(word.trim_end_matches(|c: char| c.is_ascii_digit())))
        || bracketed_sample(stem)
}

/// `film.sample-group.mkv`, `[Sample] film.mkv`: the word in brackets, or before the group at the end.
fn bracketed_sample(stem: &str) -> bool {
    let marks = |word: &str| word.eq_ignore_ascii_case("sample") || word.eq_ignore_ascii_case("trailer");
    let before_group = stem.rsplit_once('-').is_some_and(|(front, group)| {
        let word = front.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        marks(word) && word.len() < front.len() && group.chars().all(char::is_alphanumeric)
    });
    let inside = |part: &str| part.split([']', ')']).next().is_some_and(marks);
    before_group || stem.split(['[', '(']).skip(1).any(inside)
}

/// Whether the letters of `text`, without anything between them, are one of `known`.
fn joined_is(text: impl Iterator<Item = u8>, known: &[&str]) -> bool {
    let mut joined = [0_u8; 24];
    let mut length = 0;
    for byte in text.filter(u8::is_ascii_alphanumeric) {
        let Some(slot) = joined.get_mut(length) else { return false };
        *slot = byte.to_ascii_lowercase();
        length += 1;
    }
    let joined = joined.get(..length).unwrap_or_default();
    known.iter().any(|word| word.as_bytes() == joined)
}
