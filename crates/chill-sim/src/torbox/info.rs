//! What needs no key: `GET /` and `GET`/`POST /torrents/torrentinfo`.

use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use super::asked::{Answer, Asked, missing, refusal, success};
use super::catalogue::magnet_hash;
use super::form::Form;
use super::{Torbox, TorrentState};
use crate::clock::lock;

pub(super) async fn up() -> Answer {
    success("API is up and running.", &Value::Null)
}

pub(super) async fn by_query(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    match asked.param("hash") {
        Some(hash) => told(&torbox, hash),
        None => Err(missing("query", "hash")),
    }
}

pub(super) async fn by_form(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    let Some(form) = Form::read(&asked) else { return Err(missing("body", "hash")) };
    let hash = form.text("hash").or_else(|| form.text("magnet").and_then(|magnet| magnet_hash(&magnet)));
    match hash.or_else(|| form.torrent_file_hash()) {
        Some(hash) => told(&torbox, &hash),
        None => Err(missing("body", "hash")),
    }
}

/// What the swarm tells about a hash; for what nobody has, the lookup fails inside.
fn told(torbox: &Torbox, hash: &str) -> Answer {
    let provider = lock(&torbox.state);
    let torrent = provider.catalogue.get(&hash.to_ascii_lowercase());
    let Some(torrent) = torrent.filter(|torrent| torrent.state != TorrentState::Dead) else {
        let (error, data) = (json!("UNKNOWN_ERROR"), json!("TimeoutError: no peers answered"));
        return Err(refusal(StatusCode::INTERNAL_SERVER_ERROR, &error, "The torrent could not be looked up.", &data));
    };
    let files =
        (0..torrent.files.len()).map(|id| json!({"name": torrent.full_path(id), "size": torrent.files[id].size}));
    let data = json!({"name": torrent.name, "hash": torrent.hash, "size": torrent.size(), "trackers": [],
        "seeds": 12, "peers": 3, "files": files.collect::<Vec<_>>()});
    success("Torrent info retrieved.", &data)
}
