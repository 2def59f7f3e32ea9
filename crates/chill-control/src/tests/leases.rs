//! Who gets a lease, and who is refused, with which words.

use std::time::Duration;

use chill_core::control::Delivery;
use chill_core::pool::Terms;
use chill_core::{ControlError, ControlPlane, DenialCode, LeaseRequest, StoreCode};
use chill_db::{DeviceState, trial};

use super::{NOW, actor, ask, denied, excluding, world, world_with};
use crate::{ControlConfig, Limits};

#[tokio::test]
async fn a_user_gets_the_key_and_keeps_it() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let key = world.key("one", Terms::Household, None).await;
        world.tick();
        world.key("two", Terms::Household, None).await;
        let lease = world.lease(&anna, "tv").await.unwrap();
        assert_eq!((lease.key.expose(), &lease.key_id), ("secret-of-one", &key.id));
        assert_eq!((lease.device_count, lease.store), (1, StoreCode::TorBox));
        assert_eq!((lease.ttl, lease.grace), (Duration::from_secs(300), Duration::from_secs(60)));
        assert_eq!(world.lease(&anna, "phone").await.unwrap().device_count, 2);
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key_id, key.id);
        assert_eq!(world.control.keys().find("one").await.unwrap().assigned, 1);
    })
    .await;
}

#[tokio::test]
async fn one_device_too_many_is_refused_in_the_founding_words() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        world.key("one", Terms::Household, None).await;
        for device in ["tv", "phone", "tablet"] {
            world.lease(&anna, device).await.unwrap();
        }
        let Err(ControlError::Denied(denial)) = world.lease(&anna, "laptop").await else { panic!("a fourth device") };
        assert_eq!(denial.code, DenialCode::DeviceLimit);
        assert_eq!(denial.message, "Maximum 3 devices allowed per user");
        assert_eq!(denial.device_count, Some(3));
        assert!(world.lease(&anna, "phone").await.is_ok(), "the three go on");
        let five = Limits { max_devices: Some(Some(5)), delivery: Some(Some(Delivery::Redirect)) };
        world.control.users().set_limits(&actor(), "anna", five).await.unwrap();
        let lease = world.lease(&anna, "laptop").await.unwrap();
        assert_eq!((lease.device_count, lease.delivery), (4, Some(Delivery::Redirect)));
    })
    .await;
}

#[tokio::test]
async fn each_refusal_has_its_code() {
    trial::both(async |trial| {
        let world = world(trial);
        let (anna, bert) = (world.user("Anna").await, world.user("Bert").await);
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::NoKey);
        world.key("one", Terms::OwnUse, None).await;
        world.lease(&anna, "tv").await.unwrap();
        assert_eq!(world.denial(&bert, "tv").await, DenialCode::NoKey, "an own_use key has one user");
        let elsewhere = LeaseRequest { store: StoreCode::RealDebrid, ..ask(anna.link, "tv") };
        assert_eq!(denied(world.control.lease(&elsewhere).await), DenialCode::ServiceUnknown);
        let nobody = ask("0198c7d2-0000-4000-8000-000000000000".parse().unwrap(), "tv");
        assert_eq!(denied(world.control.lease(&nobody).await), DenialCode::UserUnknown);
        world.control.users().suspend(&actor(), "Anna").await.unwrap();
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::UserInactive);
        world.control.users().activate(&actor(), "Anna").await.unwrap();
        assert!(world.lease(&anna, "tv").await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_refused_device_takes_no_place() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        for device in ["a", "b", "c", "d"] {
            assert_eq!(world.denial(&anna, device).await, DenialCode::NoKey);
        }
        assert_eq!(world.control.devices().list("Anna").await.unwrap(), []);
        world.key("one", Terms::Household, None).await;
        assert_eq!(world.lease(&anna, "e").await.unwrap().device_count, 1);
    })
    .await;
}

#[tokio::test]
async fn a_reset_link_opens_nothing_and_the_new_one_finds_the_same_user() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        world.key("one", Terms::OwnUse, None).await;
        world.lease(&anna, "tv").await.unwrap();
        let after = world.control.users().reset_link(&actor(), "Anna").await.unwrap();
        assert_ne!(after.link, anna.link);
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::UserUnknown);
        let lease = world.lease(&after, "phone").await.unwrap();
        assert_eq!(lease.device_count, 2, "his devices and his place at the key stayed");
    })
    .await;
}

