//! Stories of the control plane on both engines, its races, and random histories.

mod audit;
mod bad_days;
mod changes;
mod known_users;
mod leases;
mod master;
mod pool;
mod races;
mod random;
mod reports;
pub(crate) mod suite;
mod users;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chill_core::pool::{Passport, Terms};
use chill_core::store::{Account, AddMode, CachedTorrent, Item, ItemId};
use chill_core::{
    Action, Chance, Clock, ControlError, ControlPlane, DenialCode, InfoHash, KeyId, Lease, LeaseRequest, LinkId,
    Secret, Store, StoreCode, StoreError, StoreErrorKind,
};
use chill_db::Db;
use chill_db::trial::Trial;

use crate::{Actor, AddKey, AddUser, Control, ControlConfig, MasterKeys, PoolKey, User, Vault};

/// 2026-09-21T13:33:20Z.
pub(crate) const NOW: i64 = 1_790_000_000_000;

/// A store that says of each key what a test told it, and of others that they are fine.
#[derive(Debug, Default)]
pub(crate) struct ScriptedStore {
    answers: Mutex<HashMap<String, Result<Account, StoreErrorKind>>>,
    asked: Mutex<Vec<String>>,
}

pub(crate) fn account() -> Account {
    Account { active: true, plan: "Pro".to_owned(), expires_at: None, slots: None, cooldown_until: None }
}

impl ScriptedStore {
    pub(crate) fn says(&self, key: &str, answer: Result<Account, StoreErrorKind>) {
        self.answers.lock().unwrap().insert(key.to_owned(), answer);
    }

    /// How often it was asked about a key.
    pub(crate) fn asked(&self, key: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == key).count()
    }
}

fn error(kind: StoreErrorKind) -> StoreError {
    StoreError { store: StoreCode::TorBox, kind, message: "as the test said".to_owned() }
}

#[async_trait]
impl Store for ScriptedStore {
    fn code(&self) -> StoreCode {
        StoreCode::TorBox
    }

    async fn account(&self, key: &Secret) -> Result<Account, StoreError> {
        self.asked.lock().unwrap().push(key.expose().to_owned());
        let answer = self.answers.lock().unwrap().get(key.expose()).cloned();
        answer.unwrap_or_else(|| Ok(account())).map_err(error)
    }

    async fn cached(&self, _: &Secret, _: &[InfoHash]) -> Result<Vec<CachedTorrent>, StoreError> {
        Err(error(StoreErrorKind::BadRequest))
    }

    async fn add(&self, _: &Secret, _: &InfoHash, _: AddMode) -> Result<Item, StoreError> {
        Err(error(StoreErrorKind::BadRequest))
    }

    async fn item(&self, _: &Secret, _: &ItemId) -> Result<Item, StoreError> {
        Err(error(StoreErrorKind::BadRequest))
    }

    async fn link(&self, _: &Secret, _: &ItemId, _: u64, _: Option<IpAddr>, _: bool) -> Result<Secret, StoreError> {
        Err(error(StoreErrorKind::BadRequest))
    }

    async fn remove(&self, _: &Secret, _: &ItemId) -> Result<(), StoreError> {
        Err(error(StoreErrorKind::BadRequest))
    }
}

/// A control plane of one test, with what it stands on.
pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<ScriptedStore>,
}

pub(crate) fn actor() -> Actor {
    Actor::new("tester", "a test")
}

/// A master key that is the same byte throughout.
pub(crate) fn master(byte: u8) -> String {
    data_encoding::BASE64.encode(&[byte; 32])
}

pub(crate) fn vault(masters: &str) -> Vault {
    Vault::new(&MasterKeys::parse(&Secret::new(masters)).unwrap())
}

pub(crate) fn world(trial: &Trial) -> World {
    world_with(trial.db.clone(), ControlConfig::default())
}

pub(crate) fn world_with(db: Db, config: ControlConfig) -> World {
    let (clock, store) = (Clock::fixed(NOW), Arc::new(ScriptedStore::default()));
    let control = Control::new(db, vault(&master(1)), vec![store.clone()], clock.clone(), Chance::System, config);
    World { control, clock, store }
}

impl World {
    /// The same world seen by another node.
    pub(crate) fn node(&self, db: Db, config: ControlConfig) -> Self {
        let (clock, store) = (self.clock.clone(), self.store.clone());
        let control = Control::new(db, vault(&master(1)), vec![store.clone()], clock.clone(), Chance::System, config);
        Self { control, clock, store }
    }

    /// Lets a moment pass: what is made after it sorts after what was made before.
    pub(crate) fn tick(&self) {
        self.clock.advance(Duration::from_millis(1));
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        self.control.users().add(&actor(), AddUser { name: name.to_owned(), ..AddUser::default() }).await.unwrap()
    }

    /// A key of this name, whose secret is `secret-of-<name>`.
    pub(crate) async fn key(&self, name: &str, terms: Terms, max_users: Option<u32>) -> PoolKey {
        self.control.keys().add(&actor(), new_key(name, terms, max_users)).await.unwrap()
    }

    pub(crate) async fn lease(&self, user: &User, device: &str) -> Result<Lease, ControlError> {
        self.control.lease(&ask(user.link, device)).await
    }

    pub(crate) async fn denial(&self, user: &User, device: &str) -> DenialCode {
        denied(self.lease(user, device).await)
    }
}

pub(crate) fn new_key(name: &str, terms: Terms, max_users: Option<u32>) -> AddKey {
    AddKey {
        store: StoreCode::TorBox,
        name: name.to_owned(),
        passport: Passport::new(terms, max_users, None).unwrap(),
        owner: None,
        weight: 1,
        secret: Secret::new(format!("secret-of-{name}")),
        unchecked: false,
    }
}

pub(crate) fn ask(link: LinkId, device: &str) -> LeaseRequest {
    LeaseRequest {
        link,
        device: device.parse().unwrap(),
        device_label: Some("Stremio player".to_owned()),
        action: Action::known(Action::INIT),
        hash: None,
        store: StoreCode::TorBox,
        exclude: Vec::new(),
    }
}

pub(crate) fn excluding(link: LinkId, device: &str, keys: &[&KeyId]) -> LeaseRequest {
    LeaseRequest { exclude: keys.iter().map(|key| (*key).clone()).collect(), ..ask(link, device) }
}

pub(crate) fn denied(answer: Result<Lease, ControlError>) -> DenialCode {
    match answer {
        Err(ControlError::Denied(denial)) => denial.code,
        other => panic!("expected a refusal, got {other:?}"),
    }
}
