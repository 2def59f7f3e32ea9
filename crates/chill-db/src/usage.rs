//! Usage events, counted once each, and the hourly and daily sums that every report reads.

use std::collections::{BTreeMap, HashSet};

use chill_core::clock::date;
use chill_core::{Action, EventId, KeyId, Millis, Outcome, UsageEvent, UserId};

use crate::column::{bytes, parse, sum};
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{DbError, Tx};

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// An event and whose it is; none when its link is unknown.
#[derive(Clone, Debug)]
pub struct CountedEvent<'a> {
    /// What happened.
    pub event: &'a UsageEvent,
    /// Whose link it was.
    pub user: Option<UserId>,
}

/// What a report's rows stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageBy {
    /// One row per user.
    User,
    /// One row per pool key.
    Key,
    /// One row per day, in UTC.
    Day,
}

/// From when until when a report reaches; whole days in UTC, both included.
#[derive(Clone, Copy, Debug, Default)]
pub struct UsageWindow {
    /// The first day holds this moment; none is the beginning.
    pub since: Option<Millis>,
    /// The last day holds this moment; none is the end.
    pub until: Option<Millis>,
}

/// One row of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The user's or key's id, or the day as `2026-11-23`. Empty when a link was unknown.
    pub id: String,
    /// The user's or key's name; empty when it is gone. A day's name is the day.
    pub name: String,
    /// How many playbacks started.
    pub streams: u64,
    /// How many of those the store had already.
    pub cached: u64,
    /// Bytes carried to viewers.
    pub bytes: u64,
}

statements! {
    INSERT_EVENTS = "INSERT INTO usage_events (event_id, day, at, received_at, user_id, key_id, device_id, action, hash, \
        cached, bytes, outcome) SELECT json_extract(value, '$[0]'), CAST(json_extract(value, '$[1]') AS BIGINT), \
        CAST(json_extract(value, '$[2]') AS BIGINT), $2, json_extract(value, '$[3]'), json_extract(value, '$[4]'), \
        json_extract(value, '$[5]'), json_extract(value, '$[6]'), json_extract(value, '$[7]'), \
        CAST(json_extract(value, '$[8]') AS BIGINT) = 1, CAST(json_extract(value, '$[9]') AS BIGINT), \
        json_extract(value, '$[10]') FROM json_each(CAST($1 AS TEXT)) WHERE TRUE \
        ON CONFLICT (event_id) DO NOTHING RETURNING event_id";
    ADD_HOURLY = "INSERT INTO usage_hourly (hour, user_id, key_id, events, streams, cached, failures, bytes) \
        SELECT CAST(json_extract(value, '$[0]') AS BIGINT), json_extract(value, '$[1]'), json_extract(value, '$[2]'), \
        CAST(json_extract(value, '$[3]') AS BIGINT), CAST(json_extract(value, '$[4]') AS BIGINT), \
        CAST(json_extract(value, '$[5]') AS BIGINT), CAST(json_extract(value, '$[6]') AS BIGINT), \
        CAST(json_extract(value, '$[7]') AS BIGINT) FROM json_each(CAST($1 AS TEXT)) WHERE TRUE \
        ON CONFLICT (hour, user_id, key_id) DO UPDATE SET events = usage_hourly.events + excluded.events, \
        streams = usage_hourly.streams + excluded.streams, cached = usage_hourly.cached + excluded.cached, \
        failures = usage_hourly.failures + excluded.failures, bytes = usage_hourly.bytes + excluded.bytes";
    ADD_DAILY = "INSERT INTO usage_daily (day, user_id, key_id, events, streams, cached, failures, bytes) \
        SELECT CAST(json_extract(value, '$[0]') AS BIGINT), json_extract(value, '$[1]'), json_extract(value, '$[2]'), \
        CAST(json_extract(value, '$[3]') AS BIGINT), CAST(json_extract(value, '$[4]') AS BIGINT), \
        CAST(json_extract(value, '$[5]') AS BIGINT), CAST(json_extract(value, '$[6]') AS BIGINT), \
        CAST(json_extract(value, '$[7]') AS BIGINT) FROM json_each(CAST($1 AS TEXT)) WHERE TRUE \
        ON CONFLICT (day, user_id, key_id) DO UPDATE SET events = usage_daily.events + excluded.events, \
        streams = usage_daily.streams + excluded.streams, cached = usage_daily.cached + excluded.cached, \
        failures = usage_daily.failures + excluded.failures, bytes = usage_daily.bytes + excluded.bytes";
    BY_USER = "SELECT d.user_id, COALESCE(MAX(u.name), ''), CAST(SUM(d.streams) AS BIGINT), \
        CAST(SUM(d.cached) AS BIGINT), CAST(SUM(d.bytes) AS BIGINT) AS moved \
        FROM usage_daily d LEFT JOIN users u ON u.id = d.user_id WHERE d.day >= $1 AND d.day <= $2 \
        GROUP BY d.user_id ORDER BY moved DESC, d.user_id LIMIT $3";
    BY_KEY = "SELECT d.key_id, COALESCE(MAX(k.name), ''), CAST(SUM(d.streams) AS BIGINT), \
        CAST(SUM(d.cached) AS BIGINT), CAST(SUM(d.bytes) AS BIGINT) AS moved \
        FROM usage_daily d LEFT JOIN keys k ON k.id = d.key_id WHERE d.day >= $1 AND d.day <= $2 \
        GROUP BY d.key_id ORDER BY moved DESC, d.key_id LIMIT $3";
    BY_DAY = "SELECT d.day, CAST(SUM(d.streams) AS BIGINT), CAST(SUM(d.cached) AS BIGINT), \
        CAST(SUM(d.bytes) AS BIGINT) FROM usage_daily d WHERE d.day >= $1 AND d.day <= $2 \
        GROUP BY d.day ORDER BY d.day DESC LIMIT $3";
    FORGET_EVENTS = "DELETE FROM usage_events WHERE event_id IN \
        (SELECT event_id FROM usage_events WHERE received_at < $1 ORDER BY received_at LIMIT 2000)";
    FORGET_HOURS = "DELETE FROM usage_hourly WHERE hour < $1";
}

