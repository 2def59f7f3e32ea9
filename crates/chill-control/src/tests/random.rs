//! Random histories: whatever operators, viewers and stores do in whatever order, no passport and no device limit is broken,
//! and the counters tell the truth.

use std::collections::HashMap;
use std::time::Duration;

use chill_core::pool::{KeyState, Serving, Terms};
use chill_core::{ControlPlane, Outcome, Secret};
use chill_db::trial::{self, Trial};
use chill_db::{DeviceState, UserStatus};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::reports::event;
use super::{World, actor, excluding, new_key, world_with};
use crate::{ControlConfig, Limits, User};

#[derive(Clone, Debug)]
enum Step {
    AddUser,
    AddKey(Terms, Option<u32>),
    Lease { user: usize, device: usize, exclude: Option<usize> },
    Suspend(usize),
    Activate(usize),
    ResetLink(usize),
    RemoveUser(usize),
    Limit(usize, Option<u32>),
    Revoke(usize),
    Forget(usize),
    Report(usize, Outcome),
    Drain(usize),
    Disable(usize),
    Enable(usize),
    RemoveKey(usize),
    Rotate(usize),
    Probe,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let any = 0_usize..8;
    let terms =
        proptest::sample::select(vec![(Terms::OwnUse, None), (Terms::Household, Some(2)), (Terms::Partner, Some(3))]);
    let outcome =
        proptest::sample::select(vec![Outcome::Throttled, Outcome::LimitReached, Outcome::KeyRejected, Outcome::Ok]);
    prop_oneof![
        3 => Just(Step::AddUser),
        3 => terms.prop_map(|(terms, max)| Step::AddKey(terms, max)),
        20 => (any.clone(), 0_usize..5, proptest::option::of(any.clone()))
            .prop_map(|(user, device, exclude)| Step::Lease { user, device, exclude }),
        1 => any.clone().prop_map(Step::Suspend),
        1 => any.clone().prop_map(Step::Activate),
        1 => any.clone().prop_map(Step::ResetLink),
        1 => any.clone().prop_map(Step::RemoveUser),
        1 => (any.clone(), proptest::option::of(1_u32..4)).prop_map(|(user, max)| Step::Limit(user, max)),
        2 => any.clone().prop_map(Step::Revoke),
        1 => any.clone().prop_map(Step::Forget),
        2 => (any.clone(), outcome).prop_map(|(key, outcome)| Step::Report(key, outcome)),
        1 => any.clone().prop_map(Step::Drain),
        1 => any.clone().prop_map(Step::Disable),
        2 => any.clone().prop_map(Step::Enable),
        1 => any.clone().prop_map(Step::RemoveKey),
        1 => any.prop_map(Step::Rotate),
        1 => Just(Step::Probe),
        2 => (1_u64..2_000_000).prop_map(Step::Pass),
    ]
}

/// What the test itself knows of the world.
struct Story<'a> {
    world: World,
    trial: &'a Trial,
    made: usize,
    secrets: HashMap<String, String>,
}

