//! The fuzz targets of `fuzz/`: libFuzzer, guided by coverage, over what strangers send.
//!
//! Built by the same stable compiler as everything else, with LLVM's coverage counters in all crates. What a target fails
//! on stays in `fuzz/kept`, where the ordinary tests run it from then on.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::report::{Report, Tally};
use crate::shell;

/// Of each target, when nothing else is said.
const SECONDS: u32 = 60;
/// What every part of a program carries, so that libFuzzer sees where an input leads.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";
/// An input that takes longer is a fault, in seconds.
const SLOWEST: u32 = 10;
/// An input that takes more memory is a fault, in MB; counted over the whole process.
const MEMORY: u32 = 1_024;
/// Longest input, in bytes.
const LONGEST: u32 = 40_960;

/// `fuzz [--seconds N] [target …]`.
///
/// # Errors
/// When a word is neither.
pub(crate) fn run(words: &[String]) -> anyhow::Result<ExitCode> {
    let (mut seconds, mut wanted, mut words) = (SECONDS, Vec::new(), words.iter());
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let number = words.next().and_then(|number| number.parse().ok());
            seconds = number.context("--seconds wants a number, as in `--seconds 60`")?;
        } else {
            wanted.push(word.as_str());
        }
    }
    let all = targets()?;
    if let Some(stray) = wanted.iter().find(|name| !all.iter().any(|target| target == *name)) {
        bail!("there is no target `{stray}`; there are {}", all.join(", "));
    }
    let chosen: Vec<String> = all.into_iter().filter(|name| wanted.is_empty() || wanted.contains(&&**name)).collect();
    let mut report = Report::default();
    report.step("fuzz", || all_of(&chosen, seconds));
    Ok(report.finish())
}

/// Every target for so many seconds.
///
/// # Errors
/// When they cannot be built.
pub(crate) fn bounded(seconds: u32) -> anyhow::Result<Tally> {
    all_of(&targets()?, seconds)
}

fn all_of(targets: &[String], seconds: u32) -> anyhow::Result<Tally> {
    let programs = build()?;
    let mut tally = Tally::default();
    for target in targets {
        let held = hold(&programs, target, seconds);
        match &held {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                println!("{target}: {error:#}");
                tally.failed += 1;
            }
        }
    }
    Ok(tally)
}

fn fuzz() -> PathBuf {
    shell::root().join("fuzz")
}

/// The targets are the directories of kept inputs.
fn targets() -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(fuzz().join("kept")).context("fuzz/kept cannot be read")?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Builds all of them; gives the directory they are in.
fn build() -> anyhow::Result<PathBuf> {
    // The same versions as the product's; cargo adds libFuzzer's.
    std::fs::copy(shell::root().join("Cargo.lock"), fuzz().join("Cargo.lock"))?;
    let machine = machine()?;
    let directory = crate::test::programs()?.with_file_name("fuzz");
    let mut cargo = shell::cargo(["build", "--quiet", "--release", "--bins", "--target", &machine, "--target-dir"]);
    // With a target named, build scripts and macros are built without the counters.
    cargo.arg(&directory).current_dir(fuzz()).env("RUSTFLAGS", COVERAGE);
    shell::run(&mut cargo)?;
    Ok(directory.join(machine).join("release"))
}

fn machine() -> anyhow::Result<String> {
    let said = shell::read(&mut shell::command("rustc", ["-vV"]))?;
    let machine = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(machine.context("rustc names no host")?.to_owned())
}

/// Runs one target; an input that fails it is kept.
fn hold(programs: &Path, target: &str, seconds: u32) -> anyhow::Result<()> {
    let (seen, kept) = (programs.join("seen").join(target), fuzz().join("kept").join(target));
    std::fs::create_dir_all(&seen)?;
    let log = programs.join(format!("{target}.log"));
    let mut command = Command::new(programs.join(target));
    // What is found goes into the first directory; the second one is only read.
    command.args([&seen, &kept]).args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={SLOWEST}"),
        format!("-rss_limit_mb={MEMORY}"),
        format!("-max_len={LONGEST}"),
        format!("-artifact_prefix={}/", kept.display()),
    ]);
    let status = command.stderr(std::fs::File::create(&log)?).status().context("the target cannot start")?;
    let said = std::fs::read(&log).map(|log| String::from_utf8_lossy(&log).into_owned())?;
    let lines: Vec<&str> = said.lines().collect();
    if status.success() {
        println!("{target}: {}", lines.last().unwrap_or(&"nothing was said"));
        return Ok(());
    }
    println!("{}", lines[lines.len().saturating_sub(40)..].join("\n"));
    bail!("an input failed; it is in {} and a test from now on", kept.display())
}
