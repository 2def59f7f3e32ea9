//! One request to the CDN, answered as RFC 9110 asks (ranges §14, preconditions §13).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::body::{Open, Sending, body};
use super::fault::{CdnFault, due};
use super::range::{Part, part};
use super::{Cdn, Served};
use crate::calls::{Call, Entry};
use crate::clock::{internet_date, lock};
use crate::front::{Refused, answer};
use crate::serve::Connection;

/// The faults of one request, sorted by where they bite.
#[derive(Default)]
struct Bites {
    status: Option<u16>,
    latency_ms: u64,
    hang: bool,
    reset: bool,
    ignore_range: bool,
    wrong_etag: bool,
    cut_at: Option<u64>,
    stall_at: Option<u64>,
    bytes_per_s: Option<u64>,
}

pub(super) async fn serve(State(cdn): State<Cdn>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let entry = cdn.calls.record(Call::read(&parts, b""));
    let connection = parts.extensions.get::<Arc<Connection>>().cloned();
    let response = match find(&cdn, &parts) {
        Ok((served, bites)) => {
            if bites.latency_ms > 0 {
                tokio::time::sleep(Duration::from_millis(bites.latency_ms)).await;
            }
            if bites.reset
                && let Some(connection) = &connection
            {
                connection.reset();
            }
            if bites.hang || bites.reset {
                return std::future::pending().await;
            }
            sent(&cdn, &parts, &served, &bites, entry.clone(), connection)
        }
        Err(refused) => refused.into_response(),
    };
    entry.status.store(response.status().as_u16(), Ordering::Relaxed);
    response
}

fn plain(status: StatusCode, text: &'static str) -> Refused {
    answer(status, "text/plain", text).into()
}

/// The link's file and what is scripted for this request, or why there is nothing to send.
fn find(cdn: &Cdn, parts: &Parts) -> Result<(Served, Bites), Refused> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n"));
    }
    let now = cdn.clock.now_ms();
    let id = parts.uri.path().strip_prefix("/dld/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let token = query.into_owned().find_map(|(name, value)| (name == "token").then_some(value));
    let mut store = lock(&cdn.store);
    let store = &mut *store;
    let Some(link) = store.links.get_mut(id) else { return Err(plain(StatusCode::NOT_FOUND, "Not Found\n")) };
    if link.gone {
        return Err(plain(StatusCode::GONE, "Gone\n"));
    }
    if token.as_deref() != Some(link.token.as_str()) || now >= link.expires_at {
        return Err(plain(StatusCode::FORBIDDEN, "Forbidden\n"));
    }
    let bites = bites(&due(&mut store.faults, &link.served), link.answers);
    if let Some(status) = bites.status {
        return Err(plain(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), "Refused\n"));
    }
    link.answers += 1;
    Ok((link.served.clone(), bites))
}

fn bites(faults: &[CdnFault], answers: u32) -> Bites {
    let mut bites = Bites::default();
    for fault in faults {
        match *fault {
            CdnFault::CutAt { bytes } => bites.cut_at = Some(bytes),
            CdnFault::Slow { bytes_per_s } => bites.bytes_per_s = Some(bytes_per_s),
            CdnFault::StallAt { bytes } => bites.stall_at = Some(bytes),
            CdnFault::WrongEtagAfter { answers: right } => bites.wrong_etag = answers >= right,
            CdnFault::Status { status } => bites.status = Some(status),
            CdnFault::IgnoreRange => bites.ignore_range = true,
            CdnFault::Latency { ms } => bites.latency_ms += ms,
            CdnFault::Hang => bites.hang = true,
            CdnFault::Reset => bites.reset = true,
        }
    }
    bites
}

fn sent(
    cdn: &Cdn,
    parts: &Parts,
    served: &Served,
    bites: &Bites,
    entry: Arc<Entry>,
    connection: Option<Arc<Connection>>,
) -> Response {
    let etag = format!("\"{:016x}-{:x}{}\"", served.seed, served.size, if bites.wrong_etag { "-new" } else { "" });
    let modified = internet_date(served.modified_at, "GMT");
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    // If-Range needs a strong match; when it fails, the range is as if it was not asked for (RFC 9110 §13.1.5).
    let range_holds = text(header::IF_RANGE).is_none_or(|validator| validator == etag || validator == modified);
    let range = text(header::RANGE).filter(|_| range_holds && !bites.ignore_range && parts.method == Method::GET);
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::ACCEPT_RANGES, "bytes");
    set(header::ETAG, &etag);
    set(header::LAST_MODIFIED, &modified);
    let (status, at, end) = match part(range, served.size) {
        Part::Whole => (StatusCode::OK, 0, served.size),
        Part::Bytes(first, last) => {
            set(header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", served.size));
            (StatusCode::PARTIAL_CONTENT, first, last + 1)
        }
        Part::Unsatisfiable => {
            set(header::CONTENT_RANGE, &format!("bytes */{}", served.size));
            (StatusCode::RANGE_NOT_SATISFIABLE, 0, 0)
        }
    };
    set(header::CONTENT_LENGTH, &(end - at).to_string());
    set(header::CONTENT_TYPE, crate::torbox::mimetype(&served.name));
    set(header::CONTENT_DISPOSITION, &disposition(&served.name));
    let body = if parts.method == Method::HEAD || end == at {
        Body::empty()
    } else {
        let bytes_per_s = [bites.bytes_per_s, served.bytes_per_s].into_iter().flatten().min();
        let (cut_at, stall_at, _open) = (bites.cut_at, bites.stall_at, Open::counted(&cdn.open));
        body(Sending { seed: served.seed, at, end, bytes_per_s, cut_at, stall_at, entry, connection, _open })
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// RFC 6266 with the name percent-encoded, because it may hold anything.
fn disposition(name: &str) -> String {
    let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("attachment; filename*=UTF-8''{name}")
}
