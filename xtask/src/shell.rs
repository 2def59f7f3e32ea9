//! Running other programs from the root of the repository.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A command that runs in the root of the repository.
pub(crate) fn command<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command
}

/// Cargo, in the root of the repository, as an ordinary caller would see it.
///
/// Cargo tells its children about the package it runs; handed on, that would make build scripts run again.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = command("cargo", args);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let about_xtask = text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_BIN_");
        if about_xtask || matches!(&*text, "CARGO_MANIFEST_DIR" | "CARGO_MANIFEST_PATH" | "CARGO_CRATE_NAME") {
            command.env_remove(&name);
        }
    }
    command
}

/// Whether a program can be found; asks the shell, which knows the path.
pub(crate) fn is_there(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$1\"", "sh", program])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs to the end with its output on ours.
///
/// # Errors
/// When it cannot be started or leaves with anything but 0.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", name_of(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", name_of(command));
    }
    Ok(())
}

/// Runs to the end and gives what it printed, without the last newline.
///
/// # Errors
/// As [`run`].
pub(crate) fn read(command: &mut Command) -> anyhow::Result<String> {
    let name = name_of(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed ({})", output.status);
    }
    Ok(String::from_utf8(output.stdout)
        .with_context(|| format!("{name} printed something else than text"))?
        .trim_end()
        .to_owned())
}

/// Runs to the end, shows each line of its output as it comes and hands it to `line`; gives whether it left with 0.
///
/// # Errors
/// When it cannot be started or its output breaks off.
pub(crate) fn watch(command: &mut Command, mut line: impl FnMut(&str)) -> anyhow::Result<bool> {
    let name = name_of(command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {name}"))?;
    let output = child.stdout.take().context("its output is piped")?;
    for text in BufReader::new(output).split(b'\n') {
        let text = text.with_context(|| format!("the output of {name} broke off"))?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        line(&text);
    }
    Ok(child.wait()?.success())
}

fn name_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args().take(2));
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
