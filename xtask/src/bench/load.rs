//! Many users at once through two planes: get-key, stream lists and starts over real HTTP, how evenly the pool's keys are
//! used, and whether every device was decided right.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::json;

use super::figures::{Figures, Goal, against};
use super::machine;
use super::planes::{OWN, Planes, tell};
use super::programs::Programs;
use super::start::pause;
use super::viewer::Viewer;

const USERS: usize = 100;
const SECONDS: usize = 60;
const KEYS: usize = 10;
const CONTROLS: usize = 2;
const EDGES: usize = 3;
/// Devices with which a user watches; he comes with one more.
const DEVICES: usize = 3;
/// Places he has: one is taken by the device that only asks for keys.
const PLACES: u32 = 4;
/// Between two rounds of one user: a list, a start, a question for a key.
const THINKING: Duration = Duration::from_secs(1);
/// What a player reads of a film before it seeks.
const FIRST: u64 = 256 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// What all users saw.
#[derive(Default)]
struct Seen {
    get_key: Mutex<Figures>,
    list: Mutex<Figures>,
    start: Mutex<Figures>,
    asked: AtomicU64,
    failed: AtomicU64,
    decided: AtomicU64,
    wrong: AtomicU64,
}

/// `bench load [--release] [--users N] [--seconds N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let (users, seconds) = (super::number(args, "--users", USERS)?, super::number(args, "--seconds", SECONDS)?);
    machine::describe();
    let planes = Planes::start(&programs, CONTROLS, EDGES)?;
    for at in 0..KEYS {
        let secret = format!("load-store-key-{at:04}");
        tell(&planes.world, "accounts", &json!({"key": secret}))?;
        planes.key(&format!("key-{at}"), &secret, users.div_ceil(KEYS) + 1)?;
    }
    let seen = Arc::new(Seen::default());
    let known: Vec<_> =
        (0..users).map(|at| planes.user(&format!("user-{at}"), PLACES)).collect::<anyhow::Result<_>>()?;
    println!(
        "{users} users with {} devices each, {KEYS} keys, {CONTROLS} control nodes, {EDGES} edges; {seconds} s",
        DEVICES + 1
    );
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds as u64);
    let threads = known.into_iter().enumerate().map(|(at, (link, manifest))| {
        let user = User::new(&planes, at, &link, &manifest, &seen)?;
        user.ask_for_a_key();
        Ok(std::thread::spawn(move || user.live(end)))
    });
    for thread in threads.collect::<anyhow::Result<Vec<_>>>()? {
        thread.join().map_err(|_| anyhow!("a user failed"))?;
    }
    print(&planes, &seen, begun.elapsed())?;
    machine::busy();
    Ok(())
}

/// One user with his devices.
struct User {
    at: usize,
    devices: Vec<Viewer>,
    get_key: Vec<String>,
    link: String,
    agent: ureq::Agent,
    seen: Arc<Seen>,
}

impl User {
    fn new(planes: &Planes, at: usize, link: &str, manifest: &str, seen: &Arc<Seen>) -> anyhow::Result<Self> {
        let edge = planes.edges.get(at % EDGES).context("there is no edge")?.server.base();
        let first = Viewer::new(&edge, manifest, "Load/0")?;
        let devices = (0..=DEVICES).map(|device| first.as_device(&format!("Load/{device}"))).collect();
        let get_key = |node: &super::planes::Node| format!("{}/api/v1/internal/pool/get-key", node.server.base());
        let get_key = planes.controls.iter().map(get_key).collect();
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        let agent = config.build().into();
        Ok(Self { at, devices, get_key, link: link.to_owned(), agent, seen: Arc::clone(seen) })
    }

    fn live(&self, end: Instant) {
        // They do not all come in the same moment.
        pause(THINKING.mul_f64((self.at % 50) as f64 / 50.0));
        let mut round = 0;
        while Instant::now() < end {
            let begun = Instant::now();
            self.watch(round);
            self.ask_for_a_key();
            round += 1;
            pause(THINKING.saturating_sub(begun.elapsed()));
        }
    }

