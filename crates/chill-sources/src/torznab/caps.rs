//! What an indexer can do (`t=caps`).

use std::collections::HashSet;

use quick_xml::events::{BytesStart, Event};

use super::xml;
use crate::http_client::Page;

/// Categories remembered of one indexer.
const CATEGORIES: usize = 2_000;
/// Pages larger than this are not asked for.
const PAGE: u32 = 1_000;

/// One of the three searches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) available: bool,
    parameters: Vec<String>,
}

impl Search {
    pub(super) fn takes(&self, parameter: &str) -> bool {
        self.available && self.parameters.iter().any(|known| known == parameter)
    }
}

/// The capabilities, as far as they matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caps {
    pub(super) search: Search,
    pub(super) movie: Search,
    pub(super) series: Search,
    /// The largest page, when told.
    pub(super) limit: Option<u32>,
    categories: HashSet<u32>,
}

impl Caps {
    /// Reads the document.
    ///
    /// # Errors
    /// A sentence: what came instead.
    pub(super) fn read(page: &Page) -> Result<Self, String> {
        let text = xml::text(&page.body);
        let mut reader = xml::reader(&text);
        let (mut caps, mut is_caps, mut says_searching) = (Self::default(), false, false);
        loop {
            match reader.read_event() {
                Ok(Event::Start(element) | Event::Empty(element)) => match element.local_name().as_ref() {
                    "caps" => is_caps = true,
                    "error" => return Err(refusal(&element)),
                    "searching" => says_searching = true,
                    _ => caps.note(&element),
                },
                Ok(Event::Eof) | Err(_) => break,
                Ok(_) => {}
            }
        }
        if !is_caps {
            return Err(format!("HTTP {}: it answered with something that is not Torznab", page.status.as_u16()));
        }
        if !says_searching {
            caps.search = Search { available: true, parameters: vec!["q".to_owned()] };
        }
        Ok(caps)
    }

    /// Whether it lists this category.
    pub(super) fn has(&self, category: u32) -> bool {
        self.categories.contains(&category)
    }

    fn note(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            "limits" => {
                let max = xml::attribute(element, "max").and_then(|max| max.trim().parse().ok());
                self.limit = max.filter(|max| *max > 0).map(|max: u32| max.min(PAGE));
            }
            "search" => self.search = search(element),
            "tv-search" => self.series = search(element),
            "movie-search" => self.movie = search(element),
            "category" | "subcat" if self.categories.len() < CATEGORIES => {
                let id = xml::attribute(element, "id").and_then(|id| id.trim().parse::<u32>().ok());
                self.categories.extend(id);
            }
            _ => {}
        }
    }
}

fn search(element: &BytesStart<'_>) -> Search {
    let parameters = xml::attribute(element, "supportedParams").unwrap_or_else(|| "q".to_owned());
    Search {
        available: xml::attribute(element, "available").is_some_and(|word| word.eq_ignore_ascii_case("yes")),
        parameters: parameters.split(',').map(|name| name.trim().to_ascii_lowercase()).collect(),
    }
}

/// `<error code="100" description="Invalid API Key"/>` as a sentence.
pub(super) fn refusal(element: &BytesStart<'_>) -> String {
    let code = xml::attribute(element, "code").unwrap_or_default();
    let description = xml::attribute(element, "description").unwrap_or_default();
    format!("it refused: {description} (code {code})")
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn caps(body: &str) -> Result<Caps, String> {
        Caps::read(&Page { status: StatusCode::OK, body: body.into(), whole: true })
    }

    #[test]
    fn searches_limits_and_categories_are_read() {
        let caps = caps(
            r#"<?xml version="1.0" encoding="UTF-8"?><caps><server title="A &amp; B"/><limits max="50" default="50"/>
            <searching><search available="yes" supportedParams="q"/><tv-search available="YES"
            supportedParams="q,season, ep,imdbid"></tv-search><movie-search available="no" supportedParams="q,imdbid"/>
            </searching><categories><category id="5000" name="TV"><subcat id="5040" name="HD"/></category>
            <category id="odd"/></categories></caps>"#,
        )
        .unwrap();
        assert!(caps.series.takes("ep") && caps.series.takes("imdbid") && !caps.movie.takes("imdbid"));
        assert_eq!(caps.limit, Some(50));
        assert!(caps.has(5000) && caps.has(5040) && !caps.has(2000));
    }

    #[test]
    fn little_is_enough_and_other_things_are_none() {
        let least = caps("<caps/>").unwrap();
        assert!(least.search.takes("q") && !least.movie.available && least.limit.is_none());
        assert_eq!(caps("<caps><limits max=\"0\"/><searching/></caps>").unwrap().search, Search::default());
        let refused = caps("<error code='100' description='Invalid API Key'/>").unwrap_err();
        assert_eq!(refused, "it refused: Invalid API Key (code 100)");
        for other in ["", "<html><body>Log in</body></html>", "{}", "\u{1}\u{2}<<<"] {
            assert!(caps(other).unwrap_err().contains("not Torznab"), "{other}");
        }
    }
}
