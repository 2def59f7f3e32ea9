//! Each act stands in the audit trail, with who, from where and to what, and the trail stays one chain.

use std::collections::HashMap;
use std::time::Duration;

use chill_core::pool::Terms;
use chill_core::{ControlPlane, Outcome, StoreErrorKind};
use chill_db::trial;
use chill_db::{Options, UserStatus};

use super::reports::event;
use super::{NOW, World, actor, ask, excluding, world, world_with};
use crate::{Actor, AuditEntry, ControlConfig};

async fn trail(world: &World) -> Vec<AuditEntry> {
    let mut trail = world.control.audit_trail(None, 0).await.unwrap();
    trail.reverse();
    trail
}

fn told(entry: &AuditEntry) -> (&str, &str, &str, &str) {
    (&entry.actor, &entry.actor_from, &entry.act, &entry.subject_name)
}

#[tokio::test]
async fn an_assignment_names_its_user_his_key_and_who_asked() {
    trial::both(async |trial| {
        let world = world(trial);
        let (anna, one) = (world.user("Anna").await, world.key("one", Terms::Household, None).await);
        world.tick();
        let two = world.key("two", Terms::Household, None).await;
        world.tick();
        let edge = Actor::new("internal_api", "10.0.0.7");
        edge.asks(world.control.lease(&ask(anna.link, "tv"))).await.unwrap();
        world.tick();
        world.control.lease(&excluding(anna.link, "tv", &[&one.id])).await.unwrap();
        world.tick();
        world.lease(&anna, "tv").await.unwrap();
        world.lease(&anna, "phone").await.unwrap();
        let trail = trail(&world).await;
        let assigned: Vec<_> = trail.iter().filter(|entry| entry.act == "user.assign").collect();
        let [first, second] = assigned.as_slice() else { panic!("two, and none for who stays: {assigned:?}") };
        assert_eq!(told(first), ("internal_api", "10.0.0.7", "user.assign", "Anna"));
        assert_eq!((&first.subject_id, first.at), (&anna.id.to_string(), NOW + 2));
        assert_eq!(first.detail, Some(format!("store=tb key={}", one.id)));
        assert_eq!(told(second), ("system", "this process", "user.assign", "Anna"));
        assert_eq!(second.detail, Some(format!("store=tb key={} instead of {}", two.id, one.id)));
        let all = format!("{trail:?}");
        assert!(!all.contains(&anna.link.to_string()) && !all.contains("secret-of"), "no link and no key");
    })
    .await;
}

#[tokio::test]
async fn a_keys_states_are_told_with_what_they_followed() {
    trial::both(async |trial| {
        let world = world(trial);
        let (anna, one) = (world.user("Anna").await, world.key("one", Terms::Household, None).await);
        world.tick();
        let edge = Actor::new("internal_api", "10.0.0.7");
        let reports = [event(&anna, &one.id, Outcome::PlanRestricted, NOW), event(&anna, &one.id, Outcome::Ok, NOW)];
        edge.asks(world.control.record(&reports)).await.unwrap();
        world.tick();
        world.store.says("secret-of-one", Err(StoreErrorKind::Unauthorized));
        world.control.probe_due().await.unwrap();
        world.tick();
        let trail = trail(&world).await;
        let states: Vec<_> = trail[2..].iter().map(|entry| (told(entry), entry.detail.as_deref().unwrap())).collect();
        let by_edge = ("internal_api", "10.0.0.7", "key.state", "one");
        let by_us = ("system", "this process", "key.state", "one");
        let expected =
            [(by_edge, "healthy to cooling, after a report"), (by_us, "cooling to rotated_by_provider, after a probe")];
        assert_eq!(states, expected);
    })
    .await;
}

#[tokio::test]
async fn old_days_go_with_the_other_old_rows_and_the_trail_says_so() {
    trial::both(async |trial| {
        let world = world(trial);
        world.user("Anna").await;
        world.clock.advance(Duration::from_secs(399 * 86_400));
        world.user("Bert").await;
        world.control.forget_old().await.unwrap();
        assert_eq!(trail(&world).await.len(), 2);
        world.clock.advance(Duration::from_secs(2 * 86_400));
        world.control.forget_old().await.unwrap();
        let trail = trail(&world).await;
        let acts: Vec<_> = trail.iter().map(|entry| (entry.act.as_str(), entry.detail.as_deref())).collect();
        assert_eq!(acts, [("user.add", None), ("audit.forget", Some("rows=1"))]);
        assert_eq!(world.control.audit_verify().await.unwrap().broken, None);
    })
    .await;
}

/// Two nodes assign in groups, hear reports and do an operator's acts at once: nothing waits in a circle, each assignment
/// is told once, and the chain has no gap.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_at_once_keep_one_chain() {
    trial::both(async |trial| {
        let config = || ControlConfig { torbox_pool_size: 0, ..ControlConfig::default() };
        let one = world_with(trial.db.clone(), config());
        let nodes = [one.node(trial.again(Options::default()).await, config()), one];
        let keys = [nodes[0].key("one", Terms::Partner, None).await, nodes[0].key("two", Terms::Partner, None).await];
        let mut users = Vec::new();
        for n in 0..24 {
            users.push(nodes[0].user(&format!("user {n}")).await);
        }
        let work = users.iter().enumerate().map(|(n, user)| {
            let (control, user, key) = (nodes[n % 2].control.clone(), user.clone(), keys[n % 2].id.clone());
            tokio::spawn(async move {
                control.lease(&ask(user.link, "tv")).await.unwrap();
                control.record(&[event(&user, &key, Outcome::Ok, NOW)]).await.unwrap();
                control.users().suspend(&actor(), &user.id.to_string()).await.unwrap();
            })
        });
        for one in work.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let report = nodes[0].control.audit_verify().await.unwrap();
        assert_eq!((report.broken, report.unsealed), (None, 0));
        let mut acts: HashMap<String, usize> = HashMap::new();
        for entry in nodes[0].control.audit_trail(None, 0).await.unwrap() {
            *acts.entry(entry.act).or_default() += 1;
        }
        assert_eq!((acts["user.assign"], acts["user.suspend"]), (24, 24));
        let found = nodes[1].control.users().list().await.unwrap();
        assert!(found.iter().all(|user| user.status == UserStatus::Suspended));
        nodes[0].control.db().close().await;
    })
    .await;
}
