//! A program that runs beside us and is stopped when its guard is dropped, or when we die.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use socket2::{Domain, Socket, Type};

use crate::shell;

/// How many of its last lines are shown when it does not start.
const LAST_LINES: usize = 30;
/// How long it may take to end after the signal, before it is killed.
const STOPPING: Duration = Duration::from_secs(20);

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
    last: LastLines,
    /// Closes when the program's stream does.
    ended: Receiver<()>,
    killed: bool,
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
        let last = LastLines::default();
        let (lines, ended) = match voice {
            Voice::Output => child.stdout.take().map(|stream| listen(stream, last.clone())),
            Voice::Errors => child.stderr.take().map(|stream| listen(stream, last.clone())),
        }
        .context("its output is piped")?;
        let running = Self { name: name.to_owned(), child, stop_signal, last, ended, killed: false };
        let found = wait_for(&lines, patience, ready)
            .with_context(|| format!("{name} did not get ready; it said:\n{}", running.last_lines()))?;
        Ok((running, found))
    }

    /// kill -9, as a crash would, and a wait for its end.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.killed = true;
        Ok(())
    }

    /// What it said last.
    pub(crate) fn last_lines(&self) -> String {
        self.last.text()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.killed {
            return;
        }
        let asked = Command::new("kill").args(["-s", self.stop_signal, &self.child.id().to_string()]).status();
        let asked = asked.is_ok_and(|status| status.success());
        if !asked || self.ended.recv_timeout(STOPPING) == Err(RecvTimeoutError::Timeout) {
            let _gone_already = self.child.kill();
        }
        if let Err(error) = self.child.wait() {
            eprintln!("xtask: {} could not be stopped: {error}", self.name);
        }
    }
}

/// The last lines a program said, shared with the thread that listens to it.
#[derive(Clone, Debug, Default)]
struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
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

/// Empties the stream for as long as the program lives, so that it never blocks on a full pipe.
fn listen(stream: impl Read + Send + 'static, last: LastLines) -> (Receiver<String>, Receiver<()>) {
    let (line_sender, lines) = sync_channel(LAST_LINES);
    let (end_sender, ended) = sync_channel(1);
    std::thread::spawn(move || {
        let _closes_at_the_end: SyncSender<()> = end_sender;
        let mut waited_for = Some(line_sender);
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).into_owned();
            last.push(line.clone());
            waited_for = waited_for.filter(|sender| sender.send(line).is_ok());
        }
    });
    (lines, ended)
}

fn wait_for<T>(
    lines: &Receiver<String>,
    patience: Duration,
    mut ready: impl FnMut(&str) -> Option<T>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some(found) = ready(&line) {
                    return Ok(found);
                }
            }
            Err(RecvTimeoutError::Timeout) => bail!("nothing fitting came within {} s", patience.as_secs()),
            Err(RecvTimeoutError::Disconnected) => bail!("it ended"),
        }
    }
}

/// A port of 127.0.0.1 for a program that starts later, or again: bound here, so that the kernel gives it to nobody
/// else, and not listened at, so that the program may (`SO_REUSEADDR`, which servers set).
#[derive(Debug)]
pub(crate) struct HeldPort {
    number: u16,
    _socket: Socket,
}

impl HeldPort {
    /// One that nobody has.
    ///
    /// # Errors
    /// When all are taken.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any.into()).context("no port of 127.0.0.1 is free")?;
        let held = socket.local_addr()?.as_socket().context("the kernel names no port")?;
        Ok(Self { number: held.port(), _socket: socket })
    }

    /// Its number, while this lives.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }
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
    fn its_words_are_kept_after_it_is_ready() {
        let (running, _) = start("echo ready now; seq 100; exec sleep 600 >&-").unwrap();
        assert_eq!(running.ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
        let last = running.last_lines();
        assert!(last.starts_with("71\n") && last.ends_with("\n100"), "{last}");
    }

    #[test]
    fn an_early_end_shows_its_last_words() {
        let error = format!("{:#}", start("echo no disk left; exit 3").unwrap_err());
        assert!(error.contains("did not get ready") && error.contains("no disk left"), "{error}");
    }
}
