//! The media type a player is told.

use http::HeaderValue;

/// Types an origin may name itself. Anything else is replaced by what the file's name says: an origin must not make a
/// browser read its bytes as a page.
const PLAYABLE: [&str; 2] = ["video/", "audio/"];

/// By extension, in lower case. IANA's names where there are any, else those players send and accept.
const BY_EXTENSION: [(&str, &str); 31] = [
    ("3gp", "video/3gpp"),
    ("aac", "audio/aac"),
    ("ac3", "audio/ac3"),
    ("ass", "text/x-ssa"),
    ("avi", "video/x-msvideo"),
    ("divx", "video/x-msvideo"),
    ("flac", "audio/flac"),
    ("flv", "video/x-flv"),
    ("m2ts", "video/mp2t"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4v", "video/mp4"),
    ("mk3d", "video/x-matroska"),
    ("mka", "audio/x-matroska"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("mts", "video/mp2t"),
    ("ogg", "audio/ogg"),
    ("ogm", "video/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("srt", "application/x-subrip"),
    ("ts", "video/mp2t"),
    ("vob", "video/mpeg"),
    ("vtt", "text/vtt"),
    ("webm", "video/webm"),
    ("wmv", "video/x-ms-wmv"),
];

const UNKNOWN: &str = "application/octet-stream";

/// The origin's type when it is one a player plays, else the type of the file's extension.
pub(super) fn media_type(origin: Option<&HeaderValue>, file_name: &str) -> HeaderValue {
    let playable = |value: &&HeaderValue| {
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        text.len() <= 100 && PLAYABLE.iter().any(|kind| text.starts_with(kind))
    };
    origin.filter(playable).cloned().unwrap_or_else(|| HeaderValue::from_static(by_name(file_name)))
}

fn by_name(file_name: &str) -> &'static str {
    let Some((_, extension)) = file_name.rsplit_once('.') else { return UNKNOWN };
    let extension = extension.to_ascii_lowercase();
    BY_EXTENSION.binary_search_by_key(&extension.as_str(), |(known, _)| known).map_or(UNKNOWN, |at| BY_EXTENSION[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(BY_EXTENSION.is_sorted_by_key(|(extension, _)| *extension));
    }

    #[test]
    fn a_browser_is_never_told_of_a_page() {
        for (origin, name, told) in [
            (Some("video/x-matroska"), "film.mp4", "video/x-matroska"),
            (Some("Video/MP4"), "film", "Video/MP4"),
            (Some("application/octet-stream"), "A Film.MKV", "video/x-matroska"),
            (Some("text/html"), "film.mp4", "video/mp4"),
            (Some("image/svg+xml"), "film", "application/octet-stream"),
            (None, "film.webm", "video/webm"),
            (None, "film.exe", "application/octet-stream"),
            (None, "", "application/octet-stream"),
        ] {
            let origin = origin.map(HeaderValue::from_static);
            assert_eq!(media_type(origin.as_ref(), name), told, "{origin:?} {name}");
        }
    }
}
