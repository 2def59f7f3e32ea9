//! The TorBox API: accounts with plans and slots, the torrent endpoints, limits and odd answers.
//!
//! Follows the vendor's published documents (API reference, official SDK, support articles) and what public clients
//! measured. Start at [`Torbox`] for the knobs; one file per endpoint below.

mod account;
mod asked;
mod behaviour;
mod catalogue;
mod check;
mod control;
mod create;
mod form;
mod info;
mod item;
mod link;
mod list;
mod queued;
mod rate;
mod user;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};

pub use account::Plan;
pub use behaviour::{Behaviour, Duplicate, RateReset, WhenFull};
pub use catalogue::{Torrent, TorrentFile, TorrentState};
pub(crate) use item::mimetype;

use crate::calls::{Call, Calls};
use crate::cdn::Cdn;
use crate::clock::{SimClock, lock};
use crate::content::content_seed;
use crate::fault::{Fault, FaultRule, Faults};
use crate::front::{Front, envelope};
use account::{Account, Snapshot};
use rate::Window;

/// Handle on the simulated TorBox: its accounts, catalogue, behaviour, faults and recorded calls.
#[derive(Clone, Debug)]
pub struct Torbox {
    state: Arc<Mutex<Provider>>,
    clock: SimClock,
    cdn: Cdn,
    calls: Calls,
    faults: Faults,
}

#[derive(Debug, Default)]
struct Provider {
    accounts: HashMap<String, Account>,
    catalogue: HashMap<String, Torrent>,
    behaviour: Behaviour,
    ids: u64,
}

impl Provider {
    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        7_711_000 + self.ids
    }

    /// The account of this key, with its queue advanced to `now`.
    fn account(&mut self, key: &str, now: i64) -> Option<&mut Account> {
        let (catalogue, ids) = (&self.catalogue, &mut self.ids);
        let account = self.accounts.get_mut(key)?;
        let next_id = || {
            *ids += 1;
            7_711_000 + *ids
        };
        account.start_queued(now, next_id, |hash, name| find(catalogue, hash, name));
        Some(account)
    }
}

/// The torrent of this hash; one nobody knows is dead.
fn find(catalogue: &HashMap<String, Torrent>, hash: &str, name: &str) -> Torrent {
    let unknown = || Torrent::new(name, Vec::<(String, u64)>::new()).with_hash(hash).state(TorrentState::Dead);
    catalogue.get(hash).cloned().unwrap_or_else(unknown)
}

/// A torrent in an account, as [`Torbox::items`] tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedTorrent {
    /// `torrent_id`.
    pub id: u64,
    /// Infohash.
    pub hash: String,
    /// Whether links can be made.
    pub present: bool,
}

impl Torbox {
    pub(crate) fn new(clock: SimClock, cdn: Cdn) -> Self {
        let (state, calls, faults) = Default::default();
        Self { state, clock, cdn, calls, faults }
    }

    /// Adds an account with this API key, or replaces the one that has it.
    pub fn add_account(&self, key: &str, plan: Plan, extra_slots: usize) {
        let now = self.clock.now_ms();
        let mut provider = lock(&self.state);
        let id = 88_000 + provider.accounts.len() as u64;
        let account = Account {
            key: key.to_owned(),
            id,
            auth_id: uuid_like(&format!("account {key}")),
            plan,
            extra_slots,
            created_at: now - 200 * 86_400_000,
            premium_until: (plan != Plan::Free).then_some(now + 90 * 86_400_000),
            cooldown_until: None,
            downloads_this_month: 0,
            added_in_total: 0,
            items: Vec::new(),
            queue: Vec::new(),
            list_cache: Snapshot::default(),
            queue_cache: Snapshot::default(),
            minute: Window::per_minute(provider.behaviour.calls_per_minute),
            hour: Window::per_hour(provider.behaviour.uncached_creates_per_hour),
        };
        provider.accounts.insert(key.to_owned(), account);
    }

    /// Removes an account; its key is refused from now on.
    pub fn remove_account(&self, key: &str) {
        lock(&self.state).accounts.remove(key);
    }

    /// The provider replaces a key: the old one answers `BAD_TOKEN`, CDN links already handed out live on.
    /// False when nobody has the old key.
    pub fn rotate_key(&self, old: &str, new: &str) -> bool {
        let mut provider = lock(&self.state);
        let Some(mut account) = provider.accounts.remove(old) else { return false };
        new.clone_into(&mut account.key);
        provider.accounts.insert(new.to_owned(), account);
        true
    }

    /// Changes an account's plan and bought slots.
    pub fn set_plan(&self, key: &str, plan: Plan, extra_slots: usize) {
        if let Some(account) = lock(&self.state).accounts.get_mut(key) {
            (account.plan, account.extra_slots) = (plan, extra_slots);
        }
    }

