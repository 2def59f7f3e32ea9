//! get-key decisions per second: decided together against one transaction each, on SQLite and on PostgreSQL, with
//! pgbench doing the same work between the runs; and whether any device got a place too many.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::figures::{Figures, Goal, against};
use super::machine;
use super::pgbench::Pgbench;
use super::programs::Programs;
use crate::postgres::{self, Postgres};
use crate::shell;

const SECONDS: u32 = 2;
const ROUNDS: usize = 5;
/// Manner, work and how many wait.
pub(super) type Case = (&'static str, &'static str, u32);
const ON_SQLITE: [Case; 8] = [
    ("group", "new", 1),
    ("single", "new", 1),
    ("group", "new", 16),
    ("single", "new", 16),
    ("group", "new", 100),
    ("single", "new", 100),
    ("group", "known", 100),
    ("single", "known", 100),
];
const ON_POSTGRES: [Case; 7] = [
    ("group", "new", 1),
    ("group", "new", 16),
    ("group", "new", 100),
    ("single", "new", 100),
    ("group", "new", 400),
    ("group", "known", 100),
    ("single", "known", 100),
];

/// Rate, and p50 and p99 in ms, of one case.
#[derive(Default)]
struct Measured {
    rate: Figures,
    p50: Figures,
    p99: Figures,
}

/// The measuring program with its database.
pub(super) struct Decisions {
    engine: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    measured: BTreeMap<Case, Measured>,
}

/// `bench pool [--release] [--rounds N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let rounds = super::rounds(args, ROUNDS)?;
    machine::describe();
    println!("10 000 users with 3 devices each, 10 keys; {rounds} interleaved rounds of {SECONDS} s; decisions/s");
    println!("`new`: a device never seen, so a write each; `known`: a device seen before");
    let directory = tempfile::Builder::new().prefix("chill-bench-").tempdir()?;
    let file = directory.path().join("chillproxy.db");
    let mut engines = vec![Decisions::start(&programs, "SQLite", &format!("sqlite://{}", file.display()))?];
    let mut rival = None;
    let server = if machine::rival("pg_ctlcluster", "postgresql") { Some(Postgres::start()?) } else { None };
    if let Some(server) = &server {
        let (ours, theirs) = (database(server, "ours")?, database(server, "theirs")?);
        engines.push(Decisions::start(&programs, "PostgreSQL", &ours)?);
        rival = Some(Pgbench::fill(&postgres::programs().context("PostgreSQL is gone")?, &theirs)?);
    }
    let mut theirs: BTreeMap<&'static str, Figures> = BTreeMap::new();
    for _ in 0..rounds {
        for engine in &mut engines {
            engine.round()?;
        }
        for work in ["new", "known"] {
            if let Some(rival) = &rival {
                theirs.entry(work).or_default().push(rival.run(work, SECONDS)?);
            }
        }
    }
    print(&engines, &theirs);
    println!("\n40 devices each of 50 users who may have 5, 100 requests at a time:");
    for engine in &mut engines {
        engine.storm()?;
    }
    machine::busy();
    Ok(())
}

pub(super) fn database(server: &Postgres, name: &str) -> anyhow::Result<String> {
    shell::read(&mut shell::command("psql", [server.url(), "-XqAtc", &format!("CREATE DATABASE {name}")]))?;
    let (place, _) = server.url().rsplit_once('/').context("the server's address names a database")?;
    Ok(format!("{place}/{name}"))
}

