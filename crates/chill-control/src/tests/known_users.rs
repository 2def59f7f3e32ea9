//! Users who are remembered: what another node changes is known at the next request, and a known device needs no write.

use std::time::Duration;

use chill_core::pool::Terms;
use chill_core::{ControlPlane, DenialCode};
use chill_db::trial::{self, Trial};
use chill_db::{DeviceState, Options};

use super::{World, actor, ask, denied, excluding, world_with};
use crate::{ControlConfig, Limits, User};

fn config() -> ControlConfig {
    ControlConfig { torbox_pool_size: 0, ..ControlConfig::default() }
}

/// Asks until the user and his television are remembered.
async fn be_met(node: &World, user: &User) {
    for _ in 0..4 {
        node.lease(user, "tv").await.unwrap();
    }
}

/// Two nodes over one database; the first has one key, and remembers the user and his television.
async fn remembered(trial: &Trial) -> (World, World, User) {
    let one = world_with(trial.db.clone(), config());
    let two = one.node(trial.again(Options::default()).await, config());
    one.key("one", Terms::Partner, None).await;
    let anna = one.user("Anna").await;
    be_met(&one, &anna).await;
    (one, two, anna)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_node_does_to_a_user_holds_at_the_next_request() {
    trial::both(async |trial| {
        let (one, two, anna) = remembered(trial).await;
        two.control.users().suspend(&actor(), "Anna").await.unwrap();
        assert_eq!(denied(one.lease(&anna, "tv").await), DenialCode::UserInactive);
        assert_eq!(denied(one.lease(&anna, "new").await), DenialCode::UserInactive);
        two.control.users().activate(&actor(), "Anna").await.unwrap();
        be_met(&one, &anna).await;
        let limits = Limits { max_devices: Some(Some(1)), delivery: None };
        two.control.users().set_limits(&actor(), "Anna", limits).await.unwrap();
        assert_eq!(denied(one.lease(&anna, "new").await), DenialCode::DeviceLimit);
        let tv = two.control.devices().list("Anna").await.unwrap().remove(0);
        two.control.devices().revoke(&actor(), &tv.id).await.unwrap();
        assert_eq!(denied(one.lease(&anna, "tv").await), DenialCode::DeviceRevoked);
        assert_eq!(one.lease(&anna, "new").await.unwrap().device_count, 1);
        two.control.users().reset_link(&actor(), "Anna").await.unwrap();
        assert_eq!(denied(one.lease(&anna, "new").await), DenialCode::UserUnknown);
        two.control.db().close().await;
    })
    .await;
}

/// A new device of a remembered user is decided from memory, and written only if that still holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_is_not_let_in_by_a_memory_that_is_over() {
    trial::both(async |trial| {
        let (one, two, anna) = remembered(trial).await;
        assert_eq!(one.lease(&anna, "first").await.unwrap().device_count, 2, "so it is while nothing changes");
        two.control.keys().disable(&actor(), "one").await.unwrap();
        assert!(one.lease(&anna, "second").await.is_err(), "no key serves");
        two.control.keys().enable(&actor(), "one").await.unwrap();
        be_met(&one, &anna).await;
        two.control.users().reset_link(&actor(), "Anna").await.unwrap();
        assert_eq!(denied(one.lease(&anna, "second").await), DenialCode::UserUnknown);
        assert_eq!(two.control.devices().list("Anna").await.unwrap().len(), 2, "and none was stored");
        two.control.db().close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_another_node_moved_gets_his_new_key_at_the_next_request() {
    trial::both(async |trial| {
        let (one, two, anna) = remembered(trial).await;
        let old = one.lease(&anna, "tv").await.unwrap().key_id;
        let new = two.key("two", Terms::Partner, None).await.id;
        for _ in 0..3 {
            assert_eq!(one.lease(&anna, "tv").await.unwrap().key_id, old);
        }
        assert_eq!(two.control.lease(&excluding(anna.link, "tv", &[&old])).await.unwrap().key_id, new);
        assert_eq!(one.lease(&anna, "tv").await.unwrap().key_id, new);
        assert_eq!(one.lease(&anna, "another").await.unwrap().key_id, new);
        two.control.db().close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_another_node_gave_are_counted() {
    trial::both(async |trial| {
        let (one, two, anna) = remembered(trial).await;
        two.lease(&anna, "second").await.unwrap();
        two.lease(&anna, "third").await.unwrap();
        // Remembered with one device; the statement that takes the place knows of three.
        assert_eq!(denied(one.lease(&anna, "fourth").await), DenialCode::DeviceLimit);
        assert_eq!(one.lease(&anna, "third").await.unwrap().device_count, 3);
        let devices = one.control.devices().list("Anna").await.unwrap();
        assert_eq!(devices.iter().filter(|device| device.state == DeviceState::Active).count(), 3);
        two.control.db().close().await;
    })
    .await;
}

/// The first has asked before, the second is a node that knows of nobody yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_known_device_is_answered_while_the_writer_is_blocked() {
    trial::both(async |trial| {
        let (one, two, anna) = remembered(trial).await;
        // Its sight is due to be noted.
        one.clock.advance(Duration::from_secs(600));
        let other = trial.again(Options::default()).await;
        let mut blocking = other.write().await.unwrap();
        blocking.users_lock(&[anna.id]).await.unwrap();
        let devices = blocking.devices_of(anna.id, 10).await.unwrap();
        blocking.devices_touch(&[devices[0].id.clone()], devices[0].last_seen + 1).await.unwrap();
        for world in [&one, &two] {
            let answer = tokio::time::timeout(Duration::from_secs(2), world.control.lease(&ask(anna.link, "tv"))).await;
            assert_eq!(answer.expect("an answer before the lock is gone").unwrap().device_count, 1);
        }
        // A new one has to wait: the lock is really there.
        let new = tokio::time::timeout(Duration::from_millis(300), one.control.lease(&ask(anna.link, "new"))).await;
        assert!(new.is_err());
        drop(blocking);
        other.close().await;
        two.control.db().close().await;
    })
    .await;
}
