//! One PostgreSQL server for a test run: made in a temporary directory, reachable on loopback only, gone afterwards.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::running::{HeldPort, Running, Voice};
use crate::shell;

/// Where Debian puts the server's programs, one directory per version.
const INSTALLED: &str = "/usr/lib/postgresql";
/// Test binaries run side by side and each test has a pool of its own.
const CONNECTIONS: u32 = 500;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; stopped and removed when dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    // Before the directory: the server stops first, then its files go.
    server: Running,
    directory: TempDir,
    port: HeldPort,
    url: String,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = programs().context("PostgreSQL's server is not installed: apt-get install postgresql")?;
        let directory = tempfile::Builder::new().prefix("chill-pg-").tempdir()?;
        let privileges = give_away(directory.path())?;
        let data = directory.path().join("data");
        make_cluster(&programs, &privileges, &data)?;
        let port = HeldPort::new()?;
        let server = start_server(&programs, &privileges, directory.path(), port.number())?;
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", port.number());
        Ok(Self { server, directory, port, url })
    }

    /// kill -9 of its first process, whose children then end by themselves, and a start on the same files and port.
    ///
    /// # Errors
    /// When it does not start again.
    pub(crate) fn crash(&mut self) -> anyhow::Result<()> {
        let programs = programs().context("PostgreSQL's server is gone")?;
        let privileges = give_away(self.directory.path())?;
        self.server.kill()?;
        let killed = Instant::now();
        loop {
            // The last of its children may still hold its shared memory.
            match start_server(&programs, &privileges, self.directory.path(), self.port.number()) {
                Ok(server) => {
                    self.server = server;
                    return Ok(());
                }
                Err(error) if killed.elapsed() > PATIENCE => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// The address of its maintenance database, for a superuser without a password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The directory that all its files are in.
    pub(crate) fn files(&self) -> &Path {
        self.directory.path()
    }
}

/// The directory of the newest installed server's programs.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(INSTALLED).ok()?;
    versions
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs.join("initdb").is_file().then_some((version, programs))
        })
        .max()
        .map(|(_, programs)| programs)
}

/// PostgreSQL refuses to run as root: then the directory is given to `nobody`, and so is the server.
fn give_away(directory: &Path) -> anyhow::Result<Vec<String>> {
    if shell::read(&mut shell::command("id", ["-u"]))? != "0" {
        return Ok(Vec::new());
    }
    let user = shell::read(&mut shell::command("id", ["-u", "nobody"]))?;
    let group = shell::read(&mut shell::command("id", ["-g", "nobody"]))?;
    chown(directory, Some(user.parse()?), Some(group.parse()?)).context("cannot give the directory to nobody")?;
    Ok(vec![format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()])
}

fn make_cluster(programs: &Path, privileges: &[String], data: &Path) -> anyhow::Result<()> {
    let mut initdb = shell::command("setpriv", privileges);
    initdb.arg("--").arg(programs.join("initdb")).arg("-D").arg(data).current_dir("/");
    initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"]);
    let made = initdb.output().context("cannot start setpriv, which is part of util-linux")?;
    if !made.status.success() {
        bail!("initdb failed ({}): {}", made.status, String::from_utf8_lossy(&made.stderr).trim());
    }
    Ok(())
}

fn start_server(programs: &Path, privileges: &[String], directory: &Path, port: u16) -> anyhow::Result<Running> {
    let mut postgres = Command::new(programs.join("postgres"));
    postgres.arg("-D").arg(directory.join("data"));
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", directory.display()),
        format!("max_connections={CONNECTIONS}"),
    ];
    for setting in settings {
        postgres.arg("-c").arg(setting);
    }
    // QUIT ends it at once, children and all: its data is thrown away anyway.
    let (server, ()) =
        Running::start("PostgreSQL", &postgres, privileges, ("QUIT", Voice::Errors), PATIENCE, |line| {
            line.contains("ready to accept connections").then_some(())
        })?;
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_on_loopback_and_leaves_nothing_behind() {
        let postgres = Postgres::start().unwrap();
        let directory = postgres.directory.path().to_path_buf();
        let url = postgres.url().to_owned();
        let ask = || shell::read(&mut shell::command("psql", [&url, "-XAtc", "SHOW server_encoding"]));
        assert_eq!(ask().unwrap(), "UTF8");
        drop(postgres);
        assert!(ask().is_err());
        assert!(!directory.exists());
    }
}
