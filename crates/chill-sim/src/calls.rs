//! What reached a simulator, for tests that count calls or look for headers that should not be there.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::request::Parts;
use serde::Serialize;

use crate::clock::lock;

/// Calls remembered per simulator; older ones are forgotten.
const REMEMBERED: usize = 50_000;
/// Bytes of a request body that are remembered.
const REMEMBERED_BODY: usize = 16 * 1024;

/// One request that reached a simulator.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// Query parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Request headers, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The first 16 KiB of the request body as text.
    pub body: String,
    /// Status of the answer; 0 while there is none.
    pub status: u16,
    /// Body bytes of the answer handed to the connection so far (CDN only).
    pub bytes_sent: u64,
}

impl Call {
    /// The first query parameter of that name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the call went to this endpoint: the end of the path, or the Torznab function in `t`.
    pub fn is_to(&self, endpoint: &str) -> bool {
        endpoint.is_empty() || self.path.ends_with(endpoint) || self.param("t") == Some(endpoint)
    }

    /// The API key the caller showed: bearer header, `token` or `apikey`.
    pub fn key(&self) -> Option<&str> {
        let bearer = self.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        bearer.or_else(|| self.param("token")).or_else(|| self.param("apikey"))
    }

    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Self {
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let headers = parts.headers.iter();
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: query.into_owned().collect(),
            headers: headers
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: String::from_utf8_lossy(&body[..body.len().min(REMEMBERED_BODY)]).into_owned(),
            status: 0,
            bytes_sent: 0,
        }
    }
}

/// A call in the log whose answer is still being made.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) call: Call,
    pub(crate) status: AtomicU16,
    pub(crate) bytes_sent: AtomicU64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<VecDeque<Arc<Entry>>>>);

impl Calls {
    pub(crate) fn record(&self, call: Call) -> Arc<Entry> {
        let entry = Arc::new(Entry { call, status: AtomicU16::new(0), bytes_sent: AtomicU64::new(0) });
        let mut entries = lock(&self.0);
        if entries.len() == REMEMBERED {
            entries.pop_front();
        }
        entries.push_back(entry.clone());
        entry
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        let filled = |entry: &Arc<Entry>| Call {
            status: entry.status.load(Ordering::Relaxed),
            bytes_sent: entry.bytes_sent.load(Ordering::Relaxed),
            ..entry.call.clone()
        };
        lock(&self.0).iter().map(filled).collect()
    }

    pub(crate) fn to(&self, endpoint: &str) -> usize {
        lock(&self.0).iter().filter(|entry| entry.call.is_to(endpoint)).count()
    }

    pub(crate) fn forget(&self) {
        lock(&self.0).clear();
    }
}
