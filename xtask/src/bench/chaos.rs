//! kill -9 of edges, control nodes and PostgreSQL at random moments, under playbacks, usage of other edges and more devices
//! than a user may have. In the end a ledger kept here is compared with the database.
//!
//! * A playback is acknowledged to its viewer when a byte of it came; its start must be counted. What was tried is the most
//!   that may be counted.
//! * An event delivered to `log-usage` is acknowledged by its answer; until then it is delivered again, and so are some that
//!   were acknowledged, as an edge does whose answer was lost.

mod drivers;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::machine;
use super::planes::{Node, Planes};
use super::programs::Programs;
use super::start::pause;
use crate::world::World;
use drivers::{Dice, Drivers, Ledger};

const KILLS: usize = 100;
const CONTROLS: usize = 2;
const EDGES: usize = 2;
/// Devices of the user who has more than he may.
const DEVICES: u64 = 3;
/// ms between a start and the next kill, and between a kill and the start, at most.
const GAP: u64 = 400;
/// Usage that waited is delivered again after a minute at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// `bench chaos [--release] [--kills N] [--seed N]`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let programs = Programs::build(args)?;
    let kills = super::number(args, "--kills", KILLS)?;
    let usual = std::time::UNIX_EPOCH.elapsed().map_or(1, |now| now.subsec_nanos() as usize);
    let seed = super::number(args, "--seed", usual)?;
    machine::describe();
    println!("seed {seed}: `--seed {seed}` makes the same choices again");
    let mut planes = Planes::start(&programs, CONTROLS, EDGES)?;
    let key = planes.key("bench", World::store_key(), 100)?;
    let key = key["id"].as_str().context("`key add --json` gave no id")?.to_owned();
    let ledger = Arc::new(Ledger::default());
    let drivers = Drivers::start(&planes, &key, &ledger, seed as u64)?;
    let begun = Instant::now();
    let killed = kill(&mut planes, kills, &mut Dice::new(seed as u64))?;
    let took = begun.elapsed();
    drivers.stop()?;
    let counted = compare(&planes, &ledger)?;
    println!("\n{kills} kills in {:.0} s: {killed}", took.as_secs_f64());
    for line in counted {
        println!("  {line}");
    }
    machine::busy();
    Ok(())
}

/// Kills at random and starts again what was killed.
fn kill(planes: &mut Planes, kills: usize, dice: &mut Dice) -> anyhow::Result<String> {
    let (mut edges, mut controls, mut databases) = (0, 0, 0);
    for _ in 0..kills {
        pause(Duration::from_millis(dice.below(GAP)));
        match dice.below((EDGES + CONTROLS + 1) as u64) as usize {
            at @ 0..EDGES => {
                edges += 1;
                revive(&mut planes.edges[at], dice)?;
            }
            at if at < EDGES + CONTROLS => {
                controls += 1;
                revive(&mut planes.controls[at - EDGES], dice)?;
            }
            _ => {
                databases += 1;
                planes.postgres.crash()?;
            }
        }
    }
    Ok(format!("{edges} of an edge, {controls} of a control node, {databases} of PostgreSQL"))
}

fn revive(node: &mut Node, dice: &mut Dice) -> anyhow::Result<()> {
    node.kill()?;
    pause(Duration::from_millis(dice.below(GAP)));
    node.start()
}

/// The database beside the ledger, as lines.
fn compare(planes: &Planes, ledger: &Ledger) -> anyhow::Result<Vec<String>> {
    let seen = ledger.seen.load(Ordering::SeqCst);
    let tried = ledger.tried.load(Ordering::SeqCst);
    let acknowledged = ledger.acknowledged.load(Ordering::SeqCst);
    let begun = Instant::now();
    let mut before = String::new();
    // Settled: what must be there is there, and nothing has come for a while.
    loop {
        let all = planes.query("SELECT count(*) FROM usage_events")?;
        let starts = number(planes, "SELECT count(*) FROM usage_events WHERE action = 'stream-request'")?;
        if (starts >= seen && all == before) || begun.elapsed() > PATIENCE {
            break;
        }
        before = all;
        pause(Duration::from_secs(3));
    }
    let starts = number(planes, "SELECT count(*) FROM usage_events WHERE action = 'stream-request'")?;
    let told = number(planes, "SELECT count(*) FROM usage_events WHERE action = 'chaos'")?;
    let raw = planes.query("SELECT count(*), sum(bytes) FROM usage_events")?;
    let daily = planes.query("SELECT sum(events), sum(bytes) FROM usage_daily")?;
    let hourly = planes.query("SELECT sum(events), sum(bytes) FROM usage_hourly")?;
    let devices = planes.operator(&["device", "list", "--user", "limited", "--json"], "")?;
    let active = devices.as_array().map_or(0, |all| all.iter().filter(|device| device["state"] == "active").count());
    let granted = ledger.granted.lock().map_err(|_| anyhow::anyhow!("a driver failed"))?.len();
    ensure!(seen > 0 && acknowledged > 0 && granted > 0, "nothing was driven: {seen} {acknowledged} {granted}");
    let verdict = |good: bool| if good { "" } else { "   MISSED" };
    let (lost, doubled) = (seen.saturating_sub(starts), starts.saturating_sub(tried));
    Ok(vec![
        format!(
            "playbacks: {tried} tried, {seen} seen to begin, {starts} counted: lost {lost}, doubled {doubled}{}",
            verdict(lost + doubled == 0)
        ),
        format!(
            "events told: {acknowledged} acknowledged ({} deliveries), {told} counted: lost {}, doubled {}{}",
            ledger.delivered.load(Ordering::SeqCst),
            acknowledged.saturating_sub(told),
            told.saturating_sub(acknowledged),
            verdict(told == acknowledged)
        ),
        format!(
            "events and bytes: raw {raw}, by day {daily}, by hour {hourly}{}",
            verdict(raw == daily && raw == hourly)
        ),
        format!(
            "devices of a user who may have {DEVICES}: {active} counted, {granted} of {} let in{}",
            drivers::CROWD,
            verdict(active as u64 <= DEVICES && granted as u64 <= DEVICES)
        ),
    ])
}

fn number(planes: &Planes, sql: &str) -> anyhow::Result<u64> {
    planes.query(sql)?.parse().with_context(|| format!("no number: {sql}"))
}
