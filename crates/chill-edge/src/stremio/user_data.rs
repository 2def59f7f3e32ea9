//! The install link's own segment: which stores, and with which right, as JSON in base64.
//!
//! Accepted: the standard and the URL-safe alphabet, padded or not, percent-encoded or not. Anything else is refused with
//! a sentence that names what is wrong, and never repeats what was sent, because a link id or a token may be in it.

use std::fmt;
use std::sync::LazyLock;

use chill_core::source::OwnIndexer;
use chill_core::{LinkId, Secret, StoreCode};
use data_encoding::{BASE64URL_NOPAD, Encoding, Specification};
use serde_json::{Map, Value};

use super::choices::Choices;
use super::own_indexers;

/// Longest segment, in characters of base64.
pub const LONGEST: usize = 8 * 1024;
/// Most stores in one link.
pub const MOST_STORES: usize = 10;
/// Longest token of a viewer's own.
const LONGEST_TOKEN: usize = 512;

/// What an install link says.
#[derive(Clone)]
pub struct UserData {
    /// The stores, in the order of the viewer's liking; 1 to [`MOST_STORES`].
    pub stores: Vec<Entry>,
    /// Indexers of the viewer's own, at most [`super::own_indexers::MOST_INDEXERS`].
    pub indexers: Vec<OwnIndexer>,
    /// How the viewer wants his lists.
    pub choices: Choices,
    /// The segment for links we make: URL-safe, without padding, so it never holds a `/`.
    pub segment: String,
}

impl fmt::Debug for UserData {
    /// Without the segment, which is the credential itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserData").field("stores", &self.stores).field("choices", &self.choices).finish_non_exhaustive()
    }
}

/// One store of an install link.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which one.
    pub store: StoreCode,
    /// The right to the pool.
    pub auth: Option<LinkId>,
    /// The viewer's own token.
    pub token: Option<Secret>,
}

/// A segment that says nothing usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUserData {
    /// Nothing there.
    #[error("the link holds no settings; ask for a new install link")]
    Empty,
    /// More than [`LONGEST`] characters.
    #[error("the link's settings are longer than {LONGEST} characters")]
    Oversized,
    /// Not base64.
    #[error("the link's settings are not base64")]
    NotBase64,
    /// Not JSON.
    #[error("the link's settings are not JSON")]
    NotJson,
    /// JSON of the wrong shape; the text names the place.
    #[error("the link's settings are wrong: {0}")]
    Wrong(String),
}

fn wrong(what: impl fmt::Display) -> InvalidUserData {
    InvalidUserData::Wrong(what.to_string())
}

impl UserData {
    /// Reads a segment that has been percent-decoded already.
    ///
    /// # Errors
    /// [`InvalidUserData`] says what is wrong with it.
    pub fn parse(segment: &str) -> Result<Self, InvalidUserData> {
        let segment = segment.trim_matches(|c: char| c.is_ascii_whitespace());
        if segment.is_empty() {
            return Err(InvalidUserData::Empty);
        }
        if segment.len() > LONGEST {
            return Err(InvalidUserData::Oversized);
        }
        let json = decode(segment).ok_or(InvalidUserData::NotBase64)?;
        let value: Value = serde_json::from_slice(&json).map_err(|_| InvalidUserData::NotJson)?;
        let Value::Object(object) = value else { return Err(wrong("expected an object with `stores`")) };
        let choices = Choices::read(&object).map_err(InvalidUserData::Wrong)?;
        let indexers = own_indexers::read(&object).map_err(InvalidUserData::Wrong)?;
        Ok(Self { stores: stores(&object)?, indexers, choices, segment: BASE64URL_NOPAD.encode(&json) })
    }
}

/// Either alphabet, padding or none; line breaks inside are skipped, as some encoders make them.
fn decode(segment: &str) -> Option<Vec<u8>> {
    let segment = segment.trim_end_matches('=');
    // The links we make are URL-safe already, so most requests need no second copy.
    if segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return LENIENT.as_ref()?.decode(segment.as_bytes()).ok();
    }
    let plain: String = segment
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n'))
        .map(|c| match c {
            '+' | ' ' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    LENIENT.as_ref()?.decode(plain.as_bytes()).ok()
}

/// URL-safe base64 that does not insist on zero bits at the end, since not every encoder writes them.
static LENIENT: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    specification.check_trailing_bits = false;
    specification.encoding().ok()
});

fn stores(object: &Map<String, Value>) -> Result<Vec<Entry>, InvalidUserData> {
    let list = match object.get("stores") {
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong("`stores` is not a list")),
        None => return Err(wrong("`stores` is missing")),
    };
    if !(1..=MOST_STORES).contains(&list.len()) {
        return Err(wrong(format_args!("`stores` must have 1 to {MOST_STORES} entries")));
    }
    list.iter().enumerate().map(|(index, value)| entry(index, value)).collect()
}

/// Where in the link something stands, by the list and the position in it; written only when it is wrong.
#[derive(Clone, Copy)]
pub(super) struct Place(pub(super) &'static str, pub(super) usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.0, self.1)
    }
}

