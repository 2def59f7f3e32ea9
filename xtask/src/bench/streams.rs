//! Stream lists: what a decision with a cached lease costs, and a personal list of 100 streams against nginx serving the
//! same bytes as a file.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::figures::{Figures, Goal, against};
use super::nginx::Nginx;
use super::process::Tree;
use super::programs::Programs;
use super::server::Server;
use super::{machine, wrk};
use crate::shell;
use crate::world::World;

const FILM: &str = "tt9000100";
const STREAMS: usize = 100;
/// Open connections, and the goals of requests per second at them.
const LOADS: [(u32, f64); 2] = [(100, 0.95), (1_000, 0.85)];
const CPU_GOAL: f64 = 1.15;
const SECONDS: u32 = 3;
const ROUNDS: usize = 5;
/// The longest list that is read.
const MAX_LIST: u64 = 16 * 1024 * 1024;

/// One server under one load.
#[derive(Default)]
struct Measured {
    per_second: Figures,
    /// µs of CPU of the server's whole process tree.
    cpu: Figures,
}

/// `bench streams [--release] [--rounds N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let rounds = super::rounds(args, ROUNDS)?;
    machine::describe();
    let alone = without_sockets(&programs)?;
    let on_the_wire = if machine::rival("wrk", "wrk") { Some(served(&programs, rounds)?) } else { None };
    print_alone(&alone, on_the_wire)?;
    machine::busy();
    Ok(())
}

/// The figures of the example `streams`, in µs of CPU.
fn without_sockets(programs: &Programs) -> anyhow::Result<Value> {
    let said = shell::read(&mut Command::new(programs.example("streams")))?;
    serde_json::from_str(&said).context("the example `streams` printed something else than JSON")
}

fn print_alone(said: &Value, on_the_wire: Option<f64>) -> anyhow::Result<()> {
    let of = |name: &str, which: &str| said["us"][name][which].as_f64().with_context(|| format!("no figure {name}"));
    println!("\nIn process, without a socket, one thread; µs of CPU, median (least–most) of interleaved slices:");
    let rows = [
        ("no_route", "an unknown path"),
        ("who_asks", "link decoded, address, device and public address found"),
        ("leased", "the same, cached lease, empty list of a known film"),
        ("fifty", "the same with 50 streams"),
        ("hundred", "the same with 100 streams"),
        ("thousand", "the same with 1,000 streams"),
        ("serde", "the 100 streams by serde_json from structs, nothing else"),
    ];
    for (name, what) in rows {
        println!("  {what:<58} {:>8.2} ({:.2}–{:.2})", of(name, "median")?, of(name, "least")?, of(name, "most")?);
    }
    let [leased, fifty, hundred] = [of("leased", "median")?, of("fifty", "median")?, of("hundred", "median")?];
    let thousand = of("thousand", "median")?;
    println!("  the cached lease and its lookups alone: {:.2} µs", leased - of("who_asks", "median")?);
    let (short, long) = ((fifty - leased) * 1e3 / 50.0, (thousand - leased) * 1e3 / 1_000.0);
    println!("  per stream: {short:.0} ns of 50, {long:.0} ns of 1,000");
    against(Goal::AtMost("", 1000.0), "decision with a cached lease, µs of CPU", leased);
    against(
        Goal::AtMost("J3", 0.04),
        "rendering 100 streams ÷ serde_json",
        (hundred - leased) / of("serde", "median")?,
    );
    against(Goal::AtMost("", 1.10), "ns per stream, 1,000 ÷ 50", long / short);
    if let Some(request) = on_the_wire {
        println!("  rendering is {:.0} % of a request's CPU at c=100", (hundred - leased) * 100.0 / request);
    }
    Ok(())
}

