//! Anime, asked for by the id of an anime catalogue or by IMDb's: what it is called and how its episodes count.
//!
//! For: joining the operator's map of anime, the titles of IMDb and Kitsu's own. Refuses: to need any of them; what one
//! does not know, another does, and without the map it is Kitsu's titles alone.
//!
//! Start at [`AnimeTitles`]; `kitsu` asks Kitsu, `file` reads a map, `names` takes a season out of a name, `series`
//! is for IMDb's ids.

mod file;
mod kitsu;
mod names;
mod series;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chill_core::{AnimeId, AnimePlace, AnimePlaces, AnimeSite, ContentId, Numbers, SourceError, Title, Titles};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

pub use file::{AnimeFileError, AnimeMapFile};
pub use kitsu::Kitsu;
use kitsu::Names;

/// Once somebody knows a title, the others get so long.
const OTHERS: Duration = Duration::from_millis(1_500);
/// Names of one anime.
const NAMES: usize = 6;

/// Titles of anime, by the ids of Kitsu and MyAnimeList, and by those ids of IMDb that the map has.
pub struct AnimeTitles {
    map: Arc<dyn AnimePlaces>,
    imdb: Vec<Arc<dyn Titles>>,
    kitsu: Kitsu,
}

impl std::fmt::Debug for AnimeTitles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AnimeTitles({})", self.imdb.len())
    }
}

/// What one place said.
enum Told {
    /// A place that goes by IMDb's ids: it calls the series so.
    Imdb(Result<Option<Title>, SourceError>),
    Kitsu(Result<Option<Names>, SourceError>),
}

impl AnimeTitles {
    /// `imdb` are places that know titles by IMDb's ids, the best one first.
    #[must_use]
    pub fn new(map: Arc<dyn AnimePlaces>, imdb: Vec<Arc<dyn Titles>>, kitsu: Kitsu) -> Self {
        Self { map, imdb, kitsu }
    }

    /// The title of what was asked for by IMDb's id, when the map says that it is anime; it is others' to know otherwise.
    async fn title_at_imdb(&self, content: &ContentId) -> Result<Option<Title>, SourceError> {
        let Some(imdb) = content.imdb() else { return Ok(None) };
        let parts = self.map.of_imdb(imdb).await?;
        if parts.is_empty() {
            return Ok(None);
        }
        let part = series::part_of(&parts, content);
        let at_kitsu = |(id, place): &(AnimeId, AnimePlace)| match place.kitsu {
            Some(number) => AnimeId { site: AnimeSite::Kitsu, number },
            None => *id,
        };
        let (titles, names, trouble) = self.ask(Some(content), part.map(at_kitsu)).await;
        let numbers = series::numbers(&parts, part, content, &titles);
        let title = join(part.map(|(_, place)| place), &titles, names, |_| numbers);
        match (title, trouble) {
            (None, Some(error)) => Err(error),
            (title, _) => Ok(title.map(|title| Title { imdb: Some(imdb.to_owned()), ..title })),
        }
    }

    async fn place(&self, id: AnimeId) -> Option<AnimePlace> {
        let place = self.map.place(id).await;
        place.unwrap_or_else(|error| {
            tracing::warn!(%error, "an anime is searched by its title alone");
            None
        })
    }

    /// What everybody says, in order of places; those who are late after the first are not waited for.
    async fn ask(
        &self,
        of: Option<&ContentId>,
        kitsu: Option<AnimeId>,
    ) -> (Vec<Title>, Option<Names>, Option<SourceError>) {
        let imdb = self.imdb.iter().enumerate().filter_map(|(rank, titles)| {
            let content = of?;
            let asked: futures_util::future::BoxFuture<'_, (usize, Told)> =
                Box::pin(async move { (rank, Told::Imdb(titles.title(content).await)) });
            Some(asked)
        });
        let mut asked: FuturesUnordered<_> = imdb.collect();
        if let Some(kitsu) = kitsu {
            asked.push(Box::pin(async move { (self.imdb.len(), Told::Kitsu(self.kitsu.names(kitsu).await)) }));
        }
        let (mut titles, mut names, mut trouble) = (Vec::new(), None, None);
        let mut end = None;
        loop {
            let next = match end {
                None => asked.next().await,
                Some(end) => timeout_at(end, asked.next()).await.unwrap_or_default(),
            };
            let Some((rank, told)) = next else { break };
            match told {
                Told::Imdb(Ok(Some(title))) => titles.push((rank, title)),
                Told::Kitsu(Ok(Some(told))) => names = Some(told),
                Told::Imdb(Err(error)) | Told::Kitsu(Err(error)) => trouble = trouble.or(Some(error)),
                Told::Imdb(Ok(None)) | Told::Kitsu(Ok(None)) => {}
            }
            if end.is_none() && (!titles.is_empty() || names.is_some()) {
                end = Some(Instant::now() + OTHERS);
            }
        }
        titles.sort_by_key(|(rank, _)| *rank);
        (titles.into_iter().map(|(_, title)| title).collect(), names, trouble)
    }
}

