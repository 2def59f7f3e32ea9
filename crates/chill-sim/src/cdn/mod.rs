//! The CDN behind TorBox's links: opaque tokens with a window, ranges, validators, and bodies that misbehave.

mod answer;
mod body;
mod fault;
mod range;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use sha2::{Digest, Sha256};

pub use fault::{CdnFault, CdnFaultRule};

use crate::calls::{Call, Calls};
use crate::clock::{SimClock, lock};

/// How long a link may be opened: the longer of the two figures in the vendor's document.
const WINDOW: Duration = Duration::from_secs(3 * 3600);

/// What a link leads to.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) seed: u64,
    pub(crate) size: u64,
    pub(crate) name: String,
    pub(crate) hash: String,
    /// The item at the store; its links die with it.
    pub(crate) item: u64,
    pub(crate) bytes_per_s: Option<u64>,
    pub(crate) modified_at: i64,
}

#[derive(Debug)]
struct Link {
    served: Served,
    token: String,
    expires_at: i64,
    gone: bool,
    /// Answers given, for the fault that changes the ETag.
    answers: u32,
}

#[derive(Debug)]
struct Store {
    links: HashMap<String, Link>,
    issued: u64,
    window_ms: i64,
    faults: Vec<CdnFaultRule>,
}

/// Handle on the simulated CDN.
#[derive(Clone, Debug)]
pub struct Cdn {
    store: Arc<Mutex<Store>>,
    base: String,
    clock: SimClock,
    calls: Calls,
    accepted: Arc<AtomicU64>,
    open: Arc<AtomicU64>,
}

impl Cdn {
    pub(crate) fn new(clock: SimClock, base: String, accepted: Arc<AtomicU64>) -> Self {
        let window_ms = i64::try_from(WINDOW.as_millis()).unwrap_or(0);
        let store = Store { links: HashMap::new(), issued: 0, window_ms, faults: Vec::new() };
        Self {
            store: Arc::new(Mutex::new(store)),
            base,
            clock,
            calls: Calls::default(),
            accepted,
            open: Arc::default(),
        }
    }

    /// A new link, with a token of its own.
    pub(crate) fn link(&self, served: Served) -> String {
        let now = self.clock.now_ms();
        let mut store = lock(&self.store);
        store.issued += 1;
        let digest = Sha256::digest(format!("{}/{}/{now}", self.base, store.issued));
        let opaque = data_encoding::HEXLOWER.encode(&digest);
        let (id, token) = (opaque[..24].to_owned(), opaque[24..56].to_owned());
        let name = percent_encoding::utf8_percent_encode(&served.name, percent_encoding::NON_ALPHANUMERIC);
        let url = format!("{}/dld/{id}/{name}?token={token}", self.base);
        let expires_at = now + store.window_ms;
        store.links.insert(id, Link { served, token, expires_at, gone: false, answers: 0 });
        url
    }

    /// The item's links answer 410 from now on.
    pub(crate) fn gone(&self, item: u64) {
        for link in lock(&self.store).links.values_mut().filter(|link| link.served.item == item) {
            link.gone = true;
        }
    }

    /// How long links made from now on may be opened, on the simulated clock; 3 hours by default. A transfer that
    /// began in time goes on after it.
    pub fn set_link_window(&self, window: Duration) {
        lock(&self.store).window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX / 2);
    }

    /// Makes every link given out so far too old to be opened.
    pub fn expire_links(&self) {
        let now = self.clock.now_ms();
        for link in lock(&self.store).links.values_mut() {
            link.expires_at = now;
        }
    }

    /// Lets `fault` happen to the next `times` requests.
    pub fn fault(&self, fault: CdnFault, times: u32) {
        self.add_fault(CdnFaultRule::new(fault).times(times));
    }

    /// Adds a script of misbehaviour.
    pub fn add_fault(&self, rule: CdnFaultRule) {
        fault::add(&mut lock(&self.store).faults, rule);
    }

    /// Ends all misbehaviour of requests to come; answers under way keep theirs.
    pub fn clear_faults(&self) {
        lock(&self.store).faults.clear();
    }

    /// Every request so far with its headers, status, and body bytes handed to the connection.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.all()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.calls.forget();
    }

    /// TCP connections accepted since the start.
    pub fn connections(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Bodies being sent right now (a stalled one counts until its reader leaves).
    pub fn open_streams(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Links given out since the start.
    pub fn links_issued(&self) -> u64 {
        lock(&self.store).issued
    }

    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(answer::serve).with_state(self.clone())
    }
}
