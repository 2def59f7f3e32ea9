//! The page: the link when there is one, the form, the sample list.

use chill_core::StoreCode;

use super::draft::{Draft, Wrong};
use super::html::Html;
use super::preview::Preview;
use super::qr;
use super::stores::marks;
use crate::choose::sort;
use crate::choose::template::default;
use crate::stremio::TORZ;

/// Orders that are offered; any other may be typed.
const ORDERS: [&str; 5] = [sort::DEFAULT, "-size", "size", "-hdr,-resolution,-size", "-seeders"];

/// A finished link.
pub(super) struct Link {
    manifest: String,
}

impl Link {
    pub(super) fn of(base: &str, segment: &str) -> Self {
        Self { manifest: format!("{base}{TORZ}/{segment}/manifest.json") }
    }

    /// What Stremio's apps open.
    fn app(&self) -> String {
        let rest = self.manifest.split_once("://").map_or(self.manifest.as_str(), |(_, rest)| rest);
        format!("stremio://{rest}")
    }
}

/// Everything the page shows.
pub(super) struct Page<'a> {
    /// What this server has clients for.
    pub(super) stores: &'a [StoreCode],
    /// Whether links may use the pool.
    pub(super) pool: bool,
    /// Whether viewers' own indexers are asked.
    pub(super) own_indexers: bool,
    pub(super) version: &'a str,
    /// Where the form goes.
    pub(super) action: &'a str,
    pub(super) draft: &'a Draft,
    /// The link, when these settings are one.
    pub(super) link: Option<Link>,
}

