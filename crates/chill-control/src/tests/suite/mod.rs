//! What every control plane does for its edges, told once and held against each way to it: in process, and over HTTP and
//! WebSocket on a loopback listener.

mod changes;
mod leases;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use chill_core::{Chance, Change, Clock, ControlError, ControlPlane, Feed, FeedItem, Lease, LeaseRequest, Secret};
use chill_db::trial::Trial;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{NOW, World, world};
use crate::wire::{InternalKeys, internal_api};
use crate::{Deadlines, ExtraRoots, RemoteConfig, RemoteControl};

pub(crate) const KEY: &str = "an-internal-key-of-the-suite-0123456789";

/// A control plane with its operator's side, and the port through which an edge sees it.
pub(crate) struct Stage {
    pub(super) world: World,
    pub(super) port: Arc<dyn ControlPlane>,
    server: Option<JoinHandle<()>>,
}

impl Stage {
    #[expect(clippy::unused_async, reason = "one signature for all ways to a control plane")]
    pub(super) async fn in_process(trial: &Trial) -> Self {
        let world = world(trial);
        let port = Arc::new(world.control.clone());
        Self { world, port, server: None }
    }

    pub(super) async fn remote(trial: &Trial) -> Self {
        let world = world(trial);
        let (address, server) = serve(Arc::new(world.control.clone())).await;
        let port = Arc::new(remote(&[&address]));
        Self { world, port, server: Some(server) }
    }

    pub(super) async fn lease(&self, ask: &LeaseRequest) -> Result<Lease, ControlError> {
        self.port.lease(ask).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

/// Serves a control plane's internal API on a loopback port.
pub(crate) async fn serve(control: Arc<dyn ControlPlane>) -> (String, JoinHandle<()>) {
    let keys = InternalKeys::parse(&Secret::new(KEY)).unwrap();
    serve_router(internal_api(control, keys, Clock::fixed(NOW), Chance::System)).await
}

/// Serves a router on a loopback port.
pub(crate) async fn serve_router(router: axum::Router) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

/// An edge's way to these nodes.
pub(crate) fn remote(urls: &[&str]) -> RemoteControl {
    remote_with(urls, Deadlines::default())
}

pub(crate) fn remote_with(urls: &[&str], deadlines: Deadlines) -> RemoteControl {
    let urls = urls.iter().map(|url| url.parse().unwrap()).collect();
    let (clock, chance) = (Clock::fixed(NOW), Chance::System);
    let (key, roots) = (Secret::new(KEY), ExtraRoots::default());
    RemoteControl::new(RemoteConfig { urls, key, roots, clock, chance, deadlines }).unwrap()
}

/// The next item, which must come soon.
pub(crate) async fn item(feed: &mut Feed) -> FeedItem {
    let item = tokio::time::timeout(Duration::from_secs(4), feed.next()).await;
    item.expect("an item in time").expect("the feed goes on").expect("the feed is not broken")
}

/// The next change, which must come soon.
pub(crate) async fn next(feed: &mut Feed) -> Change {
    let change = async {
        loop {
            if let FeedItem::Change(change) = item(feed).await {
                return change;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(2), change).await.expect("a change in time")
}

/// Tells each story on this way to a control plane.
macro_rules! control_suite {
    ($($way:ident),+) => {
        $(mod $way {
            control_suite!(@stories $way:
                leases::a_lease_carries_all_of_it, leases::each_refusal_has_its_code_and_words,
                leases::a_failed_key_is_left, leases::resting_keys_name_their_wait,
                usage::an_event_counts_once, usage::a_thousand_events_are_one_call,
                changes::the_first_item_tells_that_it_is_connected, changes::a_quiet_feed_says_that_it_is_alive,
                changes::acts_arrive_in_order,
                changes::a_user_who_is_moved_to_another_key_is_told_of,
                changes::a_feed_resumes_where_it_ended, changes::a_gap_is_told_when_the_past_is_gone,
                changes::epochs_that_began_anew_are_a_gap, changes::a_lease_in_flight_is_older_than_the_revocation,
            );
        })+
    };
    (@stories $way:ident: $($file:ident::$story:ident),+ $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $story() {
            chill_db::trial::both(async |trial| {
                let stage = super::Stage::$way(trial).await;
                super::$file::$story(&stage).await;
            })
            .await;
        })+
    };
}

control_suite!(in_process, remote);
