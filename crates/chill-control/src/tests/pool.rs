//! What an operator does with the key pool.

use chill_core::pool::{KeyState, Terms};
use chill_core::{ControlPlane, DenialCode, KeyId, Secret, StoreCode, StoreErrorKind};
use chill_db::trial;

use super::{NOW, account, actor, denied, excluding, new_key, world, world_with};
use crate::{AddKey, ControlConfig, UseError};

#[tokio::test]
async fn a_key_the_store_refuses_is_not_added() {
    trial::both(async |trial| {
        let world = world(trial);
        let keys = world.control.keys();
        world.store.says("secret-of-bad", Err(StoreErrorKind::Unauthorized));
        let refused = keys.add(&actor(), new_key("bad", Terms::OwnUse, None)).await.unwrap_err();
        assert!(matches!(refused, UseError::KeyRefused(_)));
        assert!(!refused.to_string().contains("secret-of"));
        assert_eq!(keys.list().await.unwrap(), []);
        let unchecked = AddKey { unchecked: true, ..new_key("bad", Terms::OwnUse, None) };
        let added = keys.add(&actor(), unchecked).await.unwrap();
        assert_eq!((added.state, added.has_worked), (KeyState::Healthy, false));
        // A minute later the control plane asks by itself.
        world.clock.advance(std::time::Duration::from_secs(60));
        world.control.probe_due().await.unwrap();
        assert_eq!(keys.find("bad").await.unwrap().state, KeyState::Rejected);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_added_while_its_store_is_away_and_asked_about_later() {
    trial::both(async |trial| {
        let world = world(trial);
        world.store.says("secret-of-one", Err(StoreErrorKind::Unavailable));
        let added = world.key("one", Terms::OwnUse, None).await;
        assert_eq!((added.state, added.has_worked), (KeyState::Healthy, false));
        world.store.says("secret-of-one", Ok(account()));
        world.clock.advance(std::time::Duration::from_secs(60));
        world.control.probe_due().await.unwrap();
        let key = world.control.keys().find("one").await.unwrap();
        assert!(key.has_worked && key.last_error.is_none() && key.last_probe_at == Some(NOW + 60_000));
    })
    .await;
}

#[tokio::test]
async fn wishes_out_of_bounds_are_refused_with_a_sentence() {
    trial::both(async |trial| {
        let world = world_with(trial.db.clone(), ControlConfig { torbox_pool_size: 2, ..ControlConfig::default() });
        let keys = world.control.keys();
        let good = || new_key("one", Terms::OwnUse, None);
        let wrong = [
            AddKey { name: " ".to_owned(), ..good() },
            AddKey { name: "a\u{1b}[31m".to_owned(), ..good() },
            AddKey { secret: Secret::new("two words of secret"), ..good() },
            AddKey { secret: Secret::new("short"), ..good() },
            AddKey { weight: 0, ..good() },
            AddKey { store: StoreCode::RealDebrid, ..good() },
        ];
        for wish in wrong {
            let said = keys.add(&actor(), wish).await.unwrap_err();
            assert!(matches!(said, UseError::Invalid(_)), "{said}");
        }
        let padded = AddKey { secret: Secret::new("  secret-of-one\r\n"), ..good() };
        keys.add(&actor(), padded).await.unwrap();
        assert_eq!(world.store.asked("secret-of-one"), 1, "without the line end");
        let taken = keys.add(&actor(), AddKey { name: "ONE".to_owned(), ..good() }).await.unwrap_err();
        assert!(matches!(taken, UseError::NameTaken { .. }));
        keys.add(&actor(), new_key("two", Terms::OwnUse, None)).await.unwrap();
        let full = keys.add(&actor(), new_key("three", Terms::OwnUse, None)).await.unwrap_err();
        assert!(full.to_string().contains("TORBOX_POOL_SIZE"), "{full}");
        assert!(matches!(keys.find("nobody").await, Err(UseError::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_draining_key_loses_its_users_one_by_one() {
    trial::both(async |trial| {
        let world = world(trial);
        let keys = world.control.keys();
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::Household, None).await;
        world.lease(&anna, "tv").await.unwrap();
        assert_eq!(keys.drain(&actor(), "one").await.unwrap().state, KeyState::Draining);
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key_id, one.id, "there is no other");
        let bert = world.user("Bert").await;
        assert_eq!(world.denial(&bert, "tv").await, DenialCode::NoKey);
        let two = world.key("two", Terms::Household, None).await;
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key_id, two.id);
        keys.disable(&actor(), "two").await.unwrap();
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::NoKey, "the draining one takes nobody new");
        keys.enable(&actor(), "two").await.unwrap();
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key_id, two.id);
    })
    .await;
}

#[tokio::test]
async fn a_new_secret_serves_the_same_users() {
    trial::both(async |trial| {
        let world = world(trial);
        let keys = world.control.keys();
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::OwnUse, None).await;
        world.lease(&anna, "tv").await.unwrap();
        world.store.says("not-accepted", Err(StoreErrorKind::Unauthorized));
        let refused = keys.rotate(&actor(), "one", &Secret::new("not-accepted"), false).await;
        assert!(matches!(refused, Err(UseError::KeyRefused(_))));
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key.expose(), "secret-of-one");
        keys.rotate(&actor(), "one", &Secret::new("secret-of-two"), false).await.unwrap();
        let lease = world.lease(&anna, "tv").await.unwrap();
        assert_eq!((lease.key.expose(), &lease.key_id), ("secret-of-two", &one.id));
        keys.disable(&actor(), "one").await.unwrap();
        let rotated = keys.rotate(&actor(), "one", &Secret::new("secret-of-three"), true).await.unwrap();
        assert_eq!(rotated.state, KeyState::Disabled, "the operator's word stands");
    })
    .await;
}

#[tokio::test]
async fn a_removed_key_is_gone_and_its_users_get_another() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::Household, None).await;
        world.lease(&anna, "tv").await.unwrap();
        world.control.keys().remove(&actor(), "one").await.unwrap();
        assert_eq!(world.denial(&anna, "tv").await, DenialCode::NoKey);
        let two = world.key("two", Terms::Household, None).await;
        assert_eq!(world.lease(&anna, "tv").await.unwrap().key_id, two.id);
        let unknown: Vec<KeyId> = vec![one.id.clone(), two.id.clone()];
        let asked = excluding(anna.link, "tv", &unknown.iter().collect::<Vec<_>>());
        assert_eq!(denied(world.control.lease(&asked).await), DenialCode::NoKey);
    })
    .await;
}

#[tokio::test]
async fn checking_a_key_asks_its_store_and_tells() {
    trial::both(async |trial| {
        let world = world(trial);
        world.key("one", Terms::OwnUse, None).await;
        world.store.says("secret-of-one", Err(StoreErrorKind::Unauthorized));
        let checked = world.control.keys().check(&actor(), "one").await.unwrap();
        assert_eq!(checked.state, KeyState::RotatedByProvider);
        world.store.says("secret-of-one", Ok(account()));
        assert_eq!(world.control.keys().check(&actor(), "one").await.unwrap().state, KeyState::Healthy);
    })
    .await;
}
