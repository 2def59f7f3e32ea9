//! A viewer's own choices in his link: order, filter, limits, languages and templates.
//!
//! [`Choices`] is what the link says, `Chosen` what it means. A link whose texts mean nothing stays a link: its manifest
//! is valid, and its stream lists hold one entry that says what is wrong and leads to the page where it is put right.
//!
//! It refuses: to show a list that silently ignores a choice.

mod chosen;
mod explain;
mod keep;

use chill_release::{Language, Member};
use serde_json::{Map, Value, json};

pub(crate) use chosen::{Chosen, Field, Mistake};
pub(crate) use explain::explain;
pub(crate) use keep::ChosenCache;

/// Most streams of a list that a link can ask for; the operator's own limit may be lower.
pub(crate) const MOST: u16 = 1_000;
/// Most languages of one kind.
const MOST_LANGUAGES: usize = 20;

/// What a link says beside its stores. Everything empty means the server's own way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choices {
    /// Sort keys, such as `-resolution,-size`. Key `sort`.
    pub sort: String,
    /// Which streams are kept, an expression. Key `filter`.
    pub filter: String,
    /// A pattern of names that are not shown; case does not matter. Key `hide`.
    pub hide: String,
    /// Only what plays at once. Key `cached`.
    pub cached: bool,
    /// Most streams in all; 0 is no limit of the viewer's. Key `limit.total`.
    pub total: u16,
    /// Most streams of one resolution; 0 is no limit. Key `limit.resolution`.
    pub each: u16,
    /// Codes of languages that come first. Key `langs.preferred`.
    pub preferred: Vec<&'static str>,
    /// Codes of languages one of which a release must have if it names any. Key `langs.required`.
    pub required: Vec<&'static str>,
    /// Template of the name. Key `tn`.
    pub name: String,
    /// Template of the description. Key `td`.
    pub description: String,
}

impl Choices {
    /// Reads them from a link's object. Unknown keys are ignored.
    ///
    /// # Errors
    /// A sentence that names the key whose value has the wrong type; it repeats no value.
    pub(crate) fn read(object: &Map<String, Value>) -> Result<Self, String> {
        let limit = part(object, "limit")?;
        let languages = part(object, "langs")?;
        Ok(Self {
            sort: text(object, "sort")?,
            filter: text(object, "filter")?,
            hide: text(object, "hide")?,
            cached: flag(object, "cached")?,
            total: limit.map_or(Ok(0), |limit| number(limit, "total"))?,
            each: limit.map_or(Ok(0), |limit| number(limit, "resolution"))?,
            preferred: languages.map_or(Ok(Vec::new()), |languages| codes(languages, "preferred"))?,
            required: languages.map_or(Ok(Vec::new()), |languages| codes(languages, "required"))?,
            name: text(object, "tn")?,
            description: text(object, "td")?,
        })
    }

    /// Writes them into a link's object; what is empty is left out.
    pub(crate) fn write(&self, object: &mut Map<String, Value>) {
        let mut put = |key: &str, value: Option<Value>| match value {
            Some(value) => drop(object.insert(key.to_owned(), value)),
            None => drop(object.remove(key)),
        };
        let text = |text: &str| (!text.trim().is_empty()).then(|| Value::from(text));
        put("sort", text(&self.sort));
        put("filter", text(&self.filter));
        put("hide", text(&self.hide));
        put("cached", self.cached.then_some(Value::Bool(true)));
        let limits = [("total", self.total), ("resolution", self.each)];
        let limits: Map<_, _> =
            limits.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| (key.to_owned(), json!(n))).collect();
        put("limit", (!limits.is_empty()).then_some(Value::Object(limits)));
        let languages = [("preferred", &self.preferred), ("required", &self.required)];
        let languages: Map<_, _> =
            languages.into_iter().filter(|(_, c)| !c.is_empty()).map(|(key, c)| (key.to_owned(), json!(c))).collect();
        put("langs", (!languages.is_empty()).then_some(Value::Object(languages)));
        put("tn", text(&self.name));
        put("td", text(&self.description));
    }

    /// Whether the link leaves everything to the server.
    pub(crate) fn is_default(&self) -> bool {
        let texts = [&self.sort, &self.filter, &self.hide, &self.name, &self.description];
        texts.iter().all(|text| text.is_empty())
            && !self.cached
            && self.total == 0
            && self.each == 0
            && self.preferred.is_empty()
            && self.required.is_empty()
    }
}

