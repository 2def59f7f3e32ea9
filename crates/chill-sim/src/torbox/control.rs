//! `POST /torrents/controltorrent`.

use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use super::Torbox;
use super::asked::{Answer, Asked, account_of, failure, missing, success};
use crate::front::Refused;

/// Whom a control call means: one id, or everything.
pub(super) fn target(body: &Value, name: &str) -> Result<Option<u64>, Refused> {
    let all = body.get("all").and_then(Value::as_bool).unwrap_or(false);
    let id = body.get(name).and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    match id {
        _ if all => Ok(None),
        Some(id) => Ok(Some(id)),
        None => Err(missing("body", name)),
    }
}

pub(super) async fn control(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    let body = asked.json()?;
    let operation = body.get("operation").and_then(Value::as_str).map(str::to_owned);
    let operation = operation.ok_or_else(|| missing("body", "operation"))?;
    let target = target(&body, "torrent_id")?;
    let cdn = torbox.cdn.clone();
    asked.on_account(&torbox, |provider, key, _now| {
        let account = account_of(provider, key)?;
        if !["reannounce", "delete", "resume", "stop_seeding", "pause"].contains(&operation.as_str()) {
            return Err(failure(StatusCode::BAD_REQUEST, &json!("INVALID_OPTION"), "Invalid operation."));
        }
        let meant = |id: u64| target.is_none_or(|target| target == id);
        if target.is_some() && !account.items.iter().any(|item| meant(item.id)) {
            return Err(failure(StatusCode::NOT_FOUND, &json!("ITEM_NOT_FOUND"), "The torrent does not exist."));
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
