//! Stores that give no link, or only once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chill_core::Secret;
use http::Method;
use tokio::time::Instant;

use super::odd_origins::{Scripted, answer, bytes};
use super::stage::{ask, film, listen, quick};
use crate::relay::{Link, Origin, OriginError, OriginErrorKind, Relay, RelayConfig};

/// Gives these in turn, then never answers again.
struct InTurn(Mutex<VecDeque<Result<Link, OriginErrorKind>>>);

#[async_trait]
impl Origin for InTurn {
    async fn link(&self, _fresh: bool) -> Result<Link, OriginError> {
        let next = self.0.lock().unwrap().pop_front();
        match next {
            Some(Ok(link)) => Ok(link),
            Some(Err(kind)) => Err(OriginError::new(kind, "no link")),
            None => std::future::pending().await,
        }
    }
}

fn in_turn(links: impl IntoIterator<Item = Result<String, OriginErrorKind>>) -> Arc<InTurn> {
    let lasting = |link: String| Link::lasting(Secret::new(link));
    Arc::new(InTurn(Mutex::new(links.into_iter().map(|link| link.map(lasting)).collect())))
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_given_up() {
    let (address, _stop) = listen(Relay::new(RelayConfig::default()), film(in_turn([]))).await;
    let begun = Instant::now();
    let reply = ask(address, &Method::GET, &[]).await;
    assert_eq!((reply.status, reply.text()), (502, "Store(Timeout)"));
    assert_eq!(begun.elapsed().as_secs(), 45);
}

#[tokio::test]
async fn a_refusal_ends_a_broken_film_at_once() {
    let cut = answer("200 OK\nContent-Length: 1000\nETag: \"v1\"", &bytes(0, 400));
    let dead = answer("410 Gone\nContent-Length: 0", b"");
    let cdn = Scripted::new(vec![cut, dead]).await;
    let refusal = Err(OriginErrorKind::Refused { code: "user_inactive" });
    // A second fresh link would never come.
    let (address, _stop) = listen(Relay::new(quick()), film(in_turn([Ok(cdn.url.clone()), refusal]))).await;
    let reply = ask(address, &Method::GET, &[]).await;
    assert!(!reply.whole && reply.body == bytes(0, 400));
    assert_eq!(cdn.heads().len(), 2);
}

#[tokio::test]
async fn a_store_that_fails_once_mid_film_is_asked_again() {
    let head = "206 Partial Content\nContent-Range: bytes 400-999/1000\nETag: \"v1\"";
    let dead = answer("410 Gone\nContent-Length: 0", b"");
    let cdn = Scripted::new(vec![
        answer("200 OK\nContent-Length: 1000\nETag: \"v1\"", &bytes(0, 400)),
        dead.clone(),
        dead,
        answer(head, &bytes(400, 600)),
    ])
    .await;
    let link = || Ok(cdn.url.clone());
    let links = in_turn([link(), Err(OriginErrorKind::Unreachable), link()]);
    let (address, _stop) = listen(Relay::new(quick()), film(links)).await;
    let reply = ask(address, &Method::GET, &[]).await;
    assert!(reply.whole && reply.body == bytes(0, 1_000));
}

#[tokio::test]
async fn bytes_of_a_replaced_link_come_by_the_one_at_hand() {
    let whole = answer("200 OK\nContent-Length: 1000\nETag: \"v1\"", &bytes(0, 1_000));
    let again = answer("206 Partial Content\nContent-Range: bytes 0-999/1000\nETag: \"v1\"", &bytes(0, 1_000));
    let cdn = Scripted::new(vec![whole, again]).await;
    // As when another request of the playback went on while this one was asking.
    let replaced = Link::lasting(Secret::new(&*cdn.url));
    replaced.replaced.cancel();
    let links = Arc::new(InTurn(Mutex::new([Ok(replaced), Ok(Link::lasting(Secret::new(&*cdn.url)))].into())));
    let (address, _stop) = listen(Relay::new(quick()), film(links)).await;
    let reply = ask(address, &Method::GET, &[]).await;
    assert!(reply.whole && reply.body == bytes(0, 1_000));
    assert!(cdn.heads()[1].contains("range: bytes=0-999"), "{}", cdn.heads()[1]);
}

#[test]
fn nothing_shows_a_link() {
    let film = film(in_turn([Ok("https://cdn.example/film?token=hidden".to_owned())]));
    let shown = format!("{film:?} {:?}", Relay::new(RelayConfig::default()));
    assert!(!shown.contains("hidden") && !shown.contains("cdn.example"), "{shown}");
}
