use std::time::Instant;

use chill_core::{Chance, Clock, LinkId, PlaybackId, Secret};

use super::super::tests::{Server, server, until};
use super::*;
use chill_core::rate::Limits;

fn edge(lasts: Duration) -> SharedPlaces {
    SharedPlaces::lasting(&SharedRates::open(&server(), Limits::default()).unwrap(), lasts)
}

fn link() -> LinkId {
    LinkId::new(Clock::System.now(), &Chance::System).unwrap()
}

/// A stream that counts with all others of the user, of whom one may run.
fn of(user: LinkId) -> Placed {
    let stream = PlaybackId::new(Clock::System.now(), &Chance::System).unwrap();
    Placed { stream, groups: vec![Group::user(user, 1, None)] }
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn two_edges_share_a_users_place() {
    let (one, two, user) = (edge(LONG), edge(LONG), link());
    let (film, other) = (of(user), of(user));
    assert!(one.take(&film, &[]).await);
    assert!(one.take(&film, &[]).await, "a stream has one place however often it asks");
    assert!(!two.take(&other, &[]).await && !two.have_room(&other.groups, &[]).await);
    assert!(two.take(&of(link()), &[]).await, "another user is not concerned");
    one.give_back(&[film]).await;
    assert!(two.have_room(&other.groups, &[]).await);
    assert!(two.take(&other, &[]).await);
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_last_place() {
    let (one, two, user) = (edge(LONG), edge(LONG), link());
    let streams: Vec<Placed> = (0..40).map(|_| of(user)).collect();
    let asked = streams.iter().enumerate().map(|(n, stream)| if n % 2 == 0 { &one } else { &two }.take(stream, &[]));
    let taken = futures_util::future::join_all(asked).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

#[tokio::test]
async fn a_place_is_handed_over_whole_or_not_at_all() {
    let (one, user) = (edge(LONG), link());
    let key = "key-of-the-test".parse().unwrap();
    let full = Group::key(&key, 0);
    let (film, mut next) = (of(user), of(user));
    assert!(one.take(&film, &[]).await);
    next.groups.push(full);
    assert!(!one.take(&next, &[film.stream]).await, "the key has no room");
    next.groups.pop();
    assert!(!one.take(&next, &[]).await, "so the first film has kept its place");
    assert!(one.have_room(&next.groups, &[film.stream]).await);
    assert!(one.take(&next, &[film.stream]).await);
    assert!(!one.take(&film, &[]).await, "it was handed over");
}

#[tokio::test]
async fn places_that_nobody_keeps_end_by_themselves() {
    let lasts = Duration::from_millis(600);
    let (one, two, user) = (edge(lasts), edge(lasts), link());
    let (film, other) = (of(user), of(user));
    let begun = Instant::now();
    assert!(one.take(&film, &[]).await);
    while begun.elapsed() < lasts * 2 {
        one.keep(std::slice::from_ref(&film)).await;
        assert!(!two.take(&other, &[]).await, "it is kept longer than it lasts");
        tokio::time::sleep(one.renewal()).await;
    }
    // The first edge is gone now.
    let gone = Instant::now();
    until("the other edge's film", async || two.take(&other, &[]).await).await;
    assert!(gone.elapsed() < lasts * 5, "{:?}", gone.elapsed());
}

#[tokio::test]
async fn names_are_digests_and_do_not_stay() {
    let (one, user) = (edge(LONG), link());
    let film = of(user);
    assert!(one.take(&film, &[]).await);
    let keyed = Group::user(user, 1, Some(&Secret::new("k")));
    assert!(keyed.name() != film.groups[0].name() && !film.groups[0].name().contains(&user.to_string()));
    let mut manager = one.shared.manager.clone();
    let left: i64 = ::redis::cmd("PTTL").arg(name(&film.groups[0])).query_async(&mut manager).await.unwrap();
    assert!((1..=60_000).contains(&left), "{left} ms");
}

#[tokio::test]
async fn without_redis_nobody_is_refused_and_what_runs_is_counted_again_later() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start(port);
    let rates = SharedRates::open(&server.url(), Limits::default()).unwrap();
    let (places, user) = (SharedPlaces::lasting(&rates, LONG), link());
    until("Redis answers", async || rates.is_there().await).await;
    let (film, other) = (of(user), of(user));
    assert!(places.take(&film, &[]).await && !places.take(&other, &[]).await);
    drop(server);
    let begun = Instant::now();
    for _ in 0..10 {
        assert!(places.take(&other, &[]).await);
        places.keep(std::slice::from_ref(&film)).await;
        places.give_back(std::slice::from_ref(&other)).await;
    }
    assert!(begun.elapsed() < PATIENCE * 3, "a lost Redis costs one wait: {:?}", begun.elapsed());
    let _back = Server::start(port);
    until("Redis counts again", async || rates.is_there().await).await;
    places.keep(&[film]).await;
    assert!(!places.take(&other, &[]).await);
}
