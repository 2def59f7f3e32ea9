//! What strangers send, thrown at what reads it: a function a target, each with what must hold for every input.
//!
//! For: libFuzzer, through `fuzz_targets`, and the ordinary tests, which run each of them on the inputs in `kept`. A
//! function fails by panicking. Start reading at [`TARGETS`].

use chill_core::range::{RangeRequest, Span};
use chill_edge::proxy::fuzz as token;
use chill_edge::stremio::user_data::{InvalidUserData, LONGEST, MOST_STORES, UserData};
use chill_sources::Torrent;

/// A target: takes any bytes, panics where something does not hold.
pub type Target = fn(&[u8]);

/// All of them, by their names, which are also those of their directories in `kept`.
pub const TARGETS: [(&str, Target); 9] = [
    ("answer", answer),
    ("bypass", bypass),
    ("records", records),
    ("range", range),
    ("user_data", user_data),
    ("proxy_token", proxy_token),
    ("release", release),
    ("torznab", torznab),
    ("torrent", torrent),
];

/// Answers of origins: in whatever pieces they come, they say the same.
pub fn answer(data: &[u8]) {
    let whole = chill_edge::relay::fuzz::answer(data, usize::MAX);
    for piece in [1, 7] {
        assert_eq!(chill_edge::relay::fuzz::answer(data, piece), whole);
    }
    if let Some((_, body, _)) = whole {
        assert!(body.len() < data.len());
    }
}

/// A film that is carried in pieces, some of them past the process: it comes as it was sent.
pub fn bypass(data: &[u8]) {
    let data = &data[..data.len().min(48)];
    assert!(chill_edge::relay::fuzz::carried(data).is_ok_and(|(film, came)| film == came));
}

/// Records of TLS: the input is what came from an origin, and what an origin seals. In whatever pieces they come, the same
/// is in them.
pub fn records(data: &[u8]) {
    use chill_edge::relay::fuzz::{opened, sealed};
    let wire = sealed(data);
    let changed = [&wire, data].concat();
    for wire in [data, &wire, &changed] {
        let whole = opened(wire, usize::MAX);
        for piece in [1, 7, 100] {
            assert_eq!(opened(wire, piece), whole);
        }
    }
    let (Ok((film, _)) | Err(film)) = opened(&wire, usize::MAX);
    let told: Vec<u8> =
        data.split(|byte| *byte == 0).filter_map(|piece| piece.strip_prefix(&[23])).flatten().copied().collect();
    assert!(told.starts_with(&film), "only what was sealed as the film comes out");
}

/// `Range` and `Content-Range` headers. The first eight bytes are the length of the content.
pub fn range(data: &[u8]) {
    let Some((length, text)) = data.split_first_chunk::<8>() else { return };
    let (length, text) = (u64::from_le_bytes(*length), String::from_utf8_lossy(text));
    if let Some(span) = Span::parse(&text) {
        assert!(span.first <= span.last && span.last < span.length && span.count() > 0);
        assert_eq!(Span::parse(&span.to_string()), Some(span));
    }
    let RangeRequest::One(range) = RangeRequest::parse(&text) else { return };
    assert_eq!(RangeRequest::parse(&range.to_string()), RangeRequest::One(range));
    for length in [length, length % 1_000, 0, 1, u64::MAX] {
        if let Some(span) = range.resolve(length) {
            assert!(span.first <= span.last && span.last < span.length && span.length == length);
            assert_eq!(Span::parse(&span.to_string()), Some(span));
        }
    }
}

/// The segment of an install link; the input is one, and also the JSON in one.
pub fn user_data(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    read_user_data(&text);
    read_user_data(&base64(data));
}

fn read_user_data(segment: &str) {
    match UserData::parse(segment) {
        Ok(link) => {
            assert!((1..=MOST_STORES).contains(&link.stores.len()));
            assert!(link.stores.iter().all(|entry| entry.auth.is_some() || entry.token.is_some()));
            assert!(!format!("{link:?}").contains(&link.segment), "the link's credential is shown");
            let again = UserData::parse(&link.segment).expect("what was read is read again");
            assert_eq!((&again.segment, &again.choices), (&link.segment, &link.choices));
        }
        Err(InvalidUserData::Oversized) => assert!(segment.len() > LONGEST),
        Err(error) => assert!(error.to_string().len() < 300, "a sentence, not what was sent"),
    }
}

