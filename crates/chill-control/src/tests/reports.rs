//! Usage is counted, reports make keys rest, and only the control plane's own question takes them away.

use std::time::Duration;

use chill_core::control::Recorded;
use chill_core::pool::{KeyState, Terms};
use chill_core::{
    Action, Chance, ControlError, ControlPlane, DenialCode, EventId, KeyId, Outcome, StoreErrorKind, UsageEvent,
};
use chill_db::trial;

use super::{NOW, account, actor, world};
use crate::{UsageBy, UsageWindow, User};

pub(super) fn event(user: &User, key: &KeyId, outcome: Outcome, at: i64) -> UsageEvent {
    UsageEvent {
        id: EventId::new(at, &Chance::System).unwrap(),
        link: user.link,
        key: key.clone(),
        device: Some("tv".parse().unwrap()),
        action: Action::known(Action::STREAM_REQUEST),
        hash: None,
        cached: Some(true),
        bytes: 0,
        outcome,
        at,
    }
}

#[tokio::test]
async fn streams_are_requests_and_bytes_are_everything() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let key = world.key("one", Terms::Household, None).await;
        let served = |bytes| UsageEvent {
            action: Action::known(Action::STREAM_SERVED),
            cached: None,
            bytes,
            ..event(&anna, &key.id, Outcome::Ok, NOW)
        };
        let cold = UsageEvent { cached: Some(false), ..event(&anna, &key.id, Outcome::Ok, NOW) };
        let events = [event(&anna, &key.id, Outcome::Ok, NOW), cold, served(70), served(30)];
        let counted = world.control.record(&events).await.unwrap();
        assert_eq!(counted, Recorded { accepted: 4, duplicates: 0 });
        let again = world.control.record(&events[1..]).await.unwrap();
        assert_eq!(again, Recorded { accepted: 0, duplicates: 3 });
        // Late usage of a link that was reset is still its user's.
        world.control.users().reset_link(&actor(), "Anna").await.unwrap();
        world.control.record(&[served(900)]).await.unwrap();
        for (by, name) in [(UsageBy::User, "Anna"), (UsageBy::Key, "one"), (UsageBy::Day, "2026-09-21")] {
            let rows = world.control.usage(by, UsageWindow::default()).await.unwrap();
            assert_eq!(rows.len(), 1);
            let row = &rows[0];
            assert_eq!((row.name.as_str(), row.streams, row.cached, row.bytes), (name, 2, 1, 1_000));
        }
        let before = UsageWindow { until: Some(NOW - 86_400_000), since: None };
        assert_eq!(world.control.usage(UsageBy::User, before).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn usage_from_nowhere_is_counted_and_breaks_nothing() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        world.control.users().remove(&actor(), "Anna").await.unwrap();
        let foreign = "pk-of-someone-else".parse().unwrap();
        let future = UsageEvent { at: i64::MAX, bytes: u64::MAX, ..event(&anna, &foreign, Outcome::KeyRejected, NOW) };
        let past = UsageEvent { at: i64::MIN, ..event(&anna, &foreign, Outcome::Failed, NOW) };
        assert_eq!(world.control.record(&[future, past]).await.unwrap().accepted, 2);
        let rows = world.control.usage(UsageBy::Day, UsageWindow::default()).await.unwrap();
        let days: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(days, ["2026-09-21", "1970-01-01"]);
    })
    .await;
}

#[tokio::test]
async fn a_throttled_key_rests_its_users_move_and_it_comes_back() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::Household, None).await;
        world.lease(&anna, "tv").await.unwrap();
        world.control.record(&[event(&anna, &one.id, Outcome::Throttled, NOW)]).await.unwrap();
        let Err(ControlError::Exhausted { retry_after }) = world.lease(&anna, "tv").await else { panic!("it rests") };
        assert_eq!(retry_after, Duration::from_secs(60));
        let two = world.key("two", Terms::Household, None).await;
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key_id, two.id);
        world.clock.advance(Duration::from_secs(61));
        let bert = world.user("Bert").await;
        assert_eq!(world.lease(&bert, "tv").await.unwrap().key_id, one.id, "no write brought it back");
    })
    .await;
}

