//! Edges that count together. The clock moves only as the script says.

mod board;
mod wishes;

use chill_core::Clock;

use self::board::Board;
use super::super::Seat;
use super::super::streams::tests::{Node, Player};
use super::*;
use crate::access::Grant;

const SECOND: Duration = Duration::from_secs(1);
const LASTS: Duration = Duration::from_secs(30);

/// Two edges beside one board.
fn edges(per_user: Option<usize>, per_key: Option<u32>) -> (Node, Node) {
    let (clock, board) = (Clock::fixed(1_700_000_000_000), Arc::new(Board::default()));
    let limits = Limits { per_user, per_node: None };
    let edge = || Node::beside(clock.clone(), limits, per_key, Some(Across::new(board.clone(), None)));
    (edge(), edge())
}

/// Runs a story while these edges keep their places.
async fn alive<T, const N: usize>(edges: [&Node; N], story: impl Future<Output = T>) -> T {
    let token = CancellationToken::new();
    let kept = futures_util::future::join_all(edges.map(|edge| edge.playbacks.keep_places(&token)));
    tokio::select! {
        told = story => told,
        _ = kept => unreachable!("the token is never cancelled"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_users_limit_and_a_keys_limit_hold_over_both_edges() {
    for (one, two) in [edges(Some(1), None), edges(None, Some(1))] {
        alive([&one, &two], async {
            let (mut film, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(1, 2, 1, "key-1").await);
            assert_eq!(film.play().await, (true, 0));
            let (refused, ()) = tokio::join!(other.play(), film.watch(50 * SECOND));
            assert_eq!(refused, (false, 40), "refused after the usual wait, and a moment for the other edge to answer");
            let (refused, ()) = tokio::join!(other.play(), film.watch(5 * SECOND));
            assert_eq!(refused, (false, 40), "its place is kept much longer than it lasts");
            film.leave();
            let (played, waited) = other.play_in_time().await;
            assert!(played && (20..=25).contains(&waited), "after {waited} tenths");
            let (refused, ()) = tokio::join!(film.play(), other.watch(5 * SECOND));
            assert_eq!(refused, (false, 40), "and now the first one waits");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_zap_hands_its_place_over_among_all_edges_too() {
    let (one, two) = edges(Some(1), Some(1));
    alive([&one, &two], async {
        let mut films: Vec<Player<'_>> = Vec::new();
        for film in 1..5 {
            // Another key each time: both groups' places go over.
            let key = ["key-1", "key-2"][usize::from(film % 2)];
            let mut player = one.player(1, 1, film, key).await;
            assert_eq!(player.play().await, (true, 0));
            player.take();
            one.pass(3 * SECOND).await;
            films.push(player);
        }
        let cut: Vec<bool> = films.iter().map(Player::is_cut).collect();
        assert_eq!(cut, [true, true, true, false]);
        one.pass(SECOND).await;
        films[3].take();
        let mut other = two.player(2, 2, 1, "key-2").await;
        assert_eq!(other.play().await, (true, 0), "the key that was left has room");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_another_edge_left_for_good_is_forgotten_by_all() {
    let (one, two) = edges(None, Some(1));
    alive([&one, &two], async {
        let (mut asleep, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(2, 2, 1, "key-1").await);
        assert_eq!(asleep.play().await, (true, 0));
        asleep.take();
        one.pass(40 * SECOND).await;
        assert!(!other.play_in_time().await.0);
        one.pass(60 * SECOND).await;
        assert_eq!(other.play().await, (true, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_edges_films_are_forgotten_after_their_time() {
    let (one, two) = edges(Some(1), None);
    let (mut film, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(1, 2, 1, "key-1").await);
    // Nobody keeps the places of the first edge.
    assert_eq!(film.play().await, (true, 0));
    two.pass(LASTS - 5 * SECOND).await;
    assert!(!other.play_in_time().await.0);
    two.pass(5 * SECOND).await;
    assert_eq!(other.play().await, (true, 0));
}

#[tokio::test(start_paused = true)]
async fn an_edge_that_stops_gives_its_places_back() {
    let (one, two) = edges(Some(1), None);
    let (mut film, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(1, 2, 1, "key-1").await);
    assert_eq!(film.play().await, (true, 0));
    let token = CancellationToken::new();
    token.cancel();
    one.playbacks.keep_places(&token).await;
    assert_eq!(other.play().await, (true, 0));
}

#[tokio::test(start_paused = true)]
async fn a_film_goes_on_with_another_key_only_where_no_edge_fills_it() {
    let (one, two) = edges(None, Some(1));
    alive([&one, &two], async {
        let (mut film, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(2, 2, 1, "key-2").await);
        assert_eq!((film.play().await, other.play().await), ((true, 0), (true, 0)));
        let seat = |grant| Seat { grant, ..film.playback.seat() };
        let (full, new) = (one.right(3, 3, "key-2").await, one.player(3, 3, 1, "key-2").await);
        assert_eq!(one.playbacks.has_room(&full, new.playback.id).await, Err(Lack::Key));
        assert!(!one.playbacks.move_to(&film.playback, seat(one.right(1, 1, "key-2").await)).await);
        assert!(one.playbacks.move_to(&film.playback, seat(one.right(1, 1, "key-3").await)).await);
        one.pass(SECOND).await;
        let (mut third, mut fourth) = (two.player(3, 3, 1, "key-1").await, two.player(4, 4, 1, "key-3").await);
        assert_eq!(third.play().await, (true, 0), "its former key has room again");
        assert!(!fourth.play().await.0, "its new key has not");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_film_that_goes_on_with_its_users_own_token_leaves_its_key_at_all_edges() {
    let (one, two) = edges(Some(1), Some(1));
    alive([&one, &two], async {
        let mut film = one.player(1, 1, 1, "key-1").await;
        assert_eq!(film.play().await, (true, 0));
        let own = Seat { grant: Grant::Own(Secret::new("own-token")), ..film.playback.seat() };
        assert!(one.playbacks.move_to(&film.playback, own).await);
        one.pass(SECOND).await;
        let (mut theirs, mut mine) = (two.player(2, 2, 1, "key-1").await, two.player(1, 2, 1, "key-2").await);
        assert_eq!(theirs.play().await, (true, 0), "the key has room");
        let (refused, ()) = tokio::join!(mine.play(), film.watch(5 * SECOND));
        assert_eq!(refused, (false, 40), "but he plays a film already");
    })
    .await;
}
