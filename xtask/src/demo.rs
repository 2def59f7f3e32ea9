//! The whole product on one screen, for someone who has just cloned it: a film through the pool, watched by a viewer who
//! never sees a key, counted to the byte, and stopped when the viewer is suspended.

pub(crate) mod play;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::world::{Server, World};
use crate::{shell, test};
use play::{Listed, Player};
use serde_json::Value;

const FILM: &str = "movie/tt0063350";
const EPISODE: &str = "series/tt0047706:1:2";
/// Bytes of the second film to watch before its viewer is suspended.
const SOME: u64 = 256 * 1024;
/// A revoked film must stop within this time.
const PROMISE: Duration = Duration::from_secs(1);

/// Usage must have been counted within this time.
const DELIVERY: Duration = Duration::from_secs(10);

/// Runs the demonstration; with `--once` it leaves when everything was right.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let once = match args {
        [] => false,
        [word] if word == "--once" => true,
        _ => bail!("demo takes nothing but --once"),
    };
    let mut told = Story::default();
    told.step("built the server and the simulators", || {
        shell::run(&mut shell::cargo(["build", "--quiet", "--locked", "-p", "chillproxy", "-p", "chill-sim"]))?;
        Ok(((), String::new()))
    })?;
    let programs = test::programs()?;
    let world = told.step("started TorBox with its CDN, a Torznab indexer and Cinemeta, all simulated", || {
        Ok((World::start(&programs)?, String::new()))
    })?;
    let server =
        told.step("added a key from standard input and a user, started the server on embedded SQLite", || {
            let server = Server::start(&programs, &world)?;
            let listening = server.base_url().to_owned();
            Ok((server, format!("it listens on {listening}")))
        })?;
    println!("      the viewer's link: {}", server.manifest_url());
    let player = Player::new(server.manifest_url())?;
    watch(&mut told, &world, &server, &player)?;
    println!("\nAll of that was right, in {}.", shown(told.start.elapsed()));
    if !once {
        stay(&server)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn watch(told: &mut Story, world: &World, server: &Server, player: &Player) -> anyhow::Result<()> {
    let film = told.step("listed the streams of a film", || {
        let listed = player.list(FILM)?;
        let words = describe(&listed);
        Ok((listed, words))
    })?;
    told.step("listed the streams of an episode", || {
        let listed = player.list(EPISODE)?;
        let words = describe(&listed);
        Ok(((), words))
    })?;
    told.step("played the film through the relay and compared it with the file on the CDN", || {
        let stream = smallest(&film)?;
        let played = player.play(&stream.url)?;
        let original = play::original(world, stream)?;
        ensure!(played == original, "the relayed bytes differ from the file's");
        Ok(((), format!("{} bytes, SHA-256 {}", played.bytes, played.digest.get(..16).unwrap_or_default())))
    })?;
    told.step("suspended the user while a second film was running", || {
        let stream = film.iter().filter(|s| s.cached).max_by_key(|s| s.size).context("no cached stream")?;
        let mut running = player.open(&stream.url)?;
        running.read_at_least(SOME)?;
        let asked = Instant::now();
        server.command(&["user", "suspend", "demo", "--json"])?;
        let done = Instant::now();
        let more = running.read_to_the_break()?;
        let (after_command, in_all) = (done.elapsed(), asked.elapsed());
        ensure!(after_command < PROMISE, "the film ran on for {} after the suspension", shown(after_command));
        Ok((
            (),
            format!(
                "it stopped {} after the command returned ({} after it was typed), {more} bytes later",
                shown(after_command),
                shown(in_all)
            ),
        ))
    })?;
    told.step("asked again as the suspended viewer", || {
        let refused = player.list_raw(FILM)?;
        ensure!(refused.refusal.as_deref() == Some("user_inactive"), "the list was not refused: {:?}", refused.refusal);
        Ok(((), format!("\"{}\"", refused.first_name.replace('\n', " "))))
    })?;
    told.step("counted the usage", || {
        let row = counted(server, 2, smallest(&film)?.size)?;
        server.command(&["user", "activate", "demo", "--json"])?;
        let words = format!(
            "{}: {} films, {} from the store's cache, {} bytes",
            row["name"], row["streams"], row["cached"], row["bytes"]
        );
        Ok(((), words))
    })?;
    Ok(())
}

/// The user's row of usage once so many films and bytes are in it; usage is delivered a moment after it happens.
fn counted(server: &Server, films: u64, least: u64) -> anyhow::Result<Value> {
    let deadline = Instant::now() + DELIVERY;
    loop {
        let usage = server.command(&["usage", "--by", "user", "--json"])?;
        let row = usage.as_array().and_then(|rows| rows.first()).cloned().unwrap_or_default();
        if row["streams"] == films && row["bytes"].as_u64().is_some_and(|bytes| bytes > least) {
            return Ok(row);
        }
        let due = format!("{films} films and more than {least} bytes");
        ensure!(Instant::now() < deadline, "{due} were played, but this was counted: {row}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

fn smallest(listed: &[Listed]) -> anyhow::Result<&Listed> {
    listed.iter().filter(|stream| stream.cached).min_by_key(|stream| stream.size).context("no stream is cached")
}

fn describe(listed: &[Listed]) -> String {
    let cached = listed.iter().filter(|stream| stream.cached).count();
    let best = listed.first().map(|stream| stream.name.replace('\n', " ")).unwrap_or_default();
    format!("{} streams, {cached} of them cached; the first: {best}", listed.len())
}

fn stay(server: &Server) -> anyhow::Result<()> {
    let link = server.manifest_url();
    println!("\nThe server stays up until you press Ctrl-C. Open in a browser or in Stremio:");
    println!("  {link}");
    println!("  {}", link.replacen("http://", "stremio://", 1));
    println!("  {}/health", server.base_url());
    let mut line = String::new();
    loop {
        // Without a terminal standard input ends at once; then only a signal ends the demonstration.
        if std::io::stdin().read_line(&mut line)? == 0 {
            std::thread::park();
        }
    }
}

/// Tells each step in a line, with the time it took.
struct Story {
    start: Instant,
    steps: u32,
}

impl Default for Story {
    fn default() -> Self {
        Self { start: Instant::now(), steps: 0 }
    }
}

impl Story {
    fn step<T>(&mut self, what: &str, act: impl FnOnce() -> anyhow::Result<(T, String)>) -> anyhow::Result<T> {
        self.steps += 1;
        let start = Instant::now();
        let (value, words) = act().with_context(|| format!("step {} failed: {what}", self.steps))?;
        let words = if words.is_empty() { words } else { format!(": {words}") };
        println!("{:>4}  {what}{words} [{}]", self.steps, shown(start.elapsed()));
        Ok(value)
    }
}

fn shown(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
