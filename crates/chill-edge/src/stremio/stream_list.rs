//! The stream list of a film or an episode: who may, what there is, which store has it.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use chill_core::{Action, ContentId, Store, StoreCode};
use futures_util::future::join_all;

use super::choices::{Chosen, Mistake, explain};
use super::own_indexers;
use super::shelf::{Asked, Reach, Shelf, Stock};
use super::user_data::{Entry, UserData};
use super::{TORZ, private_json};
use crate::access::{Grant, Ways};
use crate::edge::Edge;
use crate::lease::Purpose;
use crate::refusal::{Code, Refusal};
use crate::viewer::Viewer;

const PURPOSE: Purpose = Purpose { action: Action::CHECK_CACHE, hash: None };

/// A store the viewer may use now.
struct Open {
    store: Arc<dyn Store>,
    ways: Ways,
    grant: Grant,
}

impl Open {
    fn reach(&self, edge: &Edge) -> Reach {
        Reach { store: self.store.code(), proxied: self.grant.is_proxied(edge.config.delivery) }
    }
}

/// Answers with the list, or with one entry that says why there is none.
pub(crate) async fn answer(edge: &Arc<Edge>, viewer: &Viewer, data: &UserData, content: Option<ContentId>) -> Response {
    let Some(content) = content else { return private_json(r#"{"streams":[]}"#) };
    let chosen = match chosen(edge, data).await {
        Ok(chosen) => chosen,
        Err(mistakes) => {
            let page = format!("{}{TORZ}/{}/configure", viewer.base, data.segment);
            return explain(&mistakes, &page, &edge.chance);
        }
    };
    match list(edge, viewer, data, &content, chosen).await {
        Ok(body) => private_json(body),
        Err(refusal) => viewer.span().in_scope(|| refusal.stream_list(&viewer.base, &edge.chance)),
    }
}

/// The viewer's own choices, compiled; none when he leaves everything to the server.
async fn chosen(edge: &Edge, data: &UserData) -> Result<Option<Arc<Chosen>>, Arc<[Mistake]>> {
    if data.choices.is_default() {
        return Ok(None);
    }
    edge.chosen.get(&data.choices).await.map(Some)
}

async fn list(
    edge: &Arc<Edge>,
    viewer: &Viewer,
    data: &UserData,
    content: &ContentId,
    chosen: Option<Arc<Chosen>>,
) -> Result<Bytes, Refusal> {
    let opened = join_all(stores(&data.stores).into_iter().map(|store| open(edge, viewer, data, store))).await;
    let (mut open, mut refusals) = (Vec::new(), Vec::new());
    for result in opened {
        match result {
            Ok(store) => open.push(store),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if open.is_empty() {
        let none = || Refusal::new(Code::NoKey, "the link names no store");
        return Err(refusals.into_iter().next().unwrap_or_else(none));
    }
    let reached: Vec<Reach> = open.iter().map(|open| open.reach(edge)).collect();
    let own = async {
        let own = own_indexers::open(edge.indexers.as_ref(), &data.indexers).await?;
        Some(edge.catalogue.own(content, own).await)
    };
    let (gathering, own) = tokio::join!(edge.catalogue.get(content), own);
    let shelf = own.map_or_else(|| gathering.shelf(), |own| own.shelf_with(&gathering));
    let link = format!("{}{TORZ}/{}", viewer.base, data.segment);
    if let Some(layout) = shelf.layout(&reached, chosen.as_ref()) {
        return Ok(layout.body(&link));
    }
    let checked = join_all(open.into_iter().map(|open| check(edge, content, &shelf, open))).await;
    let (mut stocks, mut refusal) = (Vec::new(), None);
    for (stock, failure) in checked {
        stocks.push(stock);
        refusal = refusal.or(failure);
    }
    let asked = Asked { content, title: gathering.title.as_ref(), limit: edge.config.list_limit, chosen };
    let layout = shelf.arrange(&asked, &stocks);
    match refusal {
        Some(refusal) if layout.is_empty() => Err(refusal),
        _ => Ok(layout.body(&link)),
    }
}

/// The stores a link names, each once, in its order.
fn stores(entries: &[Entry]) -> Vec<StoreCode> {
    let mut codes = Vec::new();
    for entry in entries {
        if !codes.contains(&entry.store) {
            codes.push(entry.store);
        }
    }
    codes
}

async fn open(edge: &Edge, viewer: &Viewer, data: &UserData, code: StoreCode) -> Result<Open, Refusal> {
    let Some(store) = edge.stores.get(&code) else {
        return Err(Refusal::new(Code::ServiceUnknown, format!("this server has no client for {}", code.name())));
    };
    let mut ways = Ways::new(edge, viewer, &data.stores, code)?;
    let grant = ways.next(edge, PURPOSE).await?;
    Ok(Open { store: store.clone(), ways, grant })
}

/// What one store has of the candidates. A failing key is replaced; a failing store only loses its part of the list.
async fn check(edge: &Edge, content: &ContentId, shelf: &Shelf, open: Open) -> (Stock, Option<Refusal>) {
    let reach = open.reach(edge);
    let Open { store, mut ways, mut grant } = open;
    loop {
        let budget = edge.config.check_budget;
        let checked = edge.caches.check(&store, &grant, content, &shelf.hashes, budget).await;
        let Some(error) = checked.error else {
            return (Stock { reach, known: checked.known, failed: false }, None);
        };
        let next = match ways.failed(edge, &grant, PURPOSE, &error).await {
            Ok(()) => ways.next(edge, PURPOSE).await,
            Err(refusal) => Err(refusal),
        };
        match next {
            Ok(other) => grant = other,
            Err(refusal) => {
                tracing::warn!(store = %reach.store, why = refusal.why, "a stream list goes without this store");
                return (Stock { reach, known: checked.known, failed: true }, Some(refusal));
            }
        }
    }
}
