//! What the form shows and what a viewer made of it: settings that may still be wrong.

use chill_core::{LinkId, StoreCode};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use super::check::Verdict;
use super::fields::Fields;
use super::indexers::{self, IndexerSlot};
use crate::stremio::choices::{self, Choices, Mistake};
use crate::stremio::user_data::{LONGEST, MOST_STORES, UserData};

/// Longest token, as links take them.
const LONGEST_TOKEN: usize = 512;

/// The form's contents.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) slots: Vec<Slot>,
    pub(super) indexers: Vec<IndexerSlot>,
    pub(super) texts: Texts,
    pub(super) choices: Choices,
    pub(super) mistakes: Vec<Wrong>,
    /// The link as far as it is right: stores, and what other addons keep in it.
    pub(super) link: Map<String, Value>,
}

/// One store of the form. A link id or token that a link has already is never written into the page.
#[derive(Default)]
pub(super) struct Slot {
    /// Two letters; empty for none.
    pub(super) code: String,
    /// What was typed for a link id and is none.
    pub(super) typed: String,
    /// Which store of the link it is.
    pub(super) kept: Option<usize>,
    /// The link has a right to the pool for it.
    pub(super) pool: bool,
    /// The link has a token for it.
    pub(super) token: bool,
    /// What the store said of the token.
    pub(super) verdict: Option<Verdict>,
}

/// The other inputs, as they were typed.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) total: String,
    pub(super) each: String,
    pub(super) preferred: String,
    pub(super) required: String,
}

/// A sentence about one input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The input's name; empty for the whole form.
    pub(super) name: String,
    pub(super) message: String,
    /// Byte offset in its text.
    pub(super) offset: Option<usize>,
}

impl Draft {
    /// The form for a link, or an empty one.
    pub(super) fn of(data: Option<&UserData>) -> Self {
        let Some(data) = data else { return Self { slots: vec![Slot::default()], ..Self::default() } };
        let slot = |(index, entry): (usize, &crate::stremio::user_data::Entry)| Slot {
            code: entry.store.to_string(),
            kept: Some(index),
            pool: entry.auth.is_some(),
            token: entry.token.is_some(),
            ..Slot::default()
        };
        let number = |number: u16| if number == 0 { String::new() } else { number.to_string() };
        Self {
            slots: data.stores.iter().enumerate().map(slot).collect(),
            indexers: indexers::of(data),
            texts: Texts {
                total: number(data.choices.total),
                each: number(data.choices.each),
                preferred: data.choices.preferred.join(", "),
                required: data.choices.required.join(", "),
            },
            choices: data.choices.clone(),
            mistakes: Vec::new(),
            link: object(data),
        }
    }

    /// What a viewer made of the form for this link.
    pub(super) fn filled(fields: &Fields, data: Option<&UserData>) -> Self {
        let mut draft = Self { link: data.map(object).unwrap_or_default(), ..Self::default() };
        draft.read_stores(fields, data);
        draft.read_indexers(fields, data);
        let text = |name: &str| fields.get(name).to_owned();
        draft.texts = Texts {
            total: text("total"),
            each: text("each"),
            preferred: text("preferred"),
            required: text("required"),
        };
        draft.choices = Choices {
            sort: text("sort"),
            filter: text("filter"),
            hide: text("hide"),
            cached: fields.has("cached"),
            total: draft.number("total", fields.get("total")),
            each: draft.number("each", fields.get("each")),
            preferred: draft.languages("preferred", fields.get("preferred")),
            required: draft.languages("required", fields.get("required")),
            name: text("tn"),
            description: text("td"),
        };
        draft
    }

    fn read_stores(&mut self, fields: &Fields, data: Option<&UserData>) {
        let mut entries = Vec::new();
        let slots = (0..MOST_STORES).filter(|index| fields.has(&format!("s{index}.c")));
        for number in slots {
            let field = |name: &str| fields.get(&format!("s{number}.{name}"));
            // Slots move up when one before them is emptied.
            let place = self.slots.len();
            let mut slot = Slot { code: field("c").to_owned(), ..Slot::default() };
            if slot.code.is_empty() {
                if !field("auth").is_empty() || !field("t").is_empty() {
                    self.wrong(&format!("s{place}.c"), "choose which store this is for");
                    slot.typed = field("auth").chars().take(100).collect();
                    self.slots.push(slot);
                }
                continue;
            }
            let kept = field("keep").parse::<usize>().ok().and_then(|kept| data?.stores.get(kept));
            match self.entry(place, &mut slot, (field("auth"), field("t")), kept) {
                Some(entry) => {
                    slot.kept = Some(entries.len());
                    entries.push(entry);
                }
                None => slot.typed = field("auth").chars().take(100).collect(),
            }
            self.slots.push(slot);
        }
        self.link.insert("stores".to_owned(), Value::Array(entries));
    }