fn entry(index: usize, value: &Value) -> Result<Entry, InvalidUserData> {
    let place = Place("stores", index);
    let Value::Object(object) = value else { return Err(wrong(format_args!("`{place}` is not an object"))) };
    let code = field(object, place, "c")?.ok_or_else(|| wrong(format_args!("`{place}.c` is missing")))?;
    let store = code.parse::<StoreCode>().map_err(|error| wrong(format_args!("`{place}.c`: {error}")))?;
    let auth = field(object, place, "auth")?.map(str::parse::<LinkId>).transpose();
    let auth = auth.map_err(|_| wrong(format_args!("`{place}.auth` is not a UUID")))?;
    let token = field(object, place, "t")?.map(|token| own_token(token, place)).transpose()?;
    if auth.is_none() && token.is_none() {
        return Err(wrong(format_args!("`{place}` has neither `auth` nor `t`")));
    }
    Ok(Entry { store, auth, token })
}

/// A text field; absent, null and empty are the same.
fn field<'a>(object: &'a Map<String, Value>, place: Place, name: &str) -> Result<Option<&'a str>, InvalidUserData> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong(format_args!("`{place}.{name}` is not text"))),
    }
}

fn own_token(token: &str, place: Place) -> Result<Secret, InvalidUserData> {
    if token.len() > LONGEST_TOKEN || token.chars().any(char::is_control) {
        return Err(wrong(format_args!("`{place}.t` is not a token")));
    }
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL};
    use proptest::prelude::*;

    const LINK: &str = "11111111-2222-4333-8444-555555555555";

    fn both() -> String {
        format!(r#"{{"stores":[{{"c":"tb","auth":"{LINK}"}},{{"c":"rd","t":"tok?en>>ü"}}],"cached":true}}"#)
    }

    #[test]
    fn every_form_of_base64_is_the_same_link() {
        let json = both();
        let forms = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD].map(|form| form.encode(json.as_bytes()));
        assert!(forms[0].contains('+') || forms[0].contains('/'), "the alphabets must differ here");
        for form in forms {
            let data = UserData::parse(&form).unwrap();
            assert_eq!(data.stores.len(), 2);
            assert_eq!(data.stores[0].auth.unwrap().to_string(), LINK);
            assert_eq!(data.stores[1].token.as_ref().unwrap().expose(), "tok?en>>ü");
            assert!(!data.segment.contains(['/', '+', '=']));
            assert_eq!(UserData::parse(&data.segment).unwrap().segment, data.segment);
        }
    }

    #[test]
    fn pool_and_token_may_stand_together() {
        let json = format!(r#"{{"stores":[{{"c":"tb","auth":"{LINK}","t":"own"}}]}}"#);
        let data = UserData::parse(&BASE64.encode(json.as_bytes())).unwrap();
        assert!(data.stores[0].auth.is_some() && data.stores[0].token.is_some());
    }

    #[test]
    fn debug_shows_no_credential() {
        let data = UserData::parse(&BASE64.encode(both().as_bytes())).unwrap();
        let shown = format!("{data:?}");
        assert!(!shown.contains(LINK) && !shown.contains(&data.segment) && !shown.contains("tok?en"), "{shown}");
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_is_repeated() {
        let cases = [
            (r#"[]"#.to_owned(), "object"),
            (r#"{}"#.to_owned(), "`stores` is missing"),
            (r#"{"stores":{}}"#.to_owned(), "not a list"),
            (r#"{"stores":[]}"#.to_owned(), "1 to 10"),
            (format!(r#"{{"stores":[{}]}}"#, [r#"{"c":"tb","t":"x"}"#; 11].join(",")), "1 to 10"),
            (r#"{"stores":["tb"]}"#.to_owned(), "`stores[0]` is not an object"),
            (r#"{"stores":[{"t":"x"}]}"#.to_owned(), "`stores[0].c` is missing"),
            (r#"{"stores":[{"c":"zz","t":"x"}]}"#.to_owned(), "`stores[0].c`"),
            (r#"{"stores":[{"c":1,"t":"x"}]}"#.to_owned(), "not text"),
            (r#"{"stores":[{"c":"tb"}]}"#.to_owned(), "neither"),
            (r#"{"stores":[{"c":"tb","t":""}]}"#.to_owned(), "neither"),
            (r#"{"stores":[{"c":"tb","auth":"s3cret-not-a-uuid"}]}"#.to_owned(), "not a UUID"),
            (r#"{"stores":[{"c":"tb","auth":["x"]}]}"#.to_owned(), "not text"),
            ("{\"stores\":[{\"c\":\"tb\",\"t\":\"s3cret\\n\"}]}".to_owned(), "not a token"),
        ];
        for (json, said) in cases {
            let error = UserData::parse(&BASE64.encode(json.as_bytes())).unwrap_err().to_string();
            assert!(error.contains(said), "{json}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert_eq!(UserData::parse("").unwrap_err(), InvalidUserData::Empty);
        assert_eq!(UserData::parse("%%%").unwrap_err(), InvalidUserData::NotBase64);
        assert_eq!(UserData::parse("bm90IGpzb24").unwrap_err(), InvalidUserData::NotJson);
        assert_eq!(UserData::parse(&"A".repeat(LONGEST + 1)).unwrap_err(), InvalidUserData::Oversized);
    }

    #[test]
    fn deeply_nested_json_is_refused_not_followed() {
        let json = "[".repeat(5_000);
        assert_eq!(UserData::parse(&BASE64.encode(json.as_bytes())).unwrap_err(), InvalidUserData::NotJson);
    }

    proptest! {
        #[test]
        fn no_segment_panics(segment in ".{0,200}") {
            let _ = UserData::parse(&segment);
        }
    }
}
