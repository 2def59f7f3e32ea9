//! The lease cache against a control plane that changes its mind at the worst moment.

use std::sync::Arc;
use std::time::Duration;

use chill_core::control::{Act, Subject};
use chill_core::{Action, Change, ControlError, DenialCode, StoreCode};

use super::{Asker, Leases, Purpose};
use crate::tests::fakes::{FakeControl, denied, lease};

const PURPOSE: Purpose = Purpose { action: Action::CHECK_CACHE, hash: None };

fn asker(n: u8) -> Asker {
    let link = format!("00000000-0000-4000-8000-0000000000{n:02}").parse().unwrap();
    Asker { link, device: "device".parse().unwrap(), label: "a test".to_owned() }
}

fn change(epoch: u64, subject: Subject) -> Change {
    Change { epoch, subject, act: Act::Refresh, at: None }
}

fn leases(control: &Arc<FakeControl>) -> Leases {
    let leases = Leases::new(control.clone());
    leases.hear();
    leases
}

async fn get(leases: &Leases, n: u8) -> Result<String, ControlError> {
    let held = leases.get(&asker(n), StoreCode::TorBox, PURPOSE, &[]).await?;
    Ok(held.lease.key_id.to_string())
}

#[tokio::test]
async fn a_question_is_asked_once() {
    let control = FakeControl::new(|_| Ok(lease("k", 1)));
    let leases = leases(&control);
    let all = futures_util::future::join_all((0..50).map(|_| get(&leases, 1))).await;
    assert!(all.iter().all(Result::is_ok));
    get(&leases, 1).await.unwrap();
    assert_eq!(control.asked(), 1);
    get(&leases, 2).await.unwrap();
    assert_eq!(control.asked(), 2, "another link is another question");
}

#[tokio::test]
async fn an_answer_overtaken_by_a_change_is_asked_again() {
    let control = FakeControl::new(|_| Ok(lease("old", 4)));
    let leases = leases(&control);
    let _gate = control.hold();
    let overtake = async {
        control.decided.notified().await;
        control.decide(|_| Ok(lease("new", 5)));
        leases.changed(&change(5, Subject::Link(asker(1).link))).await;
        control.release();
    };
    let (got, ()) = tokio::join!(get(&leases, 1), overtake);
    assert_eq!(got.unwrap(), "new");
    assert_eq!(get(&leases, 1).await.unwrap(), "new");
    assert_eq!(control.asked(), 2);
}

#[tokio::test]
async fn a_foreign_control_plane_without_epochs_is_overtaken_too() {
    let control = FakeControl::new(|_| Ok(lease("old", 0)));
    let leases = leases(&control);
    let _gate = control.hold();
    let overtake = async {
        control.decided.notified().await;
        control.decide(|_| Err(denied(DenialCode::UserInactive)));
        leases.changed(&change(5, Subject::Device(asker(1).link, asker(1).device))).await;
        control.release();
    };
    let (got, ()) = tokio::join!(get(&leases, 1), overtake);
    assert!(matches!(got, Err(ControlError::Denied(_))));
}

#[tokio::test]
async fn a_stale_answer_can_never_be_written_back() {
    let control = FakeControl::new(|_| Ok(lease("old", 4)));
    let leases = leases(&control);
    leases.changed(&change(5, Subject::Link(asker(1).link))).await;
    assert!(matches!(get(&leases, 1).await, Err(ControlError::Unavailable { .. })), "it only has older answers");
    assert_eq!(control.asked(), 3, "bounded");
    control.decide(|_| Ok(lease("new", 5)));
    assert_eq!(get(&leases, 1).await.unwrap(), "new");
}

#[tokio::test]
async fn changes_drop_what_they_concern_and_nothing_else() {
    let control = FakeControl::new(|ask| Ok(lease(&format!("key-{}", &ask.link.to_string()[34..]), 1)));
    let leases = leases(&control);
    for n in 1..=3 {
        get(&leases, n).await.unwrap();
    }
    control.decide(|ask| Ok(lease(&format!("key-{}", &ask.link.to_string()[34..]), 9)));
    leases.changed(&change(2, Subject::Link(asker(1).link))).await;
    leases.changed(&change(3, Subject::Key("key-02".parse().unwrap()))).await;
    for n in 1..=3 {
        get(&leases, n).await.unwrap();
    }
    assert_eq!(control.asked(), 5, "the first and the second were asked for again");
    leases.changed(&change(9, Subject::Everything)).await;
    for n in 1..=3 {
        get(&leases, n).await.unwrap();
    }
    assert_eq!(control.asked(), 8);
}

#[tokio::test]
async fn a_denial_ends_with_the_change_that_lifts_it() {
    let control = FakeControl::new(|_| Err(denied(DenialCode::UserInactive)));
    let leases = leases(&control);
    assert!(get(&leases, 1).await.is_err());
    control.decide(|_| Ok(lease("k", 2)));
    assert!(get(&leases, 1).await.is_err(), "remembered for a moment");
    leases.changed(&change(2, Subject::Link(asker(1).link))).await;
    assert!(get(&leases, 1).await.is_ok());
}

#[tokio::test]
async fn an_excluded_key_is_asked_for_around_and_the_answer_serves_all() {
    let control = FakeControl::new(|ask| Ok(lease(if ask.exclude.is_empty() { "bad" } else { "good" }, 1)));
    let leases = leases(&control);
    assert_eq!(get(&leases, 1).await.unwrap(), "bad");
    let exclude = ["bad".parse().unwrap()];
    let asker = asker(1);
    let around = || leases.get(&asker, StoreCode::TorBox, PURPOSE, &exclude);
    let all = futures_util::future::join_all((0..20).map(|_| around())).await;
    assert!(all.into_iter().all(|held| held.unwrap().lease.key_id.as_str() == "good"));
    assert_eq!(control.asked(), 2);
    assert_eq!(get(&leases, 1).await.unwrap(), "good");
}

#[tokio::test]
async fn a_question_around_a_key_does_not_join_one_that_may_bring_it() {
    let control = FakeControl::new(|ask| match ask.exclude.len() {
        0 => Ok(lease("bad", 1)),
        1 => Ok(lease("good", 1)),
        _ => Err(denied(DenialCode::NoKey)),
    });
    let (leases, asker) = (leases(&control), asker(1));
    let (one, both) = (["bad".parse().unwrap()], ["bad".parse().unwrap(), "good".parse().unwrap()]);
    let _gate = control.hold();
    let ask = |exclude| leases.get(&asker, StoreCode::TorBox, PURPOSE, exclude);
    let release = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        control.release();
    };
    let (any, around, nothing, ()) = tokio::join!(ask(&[]), ask(&one), ask(&both), release);
    assert_eq!(any.unwrap().lease.key_id.as_str(), "bad");
    assert_eq!(around.unwrap().lease.key_id.as_str(), "good");
    assert!(nothing.is_err(), "and its refusal is nobody else's");
    assert_eq!(control.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn hearing_decides_how_long_a_lease_lives() {
    let control = FakeControl::new(|_| Ok(lease("k", 1)));
    let leases = leases(&control);
    get(&leases, 1).await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    get(&leases, 1).await.unwrap();
    assert_eq!(control.asked(), 1);
    leases.deafen();
    get(&leases, 1).await.unwrap();
    assert_eq!(control.asked(), 2);
}
