//! `/v0/torznab/api`: the known torrents as an indexer, for Prowlarr and Sonarr
//! (`https://torznab.github.io/spec-1.3-draft/`).
//!
//! For: users named in `STREMTHRU_AUTH`, whose `user:password`, plain or in base64, is the `apikey`. What it lists is what
//! earlier searches found; it asks nobody.
//!
//! Refuses: whoever is no such user, but for `t=caps`; to list anything of a private tracker (the library has none).
//!
//! Start at [`router`]; `query` is what is asked, `search` what is found, `document` what is answered.

mod category;
mod date;
mod document;
mod query;
mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderValue, Method, StatusCode, header};

use crate::edge::Edge;
use crate::error::ApiError;
use crate::limit;
use crate::proxy::ProxyUsers;
use crate::viewer::Viewer;
use query::{Function, Query};

/// The route. Without users it only says what it could do.
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
    let document = match document(&shelf, &viewer, parts.uri.query().unwrap_or_default()).await {
        Ok(document) => document,
        Err(Refused(code, words)) => document::error(code, &words),
    };
    let mut response = (StatusCode::OK, document).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn document(shelf: &Shelf, viewer: &Viewer, query: &str) -> Result<String, Refused> {
    let query = Query::read(query)?;
    if query.function == Function::Caps {
        return Ok(document::caps(&viewer.base, &shelf.edge.config.version));
    }
    if shelf.users.authorize(&query.apikey).is_none() {
        return Err(Refused::new(100, "Incorrect user credentials: apikey is user:password of STREMTHRU_AUTH"));
    }
    let found = search::search(&*shelf.edge.library, &query).await?;
    Ok(document::feed(&viewer.base, &query, &found))
}