fn print(engines: &[Decisions], theirs: &BTreeMap<&'static str, Figures>) {
    for engine in engines {
        println!("\n{}", engine.engine);
        for ((manner, work, waiting), measured) in &engine.measured {
            let (rate, p50, p99) = (measured.rate.shown(0), measured.p50.shown(2), measured.p99.shown(1));
            println!("  {work:<6} {manner:<7} {waiting:>4} waiting {rate:>24}/s   p50 {p50:>20} ms   p99 {p99:>18} ms");
        }
    }
    for (work, rate) in theirs {
        println!("  {work:<6} pgbench -c16         {:>24}/s", rate.shown(0));
    }
    println!();
    let rate = |engine: &str, case: Case| {
        let found = engines.iter().find(|decisions| decisions.engine == engine)?;
        Some(found.measured.get(&case)?.rate.median())
    };
    let pgbench = |work: &str| theirs.get(work).map(Figures::median);
    let ratio = |goal, what: &str, ours: Option<f64>, other: Option<f64>| {
        if let (Some(ours), Some(other)) = (ours, other) {
            against(goal, what, ours / other);
        }
    };
    let (sqlite, postgres) = ("SQLite", "PostgreSQL");
    let new = rate(postgres, ("group", "new", 100));
    ratio(Goal::AtLeast("D1", 4.0), "PostgreSQL, new, 100 waiting ÷ pgbench -c16", new, pgbench("new"));
    let crowd = rate(postgres, ("group", "new", 400));
    ratio(Goal::AtLeast("D2", 6.0), "PostgreSQL, new, 400 waiting ÷ pgbench -c16", crowd, pgbench("new"));
    let known = rate(postgres, ("group", "known", 100));
    ratio(Goal::AtLeast("D3", 5.0), "PostgreSQL, 100 waiting, known ÷ new", known, new);
    ratio(Goal::AtLeast("", 1.0), "PostgreSQL, known, 100 waiting ÷ pgbench -c16", known, pgbench("known"));
    let group = rate(sqlite, ("group", "new", 100));
    ratio(
        Goal::AtLeast("D4", 3.0),
        "SQLite, new, 100 waiting, together ÷ one each",
        group,
        rate(sqlite, ("single", "new", 100)),
    );
    ratio(Goal::AtLeast("D4", 20.0), "SQLite, new, 100 waiting ÷ pgbench -c16 (PostgreSQL)", group, pgbench("new"));
}

impl Decisions {
    fn start(programs: &Programs, engine: &'static str, url: &str) -> anyhow::Result<Self> {
        Self::start_with(programs, engine, url, 10_000, 10)
    }

    /// On a database with so many users and keys.
    pub(super) fn start_with(
        programs: &Programs,
        engine: &'static str,
        url: &str,
        users: usize,
        keys: usize,
    ) -> anyhow::Result<Self> {
        let mut program = Command::new(programs.example("decisions"));
        program.args([url, &users.to_string(), &keys.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = program.spawn().context("cannot start the example `decisions`")?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("its output is piped")?);
        let mut decisions = Self { engine, child, input, output, measured: BTreeMap::new() };
        decisions.said().with_context(|| format!("the users could not be put into {engine}"))?;
        Ok(decisions)
    }

    fn round(&mut self) -> anyhow::Result<()> {
        self.measure(if self.engine == "SQLite" { &ON_SQLITE } else { &ON_POSTGRES })
    }

    /// The middle of a case's rounds, decisions per second.
    pub(super) fn rate(&self, case: Case) -> Option<f64> {
        Some(self.measured.get(&case)?.rate.median())
    }

    /// Measures each case once.
    pub(super) fn measure(&mut self, cases: &[Case]) -> anyhow::Result<()> {
        for case in cases {
            let said = self.ask(*case)?;
            let figure = |name: &str| said[name].as_f64().with_context(|| format!("no {name}"));
            let measured = self.measured.entry(*case).or_default();
            measured.rate.push(figure("per_second")?);
            measured.p50.push(figure("p50_ms")?);
            measured.p99.push(figure("p99_ms")?);
        }
        Ok(())
    }

    fn storm(&mut self) -> anyhow::Result<()> {
        for manner in ["group", "single"] {
            let said = self.ask((manner, "storm", 100))?;
            let over = said["over_limit"].as_u64().context("no over_limit")?;
            println!(
                "  D6     {:<10} {manner:<7} granted {} of {} places, refused {}, devices over the limit: {over}{}",
                self.engine,
                said["granted"],
                said["places"],
                said["refused"],
                if over == 0 { "" } else { "   MISSED" },
            );
        }
        Ok(())
    }

    fn ask(&mut self, (manner, work, waiting): Case) -> anyhow::Result<Value> {
        let input = self.input.as_mut().context("its input is closed")?;
        writeln!(input, "{manner} {work} {waiting} {SECONDS}").context("the example `decisions` ended")?;
        self.said()
    }

    fn said(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        ensure!(self.output.read_line(&mut line)? > 0, "the example `decisions` ended");
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Decisions {
    fn drop(&mut self) {
        // It ends by itself when its input does.
        self.input = None;
        if let Err(error) = self.child.wait() {
            eprintln!("xtask: the example `decisions` could not be waited for: {error}");
        }
    }
}