    /// One device lists and starts a stream. The first devices have a place; the last one comes when they all have one.
    fn watch(&self, round: usize) {
        let at = round % self.devices.len();
        let device = &self.devices[at];
        self.seen.asked.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let Ok(list) = device.list() else { return self.failed() };
        push(&self.seen.list, begun);
        self.seen.decided.fetch_add(1, Ordering::Relaxed);
        let expected = if at < DEVICES { "" } else { "device_limit" };
        if list.refusal != expected {
            self.seen.wrong.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if at == DEVICES {
            return;
        }
        let Some(stream) = list.cached.get(round % 3) else { return self.failed() };
        self.seen.asked.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let Some(mut film) = device.open(stream, Some(FIRST)).ok().filter(|film| film.status == 206) else {
            return self.failed();
        };
        if !film.begins() {
            return self.failed();
        }
        push(&self.seen.start, begun);
        film.watch(FIRST);
    }

    /// The question itself, at a control node, for a device that had its place before the others.
    fn ask_for_a_key(&self) {
        let body = json!({"userId": self.link, "deviceId": "an-edge-of-its-own", "action": "check-cache"}).to_string();
        let Some(url) = self.get_key.get(self.at % self.get_key.len()) else { return };
        self.seen.asked.fetch_add(1, Ordering::Relaxed);
        let request = self.agent.post(url).header("content-type", "application/json");
        let begun = Instant::now();
        let answer = request.header("authorization", format!("Bearer {OWN}")).send(&body);
        let whole = answer.map(|mut answer| answer.status() == 200 && answer.body_mut().read_to_string().is_ok());
        if whole.is_ok_and(|whole| whole) { push(&self.seen.get_key, begun) } else { self.failed() }
    }

    fn failed(&self) {
        self.seen.failed.fetch_add(1, Ordering::Relaxed);
    }
}

fn push(figures: &Mutex<Figures>, begun: Instant) {
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    figures.lock().unwrap_or_else(PoisonError::into_inner).push(ms);
}

fn print(planes: &Planes, seen: &Seen, took: Duration) -> anyhow::Result<()> {
    println!("\nms, p50 / p95 / p99 / most:");
    let rows = [("get-key", &seen.get_key), ("stream list", &seen.list), ("play start", &seen.start)];
    for (what, figures) in rows {
        let figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
        let [p50, p95, p99, most] = [0.5, 0.95, 0.99, 1.0].map(|share| figures.percentile(share));
        let rate = figures.count() as f64 / took.as_secs_f64();
        println!(
            "  {what:<12} {p50:>8.1} / {p95:>8.1} / {p99:>8.1} / {most:>8.1}   {:>7} in all, {rate:.0}/s",
            figures.count()
        );
    }
    let get_key = seen.get_key.lock().unwrap_or_else(PoisonError::into_inner).percentile(0.99);
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    let keys = planes.operator(&["key", "list", "--json"], "")?;
    let users: Vec<i64> = keys.as_array().into_iter().flatten().filter_map(|key| key["users"].as_i64()).collect();
    let (least, most) = (users.iter().min().context("no keys")?, users.iter().max().context("no keys")?);
    println!("  users per key: {least} to {most}");
    let right = 100.0 * (count(&seen.decided) - count(&seen.wrong)) / count(&seen.decided);
    against(Goal::AtMost("", 100.0), "get-key, p99, ms", get_key);
    against(Goal::AtMost("", 0.1), "requests that failed, of 100", 100.0 * count(&seen.failed) / count(&seen.asked));
    against(Goal::AtMost("", 1.0), "users per key, most less least", (most - least) as f64);
    against(Goal::AtLeast("", 100.0), "devices decided right, of 100", right);
    Ok(())
}
