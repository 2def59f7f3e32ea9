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

/// Longest type that is passed on, in bytes.
const LONGEST: usize = 200;

/// The origin's type when it is one a player plays, else the type of the file's extension.
pub(super) fn media_type(origin: Option<&HeaderValue>, file_name: &str) -> HeaderValue {
    let playable = origin.filter(|value| is_playable(value)).cloned();
    playable.unwrap_or_else(|| HeaderValue::from_static(by_name(file_name)))
}

/// The origin's type, else the type of the file's extension.
pub(super) fn any_type(origin: Option<&HeaderValue>, file_name: &str) -> HeaderValue {
    // Each part of a multipart would be a document of its own, of a type nobody here has seen.
    let passed_on = |text: &str| text.contains('/') && !text.to_ascii_lowercase().starts_with("multipart/");
    let told = origin.filter(|value| is_one(value) && value.to_str().is_ok_and(passed_on)).cloned();
    told.unwrap_or_else(|| HeaderValue::from_static(by_name(file_name)))
}

/// Whether a player plays it.
pub(super) fn is_playable(value: &HeaderValue) -> bool {
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    is_one(value) && PLAYABLE.iter().any(|kind| text.starts_with(kind))
}

/// Whether it is one type, with its parameters: of several a browser takes the last (Fetch standard, "extract a MIME
/// type"), whatever the first one is.
fn is_one(value: &HeaderValue) -> bool {
    let mut quoted = false;
    let plain = value.as_bytes().iter().all(|byte| {
        quoted ^= *byte == b'"';
        *byte != b'\\' && (quoted || *byte != b',')
    });
    plain && !quoted && value.len() <= LONGEST
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
            (Some("video/mp4, text/html"), "film.mkv", "video/x-matroska"),
            (Some("video/mp4; x=\", text/html"), "film.mkv", "video/x-matroska"),
            (
                Some("video/mp4; codecs=\"avc1.42E01E, mp4a.40.2\""),
                "film",
                "video/mp4; codecs=\"avc1.42E01E, mp4a.40.2\"",
            ),
            (Some("image/svg+xml"), "film", "application/octet-stream"),
            (None, "film.webm", "video/webm"),
            (None, "film.exe", "application/octet-stream"),
            (None, "", "application/octet-stream"),
        ] {
            let origin = origin.map(HeaderValue::from_static);
            assert_eq!(media_type(origin.as_ref(), name), told, "{origin:?} {name}");
        }
    }

    #[test]
    fn any_other_file_is_told_as_its_server_tells_it() {
        for (origin, name, told) in [
            (Some("text/html; charset=utf-8"), "film.mkv", "text/html; charset=utf-8"),
            (Some("application/octet-stream"), "film.mkv", "application/octet-stream"),
            (Some("multipart/x-mixed-replace; boundary=b"), "list.m3u8", "application/vnd.apple.mpegurl"),
            (Some("image/png, text/html"), "a.png", "application/octet-stream"),
            (Some("nonsense"), "film.mkv", "video/x-matroska"),
            (None, "film.mkv", "video/x-matroska"),
        ] {
            let origin = origin.map(HeaderValue::from_static);
            assert_eq!(any_type(origin.as_ref(), name), told, "{origin:?} {name}");
        }
    }
}
