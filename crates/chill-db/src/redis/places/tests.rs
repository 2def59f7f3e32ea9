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
    assert!(one.take(&film, &[], None).await);
    assert!(one.take(&film, &[], None).await, "a stream has one place however often it asks");
    assert!(!two.take(&other, &[], None).await && !two.have_room(&other, &[]).await);
    assert!(two.take(&of(link()), &[], None).await, "another user is not concerned");
    one.give_back(&[film]).await;
    assert!(two.have_room(&other, &[]).await);
    assert!(two.take(&other, &[], None).await);
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_last_place() {
    let (one, two, user) = (edge(LONG), edge(LONG), link());
    let streams: Vec<Placed> = (0..40).map(|_| of(user)).collect();
    let asked =
        streams.iter().enumerate().map(|(n, stream)| if n % 2 == 0 { &one } else { &two }.take(stream, &[], None));
    let taken = futures_util::future::join_all(asked).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

#[tokio::test]
async fn a_place_is_handed_over_whole_or_not_at_all() {
    let (one, user) = (edge(LONG), link());
    let key = "key-of-the-test".parse().unwrap();
    let full = Group::key(&key, 0);
    let (film, mut next) = (of(user), of(user));
    assert!(one.take(&film, &[], None).await);
    next.groups.push(full);
    assert!(!one.take(&next, &[film.stream], None).await, "the key has no room");
    next.groups.pop();
    assert!(!one.take(&next, &[], None).await, "so the first film has kept its place");
    assert!(one.have_room(&next, &[film.stream]).await);
    assert!(one.take(&next, &[film.stream], None).await);
    assert!(!one.take(&film, &[], None).await, "it was handed over");
}

#[tokio::test]
async fn places_that_nobody_keeps_end_by_themselves() {
    let lasts = Duration::from_millis(600);
    let (one, two, user) = (edge(lasts), edge(lasts), link());
    let (film, other) = (of(user), of(user));
    let begun = Instant::now();
    assert!(one.take(&film, &[], None).await);
    while begun.elapsed() < lasts * 2 {
        one.keep(std::slice::from_ref(&film)).await;
        assert!(!two.take(&other, &[], None).await, "it is kept longer than it lasts");
        tokio::time::sleep(one.renewal()).await;
    }
    // The first edge is gone now.
    let gone = Instant::now();
    until("the other edge's film", async || two.take(&other, &[], None).await).await;
    assert!(gone.elapsed() < lasts * 5, "{:?}", gone.elapsed());
}

#[tokio::test]
async fn names_are_digests_and_do_not_stay() {
    let (one, user) = (edge(LONG), link());
    let film = of(user);
    assert!(one.take(&film, &[], None).await);
    let keyed = Group::user(user, 1, Some(&Secret::new("k")));
    assert!(keyed.name() != film.groups[0].name() && !film.groups[0].name().contains(&user.to_string()));
    let mut manager = one.shared.manager.clone();
    let left: i64 = ::redis::cmd("PTTL").arg(name(&film.groups[0])).query_async(&mut manager).await.unwrap();
    assert!((1..=60_000).contains(&left), "{left} ms");
}

#[tokio::test]
async fn without_redis_nobody_is_refused_and_what_runs_is_counted_again_later() {
    let mut server = Server::start();
    let rates = SharedRates::open(&server.url(), Limits::default()).unwrap();
    let (places, user) = (SharedPlaces::lasting(&rates, LONG), link());
    until("Redis answers", async || rates.is_there().await).await;
    let (film, other) = (of(user), of(user));
    assert!(places.take(&film, &[], None).await && !places.take(&other, &[], None).await);
    server.kill();
    let begun = Instant::now();
    for _ in 0..10 {
        assert!(places.take(&other, &[], None).await);
        places.keep(std::slice::from_ref(&film)).await;
        places.give_back(std::slice::from_ref(&other)).await;
    }
    assert!(begun.elapsed() < PATIENCE * 3, "a lost Redis costs one wait: {:?}", begun.elapsed());
    server.restart();
    until("Redis counts again", async || rates.is_there().await).await;
    places.keep(&[film]).await;
    assert!(!places.take(&other, &[], None).await);
}

fn wish_of(stream: &Placed, user: LinkId, device: &str) -> Wish {
    let viewer = Viewer::new(user, &device.parse().unwrap(), None);
    Wish { stream: stream.stream, viewer, patient: false, lacks: Vec::new() }
}

/// The open wishes of one user: the server is everybody's.
async fn heard(places: &SharedPlaces, wish: &Wish) -> Vec<Wish> {
    let mut all = places.wishes().await;
    all.retain(|other| other.viewer.user == wish.viewer.user);
    all
}

#[tokio::test]
async fn another_edge_hears_what_a_refused_stream_wishes() {
    let (one, two, user) = (edge(LONG), edge(LONG), link());
    let (film, mut other) = (of(user), of(user));
    other.groups.push(Group::key(&"a-key-with-room".parse().unwrap(), 1_000_000));
    let wish = wish_of(&other, user, "tv");
    assert!(two.have_room(&other, &[]).await);
    assert!(one.take(&film, &[], None).await);
    assert!(!two.have_room(&other, &[]).await && heard(&one, &wish).await.is_empty());
    assert!(!two.take(&other, &[], Some(&wish)).await);
    let open = Wish { lacks: vec![film.groups[0].name().to_owned()], ..wish.clone() };
    assert_eq!(heard(&one, &wish).await, std::slice::from_ref(&open));
    let patient = Wish { patient: true, ..wish.clone() };
    assert!(!two.take(&other, &[], Some(&patient)).await);
    assert_eq!(heard(&one, &wish).await, [Wish { patient: true, ..open }], "one wish of one stream");
    assert!(two.settle(other.stream, Answer::Withdraw).await && heard(&one, &wish).await.is_empty());
    assert!(!two.take(&other, &[], Some(&patient)).await && heard(&one, &wish).await.len() == 1);
    one.give_back(&[film]).await;
    assert!(two.take(&other, &[], Some(&patient)).await);
    assert!(heard(&one, &wish).await.is_empty(), "it has what it wished for");
}

#[tokio::test]
async fn of_many_edges_one_claims_a_wish() {
    let (one, user) = (edge(LONG), link());
    let (film, other) = (of(user), of(user));
    let wish = wish_of(&other, user, "tv");
    assert!(one.take(&film, &[], None).await && !one.take(&other, &[], Some(&wish)).await);
    assert!(!one.settle(other.stream, Answer::Reopen).await, "it is open");
    let edges: Vec<_> = (0..20).map(|_| edge(LONG)).collect();
    let claims =
        futures_util::future::join_all(edges.iter().map(|edge| edge.settle(other.stream, Answer::Claim))).await;
    assert_eq!(claims.into_iter().filter(|claimed| *claimed).count(), 1);
    assert!(!one.settle(other.stream, Answer::Withdraw).await, "what is claimed stays so");
    assert!(!one.take(&other, &[], Some(&wish)).await);
    assert!(heard(&one, &wish).await.is_empty(), "a claimed wish cannot be left again");
    assert!(one.settle(other.stream, Answer::Reopen).await);
    assert!(!one.take(&other, &[], Some(&wish)).await && heard(&one, &wish).await.len() == 1);
}

#[tokio::test]
async fn a_wish_ends_by_itself_whether_claimed_or_not() {
    let (one, user) = (edge(LONG), link());
    let (film, other) = (of(user), of(user));
    let wish = wish_of(&other, user, "tv");
    assert!(one.take(&film, &[], None).await && !one.take(&other, &[], Some(&wish)).await);
    until("the wish", async || heard(&one, &wish).await.is_empty()).await;
    assert!(!one.settle(other.stream, Answer::Claim).await);
    assert!(!one.take(&other, &[], Some(&wish)).await && one.settle(other.stream, Answer::Claim).await);
    let claimed = Instant::now();
    let left_again = async || !one.take(&other, &[], Some(&wish)).await && heard(&one, &wish).await.len() == 1;
    until("the claim of an edge that is gone", left_again).await;
    assert!(claimed.elapsed() >= WISH_LASTS - Duration::from_millis(50), "{:?}", claimed.elapsed());
}

#[tokio::test]
async fn nobody_is_asked_to_end_one_where_two_are_too_many() {
    let (one, user) = (edge(LONG), link());
    let (films, other) = ([of(user), of(user)], of(user));
    let wish = wish_of(&other, user, "tv");
    // As after a time without Redis.
    one.keep(&films).await;
    assert!(!one.take(&other, &[], Some(&wish)).await && heard(&one, &wish).await.is_empty());
    one.give_back(&films[..1]).await;
    assert!(!one.take(&other, &[], Some(&wish)).await && heard(&one, &wish).await.len() == 1);
}

#[tokio::test]
async fn wishes_are_few_and_name_nobody() {
    let server = Server::start();
    let rates = SharedRates::open(&server.url(), Limits::default()).unwrap();
    let (one, user) = (SharedPlaces::lasting(&rates, LONG), link());
    until("Redis answers", async || rates.is_there().await).await;
    let full = Group::key(&"full".parse().unwrap(), 1);
    let placed = |user| Placed { groups: vec![full.clone()], ..of(user) };
    one.keep(&[placed(user)]).await;
    for _ in 0..20 {
        let stream = placed(user);
        assert!(!one.take(&stream, &[], Some(&wish_of(&stream, user, "a-television"))).await);
    }
    let open = one.wishes().await;
    assert_eq!(open.len(), MOST_WISHES_OF_USER);
    let mut manager = one.shared.manager.clone();
    let kept: Vec<String> = ::redis::cmd("HGETALL").arg(WISHES).query_async(&mut manager).await.unwrap();
    assert!(!kept.iter().any(|text| text.contains(&user.to_string()) || text.contains("television")), "{kept:?}");
    let left: i64 = ::redis::cmd("PTTL").arg(WISHES).query_async(&mut manager).await.unwrap();
    assert!((1..=2_000).contains(&left), "{left} ms");
    for _ in 0..=MOST_WISHES {
        let (user, first) = (link(), placed(user));
        assert!(!one.take(&first, &[], Some(&wish_of(&first, user, "tv"))).await);
    }
    assert_eq!(one.wishes().await.len(), MOST_WISHES);
    until("their end", async || one.wishes().await.is_empty()).await;
    let stream = placed(user);
    assert!(!one.take(&stream, &[], Some(&wish_of(&stream, user, "tv"))).await && one.wishes().await.len() == 1);
    drop(server);
    assert!(one.wishes().await.is_empty() && !one.settle(stream.stream, Answer::Claim).await);
    assert!(one.take(&stream, &[], Some(&wish_of(&stream, user, "tv"))).await, "without Redis nobody is refused");
}
