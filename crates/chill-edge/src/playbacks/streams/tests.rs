//! Scripted players: zapping, seeking, pausing, falling asleep, crashing. The clock moves only as the script says.

use std::sync::Arc;
use std::time::Duration;

use chill_core::store::ItemId;
use chill_core::{Action, Chance, Clock, InfoHash, Lease, PlaybackId, Secret, StoreCode};
use tokio::time::{Instant, sleep};

use super::super::{Across, Lack, Limits, Opening, Playback, PlaybackKey, Playbacks, Seat};
use crate::access::{Grant, Ways};
use crate::lease::{Asker, Leases, Purpose};
use crate::relay::{Meter, OpenRequest};
use crate::stremio::route::Click;
use crate::tests::fakes::{FakeControl, lease};

const STEP: Duration = Duration::from_millis(100);

/// One node and its clock.
pub(in crate::playbacks) struct Node {
    pub(in crate::playbacks) playbacks: Playbacks,
    clock: Clock,
    /// The limit in the leases of every key.
    per_key: Option<u32>,
}

/// One player with one film.
pub(in crate::playbacks) struct Player<'a> {
    node: &'a Node,
    pub(in crate::playbacks) playback: Arc<Playback>,
    open: Option<OpenRequest>,
}

impl Node {
    fn new(per_user: Option<usize>, per_node: Option<usize>, per_key: Option<u32>) -> Self {
        Self::beside(Clock::fixed(1_700_000_000_000), Limits { per_user, per_node }, per_key, None)
    }

    /// One of several nodes with one clock.
    pub(in crate::playbacks) fn beside(
        clock: Clock,
        limits: Limits,
        per_key: Option<u32>,
        across: Option<Across>,
    ) -> Self {
        Self { playbacks: Playbacks::new(limits, clock.clone(), across), clock, per_key }
    }

    pub(in crate::playbacks) async fn right(&self, user: u32, device: u32, key: &'static str) -> Grant {
        let most = self.per_key;
        let control = FakeControl::new(move |_| Ok(Lease { max_streams: most, ..lease(key, 1) }));
        let link = format!("{user:08}-2222-4333-8444-555555555555").parse().unwrap();
        let device = format!("device-{device}").parse().unwrap();
        let asker = Asker { link, device, label: String::new() };
        let purpose = Purpose { action: Action::STREAM_REQUEST, hash: None };
        let held = Leases::new(control).get(&asker, StoreCode::TorBox, purpose, &[]).await.unwrap();
        Grant::Pool { asker, held }
    }

    /// A player of a user's device, about to play a film by a key.
    pub(in crate::playbacks) async fn player(&self, user: u32, device: u32, film: u8, key: &'static str) -> Player<'_> {
        let grant = self.right(user, device, key).await;
        let Grant::Pool { asker, .. } = &grant else { panic!("a right of the pool") };
        let (store, hash) = (StoreCode::TorBox, InfoHash::from_bytes([film; 20]));
        let click = Click { content: "tt0063350".parse().unwrap(), store, hash, index: None, name: None };
        let holder = [u8::try_from(user).unwrap(); 32];
        let playback = Arc::new(Playback::new(Opening {
            id: PlaybackId::new(self.clock.now(), &Chance::System).unwrap(),
            key: PlaybackKey { holder, device: asker.device.clone(), click },
            file_name: "film.mkv".to_owned(),
            cached: true,
            meter: Arc::new(Meter::new(self.clock.clone())),
            ways: Ways::none(store),
            seat: Seat { store, grant, item: ItemId("1".to_owned()), file: 0 },
        }));
        self.playbacks.add(&playback);
        Player { node: self, playback, open: None }
    }

    /// Time goes by, on both clocks.
    pub(in crate::playbacks) async fn pass(&self, time: Duration) {
        for _ in 0..time.as_millis() / STEP.as_millis() {
            self.clock.advance(STEP);
            sleep(STEP).await;
        }
    }
}

impl Player<'_> {
    /// Asks for bytes; whether it gets them, and after how many tenths of a second.
    pub(in crate::playbacks) async fn play(&mut self) -> (bool, u128) {
        let begun = Instant::now();
        let admitted = self.node.playbacks.admit(&self.playback).await;
        self.open = admitted.then(|| self.playback.meter.open_request());
        if let Some(open) = &mut self.open {
            open.set_hungry(false);
        }
        (admitted, begun.elapsed().as_millis() / 100)
    }

