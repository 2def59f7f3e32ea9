//! `/v0/torznab/api`: the known torrents as an indexer, for Prowlarr and Sonarr
//! (`https://torznab.github.io/spec-1.3-draft/`).
//!
//! For: programs on this machine, and users named in `STREMTHRU_AUTH`, whose `user:password`, plain or in base64, is the
//! `apikey`. What it lists is what earlier searches found; it asks nobody.
//!
//! Refuses: everybody else, but for `t=caps`; to list anything of a private tracker (the library has none).
//!
//! Start at [`router`]; `query` is what is asked, `search` what is found, `document` and `json` what is answered.

mod category;
mod date;
mod document;
mod json;
mod query;
mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::any;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};

use crate::edge::Edge;
use crate::error::ApiError;
use crate::limit;
use crate::proxy::ProxyUsers;
use crate::viewer::{Viewer, is_local};
use query::{Asked, Format, Function, Query};
use search::Page;

/// The route.
pub fn router(edge: Arc<Edge>, users: ProxyUsers) -> Router {
    let state = Arc::new(Shelf { edge, users });
    Router::new().route("/v0/torznab/api", any(answer)).with_state(state)
}

struct Shelf {
    edge: Arc<Edge>,
    users: ProxyUsers,
}

/// Why there is no feed: Torznab's number and words.
#[derive(Debug, PartialEq, Eq)]
struct Refused(u16, String);

impl Refused {
    fn new(code: u16, words: impl Into<String>) -> Self {
        Self(code, words.into())
    }
}

async fn answer(State(shelf): State<Arc<Shelf>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return ApiError::method_not_allowed().into_response();
    }
    let viewer = Viewer::of(&shelf.edge.config, &parts);
    if let Err(error) = limit::admit_address(&shelf.edge, &viewer).await {
        return error.into_response();
    }
    let asked = Asked::of(parts.uri.query().unwrap_or_default());
    if !asked.names_a_function() {
        return Redirect::temporary("?t=caps").into_response();
    }
    let (format, told) = match asked.format() {
        Ok(format) => (format, told(&shelf, &parts, &asked).await),
        Err(refused) => (Format::Xml, Err(refused)),
    };
    respond(&shelf, &viewer, format, &told)
}

/// What is answered, before it is written.
enum Told {
    Caps,
    Feed(Query, Page),
}

async fn told(shelf: &Shelf, parts: &Parts, asked: &Asked) -> Result<Told, Refused> {
    let query = Query::read(asked)?;
    if query.function == Function::Caps {
        return Ok(Told::Caps);
    }
    let local = query.apikey.is_empty() && is_local(parts);
    if !local && shelf.users.authorize(&query.apikey).is_none() {
        return Err(Refused::new(100, "Incorrect user credentials: apikey is user:password of STREMTHRU_AUTH"));
    }
    let page = search::search(&*shelf.edge.library, &query).await?;
    Ok(Told::Feed(query, page))
}

fn respond(shelf: &Shelf, viewer: &Viewer, format: Format, told: &Result<Told, Refused>) -> Response {
    let (base, version) = (&viewer.base, &shelf.edge.config.version);
    let (kind, document) = match format {
        Format::Xml => {
            let document = match told {
                Ok(Told::Caps) => document::caps(base, version),
                Ok(Told::Feed(query, page)) => document::feed(base, query, page),
                Err(Refused(code, words)) => document::error(*code, words),
            };
            ("application/xml; charset=utf-8", document)
        }
        Format::Json => {
            let document = match told {
                Ok(Told::Caps) => json::caps(base, version),
                Ok(Told::Feed(query, page)) => json::feed(base, query, page),
                Err(Refused(code, words)) => json::error(*code, words),
            };
            ("application/json", document.to_string())
        }
    };
    let mut response = (StatusCode::OK, document).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
