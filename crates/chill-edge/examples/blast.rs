//! Players by the hundred, on one thread, for `cargo xtask bench relay`. The words are
//!
//! * `ranges URL CONNECTIONS SECONDS`: each connection asks for random ranges of 1 to 8 MiB, one after the other, as fast
//!   as they come;
//! * `paced URL CONNECTIONS SECONDS MBIT`: each takes the file from a random place on, at that rate;
//! * `stalled URL CONNECTIONS`: each takes 64 KiB and then nothing, until a line comes on standard input.
//!
//! Prints `begin` a while after the last film began, or when all stall, and one line of JSON at the end. Any answer that is not a 206 with
//! the length that was asked for ends the run: such figures would mean nothing.
#![expect(clippy::print_stdout, reason = "the caller reads its figures there")]

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use chill_core::Chance;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use url::Url;

type Outcome<T> = Result<T, Box<dyn Error>>;

const MIB: u64 = 1024 * 1024;
/// What a player's kernel holds for it, in bytes.
const RECEIVE_BUFFER: u32 = 256 * 1024;
/// One read, in bytes; all connections share the buffer, so that it stays in the cache.
const READ: usize = 256 * 1024;
const WARM_UP: Duration = Duration::from_secs(1);
/// Until the kernel's buffers are full and players take what comes.
const PACED_WARM_UP: Duration = Duration::from_secs(5);
/// A paced player takes a piece this often.
const SIP: Duration = Duration::from_millis(100);
/// A stalled player takes so much before it stops, in bytes.
const TASTE: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the last one may take until its film begins.
const GATHERING: Duration = Duration::from_secs(90);

/// What all players share.
struct Party {
    host: String,
    path: String,
    size: Cell<u64>,
    buffer: RefCell<Vec<u8>>,
    chance: Chance,
    /// Bytes taken by each.
    taken: Vec<Cell<u64>>,
    /// Players that have stopped, on purpose.
    stopped: Cell<usize>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ranges", url, connections, seconds] => {
            let party = Party::of(url, connections).await?;
            party.measure(seconds.parse()?, WARM_UP, |party, player| Box::pin(party.ranges(player))).await
        }
        ["paced", url, connections, seconds, rate] => {
            let (party, rate) = (Party::of(url, connections).await?, rate.parse::<f64>()? * 1e6 / 8.0);
            let play = move |party: Rc<Party>, player| Box::pin(party.paced(player, rate)) as Play;
            party.measure(seconds.parse()?, PACED_WARM_UP, play).await
        }
        ["stalled", url, connections] => Party::of(url, connections).await?.stall().await,
        _ => {
            Err("ranges URL CONNECTIONS SECONDS | paced URL CONNECTIONS SECONDS MBIT | stalled URL CONNECTIONS".into())
        }
    }
}

type Play = std::pin::Pin<Box<dyn Future<Output = Outcome<()>>>>;

impl Party {
    async fn of(url: &str, connections: &str) -> Outcome<Rc<Self>> {
        let url = Url::parse(url)?;
        let host = format!("{}:{}", url.host_str().ok_or("no host")?, url.port().ok_or("no port")?);
        let party = Rc::new(Self {
            host,
            path: url.path().to_owned(),
            size: Cell::default(),
            buffer: RefCell::new(vec![0; READ]),
            chance: Chance::System,
            taken: vec![Cell::new(0); connections.parse()?],
            stopped: Cell::new(0),
        });
        let mut tcp = party.connect().await?;
        let (_, size) = party.ask(&mut tcp, 0, 0).await?;
        party.size.set(size);
        Ok(party)
    }

    /// Lets all play, and counts what they take in so many seconds after the warm-up.
    async fn measure(
        self: Rc<Self>,
        seconds: f64,
        warm_up: Duration,
        play: impl Fn(Rc<Self>, usize) -> Play,
    ) -> Outcome<()> {
        let players = LocalSet::new();
        let failed = Rc::new(RefCell::new(None));
        for player in 0..self.taken.len() {
            let (playing, failed) = (play(self.clone(), player), failed.clone());
            players.spawn_local(async move {
                if let Err(error) = playing.await {
                    failed.borrow_mut().get_or_insert(error.to_string());
                }
            });
        }
        let taken = || self.taken.iter().map(Cell::get).collect::<Vec<u64>>();
        let (before, after, took) = players
            .run_until(async {
                let waiting = || failed.borrow().is_none() && self.taken.iter().any(|taken| taken.get() == 0);
                let gathering = Instant::now();
                while waiting() && gathering.elapsed() < GATHERING {
                    sleep(SIP).await;
                }
                sleep(warm_up).await;
                println!("begin");
                let (begun, before) = (Instant::now(), taken());
                sleep(Duration::from_secs_f64(seconds)).await;
                (before, taken(), begun.elapsed().as_secs_f64())
            })
            .await;
        if let Some(error) = failed.borrow_mut().take() {
            return Err(error.into());
        }
        let each: Vec<u64> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
        let (bytes, worst) = (each.iter().sum::<u64>(), each.iter().min().copied().unwrap_or_default());
        println!("{}", serde_json::json!({"bytes": bytes, "worst": worst, "seconds": took}));
        Ok(())
    }

