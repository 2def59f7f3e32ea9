//! Carrying a film's bytes: the relay beside nginx and haproxy in front of the same origin, in one interleaved run.
//!
//! CPU time is what the kernel counted for the server's processes while the players took their bytes; a ratio is of two
//! figures of the same round.

mod load;
mod servers;

use std::process::Command;

use anyhow::Context;

use super::figures::{Figures, Goal, against};
use super::machine;
use super::programs::Programs;
use load::{Load, Workload};
use servers::{Origin, Server, Upstream};

const ROUNDS: usize = 3;
const PACED_ROUNDS: usize = 2;
const FEW: u32 = 50;
const MANY: u32 = 500;
const PACED: u32 = 400;
const STALLED: u32 = 500;
const PARTS: [&str; 3] = ["ranges", "paced", "memory"];
const UPSTREAMS: [&str; 2] = ["http", "tls"];

/// What one server did in all rounds of one workload.
#[derive(Debug, Default)]
struct Row {
    cpu: Figures,
    speed: Figures,
    delivered: Figures,
    worst: Figures,
    /// CPU seconds per GB in each round, in their order.
    rounds: Vec<f64>,
    worsts: Vec<f64>,
}

impl Row {
    fn push(&mut self, load: &Load) {
        self.cpu.push(load.cpu_per_gb());
        self.speed.push(load.gb_per_second());
        self.delivered.push(load.delivered());
        self.worst.push(load.worst());
        self.rounds.push(load.cpu_per_gb());
        self.worsts.push(load.worst());
    }
}

