//! The part of the form about a viewer's own indexers.

use std::time::Duration;

use chill_core::Secret;
use chill_core::source::OwnIndexer;
use http::request::Parts;
use serde_json::{Value, json};

use super::check::Verdict;
use super::draft::Draft;
use super::fields::Fields;
use super::html::Html;
use super::page::{Page, problem};
use super::stores::marks;
use crate::edge::Edge;
use crate::stremio::own_indexers::{KINDS, LONGEST, MOST_INDEXERS};
use crate::stremio::user_data::UserData;
use crate::viewer::Viewer;

/// An indexer that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(12);

/// One indexer of the form. A key that a link has already is never written into the page.
#[derive(Default)]
pub(super) struct IndexerSlot {
    /// Which program it is in; empty for none.
    pub(super) kind: String,
    pub(super) url: String,
    /// Which indexer of the link it is.
    pub(super) kept: Option<usize>,
    /// The link has a key for it.
    pub(super) key: bool,
    /// What the indexer said.
    pub(super) verdict: Option<Verdict>,
}

/// The slots for the indexers of a link.
pub(super) fn of(data: &UserData) -> Vec<IndexerSlot> {
    let slot = |(index, own): (usize, &OwnIndexer)| IndexerSlot {
        kind: own.kind.clone(),
        url: own.url.clone(),
        kept: Some(index),
        key: !own.apikey.is_empty(),
        verdict: None,
    };
    data.indexers.iter().enumerate().map(slot).collect()
}

impl Draft {
    /// Reads the indexers of the form: into slots, and as far as they are right into the link.
    pub(super) fn read_indexers(&mut self, fields: &Fields, data: Option<&UserData>) {
        let mut entries = Vec::new();
        for number in (0..MOST_INDEXERS).filter(|index| fields.has(&format!("i{index}.n"))) {
            let field = |name: &str| fields.get(&format!("i{number}.{name}"));
            let (kind, url, typed) = (field("n"), field("u"), field("ak"));
            let place = self.indexers.len();
            let known = KINDS.iter().any(|(known, _)| *known == kind);
            let fits = |text: &str| text.len() <= LONGEST && !text.chars().any(char::is_control);
            let mut slot = IndexerSlot {
                kind: kind.to_owned(),
                url: url.chars().take(LONGEST).collect(),
                ..IndexerSlot::default()
            };
            if kind.is_empty() && url.is_empty() && typed.is_empty() {
                continue;
            }
            if !known {
                self.wrong(&format!("i{place}.n"), "choose what program this indexer is in");
            } else if url.is_empty() || !fits(url) {
                self.wrong(
                    &format!("i{place}.u"),
                    "give the indexer's Torznab address, such as https://indexer.example/api",
                );
            } else if url.contains(['?', '#', '@']) {
                self.wrong(
                    &format!("i{place}.u"),
                    "the address must have no query, user or password; the key has its own place",
                );
            } else if !fits(typed) {
                self.wrong(&format!("i{place}.ak"), "this is no key: it is too long or has line breaks");
            } else {
                let kept = field("keep").parse::<usize>().ok().and_then(|kept| data?.indexers.get(kept));
                // A key goes only where it belongs: another address needs its own.
                let kept = kept.filter(|own| own.url == url).map(|own| own.apikey.expose());
                let key = if typed.is_empty() { kept.unwrap_or_default() } else { typed };
                let mut entry = json!({ "n": kind, "u": url });
                if !key.is_empty() {
                    entry["ak"] = json!(key);
                }
                (slot.kept, slot.key) = (Some(entries.len()), !key.is_empty());
                entries.push(entry);
            }
            self.indexers.push(slot);
        }
        if entries.is_empty() {
            self.link.remove("indexers");
        } else {
            self.link.insert("indexers".to_owned(), Value::Array(entries));
        }
    }
}

