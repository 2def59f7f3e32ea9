//! The simulated outside world, and the server on top of it, as processes beside us.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::running::{Running, Voice, free_port};

const PATIENCE: Duration = Duration::from_secs(60);
/// The key of the account that the seeded world has.
pub(crate) const STORE_KEY: &str = "demo-store-key-0123456789";

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

    /// What the simulators said of themselves: an address without a slash at its end, or `torznab_key`.
    ///
    /// # Errors
    /// When they did not name it.
    pub(crate) fn said(&self, name: &str) -> anyhow::Result<&str> {
        self.said.get(name).and_then(Value::as_str).with_context(|| format!("chill-sim did not name its {name}"))
    }
}

/// A running server with one key and one user.
#[derive(Debug)]
pub(crate) struct Server {
    process: Running,
    _data: TempDir,
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
        let address = format!("127.0.0.1:{}", free_port()?);
        let base_url = format!("http://{address}");
        let settings = [
            ("CHILLPROXY_DATA_DIR", data.path().display().to_string()),
            ("STREMTHRU_LISTEN_ADDR", address),
            ("STREMTHRU_BASE_URL", base_url.clone()),
            ("CHILLPROXY_METRICS_ADDR", format!("127.0.0.1:{}", free_port()?)),
            ("CHILLPROXY_TORBOX_URL", world.said("torbox")?.to_owned()),
            ("CHILLPROXY_CINEMETA_URL", world.said("cinemeta")?.to_owned()),
            ("CHILLPROXY_INDEXERS", format!("simulated={}|{}", world.said("torznab")?, world.said("torznab_key")?)),
        ];
        let chillproxy = |words: &[&str]| {
            let mut command = Command::new(programs.join("chillproxy"));
            command.args(words).envs(settings.iter().map(|(name, value)| (*name, value.as_str())));
            command
        };
        let key = ["key", "add", "--store", "tb", "--name", "conformance", "--passport", "household", "--json"];
        answer(&mut chillproxy(&key), STORE_KEY)?;
        let user = answer(&mut chillproxy(&["user", "add", "--name", "conformance", "--json"]), "")?;
        let manifest_url = user["manifestUrl"].as_str().context("`user add --json` gave no manifestUrl")?.to_owned();
        let (process, ()) = Running::start(
            "chillproxy serve",
            &chillproxy(&["serve"]),
            &[],
            ("TERM", Voice::Errors),
            PATIENCE,
            |line| line.contains("listening on http://").then_some(()),
        )?;
        Ok(Self { process, _data: data, base_url, manifest_url })
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

/// Runs a command of the server's with something on its standard input and reads the JSON it answers.
fn answer(command: &mut Command, input: &str) -> anyhow::Result<Value> {
    let words: Vec<_> = command.get_args().take(2).map(|word| word.to_string_lossy().into_owned()).collect();
    let name = format!("chillproxy {}", words.join(" "));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}; is it built?"))?;
    child.stdin.take().context("its input is piped")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{name} failed ({})", output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("{name} answered something else than JSON"))
}
