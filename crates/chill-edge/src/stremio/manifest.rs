//! The addon's manifest: what Stremio shows before it is installed, and what it may ask for afterwards.

use axum::response::Response;
use chill_core::ContentId;
use http::{HeaderValue, header};
use serde_json::json;

use super::private_json;
use super::user_data::UserData;
use crate::edge::EdgeConfig;

const ID: &str = "org.chillproxy.torz";
const NAME: &str = "Chillproxy Torz";
/// Catalogues of anime use a type of its own.
const TYPES: [&str; 3] = ["movie", "series", "anime"];
const ABOUT: &str = "Films and episodes from torrents that your download service already has";

/// The manifest, with the stores' names when the link has them. It asks nobody, so it works while everything is away.
pub(crate) fn answer(config: &EdgeConfig, data: Option<&UserData>) -> Response {
    let mut hints = json!({ "configurable": true });
    let mut about = ABOUT.to_owned();
    if let Some(data) = data {
        let mut names: Vec<&str> = data.stores.iter().map(|entry| entry.store.name()).collect();
        names.dedup();
        about = format!("{ABOUT} — {}", names.join(", "));
    } else if let Some(hints) = hints.as_object_mut() {
        hints.insert("configurationRequired".to_owned(), true.into());
    }
    let manifest = json!({
        "id": ID,
        "version": config.version,
        "name": NAME,
        "description": about,
        "types": TYPES,
        "idPrefixes": ContentId::PREFIXES,
        "resources": [{ "name": "stream", "types": TYPES, "idPrefixes": ContentId::PREFIXES }],
        "catalogs": [],
        "behaviorHints": hints,
    });
    let mut response = private_json(manifest.to_string());
    if data.is_none() {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    }
    response
}
