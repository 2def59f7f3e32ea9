//! The fields of a request that makes links, from its query and its body.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use http::request::Parts;
use http::{Method, header};

use super::envelope::Failure;

/// Most fields that are looked at, in query and body each.
const MOST_FIELDS: usize = 2_000;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fields with their values, in order.
#[derive(Debug, Default)]
pub(super) struct Form {
    query: HashMap<String, Vec<String>>,
    body: HashMap<String, Vec<String>>,
    from_body: bool,
}

impl Form {
    /// The fields of the query alone.
    pub(super) fn of_query(parts: &Parts) -> Self {
        Self { query: fields(parts.uri.query().unwrap_or_default().as_bytes()), ..Self::default() }
    }

    /// Adds those in the body of a `POST` in a browser form's coding. `largest`: in bytes.
    pub(super) async fn with_body(self, parts: &Parts, body: Body, largest: usize) -> Result<Self, Failure> {
        if parts.method != Method::POST {
            return Ok(self);
        }
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(Self { from_body: true, ..self });
        }
        let body = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, largest)).await;
        let Ok(Ok(body)) = body else { return Err(Failure::bad_request("failed to parse data")) };
        Ok(Self { body: fields(&body), from_body: true, ..self })
    }

    /// All values of `url`: a `POST` has them in its body.
    pub(super) fn urls(&self) -> &[String] {
        let fields = if self.from_body { &self.body } else { &self.query };
        fields.get("url").map(Vec::as_slice).unwrap_or_default()
    }

    /// The first value of a field, the body's before the query's.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let value = self.body.get(name).or_else(|| self.query.get(name))?;
        value.first().map(String::as_str)
    }

    /// The value of `name[at]`, else that of `name`.
    pub(super) fn indexed(&self, name: &str, at: usize) -> Option<&str> {
        self.value(&format!("{name}[{at}]")).or_else(|| self.value(name))
    }
}

fn fields(encoded: &[u8]) -> HashMap<String, Vec<String>> {
    let mut fields = HashMap::<String, Vec<String>>::new();
    for (name, value) in url::form_urlencoded::parse(encoded).take(MOST_FIELDS) {
        fields.entry(name.into_owned()).or_default().push(Cow::into_owned(value));
    }
    fields
}
