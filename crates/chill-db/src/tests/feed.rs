//! Changes reach every follower, in order, also those of another process.

use std::time::Duration;

use chill_core::control::{Act, Subject};
use chill_core::{Change, Feed, FeedItem};
use futures_util::StreamExt;

use super::{NOW, key_id, link};
use crate::trial::{self, Trial};
use crate::{Db, DbError, Options};

async fn publish(db: &Db, subject: &Subject, act: Act) -> u64 {
    let mut tx = db.write().await.unwrap();
    let epoch = tx.publish(subject, act, NOW).await.unwrap();
    tx.commit().await.unwrap();
    epoch
}

/// The next item; fails when none comes within a second, which is the promise.
async fn item(changes: &mut Feed<DbError>) -> FeedItem {
    let item = tokio::time::timeout(Duration::from_secs(1), changes.next()).await;
    item.expect("an item within a second").expect("a feed without end").unwrap()
}

/// The next change, within a second.
async fn next(changes: &mut Feed<DbError>) -> Change {
    loop {
        if let FeedItem::Change(change) = item(changes).await {
            return change;
        }
    }
}

fn everything(epoch: u64) -> Change {
    Change::everything(epoch)
}

#[tokio::test]
async fn a_new_follower_is_told_that_the_feed_is_connected() {
    trial::both(async |trial| {
        let key = Subject::Key(key_id());
        assert_eq!(publish(&trial.db, &key, Act::Revoke).await, 1);
        let mut changes = trial.db.changes(None);
        assert_eq!(item(&mut changes).await, FeedItem::Connected { epoch: 1 });
        assert_eq!(next(&mut changes).await, everything(1));
        publish(&trial.db, &key, Act::Refresh).await;
        assert_eq!(next(&mut changes).await, Change { epoch: 2, subject: key, act: Act::Refresh, at: Some(NOW) });
        assert_eq!(
            item(&mut trial.db.changes(Some(2))).await,
            FeedItem::Connected { epoch: 2 },
            "with nothing new too"
        );
    })
    .await;
}

#[tokio::test]
async fn a_quiet_feed_says_that_it_is_alive() {
    trial::both(async |trial| {
        let mut changes = trial.db.changes(Some(0));
        assert_eq!(item(&mut changes).await, FeedItem::Connected { epoch: 0 });
        let alive = tokio::time::timeout(Duration::from_secs(4), changes.next()).await;
        assert_eq!(alive.expect("before an edge stops relying on it").unwrap().unwrap(), FeedItem::Alive);
    })
    .await;
}

#[tokio::test]
async fn a_database_that_does_not_answer_ends_the_feed() {
    trial::both(async |trial| {
        let mut changes = trial.db.changes(Some(0));
        item(&mut changes).await;
        trial.db.close().await;
        let ended = tokio::time::timeout(Duration::from_secs(4), changes.next()).await;
        assert!(ended.expect("before an edge stops relying on it").unwrap().is_err());
    })
    .await;
}

#[tokio::test]
async fn a_follower_resumes_where_it_was() {
    trial::both(async |trial| {
        let subjects = [Subject::Link(link()), Subject::Device(link(), "tv".parse().unwrap()), Subject::Key(key_id())];
        for subject in &subjects {
            publish(&trial.db, subject, Act::Revoke).await;
        }
        let mut changes = trial.db.changes(Some(1));
        for (n, subject) in subjects.iter().enumerate().skip(1) {
            let epoch = n as u64 + 1;
            assert_eq!(
                next(&mut changes).await,
                Change { epoch, subject: subject.clone(), act: Act::Revoke, at: Some(NOW) }
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_past_and_a_restored_one_start_anew() {
    trial::both(async |trial| {
        for _ in 0..3 {
            publish(&trial.db, &Subject::Key(key_id()), Act::Revoke).await;
        }
        // An epoch of a later time than the database's: a backup was restored.
        assert_eq!(next(&mut trial.db.changes(Some(99))).await, everything(3));
        let mut tx = trial.db.write().await.unwrap();
        assert_eq!(tx.changes_forget(NOW + 1).await.unwrap(), 3);
        tx.commit().await.unwrap();
        assert_eq!(next(&mut trial.db.changes(Some(1))).await, everything(3));
    })
    .await;
}

/// A change made through a database that was opened once more, as the command line does.
async fn from_another_process(trial: &Trial) {
    let other = trial.again(Options::default()).await;
    let mut changes = trial.db.changes(None);
    next(&mut changes).await;
    for n in 1..=20 {
        let subject = Subject::Link(link());
        publish(&other, &subject, Act::Revoke).await;
        assert_eq!(next(&mut changes).await, Change { epoch: n, subject, act: Act::Revoke, at: Some(NOW) });
    }
    other.close().await;
}

#[tokio::test]
async fn a_change_of_another_process_arrives_within_a_second() {
    trial::both(from_another_process).await;
}

#[tokio::test]
async fn many_writers_leave_no_hole_in_the_epochs() {
    trial::both(async |trial| {
        let mut changes = trial.db.changes(None);
        next(&mut changes).await;
        let writers = (0..8).map(|_| {
            let db = trial.db.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    publish(&db, &Subject::Key(key_id()), Act::Refresh).await;
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        for epoch in 1..=160 {
            assert_eq!(next(&mut changes).await.epoch, epoch);
        }
        for writer in writers {
            writer.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_transaction_publishes_nothing() {
    trial::both(async |trial| {
        let mut tx = trial.db.write().await.unwrap();
        tx.publish(&Subject::Everything, Act::Revoke, NOW).await.unwrap();
        drop(tx);
        assert_eq!(publish(&trial.db, &Subject::Key(key_id()), Act::Refresh).await, 1);
    })
    .await;
}
