//! From an operator's act until three edges refuse new requests and have cut the running film, with two control nodes on
//! PostgreSQL.
//!
//! Counted from the end of the command, which ends after its change was committed; what was seen before that is 0.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::figures::{Figures, Goal, against};
use super::machine;
use super::planes::Planes;
use super::programs::Programs;
use super::start::pause;
use super::viewer::Viewer;
use crate::world::World;

const TRIALS: usize = 200;
const CONTROLS: usize = 2;
const EDGES: usize = 3;
/// A film that ran this far is running.
const RUNNING: u64 = 64 * 1024;
/// Between two requests of one device at one edge.
const GAP: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Suspended,
    LinkReset,
    DeviceRevoked,
    KeyDisabled,
}

const KINDS: [(Kind, &str); 4] = [
    (Kind::Suspended, "user suspended"),
    (Kind::LinkReset, "link reset"),
    (Kind::DeviceRevoked, "device revoked"),
    (Kind::KeyDisabled, "key disabled"),
];

/// What one edge did, and when.
enum Seen {
    Running,
    Cut(Instant),
    Refused(Instant),
}

/// ms from the command's end, and from its beginning.
#[derive(Default)]
struct Measured {
    cut: Figures,
    refused: Figures,
    from_begin: Figures,
    /// Whichever of cut and refusal came later.
    both: Figures,
}

/// `bench revocation [--release] [--trials N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let trials = super::number(args, "--trials", TRIALS)?;
    machine::describe();
    let planes = Planes::start(&programs, CONTROLS, EDGES)?;
    planes.key("bench", World::store_key(), 10)?;
    let (_, mut manifest) = planes.user("bench", 1_000)?;
    let mut measured: [Measured; 4] = Default::default();
    for trial in 0..trials {
        let at = trial % KINDS.len();
        one(&planes, KINDS[at].0, trial, &mut manifest, &mut measured[at])
            .with_context(|| format!("trial {trial}, {}", KINDS[at].1))?;
    }
    println!(
        "\n{trials} trials, {CONTROLS} control nodes, {EDGES} edges each with a running film; the slowest edge counts."
    );
    println!("ms from the end of the command: p50 / p99 / most");
    let shown = |figures: &Figures| {
        format!("{:.0} / {:.0} / {:.0}", figures.percentile(0.5), figures.percentile(0.99), figures.percentile(1.0))
    };
    for ((_, what), measured) in KINDS.iter().zip(&measured) {
        let (cut, refused, begin) = (shown(&measured.cut), shown(&measured.refused), shown(&measured.from_begin));
        println!(
            "  {what:<16} film cut {cut:>16}   new requests refused {refused:>16}   both, from its beginning {begin:>16}"
        );
    }
    for ((_, what), measured) in KINDS.iter().zip(&measured) {
        let p99 = measured.cut.percentile(0.99).max(measured.refused.percentile(0.99));
        against(Goal::AtMost("", 1_000.0), &format!("{what}, p99, ms"), p99);
    }
    let all: Figures = measured.iter().flat_map(|measured| measured.both.all()).copied().collect();
    against(Goal::AtMost("", 1_000.0), "all of them, p99, ms", all.percentile(0.99));
    machine::busy();
    Ok(())
}

