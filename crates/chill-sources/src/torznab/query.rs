//! What an indexer is asked for a film or an episode.

use chill_core::{ContentId, Title, Wanted};

use super::caps::{Caps, Search};

const MOVIES: u32 = 2000;
const SERIES: u32 = 5000;
/// The longest title asked for, in characters.
const TITLE: usize = 200;

/// One query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// All but the key.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// It asks by id for exactly what is wanted.
    pub(super) exact: bool,
    /// The page it asks for, when the indexer says which is the largest.
    pub(super) limit: Option<u32>,
}

/// The queries for what is wanted, by id where the indexer can, else by title.
///
/// # Errors
/// A sentence when nothing can be asked.
pub(super) fn queries(caps: &Caps, wanted: &Wanted) -> Result<Vec<Query>, &'static str> {
    let own = match wanted.content {
        ContentId::Movie { .. } => &caps.movie,
        ContentId::Episode { .. } => &caps.series,
    };
    let mut queries = if own.takes("imdbid") {
        by_id(own, &wanted.content)
    } else {
        let title = wanted.title.as_ref().ok_or("it cannot search by id, and the title is not known")?;
        by_title(caps, own, &wanted.content, title)?
    };
    let category = match wanted.content {
        ContentId::Movie { .. } => MOVIES,
        ContentId::Episode { .. } => SERIES,
    };
    for query in &mut queries {
        if caps.has(category) {
            query.parameters.push(("cat", category.to_string()));
        }
        if let Some(limit) = caps.limit {
            query.parameters.push(("limit", limit.to_string()));
            query.limit = Some(limit);
        }
    }
    Ok(queries)
}

/// A film is one query. An episode is asked for itself, and its season once more for packs, which most indexers do not
/// give for an episode; packs have to be looked into, so they are not exact.
fn by_id(search: &Search, content: &ContentId) -> Vec<Query> {
    let id = ("imdbid", content.imdb().to_owned());
    let Some((season, episode)) = content.episode() else {
        return vec![Query { parameters: vec![("t", "movie".to_owned()), id], exact: true, limit: None }];
    };
    let mut whole = vec![("t", "tvsearch".to_owned()), id];
    if !search.takes("season") {
        return vec![Query { parameters: whole, exact: false, limit: None }];
    }
    whole.push(("season", season.to_string()));
    let mut queries = vec![Query { parameters: whole.clone(), exact: false, limit: None }];
    if search.takes("ep") {
        whole.push(("ep", episode.to_string()));
        queries.insert(0, Query { parameters: whole, exact: true, limit: None });
    }
    queries
}

fn by_title(caps: &Caps, own: &Search, content: &ContentId, title: &Title) -> Result<Vec<Query>, &'static str> {
    let function = match content {
        _ if caps.search.available => "search",
        ContentId::Movie { .. } if own.available => "movie",
        ContentId::Episode { .. } if own.available => "tvsearch",
        _ => return Err("it offers no search that could find this"),
    };
    let name = words(&title.name);
    if name.is_empty() {
        return Err("it cannot search by id, and the title has no words");
    }
    let texts = match (content.episode(), title.year) {
        (Some((season, episode)), _) => {
            vec![format!("{name} S{season:02}E{episode:02}"), format!("{name} S{season:02}")]
        }
        (None, Some(year)) => vec![format!("{name} {year}")],
        (None, None) => vec![name],
    };
    let query = |text| Query { parameters: vec![("t", function.to_owned()), ("q", text)], exact: false, limit: None };
    Ok(texts.into_iter().map(query).collect())
}

/// A title as release names have it: words of letters and digits, without punctuation.
fn words(title: &str) -> String {
    let plain: String = title.chars().take(TITLE).filter(|c| !matches!(c, '\'' | '’' | '`')).collect();
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use crate::http_client::Page;

    const ALL: &str = r#"<caps><limits max="100"/><searching><search available="yes" supportedParams="q"/>
        <tv-search available="yes" supportedParams="q,season,ep,imdbid"/><movie-search available="yes"
        supportedParams="q,imdbid"/></searching><categories><category id="2000"/><category id="5000"/></categories></caps>"#;

    fn asked(caps: &str, content: &str, title: Option<(&str, Option<u16>)>) -> Result<Vec<String>, &'static str> {
        let caps = Caps::read(&Page { status: StatusCode::OK, body: caps.into(), whole: true }).unwrap();
        let title = title.map(|(name, year)| Title { name: name.to_owned(), year });
        let wanted = Wanted { content: content.parse().unwrap(), title, budget: Duration::from_secs(1) };
        let shown = |query: Query| {
            let pairs: Vec<_> = query.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{}{}", if query.exact { "!" } else { "" }, pairs.join("&"))
        };
        queries(&caps, &wanted).map(|queries| queries.into_iter().map(shown).collect())
    }

    #[test]
    fn by_id_where_the_indexer_can() {
        assert_eq!(asked(ALL, "tt0063350", None).unwrap(), ["!t=movie&imdbid=tt0063350&cat=2000&limit=100"]);
        assert_eq!(
            asked(ALL, "tt0047706:1:2", None).unwrap(),
            [
                "!t=tvsearch&imdbid=tt0047706&season=1&ep=2&cat=5000&limit=100",
                "t=tvsearch&imdbid=tt0047706&season=1&cat=5000&limit=100"
            ]
        );
        let no_episodes = ALL.replace("season,ep,", "");
        assert_eq!(
            asked(&no_episodes, "tt0047706:1:2", None).unwrap(),
            ["t=tvsearch&imdbid=tt0047706&cat=5000&limit=100"]
        );
    }

    #[test]
    fn by_title_otherwise_with_and_without_a_year() {
        let plain = "<caps/>";
        let film = ("Marvel’s It's: A–Film & More!", Some(1968));
        assert_eq!(asked(plain, "tt1", Some(film)).unwrap(), ["t=search&q=Marvels Its A Film More 1968"]);
        assert_eq!(asked(plain, "tt1", Some(("Amélie", None))).unwrap(), ["t=search&q=Amélie"]);
        let series = asked(plain, "tt1:1:12", Some(("Robin Hood", Some(1955)))).unwrap();
        assert_eq!(series, ["t=search&q=Robin Hood S01E12", "t=search&q=Robin Hood S01"]);
        let own_only = r#"<caps><searching><search available="no"/><movie-search available="yes"/></searching></caps>"#;
        assert_eq!(asked(own_only, "tt1", Some(("A", None))).unwrap(), ["t=movie&q=A"]);
    }

    #[test]
    fn without_id_search_and_title_there_is_nothing_to_ask() {
        assert!(asked("<caps/>", "tt1", None).unwrap_err().contains("title is not known"));
        assert!(asked("<caps/>", "tt1", Some(("!?", None))).is_err());
        let nothing = "<caps><searching/></caps>";
        assert!(asked(nothing, "tt1:1:1", Some(("A", None))).unwrap_err().contains("offers no search"));
    }
}
