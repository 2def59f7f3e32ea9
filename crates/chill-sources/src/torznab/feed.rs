//! What an indexer answers: RSS with `torznab:attr` elements, or an error document.

use chill_core::{Found, InfoHash};
use quick_xml::events::{BytesStart, Event};

use super::caps::refusal;
use super::xml;
use crate::http_client::Page;

/// Items read of one answer, those without a hash included.
const ITEMS: usize = 1_000;

/// The items of an answer.
#[derive(Debug, Default)]
pub(super) struct Feed {
    pub(super) items: Vec<Item>,
    /// Items that did not tell which torrent they are.
    pub(super) without_hash: usize,
    /// There was more than is read, or the document broke off.
    pub(super) cut: bool,
}

/// One item that tells its hash.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    hash: InfoHash,
    name: String,
    size: Option<u64>,
    seeders: Option<u32>,
    private: bool,
}

impl Item {
    pub(super) fn into_found(self, source: &str, exact: bool) -> Found {
        let Self { hash, name, size, seeders, private } = self;
        Found { hash, name, size, seeders, source: source.to_owned(), private, exact }
    }
}

/// An item as it is being read; the first value of each name counts.
#[derive(Debug, Default)]
struct Draft {
    title: String,
    guid: String,
    link: String,
    size: String,
    kind: String,
    enclosure: Option<String>,
    length: Option<String>,
    attributes: Attributes,
}

#[derive(Debug, Default)]
struct Attributes {
    infohash: Option<String>,
    magneturl: Option<String>,
    size: Option<String>,
    seeders: Option<String>,
    minimum_ratio: Option<String>,
    minimum_seed_time: Option<String>,
}

impl Feed {
    /// Reads an answer; of one that breaks off, all complete items.
    ///
    /// # Errors
    /// A sentence: the indexer's own error, or what came instead of a feed.
    pub(super) fn read(page: &Page) -> Result<Self, String> {
        let text = xml::text(&page.body);
        let mut reader = xml::reader(&text);
        let mut reading = Reading::default();
        let ended = loop {
            if reading.feed.items.len() + reading.feed.without_hash >= ITEMS {
                break false;
            }
            match reader.read_event() {
                Ok(Event::Eof) => break page.whole && reading.draft.is_none(),
                Ok(event) => reading.take(event)?,
                Err(_) => break false,
            }
        };
        if !reading.is_feed || !page.status.is_success() {
            let status = page.status.as_u16();
            return Err(format!("HTTP {status}: it answered with something that is not a Torznab feed"));
        }
        Ok(Self { cut: !ended, ..reading.feed })
    }
}

/// A feed in the middle of being read.
#[derive(Debug, Default)]
struct Reading {
    feed: Feed,
    is_feed: bool,
    draft: Option<Draft>,
    /// The element inside the item whose text comes next.
    field: String,
}

impl Reading {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(element) => {
                self.open(&element)?;
                self.field = element.local_name().as_ref().to_owned();
            }
            Event::Empty(element) => self.open(&element)?,
            Event::End(element) => {
                self.field.clear();
                if element.local_name().as_ref() == "item" {
                    self.close_item();
                }
            }
            Event::Text(text) => self.text(&text),
            Event::CData(text) => self.text(&text),
            Event::GeneralRef(reference) => self.text(&xml::entity(&reference)),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        match (element.local_name().as_ref(), &mut self.draft) {
            ("error", None) => return Err(refusal(element)),
            ("rss" | "channel", None) => self.is_feed = true,
            ("item", _) => (self.draft, self.is_feed) = (Some(Draft::default()), true),
            (_, Some(draft)) => draft.note(element),
            (_, None) => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(draft) = &mut self.draft {
            draft.add(&self.field, text);
        }
    }

    fn close_item(&mut self) {
        let Some(draft) = self.draft.take() else { return };
        match draft.into_item() {
            Some(item) => self.feed.items.push(item),
            None => self.feed.without_hash += 1,
        }
    }
}

