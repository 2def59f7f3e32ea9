//! The command line. One command, one file; what a command prints stands in it.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage, 64 bad
//! configuration.

mod audit;
mod check_config;
mod device;
mod doctor;
mod import;
mod key;
mod links;
mod open;
mod table;
mod usage;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Fault, LogSection, Role, Settings};
use crate::{serve, telemetry};

/// Exit code for a configuration that is wrong.
const BAD_CONFIGURATION: u8 = 64;

/// A server between Stremio and your debrid accounts: install links carry no key, devices and usage are counted, and
/// access can be taken back.
#[derive(Parser)]
#[command(name = "chillproxy", version, propagate_version = true)]
pub(crate) struct Cli {
    /// A TOML file with the same names as the environment; the environment wins.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server.
    Serve {
        /// Which planes run here.
        #[arg(long, value_enum)]
        role: Option<Role>,
    },
    /// Users and their install links.
    #[command(subcommand)]
    User(user::Command),
    /// Devices of a user.
    #[command(subcommand)]
    Device(device::Command),
    /// Pool keys.
    #[command(subcommand)]
    Key(key::Command),
    /// What was used.
    Usage(usage::Arguments),
    /// Who did what, when and from where.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Brings in data from files.
    Import(import::Arguments),
    /// Brings the database to this version's schema.
    Migrate,
    /// Says what is wrong and what to do about it.
    Doctor,
    /// Reads the configuration and says what is wrong with it.
    CheckConfig,
}

/// Runs one command to its exit code. `environment` is the process's, read once by `main`.
pub(crate) fn run(cli: Cli, environment: impl IntoIterator<Item = (String, String)>) -> ExitCode {
    let role = match &cli.command {
        Command::Serve { role } => *role,
        Command::Import(import::Arguments { role, .. }) => *role,
        _ => Some(Role::All),
    };
    let read = Settings::collect(environment, cli.config.as_deref()).and_then(|settings| Config::read(&settings, role));
    let config = match read {
        Ok(config) => config,
        Err(faults) => return bad_configuration(&faults),
    };
    match execute(cli.command, config) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("chillproxy: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    let serving = matches!(command, Command::Serve { .. });
    let quiet = LogSection { filter: "warn".to_owned(), format: config.log.format };
    telemetry::start_logging(if serving { &config.log } else { &quiet })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = |()| ExitCode::SUCCESS;
    runtime.block_on(async move {
        match command {
            Command::Serve { .. } => serve::run(config).await.map(done),
            Command::User(command) => user::run(command, &config).await.map(done),
            Command::Device(command) => device::run(command, &config).await.map(done),
            Command::Key(command) => key::run(command, &config).await.map(done),
            Command::Usage(arguments) => usage::run(&arguments, &config).await.map(done),
            Command::Audit(command) => audit::run(command, &config).await,
            Command::Import(arguments) => import::run(arguments, &config).await.map(done),
            Command::Migrate => open::migrate(&config).await.map(done),
            Command::Doctor => doctor::run(&config).await,
            Command::CheckConfig => {
                check_config::run(&config);
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

fn bad_configuration(faults: &[Fault]) -> ExitCode {
    say("The configuration is wrong:");
    for fault in faults {
        say(&format!("  {fault}"));
    }
    ExitCode::from(BAD_CONFIGURATION)
}

/// A result, on standard output. A closed pipe is the reader's wish, not an error.
fn print(text: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// A remark, on standard error.
fn say(text: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// A value as one JSON document on standard output.
fn print_json(value: &serde_json::Value) {
    print(&value.to_string());
}
