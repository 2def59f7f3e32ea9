//! The three documents in XML: capabilities, a feed, an error.

use super::query::{PAGE, Query};
use super::search::Page;
use super::{category, date};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// XML in the making: text is escaped where it is added.
struct Xml(String);

impl Xml {
    fn new() -> Self {
        Self(HEAD.to_owned())
    }

    fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, fit for elements and attributes; characters that XML 1.0 does not know are left out (§2.2).
    fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\t' | '\n' | '\r' => self.0.push(' '),
                '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {}
                other => self.0.push(other),
            }
        }
        self
    }

    fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.raw("<").raw(name).raw(">").text(text).raw("</").raw(name).raw(">")
    }

    fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw("<torznab:attr name=\"").raw(name).raw("\" value=\"").text(value).raw("\"/>")
    }
}

/// The searches and their parameters; none for one that is not offered.
pub(super) const SEARCHES: [(&str, Option<&str>); 5] = [
    ("search", Some("q")),
    ("tv-search", Some("q,imdbid,season,ep")),
    ("movie-search", Some("q,imdbid,year")),
    ("audio-search", None),
    ("book-search", None),
];

/// `t=caps`
pub(super) fn caps(base: &str, version: &str) -> String {
    let mut xml = Xml::new();
    xml.raw("<caps><server title=\"Chillproxy\" version=\"").text(version).raw("\" url=\"").text(base).raw("\"/>");
    let page = PAGE.to_string();
    xml.raw("<limits max=\"").raw(&page).raw("\" default=\"").raw(&page).raw("\"/><searching>");
    for (search, parameters) in SEARCHES {
        let available = if parameters.is_some() { "yes" } else { "no" };
        xml.raw("<").raw(search).raw(" available=\"").raw(available);
        xml.raw("\" supportedParams=\"").raw(parameters.unwrap_or("q")).raw("\"/>");
    }
    xml.raw("</searching><categories>");
    for (id, name, below) in category::ALL {
        xml.raw("<category id=\"").raw(&id.to_string()).raw("\" name=\"").text(name).raw("\">");
        for (id, name) in below {
            xml.raw("<subcat id=\"").raw(&id.to_string()).raw("\" name=\"").text(name).raw("\"/>");
        }
        xml.raw("</category>");
    }
    xml.raw("</categories></caps>\n");
    xml.0
}

/// An answer to a search.
pub(super) fn feed(base: &str, query: &Query, page: &Page) -> String {
    let mut xml = Xml::new();
    xml.raw(
        "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" \
         xmlns:newznab=\"http://www.newznab.com/DTD/2010/feeds/attributes/\" \
         xmlns:torznab=\"http://torznab.com/schemas/2015/feed\"><channel>",
    );
    xml.element("title", "Chillproxy").element("description", "Known torrents").element("link", base);
    let (offset, total) = (query.offset.to_string(), page.total.to_string());
    xml.raw("<newznab:response offset=\"").raw(&offset).raw("\" total=\"").raw(&total).raw("\"/>");
    for item in &page.items {
        let listed = &item.listed;
        let (hash, magnet) = (listed.hash.to_string(), item.magnet());
        let size = listed.size.unwrap_or(0).to_string();
        xml.raw("<item>").element("title", &listed.name);
        xml.raw("<guid isPermaLink=\"false\">").raw(&hash).raw("</guid>");
        xml.element("link", &magnet).element("pubDate", &date::rss(listed.seen_at)).element("size", &size);
        for category in &item.categories {
            xml.element("category", &category.to_string());
        }
        xml.raw("<enclosure url=\"").text(&magnet).raw("\" length=\"").raw(&size);
        xml.raw("\" type=\"application/x-bittorrent;x-scheme-handler/magnet\"/>");
        for (name, value) in item.attributes() {
            xml.attribute(name, &value);
        }
        xml.raw("</item>");
    }
    xml.raw("</channel></rss>\n");
    xml.0
}

/// Torznab's error.
pub(super) fn error(code: u16, description: &str) -> String {
    let mut xml = Xml::new();
    xml.raw("<error code=\"").raw(&code.to_string()).raw("\" description=\"").text(description).raw("\"/>\n");
    xml.0
}
