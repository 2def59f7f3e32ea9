//! What an operator does with users.

use chill_db::{UserStatus, trial};

use super::{actor, world};
use crate::{AddUser, Limits, UseError};

#[tokio::test]
async fn users_are_found_by_id_and_by_name_in_any_case() {
    trial::both(async |trial| {
        let world = world(trial);
        let users = world.control.users();
        let wish = AddUser {
            name: "  \u{c5}sa ".to_owned(),
            email: Some("asa@example.org".to_owned()),
            max_devices: Some(7),
            delivery: None,
        };
        let added = users.add(&actor(), wish).await.unwrap();
        assert_eq!((added.name.as_str(), added.max_devices, added.status), ("\u{c5}sa", Some(7), UserStatus::Active));
        assert_eq!(users.find("\u{e5}SA").await.unwrap(), added);
        assert_eq!(users.find(&added.id.to_string()).await.unwrap(), added);
        assert!(matches!(users.find("Nobody").await, Err(UseError::NotFound { .. })));
        assert!(matches!(users.find(&added.link.to_string()).await, Err(UseError::NotFound { .. })), "a link is no id");
        let card = users.show("\u{c5}sa").await.unwrap();
        assert_eq!((card.device_limit, card.devices.len(), card.keys.len()), (7, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn wishes_out_of_bounds_are_refused_with_a_sentence() {
    trial::both(async |trial| {
        let world = world(trial);
        let users = world.control.users();
        let anna = world.user("Anna").await;
        let named = |name: &str| AddUser { name: name.to_owned(), ..AddUser::default() };
        let taken = users.add(&actor(), named("ANNA")).await.unwrap_err();
        assert_eq!(taken.to_string(), "another user is called `ANNA`: choose another name");
        let zero = AddUser { max_devices: Some(0), ..named("Bert") };
        for wish in [named(""), named("a\nb"), named(&"x".repeat(65)), named(&anna.id.to_string()), zero] {
            assert!(matches!(users.add(&actor(), wish).await, Err(UseError::Invalid(_))));
        }
        let none = Limits { max_devices: Some(Some(0)), delivery: None };
        assert!(matches!(users.set_limits(&actor(), "Anna", none).await, Err(UseError::Invalid(_))));
        assert_eq!(users.list().await.unwrap(), [anna]);
    })
    .await;
}

#[tokio::test]
async fn a_long_list_comes_whole_and_in_order() {
    let trial = trial::sqlite().await;
    let world = world(&trial);
    for n in 0..1_001 {
        world.user(&format!("user {n:04}")).await;
    }
    let users = world.control.users().list().await.unwrap();
    let names: Vec<_> = users.iter().map(|user| user.name.clone()).collect();
    assert_eq!(names, (0..1_001).map(|n| format!("user {n:04}")).collect::<Vec<_>>());
    trial.end().await;
}
