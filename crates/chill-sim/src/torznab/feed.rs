//! The result feed (RSS 2.0 with `torznab:attr`) and the error document.

use std::fmt::Write as _;

use super::{Indexer, Release};
use crate::clock::internet_date;

/// XML text with its five entities.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}

pub(crate) fn error_document(code: u16, description: &str) -> String {
    let description = escaped(description);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error code=\"{code}\" description=\"{description}\" />\n")
}

fn quoted(text: &str) -> impl std::fmt::Display {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
}

/// A page of results; `offset` and `total` are told as Newznab does.
pub(super) struct Page<'a> {
    pub(super) indexer: &'a Indexer,
    pub(super) base: &'a str,
    pub(super) now: i64,
    pub(super) offset: usize,
    pub(super) total: usize,
}

impl Page<'_> {
    pub(super) fn document<'a>(&self, releases: impl Iterator<Item = &'a Release>) -> String {
        let title = escaped(&self.indexer.title);
        let mut xml = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:torznab="http://torznab.com/schemas/2015/feed" xmlns:newznab="http://www.newznab.com/DTD/2010/feeds/attributes/">
<channel><title>{title}</title><description>{title}</description><newznab:response offset="{}" total="{}" />
"#,
            self.offset, self.total
        );
        for release in releases {
            self.item(&mut xml, release);
        }
        xml.push_str("</channel></rss>\n");
        xml
    }

    fn item(&self, xml: &mut String, release: &Release) {
        let magnet = escaped(&release.magnet());
        let download = match release.file {
            Some(_) => {
                let (key, name) = (quoted(&self.indexer.api_key), quoted(&release.title));
                escaped(&format!("{}/1/download?apikey={key}&link={}&file={name}", self.base, release.hash))
            }
            None => format!("{}/download/{}", self.base, release.hash),
        };
        let (link, kind) = if self.indexer.magnets {
            (magnet.as_str(), "application/x-bittorrent;x-scheme-handler/magnet")
        } else {
            (download.as_str(), "application/x-bittorrent")
        };
        let published = internet_date(self.now - i64::from(release.age_days) * 86_400_000, "+0000");
        let title = escaped(&release.title);
        let mut attributes = vec![
            ("size", release.size.to_string()),
            ("seeders", release.seeders.to_string()),
            ("peers", release.peers.to_string()),
        ];
        attributes.extend(release.categories.iter().map(|category| ("category", category.to_string())));
        attributes.extend(self.indexer.infohash.then(|| ("infohash", release.hash.clone())));
        attributes.extend(self.indexer.magnets.then(|| ("magneturl", magnet.clone())));
        attributes.extend(release.imdb.iter().map(|imdb| ("imdbid", imdb.clone())));
        attributes.extend(release.season.map(|season| ("season", season.to_string())));
        attributes.extend(release.episode.map(|episode| ("episode", episode.to_string())));
        let attributes = attributes.into_iter().fold(String::new(), |mut xml, (name, value)| {
            // Writing to a String cannot fail.
            let _ = write!(xml, "<torznab:attr name=\"{name}\" value=\"{value}\" />");
            xml
        });
        let categories: String =
            release.categories.iter().map(|category| format!("<category>{category}</category>")).collect();
        let _ = writeln!(
            xml,
            "<item><title>{title}</title><guid>{download}</guid><link>{link}</link><pubDate>{published}</pubDate>\
             <size>{size}</size>{categories}<enclosure url=\"{link}\" length=\"{size}\" type=\"{kind}\" />{attributes}</item>",
            size = release.size,
        );
    }
}
