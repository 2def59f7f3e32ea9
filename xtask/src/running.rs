//! A program that runs beside us and is stopped when its guard is dropped, or when we die.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::shell;

/// How many of its last lines are shown when it does not start.
const LAST_LINES: usize = 30;

/// Which of its streams says that it is ready; the other one is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Standard output.
    Output,
    /// Standard error, where logs go.
    Errors,
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    stop_signal: &'static str,
}

impl Running {
    /// Starts `program` and waits until it says a line that `ready` turns into something.
    ///
    /// `setpriv` starts it so that the kernel sends `stop_signal` should we be killed before the guard is dropped;
    /// `privileges` are further words for it.
    ///
    /// # Errors
    /// When it cannot start, ends early or says nothing fitting within `patience`; the error holds its last lines.
    pub(crate) fn start<T>(
        name: &str,
        command: &Command,
        privileges: &[String],
        (stop_signal, voice): (&'static str, Voice),
        patience: Duration,
        ready: impl FnMut(&str) -> Option<T>,
    ) -> anyhow::Result<(Self, T)> {
        let mut child =
            guarded(command, privileges, stop_signal, voice).spawn().with_context(|| format!("cannot start {name}"))?;
        let lines = match voice {
            Voice::Output => child.stdout.take().map(listen),
            Voice::Errors => child.stderr.take().map(listen),
        }
        .context("its output is piped")?;
        let running = Self { name: name.to_owned(), child, stop_signal };
        let found = wait_for(name, &lines, patience, ready)?;
        // The listener thread goes on emptying the pipe, so that the program never blocks on it.
        Ok((running, found))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let asked = Command::new("kill").args(["-s", self.stop_signal, &self.child.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _gone_already = self.child.kill();
        }
        if let Err(error) = self.child.wait() {
            eprintln!("xtask: {} could not be stopped: {error}", self.name);
        }
    }
}

fn guarded(command: &Command, privileges: &[String], stop_signal: &str, voice: Voice) -> Command {
    let mut guarded = shell::command("setpriv", ["--pdeathsig", stop_signal]);
    guarded.args(privileges).arg("--").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    match voice {
        Voice::Output => guarded.stdout(Stdio::piped()),
        Voice::Errors => guarded.stdout(Stdio::null()).stderr(Stdio::piped()),
    };
    guarded
}

fn listen(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = sync_channel(LAST_LINES);
    std::thread::spawn(move || {
        let mut listened_to = true;
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { return };
            if listened_to {
                listened_to = sender.send(String::from_utf8_lossy(&line).into_owned()).is_ok();
            }
        }
    });
    lines
}

fn wait_for<T>(
    name: &str,
    lines: &Receiver<String>,
    patience: Duration,
    mut ready: impl FnMut(&str) -> Option<T>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    let mut last: VecDeque<String> = VecDeque::new();
    loop {
        let line = match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                bail!("{name} was not ready within {} s; it said:\n{}", patience.as_secs(), Vec::from(last).join("\n"))
            }
            Err(RecvTimeoutError::Disconnected) => {
                bail!("{name} ended before it was ready; it said:\n{}", Vec::from(last).join("\n"))
            }
        };
        if let Some(found) = ready(&line) {
            return Ok(found);
        }
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(line);
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
///
/// # Errors
/// When the machine has none.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port of 127.0.0.1 is free")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn start(script: &str) -> anyhow::Result<(Running, String)> {
        let command = shell::command("sh", ["-c", script]);
        Running::start("the script", &command, &[], ("TERM", Voice::Output), PATIENCE, |line| {
            line.strip_prefix("ready ").map(str::to_owned)
        })
    }

    #[test]
    fn it_is_ready_when_it_says_so_and_gone_when_dropped() {
        let (running, word) = start("echo warming up; echo ready now; exec sleep 600").unwrap();
        assert_eq!(word, "now");
        let process = std::path::PathBuf::from(format!("/proc/{}", running.child.id()));
        assert!(process.exists());
        drop(running);
        assert!(!process.exists());
    }

    #[test]
    fn an_early_end_shows_its_last_words() {
        let error = start("echo no disk left; exit 3").unwrap_err().to_string();
        assert!(error.contains("ended before it was ready") && error.contains("no disk left"), "{error}");
    }
}
