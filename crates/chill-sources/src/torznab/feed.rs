//! What an indexer answers: RSS with `torznab:attr` elements, or an error document.

use chill_core::{Found, InfoHash, Secret};
use quick_xml::events::{BytesStart, Event};

use super::caps::refusal;
use super::xml;
use crate::http_client::Page;

/// Items read of one answer, the useless ones included.
const ITEMS: usize = 1_000;

/// The items of an answer.
#[derive(Debug, Default)]
pub(super) struct Feed {
    pub(super) items: Vec<Item>,
    /// Items that told neither which torrent they are nor where to find that out.
    pub(super) useless: usize,
    /// There was more than is read, or the document broke off.
    pub(super) cut: bool,
    /// How many items there are on all pages together, where the indexer says it.
    total: Option<usize>,
}

/// One item that tells its hash, or where its `.torrent` file is.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) hash: Option<InfoHash>,
    /// Where its `.torrent` file is. May carry a key.
    pub(super) link: Option<Secret>,
    pub(super) size: Option<u64>,
    pub(super) seeders: Option<u32>,
    pub(super) private: bool,
}

impl Item {
    /// As a torrent, when its hash is known.
    pub(super) fn into_found(self, source: &str, exact: bool) -> Option<Found> {
        let Self { name, hash, size, seeders, private, .. } = self;
        Some(Found { hash: hash?, name, size, seeders, source: source.to_owned(), private, exact })
    }

    /// Whether they look like the same one.
    pub(super) fn resembles(&self, other: &Self) -> bool {
        (&self.name, self.hash, self.size) == (&other.name, other.hash, other.size)
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
            if reading.feed.len() >= ITEMS {
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

    /// Where the next page begins, when this one is full. `limit` is the page that was asked for.
    pub(super) fn next(&self, limit: Option<u32>) -> Option<usize> {
        let full = match self.total {
            Some(total) => total > self.len(),
            None => limit.is_some_and(|limit| usize::try_from(limit).is_ok_and(|limit| self.len() >= limit)),
        };
        (full && !self.cut && self.len() > 0).then_some(self.len())
    }

    fn len(&self) -> usize {
        self.items.len() + self.useless
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
            ("response", None) => {
                self.feed.total = xml::attribute(element, "total").and_then(|total| total.trim().parse().ok());
            }
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
            None => self.feed.useless += 1,
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
        let hash = own.or_else(|| places.into_iter().flatten().find_map(|url| InfoHash::from_magnet(url.trim())));
        let link = [self.enclosure.as_deref(), attributes.magneturl.as_deref(), Some(&self.link)];
        let link = link.into_iter().flatten().map(str::trim).find(|url| is_web(url)).map(Secret::new);
        let sizes = [attributes.size.as_deref(), Some(&self.size), self.length.as_deref()];
        let size = sizes.into_iter().flatten().find_map(|size| size.trim().parse().ok().filter(|size| *size > 0));
        let seeders = attributes.seeders.as_deref().and_then(|seeders| seeders.trim().parse().ok());
        let private = self.is_private();
        let name = self.title.split(char::is_control).collect::<Vec<_>>().join(" ").trim().to_owned();
        let useful = !name.is_empty() && (hash.is_some() || link.is_some());
        useful.then_some(Item { name, hash, link, size, seeders, private })
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

/// Whether it is an address of the web, and not one that was too long to be kept whole.
fn is_web(url: &str) -> bool {
    let scheme = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    url.len() < xml::TEXT && (scheme("http://") || scheme("https://"))
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
        assert_eq!((feed.items.len(), feed.useless, feed.cut), (1, 0, false), "{item}");
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
            assert_eq!(one(&item).hash.unwrap().to_string(), HASH, "{item}");
        }
        let without = "<item><title>A</title><guid>http://x/details/1</guid></item>";
        assert_eq!((feed(without).items.len(), feed(without).useless), (0, 1));
    }

    #[test]
    fn a_link_to_a_file_is_found_where_it_stands() {
        let long = format!("<link>http://x/{}</link>", "a".repeat(5_000));
        for (item, link) in [
            ("<link>http://x/1?k=a&amp;b=c</link>", Some("http://x/1?k=a&b=c")),
            ("<link>http://x/details</link><enclosure url=' HTTPS://x/2 '/>", Some("HTTPS://x/2")),
            ("<enclosure url='magnet:?dn=x'/><link>http://x/3</link>", Some("http://x/3")),
            ("<t:attr name='magneturl' value='http://x/4'/><link>http://x/3</link>", Some("http://x/4")),
            ("<link>ftp://x/3</link>", None),
            ("<link>file:///etc/passwd</link>", None),
            (long.as_str(), None),
        ] {
            let guid = format!("<guid>magnet:?xt=urn:btih:{HASH}</guid>");
            assert_eq!(one(&(guid + item)).link.as_ref().map(Secret::expose), link, "{item}");
        }
        let hidden = one("<link>http://x/1?apikey=sekret</link>");
        assert!(hidden.hash.is_none() && !format!("{hidden:?}").contains("sekret"));
    }

    #[test]
    fn a_full_page_has_a_next_one() {
        let item = "<item><title>A</title><link>http://x/1</link></item><item></item>";
        let told = |total: &str| format!("<newznab:response offset='0' total='{total}'/>{item}");
        for (items, limit, next) in [
            (item.to_owned(), Some(2), Some(2)),
            (item.to_owned(), Some(3), None),
            (item.to_owned(), None, None),
            (told("2"), Some(2), None),
            (told("3"), None, Some(2)),
            (told("odd"), Some(2), Some(2)),
            (String::new(), Some(0), None),
        ] {
            assert_eq!(feed(&items).next(limit), next, "{items}");
        }
        assert_eq!(feed(&item.repeat(1_000)).next(Some(100)), None, "what was cut has no next page");
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
        assert!(feed.cut && feed.len() == ITEMS);
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