/// Languages by code or English name, separated by commas.
///
/// # Errors
/// A sentence that names the first unknown one.
pub(crate) fn languages(text: &str) -> Result<Vec<&'static str>, String> {
    let mut codes = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let named = |language: &Language| language.name().eq_ignore_ascii_case(word);
        let known = Language::from_code(word).or_else(|| Language::ALL.iter().copied().find(named));
        let Some(language) = known else {
            let short: String = word.chars().take(40).collect();
            return Err(format!("“{short}” is no language known here; write codes or names, such as en, German"));
        };
        if !codes.contains(&language.as_str()) {
            codes.push(language.as_str());
        }
        if codes.len() > MOST_LANGUAGES {
            return Err(format!("at most {MOST_LANGUAGES} languages are taken"));
        }
    }
    Ok(codes)
}

fn text(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(_) => Err(format!("`{key}` is not text")),
    }
}

fn flag(object: &Map<String, Value>, key: &str) -> Result<bool, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("`{key}` is neither true nor false")),
    }
}

fn part<'a>(object: &'a Map<String, Value>, key: &str) -> Result<Option<&'a Map<String, Value>>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(part)) => Ok(Some(part)),
        Some(_) => Err(format!("`{key}` is not an object")),
    }
}

fn number(object: &Map<String, Value>, key: &str) -> Result<u16, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(0),
        Some(value) => {
            let number = value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|n| *n <= MOST);
            number.ok_or_else(|| format!("`limit.{key}` is not a number from 0 to {MOST}"))
        }
    }
}

fn codes(object: &Map<String, Value>, key: &str) -> Result<Vec<&'static str>, String> {
    let wrong = || format!("`langs.{key}` is not a list of language codes");
    match object.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= MOST_LANGUAGES => {
            let code = |value: &Value| value.as_str().and_then(Language::from_code).map(Language::as_str);
            list.iter().map(|value| code(value).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Choices, String> {
        Choices::read(serde_json::from_str::<Value>(json).unwrap().as_object().unwrap())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let choices = Choices {
            sort: "-size".to_owned(),
            filter: "Seeders > 3".to_owned(),
            hide: r"\bcam\b".to_owned(),
            cached: true,
            total: 20,
            each: 5,
            preferred: languages("German, en").unwrap(),
            required: vec!["en"],
            name: "{{ Resolution }}".to_owned(),
            description: "{{ TTitle }}".to_owned(),
        };
        let mut object = Map::new();
        choices.write(&mut object);
        assert_eq!(Choices::read(&object).unwrap(), choices);
        assert_eq!(object["langs"]["preferred"], json!(["de", "en"]));
        assert!(!choices.is_default());
        Choices::default().write(&mut object);
        assert!(object.is_empty(), "{object:?}");
    }

    #[test]
    fn other_keys_are_ignored_and_wrong_types_named() {
        assert!(
            read(r#"{"stores":[],"indexers":null,"unc_prvt":true,"sort":null,"filter":" "}"#).unwrap().is_default()
        );
        let cases = [
            (r#"{"sort":1}"#, "`sort`"),
            (r#"{"filter":{}}"#, "`filter`"),
            (r#"{"hide":["cam"]}"#, "`hide`"),
            (r#"{"cached":"yes"}"#, "`cached`"),
            (r#"{"limit":5}"#, "`limit`"),
            (r#"{"limit":{"total":-1}}"#, "`limit.total`"),
            (r#"{"limit":{"resolution":1001}}"#, "`limit.resolution`"),
            (r#"{"langs":["en"]}"#, "`langs`"),
            (r#"{"langs":{"preferred":["xx"]}}"#, "`langs.preferred`"),
            (r#"{"td":[]}"#, "`td`"),
        ];
        for (json, named) in cases {
            let said = read(json).unwrap_err();
            assert!(said.contains(named), "{json}: {said}");
        }
    }

    #[test]
    fn languages_are_codes_or_names() {
        assert_eq!(languages("en, GERMAN,, en").unwrap(), ["en", "de"]);
        assert!(languages("en, Klingon").unwrap_err().contains("Klingon"));
        assert!(languages("").unwrap().is_empty());
    }
}
