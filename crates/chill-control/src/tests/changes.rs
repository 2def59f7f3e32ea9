//! What an operator does reaches the edges, with the right consequence, and stands in the audit trail.

use std::time::Duration;

use chill_core::control::{Act, Subject};
use chill_core::pool::Terms;
use chill_core::{ControlPlane, Feed, Outcome, Secret};
use chill_db::trial;

use super::reports::event;
use super::{actor, suite, world};
use crate::Limits;

async fn next(feed: &mut Feed) -> (Subject, Act) {
    let change = tokio::time::timeout(Duration::from_secs(1), suite::next(feed)).await;
    let change = change.expect("a change within a second");
    (change.subject, change.act)
}

#[tokio::test]
async fn acts_on_users_and_devices_are_told() {
    trial::both(async |trial| {
        let world = world(trial);
        let (users, devices) = (world.control.users(), world.control.devices());
        let anna = world.user("Anna").await;
        world.tick();
        world.key("one", Terms::Household, None).await;
        world.lease(&anna, "tv").await.unwrap();
        let mut changes = world.control.watch(None);
        assert_eq!(next(&mut changes).await, (Subject::Everything, Act::Refresh));
        world.tick();
        users.suspend(&actor(), "Anna").await.unwrap();
        assert_eq!(next(&mut changes).await, (Subject::Link(anna.link), Act::Revoke));
        world.tick();
        users.activate(&actor(), "Anna").await.unwrap();
        assert_eq!(next(&mut changes).await, (Subject::Link(anna.link), Act::Refresh));
        world.tick();
        users.set_limits(&actor(), "Anna", Limits::default()).await.unwrap();
        assert_eq!(next(&mut changes).await, (Subject::Link(anna.link), Act::Refresh));
        let tv = devices.list("Anna").await.unwrap().remove(0);
        world.tick();
        devices.revoke(&actor(), &tv.id).await.unwrap();
        assert_eq!(next(&mut changes).await, (Subject::Device(anna.link, tv.device.clone()), Act::Revoke));
        world.tick();
        devices.forget(&actor(), &tv.id).await.unwrap();
        assert_eq!(next(&mut changes).await, (Subject::Device(anna.link, tv.device), Act::Refresh));
        world.tick();
        let after = users.reset_link(&actor(), "Anna").await.unwrap();
        assert_eq!(next(&mut changes).await, (Subject::Link(anna.link), Act::Revoke));
        world.tick();
        users.remove(&actor(), "Anna").await.unwrap();
        assert_eq!(next(&mut changes).await, (Subject::Link(after.link), Act::Revoke));
        let trail = world.control.audit_trail(None, 0).await.unwrap();
        let acts: Vec<_> = trail.iter().rev().map(|entry| entry.act.as_str()).collect();
        let told = ["user.suspend", "user.activate", "user.limits", "device.revoke", "device.forget"];
        let mut first = acts[..3].to_vec();
        first.sort_unstable();
        assert_eq!(first, ["key.add", "user.add", "user.assign"]);
        assert_eq!(acts[3..8], told);
        assert_eq!(acts[8..], ["user.reset-link", "user.remove"]);
        let by_hand = trail.iter().filter(|entry| entry.act != "user.assign");
        assert!(by_hand.clone().all(|entry| entry.actor == "tester" && entry.actor_from == "a test"));
    })
    .await;
}

#[tokio::test]
async fn acts_on_keys_are_told() {
    trial::both(async |trial| {
        let world = world(trial);
        let keys = world.control.keys();
        let id = world.key("one", Terms::Household, None).await.id;
        let subject = Subject::Key(id.clone());
        let mut changes = world.control.watch(None);
        next(&mut changes).await;
        keys.drain(&actor(), "one").await.unwrap();
        assert_eq!(next(&mut changes).await, (subject.clone(), Act::Refresh));
        keys.disable(&actor(), "one").await.unwrap();
        assert_eq!(next(&mut changes).await, (subject.clone(), Act::Revoke));
        keys.enable(&actor(), "one").await.unwrap();
        assert_eq!(next(&mut changes).await, (subject.clone(), Act::Refresh));
        keys.rotate(&actor(), "one", &Secret::new("another-secret"), false).await.unwrap();
        assert_eq!(next(&mut changes).await, (subject.clone(), Act::Refresh));
        let anna = world.user("Anna").await;
        world.control.record(&[event(&anna, &id, Outcome::Throttled, super::NOW)]).await.unwrap();
        assert_eq!(next(&mut changes).await, (subject.clone(), Act::Refresh));
        keys.remove(&actor(), "one").await.unwrap();
        assert_eq!(next(&mut changes).await, (subject, Act::Revoke));
    })
    .await;
}
