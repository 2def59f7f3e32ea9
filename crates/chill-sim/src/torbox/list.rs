//! `GET /torrents/mylist`, with the vendor's ten-minute list cache.

use axum::extract::State;
use serde_json::Value;

use super::Torbox;
use super::account::Snapshot;
use super::asked::{Answer, Asked, account_of, empty_list, success};
use crate::front::Refused;

/// What a list request asks for, torrents and queue alike.
pub(super) struct Page {
    bypass_cache: bool,
    id: Option<u64>,
    offset: usize,
    limit: usize,
}

impl Page {
    pub(super) fn read(asked: &Asked) -> Result<Self, Refused> {
        let size = |number: Option<u64>, default| number.map_or(default, |n| usize::try_from(n).unwrap_or(usize::MAX));
        Ok(Self {
            bypass_cache: asked.flag("bypass_cache")?,
            id: asked.number("id")?,
            offset: size(asked.number("offset")?, 0),
            limit: size(asked.number("limit")?, 1000).min(1000),
        })
    }

    /// The list to answer from: the cached one unless it was asked past the cache.
    pub(super) fn list(&self, cache: &mut Snapshot, now: i64, fresh: impl FnOnce() -> Vec<Value>) -> Vec<Value> {
        if self.bypass_cache { fresh() } else { cache.at(now, fresh) }
    }

    /// One object for an id, else the part of the list; nothing when there is none.
    pub(super) fn of(&self, list: Vec<Value>, one_more: bool) -> Option<Value> {
        if let Some(id) = self.id {
            return list.into_iter().find(|item| item["id"] == id);
        }
        let limit = self.limit.saturating_add(usize::from(one_more && self.limit < 1000));
        let page: Vec<Value> = list.into_iter().skip(self.offset).take(limit).collect();
        (!page.is_empty()).then_some(Value::Array(page))
    }
}

pub(super) async fn mylist(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    let page = Page::read(&asked)?;
    asked.on_account(&torbox, |provider, key, now| {
        let (null_fields, one_more) = (provider.behaviour.null_fields, provider.behaviour.one_more_than_asked);
        let account = account_of(provider, key)?;
        let (items, auth_id, plan) = (&account.items, &account.auth_id, account.plan);
        let newest_first = || items.iter().rev().map(|item| item.shown(now, auth_id, plan, null_fields)).collect();
        let list = page.list(&mut account.list_cache, now, newest_first);
        match page.of(list, one_more) {
            Some(found) => {
                success(if found.is_array() { "Torrents list retrieved." } else { "Torrent found." }, &found)
            }
            None => Err(empty_list()),
        }
    })
}