/// Ratios of two rows, round by round.
fn ratios(ours: &[f64], theirs: &[f64]) -> Figures {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

/// Which parts are measured, and how often.
#[derive(Debug)]
struct Plan {
    rounds: usize,
    paced_rounds: usize,
    /// `ranges`, `paced` or `memory`, and `http` or `tls`; empty means all of their kind.
    only: Vec<String>,
}

impl Plan {
    /// `--rounds N` of each, `--only PART,…` such as `--only ranges,tls`; `--quick` is `--rounds 1`.
    fn read(words: &[String]) -> anyhow::Result<Self> {
        let quick = words.iter().any(|word| word == "--quick");
        let given = quick || words.iter().any(|word| word == "--rounds");
        let rounds = super::rounds(words, if quick { 1 } else { ROUNDS })?;
        let only = match words.iter().position(|word| word == "--only") {
            Some(at) => words.get(at + 1).context("--only wants parts, as in `--only ranges,tls`")?.as_str(),
            None => "",
        };
        let only: Vec<String> = only.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let stray = only.iter().find(|part| !PARTS.contains(&part.as_str()) && !UPSTREAMS.contains(&part.as_str()));
        anyhow::ensure!(stray.is_none(), "--only takes {} and {}", PARTS.join(", "), UPSTREAMS.join(", "));
        Ok(Self { rounds, paced_rounds: if given { rounds } else { PACED_ROUNDS }, only })
    }

    fn has(&self, part: &str, kind: &[&str]) -> bool {
        let named = |part: &str| self.only.iter().any(|only| only == part);
        named(part) || !kind.iter().any(|part| named(part))
    }

    fn upstreams(&self, part: &str) -> Vec<Upstream> {
        let all = [(Upstream::Http, "http"), (Upstream::Tls, "tls")].into_iter().filter(|_| self.has(part, &PARTS));
        all.filter(|(_, name)| self.has(name, &UPSTREAMS)).map(|(upstream, _)| upstream).collect()
    }
}

/// Prints the figures.
pub(super) fn run(words: &[String]) -> anyhow::Result<()> {
    let plan = Plan::read(words)?;
    machine::describe();
    let programs = Programs::of(words, &["-p", "chill-edge", "--examples"])?;
    anyhow::ensure!(machine::rival("nginx", "nginx-light"), "nginx is the origin too: nothing can be measured");
    let haproxy = machine::rival("haproxy", "haproxy");
    let origin = Origin::start()?;
    let start = || servers::all(&origin, &programs, haproxy);
    let (servers, player) = (start()?, programs.example("blast"));
    for upstream in plan.upstreams("ranges") {
        ranges(&servers, upstream, plan.rounds, &player)?;
    }
    for upstream in plan.upstreams("paced") {
        let rows = measure(&servers, upstream, &Workload::paced(PACED), plan.paced_rounds, &player)?;
        let what = format!("{upstream}, {PACED} paced players");
        compare(Goal::AtLeast("paced", 0.995), &format!("{what}: delivered ÷ asked"), &rows[0].delivered);
        let worst = ratios(&rows[0].worsts, &rows[1].worsts);
        compare(Goal::AtLeast("worst", 0.95), &format!("{what}: worst stream ÷ nginx's"), &worst);
    }
    for upstream in plan.upstreams("memory") {
        // New ones: what a server keeps of other streams would hide what one more costs.
        memory(&start()?, upstream, &player)?;
    }
    machine::busy();
    Ok(())
}

/// As much as comes, over few connections and over many.
fn ranges(servers: &[Server], upstream: Upstream, rounds: usize, player: &std::path::Path) -> anyhow::Result<()> {
    let few = measure(servers, upstream, &Workload::ranges(FEW), rounds, player)?;
    let many = measure(servers, upstream, &Workload::ranges(MANY), rounds, player)?;
    let bound = if upstream == Upstream::Tls { 0.75 } else { 0.6 };
    for (connections, rows) in [(FEW, &few), (MANY, &many)] {
        let what = format!("{upstream}, {connections} connections: CPU per GB ÷ nginx");
        compare(Goal::AtMost("CPU", bound), &what, &ratios(&rows[0].rounds, &rows[1].rounds));
    }
    let what = format!("{upstream}: CPU per GB at {MANY} ÷ at {FEW} connections");
    compare(Goal::AtMost("growth", 1.15), &what, &ratios(&many[0].rounds, &few[0].rounds));
    Ok(())
}

fn compare(goal: Goal, what: &str, ratios: &Figures) {
    against(goal, &format!("{what} {}", ratios.shown(2)), ratios.median());
}

/// One row a server, ours first; each round goes through them in another order.
fn measure(
    servers: &[Server],
    upstream: Upstream,
    workload: &Workload,
    rounds: usize,
    player: &std::path::Path,
) -> anyhow::Result<Vec<Row>> {
    let mut rows: Vec<Row> = servers.iter().map(|_| Row::default()).collect();
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let at = (round + turn) % servers.len();
            let (Some(server), Some(row)) = (servers.get(at), rows.get_mut(at)) else { continue };
            let load = workload.run(Command::new(player), server, upstream);
            row.push(&load.with_context(|| format!("{} over {upstream}", server.name()))?);
        }
    }
    println!("\n{upstream} upstream, {workload}, {rounds} rounds: median (least–most)");
    println!("  {:<18} {:<22} {:<22} {:<22} worst ÷ asked", "", "CPU s/GB", "GB/s", "delivered ÷ asked");
    for (server, row) in servers.iter().zip(&rows) {
        let (cpu, speed) = (row.cpu.shown(2).to_string(), row.speed.shown(2).to_string());
        let paced = |figures: &Figures| if workload.is_paced() { figures.shown(3).to_string() } else { "-".to_owned() };
        let (delivered, worst) = (paced(&row.delivered), paced(&row.worst));
        println!("  {:<18} {cpu:<22} {speed:<22} {delivered:<22} {worst}", server.name());
    }
    machine::busy();
    Ok(rows)
}

/// What a stream costs whose player stopped reading.
fn memory(servers: &[Server], upstream: Upstream, player: &std::path::Path) -> anyhow::Result<()> {
    println!("\n{upstream} upstream, {STALLED} players that stopped after 64 KiB: user memory (PSS) per stream");
    let mut each = Vec::new();
    for server in servers {
        let kib = load::stalled(Command::new(player), server, upstream, STALLED)?;
        println!("  {:<18} {kib:.1} KiB", server.name());
        each.push(kib);
    }
    if let [ours, nginx, ..] = each.as_slice() {
        against(Goal::AtMost("memory", 0.5), &format!("{upstream}: per stalled stream ÷ nginx"), ours / nginx);
    }
    Ok(())
}
