//! The benchmarks. They print ratios and shares, and never fail a build: a loaded machine is not a fault.

mod names;

use std::process::ExitCode;

/// One benchmark: how it is called, what it prints, where it is.
struct Bench {
    name: &'static str,
    prints: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

/// A new benchmark is a file here and a line in this table.
const BENCHES: &[Bench] =
    &[Bench { name: "names FILE", prints: "the share of release names read right, per field", run: names::run }];

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
