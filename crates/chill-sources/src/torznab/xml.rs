//! Reading XML of unknown quality: any encoding, unknown entities, documents that end in the middle.

use std::borrow::Cow;

use chill_core::Secret;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart};
use quick_xml::{Reader, XmlVersion};

/// The longest text of one element or attribute that is kept, in bytes.
pub(super) const TEXT: usize = 4_096;
/// The longest message, in characters.
const MESSAGE: usize = 200;

/// Text of a body whose declared encoding cannot be trusted: UTF-8 where it is, Latin-1 for every other byte.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    Cow::Owned(text)
}

/// A reader that forgives what can be understood.
pub(super) fn reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    reader
}

/// The attribute of this local name, whatever its prefix.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found =
        attributes.with_checks(false).flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let known = |entity: &str| resolve_predefined_entity(entity).or(Some(""));
    let value = found.normalized_value_with(XmlVersion::Implicit1_0, 1, known);
    let value = value.unwrap_or_else(|_| found.value.clone());
    let mut text = String::new();
    push(&mut text, &value);
    Some(text)
}

/// What an entity or a character reference in a text stands for; nothing for unknown ones.
pub(super) fn entity(reference: &BytesRef<'_>) -> String {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => character.to_string(),
        _ => resolve_predefined_entity(reference).unwrap_or_default().to_owned(),
    }
}

/// Adds to a text, up to the longest one that is kept.
pub(super) fn push(text: &mut String, more: &str) {
    let room = TEXT.saturating_sub(text.len());
    text.push_str(&more[..more.floor_char_boundary(room)]);
}

/// An indexer's words, fit for an error: short, on one line, without its key and without addresses.
pub(super) fn printable(message: &str, apikey: &Secret) -> String {
    let message = match apikey.expose() {
        "" => message.to_owned(),
        key => message.replace(key, "[removed]"),
    };
    let words = message.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words = words.map(|word| if word.contains("://") || word.contains("apikey=") { "[removed]" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_some_text() {
        assert_eq!(text("\u{feff}Amélie".as_bytes()), "Amélie");
        assert_eq!(text(b"Am\xe9lie \xc3\xa9"), "Amélie é");
        assert_eq!(text(&[0xff, 0xfe, 0]).chars().count(), 3);
    }

    #[test]
    fn an_indexers_words_are_cleaned() {
        let key = Secret::new("sekret");
        let said = "Bad key sekret at\nhttp://10.0.0.1/api?apikey=x and apikey=sekret\t!";
        assert_eq!(printable(said, &key), "Bad key [removed] at [removed] and [removed] !");
        assert_eq!(printable(&"é".repeat(1_000), &key).chars().count(), MESSAGE);
    }
}
