//! What happens to every API request before and after its endpoint: it is recorded, and scripted faults strike.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::calls::{Call, Calls};
use crate::content::{PIECE, content_bytes};
use crate::fault::{ErrorField, Fault, Faults, RateLimitShape};
use crate::serve::Connection;

/// TorBox's cap of a request body (100 MB); the others get the same.
const BODY_CAP: usize = 100 * 1_000 * 1_000;
/// The largest answer a fault rewrites.
const ANSWER_CAP: usize = 64 * 1024 * 1024;

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\
    <body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>\n";

/// State of the layer in front of one simulator's endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    pub(crate) calls: Calls,
    pub(crate) faults: Faults,
    /// Content type of this simulator's good answers.
    pub(crate) content_type: &'static str,
}

/// The number of valid items a feed has to be padded to, handed on to the Torznab endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PaddedFeed(pub(crate) usize);

pub(crate) async fn front(State(front): State<Front>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_CAP).await else {
        return envelope(StatusCode::BAD_REQUEST, &json!("TOO_MUCH_DATA"), "The request is larger than 100 MB.");
    };
    let call = Call::read(&parts, &body);
    let faults = front.faults.due(&call);
    let entry = front.calls.record(call);
    let connection = parts.extensions.get::<Arc<Connection>>().cloned();
    let mut rewrite = None;
    for fault in faults {
        match fault {
            Fault::Latency { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            Fault::ManyItems { count } => {
                parts.extensions.insert(PaddedFeed(count));
            }
            Fault::TruncatedJson
            | Fault::Slow { .. }
            | Fault::StallAt { .. }
            | Fault::OddError { .. }
            | Fault::NullData
            | Fault::QuotedIds => rewrite = Some(fault),
            other => {
                let answer = instead(other, connection.as_deref(), front.content_type).await;
                entry.status.store(answer.status().as_u16(), Ordering::Relaxed);
                return answer;
            }
        }
    }
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    entry.status.store(answer.status().as_u16(), Ordering::Relaxed);
    match rewrite {
        Some(fault) => rewritten(answer, &fault).await,
        None => answer,
    }
}

/// An answer of any status, type and body; a status out of range becomes 500.
pub(crate) fn answer(status: StatusCode, content_type: &str, body: impl Into<Body>) -> Response {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type)
        && !content_type.is_empty()
    {
        answer.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    answer
}

/// An answer that ends an endpoint early, so that `?` can carry it. Boxed: it is larger than what it interrupts.
#[derive(Debug)]
pub(crate) struct Refused(Box<Response>);

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// TorBox's envelope of a failure without data.
pub(crate) fn envelope(status: StatusCode, error: &Value, detail: &str) -> Response {
    let body = json!({"success": false, "error": error, "detail": detail, "data": null});
    answer(status, "application/json", body.to_string())
}

