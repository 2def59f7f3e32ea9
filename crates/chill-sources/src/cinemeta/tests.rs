//! Cinemeta's client against the simulated Cinemeta.

use chill_sim::{Fault, World};

use super::*;
use crate::kept::{FAILED_FOR, KNOWN_FOR, UNKNOWN_FOR};

struct Setting {
    world: World,
    cinemeta: Cinemeta,
    clock: Clock,
}

async fn setting() -> Setting {
    let world = World::start().await.unwrap();
    world.cinemeta().add_title(chill_sim::Title::movie("tt0063350", "Night of the Living Dead", 1968));
    let series = chill_sim::Title::series("tt0047706", "The Adventures of Robin Hood", "1955–1960", &[(1, 2, "A")]);
    world.cinemeta().add_title(series);
    let clock = Clock::fixed(1_000);
    let url = world.cinemeta_url().parse().unwrap();
    let cinemeta = Cinemeta::new(&url, Http::new("chillproxy/test"), clock.clone());
    Setting { world, cinemeta, clock }
}

impl Setting {
    async fn title(&self, content: &str) -> Result<Option<(String, Option<u16>)>, String> {
        let title = self.cinemeta.title(&content.parse().unwrap()).await;
        title.map(|title| title.map(|title| (title.name, title.year))).map_err(|e| e.to_string())
    }

    fn calls(&self) -> usize {
        self.world.cinemeta().calls().len()
    }

    fn answers(&self, body: &str) {
        let (content_type, body) = ("application/json".to_owned(), body.to_owned());
        self.world.cinemeta().fault("", Fault::Answer { status: 200, content_type, body }, 1);
    }
}

#[tokio::test]
async fn films_and_series_have_names_and_years() {
    let setting = setting().await;
    let film = Some(("Night of the Living Dead".to_owned(), Some(1968)));
    let series = Some(("The Adventures of Robin Hood".to_owned(), Some(1955)));
    assert_eq!(setting.title("tt0063350").await.unwrap(), film);
    assert_eq!(setting.title("tt0047706:1:2").await.unwrap(), series);
    assert_eq!(setting.title("tt0047706:4:9").await.unwrap(), series);
    assert_eq!(setting.calls(), 2, "one call per film or series");
    assert_eq!(setting.world.cinemeta().calls()[1].path, "/meta/series/tt0047706.json");
    setting.clock.advance(KNOWN_FOR);
    assert_eq!(setting.title("tt0063350").await.unwrap(), film);
    assert_eq!(setting.calls(), 3);
}

#[tokio::test]
async fn the_unknown_is_known_to_be_unknown_for_five_minutes() {
    for is_404 in [true, false] {
        let setting = setting().await;
        setting.world.cinemeta().set_unknown_is_404(is_404);
        for _ in 0..3 {
            assert_eq!(setting.title("tt9").await, Ok(None));
        }
        assert_eq!(setting.calls(), 1);
        setting.clock.advance(UNKNOWN_FOR);
        setting.world.cinemeta().add_title(chill_sim::Title::movie("tt9", "New", 2026));
        assert!(setting.title("tt9").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_failure_is_told_and_remembered_for_seconds() {
    for (fault, says) in [
        (Fault::HtmlBadGateway, "Cinemeta: it answered with HTTP 502"),
        (Fault::HtmlPage, "Cinemeta: HTTP 200: it answered with something that is no title"),
        (Fault::TruncatedJson, "Cinemeta: HTTP 200: it answered with something that is no title"),
        (Fault::HugeBody { bytes: 50 << 20 }, "Cinemeta: HTTP 200: it answered with something that is no title"),
        (Fault::Reset, "Cinemeta: the connection ended before the answer did"),
    ] {
        let setting = setting().await;
        setting.world.cinemeta().fault("", fault, 1);
        assert_eq!(setting.title("tt0063350").await.unwrap_err(), says);
        assert_eq!(setting.title("tt0063350").await.unwrap_err(), says);
        assert_eq!(setting.calls(), 1);
        setting.clock.advance(FAILED_FOR);
        assert!(setting.title("tt0063350").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn many_who_ask_at_once_make_one_call() {
    let setting = setting().await;
    setting.world.cinemeta().fault("", Fault::Latency { ms: 100 }, 1);
    let titles = futures_util::future::join_all((0..8).map(|_| setting.title("tt0063350"))).await;
    assert!(titles.iter().all(|title| title.as_ref().unwrap().is_some()));
    assert_eq!(setting.calls(), 1);
}

#[tokio::test]
async fn odd_answers_are_read_as_far_as_they_go() {
    let setting = setting().await;
    for (number, (body, expected)) in [
        (r#"{"meta":{"name":"A","year":1999}}"#, Some(("A", Some(1999)))),
        (r#"{"meta":{"name":" A\nB ","releaseInfo":"2021-"}}"#, Some(("A B", Some(2021)))),
        (r#"{"meta":{"name":"A","releaseInfo":null,"released":"1968-10-01T00:00:00.000Z"}}"#, Some(("A", Some(1968)))),
        (r#"{"meta":{"name":"A","releaseInfo":"soon","year":["x"]}}"#, Some(("A", None))),
        (r#"{"meta":{"name":""}}"#, None),
        (r#"{"meta":null}"#, None),
        ("{}", None),
    ]
    .into_iter()
    .enumerate()
    {
        setting.answers(body);
        let title = setting.title(&format!("tt{number}")).await.unwrap();
        assert_eq!(title, expected.map(|(name, year)| (name.to_owned(), year)), "{body}");
    }
}

#[test]
fn the_first_year_counts() {
    for (text, year) in [("1955–1960", Some(1955)), ("(2019)", Some(2019)), ("12345 1850", None), ("", None)] {
        assert_eq!(first_year(&text.into()), year, "{text}");
    }
}

#[tokio::test]
async fn an_episode_is_counted_through_all_seasons() {
    let setting = setting().await;
    let episodes = [(1, 1, "A"), (1, 2, "B"), (2, 1, "C"), (2, 2, "D")];
    setting.world.cinemeta().add_title(chill_sim::Title::series("tt5", "Tidal Blades", "2019–", &episodes));
    let numbers = async |content: &str| {
        let title = setting.cinemeta.title(&content.parse().unwrap()).await.unwrap().unwrap();
        title.numbers.map(|numbers| (numbers.season.unwrap(), numbers.episode, numbers.absolute.unwrap()))
    };
    assert_eq!(numbers("tt5:2:2").await, Some((2, 2, 4)));
    assert_eq!(numbers("tt5:1:3").await, Some((2, 1, 3)), "counted through");
    assert_eq!(numbers("tt5:0:1").await, None);
    assert_eq!(setting.calls(), 1);
    setting.answers(r#"{"meta":{"name":"A","videos":[{"season":"x"},{"season":1,"number":9},7]}}"#);
    assert_eq!(numbers("tt6:1:2").await, Some((1, 2, 2)));
    assert_eq!(setting.cinemeta.title(&"kitsu:1:2".parse().unwrap()).await.unwrap(), None);
}