impl Page<'_> {
    pub(super) fn render(&self, preview: &Preview) -> String {
        let mut html = Html::default();
        html.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Chillproxy Torz</title>");
        html.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" ");
        html.raw("content=\"light dark\"><link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\"");
        html.attribute("href", &format!("/stremio/_/configure.css?v={}", self.version)).raw("><script defer");
        html.attribute("src", &format!("/stremio/_/configure.js?v={}", self.version)).raw("></script></head><body>");
        html.raw("<header><h1>Chillproxy Torz</h1><p>Set up what you want to see, then install it in Stremio.");
        if self.link.is_none() && self.pool {
            html.raw(" You need a link id or a token of your own. Ask the person who runs this server for a link id.");
        }
        html.raw("</p></header>");
        html.raw("<main>").add(&self.install()).add(&self.summary()).raw("<form method=\"post\"");
        html.attribute("action", self.action).raw(" id=\"settings\" novalidate>");
        // Pressing Enter presses a form's first button.
        html.raw(
            "<button class=\"first\" name=\"do\" value=\"save\" tabindex=\"-1\" aria-hidden=\"true\">Save</button>",
        );
        html.add(&self.stores());
        if self.own_indexers {
            html.add(&self.indexers());
        }
        html.add(&self.listed()).add(&self.order()).add(&self.words());
        html.raw("<div class=\"row actions\"><button class=\"main\" name=\"do\" value=\"save\" id=\"save\">");
        html.raw(if self.link.is_some() { "Make a new link" } else { "Make my link" });
        html.raw("</button><button class=\"quiet\" name=\"do\" value=\"preview\" id=\"refresh\">Show the sample list");
        html.raw("</button></div></form>").add(&sample(preview)).raw("</main></body></html>");
        html.finish()
    }

    fn install(&self) -> Html {
        let mut html = Html::default();
        let Some(link) = &self.link else { return html };
        html.raw("<section id=\"install\" aria-labelledby=\"install-title\"><h2 id=\"install-title\">Your link</h2>");
        html.raw("<div class=\"split\"><div><p class=\"row\"><a class=\"main\" id=\"open\"")
            .attribute("href", &link.app());
        html.raw(
            ">Install in Stremio</a><button type=\"button\" class=\"quiet\" id=\"copy\" hidden>Copy link</button></p>",
        );
        html.raw("<p role=\"status\" id=\"copied\"></p><div class=\"field\"><label for=\"link\">Or paste this into ");
        html.raw("Stremio’s addon search</label><input id=\"link\" readonly").attribute("value", &link.manifest);
        html.raw(
            "></div><p class=\"hint\">Whoever has this link watches as you. Keep it like a password. After changing ",
        );
        html.raw("something, install the new link; the old one keeps its settings.</p></div>");
        match qr::svg(&link.manifest) {
            Some(code) => {
                html.raw("<figure>").add(&code).raw("<figcaption>Scan to open on a phone</figcaption></figure>");
            }
            None => {
                html.raw("<p class=\"hint\">The link is too long for a QR code.</p>");
            }
        }
        html.raw("</div></section>");
        html
    }

    /// What is wrong, at the top, since the place itself may be far down.
    fn summary(&self) -> Html {
        let mut html = Html::default();
        let count = self.draft.mistakes.len();
        if count == 0 {
            return html;
        }
        html.raw("<section class=\"wrong\" role=\"alert\"><h2>").when(count == 1, "One thing is not right yet");
        if count > 1 {
            html.number(count).raw(" things are not right yet");
        }
        html.raw("</h2><ul>");
        for wrong in &self.draft.mistakes {
            html.raw("<li>");
            if wrong.name.is_empty() {
                html.text(&wrong.message);
            } else {
                html.raw("<a").attribute("href", &format!("#{}", wrong.name)).raw(">").text(&wrong.message).raw("</a>");
            }
            html.raw("</li>");
        }
        html.raw("</ul></section>");
        html
    }

    fn listed(&self) -> Html {
        let (draft, mut html) = (self.draft, Html::default());
        html.raw(
            "<fieldset><legend>What is listed</legend><label class=\"tick\"><input type=\"checkbox\" id=\"cached\" ",
        );
        html.raw("name=\"cached\" value=\"on\"").when(draft.choices.cached, " checked");
        html.raw("> Only what plays at once</label>");
        let filter = Input { name: "filter", label: "Filter", hint: FILTER_HINT, ..Input::default() };
        html.add(&filter.area(draft, &draft.choices.filter, 3, ""));
        let hide = Input { name: "hide", label: "Hidden names", hint: HIDE_HINT, ..Input::default() };
        html.add(&hide.line(draft, &draft.choices.hide)).raw("<div class=\"pair\">");
        let total = Input { name: "total", label: "Most streams in all", kind: "number", ..Input::default() };
        html.add(&total.line(draft, &draft.texts.total));
        let each = Input { name: "each", label: "Most of each resolution", kind: "number", ..Input::default() };
        html.add(&each.line(draft, &draft.texts.each)).raw("</div>");
        let required = Input { name: "required", label: "Required languages", hint: REQUIRED_HINT, ..Input::default() };
        html.add(&required.line(draft, &draft.texts.required)).raw("</fieldset>");
        html
    }

    fn order(&self) -> Html {
        let (draft, mut html) = (self.draft, Html::default());
        html.raw("<fieldset><legend>Order</legend><p class=\"hint\">What plays at once always comes first.</p>");
        let preferred =
            Input { name: "preferred", label: "Preferred languages", hint: PREFERRED_HINT, ..Input::default() };
        html.add(&preferred.line(draft, &draft.texts.preferred));
        let order = Input { name: "sort", label: "Sorted by", hint: SORT_HINT, list: "orders", ..Input::default() };
        html.add(&Input { placeholder: sort::DEFAULT, ..order }.line(draft, &draft.choices.sort));
        html.raw("<datalist id=\"orders\">");
        for order in ORDERS {
            html.raw("<option").attribute("value", order).raw("></option>");
        }
        html.raw("</datalist></fieldset>");
        html
    }

    fn words(&self) -> Html {
        let (draft, mut html) = (self.draft, Html::default());
        html.raw(
            "<fieldset><legend>Words</legend><p class=\"hint\">Templates for what you read of each stream. Empty ",
        );
        html.raw("means the usual words. Names are those of the filter: {{ Resolution }}, {{ Size }}, ");
        html.raw("{% if Seeders &gt; 5 %}…{% endif %}, {{ lang_join(Languages, \" \", \"emoji\") }}.</p>");
        let name = Input { name: "tn", label: "Name", ..Input::default() };
        html.add(&name.area(draft, &draft.choices.name, 3, default::NAME));
        let description = Input { name: "td", label: "Description", ..Input::default() };
        html.add(&description.area(draft, &draft.choices.description, 5, default::DESCRIPTION)).raw("</fieldset>");
        html
    }
}

const FILTER_HINT: &str = "An expression that is true for what you want to see, such as Resolution >= \"720p\" && \
    Size < \"20 GB\" && !(Quality in [\"CAM\", \"TeleSync\"]) && !(TTitle matches \"(?i)hdcam\").";
