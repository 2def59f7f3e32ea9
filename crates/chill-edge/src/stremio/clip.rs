//! Status clips, with the ranges that players insist on.

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chill_core::range::{RangeRequest, Span};
use http::{HeaderValue, Method, StatusCode, header};

use crate::cors;
use crate::error::ApiError;
use crate::refusal::{Code, REFUSAL};

/// Answers `/stremio/_/clips/<code>.mp4`.
pub(crate) async fn answer(Path(name): Path<String>, request: Request) -> Response {
    if cors::is_preflight(request.method()) {
        return cors::preflight();
    }
    let code = name.strip_suffix(".mp4").and_then(Code::from_word);
    let mut response = match (request.method(), code) {
        (&Method::GET | &Method::HEAD, Some(code)) => {
            let range = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
            // A clip has no version: whoever names one has a part of a film, which a part of a clip must not go on.
            let continues = request.headers().contains_key(header::IF_RANGE);
            serve(code, range.filter(|_| !continues))
        }
        (&Method::GET | &Method::HEAD, None) => ApiError::not_found().into_response(),
        _ => ApiError::method_not_allowed().into_response(),
    };
    cors::allow_all(response.headers_mut());
    response
}

fn serve(code: Code, range: Option<&str>) -> Response {
    let clip = Bytes::from_static(code.clip());
    let length = clip.len() as u64;
    let wanted = match range.map(RangeRequest::parse) {
        Some(RangeRequest::One(range)) => match range.resolve(length) {
            Some(span) => Some(span),
            None => return unsatisfiable(length),
        },
        Some(RangeRequest::Ignore) | None => None,
    };
    let bytes = match wanted {
        Some(Span { first, last, .. }) => part(&clip, first, last),
        None => clip,
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFUSAL, HeaderValue::from_static(code.as_str()));
    if let Some(span) = wanted
        && let Ok(value) = HeaderValue::try_from(span.to_string())
    {
        headers.insert(header::CONTENT_RANGE, value);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn part(clip: &Bytes, first: u64, last: u64) -> Bytes {
    let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(clip.len());
    clip.slice(index(first)..index(last.saturating_add(1)))
}

fn unsatisfiable(length: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{length}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}