impl Story<'_> {
    async fn users(&self) -> Vec<User> {
        self.world.control.users().list().await.unwrap()
    }

    async fn user(&self, n: usize) -> Option<User> {
        let users = self.users().await;
        (!users.is_empty()).then(|| users[n % users.len()].clone())
    }

    async fn key(&self, n: usize) -> Option<crate::PoolKey> {
        let keys = self.world.control.keys().list().await.unwrap();
        (!keys.is_empty()).then(|| keys[n % keys.len()].clone())
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::AddUser | Step::Suspend(_) | Step::Activate(_) | Step::ResetLink(_) | Step::RemoveUser(_) => {
                self.take_user_step(step).await;
            }
            Step::Lease { user, device, exclude } => self.lease(*user, *device, *exclude).await,
            Step::Limit(user, max) => {
                if let Some(user) = self.user(*user).await {
                    let limits = Limits { max_devices: Some(*max), delivery: None };
                    self.world.control.users().set_limits(&actor(), &user.name, limits).await.unwrap();
                }
            }
            Step::Revoke(n) | Step::Forget(n) => {
                let Some(user) = self.user(*n).await else { return };
                let devices = self.world.control.devices();
                let Some(device) = devices.list(&user.name).await.unwrap().into_iter().nth(n % 3) else { return };
                match step {
                    Step::Revoke(_) => devices.revoke(&actor(), &device.id).await.unwrap(),
                    _ => devices.forget(&actor(), &device.id).await.unwrap(),
                };
            }
            Step::Probe => self.world.control.probe_due().await.unwrap(),
            Step::Pass(seconds) => self.world.clock.advance(Duration::from_secs(*seconds)),
            _ => self.take_key_step(step).await,
        }
    }

    async fn take_user_step(&mut self, step: &Step) {
        let users = self.world.control.users();
        if let Step::AddUser = step {
            self.made += 1;
            self.world.user(&format!("user {}", self.made)).await;
            return;
        }
        let (Step::Suspend(n) | Step::Activate(n) | Step::ResetLink(n) | Step::RemoveUser(n)) = step else { return };
        let Some(user) = self.user(*n).await else { return };
        match step {
            Step::Suspend(_) => users.suspend(&actor(), &user.name).await.unwrap(),
            Step::Activate(_) => users.activate(&actor(), &user.name).await.unwrap(),
            Step::ResetLink(_) => users.reset_link(&actor(), &user.name).await.unwrap(),
            _ => users.remove(&actor(), &user.name).await.unwrap(),
        };
    }

    async fn take_key_step(&mut self, step: &Step) {
        let keys = self.world.control.keys();
        if let Step::AddKey(terms, max) = step {
            self.made += 1;
            let key = keys.add(&actor(), new_key(&format!("key{}", self.made), *terms, *max)).await.unwrap();
            self.secrets.insert(key.id.to_string(), format!("secret-of-key{}", self.made));
            return;
        }
        let (Step::Drain(n)
        | Step::Disable(n)
        | Step::Enable(n)
        | Step::RemoveKey(n)
        | Step::Rotate(n)
        | Step::Report(n, _)) = step
        else {
            return;
        };
        let Some(key) = self.key(*n).await else { return };
        let id = key.id.as_str();
        match step {
            Step::Drain(_) => drop(keys.drain(&actor(), id).await.unwrap()),
            Step::Disable(_) => drop(keys.disable(&actor(), id).await.unwrap()),
            Step::Enable(_) => drop(keys.enable(&actor(), id).await.unwrap()),
            Step::RemoveKey(_) => drop(keys.remove(&actor(), id).await.unwrap()),
            Step::Rotate(_) => {
                self.made += 1;
                let secret = format!("rotated-secret-{}", self.made);
                keys.rotate(&actor(), id, &Secret::new(secret.clone()), false).await.unwrap();
                self.secrets.insert(id.to_owned(), secret);
            }
            Step::Report(_, outcome) => {
                if let Some(user) = self.user(*n).await {
                    let report = event(&user, &key.id, *outcome, self.world.clock.now());
                    self.world.control.record(&[report]).await.unwrap();
                }
            }
            _ => {}
        }
    }

    async fn lease(&self, user: usize, device: usize, exclude: Option<usize>) {
        let Some(before) = self.user(user).await else { return };
        let excluded = match exclude {
            Some(n) => self.key(n).await.map(|key| key.id),
            None => None,
        };
        let asked = excluding(before.link, &format!("device {device}"), &excluded.iter().collect::<Vec<_>>());
        let Ok(lease) = self.world.control.lease(&asked).await else { return };
        let now = self.world.clock.now();
        assert_eq!(before.status, UserStatus::Active);
        assert_ne!(Some(&lease.key_id), excluded.as_ref());
        assert_eq!(Some(lease.key.expose()), self.secrets.get(lease.key_id.as_str()).map(String::as_str));
        let key = self.world.control.keys().find(lease.key_id.as_str()).await.unwrap();
        assert!(matches!(key.state.serving(now), Serving::Everybody | Serving::Leaving), "{:?}", key.state);
        let devices = self.world.control.devices().list(&before.name).await.unwrap();
        let mine = devices.iter().find(|known| known.device == asked.device).unwrap();
        assert_eq!(mine.state, DeviceState::Active);
        // A limit that was lowered takes no place away, but nobody comes in above it.
        let limit = before.max_devices.unwrap_or(3).max(before.device_count);
        assert!(lease.device_count <= limit, "{} devices, limit {limit}", lease.device_count);
    }

    async fn check(&self) {
        let mut tx = self.trial.db.read().await.unwrap();
        for user in tx.users(None, 100).await.unwrap() {
            assert_eq!(user.device_count, tx.devices_active(user.id).await.unwrap());
        }
        for key in tx.keys().await.unwrap() {
            assert_eq!(key.assigned, tx.seats_at(&key.id).await.unwrap());
            assert!(key.passport.max_users().is_none_or(|max| key.assigned <= max), "{key:?}");
            assert_ne!(key.state, KeyState::Rejected, "the store accepts all keys here");
        }
    }
}

async fn tell(trial: &Trial, steps: &[Step], group_commit: bool) {
    let config = ControlConfig { torbox_pool_size: 0, group_commit, ..ControlConfig::default() };
    let (made, secrets) = (0, HashMap::new());
    let mut story = Story { world: world_with(trial.db.clone(), config), trial, made, secrets };
    for step in steps {
        story.take(step).await;
        story.check().await;
    }
}

/// Histories of a seeded runner, so that a failure comes again; the failing one is printed by its assertion's backtrace
/// and its number.
fn histories(count: usize, steps: usize) -> Vec<Vec<Step>> {
    let mut runner = TestRunner::deterministic();
    let strategy = proptest::collection::vec(step(), steps);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_history_breaks_a_limit_on_sqlite() {
    for (n, steps) in histories(30, 80).iter().enumerate() {
        let trial = trial::sqlite().await;
        tell(&trial, steps, n % 2 == 0).await;
        trial.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_history_breaks_a_limit_on_postgres() {
    for (n, steps) in histories(6, 80).iter().enumerate() {
        let trial = trial::postgres().await;
        tell(&trial, steps, n % 2 == 0).await;
        trial.end().await;
    }
}
