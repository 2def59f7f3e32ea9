//! `GET /api?t=…`: capabilities and the three searches.

use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::feed::{Page, error_document};
use super::{Release, Torznab, caps};
use crate::clock::lock;
use crate::front::{PaddedFeed, answer};

/// The query, read as an indexer reads it.
struct Query(Vec<(String, String)>);

impl Query {
    fn read(raw: Option<String>) -> Self {
        Self(url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }

    fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, String> {
        let wrong = |_| error_document(201, &format!("Incorrect parameter ({name})"));
        self.text(name).map(str::parse).transpose().map_err(wrong)
    }
}

pub(super) async fn api(
    State(torznab): State<Torznab>,
    padded: Option<Extension<PaddedFeed>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::read(query);
    let content_type = torznab.indexer().content_type;
    let document = document(&torznab, &query, padded.map(|Extension(PaddedFeed(count))| count));
    answer(StatusCode::OK, &content_type, document.unwrap_or_else(|error| error))
}

/// An indexer without magnets hands them out behind a redirect.
pub(super) async fn download(State(torznab): State<Torznab>, Path(hash): Path<String>) -> Response {
    let shelf = lock(&torznab.shelf);
    let release = shelf.releases.iter().find(|release| release.hash == hash);
    let Some(location) = release.and_then(|release| HeaderValue::from_str(&release.magnet()).ok()) else {
        return answer(StatusCode::NOT_FOUND, "text/plain", "Not Found\n");
    };
    let mut redirect = answer(StatusCode::FOUND, "", "");
    redirect.headers_mut().insert(header::LOCATION, location);
    redirect
}

/// `GET /{indexer}/download?apikey=…&link=…&file=…`, as Prowlarr gives files out: for its own key alone.
pub(super) async fn file(State(torznab): State<Torznab>, RawQuery(query): RawQuery) -> Response {
    let query = Query::read(query);
    let shelf = lock(&torznab.shelf);
    if query.text("apikey") != Some(shelf.indexer.api_key.as_str()) {
        return answer(StatusCode::UNAUTHORIZED, "text/plain", "Unauthorized\n");
    }
    let release = query.text("link").and_then(|hash| shelf.releases.iter().find(|release| release.hash == hash));
    let Some((release, torrent)) = release.and_then(|release| Some((release, release.file.as_ref()?))) else {
        return answer(StatusCode::NOT_FOUND, "text/plain", "Not Found\n");
    };
    let mut file = answer(StatusCode::OK, "application/x-bittorrent", torrent.metainfo());
    let name = percent_encoding::utf8_percent_encode(&release.title, percent_encoding::NON_ALPHANUMERIC);
    if let Ok(named) = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}.torrent")) {
        file.headers_mut().insert(header::CONTENT_DISPOSITION, named);
    }
    file
}

/// The document asked for, or the error document.
fn document(torznab: &Torznab, query: &Query, padded: Option<usize>) -> Result<String, String> {
    let shelf = lock(&torznab.shelf);
    let indexer = &shelf.indexer;
    let function = query.text("t").ok_or_else(|| error_document(200, "Missing parameter (t)"))?;
    if function == "caps" {
        return Ok(caps::document(indexer));
    }
    if query.text("apikey") != Some(indexer.api_key.as_str()) {
        return Err(error_document(100, "Invalid API Key"));
    }
    let available = match function {
        "search" => indexer.search,
        "tvsearch" => indexer.tv_search,
        "movie" => indexer.movie_search,
        _ => return Err(error_document(202, "No such function")),
    };
    if !available {
        return Err(error_document(203, "Function not available"));
    }
    let (limit, offset) = (query.number::<usize>("limit")?, query.number::<usize>("offset")?.unwrap_or(0));
    let limit = limit.unwrap_or(indexer.limit_default).min(indexer.limit_max);
    let page = |total| Page { indexer, base: &torznab.base, now: torznab.clock.now_ms(), offset, total };
    if let Some(count) = padded {
        let fillers: Vec<Release> = (0..count).map(filler).collect();
        return Ok(page(count).document(fillers.iter()));
    }
    let wanted = Wanted::read(query, function, indexer.imdbid, indexer.season_and_episode)?;
    let mut found: Vec<&Release> = shelf.releases.iter().collect();
    found.retain(|release| wanted.matches(release, indexer.packs_match_episode));
    Ok(page(found.len()).document(found.into_iter().skip(offset).take(limit)))
}

fn filler(number: usize) -> Release {
    Release {
        title: format!("Filler.Number.{number}.1080p.WEB-DL.x264-SIM"),
        hash: format!("{number:040x}"),
        size: 1_000_000_000 + number as u64,
        imdb: None,
        season: None,
        episode: None,
        categories: vec![2000],
        seeders: 1,
        peers: 1,
        age_days: 1,
        file: None,
    }
}

/// What a search is after. Parameters an indexer does not support are ignored, as real ones do.
struct Wanted {
    function: &'static str,
    words: Vec<String>,
    imdb: Option<String>,
    season: Option<u32>,
    episode: Option<u32>,
    categories: Vec<u32>,
}

impl Wanted {
    fn read(query: &Query, function: &str, imdbid: bool, season_and_episode: bool) -> Result<Self, String> {
        let function = match function {
            "tvsearch" => "tvsearch",
            "movie" => "movie",
            _ => "search",
        };
        let imdb = query.text("imdbid").filter(|_| imdbid && function != "search");
        let episodes = season_and_episode && function == "tvsearch";
        let categories = query.text("cat").unwrap_or_default().split(',').filter(|category| !category.is_empty());
        let wrong = |_| error_document(201, "Incorrect parameter (cat)");
        Ok(Self {
            function,
            words: words(query.text("q").unwrap_or_default()),
            imdb: imdb.map(|imdb| imdb.trim_start_matches("tt").to_owned()),
            season: query.number("season")?.filter(|_| episodes),
            episode: query.number("ep")?.filter(|_| episodes),
            categories: categories.map(str::parse).collect::<Result<_, _>>().map_err(wrong)?,
        })
    }

    fn matches(&self, release: &Release, packs_match_episode: bool) -> bool {
        let series = release.categories.iter().any(|category| category / 1000 == 5);
        let right_kind = match self.function {
            "tvsearch" => series,
            "movie" => !series,
            _ => true,
        };
        let imdb = release.imdb.as_deref().map(|imdb| imdb.trim_start_matches("tt"));
        let right_imdb = self.imdb.as_deref().is_none_or(|wanted| imdb == Some(wanted));
        let right_season = self.season.is_none_or(|season| release.season == Some(season));
        let pack = release.episode.is_none() && packs_match_episode;
        let right_episode = self.episode.is_none_or(|episode| release.episode == Some(episode) || pack);
        // A main category stands for all below it.
        let within = |wanted: &u32| release.categories.iter().any(|own| own == wanted || own / 1000 * 1000 == *wanted);
        let right_category = self.categories.is_empty() || self.categories.iter().any(within);
        let title = words(&release.title);
        let right_words = self.words.iter().all(|word| title.contains(word));
        right_kind && right_imdb && right_season && right_episode && right_category && right_words
    }
}

/// Lower-case words of letters and digits, apostrophes dropped.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['\'', '’'], "");
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
