//! Indexers in trouble.

use chill_sim::{Fault, FaultRule};

use super::*;

#[tokio::test]
async fn what_is_no_feed_is_an_error_once() {
    for (fault, says) in [
        (Fault::Garbage, "not a Torznab feed"),
        (Fault::HtmlPage, "HTTP 200: it answered with something that is not a Torznab feed"),
        (Fault::HtmlBadGateway, "HTTP 502"),
        (Fault::EmptyBadGateway, "HTTP 502"),
        (Fault::HugeBody { bytes: 50 << 20 }, "not a Torznab feed"),
        (Fault::Reset, "the connection ended before the answer did"),
        (
            Fault::ErrorDocument { code: 500, description: "Request limit\nreached".to_owned() },
            "Request limit reached (code 500)",
        ),
    ] {
        let (world, source) = shelf(Indexer::default()).await;
        world.torznab().fault("movie", fault.clone(), 1);
        let error = failure(&source, &wanted(FILM, None)).await;
        assert_eq!(error.origin, "home");
        assert!(error.message.contains(says), "{fault:?}: {error}");
        assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 1, "the next search works");
        assert_eq!(world.torznab().calls_to("movie"), 2, "nothing is tried again by itself");
    }
}

#[tokio::test]
async fn ten_thousand_items_are_bounded() {
    let (world, source) = shelf(Indexer::default()).await;
    world.torznab().fault("movie", Fault::ManyItems { count: 10_000 }, 1);
    assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 1_000);
}

#[tokio::test]
async fn a_late_query_does_not_take_the_others_results_along() {
    let (world, source) = shelf(Indexer::default()).await;
    world.torznab().add_fault(FaultRule::new("tvsearch", Fault::Hang).after(1).times(1));
    let mut episode = wanted("tt0047706:1:2", None);
    episode.budget = Duration::from_millis(500);
    let started = std::time::Instant::now();
    assert!(!source.search(&episode).await.unwrap().is_empty());
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_indexer_that_hangs_ends_with_the_budget() {
    for function in ["caps", "movie"] {
        let (world, source) = shelf(Indexer::default()).await;
        world.torznab().add_fault(FaultRule::new(function, Fault::Hang));
        let mut film = wanted(FILM, None);
        film.budget = Duration::from_millis(300);
        let started = std::time::Instant::now();
        assert_eq!(failure(&source, &film).await.to_string(), "home: no answer in time");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn no_error_shows_the_key_or_the_address() {
    let (world, source) = shelf(Indexer::default()).await;
    let address = world.torznab_url();
    world.torznab().set_indexer(Indexer { api_key: "another".to_owned(), ..Indexer::default() });
    let mut errors = vec![failure(&source, &wanted(FILM, None)).await];
    assert!(errors[0].message.contains("Invalid API Key (code 100)"), "{}", errors[0]);
    let told = Fault::ErrorDocument { code: 100, description: format!("{KEY} at {address}/api?apikey={KEY} is bad") };
    let page = Fault::Answer { status: 403, content_type: String::new(), body: format!("{KEY} {address}") };
    for fault in [told, page, Fault::Reset, Fault::HtmlBadGateway] {
        world.torznab().fault("movie", fault, 1);
        errors.push(failure(&source, &wanted(FILM, None)).await);
    }
    world.shutdown().await;
    errors.push(failure(&source, &wanted(FILM, None)).await);
    assert_eq!(errors.last().unwrap().message, "could not connect");
    for error in &errors {
        let shown = format!("{error} {error:?}");
        for secret in [KEY, "http://", "127.0.0.1"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
    assert!(!format!("{source:?}").contains(KEY));
}
