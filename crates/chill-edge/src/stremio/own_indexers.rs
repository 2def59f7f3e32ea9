//! A viewer's own indexers: what his link says of them, and the sources they are.

use std::sync::Arc;

use chill_core::source::{Indexers, OwnIndexer};
use chill_core::{Secret, Source};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::user_data::Place;

/// Most indexers in one link.
pub const MOST_INDEXERS: usize = 5;
/// Programs an indexer may be in; their addresses are written differently.
pub(crate) const KINDS: [(&str, &str); 3] = [("generic", "Torznab"), ("jackett", "Jackett"), ("prowlarr", "Prowlarr")];
/// Longest address and key.
pub(crate) const LONGEST: usize = 512;

/// The sources of a link, and what tells them from another link's.
pub(crate) struct Own {
    pub(crate) sources: Vec<Arc<dyn Source>>,
    pub(crate) id: [u8; 32],
}

/// Opens what can be opened; an address that cannot be used costs only itself.
pub(crate) async fn open(port: Option<&Arc<dyn Indexers>>, indexers: &[OwnIndexer]) -> Option<Own> {
    let port = port.filter(|_| !indexers.is_empty())?;
    let (mut sources, mut id) = (Vec::new(), Sha256::new());
    for own in indexers {
        match port.open(own).await {
            Ok(source) => {
                sources.push(source);
                for part in [own.kind.as_str(), &own.url, own.apikey.expose()] {
                    id.update((part.len() as u64).to_le_bytes());
                    id.update(part);
                }
            }
            Err(why) => tracing::debug!(why, "a viewer's own indexer is left out"),
        }
    }
    (!sources.is_empty()).then(|| Own { sources, id: id.finalize().into() })
}

/// Reads `indexers` of a link's object: `[{"n":"jackett","u":"https://…","ak":"…"}]`, null or absent.
///
/// # Errors
/// A sentence that names the place and repeats no value.
pub(super) fn read(object: &Map<String, Value>) -> Result<Vec<OwnIndexer>, String> {
    let list = match object.get("indexers") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= MOST_INDEXERS => list,
        Some(Value::Array(_)) => return Err(format!("`indexers` has more than {MOST_INDEXERS} entries")),
        Some(_) => return Err("`indexers` is not a list".to_owned()),
    };
    list.iter().enumerate().map(|(index, value)| entry(Place("indexers", index), value)).collect()
}

fn entry(place: Place, value: &Value) -> Result<OwnIndexer, String> {
    let Value::Object(object) = value else { return Err(format!("`{place}` is not an object")) };
    let text = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) if text.len() <= LONGEST && !text.chars().any(char::is_control) => Ok(text.trim()),
        Some(_) => Err(format!("`{place}.{name}` is not a text of at most {LONGEST} characters")),
    };
    let kind = text("n")?;
    if !KINDS.iter().any(|(known, _)| *known == kind) {
        return Err(format!("`{place}.n` is none of generic, jackett, prowlarr"));
    }
    let url = text("u")?;
    if url.is_empty() {
        return Err(format!("`{place}.u` is missing"));
    }
    Ok(OwnIndexer { kind: kind.to_owned(), url: url.to_owned(), apikey: Secret::new(text("ak")?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Result<Vec<(String, String, String)>, String> {
        let value: Value = serde_json::from_str(json).unwrap();
        let read = read(value.as_object().unwrap())?;
        Ok(read.into_iter().map(|own| (own.kind, own.url, own.apikey.expose().to_owned())).collect())
    }

    #[test]
    fn a_links_indexers_are_read() {
        assert_eq!(told("{}").unwrap(), []);
        assert_eq!(told(r#"{"indexers":null}"#).unwrap(), []);
        let two = r#"{"indexers":[{"n":"jackett","u":"https:j.example::all","ak":"K"},{"n":"generic","u":"https://t.example"}]}"#;
        let text = |text: &str| text.to_owned();
        assert_eq!(
            told(two).unwrap(),
            [
                (text("jackett"), text("https:j.example::all"), text("K")),
                (text("generic"), text("https://t.example"), String::new())
            ]
        );
        let six = format!(r#"{{"indexers":[{}]}}"#, [r#"{"n":"generic","u":"x"}"#; 6].join(","));
        for (json, says) in [
            (r#"{"indexers":{}}"#, "not a list"),
            (six.as_str(), "more than 5"),
            (r#"{"indexers":["s3cret"]}"#, "`indexers[0]` is not an object"),
            (r#"{"indexers":[{"n":"s3cret","u":"x"}]}"#, "`indexers[0].n`"),
            (r#"{"indexers":[{"n":"generic"}]}"#, "`indexers[0].u` is missing"),
            (r#"{"indexers":[{"n":"generic","u":"x","ak":["s3cret"]}]}"#, "`indexers[0].ak`"),
        ] {
            let error = told(json).unwrap_err();
            assert!(error.contains(says) && !error.contains("s3cret"), "{json}: {error}");
        }
    }
}
