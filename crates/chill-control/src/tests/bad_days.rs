//! A database that is locked, full or gone: nobody is let in, nothing is half written, and it passes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use chill_core::pool::Terms;
use chill_core::{Chance, Clock, ControlError, ControlPlane, Outcome, Secret};
use chill_db::{Db, Options, trial};
use http::{Request, StatusCode};
use tower::ServiceExt;

use super::reports::event;
use super::{NOW, ask, world, world_with};
use crate::wire::{InternalKeys, internal_api};
use crate::{Control, ControlConfig, User};

fn unavailable<T: std::fmt::Debug>(answer: &Result<T, ControlError>) {
    assert!(matches!(answer, Err(ControlError::Unavailable { .. })), "{answer:?}");
}

/// The status and `Retry-After` of a get-key call.
async fn get_key(control: &Control, user: &User) -> (StatusCode, Option<String>) {
    let key = "0123456789abcdef0123456789abcdef";
    let keys = InternalKeys::parse(&Secret::new(key)).unwrap();
    let api = internal_api(Arc::new(control.clone()), keys, Clock::fixed(NOW), Chance::System);
    let body = format!(r#"{{"userId":"{}","deviceId":"new","action":"init"}}"#, user.link);
    let request = Request::post("/api/v1/internal/pool/get-key").header("authorization", format!("Bearer {key}"));
    let response = api.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (response.status(), wait)
}

#[tokio::test]
async fn a_locked_database_is_503_and_then_serves_again() {
    let trial = trial::sqlite().await;
    let first = world(&trial);
    let anna = first.user("Anna").await;
    let key = first.key("one", Terms::Household, None).await;
    first.lease(&anna, "tv").await.unwrap();
    let hurried = trial.again(Options { patience: Duration::from_millis(50), ..Options::default() }).await;
    let world = first.node(hurried.clone(), ControlConfig::default());
    let mut holder = trial.db.write().await.unwrap();
    holder.publish(&chill_core::control::Subject::Everything, chill_core::control::Act::Refresh, NOW).await.unwrap();
    unavailable(&world.lease(&anna, "phone").await);
    assert_eq!(get_key(&world.control, &anna).await, (StatusCode::SERVICE_UNAVAILABLE, Some("2".to_owned())));
    unavailable(&world.control.record(&[event(&anna, &key.id, Outcome::Ok, NOW)]).await);
    assert!(world.lease(&anna, "tv").await.is_ok(), "a known device needs no write");
    drop(holder);
    assert_eq!(world.lease(&anna, "phone").await.unwrap().device_count, 2);
    hurried.close().await;
    trial.end().await;
}

#[tokio::test]
async fn a_full_disk_refuses_new_devices_and_counts_nothing_twice() {
    let trial = trial::sqlite_with(Options { max_pages: Some(160), ..Options::default() }).await;
    let world = world(&trial);
    let anna = world.user("Anna").await;
    let key = world.key("one", Terms::Household, None).await;
    world.lease(&anna, "tv").await.unwrap();
    let mut counted = 0;
    loop {
        let events: Vec<_> = (0..200).map(|_| event(&anna, &key.id, Outcome::Ok, NOW)).collect();
        match world.control.record(&events).await {
            Ok(recorded) => counted += recorded.accepted as u64,
            refused => {
                unavailable(&refused);
                break;
            }
        }
    }
    let rows = world.control.usage(crate::UsageBy::User, crate::UsageWindow::default()).await.unwrap();
    assert_eq!(rows[0].streams, counted, "all or nothing");
    assert!(world.lease(&anna, "tv").await.is_ok());
    trial.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let url = "postgres://chill:hunter2@127.0.0.1:1/chill".parse().unwrap();
    let db = Db::open(&url, Options { patience: Duration::from_millis(100), ..Options::default() }).await.unwrap();
    for group_commit in [true, false] {
        let world = world_with(db.clone(), ControlConfig { group_commit, ..ControlConfig::default() });
        let link = "0198c7d2-0000-4000-8000-000000000000".parse().unwrap();
        let answer = world.control.lease(&ask(link, "tv")).await;
        let Err(ControlError::Unavailable { why: said, .. }) = answer else { panic!("{answer:?}") };
        assert!(!said.contains("hunter2"), "{said}");
        assert!(world.control.users().list().await.unwrap_err().is_unavailable());
    }
}
