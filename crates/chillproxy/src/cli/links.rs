//! Install links: the manifest's address with the user's link id in it, and nothing else.

use chill_core::{LinkId, StoreCode};
use serde_json::json;

/// The two forms of one install link.
pub(super) struct InstallLinks {
    /// `https://…/manifest.json`, for any client.
    pub manifest: String,
    /// `stremio://…/manifest.json`, which opens Stremio.
    pub stremio: String,
}

/// The links of a user at `base`, for the stores the pool serves; TorBox when it has no key yet.
pub(super) fn install_links(base: &str, link: &LinkId, stores: &[StoreCode]) -> InstallLinks {
    let stores = if stores.is_empty() { &[StoreCode::TorBox] } else { stores };
    let entries: Vec<_> = stores.iter().map(|store| json!({"c": store.as_str(), "auth": link.to_string()})).collect();
    let data = data_encoding::BASE64URL_NOPAD.encode(json!({"stores": entries}).to_string().as_bytes());
    let manifest = format!("{}/stremio/torz/{data}/manifest.json", base.trim_end_matches('/'));
    let bare = manifest.split_once("://").map_or(manifest.as_str(), |(_, rest)| rest);
    InstallLinks { stremio: format!("stremio://{bare}"), manifest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_carries_the_link_id_and_no_slash_of_its_own() {
        let link: LinkId = "11111111-2222-4333-8444-555555555555".parse().unwrap();
        let links = install_links("https://films.example/", &link, &[]);
        let data = links
            .manifest
            .strip_prefix("https://films.example/stremio/torz/")
            .unwrap()
            .strip_suffix("/manifest.json")
            .unwrap();
        assert!(!data.contains('/'));
        let decoded = data_encoding::BASE64URL_NOPAD.decode(data.as_bytes()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&decoded).unwrap();
        assert_eq!(json, json!({"stores": [{"c": "tb", "auth": "11111111-2222-4333-8444-555555555555"}]}));
        assert_eq!(links.stremio, links.manifest.replace("https://", "stremio://"));
    }
}
