//! get-key decisions, many at once, on the database that the first word names, with as many users and keys as the second and
//! third say (10,000 and 10). Reads one measurement a line from standard
//! input and answers each with one line of JSON, so that another program's runs can be put between ours.
//!
//! `cargo xtask bench pool` and `bench growth` run it. A line is `MANNER WORK WAITING SECONDS`:
//!
//! * MANNER: `group` decides waiting requests together, `single` gives each its own transactions;
//! * WORK: `new`, each request is a device never seen; `known`, one of three devices of each user that were seen before;
//!   `assign`, as many users as asked for a key in so many seconds at 2,500 a second, none of whom has one; `storm`, forty devices each of fifty users who may have five;
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
use chill_db::{Db, Options, trial};
use chill_stores::StoresConfig;
use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USERS: usize = 10_000;
const KEYS: usize = 10;
/// Users put into the database in one transaction.
const CROWD: usize = 5_000;
/// Users who get a key, for each second of a measurement.
const ASSIGNED: f64 = 2_500.0;
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
    let mut words = std::env::args().skip(1);
    let url = words.next().ok_or("name a database: sqlite:///path/file.db or postgres://…")?;
    let mut number = |usual| words.next().map_or(Ok(usual), |word| word.parse::<usize>());
    let (users, keys) = (number(USERS)?, number(KEYS)?);
    let pool = Arc::new(Pool::fill(&url, users, keys).await?);
    answer(&json!({"users": users, "devices": users * KNOWN, "keys": keys}))?;
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
            "assign" => assign(control, waiting, time).await?,
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
    async fn fill(url: &str, users: usize, keys: usize) -> Outcome<Self> {
        let db = Db::open(&url.parse()?, Options::default()).await?;
        db.migrate().await?;
        let control = |group_commit| -> Outcome<Control> {
            let vault = Vault::new(&MasterKeys::parse(&Secret::new(BASE64.encode(&[7; 32])))?);
            // The store is known but never asked.
            let stores = chill_stores::stores(&StoresConfig::default());
            let config =
                ControlConfig { group_commit, torbox_pool_size: 0, max_devices: ROOMY, ..ControlConfig::default() };
            Ok(Control::new(db.clone(), vault, stores, Clock::System, Chance::System, config))
        };
        let mut pool =
            Self { group: control(true)?, single: control(false)?, links: Vec::new(), fresh: AtomicU64::new(0) };
        let mut ids = Vec::with_capacity(keys);
        for n in 0..keys {
            let key = AddKey {
                store: StoreCode::TorBox,
                name: format!("key {n}"),
                passport: Passport::new(Terms::Partner, None, None)?,
                owner: None,
                weight: 1,
                secret: Secret::new(format!("never-asked-{n}")),
                unchecked: true,
            };
            ids.push(pool.group.keys().add(&actor(), key).await?.id);
        }
        while pool.links.len() < users {
            let more = CROWD.min(users - pool.links.len());
            let seat = |n: usize| ids.get(n % ids.len().max(1)).cloned();
            let crowd = trial::crowd(&db, more, KNOWN, StoreCode::TorBox, seat).await?;
            pool.links.extend(crowd);
        }
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
    figures(start, tasks).await
}

/// Rate and times of what the tasks took.
async fn figures(start: Instant, mut tasks: JoinSet<Outcome<Vec<Duration>>>) -> Outcome<Value> {
    let mut took = Vec::new();
    while let Some(task) = tasks.join_next().await {
        took.extend(task??);
    }
    let seconds = start.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).map_or(0.0, |took| took.as_secs_f64() * 1e3);
    Ok(json!({"per_second": took.len() as f64 / seconds, "p50_ms": at(50), "p99_ms": at(99), "decisions": took.len()}))
}

/// So many requests always wait, each of a user who has no key yet.
async fn assign(control: &Control, waiting: usize, time: Duration) -> Outcome<Value> {
    let wanted = (time.as_secs_f64() * ASSIGNED) as usize;
    let links = Arc::new(trial::crowd(control.db(), wanted, 0, StoreCode::TorBox, |_| None).await?);
    let (start, next, mut tasks) = (Instant::now(), Arc::new(AtomicU64::new(0)), JoinSet::new());
    for _ in 0..waiting {
        let (links, next, control) = (Arc::clone(&links), Arc::clone(&next), control.clone());
        tasks.spawn(async move {
            let mut took = Vec::new();
            while let Some(link) = links.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed))?) {
                let (ask, asked) = (ask(*link, "tv")?, Instant::now());
                control.lease(&ask).await?;
                took.push(asked.elapsed());
            }
            Outcome::Ok(took)
        });
    }
    figures(start, tasks).await
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
