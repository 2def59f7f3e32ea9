//! The rules of the house, checked by a machine: `cargo xtask tidy`.
//!
//! Each rule is a file here: a pure function from text to [`Fault`]s, with its tests. This file reads the repository
//! and hands it to them.

mod arrows;
mod heads;
mod migrations;
mod names;
mod sizes;
mod words;

use std::fmt;
use std::process::ExitCode;

use anyhow::Context;

use crate::shell;

/// One broken rule and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// From the root of the repository.
    path: String,
    /// From 1.
    line: usize,
    /// What is wrong and what to do.
    sentence: String,
}

impl Fault {
    fn new(path: &str, line: usize, sentence: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, sentence: sentence.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.sentence)
    }
}

/// Prints each fault as `path:line: sentence`; leaves with 1 when there is any.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let faults = check()?;
    for fault in &faults {
        println!("{fault}");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All faults of the repository, in the order of their paths.
///
/// # Errors
/// When git or cargo cannot say what the repository holds.
pub(crate) fn check() -> anyhow::Result<Vec<Fault>> {
    let paths = files()?;
    let mut faults = arrows::check()?;
    faults.extend(names::check(&paths));
    faults.extend(migrations::check(&paths));
    for path in &paths {
        if sizes::is_measured(path) {
            let text =
                std::fs::read_to_string(shell::root().join(path)).with_context(|| format!("cannot read {path}"))?;
            faults.extend(of_file(path, &text));
        }
    }
    faults.sort();
    Ok(faults)
}

fn of_file(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::from_iter(sizes::file(path, text));
    if !path.ends_with(".rs") {
        return faults;
    }
    match syn::parse_file(text) {
        Ok(file) => {
            faults.extend(sizes::functions(path, &file));
            faults.extend(heads::check(path, &file));
        }
        Err(error) => faults.push(Fault::new(path, error.span().start().line, format!("this is not Rust: {error}"))),
    }
    faults.extend(words::check(path, text));
    faults
}

/// What git tracks or would track, so that built things and installed packages stay out.
fn files() -> anyhow::Result<Vec<String>> {
    let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let text = shell::read(&mut shell::command("git", listed))?;
    let root = shell::root();
    let there = |path: &&str| !path.is_empty() && root.join(path).is_file();
    Ok(text.split('\0').filter(there).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_place_first() {
        assert_eq!(Fault::new("a/b.rs", 7, "is wrong").to_string(), "a/b.rs:7: is wrong");
    }

    #[test]
    fn a_file_that_does_not_parse_is_a_fault_with_its_line() {
        let faults = of_file("crates/x/src/a.rs", "fn a() {}\nfn }\n");
        assert!(faults.iter().any(|fault| fault.line == 2 && fault.sentence.contains("not Rust")), "{faults:?}");
    }
}