impl Draft {
    /// An element inside the item that says something with its attributes.
    fn note(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            "attr" => {
                let (name, value) = (xml::attribute(element, "name"), xml::attribute(element, "value"));
                let place = match name.unwrap_or_default().to_ascii_lowercase().as_str() {
                    "infohash" => &mut self.attributes.infohash,
                    "magneturl" => &mut self.attributes.magneturl,
                    "size" => &mut self.attributes.size,
                    "seeders" => &mut self.attributes.seeders,
                    "minimumratio" => &mut self.attributes.minimum_ratio,
                    "minimumseedtime" => &mut self.attributes.minimum_seed_time,
                    _ => return,
                };
                if place.is_none() {
                    *place = value;
                }
            }
            "enclosure" if self.enclosure.is_none() => {
                self.enclosure = xml::attribute(element, "url");
                self.length = xml::attribute(element, "length");
            }
            // Prowlarr says it with <prowlarrindexer type="private">.
            "prowlarrindexer" => self.kind = xml::attribute(element, "type").unwrap_or_default(),
            _ => {}
        }
    }

    fn add(&mut self, field: &str, more: &str) {
        let text = match field {
            "title" => &mut self.title,
            "guid" => &mut self.guid,
            "link" => &mut self.link,
            "size" => &mut self.size,
            "type" => &mut self.kind,
            _ => return,
        };
        xml::push(text, more);
    }

    fn into_item(self) -> Option<Item> {
        let attributes = &self.attributes;
        let own = attributes.infohash.as_deref().and_then(|hash| hash.trim().parse().ok());
        let places = [attributes.magneturl.as_deref(), self.enclosure.as_deref(), Some(&self.link), Some(&self.guid)];
        let hash = own.or_else(|| places.into_iter().flatten().find_map(|url| InfoHash::from_magnet(url.trim())))?;
        let sizes = [attributes.size.as_deref(), Some(&self.size), self.length.as_deref()];
        let size = sizes.into_iter().flatten().find_map(|size| size.trim().parse().ok().filter(|size| *size > 0));
        let seeders = attributes.seeders.as_deref().and_then(|seeders| seeders.trim().parse().ok());
        let private = self.is_private();
        let name = self.title.split(char::is_control).collect::<Vec<_>>().join(" ").trim().to_owned();
        (!name.is_empty()).then_some(Item { hash, name, size, seeders, private })
    }

    /// Jackett and Prowlarr say it; otherwise only private trackers ask for a ratio or a time of seeding.
    fn is_private(&self) -> bool {
        let above_zero = |value: &Option<String>| {
            value.as_deref().and_then(|value| value.trim().parse::<f64>().ok()).is_some_and(|value| value > 0.0)
        };
        match self.kind.trim().to_ascii_lowercase().as_str() {
            "private" | "semi-private" | "semiprivate" => true,
            "public" => false,
            _ => above_zero(&self.attributes.minimum_ratio) || above_zero(&self.attributes.minimum_seed_time),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const HASH: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567";

    fn feed(items: &str) -> Feed {
        let body = format!("<?xml version='1.0' encoding='ISO-8859-1'?><rss><channel>{items}</channel></rss>");
        Feed::read(&Page { status: StatusCode::OK, body: body.into(), whole: true }).unwrap()
    }

    fn one(item: &str) -> Item {
        let mut feed = feed(&format!("<item><title>A</title>{item}</item>"));
        assert_eq!((feed.items.len(), feed.without_hash, feed.cut), (1, 0, false), "{item}");
        feed.items.remove(0)
    }

    #[test]
    fn the_hash_is_found_wherever_it_stands() {
        let magnet = format!("magnet:?dn=A&amp;xt=urn:btih:{HASH}&amp;tr=udp%3A%2F%2Fx");
        for item in [
            format!("<torznab:attr name='infohash' value='{}'/>", HASH.to_uppercase()),
            format!("<a:attr name='InfoHash' value=' {HASH} '></a:attr>"),
            format!("<attr value='{magnet}' name='magneturl'/>"),
            format!("<enclosure url=\"{magnet}\" length='5'/>"),
            format!("<link>{magnet}</link>"),
            format!("<guid isPermaLink='false'><![CDATA[magnet:?xt=urn:btih:{HASH}&dn=A]]></guid>"),
            format!("<x:attr name='infohash' value='none'/><link>{magnet}</link>"),
        ] {
            assert_eq!(one(&item).hash.to_string(), HASH, "{item}");
        }
        let without = "<item><title>A</title><link>http://x/download/1</link></item>";
        assert_eq!((feed(without).items.len(), feed(without).without_hash), (0, 1));
    }

    #[test]
    fn size_seeders_and_privacy_have_several_places() {
        let item = |more: &str| one(&format!("<guid>magnet:?xt=urn:btih:{HASH}</guid>{more}"));
        assert_eq!(item("<t:attr name='size' value='0'/><size> 7 </size>").size, Some(7));
        assert_eq!(item("<t:attr name='size' value='9'/><size>7</size>").size, Some(9));
        assert_eq!(item("<enclosure url='http://x' length='8'/>").size, Some(8));
        assert_eq!(item("<size>-1</size>").size, None);
        assert_eq!(item("<t:attr name='seeders' value='3'/><t:attr name='seeders' value='4'/>").seeders, Some(3));
        assert_eq!(item("<t:attr name='seeders' value='-2'/>").seeders, None);
        for (more, private) in [
            ("", false),
            ("<t:attr name='minimumratio' value='1.0'/>", true),
            ("<t:attr name='minimumseedtime' value='172800'/>", true),
            ("<t:attr name='minimumratio' value='0'/>", false),
            ("<type>private</type>", true),
            ("<type>semi-private</type>", true),
            ("<type>public</type><t:attr name='minimumratio' value='1.0'/>", false),
            ("<prowlarrindexer id='1' type='private'>X</prowlarrindexer>", true),
        ] {
            assert_eq!(item(more).private, private, "{more}");
        }
    }

    #[test]
    fn names_keep_their_letters() {
        let body = b"<rss><channel><item><title>Am\xe9lie &amp; &#201;t&#xE9; &lt;x&gt; &nbsp;A &B\n2</title><guid>magnet:?xt=urn:btih:\
            0f1e2d3c4b5a69788796a5b4c3d2e1f001234567</guid></item></channel></rss>";
        let page = Page { status: StatusCode::OK, body: body.to_vec(), whole: true };
        assert_eq!(Feed::read(&page).unwrap().items[0].name, "Am\u{e9}lie & \u{c9}t\u{e9} <x> A &B 2");
        let nameless = format!("<item><title> </title><guid>magnet:?xt=urn:btih:{HASH}</guid></item>");
        assert!(feed(&nameless).items.is_empty());
    }

    #[test]
    fn what_was_complete_before_the_cut_is_kept() {
        let item = format!("<item><title>A</title><guid>magnet:?xt=urn:btih:{HASH}</guid></item>");
        let whole = format!("<rss><channel>{item}{item}</channel></rss>");
        for end in 0..whole.len() {
            let page = Page { status: StatusCode::OK, body: whole.as_bytes()[..end].to_vec(), whole: false };
            let kept = Feed::read(&page).map(|feed| (feed.items.len(), feed.cut));
            let complete = whole[..end].matches("</item>").count();
            let is_feed = end >= "<rss>".len();
            assert_eq!(kept.ok(), is_feed.then_some((complete, true)), "{end}");
        }
    }

    #[test]
    fn ten_thousand_items_are_a_thousand() {
        let item = format!("<item><title>A</title><guid>magnet:?xt=urn:btih:{HASH}</guid></item><item/><item></item>");
        let feed = feed(&item.repeat(10_000));
        assert!(feed.cut && feed.items.len() + feed.without_hash == ITEMS);
    }

    #[test]
    fn anything_else_is_no_feed() {
        for body in ["", "<html><body>", "{\"a\":1}", "<rss", "<caps/>", "\u{0}\u{1}"] {
            let page = Page { status: StatusCode::OK, body: body.into(), whole: true };
            assert!(Feed::read(&page).is_err(), "{body}");
        }
        let refused = Page {
            status: StatusCode::OK,
            body: b"<error code='100' description='No &amp; no'/>".to_vec(),
            whole: true,
        };
        assert_eq!(Feed::read(&refused).unwrap_err(), "it refused: No & no (code 100)");
        let failed = Page { status: StatusCode::BAD_GATEWAY, body: b"<rss></rss>".to_vec(), whole: true };
        assert!(Feed::read(&failed).unwrap_err().starts_with("HTTP 502"));
    }
}
