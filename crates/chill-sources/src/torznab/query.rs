//! What an indexer is asked for a film or an episode.

use chill_core::{Numbers, Title, Wanted};

use super::caps::{Caps, Search};

const MOVIES: u32 = 2000;
const SERIES: u32 = 5000;
const ANIME: u32 = 5070;
/// The longest title asked for, in characters.
const TITLE: usize = 200;
/// Names of one anime that are asked for.
const NAMES: usize = 2;

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

/// The queries for what is wanted, by id where the indexer can, else by title. Anime is asked for by its titles too,
/// because few indexers know the ids of what is named and counted in its own way.
///
/// # Errors
/// A sentence when nothing can be asked.
pub(super) fn queries(caps: &Caps, wanted: &Wanted) -> Result<Vec<Query>, &'static str> {
    let numbers = wanted.numbers();
    let own = if numbers.is_none() { &caps.movie } else { &caps.series };
    let is_anime = wanted.is_anime();
    let id = wanted.imdb().filter(|_| own.takes("imdbid"));
    // By id an episode needs a season.
    let id = id.filter(|_| numbers.is_none_or(|numbers| numbers.season.is_some()));
    let mut queries = id.map(|id| by_id(own, id, numbers)).unwrap_or_default();
    if queries.is_empty() || is_anime {
        let title = wanted.title.as_ref().ok_or("it cannot search by id, and the title is not known");
        match title.and_then(|title| by_title(caps, own, wanted, title)) {
            Ok(more) => queries.extend(more),
            Err(why) if queries.is_empty() => return Err(why),
            Err(_) => {}
        }
    }
    let categories = match numbers {
        None => [Some(MOVIES), is_anime.then_some(ANIME)],
        Some(_) => [Some(SERIES), is_anime.then_some(ANIME)],
    };
    let categories: Vec<String> =
        categories.into_iter().flatten().filter(|id| caps.has(*id)).map(|id| id.to_string()).collect();
    for query in &mut queries {
        if !categories.is_empty() {
            query.parameters.push(("cat", categories.join(",")));
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
fn by_id(search: &Search, imdb: &str, numbers: Option<Numbers>) -> Vec<Query> {
    let id = ("imdbid", imdb.to_owned());
    let Some(Numbers { season: Some(season), episode, .. }) = numbers else {
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

fn by_title(caps: &Caps, own: &Search, wanted: &Wanted, title: &Title) -> Result<Vec<Query>, &'static str> {
    let numbers = wanted.numbers();
    let function = match numbers {
        _ if caps.search.available => "search",
        None if own.available => "movie",
        Some(_) if own.available => "tvsearch",
        _ => return Err("it offers no search that could find this"),
    };
    let mut texts = Vec::new();
    let mut add = |text: String| {
        if !texts.contains(&text) {
            texts.push(text);
        }
    };
    match numbers {
        Some(numbers) if wanted.is_anime() => anime(title, numbers).for_each(&mut add),
        Some(Numbers { season: Some(season), episode, .. }) => {
            for name in latin_names(title).take(1) {
                add(format!("{name} S{season:02}E{episode:02}"));
                add(format!("{name} S{season:02}"));
            }
        }
        // Foreign films are released under their own title or its translation.
        _ => latin_names(title).take(NAMES).for_each(|name| match title.year {
            Some(year) => add(format!("{name} {year}")),
            None => add(name),
        }),
    }
    if texts.is_empty() {
        return Err("it cannot search by id, and the title has no words");
    }
    let query = |text| Query { parameters: vec![("t", function.to_owned()), ("q", text)], exact: false, limit: None };
    Ok(texts.into_iter().map(query).collect())
}

/// Anime is counted through, or within its season, or within a part that has a name of its own.
fn anime(title: &Title, numbers: Numbers) -> impl Iterator<Item = String> {
    let Numbers { season, episode, absolute, own } = numbers;
    let series = latin_names(title).take(NAMES).flat_map(move |name| {
        let through = absolute.map(|absolute| format!("{name} {absolute:02}"));
        let seasonal = season.map(|season| format!("{name} S{season:02}E{episode:02}"));
        // Packs name a range, or nothing.
        [through, seasonal, Some(name)].into_iter().flatten()
    });
    let part = title.part.iter().map(|name| words(name)).filter(|name| !name.is_empty()).take(1);
    series.chain(part.map(move |name| format!("{name} {own:02}")))
}

/// The names with letters that releases are named with, else all of them.
fn latin_names(title: &Title) -> impl Iterator<Item = String> {
    let all: Vec<String> = title.names().map(words).filter(|name| !name.is_empty()).collect();
    let latin = |name: &String| name.chars().any(|c| c.is_ascii_alphanumeric());
    let any = all.iter().any(latin);
    all.into_iter().filter(move |name| !any || latin(name))
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
        let title = title.map(|(name, year)| Title::new(name, year));
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

    fn asked_anime(caps: &str, content: &str, title: Title) -> Vec<String> {
        let caps = Caps::read(&Page { status: StatusCode::OK, body: caps.into(), whole: true }).unwrap();
        let wanted = Wanted { content: content.parse().unwrap(), title: Some(title), budget: Duration::from_secs(1) };
        let text = |query: Query| {
            let kept =
                query.parameters.iter().filter(|(name, _)| matches!(*name, "imdbid" | "season" | "ep" | "q" | "cat"));
            kept.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        };
        queries(&caps, &wanted).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn anime_is_asked_for_in_every_way_it_counts() {
        let caps = ALL.replace("</categories>", "<subcat id=\"5070\"/></categories>");
        let names = |part: &[&str]| Title {
            also: vec!["Ushio no Yaiba".to_owned(), "潮の刃".to_owned()],
            part: part.iter().map(|name| (*name).to_owned()).collect(),
            ..Title::new("Tidal Blades", Some(2019))
        };
        assert_eq!(
            asked_anime("<caps/>", "kitsu:12:137", names(&[])),
            ["q=Tidal Blades 137", "q=Tidal Blades", "q=Ushio no Yaiba 137", "q=Ushio no Yaiba"],
            "without a map it is counted through"
        );
        let numbers = Some(Numbers { season: Some(2), episode: 5, absolute: Some(30), own: 5 });
        let second = Title { numbers, imdb: Some("tt5".to_owned()), ..names(&["Tidal Blades: Ebb"]) };
        assert_eq!(
            asked_anime(&caps, "mal:5:5", second),
            [
                "imdbid=tt5&season=2&ep=5&cat=5000,5070",
                "imdbid=tt5&season=2&cat=5000,5070",
                "q=Tidal Blades 30&cat=5000,5070",
                "q=Tidal Blades S02E05&cat=5000,5070",
                "q=Tidal Blades&cat=5000,5070",
                "q=Ushio no Yaiba 30&cat=5000,5070",
                "q=Ushio no Yaiba S02E05&cat=5000,5070",
                "q=Ushio no Yaiba&cat=5000,5070",
                "q=Tidal Blades Ebb 05&cat=5000,5070",
            ]
        );
        assert_eq!(
            asked_anime("<caps/>", "kitsu:176", Title { also: Vec::new(), ..names(&[]) }),
            ["q=Tidal Blades 2019"]
        );
    }

    #[test]
    fn only_what_the_capabilities_list_is_asked() {
        let title = ("Robin Hood", Some(1955));
        for (says, instead, id, expected) in [
            // A search that is listed but not offered.
            (
                r#"<movie-search available="yes""#,
                r#"<movie-search available="no""#,
                "tt1",
                "t=search&q=Robin Hood 1955",
            ),
            (
                r#"<tv-search available="yes""#,
                r#"<tv-search available="no""#,
                "tt1:1:2",
                "t=search&q=Robin Hood S01E02",
            ),
            // No ids of ours.
            ("q,season,ep,imdbid", "q,season,ep,tvdbid,rid", "tt1:1:2", "t=search&q=Robin Hood S01E02"),
            ("supportedParams=\"q,imdbid\"", "", "tt1", "t=search&q=Robin Hood 1955"),
            // No plain search: the one for series has to take words.
            (r#"<search available="yes" supportedParams="q"/>"#, "", "tt1:1:2", "!t=tvsearch&imdbid=tt1&season=1&ep=2"),
            // No seasons: the whole series.
            ("season,ep,", "ep,", "tt1:1:2", "t=tvsearch&imdbid=tt1"),
        ] {
            assert!(ALL.contains(says), "{says}");
            let queries = asked(&ALL.replace(says, instead), id, Some(title)).unwrap();
            let category = if id.contains(':') { 5000 } else { 2000 };
            assert_eq!(queries[0], format!("{expected}&cat={category}&limit=100"), "{instead}");
        }
        let plain = ALL.replace(r#"<limits max="100"/>"#, "").replace("2000", "8000");
        assert_eq!(asked(&plain, "tt1", None).unwrap(), ["!t=movie&imdbid=tt1"], "no such category, and no limit");
    }

    #[test]
    fn anime_by_imdbs_id_is_asked_for_by_id_and_by_number() {
        let numbers = Some(Numbers { season: Some(5), episode: 20, absolute: Some(137), own: 20 });
        let title = Title { numbers, is_anime: true, ..Title::new("Tidal Blades", Some(2019)) };
        assert_eq!(
            asked_anime(ALL, "tt5:5:20", title.clone()),
            [
                "imdbid=tt5&season=5&ep=20&cat=5000",
                "imdbid=tt5&season=5&cat=5000",
                "q=Tidal Blades 137&cat=5000",
                "q=Tidal Blades S05E20&cat=5000",
                "q=Tidal Blades&cat=5000",
            ]
        );
        let unknown = Title { is_anime: false, ..title };
        assert_eq!(
            asked_anime("<caps/>", "tt5:5:20", unknown),
            ["q=Tidal Blades S05E20", "q=Tidal Blades S05"],
            "without the map it is what its title says"
        );
    }

    #[test]
    fn a_foreign_film_is_asked_for_under_both_titles() {
        let film = Title { also: vec!["Die stillen Hügel".to_owned()], ..Title::new("The Quiet Hills", Some(1968)) };
        assert_eq!(asked_anime("<caps/>", "tt1", film), ["q=The Quiet Hills 1968", "q=Die stillen Hügel 1968"]);
    }
}
