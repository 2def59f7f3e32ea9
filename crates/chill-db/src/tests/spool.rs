//! The spool keeps events through everything but the loss of its file.

use chill_core::{Action, EventId, Outcome, Spool, UsageEvent};

use super::{NOW, event_id, key_id, link};
use crate::{Options, SqliteSpool, trial};

fn event() -> UsageEvent {
    UsageEvent {
        id: event_id(),
        link: link(),
        key: key_id(),
        device: Some("tv".parse().unwrap()),
        action: Action::known(Action::STREAM_SERVED),
        hash: Some(chill_core::InfoHash::from_bytes([7; 20])),
        cached: Some(true),
        bytes: 1 << 40,
        outcome: Outcome::Throttled,
        at: NOW,
    }
}

fn ids(events: &[UsageEvent]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn events_come_back_as_they_went_in_and_oldest_first() {
    let trial = trial::sqlite().await;
    let path = trial.directory().unwrap().join("spool.db");
    let spool = SqliteSpool::open(&path).await.unwrap();
    let events: Vec<_> = (0..5).map(|_| event()).collect();
    spool.append(&events[..3]).await.unwrap();
    spool.append(&events[3..]).await.unwrap();
    spool.append(&events[..1]).await.unwrap();
    assert_eq!(spool.held(), 5, "the same event waits once");
    assert_eq!(spool.oldest(2).await.unwrap(), events[..2]);
    spool.forget(&ids(&events[..2])).await.unwrap();
    assert_eq!(spool.oldest(100).await.unwrap(), events[2..]);
    assert_eq!(spool.held(), 3);
    trial.end().await;
}

#[tokio::test]
async fn what_was_appended_is_there_when_the_process_is_not() {
    let trial = trial::sqlite().await;
    let path = trial.directory().unwrap().join("spool.db");
    let events: Vec<_> = (0..3).map(|_| event()).collect();
    let dying = SqliteSpool::open(&path).await.unwrap();
    dying.append(&events).await.unwrap();
    // Not closed: what a killed process leaves behind is the file and its journal as they are now.
    let other = trial.directory().unwrap().join("after.db");
    for end in ["", "-wal"] {
        let named = |path: &std::path::Path| format!("{}{end}", path.display());
        std::fs::copy(named(&path), named(&other)).unwrap();
    }
    let spool = SqliteSpool::open(&other).await.unwrap();
    assert_eq!((spool.held(), spool.oldest(10).await.unwrap()), (3, events));
    trial.end().await;
}

#[tokio::test]
async fn many_appends_share_commits_and_none_is_lost() {
    let trial = trial::sqlite().await;
    let spool = SqliteSpool::open(&trial.directory().unwrap().join("spool.db")).await.unwrap();
    let appends: Vec<_> = (0..500)
        .map(|_| {
            let spool = spool.clone();
            tokio::spawn(async move { spool.append(&[event(), event()]).await })
        })
        .collect();
    for append in appends {
        append.await.unwrap().unwrap();
    }
    assert_eq!((spool.held(), spool.oldest(2_000).await.unwrap().len()), (1_000, 1_000));
    trial.end().await;
}

#[tokio::test]
async fn a_full_spool_refuses_and_has_room_again() {
    let trial = trial::sqlite().await;
    let path = trial.directory().unwrap().join("spool.db");
    let spool = SqliteSpool::open_with(&path, Options::default(), 3).await.unwrap();
    let events: Vec<_> = (0..4).map(|_| event()).collect();
    spool.append(&events[..2]).await.unwrap();
    assert!(spool.append(&events[2..]).await.unwrap_err().to_string().contains("3 events wait"));
    spool.forget(&ids(&events[..1])).await.unwrap();
    spool.append(&events[2..]).await.unwrap();
    assert_eq!(spool.held(), 3);
    trial.end().await;
}

#[tokio::test]
async fn an_unreadable_row_does_not_stop_the_others() {
    let trial = trial::sqlite().await;
    let path = trial.directory().unwrap().join("spool.db");
    let spool = SqliteSpool::open(&path).await.unwrap();
    let good = event();
    let mut raw =
        crate::Db::open(&crate::DbUrl::sqlite(&path), Options::default()).await.unwrap().write().await.unwrap();
    if let crate::engine::Open::Sqlite(tx) = &mut raw.open {
        let row = "INSERT INTO spool (event_id, body) VALUES ('not an id', '{')";
        sqlx::query(row).execute(&mut **tx).await.unwrap();
    }
    raw.commit().await.unwrap();
    spool.append(std::slice::from_ref(&good)).await.unwrap();
    assert_eq!(spool.oldest(10).await.unwrap(), [good]);
    assert_eq!(spool.oldest(10).await.unwrap().len(), 1);
    trial.end().await;
}

#[tokio::test]
async fn a_full_disk_keeps_nothing_and_says_so() {
    let trial = trial::sqlite().await;
    let path = trial.directory().unwrap().join("spool.db");
    let options = Options { max_pages: Some(12), ..Options::default() };
    let spool = SqliteSpool::open_with(&path, options, 1_000_000).await.unwrap();
    let many: Vec<_> = (0..1_000).map(|_| event()).collect();
    assert!(spool.append(&many).await.unwrap_err().to_string().contains("full"));
    assert_eq!((spool.held(), spool.oldest(10).await.unwrap().len()), (0, 0));
    spool.append(&many[..1]).await.unwrap();
    assert_eq!(spool.held(), 1);
    trial.end().await;
}
