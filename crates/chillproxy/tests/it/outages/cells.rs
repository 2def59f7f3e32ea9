//! What a viewer goes through in each cell of the table.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Away;
use super::system::{GRACE, System, Turn};
use crate::streams::sha256;
use crate::web::{Web, watch, watch_some};

/// Revoke → last byte, while changes are heard.
const PROMISE: Duration = Duration::from_secs(1);
/// Revoke → no new start, while they are not.
const UNHEARD: Duration = Duration::from_secs(5);
/// How long a request may take besides what it waits for; the machine is busy with four rows.
const SLACK: Duration = Duration::from_secs(2);
const DEVICE: &str = "TestPlayer/1.0";

pub(super) async fn a_film_runs_on(system: Arc<System>, mut turn: Turn) {
    let mut film = system.seat("film").film.unwrap();
    while system.cut_at.elapsed() < GRACE + UNHEARD {
        watch_some(&mut film, 1_000).await;
    }
    turn.healed().await;
    watch_some(&mut film, 50_000).await;
}

pub(super) async fn a_film_runs_until_its_grace_ends(system: Arc<System>, _: Turn) {
    let mut film = system.seat("film").film.unwrap();
    while system.cut_at.elapsed() < GRACE - PROMISE {
        watch_some(&mut film, 1_000).await;
    }
    assert!(watch(film).await.broken, "it breaks off, it does not end as if it were whole");
    // A control node whose database is silent is believed until it notices that, four seconds later.
    let noticed = if system.away == Away::Database { UNHEARD } else { Duration::ZERO };
    let ran = system.cut_at.elapsed();
    assert!(ran < GRACE + noticed + SLACK, "it ran on for {ran:?}");
}

pub(super) async fn a_known_device_starts(system: Arc<System>, mut turn: Turn) {
    let seat = system.seat("known");
    while system.cut_at.elapsed() < UNHEARD + PROMISE {
        let played = Web::new(DEVICE).get(&seat.small.url).await;
        assert_eq!(sha256(&played.body), system.app.original(&seat.small));
        assert_eq!(system.refusal(&seat.viewer, DEVICE).await, "");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    turn.healed().await;
    assert_eq!(system.refusal(&seat.viewer, DEVICE).await, "");
}

pub(super) async fn a_known_device_starts_while_its_lease_is_fresh(system: Arc<System>, mut turn: Turn) {
    let seat = system.seat("known");
    let played = Web::new(DEVICE).get(&seat.small.url).await;
    assert_eq!(sha256(&played.body), system.app.original(&seat.small));
    assert_eq!(system.refusal(&seat.viewer, DEVICE).await, "");
    system.app.until("its lease is old", async || !system.refusal(&seat.viewer, DEVICE).await.is_empty()).await;
    assert_eq!(system.refusal(&seat.viewer, DEVICE).await, "control_unavailable");
    turn.healed().await;
    let welcome = async || system.refusal(&seat.viewer, DEVICE).await.is_empty();
    system.app.until("it starts again after the outage", welcome).await;
}

pub(super) async fn a_new_device_is_let_in(system: Arc<System>, _: Turn) {
    let seat = system.seat("new");
    assert_eq!(system.refusal(&seat.viewer, "New/1.0").await, "");
    let played = Web::new("New/2.0").get(&seat.small.url).await;
    assert_eq!(sha256(&played.body), system.app.original(&seat.small));
    let third = system.refusal(&seat.viewer, "New/3.0").await;
    assert_eq!(third, "device_limit", "and counted");
}

pub(super) async fn a_new_device_is_refused_with_a_reason(system: Arc<System>, mut turn: Turn) {
    let seat = system.seat("new");
    assert_eq!(system.refusal(&seat.viewer, "New/1.0").await, "control_unavailable");
    let play = Web::new("New/2.0").get(&seat.small.url).await;
    assert_eq!((play.status.as_u16(), play.header("x-chillproxy-refusal")), (302, "control_unavailable"));
    turn.healed().await;
    let welcome = async || system.refusal(&seat.viewer, "New/1.0").await.is_empty();
    system.app.until("it is let in after the outage", welcome).await;
}

fn suspend(system: &System) -> Instant {
    system.app.cli(&["user", "suspend", "revoked", "--json"], "");
    Instant::now()
}

pub(super) async fn a_revoked_user_and_his_film_are_out_within_a_second(system: Arc<System>, _: Turn) {
    let seat = system.seat("revoked");
    let suspended = suspend(&system);
    assert!(watch(seat.film.unwrap()).await.broken);
    assert!(suspended.elapsed() < PROMISE, "{:?}", suspended.elapsed());
    assert_eq!(system.refusal(&seat.viewer, DEVICE).await, "user_inactive");
}

pub(super) async fn a_revoked_user_is_out_within_five_seconds_and_his_film_with_its_grace(
    system: Arc<System>,
    mut turn: Turn,
) {
    let seat = system.seat("revoked");
    let suspended = suspend(&system);
    let film = tokio::spawn(watch(seat.film.unwrap()));
    let begun = loop {
        let begun = suspended.elapsed();
        if !system.refusal(&seat.viewer, DEVICE).await.is_empty() {
            break begun;
        }
        assert!(begun < UNHEARD, "let in {begun:?} after he was suspended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(begun < UNHEARD + SLACK);
    let rest = film.await.unwrap();
    assert!(rest.broken);
    assert!(suspended.elapsed() < GRACE + UNHEARD + SLACK, "{:?}", suspended.elapsed());
    turn.healed().await;
    let told = async || system.refusal(&seat.viewer, DEVICE).await == "user_inactive";
    system.app.until("he is told why after the outage", told).await;
}

pub(super) async fn usage_is_counted_meanwhile(system: Arc<System>, mut turn: Turn) {
    let seat = system.seat("usage");
    assert_eq!(Web::new(DEVICE).get(&seat.small.url).await.status, 200);
    let expected = (1, seat.small.size);
    system.app.until("it is counted during the outage", async || system.counted("usage") == expected).await;
    turn.healed().await;
    assert_eq!(system.counted("usage"), expected);
}

pub(super) async fn usage_waits_and_is_counted_once(system: Arc<System>, mut turn: Turn) {
    let seat = system.seat("usage");
    assert_eq!(Web::new(DEVICE).get(&seat.small.url).await.status, 200);
    let expected = (1, seat.small.size);
    turn.healed().await;
    let counted = async || system.counted("usage") == expected;
    system.app.until("it is counted after the outage", counted).await;
    // What comes later is delivered after what waited: when it is there, nothing can still be on its way.
    let again = async || Web::new("New/1.0").get(&seat.small.url).await.status == 200;
    system.app.until("another start", again).await;
    let both = async || system.counted("usage").1 >= 2 * seat.small.size;
    system.app.until("which is counted too", both).await;
    assert_eq!(system.counted("usage"), (2, 2 * seat.small.size), "and nothing twice");
}