/// Measures the running server beside nginx; gives its µs of CPU per request under the smaller load.
fn served(programs: &Programs, rounds: usize) -> anyhow::Result<f64> {
    let world = World::start(programs.directory())?;
    fill(&world)?;
    let server = Server::new(programs)?.within(&world)?;
    let manifest = server.with_user()?;
    let _running = server.start()?;
    let addon = manifest.strip_suffix("/manifest.json").context("the link ends in /manifest.json")?;
    let list = format!("{addon}/stream/movie/{FILM}.json");
    let bytes = cached_list(&list)?;
    let nginx = Nginx::new(&[("list.json", &bytes)])?;
    let beside = machine::rival("nginx", "nginx").then(|| nginx.start()).transpose()?;
    let mut rivals = vec![("chillproxy", list, Tree::of_child("chillproxy")?)];
    if beside.is_some() {
        rivals.push(("nginx", nginx.url("list.json"), Tree::of_child("nginx")?));
    }
    for (_, url, _) in &rivals {
        wrk::run(url, 100, 1)?;
    }
    println!(
        "\nA list of {STREAMS} streams, {} bytes, everything cached; wrk -t1, {rounds} rounds of {SECONDS} s",
        bytes.len()
    );
    let mut first = None;
    for (connections, goal) in LOADS {
        let measured = interleaved(&rivals, connections, rounds)?;
        for ((name, ..), measured) in rivals.iter().zip(&measured) {
            let (rate, cpu) = (measured.per_second.shown(0), measured.cpu.shown(1));
            println!("  c={connections:<5} {name:<11} {rate:>24} req/s {cpu:>20} µs of CPU per request");
        }
        if let [ours, theirs] = measured.as_slice() {
            let cpu = ours.cpu.median() / theirs.cpu.median();
            let rate = ours.per_second.median() / theirs.per_second.median();
            against(Goal::AtLeast("J1", goal), &format!("req/s ÷ nginx's, c={connections}"), rate);
            against(Goal::AtMost("J2", CPU_GOAL), &format!("CPU per request ÷ nginx's, c={connections}"), cpu);
        }
        machine::busy();
        first = first.or(measured.first().map(|ours| ours.cpu.median()));
    }
    first.context("nothing was measured")
}

/// All servers in each round, in turning order.
fn interleaved(rivals: &[(&str, String, Tree)], connections: u32, rounds: usize) -> anyhow::Result<Vec<Measured>> {
    let mut measured: Vec<Measured> = rivals.iter().map(|_| Measured::default()).collect();
    for round in 0..rounds {
        for turn in 0..rivals.len() {
            let at = (turn + round) % rivals.len();
            let (_, url, tree) = &rivals[at];
            let before = tree.cpu_seconds();
            let load = wrk::run(url, connections, SECONDS)?;
            measured[at].cpu.push((tree.cpu_seconds() - before) * 1e6 / load.requests);
            measured[at].per_second.push(load.per_second);
        }
    }
    Ok(measured)
}

/// Asks until the list is complete, and gives its bytes.
fn cached_list(url: &str) -> anyhow::Result<Vec<u8>> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(std::time::Duration::from_secs(30))).build().into();
    let mut bytes = Vec::new();
    for _ in 0..3 {
        // The address is a credential: it must not be in an error.
        let mut answer = agent.get(url).call().map_err(|_| anyhow::anyhow!("the stream list was not answered"))?;
        bytes = answer.body_mut().with_config().limit(MAX_LIST).read_to_vec()?;
    }
    let list: Value = serde_json::from_slice(&bytes)?;
    let streams = list["streams"].as_array().map_or(0, Vec::len);
    ensure!(streams == STREAMS, "the list has {streams} streams instead of {STREAMS}");
    Ok(bytes)
}

/// A film with 100 releases that the store has, through the simulators' control API.
fn fill(world: &World) -> anyhow::Result<()> {
    let names: Vec<String> = (0..STREAMS).map(release).collect();
    let size = |at: usize| 4_000_000_000 + at as u64 * 77_000_000;
    let torrents = names
        .iter()
        .enumerate()
        .map(|(at, name)| json!({"name": name, "files": [{"path": format!("{name}.mkv"), "size": size(at)}]}));
    let hashes = tell(world, "catalogue", &torrents.collect())?;
    let hashes = hashes.as_array().context("the simulators gave no hashes")?;
    let releases = names.iter().zip(hashes).enumerate().map(|(at, (name, hash))| {
        json!({"title": name, "hash": hash, "size": size(at), "imdb": FILM, "categories": [2000, 2040], "seeders": 5 + at})
    });
    tell(world, "releases", &releases.collect())?;
    tell(world, "titles", &json!({"kind": "movie", "id": FILM, "name": "The Quiet Hills", "release_info": "1968"}))?;
    Ok(())
}

fn release(at: usize) -> String {
    let resolution = ["2160p", "1080p", "720p", "480p"][at % 4];
    let quality = ["BluRay", "WEB-DL", "WEBRip", "HDTV", "BluRay.REMUX"][at % 5];
    let sound = ["DTS-HD.MA.5.1", "DDP5.1.Atmos", "AAC2.0"][at % 3];
    format!("The.Quiet.Hills.1968.{resolution}.{quality}.{sound}.HEVC-GROUP{at:03}")
}

fn tell(world: &World, what: &str, body: &Value) -> anyhow::Result<Value> {
    let url = format!("{}/{what}", world.url("control")?);
    let mut answer = ureq::post(url).header("content-type", "application/json").send(body.to_string())?;
    let text = answer.body_mut().read_to_string()?;
    Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
}