fn one(planes: &Planes, kind: Kind, trial: usize, manifest: &mut String, into: &mut Measured) -> anyhow::Result<()> {
    let device = format!("Bench/{trial}");
    let (tell, seen) = channel();
    let viewers = planes.edges.iter().map(|edge| Viewer::new(&edge.server.base(), manifest, &device));
    let viewers = viewers.collect::<anyhow::Result<Vec<_>>>()?;
    for viewer in &viewers {
        watch(viewer, tell.clone())?;
    }
    for _ in &viewers {
        ensure!(matches!(seen.recv_timeout(PATIENCE)?, Seen::Running), "a film ended by itself");
    }
    let words = act(planes, kind)?;
    for viewer in viewers {
        let tell = tell.clone();
        std::thread::spawn(move || ask(&viewer, &tell));
    }
    let begun = Instant::now();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = planes.operator(&words, "")?;
    let committed = Instant::now();
    let (cut, refused) = slowest(&seen)?;
    let ms = |at: Instant, since: Instant| at.saturating_duration_since(since).as_secs_f64() * 1e3;
    into.cut.push(ms(cut, committed));
    into.refused.push(ms(refused, committed));
    into.both.push(ms(cut.max(refused), committed));
    into.from_begin.push(ms(cut.max(refused), begun));
    match kind {
        Kind::Suspended => drop(planes.operator(&["user", "activate", "bench", "--json"], "")?),
        Kind::LinkReset => said["manifestUrl"].as_str().context("no manifestUrl")?.clone_into(manifest),
        Kind::DeviceRevoked => {}
        Kind::KeyDisabled => drop(planes.operator(&["key", "enable", "bench", "--json"], "")?),
    }
    again(planes, manifest, trial)
}

/// The command of an act.
fn act(planes: &Planes, kind: Kind) -> anyhow::Result<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Ok(match kind {
        Kind::Suspended => words(&["user", "suspend", "bench", "--json"]),
        Kind::LinkReset => words(&["user", "reset-link", "bench", "--json"]),
        Kind::KeyDisabled => words(&["key", "disable", "bench", "--json"]),
        Kind::DeviceRevoked => {
            let devices = planes.operator(&["device", "list", "--user", "bench", "--json"], "")?;
            let newest =
                devices.as_array().and_then(|all| all.iter().max_by_key(|device| device["firstSeen"].as_i64()));
            let id = newest.and_then(|device| device["id"].as_str()).context("the device is not listed")?;
            words(&["device", "revoke", id, "--json"])
        }
    })
}

/// Plays the largest stream until it breaks.
fn watch(viewer: &Viewer, tell: Sender<Seen>) -> anyhow::Result<()> {
    let list = viewer.list()?;
    let largest =
        list.cached.last().with_context(|| format!("no stream is cached; refused: {}", list.refusal))?.clone();
    let mut film = viewer.open(&largest, None)?;
    ensure!(film.status == 200, "the film was answered with {}", film.status);
    std::thread::spawn(move || {
        film.watch(RUNNING);
        // Nobody listens any more when the trial has failed.
        let _ = tell.send(Seen::Running);
        film.watch(u64::MAX);
        let _ = tell.send(Seen::Cut(Instant::now()));
    });
    Ok(())
}

/// Asks until it is refused.
fn ask(viewer: &Viewer, tell: &Sender<Seen>) {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if viewer.list().is_ok_and(|list| !list.refusal.is_empty()) {
            let _ = tell.send(Seen::Refused(Instant::now()));
            return;
        }
        pause(GAP);
    }
}

/// When the last edge had cut, and when the last one had refused.
fn slowest(seen: &Receiver<Seen>) -> anyhow::Result<(Instant, Instant)> {
    let (mut cuts, mut refusals) = (Vec::new(), Vec::new());
    while cuts.len() < EDGES || refusals.len() < EDGES {
        match seen.recv_timeout(PATIENCE).context("an edge went on")? {
            Seen::Cut(at) => cuts.push(at),
            Seen::Refused(at) => refusals.push(at),
            Seen::Running => {}
        }
    }
    Ok((cuts.into_iter().max().context("no cut")?, refusals.into_iter().max().context("no refusal")?))
}

/// Waits until every edge lets a device in again.
fn again(planes: &Planes, manifest: &str, trial: usize) -> anyhow::Result<()> {
    for edge in &planes.edges {
        let viewer = Viewer::new(&edge.server.base(), manifest, &format!("Bench/{}", trial + 1))?;
        let begun = Instant::now();
        while !viewer.list().is_ok_and(|list| list.refusal.is_empty()) {
            ensure!(begun.elapsed() < PATIENCE, "an edge lets nobody in again");
            pause(GAP);
        }
    }
    Ok(())
}
