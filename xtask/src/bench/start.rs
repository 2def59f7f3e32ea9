//! From the start of the process to the first answer, idle memory, and size: the server on SQLite against nginx.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::figures::{Figures, Goal, against};
use super::machine;
use super::nginx::Nginx;
use super::process::Tree;
use super::programs::Programs;
use super::server::Server;

const ROUNDS: usize = 15;
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two tries to connect; what is measured is no finer.
const GAP: Duration = Duration::from_micros(200);
/// Memory is looked at after this time without a request.
const IDLE: Duration = Duration::from_secs(2);
const IDLE_ROUNDS: usize = 3;

/// A process that was started directly, so that nothing else is measured; stopped when dropped.
struct Started {
    child: Child,
    since: Instant,
    address: SocketAddr,
}

/// `bench start [--release] [--rounds N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let rounds = super::rounds(args, ROUNDS)?;
    machine::describe();
    let server = Server::new(&programs)?;
    let nginx = machine::rival("nginx", "nginx").then(|| Nginx::new(&[])).transpose()?;
    let ours = || Started::new(&mut server.command(&["serve"]), server.port());
    let theirs = || nginx.as_ref().map(|nginx| Started::new(&mut nginx.command(), nginx.port())).transpose();
    // The first start makes database and master key.
    let (first, first_ready) = first_answers(&ours()?)?;
    let (mut alive, mut ready, mut rival) = (Figures::default(), Figures::default(), Figures::default());
    for _ in 0..rounds {
        let (answered, served) = first_answers(&ours()?)?;
        alive.push(answered);
        ready.push(served);
        if let Some(nginx) = theirs()? {
            rival.push(nginx.answer("/health")?);
        }
    }
    println!("\nFrom spawn to the first answer, ms, median (least–most) of {rounds}, one after the other in turn:");
    println!("  chillproxy /health                 {}", alive.shown(1));
    println!("  chillproxy /readyz says ready      {}", ready.shown(1));
    println!("  nginx /health                      {}", rival.shown(1));
    println!("  the very first start, which makes the database: /health {first:.1}, ready {first_ready:.1}");
    if nginx.is_some() {
        against(Goal::AtMost("P1", 0.5), "start to the first answer ÷ nginx's", alive.median() / rival.median());
    }
    let (mut memory, mut rival) = (Figures::default(), Figures::default());
    let mut workers = 0;
    for _ in 0..IDLE_ROUNDS {
        memory.push(idle(&ours()?)?.0);
        if let Some(nginx) = theirs()? {
            let (resident, processes) = idle(&nginx)?;
            rival.push(resident);
            workers = processes;
        }
    }
    println!("\nResident memory after {} s idle, MB:", IDLE.as_secs());
    println!("  chillproxy, both planes on SQLite  {}", memory.shown(1));
    println!("  nginx, {workers} processes                 {}", rival.shown(1));
    against(Goal::AtMost("P2", 12.0), "MB resident, idle", memory.median());
    let size = std::fs::metadata(programs.server())?.len();
    println!("\nThe program, profile {}: {:.1} MB", programs.profile(), size as f64 / 1e6);
    machine::busy();
    Ok(())
}

/// ms until `/health` answers, and until `/readyz` does.
fn first_answers(server: &Started) -> anyhow::Result<(f64, f64)> {
    Ok((server.answer("/health")?, server.answer("/readyz")?))
}

/// MB resident after a while, and in how many processes.
fn idle(started: &Started) -> anyhow::Result<(f64, usize)> {
    started.answer("/health")?;
    pause(IDLE);
    Tree::of(started.child.id())?.resident()
}

impl Started {
    fn new(command: &mut Command, port: u16) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let since = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, since, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }

    /// ms from the start until this path is answered with 200.
    fn answer(&self, path: &str) -> anyhow::Result<f64> {
        while self.since.elapsed() < PATIENCE {
            if ask(self.address, path).is_ok_and(|status| status == "200") {
                return Ok(self.since.elapsed().as_secs_f64() * 1e3);
            }
            pause(GAP);
        }
        bail!("{path} was not answered with 200 within {} s", PATIENCE.as_secs())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // nginx would leave its workers behind if it were killed.
        let asked = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _gone_already = self.child.kill();
        }
        if let Err(error) = self.child.wait() {
            eprintln!("xtask: a measured program could not be stopped: {error}");
        }
    }
}

/// The status of one request on a connection of its own.
fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(String::from_utf8_lossy(&head[9..]).into_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no runtime here to block, and the gap is part of the measurement"
)]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