/// Tokens of `/v0/proxy`: the input is one, what is sealed into one of ours, and the claims or the plain JSON of a foreign
/// one.
pub fn proxy_token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(target) = token::opened(&text) {
        assert!(is_target(&target), "{target:?}");
    }
    if let Some(made) = token::made(&text) {
        let target = token::opened(&made).expect("a token of ours opens");
        assert!(is_target(&target), "{target:?}");
        let again = token::made(&target).expect("what came out of a token makes one");
        assert_eq!(token::opened(&again), Some(target));
        let cut = made.get(..made.len() - 2).expect("a token is ASCII");
        assert_eq!(token::opened(cut), None, "a signature was cut");
    }
    for foreign in [token::signed_as_foreign(&text), format!("base64.{}", base64_padded(data))] {
        if let Some(target) = token::opened(&foreign) {
            assert!(is_target(&target), "{target:?}");
        }
    }
}

/// One line for the URL and one for each header, none of which could become two in a request.
fn is_target(text: &str) -> bool {
    let mut lines = text.split('\n');
    let url = lines.next().is_some_and(|url| !url.is_empty() && !url.chars().any(char::is_control));
    url && lines.all(|line| line.contains(": ") && !line.contains(['\r', '\0']))
}

/// Names of releases and of files.
pub fn release(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = chill_release::parse(&text);
    for numbers in [&read.seasons, &read.episodes, &read.volumes] {
        assert!(numbers.len() <= chill_release::MAX_NUMBERS);
        assert!(numbers.iter().all(|number| *number <= chill_release::MAX_NUMBER));
    }
    assert_eq!(chill_release::parse(&text), read);
    if let Some((from, to)) = read.years() {
        assert!(from <= to, "{from}-{to}");
    }
    let title = chill_release::normalise_title(&read.title);
    assert_eq!(chill_release::normalise_title(&title), title);
    assert!(chill_release::titles_match(&read.title, &read.title) || title.is_empty());
    let _ = chill_release::episode_of(&text);
    let _ = chill_release::size_bytes(&text);
    assert!(!(chill_release::is_video(&text) && chill_release::is_subtitles(&text)));
    let _ = chill_release::is_sample_or_extra(&text);
}

/// Answers of Torznab indexers.
pub fn torznab(data: &[u8]) {
    match chill_sources::fuzz::feed(data) {
        Ok(found) => {
            assert!(found.len() <= 1_000);
            for torrent in found {
                assert!(!torrent.name.is_empty() && torrent.name.len() <= 4_096);
                assert!(!torrent.name.contains(char::is_control));
                assert_ne!(torrent.size, Some(0));
            }
        }
        Err(said) => {
            assert!(said.chars().count() <= 200 && !said.contains(char::is_control), "{said:?}");
            assert!(!said.contains("://") && !said.contains(chill_sources::fuzz::APIKEY), "{said:?}");
        }
    }
}

/// `.torrent` files.
pub fn torrent(data: &[u8]) {
    let Ok(torrent) = Torrent::read(data) else { return };
    assert!(!torrent.name.is_empty() && torrent.files.len() <= 10_000);
    let mut size = 0_u64;
    for file in &torrent.files {
        assert!(file.path.starts_with('/') && !file.path.contains("/../"), "{:?}", file.path);
        size = size.checked_add(file.size.unwrap_or_default()).expect("sizes were added before");
    }
    assert!(size <= torrent.size);
    let behind = [data, b"4:more"].concat();
    assert_eq!(Torrent::read(&behind), Ok(torrent), "what stands behind the end does not matter");
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 (RFC 4648 §4), without padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or_default()));
        let bits = three[0] << 16 | three[1] << 8 | three[2];
        for at in 0..=chunk.len() {
            let symbol = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or_default();
            text.push(char::from(ALPHABET[symbol]));
        }
    }
    text
}

fn base64_padded(bytes: &[u8]) -> String {
    let text = base64(bytes);
    let padding = text.len().next_multiple_of(4) - text.len();
    text + &"=".repeat(padding)
}
