//! The library of known torrents when it is large: how long a lookup takes on SQLite and on PostgreSQL.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::machine;
use super::programs::Programs;
use crate::postgres::Postgres;
use crate::shell;

const TORRENTS: usize = 1_000_000;
const LOOKUPS: usize = 2_000;
/// ms, of the slowest of a hundred.
const GOAL: f64 = 5.0;

/// `bench library [--release] [--torrents N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let torrents = args.iter().position(|word| word == "--torrents").and_then(|at| args.get(at + 1));
    let torrents = torrents.map_or(Ok(TORRENTS), |number| number.parse()).context("--torrents takes a number")?;
    machine::describe();
    println!("{torrents} torrents of series with 50 each; {LOOKUPS} lookups one after the other, ms");
    let directory = tempfile::Builder::new().prefix("chill-bench-").tempdir()?;
    let file = directory.path().join("library.db");
    measure(&programs, &format!("sqlite://{}", file.display()), torrents)?;
    if machine::rival("pg_ctlcluster", "postgresql") {
        let server = Postgres::start()?;
        measure(&programs, &super::pool::database(&server, "library")?, torrents)?;
    }
    machine::busy();
    Ok(())
}

fn measure(programs: &Programs, url: &str, torrents: usize) -> anyhow::Result<()> {
    let mut command = Command::new(programs.example("library"));
    let said = shell::read(command.args([url, &torrents.to_string(), &LOOKUPS.to_string()]))?;
    let said: Value = serde_json::from_str(&said).context("the example `library` printed something else than JSON")?;
    let engine = said["engine"].as_str().unwrap_or("?");
    for (name, what) in [
        ("find", "torrents and files of an episode"),
        ("of_work", "torrents of a series for other programs"),
        ("called", "a series by its name"),
        ("newest", "the newest hundred"),
    ] {
        let of = |which: &str| said["ms"][name][which].as_f64().with_context(|| format!("no figure {name}"));
        let (p50, p99, most) = (of("p50")?, of("p99")?, of("most")?);
        ensure!(p50 > 0.0, "{name} took no time");
        let goal = if p99 < GOAL { "reached" } else { "missed" };
        println!(
            "{engine:<10} {what:<42} p50 {p50:>7.3}  p99 {p99:>7.3}  most {most:>7.3}  (goal p99 < {GOAL}: {goal})"
        );
    }
    Ok(())
}
