//! How the time of a decision grows with users and with keys: small and large databases take turns.

use anyhow::Context;

use super::figures::{Goal, against};
use super::machine;
use super::pool::{Case, Decisions, database};
use super::programs::Programs;
use crate::postgres::Postgres;

const ROUNDS: usize = 3;
const KNOWN: Case = ("group", "known", 100);
const NEW: Case = ("group", "new", 100);
const ASSIGN: Case = ("group", "assign", 100);
/// Users and keys of the databases, and what is measured in each.
const SIZES: [(usize, usize, &[Case]); 4] = [
    (10_000, 10, &[KNOWN, NEW]),
    (1_000_000, 10, &[KNOWN, NEW]),
    (1_000, 10, &[KNOWN, NEW, ASSIGN]),
    (1_000, 10_000, &[KNOWN, NEW, ASSIGN]),
];

/// `bench growth [--release] [--rounds N] [--users N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let rounds = super::number(args, "--rounds", ROUNDS)?;
    let most = super::number(args, "--users", SIZES[1].0)?;
    machine::describe();
    println!(
        "{rounds} rounds of 2 s in turns, 100 waiting; `assign`: 5 000 users who have no key get one; µs per decision"
    );
    let directory = tempfile::Builder::new().prefix("chill-bench-").tempdir()?;
    let server = if machine::rival("pg_ctlcluster", "postgresql") { Some(Postgres::start()?) } else { None };
    let engines: &[&'static str] = if server.is_some() { &["SQLite", "PostgreSQL"] } else { &["SQLite"] };
    for engine in engines {
        let mut sizes = Vec::new();
        for (n, (users, keys, cases)) in SIZES.into_iter().enumerate() {
            let users = users.min(most);
            let url = match &server {
                Some(server) if *engine == "PostgreSQL" => database(server, &format!("size_{n}"))?,
                _ => format!("sqlite://{}", directory.path().join(format!("size-{n}.db")).display()),
            };
            sizes.push((users, keys, cases, Decisions::start_with(&programs, engine, &url, users, keys)?));
        }
        for _ in 0..rounds {
            for (_, _, cases, decisions) in &mut sizes {
                decisions.measure(cases)?;
            }
        }
        println!("\n{engine}");
        for (users, keys, cases, decisions) in &sizes {
            for case in *cases {
                let took = 1e6 / decisions.rate(*case).context("it was measured")?;
                println!("  {users:>9} users, {keys:>6} keys   {:<7} {took:>9.1} µs", case.1);
            }
        }
        let ratio = |goal, what: &str, small: usize, large: usize, case: Case| {
            let rate = |at: usize| sizes.get(at).and_then(|(.., decisions)| decisions.rate(case));
            if let (Some(small), Some(large)) = (rate(small), rate(large)) {
                against(goal, &format!("{engine}, {what}, {}", case.1), small / large);
            }
        };
        for case in [KNOWN, NEW] {
            ratio(Goal::AtMost("G1", 1.5), &format!("10 000 to {most} users"), 0, 1, case);
        }
        for case in [KNOWN, NEW, ASSIGN] {
            ratio(Goal::AtMost("G2", 1.1), "10 to 10 000 keys", 2, 3, case);
        }
    }
    machine::busy();
    Ok(())
}
