//! `chillproxy doctor`: looks at everything a server needs, says what is wrong, and what to do about it.

use std::process::ExitCode;

use chill_control::{Control, PoolKey};
use chill_core::pool::{KeyState, Serving};
use chill_core::{Clock, Source, Wanted};
use chill_db::SharedRates;
use chill_sources::{Http, TorznabConfig, TorznabSource};

use super::print;
use crate::config::Config;
use crate::wiring;

/// How long an indexer may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// A film every indexer knows or knows not to know.
const PROBE: &str = "tt0063350";

/// What was found, one line each.
#[derive(Default)]
struct Findings {
    wrong: usize,
}

impl Findings {
    fn good(&self, what: &str) {
        print(&format!("  ok     {what}"));
    }

    fn note(&self, what: &str) {
        print(&format!("  note   {what}"));
    }

    fn wrong(&mut self, what: &str, advice: &str) {
        self.wrong += 1;
        print(&format!("  WRONG  {what}\n         → {advice}"));
    }
}

/// Looks, and fails when something is wrong.
pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    settings(config, &mut findings);
    match wiring::open_control(config).await {
        Ok(opened) => {
            findings.good(&format!("the database {} is open and up to date", config.data.database));
            findings.good("the master key opens it");
            if opened.made_master_key {
                findings.note(&wiring::backup_advice(config));
            }
            keys(&opened.control, &mut findings).await;
            users(&opened.control, &mut findings).await;
        }
        Err(error) => {
            findings.wrong(&format!("{error:#}"), "check DATABASE_URL, CHILLPROXY_DATA_DIR and CHILLPROXY_MASTER_KEY");
        }
    }
    redis(config, &mut findings).await;
    indexers(&config.stores.indexers, &mut findings).await;
    print(&match findings.wrong {
        0 => "All is well.".to_owned(),
        n => format!("{n} thing(s) to mend."),
    });
    Ok(if findings.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn settings(config: &Config, findings: &mut Findings) {
    findings.good("the configuration can be read");
    match &config.listen.base_url {
        Some(url) if url.scheme() == "http" && !is_loopback(url) => {
            findings.note("STREMTHRU_BASE_URL is plain http: Stremio's web version only installs https links");
        }
        Some(_) => findings.good("links use STREMTHRU_BASE_URL"),
        None => findings
            .note("STREMTHRU_BASE_URL is not set: links printed here say localhost; set it to the public https URL"),
    }
    if config.stores.indexers.is_empty() {
        findings.note("CHILLPROXY_INDEXERS is not set: only torrents known from before are listed");
    }
}

fn is_loopback(url: &url::Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

async fn keys(control: &Control, findings: &mut Findings) {
    let keys = match control.keys().list().await {
        Ok(keys) => keys,
        Err(error) => return findings.wrong(&error.to_string(), "see whether the database answers"),
    };
    if keys.is_empty() {
        findings.wrong(
            "the pool has no key",
            "add one: `chillproxy key add --store tb --name main --passport own_use < key.txt`",
        );
    }
    let now = Clock::System.now();
    for key in keys {
        match key.state.serving(now) {
            Serving::Everybody => findings.good(&format!("key {} at {} serves", key.name, key.store.name())),
            Serving::Leaving => findings.note(&format!("key {} drains: it gets no new users", key.name)),
            Serving::RestingUntil(_) => findings.note(&format!("key {} rests and comes back by itself", key.name)),
            Serving::Nobody => {
                findings.wrong(&format!("key {} serves nobody: it is {}", key.name, key.state), advice(&key));
            }
        }
    }
}

fn advice(key: &PoolKey) -> &'static str {
    match key.state {
        KeyState::RotatedByProvider => {
            "the provider replaced it, often after a warning by e-mail: read that, then `chillproxy key rotate`"
        }
        KeyState::Rejected => "the store does not know it: `chillproxy key rotate` with the right one",
        KeyState::Expired => "renew the subscription; the key comes back by itself",
        KeyState::Disabled => "`chillproxy key enable` puts it back",
        KeyState::Healthy | KeyState::Throttled(_) | KeyState::Cooling(_) | KeyState::Draining => "nothing to do",
    }
}

async fn users(control: &Control, findings: &mut Findings) {
    match control.users().list().await {
        Ok(users) if users.is_empty() => {
            findings.note("there is no user yet: `chillproxy user add --name …` prints an install link");
        }
        Ok(users) => findings.good(&format!("{} user(s)", users.len())),
        Err(error) => findings.wrong(&error.to_string(), "see whether the database answers"),
    }
}

async fn redis(config: &Config, findings: &mut Findings) {
    let Some(url) = &config.limits.redis else { return };
    match SharedRates::open(url, config.limits.rates) {
        Ok(shared) if shared.is_there().await => findings.good("Redis answers and counts"),
        Ok(_) => findings
            .wrong("Redis does not count", "check REDIS_URI; until then each node counts requests and streams alone"),
        Err(error) => findings.wrong(&error.to_string(), "check REDIS_URI"),
    }
}

async fn indexers(indexers: &[TorznabConfig], findings: &mut Findings) {
    let http = Http::new("chillproxy-doctor");
    for indexer in indexers {
        let source = TorznabSource::new(indexer.clone(), http.clone());
        let Ok(content) = PROBE.parse() else { return };
        match source.search(&Wanted { content, title: None, budget: PATIENCE }).await {
            Ok(_) => findings.good(&format!("indexer {} answers", source.name())),
            Err(error) => findings.wrong(&error.to_string(), "check its address and key in CHILLPROXY_INDEXERS"),
        }
    }
}
