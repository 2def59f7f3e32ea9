//! The page where a viewer makes or changes his install link: `/stremio/torz/configure`.
//!
//! One form, answered by this server alone. Everything works without the page's script: each button posts the form, and
//! the answer is the page again, or a redirect to the page of the finished link. The script only saves the round trips:
//! it posts the same form and asks for JSON.
//!
//! It refuses: to write a token or link id into the page again (the link in the address already holds them), to load
//! anything from elsewhere, and to answer forms of other sites.
//!
//! Start reading at [`answer`]; [`draft`] is what the form holds, [`page`] what it looks like.

mod check;
mod draft;
mod fields;
mod headers;
mod html;
mod indexers;
mod page;
mod preview;
mod qr;
mod stores;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use chill_core::control::Delivery;
use chill_core::{Secret, StoreCode};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::TORZ;
use super::own_indexers::MOST_INDEXERS;
use super::shelf::Reach;
use super::user_data::{MOST_STORES, UserData};
use crate::edge::Edge;
use crate::error::ApiError;
use crate::limit;
use crate::viewer::Viewer;
pub(crate) use check::TokenChecks;
use draft::{Draft, Slot};
use fields::Fields;
#[cfg(test)]
pub(crate) use headers::POLICY;
pub(crate) use headers::{from_root, script, style};
use page::Page;