    /// As [`Player::play`], while the clock goes on.
    pub(in crate::playbacks) async fn play_in_time(&mut self) -> (bool, u128) {
        let node = self.node;
        tokio::select! {
            played = self.play() => played,
            () = node.pass(Duration::from_secs(3600)) => panic!("it waits for ever"),
        }
    }

    pub(in crate::playbacks) fn take(&self) {
        self.open.as_ref().expect("it plays").count(1_000);
    }

    /// Takes its bytes for a while.
    pub(in crate::playbacks) async fn watch(&self, time: Duration) {
        for _ in 0..time.as_secs() {
            self.take();
            self.node.pass(Duration::from_secs(1)).await;
        }
    }

    /// Closes its request, or loses its connection.
    pub(in crate::playbacks) fn leave(&mut self) {
        self.open = None;
    }

    pub(in crate::playbacks) fn is_cut(&self) -> bool {
        self.playback.cut.is_cancelled()
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_zap_is_handed_over_at_once_when_the_player_has_stopped_reading() {
    for node in [Node::new(Some(1), None, None), Node::new(None, Some(1), None), Node::new(None, None, Some(1))] {
        let mut film = node.player(1, 1, 1, "key-1").await;
        assert_eq!(film.play().await, (true, 0));
        for next in 2..6 {
            film.take();
            node.pass(3 * SECOND).await;
            let mut zapped = node.player(1, 1, next, "key-1").await;
            assert_eq!(zapped.play().await, (true, 0));
            assert!(film.is_cut() && !zapped.is_cut());
            film = zapped;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_zap_waits_for_the_film_that_its_player_closes() {
    let node = Node::new(Some(1), None, None);
    let (mut film, mut zapped) = (node.player(1, 1, 1, "key-1").await, node.player(1, 1, 2, "key-1").await);
    assert_eq!(film.play().await, (true, 0));
    let closes = async {
        node.pass(4 * STEP).await;
        film.take();
        film.leave();
        node.pass(SECOND).await;
    };
    let ((played, waited), ()) = tokio::join!(zapped.play(), closes);
    assert!(played && (9..=11).contains(&waited), "after {waited} tenths, when it is no seek");
}

#[tokio::test(start_paused = true)]
async fn two_televisions_behind_one_address_do_not_cut_each_others_films() {
    for most in [1, 2] {
        let node = Node::new(Some(most), None, None);
        let (mut first, mut second) = (node.player(1, 1, 1, "key-1").await, node.player(1, 1, 2, "key-1").await);
        let mut third = node.player(1, 1, 3, "key-1").await;
        assert_eq!(first.play().await, (true, 0));
        let (played, ()) = tokio::join!(second.play(), first.watch(5 * SECOND));
        assert_eq!(played, if most == 1 { (false, 30) } else { (true, 0) });
        for _ in 0..3 {
            let watched = async {
                for _ in 0..5 {
                    second.open.iter().for_each(|open| open.count(1_000));
                    first.watch(SECOND).await;
                }
            };
            let ((), refused) = tokio::join!(watched, third.play());
            assert_eq!(refused, (false, 30));
        }
        assert!(!first.is_cut() && !second.is_cut());
    }
}

#[tokio::test(start_paused = true)]
async fn with_two_places_the_film_that_closes_gives_way_and_not_the_oldest() {
    let node = Node::new(Some(2), None, None);
    let (mut first, mut second) = (node.player(1, 1, 1, "key-1").await, node.player(1, 1, 2, "key-1").await);
    assert_eq!((first.play().await, second.play().await), ((true, 0), (true, 0)));
    let mut third = node.player(1, 1, 3, "key-1").await;
    let closes = async {
        first.watch(SECOND).await;
        second.leave();
        first.watch(2 * SECOND).await;
    };
    let ((played, waited), ()) = tokio::join!(third.play(), closes);
    assert!(played && (15..=17).contains(&waited), "after {waited} tenths");
    assert!(!first.is_cut());
}

#[tokio::test(start_paused = true)]
async fn of_idle_films_the_devices_own_goes_first_and_then_the_longest_idle() {
    let node = Node::new(Some(3), None, None);
    let mut films = Vec::new();
    for (film, device) in [(1, 2), (2, 3), (3, 1)] {
        let mut player = node.player(1, device, film, "key-1").await;
        assert_eq!(player.play().await, (true, 0));
        player.take();
        node.pass(10 * SECOND).await;
        films.push(player);
    }
    let cut = |films: &[Player<'_>]| films.iter().map(Player::is_cut).collect::<Vec<_>>();
    let mut zapped = node.player(1, 1, 4, "key-1").await;
    assert_eq!(zapped.play().await, (true, 0));
    assert_eq!(cut(&films), [false, false, true]);
    let mut other = node.player(1, 4, 5, "key-1").await;
    assert_eq!(other.play().await, (true, 30));
    assert_eq!(cut(&films), [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_film_is_not_ended_for_a_place_at_one_key_of_several() {
    let node = Node::new(None, None, Some(1));
    let mut paused = node.player(1, 1, 1, "key-1").await;
    assert_eq!(paused.play().await, (true, 0));
    node.pass(300 * SECOND).await;
    let other = node.player(1, 2, 2, "key-1").await;
    let (id, grant) = (other.playback.id, other.playback.seat().grant);
    assert_eq!(node.playbacks.has_room(&grant, id).await, Err(Lack::Key));
    assert_eq!(node.playbacks.has_room(&node.right(1, 2, "key-2").await, id).await, Ok(()));
    assert!(node.playbacks.waits_for_room(&grant, id, true).await && !paused.is_cut(), "where it is the only key");
    let zapped = node.player(1, 1, 3, "key-1").await;
    let (id, grant) = (zapped.playback.id, zapped.playback.seat().grant);
    paused.leave();
    assert!(node.playbacks.has_room(&grant, id).await.is_ok(), "what its device closed is no reason to look elsewhere");
    // Where he may play one film, another key does not help.
    let node = Node::new(Some(1), None, Some(1));
    let mut paused = node.player(1, 1, 1, "key-1").await;
    assert_eq!(paused.play().await, (true, 0));
    node.pass(30 * SECOND).await;
    assert_eq!(node.playbacks.has_room(&node.right(1, 2, "key-1").await, id).await, Ok(()));
    paused.take();
    for key in ["key-1", "key-2"] {
        assert_eq!(node.playbacks.has_room(&node.right(1, 2, key).await, id).await, Err(Lack::Else));
    }
}

#[tokio::test(start_paused = true)]
async fn a_film_that_changes_keys_does_not_stand_in_its_own_way() {
    let node = Node::new(Some(1), Some(1), Some(1));
    let mut film = node.player(1, 1, 1, "key-1").await;
    assert_eq!(film.play().await, (true, 0));
    film.take();
    let grant = node.right(1, 1, "key-2").await;
    assert_eq!(node.playbacks.has_room(&grant, film.playback.id).await, Ok(()));
    assert!(node.playbacks.move_to(&film.playback, Seat { grant, ..film.playback.seat() }).await);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_seeks_is_one_stream_and_keeps_its_place() {
    let node = Node::new(None, None, Some(1));
    let (mut seeker, mut other) = (node.player(1, 1, 1, "key-1").await, node.player(2, 2, 1, "key-1").await);
    assert_eq!(seeker.play().await, (true, 0));
    let storm = async {
        for seek in 0..100 {
            // A player opens the new request now before, now after it closes the old one.
            let old = if seek % 2 == 0 { seeker.open.take() } else { None };
            node.pass(STEP).await;
            assert_eq!(seeker.play().await, (true, 0), "seek {seek}");
            drop(old);
            seeker.take();
        }
    };
    let ((), refused) = tokio::join!(storm, other.play());
    assert_eq!(refused, (false, 30), "somebody else waited, and never got in between");
    assert!(!seeker.is_cut());
}

#[tokio::test(start_paused = true)]
async fn two_devices_at_limit_one_do_not_fight() {
    let node = Node::new(Some(1), None, None);
    let (mut first, mut second) = (node.player(1, 1, 1, "key-1").await, node.player(1, 2, 1, "key-1").await);
    assert_eq!(first.play().await, (true, 0));
    for _ in 0..3 {
        let (refused, ()) = tokio::join!(second.play(), first.watch(5 * SECOND));
        assert_eq!(refused, (false, 30));
        assert!(!first.is_cut());
    }
    let mut elsewhere = node.player(2, 3, 1, "key-1").await;
    assert_eq!(elsewhere.play().await, (true, 0), "another user has a limit of his own");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_closes_gives_its_place_to_the_one_that_waits() {
    let node = Node::new(Some(1), None, None);
    let (mut first, mut second) = (node.player(1, 1, 1, "key-1").await, node.player(1, 2, 1, "key-1").await);
    assert_eq!(first.play().await, (true, 0));
    first.watch(5 * SECOND).await;
    first.leave();
    let (played, waited) = second.play_in_time().await;
    assert!(played && (20..=24).contains(&waited), "after {waited} tenths, when it is no seek");
    assert!(!first.is_cut(), "it went by itself");
    let (refused, ()) = tokio::join!(first.play(), second.watch(5 * SECOND));
    assert_eq!(refused, (false, 30), "and must wait like anybody when it comes back");
}

#[tokio::test(start_paused = true)]
async fn a_paused_film_goes_on_when_nobody_wanted_its_place() {
    let node = Node::new(Some(1), None, None);
    let mut film = node.player(1, 1, 1, "key-1").await;
    assert_eq!(film.play().await, (true, 0));
    film.watch(5 * SECOND).await;
    node.pass(600 * SECOND).await;
    film.take();
    assert!(!film.is_cut());
    // Most players lose their connection meanwhile, and ask again.
    film.leave();
    node.pass(600 * SECOND).await;
    assert_eq!(film.play().await, (true, 0));
}

#[tokio::test(start_paused = true)]
async fn a_paused_film_is_taken_over_on_the_users_other_device() {
    let node = Node::new(Some(1), None, None);
    let (mut paused, mut other) = (node.player(1, 1, 1, "key-1").await, node.player(1, 2, 1, "key-1").await);
    assert_eq!(paused.play().await, (true, 0));
    let reads = async {
        node.pass(SECOND).await;
        paused.take();
        node.pass(5 * SECOND).await;
    };
    let (refused, ()) = tokio::join!(other.play(), reads);
    assert_eq!(refused, (false, 30), "it took a byte since the other one came");
    assert!(!paused.is_cut());
    assert_eq!(other.play().await, (true, 30));
    assert!(paused.is_cut());
    // Ten minutes later the first device presses play again: a new playback, while the other one still plays.
    node.pass(5 * SECOND).await;
    let mut again = node.player(1, 1, 1, "key-1").await;
    let (refused, ()) = tokio::join!(again.play(), other.watch(5 * SECOND));
    assert_eq!(refused, (false, 30));
}

#[tokio::test(start_paused = true)]
async fn an_idle_film_of_somebody_else_is_not_taken_over() {
    let node = Node::new(None, Some(1), Some(1));
    let (mut paused, mut other) = (node.player(1, 1, 1, "key-1").await, node.player(2, 2, 1, "key-1").await);
    assert_eq!(paused.play().await, (true, 0));
    node.pass(50 * SECOND).await;
    assert_eq!(other.play().await, (false, 30));
    assert!(!paused.is_cut());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_fell_asleep_is_a_ghost_after_a_minute() {
    let node = Node::new(None, Some(1), None);
    let (mut asleep, mut other) = (node.player(1, 1, 1, "key-1").await, node.player(2, 2, 1, "key-1").await);
    assert_eq!(asleep.play().await, (true, 0));
    asleep.take();
    node.pass(60 * SECOND).await;
    assert_eq!(other.play().await, (true, 0), "anybody may have its place");
    assert!(asleep.is_cut(), "and should it wake, it carries nothing beyond the limit");
}

#[tokio::test(start_paused = true)]
async fn a_player_that_crashed_is_soon_forgotten() {
    let node = Node::new(None, Some(1), None);
    let (mut crashed, mut other) = (node.player(1, 1, 1, "key-1").await, node.player(2, 2, 1, "key-1").await);
    assert_eq!(crashed.play().await, (true, 0));
    crashed.take();
    crashed.leave();
    node.pass(3 * SECOND).await;
    assert_eq!(other.play().await, (true, 0));
}

#[tokio::test(start_paused = true)]
async fn all_limits_hold_together_and_nobody_goes_in_vain() {
    let node = Node::new(Some(1), Some(2), Some(1));
    let mut mine = node.player(1, 1, 1, "key-1").await;
    let mut theirs = node.player(2, 2, 1, "key-2").await;
    assert_eq!((mine.play().await, theirs.play().await), ((true, 0), (true, 0)));
    // His own film would give way, but the key he would need carries somebody else's.
    let mut zapped = node.player(1, 1, 2, "key-2").await;
    assert_eq!(zapped.play().await, (false, 30));
    assert!(!mine.is_cut() && !theirs.is_cut());
    let mut third = node.player(3, 3, 1, "key-3").await;
    assert_eq!(third.play().await, (false, 30), "the node is full");
}

#[tokio::test(start_paused = true)]
async fn a_film_goes_on_with_another_key_only_where_that_has_room() {
    let node = Node::new(None, None, Some(1));
    let (mut first, mut second) = (node.player(1, 1, 1, "key-1").await, node.player(2, 2, 1, "key-2").await);
    assert_eq!((first.play().await, second.play().await), ((true, 0), (true, 0)));
    let seat = |grant| Seat { grant, ..first.playback.seat() };
    assert!(!node.playbacks.move_to(&first.playback, seat(node.right(1, 1, "key-2").await)).await);
    assert!(node.playbacks.move_to(&first.playback, seat(node.right(1, 1, "key-3").await)).await);
    let mut third = node.player(3, 3, 1, "key-1").await;
    assert_eq!(third.play().await, (true, 0), "its former key has room again");
    let mut fourth = node.player(4, 4, 1, "key-3").await;
    assert_eq!(fourth.play().await, (false, 30), "its new key has not");
}

#[tokio::test(start_paused = true)]
async fn a_film_that_goes_on_with_its_users_own_token_leaves_the_key_but_not_his_limit() {
    let node = Node::new(Some(1), None, Some(1));
    let mut film = node.player(1, 1, 1, "key-1").await;
    assert_eq!(film.play().await, (true, 0));
    let own = Seat { grant: Grant::Own(Secret::new("own-token")), ..film.playback.seat() };
    assert!(node.playbacks.move_to(&film.playback, own).await);
    let (mut theirs, mut mine) = (node.player(2, 2, 1, "key-1").await, node.player(1, 2, 1, "key-2").await);
    assert_eq!(theirs.play().await, (true, 0), "the key has room");
    let (refused, ()) = tokio::join!(mine.play(), film.watch(5 * SECOND));
    assert_eq!(refused, (false, 30), "but he plays a film already");
    assert!(!film.is_cut());
}
