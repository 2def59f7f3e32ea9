//! The Chillproxy server and command line: reads the configuration, builds the planes, wires them, lives and dies.
//!
//! Refuses: business rules. Those stand in `chill-core`, `chill-control` and `chill-edge`.
//!
//! Start reading at [`serve::run`] (the life of a server) and [`cli`] (the commands).

mod cli;
mod config;
mod serve;
mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(log_place_of_panic));
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    cli::run(cli::Cli::parse(), environment)
}

/// A panic's text may hold anything, a key included, so only its place is told.
fn log_place_of_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    tracing::error!(place, "a defect stopped one task; please report it with this place");
}
