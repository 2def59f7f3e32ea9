//! The benchmarks. They print ratios and shares, and never fail a build: a loaded machine is not a fault.

mod chaos;
mod click;
mod figures;
mod growth;
mod library;
mod load;
mod machine;
mod names;
mod nginx;
mod pgbench;
mod planes;
mod pool;
mod process;
mod programs;
mod relay;
mod revocation;
mod server;
mod start;
mod streams;
mod viewer;
mod wrk;

use std::process::ExitCode;

use anyhow::Context;

/// One benchmark: how it is called, what it prints, where it is.
struct Bench {
    name: &'static str,
    prints: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

/// A new benchmark is a file here and a line in this table.
const BENCHES: &[Bench] = &[
    Bench {
        name: "chaos",
        prints: "what kill -9 at random moments loses or doubles: --kills N, --seed N",
        run: chaos::run,
    },
    Bench {
        name: "load",
        prints: "get-key, lists and starts of many users through two planes: --users N, --seconds N",
        run: load::run,
    },
    Bench {
        name: "revocation",
        prints: "from an operator's act until three edges refuse and cut: --trials N",
        run: revocation::run,
    },
    Bench { name: "names FILE", prints: "the share of release names read right, per field", run: names::run },
    Bench {
        name: "library",
        prints: "lookups among a million known torrents, on SQLite and PostgreSQL: --torrents N",
        run: library::run,
    },
    Bench {
        name: "click",
        prints: "click to first byte, 50 ms away from the store; calls of the store",
        run: click::run,
    },
    Bench {
        name: "streams",
        prints: "a decision with a cached lease; a list of 100 streams against nginx serving it as a file",
        run: streams::run,
    },
    Bench { name: "pool", prints: "get-key decisions/s, together and alone, and against pgbench", run: pool::run },
    Bench {
        name: "growth",
        prints: "how a decision's time grows with users and with keys: --users N",
        run: growth::run,
    },
    Bench {
        name: "relay",
        prints: "a film's bytes: CPU per GB, pace and memory, against nginx and haproxy",
        run: relay::run,
    },
    Bench { name: "start", prints: "start to the first answer, idle memory, size, against nginx", run: start::run },
];

/// Runs the benchmark that the first word names.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let wanted = args.first().map(String::as_str);
    let found = BENCHES.iter().find(|bench| bench.name.split(' ').next() == wanted);
    let Some(bench) = found else {
        println!("usage: cargo xtask bench <name>\n");
        for bench in BENCHES {
            println!("  {:<14} {}", bench.name, bench.prints);
        }
        return Ok(ExitCode::from(if wanted.is_none() { 0 } else { 2 }));
    };
    (bench.run)(args.get(1..).unwrap_or_default())?;
    Ok(ExitCode::SUCCESS)
}

/// The number after `--rounds`, or the usual one.
fn rounds(args: &[String], usual: usize) -> anyhow::Result<usize> {
    number(args, "--rounds", usual)
}

/// The number after a word, or the usual one.
fn number(args: &[String], wanted: &str, usual: usize) -> anyhow::Result<usize> {
    let Some(at) = args.iter().position(|word| word == wanted) else { return Ok(usual) };
    let number = args.get(at + 1).and_then(|word| word.parse().ok()).filter(|number| *number > 0);
    number.with_context(|| format!("{wanted} wants a number, as in `{wanted} 5`"))
}
