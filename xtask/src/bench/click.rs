//! From the click to the film's first byte, with the store and its CDN a round trip away, and how often the store is asked.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use ureq::Agent;

use super::figures::{Figures, Goal, against};
use super::machine;
use crate::demo::play::Player;
use crate::world::{Server, World};
use crate::{shell, test};

/// Of store, CDN and indexer, for each request.
const ROUND_TRIP_MS: u64 = 50;
const ROUNDS: usize = 5;
const FILM: &str = "movie/tt0063350";
const PATIENCE: Duration = Duration::from_secs(30);

/// `bench click [--rounds N]`: each round is a server that was never asked before.
pub(super) fn run(words: &[String]) -> anyhow::Result<()> {
    let rounds = super::rounds(words, ROUNDS)?;
    machine::describe();
    shell::run(&mut shell::cargo(["build", "--quiet", "--locked", "-p", "chillproxy", "-p", "chill-sim"]))?;
    let mut clicks: [Click; 4] = std::array::from_fn(|_| Click::default());
    for _ in 0..rounds {
        round(&mut clicks)?;
    }
    println!(
        "\nFrom the click to the first byte, {ROUND_TRIP_MS} ms to store and CDN, median (least–most) of {rounds}:"
    );
    for (name, click) in ["the first click", "the same film again", "a seek", "on another device"].iter().zip(&clicks) {
        println!("  {name:<20} {:>24} ms, {} calls of the store", click.waited.shown(0), click.calls.shown(0));
    }
    for (click, (what, most)) in
        clicks.iter().zip([("cold", 3.0), ("warm", 0.0), ("seek", 0.0), ("another device", 1.0)])
    {
        against(Goal::AtMost("calls", most), &format!("calls of the store, {what}"), click.calls.median());
    }
    machine::busy();
    Ok(())
}

/// What clicks of one kind cost.
#[derive(Debug, Default)]
struct Click {
    /// Milliseconds.
    waited: Figures,
    calls: Figures,
}

fn round(clicks: &mut [Click; 4]) -> anyhow::Result<()> {
    let programs = test::programs()?;
    let world = World::start(&programs)?;
    let server = Server::start(&programs, &world)?;
    let simulators = Simulators::of(&world)?;
    for place in ["torbox", "cdn"] {
        simulators.post("faults", &json!({"server": place, "fault": {"kind": "latency", "ms": ROUND_TRIP_MS}}))?;
    }
    let player = Player::new(server.manifest_url())?;
    let streams = player.list(FILM)?;
    let film = streams.iter().find(|stream| stream.cached).context("no stream plays at once")?;
    let another = Player::on("Kitchen/1.0", server.manifest_url())?;
    let ways = [(&player, 0), (&player, 0), (&player, film.size / 2), (&another, 0)];
    for (click, (player, first)) in clicks.iter_mut().zip(ways) {
        let before = simulators.calls()?;
        let begun = Instant::now();
        player.open_at(&film.url, first)?.read_at_least(1)?;
        click.waited.push(begun.elapsed().as_secs_f64() * 1e3);
        click.calls.push((simulators.calls()? - before) as f64);
    }
    Ok(())
}

/// The simulators' own door.
struct Simulators {
    agent: Agent,
    control: String,
}

impl Simulators {
    fn of(world: &World) -> anyhow::Result<Self> {
        let agent = Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        Ok(Self { agent, control: world.url("control")?.to_owned() })
    }

    fn post(&self, what: &str, body: &Value) -> anyhow::Result<()> {
        let request = self.agent.post(format!("{}/{what}", self.control)).header("content-type", "application/json");
        request.send(body.to_string())?;
        Ok(())
    }

    /// How often the store was asked so far.
    fn calls(&self) -> anyhow::Result<usize> {
        let mut answer = self.agent.get(format!("{}/calls?server=torbox", self.control)).call()?;
        let calls: Vec<Value> = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        Ok(calls.len())
    }
}
