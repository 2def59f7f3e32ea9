//! Our server as the benchmarks start it: like an operator would, but with no limit on the rate of requests.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::programs::Programs;
use crate::running::{HeldPort, Running, Voice};
use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &str = "bench";

/// A data directory and settings; nothing runs yet.
#[derive(Debug)]
pub(super) struct Server {
    program: PathBuf,
    _data: TempDir,
    port: HeldPort,
    settings: Vec<(&'static str, String)>,
}

impl Server {
    /// On embedded SQLite.
    ///
    /// # Errors
    /// When its directory cannot be made.
    pub(super) fn new(programs: &Programs) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new().prefix("chill-bench-").tempdir()?;
        let port = HeldPort::new()?;
        let settings = vec![
            ("CHILLPROXY_DATA_DIR", data.path().join("data").display().to_string()),
            ("STREMTHRU_LISTEN_ADDR", format!("127.0.0.1:{}", port.number())),
            ("STREMTHRU_BASE_URL", format!("http://127.0.0.1:{}", port.number())),
            ("STREMTHRU_LOG_FORMAT", "json".to_owned()),
            ("CHILLPROXY_METRICS_ADDR", "127.0.0.1:0".to_owned()),
            ("CHILLPROXY_RATE_PER_USER", "0".to_owned()),
            ("CHILLPROXY_RATE_PER_IP", "0".to_owned()),
        ];
        Ok(Self { program: programs.server(), _data: data, port, settings })
    }

    /// In this world.
    ///
    /// # Errors
    /// When the simulators did not name an address.
    pub(super) fn within(mut self, world: &World) -> anyhow::Result<Self> {
        self.settings.extend([
            ("CHILLPROXY_TORBOX_URL", world.url("torbox")?.to_owned()),
            ("CHILLPROXY_CINEMETA_URL", world.url("cinemeta")?.to_owned()),
            ("CHILLPROXY_KITSU_URL", world.url("kitsu")?.to_owned()),
            ("CHILLPROXY_INDEXERS", format!("simulated={}|{}", world.url("torznab")?, world.url("torznab_key")?)),
        ]);
        Ok(self)
    }

    /// Adds a key and a user; gives the user's install link, a credential.
    ///
    /// # Errors
    /// When a command fails.
    pub(super) fn with_user(&self) -> anyhow::Result<String> {
        let key = ["key", "add", "--store", "tb", "--name", NAME, "--passport", "household", "--json"];
        self.answer(&key, World::store_key())?;
        let user = self.answer(&["user", "add", "--name", NAME, "--json"], "")?;
        Ok(user["manifestUrl"].as_str().context("`user add --json` gave no manifestUrl")?.to_owned())
    }

    /// The program with its settings, and nothing that the caller has set for a server of their own.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // One by one, since what starts it may hand on what it was told, but not that everything else must go.
        for (name, _) in std::env::vars_os() {
            command.env_remove(name);
        }
        command.args(words).envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    /// With one setting, in place of what it was.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.retain(|(set, _)| *set != name);
        self.settings.push((name, value.into()));
        self
    }

    /// Starts it, until dropped; it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn start(&self) -> anyhow::Result<Running> {
        self.start_as("all")
    }

    /// The same in one role.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn start_as(&self, role: &str) -> anyhow::Result<Running> {
        let serve = self.command(&["serve", "--role", role]);
        let (running, ()) = Running::start("chillproxy", &serve, &[], ("TERM", Voice::Errors), PATIENCE, |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["message"] == "ready").then_some(())
        })?;
        Ok(running)
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its address, without a slash at its end.
    pub(super) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// What a command answers; it gets `input` on its standard input.
    ///
    /// # Errors
    /// When it fails, or answers something else than JSON.
    pub(super) fn answer(&self, words: &[&str], input: &str) -> anyhow::Result<Value> {
        let mut command = self.command(words);
        // What it says to the operator beside its answer does not matter here.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot start chillproxy")?;
        let _ = child.stdin.take().context("its input is piped")?.write_all(input.as_bytes());
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "chillproxy {} {} failed ({})", words[0], words[1], output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}
