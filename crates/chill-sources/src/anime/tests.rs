//! Anime by the ids of its catalogues: with the map and without, against the simulated Kitsu and Cinemeta.

use std::collections::BTreeMap;

use chill_core::Clock;
use chill_sim::{Anime, Fault, World};

use super::*;
use crate::{Cinemeta, Http};

#[derive(Default)]
struct Map(BTreeMap<AnimeId, AnimePlace>);

#[async_trait]
impl AnimePlaces for Map {
    async fn place(&self, id: AnimeId) -> Result<Option<AnimePlace>, SourceError> {
        Ok(self.0.get(&id).cloned())
    }

    async fn of_imdb(&self, imdb: &str) -> Result<Vec<(AnimeId, AnimePlace)>, SourceError> {
        let of = self.0.iter().filter(|(id, place)| {
            place.imdb.as_deref() == Some(imdb) && (id.site == AnimeSite::Kitsu || place.kitsu.is_none())
        });
        Ok(of.map(|(id, place)| (*id, place.clone())).collect())
    }
}

const LIST: &str = r#"[
 {"kitsu_id": 7442, "mal_id": 16498, "imdb_id": "tt2560140", "type": "TV", "season": {"tvdb": 1}},
 {"kitsu_id": 8671, "mal_id": 25777, "imdb_id": ["tt2560140"], "type": "TV", "season": {"tvdb": 2, "tmdb": 2}},
 {"kitsu_id": 41982, "imdb_id": "tt2560140", "type": "TV", "season": 2, "episode_offset": {"tvdb": 3}},
 {"kitsu_id": 12, "mal_id": 21, "imdb_id": "tt0388629", "type": "TV", "season": {"tvdb": -1}},
 {"kitsu_id": "176", "imdb_id": "tt0245429,tt9", "type": "MOVIE", "season": {"tvdb": 1}},
 {"anidb_id": 1}, {"kitsu_id": 0, "mal_id": null, "imdb_id": 7}, 3
]"#;

struct Setting {
    world: World,
    titles: AnimeTitles,
}

async fn setting(list: &str) -> Setting {
    let world = World::start().await.unwrap();
    let (http, clock) = (Http::new("chillproxy/test"), Clock::fixed(1_000));
    let map = if list.is_empty() { Map::default() } else { Map(AnimeMapFile::read(list.as_bytes()).unwrap().places) };
    let cinemeta = Cinemeta::new(&world.cinemeta_url().parse().unwrap(), http.clone(), clock.clone());
    let kitsu = Kitsu::new(&world.kitsu_url().parse().unwrap(), http, clock);
    let episodes: Vec<_> = (1..=25).map(|n| (1, n, "x")).chain((1..=12).map(|n| (2, n, "x"))).collect();
    for id in ["tt2560140", "tt0388629"] {
        world.cinemeta().add_title(chill_sim::Title::series(id, "Tidal Blades", "2013–", &episodes));
    }
    let first = Anime::new(7442, "Ushio no Yaiba", "2013-04-07").named("en", "Tidal Blades").named("ja_jp", "潮の刃");
    world.kitsu().add_anime(first.at_mal(16498));
    world
        .kitsu()
        .add_anime(Anime::new(8671, "Ushio no Yaiba Season 2", "2017-04-01").named("en", "Tidal Blades II Ebb"));
    let film = Anime::new(176, "Shio no Kamikakushi", "2001-07-20").named("en", "Salt Away");
    world.kitsu().add_anime(film);
    Setting { world, titles: AnimeTitles::new(Arc::new(map), vec![Arc::new(cinemeta)], kitsu) }
}

impl Setting {
    async fn title(&self, id: &str) -> Title {
        self.titles.title(&id.parse().unwrap()).await.unwrap().unwrap()
    }
}

fn told(numbers: Option<Numbers>) -> (Option<u16>, u16, Option<u16>, u16) {
    numbers.map(|n| (n.season, n.episode, n.absolute, n.own)).unwrap()
}

#[tokio::test]
async fn with_the_map_names_and_numbers_are_joined() {
    let setting = setting(LIST).await;
    let first = setting.title("kitsu:7442:5").await;
    assert_eq!((first.name.as_str(), first.year), ("Tidal Blades", Some(2013)));
    assert_eq!(first.also, ["Ushio no Yaiba", "潮の刃"]);
    assert_eq!((told(first.numbers), first.imdb.as_deref()), ((Some(1), 5, Some(5), 5), Some("tt2560140")));
    let by_mal = setting.title("mal:16498:5").await;
    assert_eq!(by_mal, first, "MyAnimeList's id leads to the same");
    let second = setting.title("kitsu:8671:5").await;
    assert_eq!(told(second.numbers), (Some(2), 5, Some(30), 5));
    assert_eq!((second.also, second.part), (vec!["Ushio no Yaiba".to_owned()], vec!["Tidal Blades II Ebb".to_owned()]));
    let later = setting.title("kitsu:41982:2").await;
    assert_eq!(told(later.numbers), (Some(2), 5, Some(30), 2), "the second half of a season");
    let through = setting.title("kitsu:12:30").await;
    assert_eq!(told(through.numbers), (Some(2), 5, Some(30), 30), "counted through, IMDb tells the season");
}

