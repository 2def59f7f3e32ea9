//! Which links may leave this crate.

use chill_core::Secret;
use percent_encoding::percent_decode_str;
use url::Url;

/// TorBox's own host: links to it are permalinks, which carry the key.
const API_HOST: &str = "api.torbox.app";

/// False for anything but a web address without the key that does not lead back to the API.
pub(super) fn may_leave(link: &Secret, key: &Secret, api: &Url) -> bool {
    let Ok(url) = Url::parse(link.expose()) else { return false };
    let host = url.host_str().unwrap_or_default();
    let leads_back = host == API_HOST
        || (url.host_str() == api.host_str() && url.port_or_known_default() == api.port_or_known_default())
        || url.path().contains("/requestdl");
    matches!(url.scheme(), "http" | "https") && !host.is_empty() && !leads_back && !shows(link.expose(), key.expose())
}

/// Whether the key stands in the text, also in other capitals or percent-encoded.
fn shows(text: &str, key: &str) -> bool {
    let key = key.to_lowercase();
    let decoded = percent_decode_str(text).decode_utf8_lossy().to_lowercase();
    decoded.contains(&key) || text.to_lowercase().contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(link: &str) -> bool {
        let api = Url::parse("http://127.0.0.1:4000").unwrap();
        may_leave(&Secret::new(link), &Secret::new("KEY-11"), &api)
    }

    #[test]
    fn only_links_of_the_cdn_leave() {
        assert!(leaves("https://store-031.weur.tb-cdn.io/zip/a/b.mkv?token=opaque"));
        assert!(leaves("http://127.0.0.1:4001/b.mkv?token=opaque"));
        for link in [
            "",
            "b.mkv",
            "ftp://cdn/b.mkv",
            "https://cdn/b.mkv?token=key-11",
            "https://cdn/b.mkv?token=%4bEY%2d11",
            "http://127.0.0.1:4000/b.mkv",
            "https://api.torbox.app/b.mkv",
            "https://proxy.example/v1/api/torrents/requestdl?torrent_id=1",
        ] {
            assert!(!leaves(link), "{link}");
        }
    }
}