/// Has an indexer try the key of one slot: the typed one, else the one the link has.
pub(super) async fn verdict(
    edge: &Edge,
    parts: &Parts,
    fields: &Fields,
    data: Option<&UserData>,
    slot: usize,
) -> Verdict {
    let bad = |message: String| Verdict { good: false, message };
    let field = |name: &str| fields.get(&format!("i{slot}.{name}"));
    let Some(port) = &edge.indexers else { return bad("This server asks no indexers of viewers' own.".to_owned()) };
    if !KINDS.iter().any(|(known, _)| *known == field("n")) || field("u").is_empty() {
        return bad("Choose a program and type its address first.".to_owned());
    }
    let kept = field("keep").parse::<usize>().ok().and_then(|kept| data?.indexers.get(kept));
    let kept = kept.filter(|own| own.url == field("u")).map(|own| own.apikey.clone());
    let apikey = match field("ak") {
        "" => kept.unwrap_or_else(|| Secret::new("")),
        typed => Secret::new(typed),
    };
    if !edge.token_checks.may(Viewer::of(&edge.config, parts).address).await {
        return bad("Too much was checked. Wait a minute and try again.".to_owned());
    }
    let own = OwnIndexer { kind: field("n").to_owned(), url: field("u").to_owned(), apikey };
    let asked = tokio::time::timeout(PATIENCE, async {
        let _place = edge.token_checks.running.acquire().await;
        port.check(&own).await
    });
    match asked.await {
        Ok(Ok(message)) => Verdict { good: true, message },
        Ok(Err(why)) => bad(format!("This indexer cannot be used: {why}.")),
        Err(_) => bad("The indexer does not answer in time.".to_owned()),
    }
}

impl Page<'_> {
    /// The indexers of the draft; none unless a viewer wants them.
    pub(super) fn indexers(&self) -> Html {
        let mut html = Html::default();
        html.raw(
            "<fieldset><legend>Your own indexers</legend><p class=\"hint\">Beside those of this server. What they \
            find is shown to you alone; their addresses and keys are in your link. To take one out, choose “none”.</p>",
        );
        for (number, slot) in self.draft.indexers.iter().enumerate() {
            html.add(&self.indexer(number, slot));
        }
        if self.draft.indexers.len() < MOST_INDEXERS {
            html.raw("<button class=\"quiet\" name=\"do\" value=\"more-indexer\">");
            html.raw(if self.draft.indexers.is_empty() { "Add an indexer" } else { "Another indexer" })
                .raw("</button>");
        }
        html.raw("</fieldset>");
        html
    }

    fn indexer(&self, number: usize, slot: &IndexerSlot) -> Html {
        let mut html = Html::default();
        html.raw("<div class=\"slot\" role=\"group\" aria-label=\"Indexer ").number(number + 1).raw("\">");
        if let Some(kept) = slot.kept {
            html.raw("<input type=\"hidden\"").attribute("name", &format!("i{number}.keep"));
            html.attribute("value", &kept.to_string()).raw(">");
        }
        let name = format!("i{number}.n");
        html.raw("<div class=\"field\"><label").attribute("for", &name).raw(">Program</label><select");
        html.attribute("id", &name).attribute("name", &name).add(&marks(self.draft, &name));
        html.raw("><option value=\"\">none</option>");
        for (kind, label) in KINDS {
            html.raw("<option").attribute("value", kind).when(slot.kind == kind, " selected").raw(">").text(label);
            html.raw("</option>");
        }
        html.raw("</select>").add(&problem(self.draft, &name)).raw("</div>");
        html.add(&self.text(&format!("i{number}.u"), "Torznab address", "url", &slot.url, ""));
        let kept = if slot.key { "kept as it is" } else { "" };
        html.add(&self.text(&format!("i{number}.ak"), "Key", "password", "", kept));
        html.raw("<div class=\"row\"><button class=\"quiet\" name=\"do\"")
            .attribute("value", &format!("check-i{number}"));
        html.raw(" data-slot=\"i").number(number).raw("\">Check indexer</button>");
        html.raw("<p class=\"verdict").when(slot.verdict.as_ref().is_some_and(|verdict| verdict.good), " good");
        html.raw("\" role=\"status\" id=\"verdict-i").number(number).raw("\">");
        if let Some(verdict) = &slot.verdict {
            html.text(&verdict.message);
        }
        html.raw("</p></div></div>");
        html
    }

    fn text(
        &self,
        name: &str,
        label: &'static str,
        kind: &'static str,
        value: &str,
        placeholder: &'static str,
    ) -> Html {
        let mut html = Html::default();
        html.raw("<div class=\"field\"><label").attribute("for", name).raw(">").raw(label).raw("</label><input");
        html.attribute("id", name).attribute("name", name).attribute("type", kind).attribute("value", value);
        html.raw(" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"512\"");
        if !placeholder.is_empty() {
            html.attribute("placeholder", placeholder);
        }
        html.add(&marks(self.draft, name)).raw(">").add(&problem(self.draft, name)).raw("</div>");
        html
    }
}