#[async_trait]
impl Titles for AnimeTitles {
    async fn title(&self, content: &ContentId) -> Result<Option<Title>, SourceError> {
        let ContentId::Anime { id, episode } = *content else { return self.title_at_imdb(content).await };
        let place = self.place(id).await;
        let of = place.as_ref().and_then(|place| at_imdb(place, episode));
        let kitsu = place.as_ref().and_then(|place| place.kitsu);
        let kitsu = kitsu.map_or(id, |number| AnimeId { site: AnimeSite::Kitsu, number });
        let (titles, names, trouble) = self.ask(of.as_ref(), Some(kitsu)).await;
        let numbers = |season| episode.map(|episode| numbers(place.as_ref(), season, episode, &titles));
        match (join(place.as_ref(), &titles, names, numbers), trouble) {
            (None, Some(error)) => Err(error),
            (title, _) => Ok(title),
        }
    }
}

/// The same film or episode by IMDb's id. Without a season the episode is given as counted through.
fn at_imdb(place: &AnimePlace, episode: Option<u16>) -> Option<ContentId> {
    let imdb = place.imdb.clone()?;
    Some(match episode {
        None => ContentId::Movie { imdb },
        Some(episode) => ContentId::Episode {
            imdb,
            season: place.season.unwrap_or(1),
            episode: episode.saturating_add(place.offset),
        },
    })
}

/// One title of all that was told; none when nobody knew a name. `numbers` are those of the episode in a season.
fn join(
    place: Option<&AnimePlace>,
    titles: &[Title],
    names: Option<Names>,
    numbers: impl FnOnce(Option<u16>) -> Option<Numbers>,
) -> Option<Title> {
    let names = names.unwrap_or_default();
    let read: Vec<_> = names.names.iter().map(|name| names::read(name)).collect();
    let named_season = read.iter().find_map(|name| name.season);
    let season = place.and_then(|place| place.season).or(named_season);
    let numbers = numbers(season);
    let (mut series, mut part) = (Vec::new(), Vec::new());
    titles.iter().flat_map(Title::names).for_each(|name| names::add(&mut series, name));
    // A later part's own name is not the series'.
    let later = season.is_some_and(|season| season != 1);
    for (name, whole) in read.iter().zip(&names.names) {
        match name.season {
            Some(_) => names::add(&mut series, &name.series),
            None if later && numbers.is_some() => names::add(&mut part, whole),
            None => names::add(&mut series, whole),
        }
    }
    part.retain(|name| !series.iter().any(|known| chill_release::titles_match(known, name)));
    if series.is_empty() {
        std::mem::swap(&mut series, &mut part);
    }
    series.truncate(NAMES);
    part.truncate(NAMES);
    let mut series = series.into_iter();
    Some(Title {
        name: series.next()?,
        year: titles.iter().find_map(|title| title.year).or(names.year),
        also: series.collect(),
        part,
        numbers,
        imdb: place.and_then(|place| place.imdb.clone()),
        is_anime: true,
    })
}

fn numbers(place: Option<&AnimePlace>, season: Option<u16>, own: u16, titles: &[Title]) -> Numbers {
    let episode = own.saturating_add(place.map_or(0, |place| place.offset));
    let told = titles.iter().find_map(|title| title.numbers);
    match told {
        // IMDb's seasons tell where an episode that is counted through belongs.
        Some(told) if place.is_some_and(|place| place.season.is_none()) => Numbers { own, ..told },
        Some(told) if told.season == season => Numbers { own, ..told },
        _ => {
            let absolute = season.is_none_or(|season| season == 1).then_some(episode);
            Numbers { season, episode, absolute, own }
        }
    }
}
