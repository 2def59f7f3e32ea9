//! Usage is counted once, however often it is delivered.

use chill_core::control::Recorded;
use chill_core::pool::Terms;
use chill_core::{Action, Outcome, UsageEvent};

use super::super::NOW;
use super::super::reports::event;
use super::Stage;
use crate::{UsageBy, UsageWindow};

pub(super) async fn an_event_counts_once(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    let key = world.key("one", Terms::Household, None).await;
    let served = UsageEvent {
        action: Action::known(Action::STREAM_SERVED),
        hash: "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567".parse().ok(),
        bytes: u64::from(u32::MAX) + 1,
        cached: None,
        ..event(&anna, &key.id, Outcome::Ok, NOW)
    };
    let first = event(&anna, &key.id, Outcome::Ok, NOW - 5);
    let counted = stage.port.record(&[first.clone(), served.clone()]).await.unwrap();
    assert_eq!(counted, Recorded { accepted: 2, duplicates: 0 });
    let more = event(&anna, &key.id, Outcome::Failed, NOW);
    let counted = stage.port.record(&[served.clone(), more, first]).await.unwrap();
    assert_eq!(counted, Recorded { accepted: 1, duplicates: 2 });
    assert_eq!(stage.port.record(&[]).await.unwrap(), Recorded::default());
    let rows = world.control.usage(UsageBy::User, UsageWindow::default()).await.unwrap();
    assert_eq!((rows[0].name.as_str(), rows[0].bytes), ("Anna", served.bytes));
}

pub(super) async fn a_thousand_events_are_one_call(stage: &Stage) {
    let world = &stage.world;
    let anna = world.user("Anna").await;
    let key = world.key("one", Terms::Household, None).await;
    let events: Vec<_> = (0..1_000).map(|n| event(&anna, &key.id, Outcome::Ok, NOW - n)).collect();
    assert_eq!(stage.port.record(&events).await.unwrap(), Recorded { accepted: 1_000, duplicates: 0 });
    assert_eq!(stage.port.record(&events).await.unwrap(), Recorded { accepted: 0, duplicates: 1_000 });
}