    fn entry(
        &mut self,
        place: usize,
        slot: &mut Slot,
        (auth, token): (&str, &str),
        kept: Option<&crate::stremio::user_data::Entry>,
    ) -> Option<Value> {
        let Ok(store) = slot.code.parse::<StoreCode>() else {
            self.wrong(&format!("s{place}.c"), "this is no store that is known here");
            return None;
        };
        let mut entry = json!({ "c": store.as_str() });
        if !auth.is_empty() {
            let Ok(link) = auth.parse::<LinkId>() else {
                let sentence = "a link id looks like 123e4567-e89b-42d3-a456-426614174000; copy it from your operator";
                self.wrong(&format!("s{place}.auth"), sentence);
                return None;
            };
            entry["auth"] = json!(link.to_string());
        } else if let Some(link) = kept.and_then(|kept| kept.auth.as_ref()) {
            entry["auth"] = json!(link.to_string());
        }
        if token.len() > LONGEST_TOKEN || token.chars().any(char::is_control) {
            self.wrong(&format!("s{place}.t"), "this is no token: it is too long or has line breaks");
            return None;
        }
        if !token.is_empty() {
            entry["t"] = json!(token);
        } else if let Some(token) = kept.filter(|kept| kept.store == store).and_then(|kept| kept.token.as_ref()) {
            entry["t"] = json!(token.expose());
        }
        (slot.pool, slot.token) = (entry.get("auth").is_some(), entry.get("t").is_some());
        if !slot.pool && !slot.token {
            self.wrong(&format!("s{place}.t"), "give a link id of this server's pool, or a token of your own");
            return None;
        }
        Some(entry)
    }

    fn number(&mut self, name: &str, text: &str) -> u16 {
        if text.is_empty() {
            return 0;
        }
        let number = text.parse::<u16>().ok().filter(|number| *number <= choices::MOST);
        number.unwrap_or_else(|| {
            self.wrong(name, &format!("write a number from 0 to {}, or nothing for no limit", choices::MOST));
            0
        })
    }

    fn languages(&mut self, name: &str, text: &str) -> Vec<&'static str> {
        choices::languages(text).unwrap_or_else(|sentence| {
            self.wrong(name, &sentence);
            Vec::new()
        })
    }

    pub(super) fn wrong(&mut self, name: &str, message: &str) {
        self.mistakes.push(Wrong { name: name.to_owned(), message: message.to_owned(), offset: None });
    }

    /// Takes over what is wrong with the choices' texts.
    pub(super) fn take(&mut self, mistakes: &[Mistake]) {
        self.mistakes.extend(mistakes.iter().map(|mistake| Wrong {
            name: mistake.field.key().to_owned(),
            message: mistake.message.clone(),
            offset: mistake.offset,
        }));
    }

    /// What is wrong with an input.
    pub(super) fn mistake(&self, name: &str) -> Option<&Wrong> {
        self.mistakes.iter().find(|wrong| wrong.name == name)
    }

    /// The segment of the link as far as it is right, which the form goes on from; none while it has no store.
    pub(super) fn base(&self) -> Option<String> {
        let stores = self.link.get("stores").and_then(Value::as_array)?;
        (!stores.is_empty()).then(|| encode(&self.link))
    }

    /// The segment of the finished link.
    pub(super) fn finish(&mut self) -> Option<String> {
        if self.base().is_none() {
            let name = if self.slots.is_empty() { "" } else { "s0.c" };
            if self.mistakes.is_empty() {
                self.wrong(name, "choose at least one store");
            }
            return None;
        }
        let mut link = self.link.clone();
        self.choices.write(&mut link);
        let segment = encode(&link);
        if segment.len() > LONGEST {
            self.wrong("", "these settings are too long for a link; shorten the filter or the templates");
        }
        self.mistakes.is_empty().then_some(segment)
    }
}

/// What a link says, without the choices, which the form holds.
fn object(data: &UserData) -> Map<String, Value> {
    let json = BASE64URL_NOPAD.decode(data.segment.as_bytes()).unwrap_or_default();
    let mut object = serde_json::from_slice::<Map<String, Value>>(&json).unwrap_or_default();
    Choices::default().write(&mut object);
    object
}

fn encode(link: &Map<String, Value>) -> String {
    BASE64URL_NOPAD.encode(json!(link).to_string().as_bytes())
}
