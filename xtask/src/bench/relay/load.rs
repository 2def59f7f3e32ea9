//! The players, and what the server used meanwhile.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::servers::{Server, Upstream};

const SECONDS: u32 = 3;
const MBIT: u32 = 10;
/// Until memory is where it stays.
const SETTLING: Duration = Duration::from_secs(2);

/// What the players do.
#[derive(Debug)]
pub(super) struct Workload {
    connections: u32,
    paced: bool,
}

impl Workload {
    pub(super) fn ranges(connections: u32) -> Self {
        Self { connections, paced: false }
    }

    pub(super) fn paced(connections: u32) -> Self {
        Self { connections, paced: true }
    }

    pub(super) fn is_paced(&self) -> bool {
        self.paced
    }

    /// One run against one server.
    pub(super) fn run(&self, mut player: Command, server: &Server, upstream: Upstream) -> anyhow::Result<Load> {
        player.arg(if self.paced { "paced" } else { "ranges" }).arg(server.url(upstream));
        player.args([self.connections, SECONDS].map(|number| number.to_string()));
        if self.paced {
            player.arg(MBIT.to_string());
        }
        let processes = server.processes(upstream);
        let mut players = Players::start(&mut player)?;
        players.begun()?;
        let before = cpu_seconds(&processes)?;
        let said = players.figures()?;
        let cpu = cpu_seconds(&processes)? - before;
        let field = |name: &str| said.get(name).and_then(Value::as_f64).with_context(|| format!("no {name}"));
        let asked = self.paced.then(|| f64::from(MBIT) * 1e6 / 8.0);
        let connections = f64::from(self.connections);
        let (bytes, worst, seconds) = (field("bytes")?, field("worst")?, field("seconds")?);
        ensure!(bytes > 0.0, "no byte was delivered");
        Ok(Load { bytes, worst, seconds, cpu, connections, asked })
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.paced {
            true => write!(f, "{} players at {MBIT} Mbit/s each", self.connections),
            false => write!(f, "{} connections, ranges of 1–8 MiB", self.connections),
        }
    }
}

/// What one run saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    bytes: f64,
    worst: f64,
    seconds: f64,
    cpu: f64,
    connections: f64,
    /// Bytes per second and player; none: as many as come.
    asked: Option<f64>,
}

impl Load {
    pub(super) fn cpu_per_gb(&self) -> f64 {
        self.cpu / (self.bytes / 1e9)
    }

    pub(super) fn gb_per_second(&self) -> f64 {
        self.bytes / 1e9 / self.seconds
    }

    /// The share of what all players asked for.
    pub(super) fn delivered(&self) -> f64 {
        self.asked.map_or(f64::NAN, |asked| self.bytes / (asked * self.seconds * self.connections))
    }

    /// The share that the player got who got least.
    pub(super) fn worst(&self) -> f64 {
        self.asked.map_or(f64::NAN, |asked| self.worst / (asked * self.seconds))
    }
}

/// KiB of user memory that one more stalled stream takes.
pub(super) fn stalled(mut player: Command, server: &Server, upstream: Upstream, streams: u32) -> anyhow::Result<f64> {
    let processes = server.processes(upstream);
    let before = proportional_kib(&processes)?;
    player.arg("stalled").arg(server.url(upstream)).arg(streams.to_string()).stdin(Stdio::piped());
    let mut players = Players::start(&mut player)?;
    players.begun()?;
    std::thread::park_timeout(SETTLING);
    let after = proportional_kib(&processes)?;
    drop(players.child.stdin.take());
    let said = players.figures()?;
    let stalled = said.get("stalled").and_then(Value::as_u64);
    ensure!(stalled == Some(u64::from(streams)), "only {stalled:?} of {streams} streams had begun");
    Ok((after - before) / f64::from(streams))
}

/// The program that plays; killed when dropped early.
struct Players {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Players {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("the players cannot start")?;
        let output = child.stdout.take().context("their output is piped")?;
        Ok(Self { child, lines: BufReader::new(output).lines() })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        Ok(self.lines.next().context("the players ended early")??)
    }

    fn begun(&mut self) -> anyhow::Result<()> {
        let line = self.line()?;
        ensure!(line == "begin", "the players said {line}");
        Ok(())
    }

    fn figures(&mut self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.line()?)?)
    }
}

impl Drop for Players {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Seconds all threads of these processes were on a CPU.
fn cpu_seconds(processes: &[u32]) -> anyhow::Result<f64> {
    let mut nanoseconds = 0_u64;
    for process in processes {
        let threads = fs::read_dir(format!("/proc/{process}/task")).context("the server has ended")?;
        for thread in threads.flatten() {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            nanoseconds += text.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default();
        }
    }
    Ok(nanoseconds as f64 / 1e9)
}

/// KiB of memory, what is shared divided by its sharers.
fn proportional_kib(processes: &[u32]) -> anyhow::Result<f64> {
    let mut kib = 0.0;
    for process in processes {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).context("the server has ended")?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB"));
        kib += line.context("the kernel names no Pss")?.parse::<f64>()?;
    }
    Ok(kib)
}
