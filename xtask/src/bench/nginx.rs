//! The rival for what is served from memory: nginx, as Debian configures it but without its access log.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::running::{HeldPort, Running, Voice};
use crate::shell;

const PATIENCE: Duration = Duration::from_secs(20);

/// A directory and a configuration; nothing runs yet.
#[derive(Debug)]
pub(super) struct Nginx {
    directory: TempDir,
    port: HeldPort,
}

impl Nginx {
    /// One worker a core; serves `files` by their names, and `/health`.
    ///
    /// # Errors
    /// When its directory cannot be made.
    pub(super) fn new(files: &[(&str, &[u8])]) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("chill-nginx-").tempdir()?;
        let port = HeldPort::new()?;
        let root = directory.path().join("files");
        std::fs::create_dir(&root)?;
        for (name, bytes) in files {
            std::fs::write(root.join(name), bytes)?;
        }
        let nginx = Self { directory, port };
        std::fs::write(nginx.directory.path().join("nginx.conf"), nginx.configuration()?)?;
        Ok(nginx)
    }

    /// The program with its words; it stays in the foreground.
    pub(super) fn command(&self) -> Command {
        let mut nginx = Command::new(if shell::is_there("nginx") { "nginx" } else { "/usr/sbin/nginx" });
        nginx.arg("-p").arg(self.directory.path()).args(["-e", "stderr", "-c", "nginx.conf"]);
        nginx
    }

    /// Starts it, until dropped.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn start(&self) -> anyhow::Result<Running> {
        let signals = ("TERM", Voice::Errors);
        let (running, ()) = Running::start("nginx", &self.command(), &[], signals, PATIENCE, |line| {
            line.contains("start worker process").then_some(())
        })?;
        Ok(running)
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port.number()
    }

    /// The address of one of its files.
    pub(super) fn url(&self, file: &str) -> String {
        format!("http://127.0.0.1:{}/{file}", self.port())
    }

    fn configuration(&self) -> anyhow::Result<String> {
        // Its workers must read our directory; started by another user, nginx ignores the line with a warning.
        let user = if is_root()? { "user root;" } else { "" };
        let own = |path: &Path| path.display().to_string();
        let (port, files) = (self.port(), own(&self.directory.path().join("files")));
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|of| format!("{of}_temp_path {};", own(&self.directory.path().join(of))));
        Ok(format!(
            "daemon off; {user} worker_processes auto; pid nginx.pid; error_log stderr notice;
            events {{ worker_connections 4096; }}
            http {{
                {temporary}
                access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
                default_type 'application/json; charset=utf-8';
                server {{
                    listen 127.0.0.1:{port} backlog=4096; root {files};
                    location = /health {{ return 200 '{{\"status\":\"ok\"}}'; }}
                }}
            }}",
            temporary = temporary.join(" "),
        ))
    }
}

fn is_root() -> anyhow::Result<bool> {
    Ok(shell::read(&mut shell::command("id", ["-u"]))? == "0")
}
