//! The small npm projects that check us with other people's clients.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};

use crate::report::Tally;
use crate::shell;

/// Drives the TorBox simulator with TorBox's own SDK.
pub(crate) const SDK_CHECK: &str = "crates/chill-sim/sdk-check";
/// Drives the running server with Stremio's own client.
pub(crate) const CONFORMANCE: &str = "crates/chillproxy/tests/conformance";
/// Uses the running server's configure page in Chromium.
pub(crate) const BROWSER: &str = "crates/chillproxy/tests/browser";

/// Installs a project's packages as its lock file names them, unless they are there already.
///
/// # Errors
/// When npm fails, or the project has no lock file.
pub(crate) fn install(project: &str) -> anyhow::Result<()> {
    let directory = shell::root().join(project);
    let locked = changed(&directory.join("package-lock.json"))
        .with_context(|| format!("{project}/package-lock.json is missing; commit it"))?;
    if changed(&directory.join("node_modules/.package-lock.json")).is_ok_and(|installed| installed >= locked) {
        return Ok(());
    }
    println!("installing the npm packages of {project}");
    let mut npm = shell::command("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    shell::run(npm.current_dir(directory))
}

/// Runs a project's `check.mjs` and adds up what it says; a script that prints no sum counts as one check.
///
/// # Errors
/// When node cannot be started.
pub(crate) fn check(project: &str, args: &[&str]) -> anyhow::Result<Tally> {
    install(project)?;
    let mut tally = Tally::default();
    let mut node = shell::command("node", ["check.mjs"]);
    let right = shell::watch(node.args(args).current_dir(shell::root().join(project)), |line| tally.read(line))?;
    if tally == Tally::default() {
        return Ok(Tally::one(right));
    }
    if right != (tally.failed == 0) {
        bail!("{project}/check.mjs counted {} failures but its exit code says otherwise", tally.failed);
    }
    Ok(tally)
}

fn changed(file: &Path) -> std::io::Result<SystemTime> {
    file.metadata()?.modified()
}
