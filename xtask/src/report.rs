//! Adds up what passed and what failed, over all the tools.

use std::process::ExitCode;
use std::time::Instant;

/// How many tests and checks passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests and checks that were right.
    pub(crate) passed: u64,
    /// Tests and checks that were wrong.
    pub(crate) failed: u64,
}

impl Tally {
    /// One check.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// Adds a line of output when it is a summary: cargo's `test result: ok. 3 passed; 0 failed; …`, or a script's
    /// `3 passed, 0 failed`.
    pub(crate) fn read(&mut self, line: &str) {
        let plain = line.trim();
        let counts = match plain.strip_prefix("test result: ") {
            Some(result) => result.split_once(". ").map(|(_, counts)| counts),
            None => Some(plain).filter(|plain| plain.ends_with(" failed")),
        };
        let Some((passed, rest)) = counts.and_then(|counts| counts.split_once(" passed")) else { return };
        let failed = rest.trim_start_matches([';', ',', ' ']).split(' ').next().unwrap_or_default();
        if let (Ok(passed), Ok(failed)) = (passed.parse::<u64>(), failed.parse::<u64>()) {
            self.passed += passed;
            self.failed += failed;
        }
    }
}

/// Runs steps one after the other, a failing one does not stop the next.
#[derive(Debug, Default)]
pub(crate) struct Report {
    total: Tally,
    failed_steps: Vec<String>,
}

impl Report {
    /// Runs one step under a heading; an error counts as one failure. Gives whether all of it was right.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<Tally>) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let tally = work().unwrap_or_else(|error| {
            println!("{name}: {error:#}");
            Tally::one(false)
        });
        println!(
            "== {name}: {} in {:.1} s",
            if tally.failed == 0 { "ok" } else { "FAILED" },
            start.elapsed().as_secs_f64()
        );
        self.total.passed += tally.passed;
        self.total.failed += tally.failed;
        if tally.failed > 0 {
            self.failed_steps.push(name.to_owned());
        }
        tally.failed == 0
    }

    /// A step that is one check: right when it gives no error.
    pub(crate) fn check(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> bool {
        self.step(name, || work().map(|()| Tally::one(true)))
    }

    /// A step without which the rest makes no sense; only its failure counts.
    pub(crate) fn must(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> bool {
        self.step(name, || work().map(|()| Tally::default()))
    }

    /// Prints the last line, `N passed, N failed`, and gives the exit code.
    pub(crate) fn finish(&self) -> ExitCode {
        println!();
        if !self.failed_steps.is_empty() {
            println!("failed: {}", self.failed_steps.join(", "));
        }
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        if self.total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn summaries_of_cargo_and_of_scripts_add_up() {
        let tally = read(&[
            "running 3 tests",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.01s",
            "test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "8 passed, 2 failed",
        ]);
        assert_eq!(tally, Tally { passed: 15, failed: 3 });
    }

    #[test]
    fn other_lines_count_nothing() {
        let tally = read(&["test a ... ok", "the key passed, its check failed", "x passed, y failed", ""]);
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn an_error_is_one_failure_and_the_next_step_runs() {
        let mut report = Report::default();
        assert!(!report.check("first", || anyhow::bail!("no")));
        assert!(report.check("second", || Ok(())));
        assert_eq!(report.total, Tally { passed: 1, failed: 1 });
        assert_eq!(report.failed_steps, ["first"]);
    }
}
