//! Asks a store whether a token is good, on behalf of a viewer who is typing it. Bounded, because anybody may ask.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chill_core::address::household;
use chill_core::{Secret, StoreCode, StoreErrorKind};
use tokio::sync::Semaphore;

use crate::edge::Edge;

/// Checks of one household in [`WINDOW`].
const MOST_PER_HOUSEHOLD: u32 = 10;
/// Checks of everybody in [`WINDOW`].
const MOST_IN_ALL: u32 = 120;
const WINDOW: Duration = Duration::from_secs(60);
/// Checks that run at the same time.
const AT_ONCE: usize = 4;
/// Households remembered.
const HOUSEHOLDS: u64 = 10_000;
/// A store that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often was asked lately.
pub(crate) struct TokenChecks {
    households: moka::future::Cache<IpAddr, Arc<AtomicU32>>,
    all: moka::future::Cache<(), Arc<AtomicU32>>,
    pub(super) running: Semaphore,
}

/// What a store says of a token. It never repeats the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) good: bool,
    pub(super) message: String,
}

impl TokenChecks {
    pub(crate) fn new() -> Self {
        Self {
            households: moka::future::Cache::builder().max_capacity(HOUSEHOLDS).time_to_live(WINDOW).build(),
            all: moka::future::Cache::builder().max_capacity(1).time_to_live(WINDOW).build(),
            running: Semaphore::new(AT_ONCE),
        }
    }

    pub(super) async fn may(&self, address: IpAddr) -> bool {
        let asked = self.households.get_with(household(address), async { Arc::default() }).await;
        if asked.fetch_add(1, Ordering::Relaxed) >= MOST_PER_HOUSEHOLD {
            return false;
        }
        self.all.get_with((), async { Arc::default() }).await.fetch_add(1, Ordering::Relaxed) < MOST_IN_ALL
    }
}

/// Asks the store for the token's account.
pub(super) async fn check(edge: &Edge, address: IpAddr, store: StoreCode, token: &Secret) -> Verdict {
    let name = store.name();
    let bad = |message: String| Verdict { good: false, message };
    let Some(client) = edge.stores.get(&store) else { return bad(format!("This server has no client for {name}.")) };
    if !edge.token_checks.may(address).await {
        return bad("Too many tokens were checked. Wait a minute and try again.".to_owned());
    }
    let asked = tokio::time::timeout(PATIENCE, async {
        let _place = edge.token_checks.running.acquire().await;
        client.account(token).await
    });
    match asked.await {
        Ok(Ok(account)) if account.active => {
            let message = format!("{name} accepts this token (plan {}).", plan(&account.plan));
            Verdict { good: true, message }
        }
        Ok(Ok(_)) => bad(format!("{name} knows this token, but its subscription does not run.")),
        Ok(Err(error)) => bad(sentence(name, error.kind)),
        Err(_) => bad(sentence(name, StoreErrorKind::Timeout)),
    }
}

/// A vendor's own word for a plan, bounded.
fn plan(plan: &str) -> String {
    let short: String = plan.chars().filter(|c| !c.is_control()).take(40).collect();
    if short.is_empty() { "unknown".to_owned() } else { short }
}

fn sentence(name: &str, kind: StoreErrorKind) -> String {
    match kind {
        StoreErrorKind::Unauthorized | StoreErrorKind::Forbidden => {
            format!("{name} does not accept this token. Copy it again from your account's settings there.")
        }
        StoreErrorKind::PaymentRequired | StoreErrorKind::LimitExceeded => {
            format!("{name} knows this token, but its plan does not allow this.")
        }
        StoreErrorKind::TooManyRequests { .. } => format!("{name} is asked too often. Wait a minute and try again."),
        _ => format!("{name} cannot be asked right now. You can save the token and check it later."),
    }
}
