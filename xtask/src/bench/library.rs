//! The library of known torrents when it is large, on SQLite and on PostgreSQL: how long it takes to fill, how large it is on
//! disk, how long a lookup takes, and how long forgetting keeps others from writing.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::machine;
use super::programs::Programs;
use crate::postgres::Postgres;
use crate::shell;

const TORRENTS: usize = 1_000_000;
const LOOKUPS: usize = 2_000;
/// So few that most of what they read was not read by one before.
const COLD_LOOKUPS: usize = 200;
/// ms, of the slowest of a hundred.
const GOAL: f64 = 5.0;

/// `bench library [--release] [--torrents N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let torrents = super::number(args, "--torrents", TORRENTS)?;
    machine::describe();
    println!("{torrents} torrents of series with 50 each; lookups one after the other, ms");
    let directory = tempfile::Builder::new().prefix("chill-bench-").tempdir()?;
    let url = format!("sqlite://{}", directory.path().join("library.db").display());
    let size = || bytes_below(directory.path());
    Library { programs: &programs, engine: "SQLite", url }.measure(torrents, size, || cool(directory.path()))?;
    drop(directory);
    if machine::rival("pg_ctlcluster", "postgresql") {
        let mut server = Postgres::start()?;
        let (url, files) = (super::pool::database(&server, "library")?, server.files().to_path_buf());
        let address = url.clone();
        let ask = |question: &str| shell::read(&mut shell::command("psql", [&address, "-XqAtc", question]));
        // What every database has, and the journal, are not the library's.
        let size = || Ok(ask("SELECT pg_database_size('library') - pg_database_size('postgres')")?.parse()?);
        let cold = || {
            ask("CHECKPOINT")?;
            server.crash()?;
            cool(&files)
        };
        Library { programs: &programs, engine: "PostgreSQL", url }.measure(torrents, size, cold)?;
    }
    machine::busy();
    Ok(())
}

/// One database and the program that fills it and asks it.
struct Library<'a> {
    programs: &'a Programs,
    engine: &'static str,
    url: String,
}

impl Library<'_> {
    fn measure(
        &self,
        torrents: usize,
        size: impl Fn() -> anyhow::Result<u64>,
        mut cool: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let engine = self.engine;
        let number = |said: &Value, key: &str| said[key].as_f64().with_context(|| format!("no figure {key}"));
        let filled = number(&self.ask("fill", torrents)?, "ms")?;
        let (rate, bytes) = (torrents as f64 / filled * 1_000.0, size()?);
        let (mib, each) = (bytes >> 20, bytes / torrents.max(1) as u64);
        println!("{engine:<10} filled at {rate:.0} torrents/s; {mib} MiB on disk, {each} bytes a torrent");
        cool()?;
        self.show("cold", &self.ask("look", COLD_LOOKUPS)?)?;
        // Read once, so that what is measured is in the system's memory.
        self.ask("look", LOOKUPS)?;
        self.show("hot", &self.ask("look", LOOKUPS)?)?;
        let forgot = self.ask("forget", 0)?;
        let (rows, took, longest) = (number(&forgot, "rows")?, number(&forgot, "ms")?, number(&forgot, "longest")?);
        let rate = rows / took * 1_000.0;
        println!("{engine:<10} forgot {rows:.0} rows at {rate:.0} rows/s; the longest transaction {longest:.0} ms");
        Ok(())
    }

    fn ask(&self, act: &str, number: usize) -> anyhow::Result<Value> {
        let mut command = Command::new(self.programs.example("library"));
        let said = shell::read(command.args([&self.url, act, &number.to_string()]))?;
        serde_json::from_str(&said).context("the example `library` printed something else than JSON")
    }

    fn show(&self, state: &str, said: &Value) -> anyhow::Result<()> {
        for (name, what) in [
            ("find", "torrents and files of an episode"),
            ("of_work", "torrents of a series for other programs"),
            ("called", "a series by its name"),
            ("newest", "the newest hundred"),
        ] {
            let of = |which: &str| said[name][which].as_f64().with_context(|| format!("no figure {name}"));
            let (p50, p99, most) = (of("p50")?, of("p99")?, of("most")?);
            ensure!(p50 > 0.0, "{name} took no time");
            let goal = if p99 < GOAL { "reached" } else { "missed" };
            println!(
                "{:<10} {state:<4} {what:<40} p50 {p50:>7.3}  p99 {p99:>7.3}  most {most:>7.3}  (goal p99 < {GOAL}: {goal})",
                self.engine
            );
        }
        Ok(())
    }
}

/// Takes the files of a directory out of the system's memory.
fn cool(directory: &Path) -> anyhow::Result<()> {
    shell::run(&mut shell::command("sync", ["-f".as_ref(), directory.as_os_str()]))?;
    let drop = r#"find "$1" -type f -exec dd if={} iflag=nocache count=0 status=none ';'"#;
    shell::run(&mut shell::command("sh", ["-c".as_ref(), drop.as_ref(), "sh".as_ref(), directory.as_os_str()]))
}

fn bytes_below(directory: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(directory)? {
        sum += entry?.metadata()?.len();
    }
    Ok(sum)
}