#[tokio::test]
async fn a_revoked_device_stays_out_until_it_is_forgotten() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        world.key("one", Terms::Household, None).await;
        world.lease(&anna, "tv").await.unwrap();
        let device = world.control.devices().list("Anna").await.unwrap().remove(0);
        assert_eq!((device.kind.as_str(), device.label.as_deref()), ("fingerprint", Some("Stremio player")));
        world.control.devices().revoke(&actor(), &device.id).await.unwrap();
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::DeviceRevoked);
        assert_eq!(world.control.users().find("Anna").await.unwrap().device_count, 0);
        world.control.devices().revoke(&actor(), &device.id).await.unwrap();
        assert_eq!(world.control.users().find("Anna").await.unwrap().device_count, 0, "revoked twice counts once");
        world.control.devices().forget(&actor(), &device.id).await.unwrap();
        assert_eq!(world.lease(&anna, "tv").await.unwrap().device_count, 1);
    })
    .await;
}

#[tokio::test]
async fn an_idle_device_gives_its_place_to_a_new_one() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        world.key("one", Terms::Household, None).await;
        for device in ["tv", "phone", "tablet"] {
            world.lease(&anna, device).await.unwrap();
        }
        world.clock.advance(Duration::from_secs(29 * 86_400));
        world.lease(&anna, "phone").await.unwrap();
        world.lease(&anna, "tablet").await.unwrap();
        assert_eq!(world.denial(&anna, "laptop").await, DenialCode::DeviceLimit);
        world.clock.advance(Duration::from_secs(2 * 86_400));
        assert_eq!(world.lease(&anna, "laptop").await.unwrap().device_count, 3);
        let devices = world.control.devices().list("Anna").await.unwrap();
        let idle: Vec<_> = devices.iter().filter(|device| device.state == DeviceState::Idle).collect();
        assert_eq!(idle.len(), 1);
        assert_eq!(idle[0].device.as_str(), "tv");
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::DeviceLimit, "it lost its place");
        let phone = devices.iter().find(|device| device.device.as_str() == "phone").unwrap();
        world.control.devices().forget(&actor(), &phone.id).await.unwrap();
        assert_eq!(world.lease(&anna, "tv").await.unwrap().device_count, 3, "and takes a free one again");
    })
    .await;
}

#[tokio::test]
async fn a_failed_key_is_left_and_when_all_rest_the_wait_is_named() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::Household, None).await;
        world.tick();
        let two = world.key("two", Terms::Household, None).await;
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key_id, one.id);
        let other = world.control.lease(&excluding(anna.link, "tv", &[&one.id])).await.unwrap();
        assert_eq!(other.key_id, two.id);
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key_id, two.id, "and the user stays there");
        let counts: Vec<_> = world.control.keys().list().await.unwrap().iter().map(|key| key.assigned).collect();
        assert_eq!(counts, [0, 1]);
        let none = world.control.lease(&excluding(anna.link, "tv", &[&one.id, &two.id])).await;
        assert_eq!(denied(none), DenialCode::NoKey);
    })
    .await;
}

#[tokio::test]
async fn users_spread_over_the_keys() {
    trial::both(async |trial| {
        let world = world(trial);
        for name in ["one", "two", "three"] {
            world.key(name, Terms::Partner, None).await;
        }
        for n in 0..9 {
            let user = world.user(&format!("user {n}")).await;
            world.lease(&user, "tv").await.unwrap();
        }
        let counts: Vec<_> = world.control.keys().list().await.unwrap().iter().map(|key| key.assigned).collect();
        assert_eq!(counts, [3, 3, 3]);
    })
    .await;
}

#[tokio::test]
async fn a_sight_is_noted_once_a_minute_at_most() {
    trial::both(async |trial| {
        // Without the queue a sight is noted before the answer, so the test need not wait for it.
        let world = world_with(trial.db.clone(), ControlConfig { group_commit: false, ..ControlConfig::default() });
        let anna = world.user("Anna").await;
        world.key("one", Terms::Household, None).await;
        let mut seen = Vec::new();
        for _ in 0..4 {
            world.lease(&anna, "tv").await.unwrap();
            seen.push(world.control.devices().list("Anna").await.unwrap()[0].last_seen - NOW);
            world.clock.advance(Duration::from_secs(25));
        }
        assert_eq!(seen, [0, 0, 0, 75_000]);
    })
    .await;
}

#[tokio::test]
async fn a_removed_user_leaves_his_place_and_his_link_is_unknown() {
    trial::both(async |trial| {
        let world = world(trial);
        let (anna, bert) = (world.user("Anna").await, world.user("Bert").await);
        world.key("one", Terms::OwnUse, None).await;
        world.lease(&anna, "tv").await.unwrap();
        world.control.users().remove(&actor(), "Anna").await.unwrap();
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::UserUnknown);
        assert!(world.lease(&bert, "tv").await.is_ok());
    })
    .await;
}
