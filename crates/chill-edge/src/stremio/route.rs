//! What a path below `/stremio/torz` asks for.
//!
//! Read here and not by the router, because a link in standard base64 may hold a raw `/`: whatever stands before the
//! words of the protocol is the user data.

use std::sync::Arc;

use chill_core::{ContentId, InfoHash, StoreCode};
use percent_encoding::percent_decode_str;

use super::links::Links;
use super::user_data::UserData;
use crate::error::ApiError;

/// A longer file name in a playback link is not one of ours.
const LONGEST_NAME: usize = 1024;

/// One request.
#[derive(Debug)]
pub(crate) enum Ask {
    /// `/`: where to begin.
    Root,
    /// `/configure` and `/{ud}/configure`.
    Configure(Option<Arc<UserData>>),
    /// `/manifest.json` and `/{ud}/manifest.json`.
    Manifest(Option<Arc<UserData>>),
    /// `/{ud}/stream/{type}/{id}.json`; no content when the id is of another kind than Torz knows.
    Streams(Arc<UserData>, Option<ContentId>),
    /// `/{ud}/_/strem/{sid}/{store}/{hash}/{idx}/{name}`.
    Play(Arc<UserData>, Click),
}

/// A click on a stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Click {
    pub(crate) content: ContentId,
    pub(crate) store: StoreCode,
    pub(crate) hash: InfoHash,
    /// Position of the file in the torrent, where the link names one.
    pub(crate) index: Option<usize>,
    /// Name of the file, where the link names one.
    pub(crate) name: Option<String>,
}

impl Ask {
    /// Reads the path after `/stremio/torz`, still percent-encoded.
    pub(crate) fn parse(path: &str, links: &Links) -> Result<Self, ApiError> {
        let path = path.strip_prefix('/').unwrap_or(path);
        match path {
            "" => return Ok(Self::Root),
            "configure" | "configure/" => return Ok(Self::Configure(None)),
            "manifest.json" => return Ok(Self::Manifest(None)),
            _ => {}
        }
        if let Some((segment, rest)) = path.split_once("/_/strem/") {
            return Ok(Self::Play(links.read(segment)?, click(rest)?));
        }
        if let Some((segment, rest)) = path.split_once("/stream/") {
            return Ok(Self::Streams(links.read(segment)?, content(rest)?));
        }
        if let Some(segment) = path.strip_suffix("/manifest.json") {
            return Ok(Self::Manifest(Some(links.read(segment)?)));
        }
        if let Some(segment) = path.strip_suffix("/configure") {
            return links.read(segment).map(|data| Self::Configure(Some(data)));
        }
        Err(ApiError::not_found())
    }
}

/// `{type}/{id}.json`, with extra properties after the id ignored. An id or type that other addons know is no error.
fn content(rest: &str) -> Result<Option<ContentId>, ApiError> {
    let mut parts = rest.split('/');
    let (kind, id) = (part(parts.next())?, part(parts.next())?);
    let id = id.strip_suffix(".json").unwrap_or(&id);
    if kind.is_empty() || id.is_empty() {
        return Err(ApiError::bad_request("a stream list is asked for as /stream/{type}/{id}.json"));
    }
    if !ContentId::PREFIXES.iter().any(|prefix| id.starts_with(prefix)) {
        return Ok(None);
    }
    let content: ContentId = id.parse().map_err(|_| bad_content())?;
    Ok(Some(content).filter(|content| content.is_of_type(&kind)))
}

fn bad_content() -> ApiError {
    ApiError::bad_request(
        "the id is not valid: expected tt0063350 or kitsu:1376 for a film, \
         tt0047706:1:2, kitsu:7442:5 or mal:16498:5 for an episode",
    )
}

fn click(rest: &str) -> Result<Click, ApiError> {
    let mut parts = rest.splitn(5, '/');
    let sid = part(parts.next())?;
    let (store, hash, index) = (part(parts.next())?, part(parts.next())?, part(parts.next())?);
    let name = part(parts.next())?;
    let said = |error: &dyn std::fmt::Display| ApiError::bad_request(error.to_string());
    if name.len() > LONGEST_NAME {
        return Err(ApiError::bad_request(format!("the file name is longer than {LONGEST_NAME} bytes")));
    }
    Ok(Click {
        content: sid.parse().map_err(|_| bad_content())?,
        store: store.to_ascii_lowercase().parse().map_err(|error| said(&error))?,
        hash: hash.parse().map_err(|error| said(&error))?,
        index: index.parse().ok(),
        name: Some(name).filter(|name| !name.is_empty()),
    })
}

