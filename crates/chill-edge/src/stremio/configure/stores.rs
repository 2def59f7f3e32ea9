//! The part of the form about stores: which one, and with which right.

use super::draft::{Draft, Slot};
use super::html::Html;
use super::page::{Page, problem};
use crate::stremio::user_data::MOST_STORES;

impl Page<'_> {
    /// All stores of the draft, and room for one more where there is none.
    pub(super) fn stores(&self) -> Html {
        let mut html = Html::default();
        html.raw(
            "<fieldset><legend>Stores</legend><p class=\"hint\">The download services that play your films, the \
            one you like best first.",
        );
        html.when(
            self.pool,
            " For a store of this server's pool give the link id from its operator; for an account of \
            your own give its token. With both, the pool comes first.",
        );
        html.raw(" To take a store out, choose “none”.</p>");
        let empty = Slot::default();
        let slots = if self.draft.slots.is_empty() { std::slice::from_ref(&empty) } else { &self.draft.slots };
        for (number, slot) in slots.iter().enumerate() {
            html.add(&self.slot(number, slot));
        }
        if slots.len() < MOST_STORES {
            html.raw("<button class=\"quiet\" name=\"do\" value=\"more\">Another store</button>");
        }
        html.raw("</fieldset>");
        html
    }

    fn slot(&self, number: usize, slot: &Slot) -> Html {
        let mut html = Html::default();
        html.raw("<div class=\"slot\" role=\"group\" aria-label=\"Store ").number(number + 1).raw("\">");
        if let Some(kept) = slot.kept {
            html.raw("<input type=\"hidden\"").attribute("name", &format!("s{number}.keep"));
            html.attribute("value", &kept.to_string()).raw(">");
        }
        html.add(&self.choice(number, slot));
        if self.pool {
            html.add(&right(self.draft, number, slot, &AUTH));
        }
        html.add(&right(self.draft, number, slot, &TOKEN));
        html.raw("<div class=\"row\"><button class=\"quiet\" name=\"do\"")
            .attribute("value", &format!("check-{number}"));
        html.raw(" data-slot=\"").number(number).raw("\">Check token</button>");
        html.raw("<p class=\"verdict").when(slot.verdict.as_ref().is_some_and(|verdict| verdict.good), " good");
        html.raw("\" role=\"status\" id=\"verdict-").number(number).raw("\">");
        if let Some(verdict) = &slot.verdict {
            html.text(&verdict.message);
        }
        html.raw("</p></div></div>");
        html
    }

    fn choice(&self, number: usize, slot: &Slot) -> Html {
        let name = format!("s{number}.c");
        let mut html = Html::default();
        html.raw("<div class=\"field\"><label").attribute("for", &name).raw(">Store</label><select");
        html.attribute("id", &name)
            .attribute("name", &name)
            .add(&marks(self.draft, &name))
            .raw("><option value=\"\">none</option>");
        for store in self.stores {
            html.raw("<option").attribute("value", store.as_str()).when(slot.code == store.as_str(), " selected");
            html.raw(">").text(store.name()).raw("</option>");
        }
        // A store this server has no client for stays in the link it came in.
        if !slot.code.is_empty() && !self.stores.iter().any(|store| store.as_str() == slot.code) {
            html.raw("<option selected").attribute("value", &slot.code).raw(">").text(&slot.code);
            html.raw(" (not on this server)</option>");
        }
        html.raw("</select>").add(&problem(self.draft, &name)).raw("</div>");
        html
    }
}

/// One way to a store.
struct Right {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    kept: &'static str,
    is_kept: fn(&Slot) -> bool,
}

const AUTH: Right = Right {
    name: "auth",
    label: "Link id for the pool",
    kind: "text",
    kept: "kept as it is",
    is_kept: |slot| slot.pool,
};

const TOKEN: Right = Right {
    name: "t",
    label: "Token of your own account",
    kind: "password",
    kept: "kept as it is",
    is_kept: |slot| slot.token,
};

fn right(draft: &Draft, number: usize, slot: &Slot, right: &Right) -> Html {
    let name = format!("s{number}.{}", right.name);
    let mut html = Html::default();
    html.raw("<div class=\"field\"><label").attribute("for", &name).raw(">").raw(right.label).raw("</label><input");
    html.attribute("id", &name).attribute("name", &name).attribute("type", right.kind);
    html.raw(" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"512\"");
    if (right.is_kept)(slot) {
        html.attribute("placeholder", right.kept);
    }
    if right.name == AUTH.name {
        html.attribute("value", &slot.typed);
    }
    html.add(&marks(draft, &name)).raw(">").add(&problem(draft, &name)).raw("</div>");
    html
}

/// What tells assistive programs that an input is wrong.
pub(super) fn marks(draft: &Draft, name: &str) -> Html {
    let mut html = Html::default();
    let described = format!("{name}-wrong");
    html.attribute("aria-describedby", &described);
    html.when(draft.mistake(name).is_some(), " aria-invalid=\"true\"");
    html
}
