//! A whole system: simulators in this process, the real binary beside it, on SQLite or on a real PostgreSQL.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use chill_sim::World;
use serde_json::Value;
use tempfile::TempDir;

use crate::database::TestDatabase;
use crate::node::{HeldAddress, Node, command};
use crate::web::Web;

/// The account's key at the simulated TorBox; it must never be seen anywhere.
pub(crate) const KEY: &str = "5ca1ab1e-0000-4000-8000-c0ffeec0ffee";
/// A second account.
pub(crate) const KEY_TWO: &str = "5ca1ab1e-0000-4000-8000-deadbeef0002";
/// The indexer's key, as secret as an account's.
pub(crate) const INDEXER_KEY: &str = "indexer-canary-7f3a9c";
const PATIENCE: Duration = Duration::from_secs(20);

/// A running system. Dropping it stops the server and removes its data.
pub(crate) struct App {
    pub world: World,
    pub base: String,
    pub metrics: String,
    pub settings: Vec<(String, String)>,
    pub data: TempDir,
    pub web: Web,
    server: Node,
    _metrics_address: HeldAddress,
    pub database: TestDatabase,
}

/// One user as `user add --json` shows it.
pub(crate) struct Viewer {
    pub id: String,
    pub manifest: String,
    pub link: String,
}

impl Viewer {
    /// The user's address up to the user data, without a slash at its end.
    pub(crate) fn addon(&self) -> &str {
        self.manifest.strip_suffix("/manifest.json").unwrap()
    }

    pub(crate) fn streams(&self, kind: &str, id: &str) -> String {
        format!("{}/stream/{kind}/{id}.json", self.addon())
    }
}

impl App {
    /// A system on `database` with the demo's titles and one account, no key and no user yet; the server runs.
    pub(crate) async fn start(database: TestDatabase) -> Self {
        Self::with(database, &[]).await
    }

    /// The same with further settings.
    pub(crate) async fn with(database: TestDatabase, more: &[(&str, &str)]) -> Self {
        Self::serving(&["serve"], database, more).await
    }

    /// The same with another command line.
    pub(crate) async fn serving(words: &'static [&'static str], database: TestDatabase, more: &[(&str, &str)]) -> Self {
        let world = chill_sim::demo_world(KEY).await.unwrap();
        world
            .torznab()
            .set_indexer(chill_sim::Indexer { api_key: INDEXER_KEY.to_owned(), ..world.torznab().indexer() });
        let data = tempfile::tempdir().unwrap();
        let (server, metrics) = (Node::new(words), HeldAddress::new());
        let base = server.base.clone();
        let mut settings: Vec<(String, String)> = [
            ("CHILLPROXY_DATA_DIR", data.path().join("data").display().to_string()),
            ("STREMTHRU_LISTEN_ADDR", server.address()),
            ("STREMTHRU_BASE_URL", base.clone()),
            ("CHILLPROXY_METRICS_ADDR", metrics.text()),
            ("CHILLPROXY_TORBOX_URL", world.torbox_url()),
            ("CHILLPROXY_CINEMETA_URL", world.cinemeta_url()),
            ("CHILLPROXY_KITSU_URL", world.kitsu_url()),
            ("CHILLPROXY_INDEXERS", format!("simulated={}|{INDEXER_KEY}", world.torznab_url())),
            ("RUST_LOG", "trace".to_owned()),
            // Most stories ask faster than any viewer; those about limits set their own.
            ("CHILLPROXY_RATE_PER_USER", "0".to_owned()),
            ("CHILLPROXY_RATE_PER_IP", "0".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        settings.extend(database.url().map(|url| ("DATABASE_URL".to_owned(), url)));
        settings.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let mut app = Self {
            world,
            base,
            metrics: format!("http://{}", metrics.text()),
            settings,
            data,
            web: Web::new("TestPlayer/1.0"),
            server,
            _metrics_address: metrics,
            database,
        };
        app.boot().await;
        app
    }

    /// A started system with one household key and one user.
    pub(crate) async fn with_viewer(database: TestDatabase) -> (Self, Viewer) {
        let app = Self::start(database).await;
        app.add_key("main", KEY);
        let viewer = app.add_user("ada");
        (app, viewer)
    }

    /// Starts the server and waits until it is ready.
    pub(crate) async fn boot(&mut self) {
        self.server.spawn(&self.settings);
        self.until("the server is ready", async || self.server.readiness(&self.web).await == Some(200)).await;
    }

    /// kill -9, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.server.kill();
    }

    /// SIGTERM and a wait for the end.
    pub(crate) fn stop(&mut self) -> std::process::ExitStatus {
        self.ask_to_stop();
        self.server.ended()
    }

    /// SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        self.server.ask_to_stop();
    }

    /// Waits for the end of a server that was asked to stop.
    pub(crate) fn ended(&mut self) -> std::process::ExitStatus {
        tokio::task::block_in_place(|| self.server.ended())
    }

    /// Waits until `condition` holds, asking often; fails with the log after twenty seconds.
    pub(crate) async fn until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let start = Instant::now();
        while !condition().await {
            assert!(
                start.elapsed() < PATIENCE,
                "{what}: not within {PATIENCE:?}; the log:\n{}",
                self.server.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn log_text(&self) -> String {
        self.server.log.lock().unwrap().clone()
    }

    /// Runs a command with something on its standard input. The simulators answer meanwhile.
    pub(crate) fn run(&self, words: &[&str], input: &str) -> Output {
        let mut command = command(words, &self.settings);
        tokio::task::block_in_place(|| {
            let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = piped.spawn().unwrap();
            // A command that refuses before it reads closes the pipe; that is not a fault.
            drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
            child.wait_with_output().unwrap()
        })
    }

    /// Runs a command that must succeed and answer JSON.
    pub(crate) fn cli(&self, words: &[&str], input: &str) -> Value {
        let output = self.run(words, input);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {errors}");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{words:?}: {e}: {}", String::from_utf8_lossy(&output.stdout)))
    }

    /// Adds a household key.
    pub(crate) fn add_key(&self, name: &str, secret: &str) -> Value {
        self.cli(&["key", "add", "--store", "tb", "--name", name, "--passport", "household", "--json"], secret)
    }

    pub(crate) fn add_user(&self, name: &str) -> Viewer {
        viewer(&self.cli(&["user", "add", "--name", name, "--json"], ""))
    }

    pub(crate) fn data_dir(&self) -> std::path::PathBuf {
        self.data.path().join("data")
    }
}

pub(crate) fn viewer(user: &Value) -> Viewer {
    let text = |name: &str| user[name].as_str().unwrap_or_else(|| panic!("no {name} in {user}")).to_owned();
    Viewer { id: text("id"), manifest: text("manifestUrl"), link: text("linkId") }
}

/// Every file below a directory.
pub(crate) fn files_below(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}