fn part(raw: Option<&str>) -> Result<String, ApiError> {
    let decoded = percent_decode_str(raw.unwrap_or_default()).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| ApiError::bad_request("the address is not valid UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64, BASE64URL_NOPAD};
    use proptest::prelude::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    fn ask(path: &str) -> Result<Ask, ApiError> {
        Ask::parse(path, &Links::new())
    }

    fn segment() -> String {
        BASE64URL_NOPAD.encode(br#"{"stores":[{"c":"tb","t":"x"}]}"#)
    }

    #[test]
    fn the_protocols_paths_are_understood() {
        let ud = segment();
        assert!(matches!(ask("/"), Ok(Ask::Root)));
        assert!(matches!(ask("/configure"), Ok(Ask::Configure(None))));
        assert!(matches!(ask(&format!("/{ud}/configure")), Ok(Ask::Configure(Some(_)))));
        assert!(matches!(ask("/manifest.json"), Ok(Ask::Manifest(None))));
        assert!(matches!(ask(&format!("/{ud}/manifest.json")), Ok(Ask::Manifest(Some(_)))));
        assert_eq!(ask(&format!("/{ud}/catalog/movie/x.json")).unwrap_err().status, 404);
    }

    #[test]
    fn a_raw_slash_in_standard_base64_is_part_of_the_user_data() {
        let json = br#"{"stores":[{"c":"tb","t":"x??>??>??>???"}]}"#;
        let standard = BASE64.encode(json);
        assert!(standard.contains('/'), "{standard}");
        for form in [standard.clone(), standard.replace('/', "%2F").replace('=', "%3D").replace('+', "%2B")] {
            let Ok(Ask::Streams(data, Some(content))) = ask(&format!("/{form}/stream/movie/tt0063350.json")) else {
                panic!("{form}");
            };
            assert_eq!((data.stores.len(), content.to_string().as_str()), (1, "tt0063350"));
        }
    }

    fn streams(rest: &str) -> Result<Option<String>, u16> {
        match ask(&format!("/{}/stream/{rest}", segment())) {
            Ok(Ask::Streams(_, content)) => Ok(content.map(|content| content.to_string())),
            Ok(_) => panic!("{rest} is a stream list"),
            Err(error) => Err(error.status.as_u16()),
        }
    }

    #[test]
    fn ids_of_other_kinds_are_empty_lists_and_broken_ones_errors() {
        assert_eq!(streams("movie/tt0063350.json"), Ok(Some("tt0063350".into())));
        assert_eq!(streams("series/tt0047706%3A1%3A2.json"), Ok(Some("tt0047706:1:2".into())));
        assert_eq!(streams("series/tt0047706:1:2.json"), Ok(Some("tt0047706:1:2".into())));
        assert_eq!(streams("anime/kitsu:12:137.json"), Ok(Some("kitsu:12:137".into())));
        assert_eq!(streams("series/mal%3A21%3A137.json"), Ok(Some("mal:21:137".into())));
        assert_eq!(streams("movie/kitsu:176.json"), Ok(Some("kitsu:176".into())));
        for empty in ["tv/kitsu:1.json", "movie/tt1:1:2.json", "series/tt1.json", "tv/tt1.json", "movie/tmdb:9.json"] {
            assert_eq!(streams(empty), Ok(None), "{empty}");
        }
        for broken in [
            "movie/ttabc.json",
            "series/kitsu:x:1.json",
            "movie/tt.json",
            "series/tt1:x:y.json",
            "movie/tt1%FF.json",
            "movie/",
            "movie",
        ] {
            assert_eq!(streams(broken), Err(400), "{broken}");
        }
    }

    #[test]
    fn clicks_name_a_file_by_index_or_name_or_not_at_all() {
        let click = |rest: &str| match ask(&format!("/{}/_/strem/{rest}", segment())) {
            Ok(Ask::Play(_, click)) => Ok((click.index, click.name)),
            Ok(_) => panic!("{rest} is a click"),
            Err(error) => Err(error.status.as_u16()),
        };
        assert_eq!(click(&format!("tt1:1:2/tb/{HASH}/3/A%20b%2Fc.mkv")), Ok((Some(3), Some("A b/c.mkv".into()))));
        assert_eq!(click(&format!("tt1/TB/{}/-1/", HASH.to_uppercase())), Ok((None, None)));
        assert_eq!(click(&format!("tt1/tb/{HASH}/0")), Ok((Some(0), None)));
        for broken in ["x/tb/h/0/", "tt1/zz/0123456789abcdef0123456789abcdef01234567/0/", "tt1/tb/short/0/", "tt1", ""]
        {
            assert_eq!(click(broken), Err(400), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in ".{0,200}") {
            let _ = ask(&path);
        }
    }
}
