//! Servers that do what the simulated indexer does not: redirects, endless bodies, bodies that stop in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;

use super::*;

pub(super) const CAPS: &str =
    r#"<caps><searching><movie-search available="yes" supportedParams="imdbid"/></searching></caps>"#;

pub(super) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn item(number: usize) -> String {
    format!("<item><title>Film {number}</title><guid>magnet:?xt=urn:btih:{number:040x}</guid></item>")
}

/// Answers capabilities, and for everything else `feed`.
fn indexer(feed: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Router {
    let answer = move |RawQuery(query): RawQuery| {
        let is_caps = query.is_some_and(|query| query.contains("t=caps"));
        std::future::ready(if is_caps { CAPS.into_response() } else { feed() })
    };
    Router::new().route("/api", get(answer))
}

#[tokio::test]
async fn a_feed_of_fifty_megabytes_is_cut_and_its_beginning_kept() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let url = serve(indexer(move || {
        let counted = counted.clone();
        // A description makes 1,000 items larger than the cap, so that it is the bytes that end it.
        let padding = format!("<item><description>{}</description></item>", "x".repeat(20_000));
        let items = stream::iter(0..2_500).map(move |number| {
            let piece = item(number) + &padding;
            counted.fetch_add(piece.len(), Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(piece))
        });
        let start = stream::iter([Ok(Bytes::from_static(b"<rss><channel>"))]);
        Body::from_stream(start.chain(items)).into_response()
    }))
    .await;
    let found = source(&url).search(&wanted(FILM, None)).await.unwrap();
    assert!((200..300).contains(&found.len()), "{}", found.len());
    assert!(sent.load(Ordering::Relaxed) < 20_000_000, "the rest is not even read");
}

#[tokio::test]
async fn a_feed_that_stops_in_the_middle_gives_what_came() {
    let url = serve(indexer(|| {
        let start = format!("<rss><channel>{}{}<item><title>Fi", item(1), item(2));
        let start = stream::iter([Ok::<_, std::io::Error>(Bytes::from(start))]);
        Body::from_stream(start.chain(stream::pending())).into_response()
    }))
    .await;
    let mut film = wanted(FILM, None);
    film.budget = Duration::from_millis(400);
    assert_eq!(source(&url).search(&film).await.unwrap().len(), 2);
}

#[tokio::test]
async fn redirects_are_followed_at_the_same_host_only() {
    let target = serve(indexer(|| format!("<rss><channel>{}</channel></rss>", item(1)).into_response())).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = seen.clone();
    let stranger = serve(Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready("seen")
    }))
    .await;
    let redirecting = |to: String| {
        let to = move |RawQuery(query): RawQuery| {
            std::future::ready(Redirect::temporary(&format!("{to}/api?{}", query.unwrap_or_default())))
        };
        Router::new().route("/api", get(to))
    };
    let near = serve(redirecting(target)).await;
    assert_eq!(source(&near).search(&wanted(FILM, None)).await.unwrap().len(), 1);
    let far = serve(redirecting(stranger.replace("127.0.0.1", "localhost"))).await;
    assert!(failure(&source(&far), &wanted(FILM, None)).await.message.contains("not followed"));
    assert_eq!(seen.load(Ordering::Relaxed), 0, "the key does not travel to another host");
    let round = serve(Router::new().fallback(|| std::future::ready(Redirect::temporary("/api")))).await;
    assert!(failure(&source(&round), &wanted(FILM, None)).await.message.contains("too often"));
}
