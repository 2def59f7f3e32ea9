//! What is found, and with which queries.

use super::*;

#[tokio::test]
async fn a_film_is_searched_by_id_in_one_query() {
    let (world, source) = shelf(Indexer::default()).await;
    let found = source.search(&wanted(FILM, None)).await.unwrap();
    let [film] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(film.name, "Night of the <Living> Dead & \"more\" 1968 'é'");
    assert_eq!((film.size, film.seeders, film.exact, film.private), (Some(5_000), Some(12), true, false));
    assert_eq!((film.source.as_str(), source.name()), ("home", "home"));
    let calls = world.torznab().calls();
    assert_eq!(calls.len(), 2);
    let asked: Vec<_> = calls[1].query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(asked, ["t=movie", "imdbid=tt0063350", "cat=2000", "limit=100", "apikey=c4f2a9d1e8b74605"]);
}

#[tokio::test]
async fn an_episode_comes_with_the_packs_of_its_season() {
    let (_world, source) = shelf(Indexer::default()).await;
    let found = source.search(&wanted("tt0047706:1:2", None)).await.unwrap();
    let mut found: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.exact)).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("The.Adventures.of.Robin.Hood.S01.720p", false),
            ("The.Adventures.of.Robin.Hood.S01E02.720p", true),
            ("The.Adventures.of.Robin.Hood.S01E03.720p", false),
        ]
    );
}

#[tokio::test]
async fn an_indexer_without_ids_is_searched_by_title() {
    for (tv_search, movie_search) in [(true, true), (false, false)] {
        let (world, source) = shelf(Indexer { imdbid: false, tv_search, movie_search, ..Indexer::default() }).await;
        let film = ("Night of the Living Dead", Some(1968));
        let found = source.search(&wanted(FILM, Some(film))).await.unwrap();
        assert_eq!(names(&found), [("'é'", false)]);
        let no_year = ("Night of the Living Dead", None);
        assert_eq!(source.search(&wanted(FILM, Some(no_year))).await.unwrap().len(), 1);
        let series = ("The Adventures of Robin Hood", Some(1955));
        let found = source.search(&wanted("tt0047706:1:2", Some(series))).await.unwrap();
        assert_eq!(found.len(), 2, "the episode and the pack: {found:?}");
        assert!(world.torznab().calls().iter().all(|call| call.param("imdbid").is_none()));
        let error = failure(&source, &wanted(FILM, None)).await;
        assert_eq!(error.to_string(), "home: it cannot search by id, and the title is not known");
    }
}

#[tokio::test]
async fn a_hash_a_magnet_or_a_link_is_enough() {
    for (infohash, magnets, expected) in [(true, false, 1), (false, true, 1), (false, false, 1)] {
        let (_world, source) = shelf(Indexer { infohash, magnets, ..Indexer::default() }).await;
        assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), expected);
    }
}

#[tokio::test]
async fn the_content_type_does_not_matter() {
    for content_type in ["text/xml", "text/html", "application/octet-stream"] {
        let (_world, source) = shelf(Indexer { content_type: content_type.to_owned(), ..Indexer::default() }).await;
        assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_indexer_that_does_not_say_what_it_can_is_searched_by_title() {
    let (_world, source) = shelf(Indexer { searching_in_caps: false, ..Indexer::default() }).await;
    let film = ("Night of the Living Dead", Some(1968));
    assert_eq!(source.search(&wanted(FILM, Some(film))).await.unwrap().len(), 1);
}

#[tokio::test]
async fn addresses_as_people_copy_them() {
    let (world, _) = shelf(Indexer::default()).await;
    for end in [
        "",
        "/",
        "/api",
        "/api/",
        "/api/v2.0/indexers/all/results/torznab",
        "/api/v2.0/indexers/all/results/torznab/api",
    ] {
        let source = source(&format!("{}{end}", world.torznab_url()));
        assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 1, "{end}");
    }
}

#[tokio::test]
async fn what_an_indexer_can_do_is_asked_once_in_six_hours() {
    let (world, source) = shelf(Indexer::default()).await;
    let film = wanted(FILM, None);
    let searches = futures_util::future::join_all((0..6).map(|_| source.search(&film))).await;
    assert!(searches.iter().all(Result::is_ok));
    assert_eq!(world.torznab().calls_to("caps"), 1);
    later(Duration::from_secs(6 * 3600 - 60)).await;
    source.search(&film).await.unwrap();
    assert_eq!(world.torznab().calls_to("caps"), 1);
    later(Duration::from_secs(61)).await;
    source.search(&film).await.unwrap();
    assert_eq!(world.torznab().calls_to("caps"), 2);
}

#[tokio::test]
async fn an_indexer_that_cannot_say_what_it_can_is_left_alone_for_a_minute() {
    let (world, source) = shelf(Indexer::default()).await;
    world.torznab().fault("caps", chill_sim::Fault::HtmlBadGateway, 1);
    let film = wanted(FILM, None);
    for _ in 0..3 {
        assert!(failure(&source, &film).await.message.contains("HTTP 502"));
    }
    assert_eq!(world.torznab().calls_to(""), 1);
    later(Duration::from_secs(61)).await;
    assert_eq!(source.search(&film).await.unwrap().len(), 1);
}

/// Moves the client's clock while no call is running.
pub(super) async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}
