//! The origin and the servers in front of it, all on loopback, each stopped by its own guard.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::super::programs::Programs;
use crate::running::{HeldPort, Running, Voice};
use crate::shell;

const PATIENCE: Duration = Duration::from_secs(20);
/// Of the film, in bytes.
const SIZE: u64 = 256 << 20;

/// How a server reaches the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upstream {
    Http,
    Tls,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Tls => "TLS",
        })
    }
}

/// nginx with a film in memory, over HTTP and over TLS with a certificate of its own.
#[derive(Debug)]
pub(super) struct Origin {
    // Ends before its directory does.
    _running: Program,
    directory: TempDir,
    http: HeldPort,
    tls: HeldPort,
}

impl Origin {
    pub(super) fn start() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("chill-relay-").tempdir_in("/dev/shm")?;
        let at = directory.path();
        fs::create_dir(at.join("files"))?;
        let mut film = File::create(at.join("files/film.mkv"))?;
        io::copy(&mut File::open("/dev/urandom")?.take(SIZE), &mut film).context("no room for the film in /dev/shm")?;
        certify(at)?;
        let (held, [http, tls]) = two_ports()?;
        let server = format!(
            "access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
             ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_protocols TLSv1.2 TLSv1.3;
             ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_session_cache shared:s:1m;
             server {{ listen 127.0.0.1:{http} backlog=4096 reuseport; listen 127.0.0.1:{tls} ssl backlog=4096 reuseport;
                       root {}/files; }}",
            at.display()
        );
        let running = nginx(at, "origin", &server, &[http, tls])?;
        let [http, tls] = held;
        Ok(Self { _running: running, directory, http, tls })
    }

    fn url(&self, upstream: Upstream) -> String {
        match upstream {
            Upstream::Http => format!("http://127.0.0.1:{}/film.mkv", self.http.number()),
            Upstream::Tls => format!("https://127.0.0.1:{}/film.mkv", self.tls.number()),
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// A port for each way, and their numbers.
fn two_ports() -> anyhow::Result<([HeldPort; 2], [u16; 2])> {
    let held = [HeldPort::new()?, HeldPort::new()?];
    let numbers = held.each_ref().map(HeldPort::number);
    Ok((held, numbers))
}

/// A certificate for 127.0.0.1 that only this run trusts.
fn certify(at: &Path) -> anyhow::Result<()> {
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
                  -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
                  -keyout \"$1/key.pem\" -out \"$1/cert.pem\" 2>/dev/null \
                  && openssl x509 -in \"$1/cert.pem\" -outform der -out \"$1/cert.der\"";
    let directory = at.display().to_string();
    shell::run(&mut shell::command("sh", ["-c", script, "sh", &directory])).context("openssl made no certificate")
}

/// A running program and its process id.
#[derive(Debug)]
struct Program {
    _running: Running,
    id: u32,
}

impl Program {
    /// Starts it through a shell that tells its process id before it becomes the program.
    fn start<T>(
        name: &str,
        program: &Path,
        words: &[String],
        mut ready: impl FnMut(&str) -> Option<T>,
    ) -> anyhow::Result<(Self, T)> {
        let mut command = Command::new("sh");
        command.args(["-c", r#"echo "process $$"; exec "$@""#, "sh"]).arg(program).args(words);
        let mut id = None;
        let (running, found) = Running::start(name, &command, &[], ("TERM", Voice::Output), PATIENCE, |line| {
            id = id.or_else(|| line.strip_prefix("process ")?.parse().ok());
            ready(line)
        })?;
        Ok((Self { _running: running, id: id.context("the shell told no process id")? }, found))
    }
}

/// Waits until something listens.
fn reach(port: u16) -> anyhow::Result<()> {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begun.elapsed() > PATIENCE {
            bail!("nothing listens on port {port}");
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}

fn program(name: &str) -> PathBuf {
    let system = Path::new("/usr/sbin").join(name);
    if system.exists() { system } else { PathBuf::from(name) }
}

fn nginx(at: &Path, name: &str, http: &str, ports: &[u16]) -> anyhow::Result<Program> {
    let user = if shell::read(&mut shell::command("id", ["-u"]))? == "0" { "user root;" } else { "" };
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|of| format!("{of}_temp_path {}/{name}-{of};", at.display())).join(" ");
    let text = format!(
        "daemon off; {user} worker_processes auto; worker_rlimit_nofile 16384; pid {name}.pid; error_log stderr crit;
         events {{ worker_connections 8192; multi_accept on; }}
         http {{ {temporary} {http} }}"
    );
    let file = format!("{name}.conf");
    fs::write(at.join(&file), text)?;
    let words = ["-p".to_owned(), at.display().to_string(), "-e".into(), "stderr".into(), "-c".into(), file];
    let (program, ()) = Program::start(name, &program("nginx"), &words, |_| Some(()))?;
    ports.iter().try_for_each(|port| reach(*port))?;
    Ok(program)
}

/// A server under test: one program for both ways to the origin, or one for each.
#[derive(Debug)]
pub(super) struct Server {
    name: &'static str,
    http: (u16, u32),
    tls: (u16, u32),
    _programs: Vec<Program>,
    _held: Vec<HeldPort>,
}

impl Server {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn url(&self, upstream: Upstream) -> String {
        format!("http://127.0.0.1:{}/film.mkv", self.of(upstream).0)
    }

    /// Its processes: the one we started and its children.
    pub(super) fn processes(&self, upstream: Upstream) -> Vec<u32> {
        let root = self.of(upstream).1;
        let children = fs::read_to_string(format!("/proc/{root}/task/{root}/children")).unwrap_or_default();
        std::iter::once(root).chain(children.split_whitespace().filter_map(|id| id.parse().ok())).collect()
    }

    fn of(&self, upstream: Upstream) -> (u16, u32) {
        match upstream {
            Upstream::Http => self.http,
            Upstream::Tls => self.tls,
        }
    }
}

/// Ours, nginx, and haproxy where it is there; in this order.
pub(super) fn all(origin: &Origin, programs: &Programs, with_haproxy: bool) -> anyhow::Result<Vec<Server>> {
    let mut servers = vec![ours(origin, programs)?, nginx_proxy(origin)?];
    if with_haproxy {
        servers.push(haproxy(origin)?);
    }
    Ok(servers)
}

fn ours(origin: &Origin, programs: &Programs) -> anyhow::Result<Server> {
    let start = |upstream| {
        let mut words = vec![origin.url(upstream)];
        words.push(origin.path().join("cert.der").display().to_string());
        Program::start("the relay", &programs.example("relay"), &words, |line| {
            line.strip_prefix("listening on ")?.rsplit_once(':')?.1.parse::<u16>().ok()
        })
    };
    let ((http, http_port), (tls, tls_port)) = (start(Upstream::Http)?, start(Upstream::Tls)?);
    Ok(Server {
        name: "chillproxy relay",
        http: (http_port, http.id),
        tls: (tls_port, tls.id),
        _programs: vec![http, tls],
        _held: Vec::new(),
    })
}

fn nginx_proxy(origin: &Origin) -> anyhow::Result<Server> {
    let (held, [http, tls]) = two_ports()?;
    let text = format!(
        "access_log off; keepalive_requests 1000000000; tcp_nodelay on;
         proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffering off; proxy_buffer_size 64k;
         proxy_buffers 8 64k; proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_session_reuse on;
         upstream plain {{ server 127.0.0.1:{}; keepalive 512; }}
         upstream sealed {{ server 127.0.0.1:{}; keepalive 512; }}
         server {{ listen 127.0.0.1:{http} backlog=4096; location / {{ proxy_pass http://plain; }} }}
         server {{ listen 127.0.0.1:{tls} backlog=4096; location / {{ proxy_pass https://sealed; }} }}",
        origin.http.number(),
        origin.tls.number()
    );
    let running = nginx(origin.path(), &format!("proxy-{http}"), &text, &[http, tls])?;
    Ok(Server {
        name: "nginx 64k",
        http: (http, running.id),
        tls: (tls, running.id),
        _programs: vec![running],
        _held: held.into(),
    })
}

fn haproxy(origin: &Origin) -> anyhow::Result<Server> {
    let (held, [http, tls]) = two_ports()?;
    let text = format!(
        "global\n  maxconn 4000\n\
         defaults\n  mode http\n  maxconn 4000\n  option splice-response\n  http-reuse always\n  timeout connect 5s\n  \
         timeout client 60s\n  timeout server 60s\n\
         listen plain\n  bind 127.0.0.1:{http} backlog 4096\n  server origin 127.0.0.1:{}\n\
         listen sealed\n  bind 127.0.0.1:{tls} backlog 4096\n  server origin 127.0.0.1:{} ssl verify none\n",
        origin.http.number(),
        origin.tls.number()
    );
    let file = origin.path().join("haproxy.cfg");
    fs::write(&file, text)?;
    let words = ["-db".to_owned(), "-q".into(), "-f".into(), file.display().to_string()];
    let (running, ()) = Program::start("haproxy", &program("haproxy"), &words, |_| Some(()))?;
    reach(http)?;
    reach(tls)?;
    Ok(Server {
        name: "haproxy, splicing",
        http: (http, running.id),
        tls: (tls, running.id),
        _programs: vec![running],
        _held: held.into(),
    })
}
