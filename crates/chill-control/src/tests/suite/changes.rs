//! Changes reach an edge in order, once it follows, and again from where it left off.

use chill_core::control::{Act, Subject};
use chill_core::pool::Terms;
use chill_core::{Change, FeedItem};

use super::super::{NOW, actor, ask, excluding};
use super::{Stage, item, next};

pub(super) async fn the_first_item_tells_that_it_is_connected(stage: &Stage) {
    let mut feed = stage.port.watch(None);
    assert_eq!(item(&mut feed).await, FeedItem::Connected { epoch: 0 });
    assert_eq!(item(&mut feed).await, FeedItem::Change(Change::everything(0)));
    let anna = stage.world.user("Anna").await;
    stage.world.control.users().suspend(&actor(), "Anna").await.unwrap();
    assert_eq!(next(&mut stage.port.watch(None)).await, Change::everything(1));
    let suspended = Change { epoch: 1, subject: Subject::Link(anna.link), act: Act::Revoke, at: Some(NOW) };
    assert_eq!(next(&mut stage.port.watch(Some(0))).await, suspended);
    assert_eq!(item(&mut stage.port.watch(Some(1))).await, FeedItem::Connected { epoch: 1 }, "with nothing missed too");
}

pub(super) async fn a_quiet_feed_says_that_it_is_alive(stage: &Stage) {
    let mut feed = stage.port.watch(Some(0));
    assert_eq!(item(&mut feed).await, FeedItem::Connected { epoch: 0 });
    assert_eq!(item(&mut feed).await, FeedItem::Alive);
    assert_eq!(item(&mut feed).await, FeedItem::Alive);
}

pub(super) async fn acts_arrive_in_order(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    let key = world.key("one", Terms::Household, None).await;
    stage.lease(&ask(anna.link, "tv")).await.unwrap();
    let tv = world.control.devices().list("Anna").await.unwrap().remove(0);
    let mut changes = stage.port.watch(None);
    assert_eq!(next(&mut changes).await, Change::everything(0));
    world.control.users().suspend(&actor(), "Anna").await.unwrap();
    world.control.users().activate(&actor(), "Anna").await.unwrap();
    world.control.devices().revoke(&actor(), &tv.id).await.unwrap();
    world.control.keys().disable(&actor(), "one").await.unwrap();
    let after = world.control.users().reset_link(&actor(), "Anna").await.unwrap();
    world.control.users().suspend(&actor(), "Anna").await.unwrap();
    let expected = [
        (Subject::Link(anna.link), Act::Revoke),
        (Subject::Link(anna.link), Act::Refresh),
        (Subject::Device(anna.link, tv.device), Act::Revoke),
        (Subject::Key(key.id), Act::Revoke),
        (Subject::Link(anna.link), Act::Revoke),
        (Subject::Link(after.link), Act::Revoke),
    ];
    for (epoch, (subject, act)) in (1..).zip(expected) {
        assert_eq!(next(&mut changes).await, Change { epoch, subject, act, at: Some(NOW) });
    }
}

/// Another edge may hold a lease of the old key, whose place somebody else may have now.
pub(super) async fn a_user_who_is_moved_to_another_key_is_told_of(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    let one = world.key("one", Terms::Household, None).await;
    let mut changes = stage.port.watch(None);
    assert_eq!(next(&mut changes).await, Change::everything(0));
    let first = stage.lease(&ask(anna.link, "tv")).await.unwrap();
    assert_eq!(first.key_id, one.id);
    let two = world.key("two", Terms::Household, None).await;
    let moved = stage.lease(&excluding(anna.link, "tv", &[&one.id])).await.unwrap();
    assert_eq!(moved.key_id, two.id);
    let change = next(&mut changes).await;
    assert_eq!((change.subject, change.act), (Subject::Link(anna.link), Act::Refresh), "films go on");
    let again = stage.lease(&ask(anna.link, "tv")).await.unwrap();
    assert_eq!((again.key_id, again.epoch), (two.id, change.epoch), "and the next lease is not older than that");
}

pub(super) async fn a_feed_resumes_where_it_ended(stage: &Stage) {
    let users = stage.world.control.users();
    stage.world.user("Anna").await;
    let mut changes = stage.port.watch(None);
    next(&mut changes).await;
    users.suspend(&actor(), "Anna").await.unwrap();
    assert_eq!(next(&mut changes).await.epoch, 1);
    drop(changes);
    users.activate(&actor(), "Anna").await.unwrap();
    users.suspend(&actor(), "Anna").await.unwrap();
    let mut changes = stage.port.watch(Some(1));
    users.activate(&actor(), "Anna").await.unwrap();
    for epoch in 2..=4 {
        let change = next(&mut changes).await;
        assert_eq!(change.epoch, epoch);
        assert_ne!(change.subject, Subject::Everything, "nothing was missed");
    }
}

pub(super) async fn a_gap_is_told_when_the_past_is_gone(stage: &Stage) {
    let users = stage.world.control.users();
    stage.world.user("Anna").await;
    users.suspend(&actor(), "Anna").await.unwrap();
    users.activate(&actor(), "Anna").await.unwrap();
    let mut tx = stage.world.control.db().write().await.unwrap();
    assert_eq!(tx.changes_forget(NOW + 1).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let mut changes = stage.port.watch(Some(1));
    assert_eq!(next(&mut changes).await, Change::everything(2));
    users.suspend(&actor(), "Anna").await.unwrap();
    assert_eq!(next(&mut changes).await.epoch, 3, "and goes on from there");
}

pub(super) async fn epochs_that_began_anew_are_a_gap(stage: &Stage) {
    assert_eq!(next(&mut stage.port.watch(Some(900))).await, Change::everything(0));
}

/// A lease that was decided before the revocation bears an epoch of before, so an edge that heard of it drops the lease.
pub(super) async fn a_lease_in_flight_is_older_than_the_revocation(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    world.key("one", Terms::Household, None).await;
    let mut changes = stage.port.watch(None);
    next(&mut changes).await;
    for _ in 0..5 {
        let askers: Vec<_> = (0..4)
            .map(|_| {
                let (port, ask) = (stage.port.clone(), ask(anna.link, "tv"));
                tokio::spawn(async move {
                    let mut epochs = Vec::new();
                    while let Ok(lease) = port.lease(&ask).await {
                        epochs.push(lease.epoch);
                    }
                    epochs
                })
            })
            .collect();
        stage.lease(&ask(anna.link, "tv")).await.unwrap();
        world.control.users().suspend(&actor(), "Anna").await.unwrap();
        let revoked = next(&mut changes).await;
        assert_eq!((&revoked.subject, revoked.act), (&Subject::Link(anna.link), Act::Revoke));
        for asker in askers {
            let epochs = asker.await.unwrap();
            assert!(epochs.iter().all(|epoch| *epoch < revoked.epoch), "{epochs:?} {}", revoked.epoch);
        }
        world.control.users().activate(&actor(), "Anna").await.unwrap();
        let back = next(&mut changes).await;
        assert!(stage.lease(&ask(anna.link, "tv")).await.unwrap().epoch >= back.epoch);
    }
}
