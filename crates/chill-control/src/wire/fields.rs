//! Reading a JSON body field by field, so that every mistake is named. Unknown fields are passed over.

use std::str::FromStr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use chill_core::id::InvalidId;
use serde_json::{Map, Value};

use super::answer::Refusal;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// Reads a body of at most so many bytes as JSON.
pub(super) async fn json(body: Body, most: usize) -> Result<Value, Refusal> {
    let read = tokio::time::timeout(PATIENCE, to_bytes(body, most)).await.map_err(|_| Refusal::TooSlow)?;
    // Within the bound a body fails only when its connection does, and then nobody reads the answer.
    let bytes = read.map_err(|_| Refusal::TooLarge(most))?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::malformed("body", "expected JSON"))
}

/// One JSON object, and where it stands in the body.
pub(super) struct Fields {
    object: Map<String, Value>,
    place: String,
}

impl Fields {
    pub(super) fn of(value: Value, place: impl Into<String>) -> Result<Self, Refusal> {
        let place = place.into();
        match value {
            Value::Object(object) => Ok(Self { object, place }),
            _ if place.is_empty() => Err(Refusal::malformed("body", "expected an object")),
            _ => Err(Refusal::malformed(place, "expected an object")),
        }
    }

    fn wrong(&self, name: &str, message: impl Into<String>) -> Refusal {
        let dot = if self.place.is_empty() { "" } else { "." };
        Refusal::malformed(format!("{}{dot}{name}", self.place), message)
    }

    /// A field that is there; null is absent.
    fn value(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let text = |value: &'_ Value| value.as_str().is_some();
        match self.value(name) {
            None => Ok(None),
            Some(value) if text(value) => Ok(value.as_str()),
            Some(_) => Err(self.wrong(name, "expected a text")),
        }
    }

    /// A text of a type of its own; an empty one is absent, as plain clients send it.
    pub(super) fn parsed<T: FromStr<Err = InvalidId>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let read =
            |text: &str| text.parse().map_err(|e: InvalidId| self.wrong(name, format!("expected {}", e.expected)));
        self.text(name)?.filter(|text| !text.is_empty()).map(read).transpose()
    }

    /// The same, and it must be there.
    pub(super) fn required<T: FromStr<Err = InvalidId>>(&self, name: &str) -> Result<T, Refusal> {
        self.parsed(name)?.ok_or_else(|| self.wrong(name, "is required"))
    }

    /// True or false.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let read = |value: &Value| value.as_bool().ok_or_else(|| self.wrong(name, "expected true or false"));
        self.value(name).map(read).transpose()
    }

    /// A whole number that is not negative.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let wrong = || self.wrong(name, "expected a whole number, 0 or more");
        self.value(name).map(|value| value.as_u64().ok_or_else(wrong)).transpose()
    }

    /// A list of texts of a type of its own, at most so many.
    pub(super) fn list<T: FromStr<Err = InvalidId>>(&self, name: &str, most: usize) -> Result<Vec<T>, Refusal> {
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(|| self.wrong(name, "expected a list"))?;
        if items.len() > most {
            return Err(self.wrong(name, format!("at most {most} items")));
        }
        let read = |item: &Value| item.as_str().and_then(|text| text.parse().ok());
        items.iter().map(|item| read(item).ok_or_else(|| self.wrong(name, "expected a list of ids"))).collect()
    }
}
