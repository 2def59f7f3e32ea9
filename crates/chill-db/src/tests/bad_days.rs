//! Locked, full, gone: each is `Unavailable`, in time, and leaves nothing half done.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::{NOW, user};
use crate::{Db, DbError, DbUrl, Options, trial};

#[tokio::test]
async fn a_locked_file_is_unavailable_after_our_patience() {
    let trial = trial::sqlite().await;
    let hurried = trial.again(Options { patience: Duration::from_millis(50), ..Options::default() }).await;
    let mut holder = trial.db.write().await.unwrap();
    user(&mut holder, "Anna").await;
    let refused = hurried.write().await.err().unwrap();
    assert!(refused.is_unavailable(), "{refused}");
    assert!(hurried.read().await.is_ok(), "readers never wait for the writer");
    holder.commit().await.unwrap();
    assert!(hurried.write().await.is_ok());
    hurried.close().await;
    trial.end().await;
}

#[tokio::test]
async fn a_second_writer_of_this_process_waits_in_line() {
    trial::both(async |trial| {
        let mut first = trial.db.write().await.unwrap();
        user(&mut first, "Anna").await;
        let db = trial.db.clone();
        let second = tokio::spawn(async move {
            let mut tx = db.write().await.unwrap();
            user(&mut tx, "Bert").await;
            tx.commit().await.unwrap();
        });
        first.commit().await.unwrap();
        second.await.unwrap();
        let mut tx = trial.db.read().await.unwrap();
        assert_eq!(tx.users(None, 10).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_leaves_nothing_half_written() {
    let trial = trial::sqlite_with(Options { max_pages: Some(120), ..Options::default() }).await;
    let mut tx = trial.db.write().await.unwrap();
    let refused = loop {
        let id = chill_core::UserId::new(NOW, &super::chance()).unwrap();
        let (link, name) = (super::link(), "x".repeat(2_000) + &id.to_string());
        let (email, max_devices, delivery) = (None, None, None);
        let user = crate::NewUser { id, link, name, email, max_devices, delivery, created_at: NOW };
        if let Err(error) = tx.user_insert(&user).await {
            break error;
        }
    };
    assert!(refused.is_unavailable(), "{refused}");
    drop(tx);
    let mut tx = trial.db.write().await.unwrap();
    assert_eq!(tx.users(None, 10).await.unwrap(), []);
    user(&mut tx, "Anna").await;
    tx.commit().await.unwrap();
    trial.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_its_password_unseen() {
    let url: DbUrl = "postgres://chill:hunter2@127.0.0.1:1/chill".parse().unwrap();
    let options = Options { patience: Duration::from_millis(200), ..Options::default() };
    let db = Db::open(&url, options).await.unwrap();
    for said in [db.read().await.err().unwrap(), db.ping().await.unwrap_err(), db.migrate().await.unwrap_err()] {
        assert!(said.is_unavailable() && !format!("{said:?}").contains("hunter2"), "{said:?}");
    }
}

#[tokio::test]
async fn names_differ_by_more_than_case() {
    trial::both(async |trial| {
        let mut tx = trial.db.write().await.unwrap();
        let anna = user(&mut tx, "\u{c4}nna").await;
        let again = crate::NewUser { id: chill_core::UserId::new(NOW, &super::chance()).unwrap(), ..anna };
        let again = crate::NewUser { link: super::link(), name: "\u{e4}NNA".to_owned(), ..again };
        assert!(matches!(tx.user_insert(&again).await, Err(DbError::Conflict(_))));
    })
    .await;
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    let trial = trial::sqlite().await;
    let directory = trial.directory().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory), 0o700);
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    trial.end().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_apart() {
    let trial = trial::sqlite().await;
    let path = trial.directory().unwrap().join("letter.txt");
    std::fs::write(&path, "Dear operator, ".repeat(1_000)).unwrap();
    let opened = Db::open(&DbUrl::sqlite(&path), Options::default()).await;
    assert!(matches!(opened.err(), Some(DbError::Corrupt { .. })));
    trial.end().await;
}
