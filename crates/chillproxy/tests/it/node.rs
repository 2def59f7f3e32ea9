//! One process of the binary: its settings, its log, its life.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tokio::net::TcpSocket;

use crate::web::Web;

pub(crate) type Settings = Vec<(String, String)>;

/// A server that can be started again after it ended. Dropping it kills it.
pub(crate) struct Node {
    pub base: String,
    pub log: Arc<Mutex<String>>,
    address: HeldAddress,
    words: &'static [&'static str],
    child: Option<Child>,
}

impl Node {
    /// A server that is started with these words and will answer at its own address.
    pub(crate) fn new(words: &'static [&'static str]) -> Self {
        let address = HeldAddress::new();
        Self { base: format!("http://{}", address.text()), log: Arc::default(), address, words, child: None }
    }

    /// Where it is to listen, each time it is started.
    pub(crate) fn address(&self) -> String {
        self.address.text()
    }

    pub(crate) fn spawn(&mut self, settings: &[(String, String)]) {
        let mut child = command(self.words, settings).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        self.child = Some(child);
    }

    /// What `/readyz` says; none while nobody listens.
    pub(crate) async fn readiness(&self, web: &Web) -> Option<u16> {
        tokio::net::TcpStream::connect(self.address()).await.ok()?;
        Some(web.get(&format!("{}/readyz", self.base)).await.status.as_u16())
    }

    /// kill -9, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> std::process::ExitStatus {
        self.child.take().unwrap().wait().unwrap()
    }

    pub(crate) fn log_tail(&self) -> String {
        let log = self.log.lock().unwrap().clone();
        let lines: Vec<_> = log.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            use std::io::Write;
            let mut errors = std::io::stderr();
            drop(writeln!(errors, "--- the last words of {} ---\n{}", self.base, self.log_tail()));
        }
    }
}

/// The binary with these settings and no others.
pub(crate) fn command(words: &[&str], settings: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chillproxy"));
    command.args(words).env_clear().envs(settings.iter().cloned());
    command
}

/// An address for a server that starts later, or again: bound here, so that the kernel gives its port to nobody else,
/// and not listened at, so that the server may (`SO_REUSEADDR`, which servers set).
pub(crate) struct HeldAddress(TcpSocket);

impl HeldAddress {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        Self(socket)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    pub(crate) fn text(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }
}
