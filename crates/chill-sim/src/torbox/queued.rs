//! `GET /queued/getqueued` and `POST /queued/controlqueued`, also under their older paths.

use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use super::Torbox;
use super::asked::{Answer, Asked, account_of, empty_list, failure, missing, success};
use super::control::target;
use super::list::Page;
use crate::clock::rfc3339;

pub(super) async fn list(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    let page = Page::read(&asked)?;
    let torrents = match asked.param("type") {
        None | Some("torrent") => true,
        Some("usenet" | "webdl") => false,
        Some(_) => return Err(failure(StatusCode::BAD_REQUEST, &json!("INVALID_OPTION"), "Unknown type.")),
    };
    asked.on_account(&torbox, |provider, key, now| {
        let account = account_of(provider, key)?;
        let (queue, auth_id) = (&account.queue, &account.auth_id);
        let shown = || {
            let items = queue.iter().map(|queued| {
                json!({"id": queued.id, "auth_id": auth_id, "created_at": rfc3339(queued.created_at),
                    "magnet": queued.magnet, "torrent_file": null, "hash": queued.hash, "name": queued.name,
                    "type": "torrent", "name_override": null, "seed_torrent_override": queued.seed})
            });
            items.collect()
        };
        let all = page.list(&mut account.queue_cache, now, shown);
        let found = if torrents { page.of(all, false) } else { None };
        match found {
            Some(found) => success("Queued downloads retrieved.", &found),
            None if asked.param("id").is_some() => Err(empty_list()),
            None => success("Queued downloads retrieved.", &json!([])),
        }
    })
}

pub(super) async fn control(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    let body = asked.json()?;
    let target = target(&body, "queued_id")?;
    let Some(operation) = body.get("operation").and_then(Value::as_str) else {
        return Err(missing("body", "operation"));
    };
    asked.on_account(&torbox, |provider, key, now| {
        let id = provider.next_id();
        let known = provider.catalogue.clone();
        let account = account_of(provider, key)?;
        let place = target.map(|target| account.queue.iter().position(|queued| queued.id == target));
        match (operation, place) {
            (_, Some(None)) => {
                Err(failure(StatusCode::NOT_FOUND, &json!("ITEM_NOT_FOUND"), "The queued download does not exist."))
            }
            ("delete", None) => {
                account.queue.clear();
                success("The queue is empty.", &Value::Null)
            }
            ("delete", Some(Some(place))) => {
                account.queue.remove(place);
                success("The queued download was deleted.", &Value::Null)
            }
            ("start", Some(Some(place))) => {
                let queued = account.queue.remove(place);
                account.begin(queued, now, id, |hash, name| super::find(&known, hash, name));
                success("The queued download was started.", &Value::Null)
            }
            _ => Err(failure(StatusCode::BAD_REQUEST, &json!("INVALID_OPTION"), "Invalid operation.")),
        }
    })
}
