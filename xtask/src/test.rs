//! Every check and every test: `cargo xtask test`.
//!
//! One build graph for all of it: binaries, tests and examples are built together, because building them apart would
//! unify features differently and compile the same crates twice.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::postgres::Postgres;
use crate::redis::Redis;
use crate::report::{Report, Tally};
use crate::{needs, node, shell, tidy, world};

/// Where tests find the PostgreSQL they make their databases in.
const POSTGRES_URL: &str = "CHILL_TEST_POSTGRES_URL";
/// Where tests find the Redis they count in.
const REDIS_URL: &str = "CHILL_TEST_REDIS_URL";

/// Without words everything; with words only `cargo test` with them.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let words = args.strip_prefix(&["--".to_owned()]).unwrap_or(args);
    if words.is_empty() {
        everything(&mut report);
    } else {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if report.must("needs", needs::install) {
            report.step("tests", || cargo_test(&words));
        }
    }
    Ok(report.finish())
}

/// All steps, in the order in which they fail fastest.
pub(crate) fn everything(report: &mut Report) {
    if !report.must("needs", needs::install) {
        return;
    }
    report.check("format", || shell::run(&mut shell::cargo(["fmt", "--all", "--check"])));
    report.check("tidy", check_tidy);
    report.check("clippy", || {
        shell::run(&mut shell::cargo(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
    });
    let built =
        report.must("build", || shell::run(&mut shell::cargo(["build", "--workspace", "--all-targets", "--locked"])));
    if !built {
        return;
    }
    report.step("tests", || cargo_test(&["--workspace", "--locked"]));
    other_peoples_clients(report);
}

/// Only the checks with other people's clients, on freshly built programs.
pub(crate) fn clients() -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let build = ["build", "-p", "chillproxy", "-p", "chill-sim"];
    if report.must("needs", needs::install) && report.must("build", || shell::run(&mut shell::cargo(build))) {
        other_peoples_clients(&mut report);
    }
    Ok(report.finish())
}

fn other_peoples_clients(report: &mut Report) {
    report.step("TorBox's SDK against the simulator", sdk_check);
    report.step("Stremio's client against the server", || {
        on_server(node::CONFORMANCE, |s| [s.manifest_url(), s.base_url()])
    });
    report.step("Chromium on the configure page", || on_server(node::BROWSER, |s| [s.base_url(), s.manifest_url()]));
}

fn check_tidy() -> anyhow::Result<()> {
    let faults = tidy::check()?;
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        some => bail!("{some} faults"),
    }
}

fn cargo_test(words: &[&str]) -> anyhow::Result<Tally> {
    let (postgres, redis) = (Postgres::start()?, Redis::start()?);
    let mut tally = Tally::default();
    let mut cargo = shell::cargo([["test", "--no-fail-fast"].as_slice(), words].concat());
    cargo.env(POSTGRES_URL, postgres.url()).env(REDIS_URL, redis.url());
    let right = shell::watch(&mut cargo, |line| tally.read(line))?;
    if !right && tally.failed == 0 {
        // A test binary that crashed, or code that does not compile, prints no sum.
        tally.failed = 1;
    }
    Ok(tally)
}

fn sdk_check() -> anyhow::Result<Tally> {
    node::install(node::SDK_CHECK)?;
    let world = world::World::start(&programs()?)?;
    node::check(node::SDK_CHECK, &[world.url("torbox")?, world::World::store_key()])
}

/// Runs a project's check on a server of its own, over the demonstration's world.
fn on_server(project: &str, args: fn(&world::Server) -> [&str; 2]) -> anyhow::Result<Tally> {
    node::install(project)?;
    let programs = programs()?;
    let world = world::World::start(&programs)?;
    let server = world::Server::start(&programs, &world)?;
    let tally = node::check(project, &args(&server))?;
    if tally.failed > 0 {
        println!("the server said last:\n{}", server.last_lines());
    }
    Ok(tally)
}

/// The directory in which cargo put the workspace's programs.
///
/// # Errors
/// When cargo cannot read the workspace.
pub(crate) fn programs() -> anyhow::Result<PathBuf> {
    let mut metadata = cargo_metadata::MetadataCommand::new();
    let metadata = metadata.current_dir(shell::root()).no_deps().exec().context("cargo cannot read the workspace")?;
    Ok(metadata.target_directory.join("debug").into_std_path_buf())
}
