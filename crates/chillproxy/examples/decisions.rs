//! get-key decisions, many at once, on the database that the first word names. Reads one measurement a line from standard
//! input and answers each with one line of JSON, so that another program's runs can be put between ours.
//!
//! `cargo xtask bench pool` runs it. A line is `MANNER WORK WAITING SECONDS`:
//!
//! * MANNER: `group` decides waiting requests together, `single` gives each its own transactions;
//! * WORK: `new`, each request is a device never seen; `known`, one of three devices of each user that were seen before;
//!   `storm`, forty devices each of fifty users who may have five;
//! * WAITING: how many requests wait at any time.

use std::error::Error;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chill_control::{Actor, AddKey, AddUser, Control, ControlConfig, DeviceState, MasterKeys, User, Vault};
use chill_core::pool::{Passport, Terms};
use chill_core::{
    Action, Chance, Clock, ControlError, ControlPlane, DenialCode, LeaseRequest, LinkId, Secret, StoreCode,
};
use chill_db::{Db, Options};
use chill_stores::StoresConfig;
use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USERS: usize = 10_000;
const KEYS: usize = 10;
/// Devices each user has before the measurement.
const KNOWN: usize = 3;
/// High enough that `new` never meets it.
const ROOMY: u32 = 1_000;
const STORM_USERS: usize = 50;
const STORM_DEVICES: usize = 40;
const STORM_LIMIT: u32 = 5;

/// Control planes of both manners on one database.
struct Pool {
    group: Control,
    single: Control,
    links: Vec<LinkId>,
    /// Numbers devices and users over the whole run, so that none comes twice.
    fresh: AtomicU64,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let url = std::env::args().nth(1).ok_or("name a database: sqlite:///path/file.db or postgres://…")?;
    let pool = Arc::new(Pool::fill(&url).await?);
    answer(&json!({"users": USERS, "devices": USERS * KNOWN, "keys": KEYS}))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [manner, work, waiting, seconds] = words.as_slice() else {
            return Err("a measurement is MANNER WORK WAITING SECONDS".into());
        };
        let control = if *manner == "single" { &pool.single } else { &pool.group };
        let (waiting, time) = (waiting.parse()?, Duration::from_secs_f64(seconds.parse()?));
        let told = match *work {
            "storm" => storm(&pool, control, waiting).await?,
            "known" => steady(&pool, control, waiting, time, false).await?,
            _ => steady(&pool, control, waiting, time, true).await?,
        };
        answer(&told)?;
    }
    Ok(())
}

fn answer(told: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{told}")?;
    out.flush()
}

impl Pool {
    /// Users, each with his devices and his place at a key.
    async fn fill(url: &str) -> Outcome<Self> {
        let db = Db::open(&url.parse()?, Options::default()).await?;
        db.migrate().await?;
        let control = |group_commit| -> Outcome<Control> {
            let vault = Vault::new(&MasterKeys::parse(&Secret::new(BASE64.encode(&[7; 32])))?);
            // The store is known but never asked.
            let stores = chill_stores::stores(&StoresConfig::default());
            let config = ControlConfig { group_commit, max_devices: ROOMY, ..ControlConfig::default() };
            Ok(Control::new(db.clone(), vault, stores, Clock::System, Chance::System, config))
        };
        let mut pool =
            Self { group: control(true)?, single: control(false)?, links: Vec::new(), fresh: AtomicU64::new(0) };
        for n in 0..KEYS {
            let key = AddKey {
                store: StoreCode::TorBox,
                name: format!("key {n}"),
                passport: Passport::new(Terms::Partner, None, None)?,
                owner: None,
                weight: 1,
                secret: Secret::new(format!("never-asked-{n}")),
                unchecked: true,
            };
            pool.group.keys().add(&actor(), key).await?;
        }
        pool.links = pool.users(USERS, None).await?.into_iter().map(|user| user.link).collect();
        let asks = pool.links.iter().flat_map(|link| (0..KNOWN).map(|n| ask(*link, &format!("known-{n}"))));
        pool.all(asks.collect::<Outcome<_>>()?).await?;
        Ok(pool)
    }

    /// Adds users, some at a time, since each is a transaction that waits for its commit.
    async fn users(&self, count: usize, max_devices: Option<u32>) -> Outcome<Vec<User>> {
        let (mut adding, mut users) = (JoinSet::new(), Vec::with_capacity(count));
        for _ in 0..count {
            let (control, name) = (self.group.clone(), format!("user {}", self.fresh()));
            adding.spawn(async move {
                let user = AddUser { name, max_devices, ..AddUser::default() };
                control.users().add(&actor(), user).await
            });
            if adding.len() >= 8
                && let Some(added) = adding.join_next().await
            {
                users.push(added??);
            }
        }
        while let Some(added) = adding.join_next().await {
            users.push(added??);
        }
        Ok(users)
    }

