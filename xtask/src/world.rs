//! The simulated outside world, and the server on top of it, as processes beside us.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::running::{HeldPort, Running, Voice};

const PATIENCE: Duration = Duration::from_secs(60);
/// The key of the account that the seeded world has.
const STORE_KEY: &str = "demo-store-key-0123456789";
/// What the server's one key and one user are called.
const NAME: &str = "demo";
/// How the settings begin that the server reads.
const PREFIXES: &[&str] = &[
    "CHILLPROXY_",
    "CHILLSTREAMS_",
    "DATABASE_URL",
    "ENABLE_CHILLSTREAMS_AUTH",
    "INTERNAL_API_KEY",
    "PORT",
    "REDIS_URI",
    "RUST_LOG",
    "STREMTHRU_",
    "TORBOX_",
];

/// Running simulators, filled with the demonstration's titles.
#[derive(Debug)]
pub(crate) struct World {
    _process: Running,
    said: Value,
}

impl World {
    /// Starts `chill-sim` from the directory of built programs.
    ///
    /// # Errors
    /// When it is not built, or does not say its addresses.
    pub(crate) fn start(programs: &Path) -> anyhow::Result<Self> {
        let mut simulators = Command::new(programs.join("chill-sim"));
        simulators.args(["world", "--json", "--seed", "demo", "--key", STORE_KEY]);
        let (process, said) =
            Running::start("chill-sim", &simulators, &[], ("TERM", Voice::Output), PATIENCE, |line| {
                serde_json::from_str(line).ok().filter(Value::is_object)
            })?;
        Ok(Self { _process: process, said })
    }

    /// The address of one simulator, without a slash at its end.
    ///
    /// # Errors
    /// When the simulators did not name it.
    pub(crate) fn url(&self, name: &str) -> anyhow::Result<&str> {
        self.said(name)
    }

    /// The key of the account at the simulated store.
    pub(crate) fn store_key() -> &'static str {
        STORE_KEY
    }

    fn said(&self, name: &str) -> anyhow::Result<&str> {
        self.said.get(name).and_then(Value::as_str).with_context(|| format!("chill-sim did not name its {name}"))
    }
}

/// A running server with one key and one user.
#[derive(Debug)]
pub(crate) struct Server {
    process: Running,
    _port: HeldPort,
    _data: TempDir,
    chillproxy: Program,
    base_url: String,
    manifest_url: String,
}

impl Server {
    /// Sets a server up by its command line, as an operator would, and starts it.
    ///
    /// # Errors
    /// When a command fails, or the server does not come up.
    pub(crate) fn start(programs: &Path, world: &World) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new().prefix("chill-data-").tempdir()?;
        let port = HeldPort::new()?;
        let address = format!("127.0.0.1:{}", port.number());
        let base_url = format!("http://{address}");
        let settings = vec![
            ("CHILLPROXY_DATA_DIR", data.path().display().to_string()),
            ("STREMTHRU_LISTEN_ADDR", address),
            ("STREMTHRU_BASE_URL", base_url.clone()),
            ("STREMTHRU_LOG_FORMAT", "json".to_owned()),
            ("CHILLPROXY_METRICS_ADDR", "127.0.0.1:0".to_owned()),
            ("CHILLPROXY_TORBOX_URL", world.url("torbox")?.to_owned()),
            ("CHILLPROXY_CINEMETA_URL", world.url("cinemeta")?.to_owned()),
            ("CHILLPROXY_KITSU_URL", world.url("kitsu")?.to_owned()),
            ("CHILLPROXY_INDEXERS", format!("simulated={}|{}", world.url("torznab")?, world.said("torznab_key")?)),
        ];
        let chillproxy = Program { path: programs.join("chillproxy"), settings };
        let key = ["key", "add", "--store", "tb", "--name", NAME, "--passport", "household", "--json"];
        chillproxy.answer(&key, STORE_KEY)?;
        let user = chillproxy.answer(&["user", "add", "--name", NAME, "--json"], "")?;
        let manifest_url = user["manifestUrl"].as_str().context("`user add --json` gave no manifestUrl")?.to_owned();
        let serve = chillproxy.command(&["serve"]);
        let signals = ("TERM", Voice::Errors);
        let (process, ()) = Running::start("chillproxy serve", &serve, &[], signals, PATIENCE, |line| {
            // It listens before it is ready, and answers 503 in between.
            let event: Value = serde_json::from_str(line).ok()?;
            (event["message"] == "ready").then_some(())
        })?;
        Ok(Self { process, _port: port, _data: data, chillproxy, base_url, manifest_url })
    }

    /// Runs another command of the server's command line on the same data, and gives the JSON it answers.
    ///
    /// # Errors
    /// When the command fails or answers something else than JSON.
    pub(crate) fn command(&self, words: &[&str]) -> anyhow::Result<Value> {
        self.chillproxy.answer(words, "")
    }

    /// What its log said last.
    pub(crate) fn last_lines(&self) -> String {
        self.process.last_lines()
    }

    /// Where it listens.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The install link of its user; a credential, so it is never printed.
    pub(crate) fn manifest_url(&self) -> &str {
        &self.manifest_url
    }
}

/// The server's program with the settings it runs under.
#[derive(Debug)]
struct Program {
    path: PathBuf,
    settings: Vec<(&'static str, String)>,
}

impl Program {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        // What the caller has set for a server of their own is not meant for this one.
        let of_the_product = |name: &OsString| {
            let name = name.to_string_lossy();
            PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        };
        for name in std::env::vars_os().map(|(name, _)| name).filter(of_the_product) {
            command.env_remove(name);
        }
        command.args(words).envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    /// Runs a command with something on its standard input and reads the JSON it answers.
    fn answer(&self, words: &[&str], input: &str) -> anyhow::Result<Value> {
        let name = format!("chillproxy {}", words.iter().take(2).copied().collect::<Vec<_>>().join(" "));
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {name}; is it built?"))?;
        // A command that wants no input may have closed it already; its exit code tells what matters.
        let _ = child.stdin.take().context("its input is piped")?.write_all(input.as_bytes());
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("{name} failed ({})", output.status);
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("{name} answered something else than JSON"))
    }
}
