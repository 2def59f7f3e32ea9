//! One system with a piece of network that can be cut, five viewers in it, and the outage they go through together.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Away;
use crate::app::{App, KEY, Viewer};
use crate::database::TestDatabase;
use crate::forwarder::Forwarder;
use crate::limits::shared_redis;
use crate::planes::{CONTROL, EdgeNode, INTERNAL, endless};
use crate::streams::{FILM, Stream};
use crate::web::Web;

/// How long films run on without their control plane, in these tests.
pub(super) const GRACE: Duration = Duration::from_secs(6);
/// A row that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

type Doing = Pin<Box<dyn Future<Output = ()>>>;
/// What one viewer goes through.
pub(super) type Cell = fn(Arc<System>, Turn) -> Doing;

/// A control plane on PostgreSQL, an edge, and what lies between.
pub(super) struct System {
    pub(super) app: App,
    pub(super) edge: EdgeNode,
    pub(super) away: Away,
    /// When it was cut.
    pub(super) cut_at: Instant,
    viewers: HashMap<&'static str, Mutex<Option<Seat>>>,
    network: Forwarder,
}

/// A viewer of the edge before the outage.
pub(super) struct Seat {
    pub(super) viewer: Viewer,
    /// What he may start at once.
    pub(super) small: Stream,
    /// What he is watching.
    pub(super) film: Option<Incoming>,
}

/// One cell's place in the row: the outage ends when each of them has had enough of it.
pub(super) struct Turn {
    enough: watch::Sender<usize>,
    healed: watch::Receiver<bool>,
    had_enough: bool,
}

impl Turn {
    /// Waits for the end of the outage.
    pub(super) async fn healed(&mut self) {
        self.enough();
        self.healed.wait_for(|healed| *healed).await.expect("the row goes on");
    }

    fn enough(&mut self) {
        if !std::mem::replace(&mut self.had_enough, true) {
            self.enough.send_modify(|count| *count += 1);
        }
    }
}

impl Drop for Turn {
    /// A cell that ended, well or badly, holds nobody up.
    fn drop(&mut self) {
        self.enough();
    }
}

impl System {
    async fn start(away: Away) -> Self {
        let database = TestDatabase::postgres();
        let direct = database.url().unwrap();
        let (to_database, through) = Forwarder::before(&direct).await;
        let settings =
            [("INTERNAL_API_KEY", INTERNAL), ("CHILLPROXY_LEASE_GRACE", "6s"), ("DATABASE_URL", through.as_str())];
        let mut app = App::serving(CONTROL, database, &settings).await;
        // The operator's commands reach the database whatever the server does.
        app.settings.push(("DATABASE_URL".to_owned(), direct));
        app.add_key("main", KEY);
        let (to_control, control) = Forwarder::before(&app.base).await;
        let (to_redis, redis) = Forwarder::before(&shared_redis()).await;
        let limits = [("REDIS_URI", redis.as_str()), ("CHILLPROXY_RATE_PER_USER", "1000")];
        let edge = EdgeNode::start_with(&app.world, &control, &limits);
        let web = Web::new("Readiness/1.0");
        app.until("the edge", async || edge.node.readiness(&web).await == Some(200)).await;
        let network = match away {
            Away::ControlPlane | Away::EventSocket => to_control,
            Away::Database => to_database,
            Away::Redis => to_redis,
        };
        Self { app, edge, away, cut_at: Instant::now(), viewers: HashMap::new(), network }
    }

    /// Seats a viewer for each cell, then cuts.
    async fn cut(mut self) -> Self {
        for (name, watches) in [("film", true), ("known", false), ("new", false), ("revoked", true), ("usage", false)] {
            let viewer = self.edge.seen_by(&self.app, &self.app.add_user(name));
            let small = self.app.smallest(&viewer, FILM).await;
            let film = if watches { Some(endless(&self.app, &viewer).await) } else { None };
            self.viewers.insert(name, Mutex::new(Some(Seat { viewer, small, film })));
        }
        match self.away {
            Away::EventSocket => self.network.cut_socket(),
            Away::ControlPlane | Away::Database | Away::Redis => self.network.cut(),
        }
        self.cut_at = Instant::now();
        self
    }

    /// The viewer of a cell, who is given once.
    pub(super) fn seat(&self, name: &str) -> Seat {
        self.viewers[name].lock().unwrap().take().expect("each cell has its viewer")
    }

    /// The code with which a stream list refuses a device; empty when it does not.
    pub(super) async fn refusal(&self, viewer: &Viewer, device: &str) -> String {
        Web::new(device).get(&viewer.streams("movie", FILM)).await.header("x-chillproxy-refusal").to_owned()
    }

    /// What is counted of a user.
    pub(super) fn counted(&self, name: &str) -> (u64, u64) {
        let rows = self.app.cli(&["usage", "--by", "user", "--json"], "");
        let row = rows.as_array().unwrap().iter().find(|row| row["name"] == name).cloned().unwrap_or_default();
        (row["streams"].as_u64().unwrap_or(0), row["bytes"].as_u64().unwrap_or(0))
    }
}

type Outcomes = HashMap<&'static str, Result<(), String>>;

/// One outage, gone through in a thread of its own.
pub(super) struct Row {
    pub(super) away: Away,
    outcomes: Arc<(Mutex<Option<Outcomes>>, Condvar)>,
}

impl Row {
    pub(super) fn begin(away: Away) -> Self {
        let outcomes = Arc::new((Mutex::new(None), Condvar::new()));
        let told = Arc::clone(&outcomes);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let run = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(go_through(away))));
            let result = run.unwrap_or_else(|panic| {
                let said = words(&*panic);
                away.cells().iter().map(|(name, _)| (*name, Err(said.clone()))).collect()
            });
            *told.0.lock().unwrap() = Some(result);
            told.1.notify_all();
        });
        Self { away, outcomes }
    }

    /// Waits for the row's end.
    pub(super) fn outcome(&self, cell: &str) -> Result<(), String> {
        let (outcomes, told) = &*self.outcomes;
        let waited = told.wait_timeout_while(outcomes.lock().unwrap(), PATIENCE, |outcomes| outcomes.is_none());
        let (outcomes, _) = waited.unwrap();
        outcomes.as_ref().expect("the row is stuck")[cell].clone()
    }
}

async fn go_through(away: Away) -> Outcomes {
    let system = Arc::new(System::start(away).await.cut().await);
    let cells = away.cells();
    let (enough, healed) = (watch::Sender::new(0), watch::Sender::new(false));
    // A thread each: a cell that waits for a command holds up no film.
    let all = cells.iter().map(|(name, cell)| {
        let turn = Turn { enough: enough.clone(), healed: healed.subscribe(), had_enough: false };
        let (system, runtime) = (Arc::clone(&system), Handle::current());
        (*name, std::thread::spawn(move || runtime.block_on(cell(system, turn))))
    });
    let all: Vec<_> = all.collect();
    let mut count = enough.subscribe();
    count.wait_for(|count| *count == cells.len()).await.unwrap();
    system.network.heal();
    healed.send_replace(true);
    let mut outcomes = Outcomes::new();
    for (name, cell) in all {
        let outcome = tokio::task::block_in_place(|| cell.join());
        let said =
            |panic: Box<dyn std::any::Any + Send>| format!("{}\n{}", words(&*panic), system.edge.node.log_tail());
        outcomes.insert(name, outcome.map_err(said));
    }
    outcomes
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
