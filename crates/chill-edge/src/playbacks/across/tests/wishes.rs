//! A stream's place is taken over across edges, and nobody's else is.

use std::sync::atomic::Ordering;

use super::*;
use crate::tests::fakes::lock;

/// So many edges beside one board, each with a clock of its own, an hour apart.
fn edges_of<const N: usize>(board: &Arc<Board>, limits: Limits, per_key: Option<u32>) -> [Node; N] {
    std::array::from_fn(|n| {
        let clock = Clock::fixed(1_700_000_000_000 + 3_600_000 * i64::try_from(n).unwrap());
        Node::beside(clock, limits, per_key, Some(Across::new(board.clone(), None)))
    })
}

fn of_user(most: usize) -> Limits {
    Limits { per_user: Some(most), per_node: None }
}

/// Time goes by at all edges.
async fn pass<const N: usize>(edges: [&Node; N], time: Duration) {
    futures_util::future::join_all(edges.map(|edge| edge.pass(time))).await;
}

/// Plays while the others' clocks go on.
async fn play<const N: usize>(player: &mut Player<'_>, edges: [&Node; N]) -> (bool, u128) {
    tokio::select! {
        played = player.play() => played,
        () = pass(edges, 3600 * SECOND) => panic!("it waits for ever"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_zap_to_another_edge_is_handed_over_at_once_when_the_player_has_stopped_reading() {
    for (limits, per_key) in [(of_user(1), None), (Limits::default(), Some(1)), (of_user(1), Some(1))] {
        let [one, two] = edges_of(&Arc::default(), limits, per_key);
        alive([&one, &two], async {
            let (mut film, mut zapped) = (one.player(1, 1, 1, "key-1").await, two.player(1, 1, 2, "key-1").await);
            assert_eq!(film.play().await, (true, 0));
            let (refused, ()) = tokio::join!(zapped.play(), film.watch(5 * SECOND));
            assert_eq!(refused, (false, 40), "the same device may be two televisions");
            pass([&one, &two], 3 * SECOND).await;
            let (played, waited) = play(&mut zapped, [&one, &two]).await;
            assert!(played && waited <= 4, "after {waited} tenths");
            assert!(film.is_cut() && !zapped.is_cut());
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_film_at_another_edge_is_taken_over_after_the_wait_and_cut_first() {
    let board = Arc::<Board>::default();
    let [one, two] = edges_of(&board, of_user(1), None);
    alive([&one, &two], async {
        let (mut paused, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(1, 2, 1, "key-1").await);
        assert_eq!(paused.play().await, (true, 0));
        pass([&one, &two], 5 * SECOND).await;
        let reads = async {
            for _ in 0..2 {
                tokio::time::sleep(3 * SECOND / 2).await;
                paused.take();
            }
        };
        let (refused, ()) = tokio::join!(play(&mut other, [&one, &two]), reads);
        assert_eq!(refused, (false, 40), "it took a byte since the other one came");
        assert!(!paused.is_cut());
        pass([&one, &two], 2 * SECOND).await;
        let playback = paused.playback.clone();
        *lock(&board.before_give_back) = Some(Box::new(move || assert!(playback.cut.is_cancelled())));
        let (played, waited) = play(&mut other, [&one, &two]).await;
        assert!(played && (30..=34).contains(&waited), "after {waited} tenths");
        assert!(paused.is_cut() && !other.is_cut());
        assert!(board.open_wishes().is_empty());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_film_that_is_watched_and_one_of_somebody_else_are_left_alone() {
    let [one, two] = edges_of(&Arc::default(), Limits::default(), Some(1));
    alive([&one, &two], async {
        let mut film = one.player(1, 1, 1, "key-1").await;
        assert_eq!(film.play().await, (true, 0));
        let mut mine = two.player(1, 2, 1, "key-1").await;
        let (refused, ()) = tokio::join!(mine.play(), film.watch(5 * SECOND));
        assert_eq!(refused, (false, 40));
        pass([&one, &two], 30 * SECOND).await;
        // The same device, but of another user.
        let mut theirs = two.player(2, 1, 1, "key-1").await;
        assert_eq!(play(&mut theirs, [&one, &two]).await, (false, 40));
        assert!(!film.is_cut());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nobody_goes_in_vain() {
    let [one, two] = edges_of(&Arc::default(), Limits::default(), Some(1));
    alive([&one, &two], async {
        let (mut mine, mut theirs) = (one.player(1, 1, 1, "key-1").await, one.player(2, 2, 1, "key-2").await);
        assert_eq!((mine.play().await, theirs.play().await), ((true, 0), (true, 0)));
        pass([&one, &two], 20 * SECOND).await;
        let mut zapped = two.player(1, 1, 2, "key-2").await;
        assert_eq!(play(&mut zapped, [&one, &two]).await, (false, 40), "his own film is not at the key that is full");
        assert!(!mine.is_cut() && !theirs.is_cut());
    })
    .await;
    // His own film would make room for the user, but not at the key.
    let [one, two] = edges_of(&Arc::default(), of_user(1), Some(1));
    alive([&one, &two], async {
        let (mut mine, mut theirs) = (one.player(1, 1, 1, "key-1").await, one.player(2, 2, 1, "key-2").await);
        assert_eq!((mine.play().await, theirs.play().await), ((true, 0), (true, 0)));
        pass([&one, &two], 20 * SECOND).await;
        let mut zapped = two.player(1, 1, 2, "key-2").await;
        assert_eq!(play(&mut zapped, [&one, &two]).await, (false, 40));
        assert!(!mine.is_cut() && !theirs.is_cut());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_stream_ends_for_one_wish_however_many_edges_could() {
    let board = Arc::<Board>::default();
    let [one, two, three, four] = edges_of(&board, of_user(4), None);
    let all = [&one, &two, &three, &four];
    alive(all, async {
        let mut films = Vec::new();
        for (edge, device) in [(&one, 1), (&two, 2), (&three, 3), (&one, 4)] {
            let mut film = edge.player(1, device, 1, "key-1").await;
            assert_eq!(film.play().await, (true, 0));
            films.push(film);
        }
        pass(all, 20 * SECOND).await;
        let mut fifth = four.player(1, 5, 1, "key-1").await;
        assert!(play(&mut fifth, all).await.0);
        pass(all, 4 * SECOND).await;
        assert_eq!(films.iter().filter(|film| film.is_cut()).count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_viewer_leaves_idle_at_the_edge_that_refuses_is_taken_over_too() {
    let [one, two] = edges_of(&Arc::default(), of_user(2), None);
    alive([&one, &two], async {
        let (mut film, mut paused) = (one.player(1, 1, 1, "key-1").await, two.player(1, 2, 1, "key-1").await);
        assert_eq!((film.play().await, paused.play().await), ((true, 0), (true, 0)));
        let (_, ()) = tokio::join!(film.watch(15 * SECOND), two.pass(15 * SECOND));
        let mut third = two.player(1, 3, 1, "key-1").await;
        let ((played, _), ()) = tokio::join!(third.play(), film.watch(5 * SECOND));
        assert!(played && paused.is_cut() && !film.is_cut());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn two_viewers_of_one_user_end_one_stream_each() {
    for (most, admitted) in [(2, 2), (1, 1)] {
        let [one, two, three] = edges_of(&Arc::default(), of_user(most), None);
        let all = [&one, &two, &three];
        alive(all, async {
            let mut films = Vec::new();
            for device in (1..).take(most) {
                let mut film = one.player(1, device, 1, "key-1").await;
                assert_eq!(film.play().await, (true, 0));
                films.push(film);
            }
            pass(all, 20 * SECOND).await;
            let (mut first, mut second) = (two.player(1, 8, 1, "key-1").await, three.player(1, 9, 1, "key-1").await);
            let both = async { tokio::join!(first.play(), second.play()) };
            let (a, b) = tokio::select! {
                both = both => both,
                () = pass(all, 3600 * SECOND) => panic!("they wait for ever"),
            };
            assert_eq!(usize::from(a.0) + usize::from(b.0), admitted);
            assert!(films.iter().all(Player::is_cut) && !first.is_cut() && !second.is_cut());
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_player_that_wakes_up_in_time_keeps_its_place_and_another_edge_may_help() {
    let board = Arc::<Board>::default();
    let [one, two, three] = edges_of(&board, of_user(2), None);
    let all = [&one, &two, &three];
    alive(all, async {
        let (mut wakes, mut sleeps) = (one.player(1, 1, 1, "key-1").await, three.player(1, 3, 1, "key-1").await);
        assert_eq!((wakes.play().await, sleeps.play().await), ((true, 0), (true, 0)));
        pass(all, 20 * SECOND).await;
        // It counts as idle half a second after the viewer became patient.
        let reads = async {
            tokio::time::sleep(SECOND / 2).await;
            sleeps.take();
        };
        let playback = wakes.playback.clone();
        *lock(&board.after_claim) = Some(Box::new(move || playback.meter.open_request().count(1_000)));
        let mut other = two.player(1, 2, 1, "key-1").await;
        let ((played, waited), ()) = tokio::join!(play(&mut other, all), reads);
        assert!(lock(&board.after_claim).is_none() && !wakes.is_cut(), "claimed by its edge, but awake by then");
        assert!(played && sleeps.is_cut() && (35..=40).contains(&waited), "after {waited} tenths");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_an_edge_took_into_its_grave_ends_nobody_elses_film() {
    let board = Arc::<Board>::default();
    let [one, two] = edges_of(&board, of_user(1), None);
    alive([&one, &two], async {
        let (mut paused, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(1, 2, 1, "key-1").await);
        assert_eq!(paused.play().await, (true, 0));
        pass([&one, &two], 20 * SECOND).await;
        let wisher = other.playback.id;
        let killed = async {
            pass([&one, &two], 25 * SECOND / 10).await;
            assert!(board.settle_now(wisher, Answer::Claim));
            pass([&one, &two], 3600 * SECOND).await;
        };
        let played = tokio::select! {
            played = other.play() => played,
            () = killed => panic!("it waits for ever"),
        };
        assert_eq!(played, (false, 40));
        assert!(!paused.is_cut(), "one wish, one edge");
        pass([&one, &two], SECOND).await;
        assert!(play(&mut other, [&one, &two]).await.0 && paused.is_cut(), "the next try is another wish");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_viewer_who_leaves_takes_his_wish_along() {
    let board = Arc::<Board>::default();
    let [one, two] = edges_of(&board, of_user(1), None);
    alive([&one, &two], async {
        let (mut paused, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(1, 2, 1, "key-1").await);
        assert_eq!(paused.play().await, (true, 0));
        pass([&one, &two], 20 * SECOND).await;
        assert!(tokio::time::timeout(2 * SECOND, other.play()).await.is_err());
        assert_eq!(board.open_wishes().len(), 1);
        pass([&one, &two], SECOND / 2).await;
        assert!(board.open_wishes().is_empty(), "long before it would end by itself");
        pass([&one, &two], 5 * SECOND).await;
        assert!(!paused.is_cut());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn wishes_are_read_only_where_a_stream_could_give_way() {
    let board = Arc::<Board>::default();
    let [one, two] = edges_of(&board, of_user(1), None);
    alive([&one, &two], async {
        pass([&one, &two], 10 * SECOND).await;
        assert_eq!(board.reads.load(Ordering::SeqCst), 0);
        let mut film = one.player(1, 1, 1, "key-1").await;
        assert_eq!(film.play().await, (true, 0));
        film.watch(10 * SECOND).await;
        let reads = board.reads.load(Ordering::SeqCst);
        assert!((45..=51).contains(&reads), "{reads} in ten seconds of one edge");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_this_edge_itself_is_full_nobody_else_is_asked() {
    let board = Arc::<Board>::default();
    let [one, two] = edges_of(&board, Limits { per_user: Some(1), per_node: Some(1) }, None);
    alive([&one, &two], async {
        let (mut mine, mut theirs) = (one.player(1, 1, 1, "key-1").await, two.player(2, 2, 1, "key-1").await);
        assert_eq!((mine.play().await, theirs.play().await), ((true, 0), (true, 0)));
        let mut zapped = two.player(1, 1, 2, "key-1").await;
        let (refused, ()) = tokio::join!(zapped.play(), theirs.watch(5 * SECOND));
        assert_eq!(refused, (false, 30));
        assert!(!mine.is_cut() && board.open_wishes().is_empty());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_click_that_may_never_play_ends_nobody_elsewhere() {
    let [one, two] = edges_of(&Arc::default(), Limits::default(), Some(1));
    alive([&one, &two], async {
        let mut paused = one.player(1, 1, 1, "key-1").await;
        let mut runs = two.player(1, 2, 1, "key-2").await;
        assert_eq!((paused.play().await, runs.play().await), ((true, 0), (true, 0)));
        pass([&one, &two], 20 * SECOND).await;
        let grant = two.right(1, 2, "key-1").await;
        let (found, ()) =
            tokio::join!(two.playbacks.waits_for_room(&grant, runs.playback.id, true), pass([&one, &two], 5 * SECOND));
        assert!(!found && !paused.is_cut(), "it has a place already");
        let mut click = two.player(1, 3, 2, "key-1").await;
        let grant = click.playback.seat().grant;
        let (found, ()) =
            tokio::join!(two.playbacks.waits_for_room(&grant, click.playback.id, true), pass([&one, &two], 5 * SECOND));
        assert!(found && !paused.is_cut(), "it may turn out to be downloading, or a player's look at the head");
        let (played, _) = play(&mut click, [&one, &two]).await;
        assert!(played && paused.is_cut(), "now it wants the place");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_go_on_with_another_key_while_its_user_fills_his_places() {
    let [one, two] = edges_of(&Arc::default(), of_user(2), None);
    alive([&one, &two], async {
        let (mut film, mut other) = (one.player(1, 1, 1, "key-1").await, two.player(1, 2, 1, "key-1").await);
        assert_eq!((film.play().await, other.play().await), ((true, 0), (true, 0)));
        let grant = one.right(1, 1, "key-2").await;
        assert!(one.playbacks.has_room(&grant, film.playback.id).await.is_ok(), "it does not stand in its own way");
        let new = one.player(1, 3, 1, "key-2").await;
        assert_eq!(one.playbacks.has_room(&grant, new.playback.id).await, Err(Lack::Else));
    })
    .await;
}
