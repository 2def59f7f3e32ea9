//! Which files of a torrent are worth playing.

/// Extensions of files that hold moving pictures, lower-case and sorted.
pub(crate) const VIDEO: &[&str] = &[
    "3g2", "3gp", "amv", "asf", "avi", "divx", "drc", "f4a", "f4b", "f4p", "f4v", "flv", "gifv", "m2ts", "m2v", "m4p",
    "m4v", "mk3d", "mkv", "mng", "mov", "mp2", "mp4", "mpe", "mpeg", "mpg", "mpv", "mts", "mxf", "nsv", "ogm", "ogv",
    "qt", "rm", "rmvb", "roq", "strm", "svi", "ts", "vob", "webm", "wmv", "wtv", "yuv",
];

/// Extensions of files with subtitles.
pub(crate) const SUBTITLES: &[&str] = &["ass", "idx", "smi", "srt", "ssa", "sub", "sup", "vtt"];

/// Other extensions that end a name without belonging to it.
const OTHER: &[&str] = &[
    "aac", "flac", "iso", "jpg", "m4a", "mka", "mks", "mp3", "nfo", "nzb", "ogg", "png", "rar", "sfv", "torrent",
    "txt", "wav", "zip",
];

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

/// The known extension at the end of a name, lower-case, without its dot.
pub(crate) fn extension(name: &str) -> Option<&'static str> {
    let (_, last) = name.rsplit_once('.')?;
    if last.len() > 8 {
        return None;
    }
    [VIDEO, SUBTITLES, OTHER].into_iter().flatten().copied().find(|known| known.eq_ignore_ascii_case(last))
}

/// Whether the path ends in the extension of a video file.
#[must_use]
pub fn is_video(path: &str) -> bool {
    extension(path).is_some_and(|known| VIDEO.contains(&known))
}

/// Whether the path ends in the extension of a subtitle file.
#[must_use]
pub fn is_subtitles(path: &str) -> bool {
    extension(path).is_some_and(|known| SUBTITLES.contains(&known))
}

/// Whether a file of a torrent is a sample, trailer, creditless opening or other extra, judged by its folders and its name.
#[must_use]
pub fn is_sample_or_extra(path: &str) -> bool {
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or("");
    parts.next_back();
    let stem = extension(file).and_then(|known| file.get(..file.len().checked_sub(known.len() + 1)?)).unwrap_or(file);
    is_extra_name(stem) || path.rsplit(['/', '\\']).skip(1).take(8).any(is_extra_folder)
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
    let first = words().next().is_some_and(strong);
    let last = words().next_back().is_some_and(strong);
    let numbered = |letters: &str| letters.eq_ignore_ascii_case("ncop") || letters.eq_ignore_ascii_case("nced");
    first
        || last
        || words().any(|word| numbered(word.trim_end_matches(|c: char| c.is_ascii_digit())))
        || bracketed_sample(stem)
}

/// `film-sample.mkv`, `film.sample-group.mkv`, `[Sample] film.mkv`: the word set off by a dash, dot or bracket after the middle.
fn bracketed_sample(stem: &str) -> bool {
    let words: Vec<&str> =
        stem.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(64).collect();
    let near_end = words.len().saturating_sub(2).max(1);
    words.iter().skip(near_end).any(|word| word.eq_ignore_ascii_case("sample") || word.eq_ignore_ascii_case("trailer"))
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