/// 429 in one of its shapes, for `limit` such as `60 per 1 hour`.
pub(crate) fn rate_limited(shape: RateLimitShape, limit: &str, retry_after: Option<u64>) -> Response {
    let body = match shape {
        RateLimitShape::Detail => json!({"detail": limit}),
        RateLimitShape::Error => json!({"error": format!("Rate limit exceeded: {limit}")}),
        RateLimitShape::Envelope => {
            json!({"success": false, "error": "RATE_LIMIT_EXCEEDED", "detail": limit, "data": null})
        }
    };
    let mut answer = answer(StatusCode::TOO_MANY_REQUESTS, "application/json", body.to_string());
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

async fn instead(fault: Fault, connection: Option<&Connection>, content_type: &str) -> Response {
    match fault {
        Fault::Answer { status, content_type, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            answer(status, &content_type, body)
        }
        Fault::RateLimited { shape, retry_after } => rate_limited(shape, "300 per 1 minute", retry_after),
        Fault::Code { status, code } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            envelope(status, &json!(code), "The request was refused.")
        }
        Fault::ServerError => {
            let body = json!({"success": false, "error": "UNKNOWN_ERROR", "detail": "Something went wrong. Try later.",
                "data": "NoneType object has no attribute 'id'"});
            answer(StatusCode::INTERNAL_SERVER_ERROR, "application/json", body.to_string())
        }
        Fault::HtmlBadGateway => answer(StatusCode::BAD_GATEWAY, "text/html", HTML),
        Fault::EmptyBadGateway => answer(StatusCode::BAD_GATEWAY, "", Body::empty()),
        Fault::HtmlPage => answer(StatusCode::OK, "text/html", HTML.replace("502 Bad Gateway", "Just a moment")),
        Fault::Garbage => answer(StatusCode::OK, content_type, content_bytes(1, 0, 4096)),
        Fault::HugeBody { bytes } => answer(StatusCode::OK, content_type, huge(bytes)),
        Fault::ErrorDocument { code, description } => {
            answer(StatusCode::OK, content_type, crate::torznab::error_document(code, &description))
        }
        Fault::Reset => {
            if let Some(connection) = connection {
                connection.reset();
            }
            std::future::pending().await
        }
        // The rest never comes here: they delay, pad or rewrite.
        Fault::Hang
        | Fault::Latency { .. }
        | Fault::ManyItems { .. }
        | Fault::TruncatedJson
        | Fault::Slow { .. }
        | Fault::StallAt { .. }
        | Fault::OddError { .. }
        | Fault::NullData
        | Fault::QuotedIds => std::future::pending().await,
    }
}

/// `bytes` bytes of text in pieces; a reader without a cap of its own fills its memory.
fn huge(bytes: u64) -> Body {
    let piece = Bytes::from(vec![b' '; PIECE]);
    Body::from_stream(stream::unfold(bytes, move |left| {
        let piece = piece.clone();
        async move {
            let len = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            (len > 0).then(|| (Ok::<_, std::io::Error>(piece.slice(..len)), left - len as u64))
        }
    }))
}

/// `bytes` in pieces of a twentieth of a second each.
fn dripping(bytes: Bytes, bytes_per_s: u64) -> Body {
    let len = usize::try_from(bytes_per_s / 20).unwrap_or(PIECE).clamp(1, PIECE);
    let pause = Duration::from_micros(len as u64 * 1_000_000 / bytes_per_s.max(1));
    Body::from_stream(stream::unfold(bytes, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let piece = left.split_to(len.min(left.len()));
        Some((Ok::<_, std::io::Error>(piece), left))
    }))
}

async fn rewritten(answer: Response, fault: &Fault) -> Response {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let bytes = to_bytes(body, ANSWER_CAP).await.unwrap_or_default();
    match *fault {
        Fault::TruncatedJson => return Response::from_parts(parts, Body::from(bytes.slice(..bytes.len() / 2))),
        Fault::Slow { bytes_per_s } => return Response::from_parts(parts, dripping(bytes, bytes_per_s)),
        Fault::StallAt { bytes: reached } => {
            let begun = stream::iter([Ok::<_, std::io::Error>(bytes.slice(..reached.min(bytes.len())))]);
            return Response::from_parts(parts, Body::from_stream(begun.chain(stream::pending())));
        }
        _ => {}
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    match fault {
        Fault::OddError { error } => {
            value["error"] = match error {
                ErrorField::True => json!(true),
                ErrorField::False => json!(false),
                ErrorField::Null => Value::Null,
                ErrorField::NullText => json!("null"),
            }
        }
        Fault::NullData => value["data"] = Value::Null,
        _ => quote_ids(&mut value),
    }
    Response::from_parts(parts, Body::from(value.to_string()))
}

fn quote_ids(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match field {
                    Value::Number(number) if name == "id" || name.ends_with("_id") => {
                        *field = json!(number.to_string());
                    }
                    nested => quote_ids(nested),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(quote_ids),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
