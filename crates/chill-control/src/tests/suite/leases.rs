//! Who gets a lease, and with which words others do not.

use std::time::Duration;

use chill_core::control::Delivery;
use chill_core::pool::Terms;
use chill_core::{Action, ControlError, Denial, DenialCode, LeaseRequest, Outcome, StoreCode};

use super::super::reports::event;
use super::super::{NOW, actor, ask, denied, excluding};
use super::Stage;
use crate::Limits;

pub(super) async fn a_lease_carries_all_of_it(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    let key = world.key("one", Terms::Household, None).await;
    let limits = Limits { max_devices: None, delivery: Some(Some(Delivery::Redirect)) };
    world.control.users().set_limits(&actor(), "Anna", limits).await.unwrap();
    let hash = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567".parse().ok();
    let full = LeaseRequest { hash, action: Action::known(Action::STREAM_REQUEST), ..ask(anna.link, "tv") };
    let lease = stage.lease(&full).await.unwrap();
    assert_eq!((lease.key.expose(), &lease.key_id), ("secret-of-one", &key.id));
    assert_eq!((lease.store, lease.device_count), (StoreCode::TorBox, 1));
    assert_eq!((lease.ttl, lease.grace), (Duration::from_secs(300), Duration::from_secs(60)));
    assert_eq!((lease.epoch, lease.delivery, lease.max_streams), (1, Some(Delivery::Redirect), None));
    assert_eq!(stage.lease(&full).await.unwrap().device_count, 1, "asked again, it is the same device");
    let devices = world.control.devices().list("Anna").await.unwrap();
    assert_eq!(devices[0].label.as_deref(), Some("Stremio player"));
}

pub(super) async fn each_refusal_has_its_code_and_words(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    let refused = async |ask: &LeaseRequest| denied(stage.lease(ask).await);
    assert_eq!(refused(&ask(anna.link, "tv")).await, DenialCode::NoKey);
    world.key("one", Terms::Household, None).await;
    for device in ["tv", "phone", "tablet"] {
        stage.lease(&ask(anna.link, device)).await.unwrap();
    }
    let Err(ControlError::Denied(denial)) = stage.lease(&ask(anna.link, "laptop")).await else { panic!("a fourth") };
    let message = "Maximum 3 devices allowed per user".to_owned();
    assert_eq!(denial, Denial { code: DenialCode::DeviceLimit, message, device_count: Some(3) });
    let elsewhere = LeaseRequest { store: StoreCode::RealDebrid, ..ask(anna.link, "tv") };
    assert_eq!(refused(&elsewhere).await, DenialCode::ServiceUnknown);
    let nobody = ask("0198c7d2-0000-4000-8000-000000000000".parse().unwrap(), "tv");
    assert_eq!(refused(&nobody).await, DenialCode::UserUnknown);
    let device = world.control.devices().list("Anna").await.unwrap().remove(0);
    world.control.devices().revoke(&actor(), &device.id).await.unwrap();
    assert_eq!(refused(&ask(anna.link, device.device.as_str())).await, DenialCode::DeviceRevoked);
    world.control.users().suspend(&actor(), "Anna").await.unwrap();
    assert_eq!(refused(&ask(anna.link, "phone")).await, DenialCode::UserInactive);
    world.control.users().activate(&actor(), "Anna").await.unwrap();
    for known in ["tv", "phone", "tablet"].into_iter().filter(|known| *known != device.device.as_str()) {
        assert_eq!(stage.lease(&ask(anna.link, known)).await.unwrap().device_count, 2);
    }
}

pub(super) async fn a_failed_key_is_left(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    let one = world.key("one", Terms::Household, None).await;
    world.tick();
    let two = world.key("two", Terms::Household, None).await;
    assert_eq!(stage.lease(&ask(anna.link, "tv")).await.unwrap().key_id, one.id);
    assert_eq!(stage.lease(&excluding(anna.link, "tv", &[&one.id])).await.unwrap().key_id, two.id);
    assert_eq!(stage.lease(&ask(anna.link, "tv")).await.unwrap().key_id, two.id, "and he stays there");
    let none = stage.lease(&excluding(anna.link, "tv", &[&one.id, &two.id])).await;
    assert_eq!(denied(none), DenialCode::NoKey);
}

pub(super) async fn resting_keys_name_their_wait(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    let key = world.key("one", Terms::Household, None).await;
    stage.lease(&ask(anna.link, "tv")).await.unwrap();
    stage.port.record(&[event(&anna, &key.id, Outcome::Throttled, NOW)]).await.unwrap();
    let Err(ControlError::Exhausted { retry_after }) = stage.lease(&ask(anna.link, "tv")).await else {
        panic!("the only key rests")
    };
    assert!(retry_after >= Duration::from_secs(1), "{retry_after:?}");
    world.clock.advance(retry_after + Duration::from_secs(1));
    assert_eq!(stage.lease(&ask(anna.link, "tv")).await.unwrap().key_id, key.id);
}