#[tokio::test]
async fn a_film_has_names_and_no_numbers() {
    let film = setting(LIST).await.title("kitsu:176").await;
    assert_eq!((film.name.as_str(), film.year, film.numbers), ("Shio no Kamikakushi", Some(2001), None));
    assert_eq!((film.also, film.imdb.as_deref()), (vec!["Salt Away".to_owned()], Some("tt0245429")));
}

#[tokio::test]
async fn by_imdbs_id_the_map_tells_that_it_is_anime() {
    let setting = setting(LIST).await;
    let second = setting.title("tt2560140:2:5").await;
    assert_eq!((second.name.as_str(), second.is_anime), ("Tidal Blades", true));
    assert_eq!(told(second.numbers), (Some(2), 5, Some(30), 2), "the second half of a season");
    let whole = setting.title("tt2560140:2:3").await;
    assert_eq!((whole.also, whole.part), (vec!["Ushio no Yaiba".to_owned()], vec!["Tidal Blades II Ebb".to_owned()]));
    let through = setting.title("tt0388629:2:5").await;
    assert_eq!((told(through.numbers), through.imdb.as_deref()), ((Some(2), 5, Some(30), 30), Some("tt0388629")));
    let film = setting.title("tt0245429").await;
    assert_eq!((film.name.as_str(), film.numbers), ("Shio no Kamikakushi", None));
    assert_eq!(setting.titles.title(&"tt7:1:1".parse().unwrap()).await.unwrap(), None, "others' to know");
}

#[tokio::test]
async fn without_a_catalogue_of_seasons_the_map_counts() {
    let list = r#"[{"kitsu_id": 7442, "imdb_id": "tt404", "season": 1, "episodes": 117},
        {"kitsu_id": 8671, "imdb_id": "tt404", "season": 2}]"#;
    let second = setting(list).await.title("tt404:2:20").await;
    assert_eq!((second.name.as_str(), told(second.numbers)), ("Ushio no Yaiba", (Some(2), 20, Some(137), 20)));
}

#[tokio::test]
async fn without_the_map_kitsu_tells_the_title() {
    let setting = setting("").await;
    let first = setting.title("mal:16498:137").await;
    assert_eq!((first.name.as_str(), told(first.numbers)), ("Ushio no Yaiba", (None, 137, Some(137), 137)));
    assert!(setting.world.kitsu().calls()[0].path.starts_with("/api/edge/mappings"));
    let second = setting.title("kitsu:8671:5").await;
    assert_eq!((second.name.as_str(), told(second.numbers)), ("Ushio no Yaiba", (Some(2), 5, None, 5)));
    assert_eq!(setting.world.cinemeta().calls().len(), 0);
    setting.title("kitsu:8671:6").await;
    assert_eq!(setting.world.kitsu().calls().len(), 2, "one call per anime");
}

#[tokio::test]
async fn what_one_does_not_know_the_other_does() {
    let setting = setting(LIST).await;
    setting.world.kitsu().fault(Fault::HtmlBadGateway, 1);
    assert_eq!(setting.title("kitsu:7442:5").await.name, "Tidal Blades");
    assert_eq!(setting.titles.title(&"kitsu:404:1".parse().unwrap()).await.unwrap(), None);
    assert_eq!(
        setting.titles.title(&"tt1:1:1".parse().unwrap()).await.unwrap(),
        None,
        "IMDb's ids that the map has not are others' to know"
    );
    setting.world.kitsu().fault(Fault::HtmlPage, 1);
    let error = setting.titles.title(&"kitsu:405:1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "Kitsu: HTTP 200: it answered with something that is no anime");
}

#[tokio::test]
async fn a_late_answer_is_not_waited_for() {
    let setting = setting(LIST).await;
    setting.world.kitsu().fault(Fault::Latency { ms: 60_000 }, 1);
    let begun = std::time::Instant::now();
    assert_eq!(setting.title("kitsu:7442:5").await.name, "Tidal Blades");
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_map_is_read_as_far_as_it_can_be() {
    let map = AnimeMapFile::read(LIST.as_bytes()).unwrap();
    assert_eq!((map.entries, map.skipped, map.places.len()), (8, 3, 8));
    let at = |id: &str| match id.parse::<ContentId>().unwrap() {
        ContentId::Anime { id, .. } => map.places[&id].clone(),
        _ => panic!("{id} is an anime's"),
    };
    let film =
        AnimePlace { kitsu: Some(176), imdb: Some("tt0245429".to_owned()), season: None, offset: 0, episodes: None };
    assert_eq!(at("kitsu:176"), film);
    assert_eq!(at("mal:21").season, None);
    assert_eq!((at("kitsu:41982").season, at("kitsu:41982").offset), (Some(2), 3));
}

#[test]
fn what_is_no_map_is_said() {
    for (text, says) in [
        ("", "no map of anime"),
        ("{}", "no map of anime"),
        ("[", "no map of anime"),
        ("[]", "none of its 0 entries"),
        ("[{\"kitsu_id\": -4}]", "none of its 1 entries"),
        ("[{\"kitsu_id\": 1}] x", "no map of anime"),
    ] {
        let error = AnimeMapFile::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    let endless = std::io::Read::chain("[\"".as_bytes(), std::io::repeat(b'a'));
    assert!(matches!(AnimeMapFile::read(endless), Err(AnimeFileError::TooLarge)));
}
