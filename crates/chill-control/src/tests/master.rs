//! Master keys: the wrong one is refused, a new one takes over row by row, and the file holds no secret.

use chill_core::pool::Terms;
use chill_core::{Chance, ControlPlane};
use chill_db::trial;

use super::{World, actor, ask, master, new_key, vault, world};
use crate::{Control, ControlConfig, UseError, VaultError};

fn with_masters(world: &World, masters: &str) -> Control {
    let (db, stores) = (world.control.db().clone(), vec![world.store.clone() as _]);
    Control::new(db, vault(masters), stores, world.clock.clone(), Chance::System, ControlConfig::default())
}

#[tokio::test]
async fn another_master_is_refused_before_anything_is_sealed_with_it() {
    trial::both(async |trial| {
        let world = world(trial);
        world.control.check_master().await.unwrap();
        let other = with_masters(&world, &master(2));
        let refused = other.check_master().await.unwrap_err();
        assert!(matches!(refused, UseError::Vault(VaultError::WrongMaster)));
        assert!(refused.to_string().contains("CHILLPROXY_MASTER_KEY"));
        let refused = other.keys().add(&actor(), new_key("one", Terms::OwnUse, None)).await.unwrap_err();
        assert!(matches!(refused, UseError::Vault(VaultError::WrongMaster)));
        with_masters(&world, &master(1)).check_master().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_new_master_takes_over_and_the_old_one_may_go() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let big = world.node(trial.db.clone(), ControlConfig { torbox_pool_size: 0, ..ControlConfig::default() });
        // More than one page of keys.
        for n in 0..40 {
            let unlimited = new_key(&format!("key-{n}"), Terms::Household, None);
            big.control.keys().add(&actor(), unlimited).await.unwrap();
        }
        world.control.check_master().await.unwrap();
        let both = with_masters(&world, &format!("{},{}", master(2), master(1)));
        both.check_master().await.unwrap();
        assert!(both.lease(&ask(anna.link, "tv")).await.is_ok(), "before any row was sealed anew");
        assert_eq!(both.reseal().await.unwrap(), 40);
        assert_eq!(both.reseal().await.unwrap(), 0);
        let new = with_masters(&world, &master(2));
        new.check_master().await.unwrap();
        let lease = new.lease(&ask(anna.link, "tv")).await.unwrap();
        let key = new.keys().find(lease.key_id.as_str()).await.unwrap();
        assert_eq!(lease.key.expose(), format!("secret-of-{}", key.name));
        let old = with_masters(&world, &master(1));
        assert!(matches!(old.check_master().await, Err(UseError::Vault(VaultError::WrongMaster))));
    })
    .await;
}

#[tokio::test]
async fn rows_cannot_be_swapped() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        let one = world.key("one", Terms::OwnUse, None).await;
        world.tick();
        let two = world.key("two", Terms::Household, None).await;
        let mut tx = trial.db.write().await.unwrap();
        let stolen = tx.keys_by_id(std::slice::from_ref(&two.id)).await.unwrap().remove(0).sealed;
        tx.key_replace_sealed(&one.id, &stolen).await.unwrap();
        tx.commit().await.unwrap();
        assert!(world.lease(&anna, "tv").await.is_err(), "the blob of another row does not open");
        assert_eq!(world.control.devices().list("Anna").await.unwrap(), []);
        assert!(matches!(world.control.keys().check(&actor(), "one").await, Err(UseError::Vault(VaultError::Broken))));
    })
    .await;
}

#[tokio::test]
async fn no_file_of_the_database_holds_a_secret() {
    let trial = trial::sqlite().await;
    let world = world(&trial);
    let anna = world.user("Anna").await;
    world.key("canary", Terms::Household, None).await;
    world.lease(&anna, "tv").await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(trial.directory().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(!holds(b"secret-of-canary"));
        files += usize::from(holds(b"canary"));
    }
    assert!(files > 0, "the name is there, so the search works");
    trial.end().await;
}
