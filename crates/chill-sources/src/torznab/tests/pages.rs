//! Answers of more than one page.

use super::*;

/// An indexer with `count` releases of one film and pages of three.
async fn paged(count: u32) -> (World, TorznabSource) {
    let world = World::start().await.unwrap();
    world.torznab().set_indexer(Indexer { api_key: KEY.to_owned(), limit_max: 3, ..Indexer::default() });
    for number in 0..count {
        let film = Torrent::single(&format!("Film.{number}.mkv"), 5_000);
        world.torznab().add_release(Release::movie(&film, FILM, number));
    }
    let source = source(&world.torznab_url());
    (world, source)
}

#[tokio::test]
async fn a_full_page_is_followed_by_one_more() {
    for (count, found, calls) in [(2, 2, 1), (3, 3, 1), (4, 4, 2), (10, 6, 2)] {
        let (world, source) = paged(count).await;
        assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), found, "{count}");
        assert_eq!(world.torznab().calls_to("movie"), calls, "{count}");
        let asked = world.torznab().calls();
        let offset = asked.last().unwrap().param("offset");
        assert_eq!(offset, (calls == 2).then_some("3"), "{count}");
    }
}

#[tokio::test]
async fn a_second_page_that_fails_or_is_late_takes_nothing_along() {
    for fault in [chill_sim::Fault::HtmlBadGateway, chill_sim::Fault::Hang] {
        let (world, source) = paged(10).await;
        world.torznab().add_fault(chill_sim::FaultRule::new("movie", fault.clone()).after(1));
        let mut film = wanted(FILM, None);
        film.budget = Duration::from_millis(400);
        assert_eq!(source.search(&film).await.unwrap().len(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn an_indexer_that_repeats_its_first_page_is_asked_for_a_second_one_only_once() {
    use axum::extract::RawQuery;
    let item = |n: u8| format!("<item><title>Film {n}</title><guid>magnet:?xt=urn:btih:{n:040x}</guid></item>");
    let feed = format!("<rss><channel>{}{}</channel></rss>", item(1), item(2));
    let caps = super::odd_servers::CAPS.replace("<caps>", "<caps><limits max='2'/>");
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = count.clone();
    let api = move |RawQuery(query): RawQuery| {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let is_caps = query.is_some_and(|query| query.contains("t=caps"));
        std::future::ready(if is_caps { caps.clone() } else { feed.clone() })
    };
    let home = super::odd_servers::serve(axum::Router::new().route("/api", axum::routing::get(api))).await;
    let source = source(&home);
    for calls in [3, 4, 5] {
        assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 2);
        assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), calls);
    }
}