#[tokio::test]
async fn an_old_report_does_not_make_a_key_rest_now() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::Household, None).await;
        world.control.record(&[event(&anna, &one.id, Outcome::LimitReached, NOW - 3_600_000)]).await.unwrap();
        assert!(world.lease(&anna, "tv").await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_rejected_report_is_believed_only_after_a_probe() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::Household, None).await;
        let rejected = |at| event(&anna, &one.id, Outcome::KeyRejected, at);
        world.control.record(&[rejected(NOW)]).await.unwrap();
        assert!(world.lease(&anna, "tv").await.is_ok(), "one edge's word takes it from nobody");
        world.control.probe_due().await.unwrap();
        assert_eq!(world.store.asked("secret-of-one"), 2, "when it was added, and now");
        assert!(world.lease(&anna, "tv").await.is_ok(), "the store says it is fine");

        world.store.says("secret-of-one", Err(StoreErrorKind::Unauthorized));
        world.control.record(&[rejected(NOW)]).await.unwrap();
        world.control.probe_due().await.unwrap();
        let key = world.control.keys().find("one").await.unwrap();
        assert_eq!(key.state, KeyState::RotatedByProvider);
        assert!(!key.last_error.unwrap().contains("secret"));
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::NoKey);

        world.store.says("secret-of-one", Ok(account()));
        world.control.probe_due().await.unwrap();
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::NoKey, "not asked again at once");
        world.clock.advance(Duration::from_secs(31));
        world.control.probe_due().await.unwrap();
        assert!(world.lease(&anna, "tv").await.is_ok(), "it came back by itself");
        assert_eq!(world.store.asked("secret-of-one"), 4);
    })
    .await;
}

#[tokio::test]
async fn a_store_in_trouble_takes_no_key_away() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::Household, None).await;
        for kind in [StoreErrorKind::Unavailable, StoreErrorKind::Timeout, StoreErrorKind::Forbidden] {
            world.store.says("secret-of-one", Err(kind));
            let report = |outcome| event(&anna, &one.id, outcome, world.clock.now());
            let reports = [report(Outcome::StoreDown), report(Outcome::Failed), report(Outcome::KeyRejected)];
            world.control.record(&reports).await.unwrap();
            world.control.probe_due().await.unwrap();
            world.clock.advance(Duration::from_secs(3_600));
            assert!(world.lease(&anna, "tv").await.is_ok(), "{kind:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_expired_plan_is_found_out_and_forgiven() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::Household, None).await;
        let ended = chill_core::store::Account { expires_at: Some(NOW - 1), ..account() };
        world.store.says("secret-of-one", Ok(ended));
        world.control.record(&[event(&anna, &one.id, Outcome::PlanRestricted, NOW)]).await.unwrap();
        world.control.probe_due().await.unwrap();
        assert_eq!(world.control.keys().find("one").await.unwrap().state, KeyState::Expired);
        world.store.says("secret-of-one", Ok(account()));
        world.clock.advance(Duration::from_secs(60));
        world.control.probe_due().await.unwrap();
        assert_eq!(world.control.keys().find("one").await.unwrap().state, KeyState::Healthy);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_serves_is_asked_about_once_a_day() {
    trial::both(async |trial| {
        let world = world(trial);
        world.key("one", Terms::Household, None).await;
        for (hours, asked) in [(0, 1), (23, 1), (1, 2), (1, 2), (24, 3)] {
            world.clock.advance(Duration::from_secs(hours * 3_600));
            world.control.probe_due().await.unwrap();
            assert_eq!(world.store.asked("secret-of-one"), asked);
        }
        world.control.keys().disable(&actor(), "one").await.unwrap();
        world.clock.advance(Duration::from_secs(48 * 3_600));
        world.control.probe_due().await.unwrap();
        assert_eq!(world.store.asked("secret-of-one"), 3, "a disabled one is left alone");
    })
    .await;
}
