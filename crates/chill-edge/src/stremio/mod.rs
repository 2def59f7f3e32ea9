//! What players ask: the Torz addon's manifest, stream lists and playbacks, in Stremio's addon protocol.
//!
//! Refuses: to show a viewer a key, an indexer's address or a store's link, and to answer a bad link with anything but a
//! sentence that says what is wrong with it.
//!
//! Start reading at `answer`: a path becomes a `route::Ask`, and each kind of it has a file.

pub(crate) mod cached;
pub(crate) mod catalogue;
pub mod choices;
mod choose_file;
pub(crate) mod clip;
pub(crate) mod configure;
mod describe;
pub(crate) mod items;
pub(crate) mod links;
mod manifest;
mod origin;
pub mod own_indexers;
mod playback;
pub(crate) mod route;
mod seat;
mod sheet;
mod shelf;
pub(crate) mod start;
mod stream_list;
mod suitable;
pub mod user_data;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, header};

use crate::cors;
use crate::edge::Edge;
use crate::error::ApiError;
use crate::limit;
use crate::viewer::Viewer;
use route::Ask;

/// Where the addon lives.
pub(crate) const TORZ: &str = "/stremio/torz";

/// Everything below `TORZ`, as the router's pattern says it.
pub const ADDON_ROUTE: &str = "/stremio/torz/{*rest}";

/// Whether [`addon`] answers a path.
#[must_use]
pub fn is_addon(path: &str) -> bool {
    path.strip_prefix(TORZ).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// [`addon`] as a handler.
pub(crate) async fn answer(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    addon(&edge, request).await
}

/// Answers everything below `/stremio/torz`. The request must carry `axum::extract::ConnectInfo<SocketAddr>`, and the
/// listener follow [`crate::relay::ConnectionCut`] in the response's extensions.
pub async fn addon(edge: &Arc<Edge>, request: Request) -> Response {
    if cors::is_preflight(request.method()) {
        return cors::preflight();
    }
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(TORZ).unwrap_or_default();
    let answered = match (Ask::parse(path, &edge.links), &parts.method) {
        // A page, not a part of the protocol: other origins have no business with it.
        (Ok(Ask::Configure(data)), _) => return configure::answer(edge, &parts, body, data.as_deref()).await,
        (ask, &Method::GET | &Method::HEAD) => match ask {
            Ok(ask) => dispatch(edge, &parts, ask).await,
            Err(error) => Err(error),
        },
        _ => Err(ApiError::method_not_allowed()),
    };
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    cors::allow_all(response.headers_mut());
    response
}

async fn dispatch(edge: &Arc<Edge>, parts: &http::request::Parts, ask: Ask) -> Result<Response, ApiError> {
    let viewer = Viewer::of(&edge.config, parts);
    limit::admit(edge, &viewer, &ask).await?;
    match ask {
        Ask::Root | Ask::Configure(_) => Ok(configure::from_root()),
        Ask::Manifest(data) => Ok(manifest::answer(&edge.config, data.as_deref())),
        Ask::Streams(data, content) => Ok(Box::pin(stream_list::answer(edge, &viewer, &data, content)).await),
        Ask::Play(data, click) => Box::pin(playback::answer(edge, &viewer, &data, click, parts)).await,
    }
}

/// A JSON answer that belongs to one viewer, so nobody may keep it.
fn private_json(body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
