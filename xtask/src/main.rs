//! The project's own chores, called as `cargo xtask <name>`.
//!
//! It drives the same tools a person would (cargo, npm, PostgreSQL) and depends on no crate of the workspace, so that it
//! builds in seconds and cannot break with what it checks. It refuses to guess: what is missing and cannot be installed
//! is named in a sentence. Start reading at [`main`]; each chore is a module of the same name.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks on its standard streams")]

mod bench;
mod ci;
mod demo;
mod fuzz;
mod needs;
mod node;
mod postgres;
mod redis;
mod report;
mod running;
mod shell;
mod test;
mod tidy;
mod world;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <chore>

  demo [--once]          builds everything, starts simulators and server, plays a film; stays up with links to click
  test [cargo test …]    installs what the tests need, runs every check and every test;
                         with arguments (`test -p chill-db`, `test -- -p chill-db name`) only `cargo test` with those,
                         with a PostgreSQL beside it
  clients                only the checks with other people's clients: TorBox's SDK, Stremio's client and linter
  fuzz [--seconds N] [target …]
                         what strangers send, guided by coverage; 60 s a target
  ci                     test, and also a short fuzz, cargo deny and the documentation
  tidy                   the house rules: arrows between crates, sizes, names
  bench <name> […]       the benchmarks; `bench` alone lists them";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rest = words.get(1..).unwrap_or_default();
    let outcome = match words.first().map(String::as_str) {
        Some("demo") => demo::run(rest),
        Some("test") => test::run(rest),
        Some("clients") => test::clients(),
        Some("fuzz") => fuzz::run(rest),
        Some("ci") => ci::run(),
        Some("tidy") => tidy::run(),
        Some("bench") => bench::run(rest),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