/// Answers the page and its form.
pub(crate) async fn answer(edge: &Edge, parts: &Parts, body: Body, data: Option<&UserData>) -> Response {
    let admitted = limit::admit_address(edge, &Viewer::of(&edge.config, parts)).await;
    let answered = match parts.method {
        _ if admitted.is_err() => admitted.map(|()| Response::default()),
        Method::GET | Method::HEAD => Ok(open(edge, parts, data).await),
        Method::POST => Box::pin(post(edge, parts, body, data)).await,
        _ => Err(ApiError::method_not_allowed()),
    };
    let mut response = answered.unwrap_or_else(|error| {
        let not_allowed = error.status == StatusCode::METHOD_NOT_ALLOWED;
        let mut response = error.into_response();
        if not_allowed {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        response
    });
    headers::guard(response.headers_mut());
    response
}

/// What a button asks for.
enum Wish {
    Save,
    More,
    MoreIndexers,
    Preview,
    Check(usize),
    CheckIndexer(usize),
}

impl Wish {
    /// The button's value; anything else saves, as pressing Enter does.
    fn of(word: &str) -> Self {
        match word {
            "more" => Self::More,
            "more-indexer" => Self::MoreIndexers,
            "preview" => Self::Preview,
            _ if word.starts_with("check-i") => {
                word.strip_prefix("check-i").and_then(|n| n.parse().ok()).map_or(Self::Save, Self::CheckIndexer)
            }
            _ => word.strip_prefix("check-").and_then(|n| n.parse().ok()).map_or(Self::Save, Self::Check),
        }
    }
}

async fn open(edge: &Edge, parts: &Parts, data: Option<&UserData>) -> Response {
    let viewer = Viewer::of(&edge.config, parts);
    let mut draft = Draft::of(data);
    let chosen = compile(edge, &mut draft).await;
    let link = data.filter(|_| draft.mistakes.is_empty()).map(|data| page::Link::of(&viewer.base, &data.segment));
    let preview = preview::list(first_store(edge, &draft), chosen);
    show(edge, StatusCode::OK, &draft, link, &preview)
}

async fn post(edge: &Edge, parts: &Parts, body: Body, data: Option<&UserData>) -> Result<Response, ApiError> {
    let fields = Fields::read(parts, body).await?;
    let json = parts.headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/json");
    let wish = Wish::of(fields.get("do"));
    let checked = match wish {
        Wish::Check(slot) if json => Some(verdict(edge, parts, &fields, data, slot).await),
        Wish::CheckIndexer(slot) if json => Some(indexers::verdict(edge, parts, &fields, data, slot).await),
        _ => None,
    };
    if let Some(verdict) = checked {
        return Ok(axum::Json(json!({ "good": verdict.good, "message": verdict.message })).into_response());
    }
    let mut draft = Draft::filled(&fields, data);
    let chosen = compile(edge, &mut draft).await;
    let status = match wish {
        Wish::Save => match draft.finish() {
            Some(segment) => return Ok(see_other(&segment)),
            None => StatusCode::UNPROCESSABLE_ENTITY,
        },
        Wish::More => {
            if draft.slots.len() < MOST_STORES {
                draft.slots.push(Slot::default());
            }
            StatusCode::OK
        }
        Wish::MoreIndexers => {
            if draft.indexers.len() < MOST_INDEXERS {
                draft.indexers.push(indexers::IndexerSlot::default());
            }
            StatusCode::OK
        }
        Wish::Preview => StatusCode::OK,
        Wish::CheckIndexer(number) => {
            let verdict = indexers::verdict(edge, parts, &fields, data, number).await;
            if let Some(slot) = draft.indexers.get_mut(number) {
                slot.verdict = Some(verdict);
            }
            StatusCode::OK
        }
        Wish::Check(number) => {
            let verdict = verdict(edge, parts, &fields, data, number).await;
            if let Some(slot) = draft.slots.get_mut(number) {
                slot.verdict = Some(verdict);
            }
            StatusCode::OK
        }
    };
    let preview = preview::list(first_store(edge, &draft), chosen);
    if json {
        let wrong = draft.mistakes.iter().filter(|wrong| !wrong.name.contains('.'));
        let wrong: Vec<_> = wrong.map(|wrong| json!({ "name": wrong.name, "message": wrong.message })).collect();
        return Ok(axum::Json(json!({ "preview": preview, "mistakes": wrong })).into_response());
    }
    Ok(show(edge, status, &draft, None, &preview))
}

/// Compiles the choices and takes note of what is wrong with them.
async fn compile(edge: &Edge, draft: &mut Draft) -> Option<std::sync::Arc<super::choices::Chosen>> {
    match edge.chosen.get(&draft.choices).await {
        Ok(chosen) => Some(chosen).filter(|_| !draft.choices.is_default()),
        Err(mistakes) => {
            draft.take(&mistakes);
            None
        }
    }
}

/// Has a store look at the token of one slot: the typed one, else the one the link has.
async fn verdict(edge: &Edge, parts: &Parts, fields: &Fields, data: Option<&UserData>, slot: usize) -> check::Verdict {
    let bad = |message: &str| check::Verdict { good: false, message: message.to_owned() };
    let field = |name: &str| fields.get(&format!("s{slot}.{name}"));
    let Ok(store) = field("c").parse::<StoreCode>() else { return bad("Choose a store first.") };
    let kept = || data?.stores.get(field("keep").parse::<usize>().ok()?).filter(|entry| entry.store == store);
    let token = match field("t") {
        "" => kept().and_then(|entry| entry.token.clone()),
        typed => Some(Secret::new(typed)),
    };
    let Some(token) = token else { return bad("Type a token first. A link id is checked when you play.") };
    let viewer = Viewer::of(&edge.config, parts);
    check::check(edge, viewer.address, store, &token).await
}

/// The first store of the draft as its viewer would reach it; while there is none, one of the pool.
fn first_store(edge: &Edge, draft: &Draft) -> Reach {
    let relayed = edge.config.delivery == Delivery::Relay;
    let named = draft.slots.iter().find_map(|slot| {
        Some(Reach { store: slot.code.parse().ok()?, proxied: relayed && (slot.pool || !slot.token) })
    });
    let any = || edge.stores.keys().min().copied().unwrap_or(StoreCode::TorBox);
    named.unwrap_or_else(|| Reach { store: any(), proxied: relayed })
}

/// To the page of the finished link, so that loading it again posts nothing.
fn see_other(segment: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::try_from(format!("{TORZ}/{segment}/configure#install")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn show(
    edge: &Edge,
    status: StatusCode,
    draft: &Draft,
    link: Option<page::Link>,
    preview: &preview::Preview,
) -> Response {
    let mut stores: Vec<StoreCode> = edge.stores.keys().copied().collect();
    stores.sort_unstable_by_key(|store| StoreCode::ALL.iter().position(|known| known == store));
    let action = draft.base().map_or_else(|| format!("{TORZ}/configure"), |base| format!("{TORZ}/{base}/configure"));
    let page = Page {
        stores: &stores,
        pool: edge.config.pool,
        own_indexers: edge.indexers.is_some(),
        version: &edge.config.version,
        action: &action,
        draft,
        link,
    };
    let mut response = (status, page.render(preview)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
