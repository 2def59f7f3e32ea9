//! Everything a change must pass.

use std::process::ExitCode;

use crate::report::Report;
use crate::{fuzz, shell, test};

/// Of each fuzz target.
const FUZZ_SECONDS: u32 = 5;

/// All of `test`, and also a short fuzz, the licences and the documentation.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    test::everything(&mut report);
    report.step("fuzz", || fuzz::bounded(FUZZ_SECONDS));
    if shell::is_there("cargo-deny") {
        report.check("deny", || {
            shell::run(&mut shell::cargo([
                "deny",
                "--offline",
                "check",
                "--hide-inclusion-graph",
                "bans",
                "licenses",
                "sources",
            ]))
        });
    } else {
        println!("\n== deny: skipped, cargo-deny is not installed (cargo install cargo-deny --locked)");
    }
    report.check("docs", || {
        let mut docs = shell::cargo(["doc", "--workspace", "--no-deps", "--locked"]);
        shell::run(docs.env("RUSTDOCFLAGS", "-D warnings"))
    });
    Ok(report.finish())
}
