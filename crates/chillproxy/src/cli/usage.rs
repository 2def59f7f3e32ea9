//! `chillproxy usage`: what was used.

use chill_control::{UsageBy, UsageRow, UsageWindow};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::open::control;
use super::table::{bytes, table};
use super::{print, print_json};
use crate::config::Config;

/// What to report.
#[derive(Args)]
pub(super) struct Arguments {
    /// One row per what.
    #[arg(long, value_enum, default_value_t = By::User)]
    by: By,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What a row stands for.
#[derive(Clone, Copy, ValueEnum)]
enum By {
    /// A user.
    User,
    /// A pool key.
    Key,
    /// A day, in UTC.
    Day,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Day => "day",
        }
    }
}

/// Prints the report.
pub(super) async fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<()> {
    let by = match arguments.by {
        By::User => UsageBy::User,
        By::Key => UsageBy::Key,
        By::Day => UsageBy::Day,
    };
    let rows = control(config).await?.usage(by, UsageWindow::default()).await?;
    if arguments.json {
        print_json(&rows.iter().map(|row| as_json(arguments.by, row)).collect());
        return Ok(());
    }
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            let name = if row.name.is_empty() { "(gone)" } else { &row.name };
            [name.to_owned(), row.streams.to_string(), row.cached.to_string(), bytes(row.bytes)]
        })
        .collect();
    print(&table([&arguments.by.word().to_uppercase(), "FILMS", "FROM CACHE", "BYTES"], &cells));
    Ok(())
}

fn as_json(by: By, row: &UsageRow) -> Value {
    json!({by.word(): row.id, "name": row.name, "streams": row.streams, "cached": row.cached, "bytes": row.bytes})
}
