//! What players ask: the Torz addon's manifest, stream lists and playbacks, in Stremio's addon protocol.
//!
//! Refuses: to show a viewer a key, an indexer's address or a store's link, and to answer a bad link with anything but a
//! sentence that says what is wrong with it.
//!
//! Start reading at `answer`: a path becomes a `route::Ask`, and each kind of it has a file.

pub(crate) mod cached;
pub(crate) mod catalogue;
mod choose_file;
pub(crate) mod clip;
mod configure;
mod describe;
mod manifest;
mod origin;
mod playback;
pub(crate) mod route;
mod seat;
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
use crate::viewer::Viewer;
use route::Ask;

/// Where the addon lives.
pub(crate) const TORZ: &str = "/stremio/torz";

/// Answers everything below [`TORZ`].
pub(crate) async fn answer(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    if cors::is_preflight(request.method()) {
        return cors::preflight();
    }
    let (parts, _) = request.into_parts();
    let mut response = match parts.method {
        Method::GET | Method::HEAD => dispatch(&edge, &parts).await.unwrap_or_else(IntoResponse::into_response),
        _ => ApiError::method_not_allowed().into_response(),
    };
    cors::allow_all(response.headers_mut());
    response
}

async fn dispatch(edge: &Arc<Edge>, parts: &http::request::Parts) -> Result<Response, ApiError> {
    let path = parts.uri.path().strip_prefix(TORZ).unwrap_or_default();
    let ask = Ask::parse(path)?;
    match ask {
        Ask::Root => Ok(configure::from_root()),
        Ask::Configure => Ok(configure::page()),
        Ask::Manifest(data) => Ok(manifest::answer(&edge.config, data.as_ref())),
        Ask::Streams(data, content) => {
            let viewer = Viewer::of(&edge.config, parts);
            Ok(Box::pin(stream_list::answer(edge, &viewer, &data, content)).await)
        }
        Ask::Play(data, click) => {
            let viewer = Viewer::of(&edge.config, parts);
            Box::pin(playback::answer(edge, &viewer, &data, click, parts)).await
        }
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
