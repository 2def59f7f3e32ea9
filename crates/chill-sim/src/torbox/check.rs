//! `GET` and `POST /torrents/checkcached`.

use axum::extract::State;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::asked::{Answer, Asked, failure, missing, success};
use super::{Torbox, Torrent, TorrentState};

pub(super) async fn by_query(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    let lists = asked.params("hash").flat_map(|list| list.split(','));
    let hashes: Vec<String> =
        lists.map(|hash| hash.trim().to_ascii_lowercase()).filter(|hash| !hash.is_empty()).collect();
    if hashes.is_empty() {
        let detail = "You must provide at least one hash.";
        return asked.on_account(&torbox, |_, _, _| {
            Err(failure(StatusCode::BAD_REQUEST, &json!("MISSING_REQUIRED_OPTION"), detail))
        });
    }
    checked(&torbox, &asked, &hashes)
}

pub(super) async fn by_body(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    let body = asked.json()?;
    let Some(list) = body.get("hashes").and_then(Value::as_array) else { return Err(missing("body", "hashes")) };
    let hashes: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase).collect();
    checked(&torbox, &asked, &hashes)
}

fn checked(torbox: &Torbox, asked: &Asked, hashes: &[String]) -> Answer {
    let list_files = asked.flag("list_files")?;
    let as_list = match asked.param("format") {
        None | Some("object") => false,
        Some("list") => true,
        Some(_) => {
            return Err(failure(StatusCode::BAD_REQUEST, &json!("INVALID_OPTION"), "The format is object or list."));
        }
    };
    asked.on_account(torbox, |provider, _key, _now| {
        let hits = hashes.iter().filter_map(|hash| provider.catalogue.get(hash));
        let hits: Vec<&Torrent> = hits.filter(|torrent| torrent.state == TorrentState::Cached).collect();
        let items = hits.iter().map(|torrent| (torrent.hash.clone(), shown(torrent, list_files)));
        let data = if hits.is_empty() && provider.behaviour.null_when_uncached {
            Value::Null
        } else if as_list {
            items.map(|(_, item)| item).collect()
        } else {
            Value::Object(items.collect::<Map<_, _>>())
        };
        success("Torrent cache data retrieved.", &data)
    })
}

/// Without file ids, and not in their order either, so that nobody takes positions for ids.
fn shown(torrent: &Torrent, list_files: bool) -> Value {
    let mut item = json!({"name": torrent.name, "size": torrent.size(), "hash": torrent.hash});
    if list_files {
        let files = (0..torrent.files.len()).rev();
        item["files"] =
            files.map(|id| json!({"name": torrent.full_path(id), "size": torrent.files[id].size})).collect();
    }
    item
}
