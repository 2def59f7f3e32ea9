//! Limits under concurrency: several nodes, many requests at the same moment.

use std::collections::HashMap;

use chill_core::pool::Terms;
use chill_core::{ControlError, ControlPlane, DenialCode};
use chill_db::Options;
use chill_db::trial::{self, Trial};

use super::{World, actor, ask, denied, world_with};
use crate::ControlConfig;

fn config(group_commit: bool) -> ControlConfig {
    ControlConfig { group_commit, torbox_pool_size: 0, ..ControlConfig::default() }
}

/// Two nodes over one database, both deciding in this manner.
async fn two_nodes(trial: &Trial, group_commit: bool) -> [World; 2] {
    let one = world_with(trial.db.clone(), config(group_commit));
    let two = one.node(trial.again(Options::default()).await, config(group_commit));
    [one, two]
}

async fn sixty_four_first_requests(trial: &Trial, group_commit: bool) {
    let nodes = two_nodes(trial, group_commit).await;
    nodes[0].key("one", Terms::Partner, None).await;
    let anna = nodes[0].user("Anna").await;
    let asks = (0..64).map(|n| {
        let (control, ask) = (nodes[n % 2].control.clone(), ask(anna.link, &format!("device {n}")));
        tokio::spawn(async move { control.lease(&ask).await })
    });
    let (mut allowed, mut refused) = (0, 0);
    for answer in asks.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Ok(lease) => {
                allowed += 1;
                assert!(lease.device_count <= 3);
            }
            answer => {
                refused += 1;
                assert_eq!(denied(answer), DenialCode::DeviceLimit);
            }
        }
    }
    assert_eq!((allowed, refused), (3, 61));
    let mut tx = trial.db.read().await.unwrap();
    assert_eq!(tx.devices_active(anna.id).await.unwrap(), 3);
    assert_eq!(tx.user_by_id(anna.id).await.unwrap().unwrap().device_count, 3);
    nodes[1].control.db().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_first_requests_exactly_three_get_a_place() {
    trial::both(async |trial| sixty_four_first_requests(trial, true).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn also_when_each_has_its_own_transaction() {
    trial::both(async |trial| sixty_four_first_requests(trial, false).await).await;
}

/// Forty users want two keys for five and seven: twelve get a place, whoever decides.
async fn more_users_than_places(trial: &Trial, group_commit: bool) {
    let nodes = two_nodes(trial, group_commit).await;
    nodes[0].key("five", Terms::Partner, Some(5)).await;
    nodes[0].key("seven", Terms::Household, Some(7)).await;
    let mut asks = Vec::new();
    for n in 0..40 {
        let user = nodes[0].user(&format!("user {n}")).await;
        let control = nodes[n % 2].control.clone();
        asks.push((control, ask(user.link, "tv")));
    }
    let answers = asks.into_iter().map(|(control, ask)| tokio::spawn(async move { control.lease(&ask).await }));
    let mut served: HashMap<String, u32> = HashMap::new();
    let mut refused = 0;
    for answer in answers.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Ok(lease) => *served.entry(lease.key.expose().to_owned()).or_default() += 1,
            answer => {
                refused += 1;
                assert_eq!(denied(answer), DenialCode::NoKey);
            }
        }
    }
    assert_eq!(refused, 28);
    assert_eq!(served, HashMap::from([("secret-of-five".to_owned(), 5), ("secret-of-seven".to_owned(), 7)]));
    let mut tx = trial.db.read().await.unwrap();
    for key in tx.keys().await.unwrap() {
        assert_eq!(tx.seats_at(&key.id).await.unwrap(), key.assigned);
    }
    drop(tx);
    nodes[1].control.db().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passport_holds_under_concurrent_assignments() {
    trial::both(async |trial| more_users_than_places(trial, true).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn also_with_a_transaction_for_each() {
    trial::both(async |trial| more_users_than_places(trial, false).await).await;
}

/// Users move to and fro between keys on two nodes while keys are removed: nothing waits in a circle, and the counters
/// stay true.
#[tokio::test(flavor = "multi_thread")]
async fn moving_users_and_removing_keys_do_not_block_each_other() {
    trial::both(async |trial| {
        let nodes = two_nodes(trial, true).await;
        let mut keys = Vec::new();
        for n in 0..4 {
            keys.push(nodes[0].key(&format!("key-{n}"), Terms::Partner, Some(6)).await.id);
        }
        let mut work = Vec::new();
        for n in 0..8 {
            let user = nodes[0].user(&format!("user {n}")).await;
            let (control, keys) = (nodes[n % 2].control.clone(), keys.clone());
            work.push(tokio::spawn(async move {
                for turn in 0..12 {
                    let ask = super::excluding(user.link, "tv", &[&keys[(n + turn) % 4]]);
                    if let Err(ControlError::Unavailable { why: said, .. }) = control.lease(&ask).await {
                        panic!("{said}");
                    }
                }
            }));
        }
        nodes[1].control.keys().remove(&actor(), keys[0].as_str()).await.unwrap();
        for one in work {
            one.await.unwrap();
        }
        let mut tx = trial.db.read().await.unwrap();
        for key in tx.keys().await.unwrap() {
            assert_eq!(tx.seats_at(&key.id).await.unwrap(), key.assigned);
            assert!(key.assigned <= 6);
        }
        drop(tx);
        nodes[1].control.db().close().await;
    })
    .await;
}

/// Requests run while a key is disabled: every lease on it that is given carries an epoch from before, so that an edge
/// which heard of the change drops it.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_never_newer_than_what_it_was_decided_on() {
    trial::both(async |trial| {
        let nodes = two_nodes(trial, true).await;
        let anna = nodes[0].user("Anna").await;
        let key = nodes[0].key("one", Terms::OwnUse, None).await;
        let mut leases = 0;
        for _ in 0..10 {
            let askers = (0..6).map(|n| {
                let (control, ask) = (nodes[n % 2].control.clone(), ask(anna.link, "tv"));
                tokio::spawn(async move {
                    let mut epochs = Vec::new();
                    while let Ok(lease) = control.lease(&ask).await {
                        epochs.push(lease.epoch);
                    }
                    epochs
                })
            });
            let askers: Vec<_> = askers.collect();
            nodes[0].lease(&anna, "tv").await.unwrap();
            nodes[0].control.keys().disable(&actor(), key.id.as_str()).await.unwrap();
            let mut tx = trial.db.read().await.unwrap();
            let off = tx.epoch().await.unwrap();
            drop(tx);
            for asker in askers {
                let epochs = asker.await.unwrap();
                assert!(epochs.iter().all(|epoch| *epoch < off), "{epochs:?} {off}");
                leases += epochs.len();
            }
            nodes[0].control.keys().enable(&actor(), key.id.as_str()).await.unwrap();
        }
        assert!(leases > 0);
        nodes[1].control.db().close().await;
    })
    .await;
}