const HIDE_HINT: &str =
    "A regular expression, such as hdcam|\\btelesync\\b; names it is found in are not listed. Case does not matter.";
const REQUIRED_HINT: &str = "Codes or names, such as en, German. Hides releases that only name other languages.";
const PREFERRED_HINT: &str = "Codes or names, such as en, German. Releases that name one of them come first.";
const SORT_HINT: &str = "resolution, quality, size, hdr, seeders; a - in front puts the greatest first.";

/// One input of the form with its label.
#[derive(Clone, Copy)]
struct Input {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: &'static str,
    list: &'static str,
    placeholder: &'static str,
}

impl Default for Input {
    fn default() -> Self {
        Self { name: "", label: "", hint: "", kind: "text", list: "", placeholder: "" }
    }
}

impl Input {
    fn line(&self, draft: &Draft, value: &str) -> Html {
        let mut html = self.begin();
        html.raw("<input").attribute("id", self.name).attribute("name", self.name).attribute("value", value);
        if self.kind == "number" {
            html.raw(" inputmode=\"numeric\" placeholder=\"no limit\" maxlength=\"4\"");
        } else {
            html.raw(" maxlength=\"500\" spellcheck=\"false\" autocapitalize=\"none\"");
            html.attribute("placeholder", self.placeholder);
        }
        if !self.list.is_empty() {
            html.attribute("list", self.list);
        }
        html.raw(" autocomplete=\"off\"").add(&marks(draft, self.name)).raw(">").add(&self.end(draft));
        html
    }

    /// `usual`: what an empty text stands for.
    fn area(&self, draft: &Draft, value: &str, rows: usize, usual: &'static str) -> Html {
        let mut html = self.begin();
        html.raw("<textarea").attribute("id", self.name).attribute("name", self.name).raw(" rows=\"").number(rows);
        html.raw("\" spellcheck=\"false\" autocapitalize=\"none\" autocomplete=\"off\"").add(&marks(draft, self.name));
        // A line break right behind the tag is not part of the text.
        html.raw(">\n").text(value).raw("</textarea>").add(&self.end(draft));
        if let Some(wrong) = draft.mistake(self.name)
            && let Some(place) = pointed(value, wrong)
        {
            html.add(&place);
        }
        if !usual.is_empty() {
            html.raw("<details><summary>The usual template</summary><pre>").text(usual.trim()).raw("</pre></details>");
        }
        html
    }

    fn begin(&self) -> Html {
        let mut html = Html::default();
        html.raw("<div class=\"field\"><label").attribute("for", self.name).raw(">").raw(self.label).raw("</label>");
        html
    }

    fn end(&self, draft: &Draft) -> Html {
        let mut html = problem(draft, self.name);
        if !self.hint.is_empty() {
            html.raw("<p class=\"hint\">").text(self.hint).raw("</p>");
        }
        html.raw("</div>");
        html
    }
}

/// The sentence below an input; empty while it is right, so that the script can fill it.
pub(super) fn problem(draft: &Draft, name: &str) -> Html {
    let mut html = Html::default();
    html.raw("<p class=\"problem\"").attribute("id", &format!("{name}-wrong")).raw(">");
    if let Some(wrong) = draft.mistake(name) {
        html.text(&wrong.message);
    }
    html.raw("</p>");
    html
}

/// The wrong line with a mark below the place.
fn pointed(source: &str, wrong: &Wrong) -> Option<Html> {
    let before = source.get(..wrong.offset?)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = source.get(start..)?.lines().next().unwrap_or_default();
    let column = source.get(start..before.len())?.chars().count();
    let mut html = Html::default();
    html.raw("<pre class=\"place\" aria-hidden=\"true\">")
        .text(line)
        .raw("\n")
        .text(&" ".repeat(column))
        .raw("^</pre>");
    Some(html)
}

fn sample(preview: &Preview) -> Html {
    let mut html = Html::default();
    html.raw("<section aria-labelledby=\"sample-title\"><h2 id=\"sample-title\">Sample list</h2>");
    html.raw("<p class=\"hint\" role=\"status\" id=\"count\">").number(preview.streams.len()).raw(" shown, ");
    html.number(preview.hidden).raw(" hidden</p><ol id=\"preview\">");
    for stream in &preview.streams {
        html.raw("<li><span class=\"name\">").text(&stream.name).raw("</span><span class=\"about\">");
        html.text(&stream.description).raw("</span></li>");
    }
    html.raw("</ol></section>");
    html
}
