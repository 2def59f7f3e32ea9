//! One Redis server for a test run: nothing on disk, reachable on loopback only, gone afterwards.

use std::time::Duration;

use tempfile::TempDir;

use crate::running::{HeldPort, Running, Voice};
use crate::shell;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    // Before the directory: the server stops first, then its files go.
    _server: Running,
    _directory: TempDir,
    url: String,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Errors
    /// When Redis is not installed, or does not start.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("chill-redis-").tempdir()?;
        let port = HeldPort::new()?;
        let server = start_server(&directory, port.number())?;
        let url = format!("redis://127.0.0.1:{}/0", port.number());
        Ok(Self { _server: server, _directory: directory, url })
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

fn start_server(directory: &TempDir, port: u16) -> anyhow::Result<Running> {
    let mut redis = shell::command("redis-server", ["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    redis.args(["--save", "", "--appendonly", "no", "--dir"]).arg(directory.path());
    let (server, ()) = Running::start("Redis", &redis, &[], ("TERM", Voice::Output), PATIENCE, |line| {
        line.to_ascii_lowercase().contains("ready to accept connections").then_some(())
    })?;
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_on_loopback_and_is_gone_when_dropped() {
        let redis = Redis::start().unwrap();
        let url = redis.url().to_owned();
        let address = url.strip_prefix("redis://").unwrap().strip_suffix("/0").unwrap().to_owned();
        let ask = || std::net::TcpStream::connect(&address);
        assert!(ask().is_ok());
        drop(redis);
        assert!(ask().is_err());
    }
}