    /// Decides all of these, a few hundred at a time.
    async fn all(&self, asks: Vec<LeaseRequest>) -> Outcome<()> {
        let mut deciding = JoinSet::new();
        for ask in asks {
            let control = self.group.clone();
            deciding.spawn(async move { control.lease(&ask).await });
            if deciding.len() >= 256
                && let Some(lease) = deciding.join_next().await
            {
                lease??;
            }
        }
        while let Some(lease) = deciding.join_next().await {
            lease??;
        }
        Ok(())
    }

    fn fresh(&self) -> u64 {
        self.fresh.fetch_add(1, Ordering::Relaxed)
    }

    /// A user, spread over all of them without order.
    fn link(&self, n: u64) -> LinkId {
        let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let at = usize::try_from(spread).unwrap_or(0) % self.links.len().max(1);
        self.links[at]
    }
}

fn actor() -> Actor {
    Actor::new("bench", "an example")
}

fn ask(link: LinkId, device: &str) -> Outcome<LeaseRequest> {
    Ok(LeaseRequest {
        link,
        device: device.parse()?,
        device_label: Some("Stremio player".to_owned()),
        action: Action::known(Action::STREAM_REQUEST),
        hash: None,
        store: StoreCode::TorBox,
        exclude: Vec::new(),
    })
}

/// So many requests always wait, for so long.
async fn steady(pool: &Arc<Pool>, control: &Control, waiting: usize, time: Duration, new: bool) -> Outcome<Value> {
    let (start, mut tasks) = (Instant::now(), JoinSet::new());
    for _ in 0..waiting {
        let (pool, control) = (Arc::clone(pool), control.clone());
        tasks.spawn(async move {
            let mut took = Vec::new();
            while start.elapsed() < time {
                let n = pool.fresh();
                let device = if new { format!("new-{n}") } else { format!("known-{}", n % KNOWN as u64) };
                let ask = ask(pool.link(n), &device)?;
                let asked = Instant::now();
                control.lease(&ask).await?;
                took.push(asked.elapsed());
            }
            Outcome::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(task) = tasks.join_next().await {
        took.extend(task??);
    }
    let seconds = start.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).map_or(0.0, |took| took.as_secs_f64() * 1e3);
    Ok(json!({"per_second": took.len() as f64 / seconds, "p50_ms": at(50), "p99_ms": at(99), "decisions": took.len()}))
}

/// Many more devices than may be, all at once; counts afterwards, in the database, users with too many.
async fn storm(pool: &Arc<Pool>, control: &Control, waiting: usize) -> Outcome<Value> {
    let users = pool.users(STORM_USERS, Some(STORM_LIMIT)).await?;
    let asks = (0..STORM_DEVICES).flat_map(|n| users.iter().map(move |user| ask(user.link, &format!("storm-{n}"))));
    let asks = Arc::new(asks.collect::<Outcome<Vec<_>>>()?);
    let (next, mut tasks) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
    for _ in 0..waiting {
        let (asks, next, control) = (Arc::clone(&asks), Arc::clone(&next), control.clone());
        tasks.spawn(async move {
            let (mut granted, mut refused) = (0_u32, 0_u32);
            while let Some(ask) = asks.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX))
            {
                match control.lease(ask).await {
                    Ok(_) => granted += 1,
                    Err(ControlError::Denied(denial)) if denial.code == DenialCode::DeviceLimit => refused += 1,
                    Err(error) => return Err(error),
                }
            }
            Ok((granted, refused))
        });
    }
    let (mut granted, mut refused) = (0, 0);
    while let Some(task) = tasks.join_next().await {
        let (more_granted, more_refused) = task??;
        (granted, refused) = (granted + more_granted, refused + more_refused);
    }
    let mut over = 0;
    for user in &users {
        // By the rows and not by the counter.
        let card = control.users().show(&user.id.to_string()).await?;
        let active = card.devices.iter().filter(|device| device.state == DeviceState::Active).count();
        over += active.saturating_sub(STORM_LIMIT as usize);
    }
    let places = STORM_USERS * STORM_LIMIT as usize;
    Ok(json!({"granted": granted, "refused": refused, "over_limit": over, "places": places}))
}
