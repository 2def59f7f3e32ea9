//! `POST /torrents/controltorrent`.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::Torbox;
use super::asked::{Asked, account_of, missing, success};
use crate::front::envelope;

/// Whom a control call means: one id, or everything.
pub(super) fn target(body: &Value, name: &str) -> Result<Option<u64>, Response> {
    let all = body.get("all").and_then(Value::as_bool).unwrap_or(false);
    let id = body.get(name).and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    match id {
        _ if all => Ok(None),
        Some(id) => Ok(Some(id)),
        None => Err(missing("body", name)),
    }
}

pub(super) async fn control(State(torbox): State<Torbox>, asked: Asked) -> Response {
    let body = match asked.json() {
        Ok(body) => body,
        Err(response) => return response,
    };
    let operation = body.get("operation").and_then(Value::as_str).map(str::to_owned);
    let (Some(operation), target) = (operation, target(&body, "torrent_id")) else {
        return missing("body", "operation");
    };
    let target = match target {
        Ok(target) => target,
        Err(response) => return response,
    };
    let cdn = torbox.cdn.clone();
    asked.on_account(&torbox, |provider, key, _now| {
        let account = match account_of(provider, key) {
            Ok(account) => account,
            Err(response) => return response,
        };
        if !["reannounce", "delete", "resume", "stop_seeding", "pause"].contains(&operation.as_str()) {
            return envelope(StatusCode::BAD_REQUEST, json!("INVALID_OPTION"), "Invalid operation.");
        }
        let meant = |id: u64| target.is_none_or(|target| target == id);
        if target.is_some() && !account.items.iter().any(|item| meant(item.id)) {
            return envelope(StatusCode::NOT_FOUND, json!("ITEM_NOT_FOUND"), "The torrent does not exist.");
        }
        for item in account.items.iter_mut().filter(|item| meant(item.id)) {
            match operation.as_str() {
                "delete" => cdn.gone(item.id),
                "stop_seeding" => item.seed = 3,
                _ => {}
            }
        }
        account.items.retain(|item| operation != "delete" || !meant(item.id));
        success("The operation was carried out.", &Value::Null)
    })
}