    /// Puts an account into cooldown for that long on the simulated clock: uncached creates are refused.
    pub fn set_cooldown(&self, key: &str, lasts: Duration) {
        let until = self.clock.now_ms() + i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX / 2);
        if let Some(account) = lock(&self.state).accounts.get_mut(key) {
            account.cooldown_until = Some(until);
        }
    }

    /// Makes a torrent known; replaces one of the same hash. Gives its hash.
    pub fn add_torrent(&self, torrent: Torrent) -> String {
        let torrent = torrent.normalised();
        let hash = torrent.hash.clone();
        lock(&self.state).catalogue.insert(hash.clone(), torrent);
        hash
    }

    /// Changes what happens to a known torrent when it is added from now on.
    pub fn set_torrent_state(&self, hash: &str, state: TorrentState) {
        if let Some(torrent) = lock(&self.state).catalogue.get_mut(&hash.to_ascii_lowercase()) {
            torrent.state = state;
        }
    }

    /// The known torrent of this hash.
    pub fn torrent(&self, hash: &str) -> Option<Torrent> {
        lock(&self.state).catalogue.get(&hash.to_ascii_lowercase()).cloned()
    }

    /// What an account holds, oldest first.
    pub fn items(&self, key: &str) -> Vec<AddedTorrent> {
        let now = self.clock.now_ms();
        let mut provider = lock(&self.state);
        let items = provider.account(key, now).map(|account| account.items.iter()).into_iter().flatten();
        items
            .map(|item| AddedTorrent {
                id: item.id,
                hash: item.torrent.hash.clone(),
                present: item.phase(now) == item::Phase::Present,
            })
            .collect()
    }

    /// Hashes waiting in an account's queue, oldest first.
    pub fn queue(&self, key: &str) -> Vec<String> {
        let now = self.clock.now_ms();
        let mut provider = lock(&self.state);
        let queue = provider.account(key, now).map(|account| account.queue.iter()).into_iter().flatten();
        queue.map(|queued| queued.hash.clone()).collect()
    }

    /// The choices where the vendor has been seen to answer in more than one way.
    pub fn behaviour(&self) -> Behaviour {
        lock(&self.state).behaviour.clone()
    }

    /// Replaces those choices; limits apply to every account at once.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        let mut provider = lock(&self.state);
        for account in provider.accounts.values_mut() {
            account.minute.limit = behaviour.calls_per_minute;
            account.hour.limit = behaviour.uncached_creates_per_hour;
        }
        provider.behaviour = behaviour;
    }

    /// Lets `fault` happen on the next `times` calls of `endpoint` (end of the path; `""` for every one).
    pub fn fault(&self, endpoint: &str, fault: Fault, times: u32) {
        self.faults.add(FaultRule::new(endpoint, fault).times(times));
    }

    /// Adds a script of misbehaviour.
    pub fn add_fault(&self, rule: FaultRule) {
        self.faults.add(rule);
    }

    /// Ends all misbehaviour.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.all()
    }

    /// Number of calls to this endpoint (end of the path; `""` for all).
    pub fn calls_to(&self, endpoint: &str) -> usize {
        self.calls.to(endpoint)
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.calls.forget();
    }

    pub(crate) fn router(&self) -> Router {
        let front = Front { calls: self.calls.clone(), faults: self.faults.clone(), content_type: "application/json" };
        Router::new()
            .route("/", get(info::up))
            .route("/v1/api/user/me", get(user::me))
            .route("/v1/api/torrents/checkcached", get(check::by_query).post(check::by_body))
            .route("/v1/api/torrents/createtorrent", post(create::create))
            .route("/v1/api/torrents/asynccreatetorrent", post(create::create))
            .route("/v1/api/torrents/mylist", get(list::mylist))
            .route("/v1/api/torrents/requestdl", get(link::requestdl))
            .route("/v1/api/torrents/controltorrent", post(control::control))
            .route("/v1/api/torrents/torrentinfo", get(info::by_query).post(info::by_form))
            .route("/v1/api/torrents/getqueued", get(queued::list))
            .route("/v1/api/torrents/controlqueued", post(queued::control))
            .route("/v1/api/queued/getqueued", get(queued::list))
            .route("/v1/api/queued/controlqueued", post(queued::control))
            .fallback(|| async {
                envelope(StatusCode::NOT_FOUND, &json!("ENDPOINT_NOT_FOUND"), "This endpoint does not exist.")
            })
            .method_not_allowed_fallback(|| async {
                let body = json!({"detail": "Method Not Allowed"}).to_string();
                crate::front::answer(StatusCode::METHOD_NOT_ALLOWED, "application/json", body)
            })
            // The layer in front has the vendor's own cap.
            .layer(axum::extract::DefaultBodyLimit::disable())
            .layer(axum::middleware::from_fn_with_state(front, crate::front::front))
            .with_state(self.clone())
    }
}

/// A stable identifier that looks like the vendor's UUIDs.
fn uuid_like(text: &str) -> String {
    let hex = data_encoding::HEXLOWER.encode(&Sha256::digest(text));
    format!("{}-{}-4{}-9{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
