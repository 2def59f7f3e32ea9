//! Every statement prepares and every table looks alike on both engines; the stories of the feed, the library and the
//! spool. What the queries mean is tested where they are used, in `chill-control`.

mod anime;
mod audit;
mod bad_days;
mod feed;
mod imdb;
mod known;
mod schema;
mod spool;
mod usage;

use chill_core::{Chance, EventId, KeyId, LinkId, UserId};

use crate::{NewUser, Tx};

pub(crate) const NOW: i64 = 1_790_000_000_000;

fn chance() -> Chance {
    Chance::System
}

fn link() -> LinkId {
    LinkId::new(NOW, &chance()).unwrap()
}

fn key_id() -> KeyId {
    KeyId::new(NOW, &chance()).unwrap()
}

fn event_id() -> EventId {
    EventId::new(NOW, &chance()).unwrap()
}

/// A user of this name, with his link.
async fn user(tx: &mut Tx, name: &str) -> NewUser {
    let id = UserId::new(NOW, &chance()).unwrap();
    let name = name.to_owned();
    let user = NewUser { id, link: link(), name, email: None, max_devices: None, delivery: None, created_at: NOW };
    tx.user_insert(&user).await.unwrap();
    user
}