    async fn stall(self: Rc<Self>) -> Outcome<()> {
        let players = LocalSet::new();
        for player in 0..self.taken.len() {
            let party = self.clone();
            players.spawn_local(async move {
                let stalled = party.stalled(player).await;
                party.stopped.set(party.stopped.get() + 1);
                std::future::pending::<()>().await;
                drop(stalled);
            });
        }
        let all = async {
            while self.stopped.get() < self.taken.len() {
                sleep(SIP).await;
            }
        };
        players.run_until(timeout(GATHERING, all)).await?;
        let stalled = self.taken.iter().filter(|taken| taken.get() >= TASTE).count();
        println!("begin");
        let quit = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
        players.run_until(quit).await??;
        println!("{}", serde_json::json!({ "stalled": stalled }));
        Ok(())
    }

    async fn ranges(self: Rc<Self>, player: usize) -> Outcome<()> {
        let mut tcp = self.connect().await?;
        loop {
            let count = MIB + self.chance.below(7 * MIB);
            let first = self.chance.below(self.size.get() - count);
            let (mut here, _) = self.ask(&mut tcp, first, first + count - 1).await?;
            self.count(player, here);
            while here < count {
                let took = self.take(&tcp, count - here).await?;
                self.count(player, took);
                here += took;
            }
        }
    }

    async fn paced(self: Rc<Self>, player: usize, rate: f64) -> Outcome<()> {
        let first = self.chance.below(self.size.get() / 2);
        // Not all at the same moment, in each of their rounds.
        sleep(Duration::from_millis(self.chance.below(1_000))).await;
        let mut tcp = self.connect().await?;
        let (begun, (mut here, _)) = (Instant::now(), self.ask(&mut tcp, first, self.size.get() - 1).await?);
        self.count(player, here);
        for sip in 1_u32.. {
            sleep_until(begun + SIP * sip).await;
            let due = begun.elapsed().as_secs_f64() * rate;
            while (here as f64) < due {
                let took = self.take(&tcp, (due - here as f64) as u64 + 1).await?;
                self.count(player, took);
                here += took;
            }
        }
        Ok(())
    }

    async fn stalled(self: &Rc<Self>, player: usize) -> Outcome<TcpStream> {
        let mut tcp = self.connect().await?;
        let (mut here, _) = self.ask(&mut tcp, 0, self.size.get() - 1).await?;
        while here < TASTE {
            here += self.take(&tcp, TASTE - here).await?;
        }
        self.count(player, here);
        Ok(tcp)
    }

    fn count(&self, player: usize, bytes: u64) {
        if let Some(taken) = self.taken.get(player) {
            taken.set(taken.get() + bytes);
        }
    }

    async fn connect(&self) -> Outcome<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        let tcp = timeout(PATIENCE, socket.connect(self.host.parse()?)).await??;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    /// Asks for a range; gives how many of its bytes came with the head, and the size of the whole file.
    async fn ask(&self, tcp: &mut TcpStream, first: u64, last: u64) -> Outcome<(u64, u64)> {
        let (path, host) = (&self.path, &self.host);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nRange: bytes={first}-{last}\r\n\r\n");
        tcp.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        let end = loop {
            timeout(PATIENCE, tcp.readable()).await??;
            // Little by little: what is read beyond the head is counted, not kept.
            let mut piece = [0; 2048];
            match tcp.try_read(&mut piece) {
                Ok(0) => return Err("the server closed the connection before its answer".into()),
                Ok(count) => head.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(at) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = String::from_utf8_lossy(head.get(..end).unwrap_or_default()).to_ascii_lowercase();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let size = field("content-range:").and_then(|range| range.rsplit_once('/')?.1.parse().ok());
        let length: Option<u64> = field("content-length:").and_then(|length| length.parse().ok());
        match size {
            Some(size) if text.starts_with("http/1.1 206") && length == Some(last - first + 1) => {
                Ok(((head.len() - end) as u64, size))
            }
            _ => {
                let told = String::from_utf8_lossy(head.get(end..).unwrap_or_default());
                let status = text.lines().next().unwrap_or_default();
                Err(format!("not the range that was asked for: {status}: {told}").into())
            }
        }
    }

    /// Takes what is there, at most `most` bytes; waits for the first.
    async fn take(&self, tcp: &TcpStream, most: u64) -> Outcome<u64> {
        loop {
            timeout(PATIENCE, tcp.readable()).await??;
            let mut buffer = self.buffer.borrow_mut();
            let room = buffer.len().min(usize::try_from(most).unwrap_or(usize::MAX));
            match tcp.try_read(buffer.get_mut(..room).unwrap_or_default()) {
                Ok(0) => return Err("the server ended a film before its end".into()),
                Ok(count) => return Ok(count as u64),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
