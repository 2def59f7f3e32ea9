//! `chillproxy audit …`: who did what, when and from where, and whether the trail of it is whole.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use chill_control::{AuditEntry, AuditReport, Control};
use chill_core::Clock;
use chill_core::clock::{date, millis};
use clap::Subcommand;
use serde_json::{Value, json};

use super::open::control;
use super::table::{table, time};
use super::{print, print_json, say};
use crate::config::Config;

/// What can be done with the audit trail.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists acts, newest first.
    List {
        /// Only acts of the last so many hours or days, such as 12h or 7d.
        #[arg(long, value_name = "AGE", value_parser = age)]
        since: Option<Duration>,
        /// At most so many acts.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Walks over the whole trail and fails when a row was changed, taken out or put elsewhere.
    Verify {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of the commands.
pub(super) async fn run(command: Command, config: &Config) -> anyhow::Result<ExitCode> {
    let control = control(config).await?;
    match command {
        Command::List { since, limit, json } => {
            let since = since.map_or(0, |age| Clock::System.now().saturating_sub(millis(age)));
            list(&acts(&control, since, limit).await?, json);
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { json } => {
            let report = control.audit_verify().await.context("the audit trail could not be read")?;
            Ok(verified(&report, json))
        }
    }
}

fn age(text: &str) -> anyhow::Result<Duration> {
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).context("an age is such as 12h or 7d")?;
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        _ => bail!("an age ends with h or d, such as 12h or 7d"),
    };
    let number: u32 = number.parse().context("an age is a number with h or d after it")?;
    Ok(Duration::from_secs(3_600 * hours * u64::from(number)))
}

async fn acts(control: &Control, since: i64, limit: usize) -> anyhow::Result<Vec<AuditEntry>> {
    let mut acts: Vec<AuditEntry> = Vec::new();
    while acts.len() < limit {
        let page = control.audit_trail(acts.last().map(|act| act.id.as_str()), since).await?;
        if page.is_empty() {
            break;
        }
        acts.extend(page);
    }
    acts.truncate(limit);
    Ok(acts)
}

fn list(acts: &[AuditEntry], json: bool) {
    if json {
        print_json(&acts.iter().map(as_json).collect());
        return;
    }
    let row = |act: &AuditEntry| {
        let name = if act.subject_name.is_empty() { &act.subject_id } else { &act.subject_name };
        let detail = act.detail.clone().unwrap_or_default();
        [time(act.at), format!("{} {}", act.actor, act.actor_from), act.act.clone(), name.clone(), detail]
    };
    print(&table(["WHEN", "WHO", "ACT", "ON", "DETAIL"], &acts.iter().map(row).collect::<Vec<_>>()));
}

fn as_json(act: &AuditEntry) -> Value {
    json!({
        "id": act.id,
        "at": act.at,
        "actor": act.actor,
        "from": act.actor_from,
        "act": act.act,
        "subject": {"kind": act.subject_kind, "id": act.subject_id, "name": act.subject_name},
        "detail": act.detail,
    })
}

fn verified(report: &AuditReport, json: bool) -> ExitCode {
    let rows: u64 = report.days.iter().map(|day| day.rows).sum();
    if json {
        let days: Vec<_> =
            report.days.iter().map(|one| json!({"day": date(one.day), "rows": one.rows, "hash": one.hash})).collect();
        let broken = report.broken.as_ref().map(|at| json!({"row": at.n, "id": at.id, "message": at.to_string()}));
        print_json(&json!({
            "whole": report.broken.is_none(),
            "rows": rows,
            "unsealed": report.unsealed,
            "days": days,
            "broken": broken,
            "hash": report.hash,
        }));
    } else {
        let cells: Vec<_> =
            report.days.iter().map(|one| [date(one.day), one.rows.to_string(), one.hash.clone()]).collect();
        print(&table(["DAY", "ACTS", "LAST HASH"], &cells));
        let state = if report.broken.is_none() { "whole" } else { "broken" };
        print(&format!("\n{rows} acts on {} days, {} not sealed yet: {state}.", cells.len(), report.unsealed));
    }
    match &report.broken {
        None => ExitCode::SUCCESS,
        Some(at) => {
            say(&format!("chillproxy: the audit trail was tampered with: {at}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_hours_or_days() {
        assert_eq!(age("12h").unwrap(), Duration::from_secs(12 * 3_600));
        assert_eq!(age("7d").unwrap(), Duration::from_secs(7 * 86_400));
        for wrong in ["", "d", "7", "-1d", "7 d", "1w", "é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
