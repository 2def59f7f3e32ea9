//! The whole product on one screen, for someone who has just cloned it.

use std::process::ExitCode;

use anyhow::bail;

/// Runs the demonstration; with `--once` it leaves when everything was right.
pub(crate) fn run(_args: &[String]) -> anyhow::Result<ExitCode> {
    bail!("the demonstration is not part of this build yet")
}
