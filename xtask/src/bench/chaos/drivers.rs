//! What runs while nodes are killed: players, deliveries of usage, and a crowd of devices.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use super::DEVICES;
use crate::bench::planes::{Node, OWN, Planes};
use crate::bench::start::pause;
use crate::bench::viewer::{Stream, Viewer};

const PLAYERS: u64 = 3;
/// Each playback is another device's, and a user may have so many.
const MOST_DEVICES: u32 = 1_000;
const USERS_OF_A_PLAYER: usize = 5;
const DELIVERERS: u64 = 2;
/// Events in a delivery.
const BATCH: usize = 10;
/// Devices that want to be among the few.
pub(super) const CROWD: u64 = 20;
/// Between two deeds of one driver.
const GAP: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(10);

/// Choices that a seed makes again (Marsaglia's xorshift).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }
}

/// What the drivers saw.
#[derive(Default)]
pub(super) struct Ledger {
    /// Playbacks asked for, and those of which a byte came.
    pub(super) tried: AtomicU64,
    pub(super) seen: AtomicU64,
    /// Events that were acknowledged, and how often any was delivered.
    pub(super) acknowledged: AtomicU64,
    pub(super) delivered: AtomicU64,
    /// Devices of the crowd that were let in.
    pub(super) granted: Mutex<HashSet<u64>>,
}

/// The running drivers.
pub(super) struct Drivers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drivers {
    pub(super) fn start(planes: &Planes, key: &str, ledger: &Arc<Ledger>, seed: u64) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        let mut drive = |mut deed: Box<dyn FnMut() + Send>| {
            let stop = Arc::clone(&stop);
            threads.push(std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    deed();
                    pause(GAP);
                }
            }));
        };
        for player in 0..PLAYERS {
            let users =
                (0..USERS_OF_A_PLAYER).map(|n| Ok(planes.user(&format!("player-{player}-{n}"), MOST_DEVICES)?.1));
            let manifests = users.collect::<anyhow::Result<Vec<_>>>()?;
            drive(play(planes, &manifests, ledger, Dice::new(seed + player))?);
        }
        let (link, _) = planes.user("told", 3)?;
        let urls: Vec<_> = planes.controls.iter().map(|node| node.server.base()).collect();
        for deliverer in 0..DELIVERERS {
            drive(deliver(&urls, &link, key, ledger, Dice::new(seed ^ (deliverer + 77)), Arc::clone(&stop)));
        }
        let (_, manifest) = planes.user("limited", u32::try_from(DEVICES)?)?;
        drive(crowd(planes, &manifest, ledger, Dice::new(seed ^ 99))?);
        Ok(Self { stop, threads })
    }

    /// Lets each finish its deed.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("a driver failed"))?;
        }
        Ok(())
    }
}

/// Plays the smallest file again and again, each time as another device: each is a playback of its own.
fn play(
    planes: &Planes,
    manifests: &[String],
    ledger: &Arc<Ledger>,
    mut dice: Dice,
) -> anyhow::Result<Box<dyn FnMut() + Send>> {
    let mut users: Vec<Vec<(Viewer, Stream)>> = Vec::new();
    for manifest in manifests {
        let at = |edge: &Node| {
            let viewer = Viewer::new(&edge.server.base(), manifest, "Chaos/first")?;
            let smallest = viewer.list()?.cached.into_iter().next().context("no stream is cached")?;
            Ok((viewer, smallest))
        };
        users.push(planes.edges.iter().map(at).collect::<anyhow::Result<_>>()?);
    }
    let (ledger, mut device) = (Arc::clone(ledger), 0);
    Ok(Box::new(move || {
        device += 1;
        let Some(edges) = users.get(device / (MOST_DEVICES as usize - 1)) else { return };
        let (viewer, stream) = &edges[dice.below(edges.len() as u64) as usize];
        ledger.tried.fetch_add(1, Ordering::SeqCst);
        let opened = viewer.as_device(&format!("Chaos/{device}")).open(stream, None);
        // A refusal sends to a clip, which is no playback.
        if let Ok(mut film) = opened.map_err(drop).and_then(|film| if film.status == 200 { Ok(film) } else { Err(()) })
            && film.watch(u64::MAX) > 0
        {
            ledger.seen.fetch_add(1, Ordering::SeqCst);
        }
    }))
}

/// Delivers events until they are acknowledged, and some of them once more.
fn deliver(
    urls: &[String],
    link: &str,
    key: &str,
    ledger: &Arc<Ledger>,
    mut dice: Dice,
    stop: Arc<AtomicBool>,
) -> Box<dyn FnMut() + Send> {
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    let (urls, link, key, ledger) = (urls.to_vec(), link.to_owned(), key.to_owned(), Arc::clone(ledger));
    Box::new(move || {
        let events: Vec<Value> = (0..BATCH)
            .map(|_| {
                let id = uuid(&mut dice);
                json!({"userId": link, "poolKeyId": key, "action": "chaos", "bytes": 1_000, "eventId": id})
            })
            .collect();
        let body = Value::from(events).to_string();
        let mut send = || {
            ledger.delivered.fetch_add(BATCH as u64, Ordering::SeqCst);
            let url = format!("{}/api/v1/internal/pool/log-usage", urls[dice.below(urls.len() as u64) as usize]);
            let request = agent.post(url).header("content-type", "application/json");
            let sent = request.header("authorization", format!("Bearer {OWN}")).send(&body);
            sent.is_ok_and(|answer| answer.status() == 200)
        };
        // Also after the end: what is on its way is seen through, so that every event is known to be counted.
        while !send() {
            pause(if stop.load(Ordering::SeqCst) { 5 * GAP } else { GAP });
        }
        ledger.acknowledged.fetch_add(BATCH as u64, Ordering::SeqCst);
        if dice.below(5) == 0 {
            let url = format!("{}/api/v1/internal/pool/log-usage", urls[dice.below(urls.len() as u64) as usize]);
            let request = agent.post(url).header("content-type", "application/json");
            let again = request.header("authorization", format!("Bearer {OWN}")).send(&body);
            ledger.delivered.fetch_add(if again.is_ok() { BATCH as u64 } else { 0 }, Ordering::SeqCst);
        }
    })
}

/// Asks as one of many devices of a user who may have few.
fn crowd(
    planes: &Planes,
    manifest: &str,
    ledger: &Arc<Ledger>,
    mut dice: Dice,
) -> anyhow::Result<Box<dyn FnMut() + Send>> {
    let edges = planes.edges.iter().map(|edge| Viewer::new(&edge.server.base(), manifest, ""));
    let edges = edges.collect::<anyhow::Result<Vec<_>>>()?;
    let ledger = Arc::clone(ledger);
    Ok(Box::new(move || {
        let device = dice.below(CROWD);
        let viewer = edges[dice.below(edges.len() as u64) as usize].as_device(&format!("Crowd/{device}"));
        if viewer.list().is_ok_and(|list| list.refusal.is_empty() && !list.cached.is_empty()) {
            ledger.granted.lock().unwrap_or_else(PoisonError::into_inner).insert(device);
        }
    }))
}

/// A random UUID (RFC 9562, version 4).
fn uuid(dice: &mut Dice) -> String {
    let (one, two) = (dice.next(), dice.next());
    let hex = format!("{one:016x}{two:016x}");
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