/// One row's worth of sums.
#[derive(Clone, Copy, Default)]
struct Sums {
    events: i64,
    streams: i64,
    cached: i64,
    failures: i64,
    bytes: i64,
}

impl Sums {
    fn add(&mut self, event: &UsageEvent) {
        let stream = event.action.as_str() == Action::STREAM_REQUEST;
        self.events += 1;
        self.streams += i64::from(stream);
        self.cached += i64::from(stream && event.cached == Some(true));
        self.failures += i64::from(event.outcome != Outcome::Ok);
        self.bytes = self.bytes.saturating_add(bytes(event.bytes));
    }
}

/// Sums by period, user (empty when unknown) and key, in one order for all, so that two writers never wait in a circle.
fn sums(events: &[&CountedEvent<'_>], period: Millis) -> Result<String, DbError> {
    let mut sums: BTreeMap<(i64, String, &KeyId), Sums> = BTreeMap::new();
    for counted in events {
        let event = counted.event;
        sums.entry((event.at.div_euclid(period), user_column(counted), &event.key)).or_default().add(event);
    }
    let rows: Vec<_> = sums
        .iter()
        .map(|((at, user, key), s)| (at, user, key, s.events, s.streams, s.cached, s.failures, s.bytes))
        .collect();
    json(&rows)
}

fn user_column(counted: &CountedEvent<'_>) -> String {
    counted.user.map(|user| user.to_string()).unwrap_or_default()
}

impl Tx {
    /// Counts events that were not counted before, sums included, and returns their ids. An id given twice counts once.
    ///
    /// # Errors
    /// [`DbError`]; then the transaction must be dropped.
    pub async fn usage_count(
        &mut self,
        events: &[CountedEvent<'_>],
        received_at: Millis,
    ) -> Result<HashSet<EventId>, DbError> {
        let unique: BTreeMap<EventId, &CountedEvent<'_>> = events.iter().map(|c| (c.event.id, c)).collect();
        let rows: Vec<_> = unique
            .iter()
            .map(|(id, counted)| {
                let e = counted.event;
                let cached = e.cached.map(i64::from);
                let (day, user) = (e.at.div_euclid(DAY), user_column(counted));
                (id, day, e.at, user, &e.key, &e.device, &e.action, &e.hash, cached, bytes(e.bytes), e.outcome.as_str())
            })
            .collect();
        let counted = run!(all self, (String,), INSERT_EVENTS, json(&rows)?, received_at)?;
        let new = counted.iter().map(|(id,)| parse("usage_events", id)).collect::<Result<HashSet<EventId>, _>>()?;
        let fresh: Vec<_> = unique.values().filter(|c| new.contains(&c.event.id)).copied().collect();
        if !fresh.is_empty() {
            run!(done self, ADD_HOURLY, sums(&fresh, HOUR)?)?;
            run!(done self, ADD_DAILY, sums(&fresh, DAY)?)?;
        }
        Ok(new)
    }

    /// A report, most bytes first; days newest first.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn usage(&mut self, by: UsageBy, window: UsageWindow, limit: u32) -> Result<Vec<UsageRow>, DbError> {
        type Columns = (String, String, i64, i64, i64);
        // Days beyond these bounds have no date to show.
        let since = window.since.unwrap_or(0).max(0) / DAY;
        let until = window.until.map_or(10_000 * 366, |until| until.max(0) / DAY);
        let limit = i64::from(limit);
        let rows = match by {
            UsageBy::User => run!(all self, Columns, BY_USER, since, until, limit)?,
            UsageBy::Key => run!(all self, Columns, BY_KEY, since, until, limit)?,
            UsageBy::Day => {
                let days = run!(all self, (i64, i64, i64, i64), BY_DAY, since, until, limit)?;
                days.into_iter().map(|(day, s, c, b)| (date(day), date(day), s, c, b)).collect()
            }
        };
        let row = |(id, name, streams, cached, bytes): Columns| UsageRow {
            id,
            name,
            streams: sum(streams),
            cached: sum(cached),
            bytes: sum(bytes),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Forgets up to 2,000 single events that arrived before a time; the sums stay. Returns how many.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn usage_forget(&mut self, before: Millis) -> Result<u64, DbError> {
        run!(done self, FORGET_EVENTS, before)
    }

    /// Forgets hourly sums before a time; the daily ones stay.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn usage_forget_hours(&mut self, before: Millis) -> Result<u64, DbError> {
        run!(done self, FORGET_HOURS, before.div_euclid(HOUR))
    }
}
