//! Usage is counted once, and its sums agree with its events.

use chill_core::{Action, EventId, Outcome, UsageEvent};

use super::{NOW, event_id, key_id, link, user};
use crate::trial;
use crate::{CountedEvent, Db, UsageBy, UsageRow, UsageWindow};

fn event(id: EventId, action: &'static str, cached: Option<bool>, bytes: u64) -> UsageEvent {
    let (link, key, action) = (link(), "pk-1".parse().unwrap(), Action::known(action));
    UsageEvent { id, link, key, device: None, action, hash: None, cached, bytes, outcome: Outcome::Ok, at: NOW }
}

async fn count(db: &Db, events: &[UsageEvent]) -> usize {
    let counted: Vec<_> = events.iter().map(|event| CountedEvent { event, user: None }).collect();
    let mut tx = db.write().await.unwrap();
    let new = tx.usage_count(&counted, NOW).await.unwrap().len();
    tx.commit().await.unwrap();
    new
}

async fn total(db: &Db) -> UsageRow {
    let mut tx = db.read().await.unwrap();
    let mut rows = tx.usage(UsageBy::Day, UsageWindow::default(), 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[tokio::test]
async fn the_same_event_counts_once_however_it_is_delivered() {
    trial::both(async |trial| {
        let (one, two) = (event_id(), event_id());
        let stream = event(one, Action::STREAM_REQUEST, Some(true), 0);
        let served = event(two, Action::STREAM_SERVED, None, 5_000_000_000);
        assert_eq!(count(&trial.db, &[stream.clone(), served.clone(), stream.clone()]).await, 2);
        assert_eq!(count(&trial.db, &[served, stream]).await, 0);
        let row = total(&trial.db).await;
        assert_eq!((row.id.as_str(), row.streams, row.cached, row.bytes), ("2026-09-21", 1, 1, 5_000_000_000));
    })
    .await;
}

#[tokio::test]
async fn concurrent_deliveries_of_the_same_events_count_once() {
    trial::both(async |trial| {
        let events: Vec<_> = (0..50).map(|_| event(event_id(), Action::STREAM_SERVED, None, 10)).collect();
        let mut turned = events.clone();
        turned.reverse();
        let deliveries = (0..12).map(|n| {
            let (db, batch) = (trial.db.clone(), if n % 2 == 0 { events.clone() } else { turned.clone() });
            tokio::spawn(async move { count(&db, &batch).await })
        });
        let mut new = 0;
        for delivery in deliveries.collect::<Vec<_>>() {
            new += delivery.await.unwrap();
        }
        assert_eq!(new, 50);
        assert_eq!(total(&trial.db).await.bytes, 500);
    })
    .await;
}

#[tokio::test]
async fn a_report_names_users_and_outlives_them() {
    trial::both(async |trial| {
        let mut tx = trial.db.write().await.unwrap();
        let anna = user(&mut tx, "Anna").await;
        let stream = event(event_id(), Action::STREAM_REQUEST, Some(false), 0);
        let served = UsageEvent { key: key_id(), ..event(event_id(), Action::STREAM_SERVED, None, u64::MAX) };
        let of = |event| CountedEvent { event, user: Some(anna.id) };
        tx.usage_count(&[of(&stream), of(&served)], NOW).await.unwrap();
        let rows = tx.usage(UsageBy::User, UsageWindow::default(), 10).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].id.clone(), rows[0].name.as_str()), (anna.id.to_string(), "Anna"));
        assert_eq!((rows[0].streams, rows[0].cached, rows[0].bytes), (1, 0, i64::MAX as u64));
        assert_eq!(tx.usage(UsageBy::Key, UsageWindow::default(), 10).await.unwrap().len(), 2);
        tx.user_delete(anna.id).await.unwrap();
        let rows = tx.usage(UsageBy::User, UsageWindow::default(), 10).await.unwrap();
        assert_eq!((rows[0].id.clone(), rows[0].name.as_str()), (anna.id.to_string(), ""));
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn forgetting_events_keeps_their_sums() {
    trial::both(async |trial| {
        let events: Vec<_> = (0..30).map(|_| event(event_id(), Action::STREAM_SERVED, None, 1)).collect();
        count(&trial.db, &events).await;
        let mut tx = trial.db.write().await.unwrap();
        assert_eq!(tx.usage_forget(NOW).await.unwrap(), 0);
        assert_eq!(tx.usage_forget(NOW + 1).await.unwrap(), 30);
        assert_eq!(tx.usage_forget_hours(NOW + 3_600_000).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(total(&trial.db).await.bytes, 30);
    })
    .await;
}
