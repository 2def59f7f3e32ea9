//! Runs the simulators by hand, for `cargo xtask demo` and for tests in other processes.

use std::io::Write as _;

use anyhow::Context as _;
use chill_sim::{Plan, World, seed_demo};
use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
#[command(about = "Stand-ins for TorBox, its CDN, a Torznab indexer and Cinemeta, on free loopback ports.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts every simulator, prints their addresses, and runs until it is stopped.
    World {
        /// Prints one line of JSON: torbox, cdn, torznab, cinemeta, kitsu, control, torznab_key.
        #[arg(long)]
        json: bool,
        /// What to fill the world with.
        #[arg(long, value_enum)]
        seed: Option<Seed>,
        /// Adds a TorBox account with this key (Pro); with the demo's seed it is `demo-store-key-0123456789` unless
        /// given.
        #[arg(long)]
        key: Option<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Seed {
    /// A film and a series in the public domain.
    Demo,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::WARN.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let Command::World { json, seed, key } = Arguments::parse().command;
    let world = World::start().await.context("the simulators could not be started")?;
    match (seed, key) {
        (Some(Seed::Demo), key) => seed_demo(&world, key.as_deref().unwrap_or("demo-store-key-0123456789")),
        (None, Some(key)) => world.torbox().add_account(&key, Plan::Pro, 0),
        (None, None) => {}
    }
    let mut told = serde_json::to_value(world.urls())?;
    told["torznab_key"] = world.torznab().api_key().into();
    let mut out = std::io::stdout();
    if json {
        writeln!(out, "{told}")?;
    } else {
        for (name, value) in told.as_object().into_iter().flatten() {
            writeln!(out, "{name:12} {}", value.as_str().unwrap_or_default())?;
        }
    }
    out.flush()?;
    tokio::signal::ctrl_c().await.context("signals cannot be received")?;
    world.shutdown().await;
    Ok(())
}
