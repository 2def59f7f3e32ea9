//! The head of the response a viewer gets: made here, line by line, never copied from the origin's.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chill_core::range::Span;
use http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method};
use http_body::{Body as _, Frame};

use super::answer::{Answer, Shape};
use super::ask::Ask;
use super::body::{RelayBody, Terms};
use super::connection::Relayed;
use super::media_type::{any_type, is_playable, media_type};
use super::open::Opened;
use super::outlet::Outlet;
use super::resume::WayBack;
use super::upstream::Upstream;
use super::{Carries, Film, OpenRequest};

/// Longest file name told to a player, in bytes.
const LONGEST_NAME: usize = 200;

pub(super) fn response(upstream: &Arc<Upstream>, ask: &Ask, opened: Opened, film: Film, open: OpenRequest) -> Response {
    let shape = opened.answer.shape;
    let mut headers = HeaderMap::with_capacity(16);
    opened.answer.validator.write(&mut headers);
    write_shape(&mut headers, shape, opened.answer.takes_ranges);
    if matches!(shape, Shape::Whole { .. } | Shape::Part(_)) {
        write_type(&mut headers, ask.carries, &opened.answer, &film.file_name);
        headers.insert(CONTENT_DISPOSITION, inline(&film.file_name));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Content-Range, Content-Length, Accept-Ranges, ETag"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A shared cache would go on serving a viewer whose access was revoked.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    let relayed = Relayed { cut: film.cut.clone(), outlet: Outlet::default() };
    let mut response = Response::new(body(upstream, ask, opened, film, &relayed.outlet, open));
    *response.status_mut() = shape.status();
    *response.headers_mut() = headers;
    // A connection that carries no byte of the film has nothing to be cut: its next request would be lost.
    if !response.body().is_end_stream() {
        response.extensions_mut().insert(relayed);
    }
    response
}

fn write_type(headers: &mut HeaderMap, carries: Carries, answer: &Answer, file_name: &str) {
    let told = answer.content_type.as_ref();
    let kind = match carries {
        Carries::Film => media_type(told, file_name),
        Carries::AnyFile => any_type(told, file_name),
    };
    // Somebody else's page, or a picture with a script in it, must not act in the name of this server.
    if carries == Carries::AnyFile && !is_playable(&kind) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    }
    if let Some(coding) = &answer.content_encoding {
        headers.insert(CONTENT_ENCODING, coding.clone());
    }
    headers.insert(CONTENT_TYPE, kind);
}

fn write_shape(headers: &mut HeaderMap, shape: Shape, takes_ranges: bool) {
    match shape {
        Shape::Whole { length } => {
            if let Some(length) = length {
                headers.insert(CONTENT_LENGTH, length.into());
            }
            if takes_ranges {
                headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            }
        }
        Shape::Part(span) => {
            headers.insert(CONTENT_LENGTH, span.count().into());
            headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            write_range(headers, &span.to_string());
        }
        Shape::Unsatisfiable { length } => {
            headers.insert(CONTENT_LENGTH, 0.into());
            headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            if let Some(length) = length {
                write_range(headers, &format!("bytes */{length}"));
            }
        }
        Shape::NotModified => {}
        Shape::PreconditionFailed => {
            headers.insert(CONTENT_LENGTH, 0.into());
        }
    }
}

fn write_range(headers: &mut HeaderMap, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(CONTENT_RANGE, value);
    }
}

fn body(upstream: &Arc<Upstream>, ask: &Ask, opened: Opened, film: Film, outlet: &Outlet, open: OpenRequest) -> Body {
    let (first, end, length) = match opened.answer.shape {
        Shape::Whole { length } => (0, length, length),
        Shape::Part(Span { first, last, length }) => (first, Some(last + 1), Some(length)),
        Shape::Unsatisfiable { .. } | Shape::NotModified | Shape::PreconditionFailed => return Body::new(Nothing),
    };
    if ask.method == Method::HEAD || end == Some(first) {
        return Body::new(Nothing);
    }
    let Opened { answer, ready, link } = opened;
    let replaced = link.replaced.clone();
    let way = length.map(|length| WayBack {
        upstream: upstream.clone(),
        origin: film.origin,
        link,
        validator: answer.validator,
        length,
    });
    let terms = Terms { stall: upstream.config.stall_timeout, outlet: outlet.clone(), replaced, cut: film.cut };
    let owed = first..end.unwrap_or(u64::MAX);
    Body::new(RelayBody::new(answer.body, ready, owed, way, terms, open))
}

/// No bytes, and not a word about how many there would be: the head says so where it is known. From an empty body axum
/// would conclude a length of 0, also for a `HEAD` and a 304.
struct Nothing;

impl http_body::Body for Nothing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

/// `inline` with the name twice: once in ASCII, once for players that know RFC 6266.
fn inline(file_name: &str) -> HeaderValue {
    let name = shortened(file_name);
    let plain: String = name
        .chars()
        .map(|c| if c == ' ' || (c.is_ascii_graphic() && !r#""\%"#.contains(c)) { c } else { '_' })
        .collect();
    let mut value = format!("inline; filename=\"{plain}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(value, "%{byte:02X}");
        }
    }
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("inline"))
}

fn shortened(name: &str) -> &str {
    let mut end = name.len().min(LONGEST_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_told_in_both_forms() {
        assert_eq!(
            inline("Amélie \"2001\".mkv"),
            "inline; filename=\"Am_lie _2001_.mkv\"; filename*=UTF-8''Am%C3%A9lie%20%222001%22.mkv"
        );
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_head(name in ".{0,300}") {
            let value = inline(&name);
            prop_assert!(value.to_str().unwrap().starts_with("inline; filename=\""));
            prop_assert!(value.len() < 1_000);
        }
    }
}
