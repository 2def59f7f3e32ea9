//! The three documents in JSON, for `o=json`: an element's attributes are in its `@attributes`.

use serde_json::{Map, Value, json};

use super::document::SEARCHES;
use super::query::{PAGE, Query};
use super::search::{Item, Page};
use super::{category, date};

/// `t=caps`
pub(super) fn caps(base: &str, version: &str) -> Value {
    let searches: Map<String, Value> = SEARCHES
        .iter()
        .map(|(search, parameters)| {
            let offer = json!({"available": parameters.is_some(), "supportedParams": parameters.unwrap_or("q")});
            ((*search).to_owned(), json!({ "@attributes": offer }))
        })
        .collect();
    let named = |id: u32, name: &str| json!({"id": id, "name": name});
    let categories: Vec<Value> = category::ALL
        .iter()
        .map(|(id, name, below)| {
            let below: Vec<Value> = below.iter().map(|(id, name)| json!({ "@attributes": named(*id, name) })).collect();
            json!({"@attributes": named(*id, name), "subcat": below})
        })
        .collect();
    json!({
        "server": {"@attributes": {"title": "Chillproxy", "version": version, "url": base}},
        "limits": {"@attributes": {"max": PAGE, "default": PAGE}},
        "searching": searches,
        "categories": {"category": categories},
    })
}

/// An answer to a search.
pub(super) fn feed(base: &str, query: &Query, page: &Page) -> Value {
    let items: Vec<Value> = page.items.iter().map(item).collect();
    json!({
        "@attributes": {"version": "2.0"},
        "channel": {
            "title": "Chillproxy",
            "description": "Known torrents",
            "link": base,
            "response": {"@attributes": {"offset": query.offset, "total": page.total}},
            "items": items,
        },
    })
}

fn item(item: &Item) -> Value {
    let (listed, magnet) = (&item.listed, item.magnet());
    let attributes: Vec<Value> = item
        .attributes()
        .into_iter()
        .map(|(name, value)| json!({"@attributes": {"name": name, "value": value}}))
        .collect();
    let enclosure = json!({
        "url": magnet,
        "length": listed.size.unwrap_or(0),
        "type": "application/x-bittorrent;x-scheme-handler/magnet",
    });
    json!({
        "title": listed.name,
        "guid": listed.hash.to_string(),
        "link": magnet,
        "pubDate": date::rss(listed.seen_at),
        "size": listed.size.unwrap_or(0),
        "category": item.categories.iter().map(u32::to_string).collect::<Vec<_>>(),
        "enclosure": {"@attributes": enclosure},
        "attr": attributes,
    })
}

/// Torznab's error.
pub(super) fn error(code: u16, description: &str) -> Value {
    json!({"error": {"@attributes": {"code": code, "description": description}}})
}
