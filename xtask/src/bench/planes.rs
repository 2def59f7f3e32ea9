//! Both planes as processes of their own: control nodes on one PostgreSQL, edges in front of them, the simulated world
//! around them.

use anyhow::Context;
use serde_json::{Value, json};

use super::programs::Programs;
use super::server::Server;
use crate::postgres::Postgres;
use crate::running::Running;
use crate::shell;
use crate::world::World;

/// What edges present.
pub(super) const INTERNAL: &str = "an-internal-key-of-the-benchmarks-0123456789";
/// What a measuring program presents, so that its calls are counted apart from the edges'.
pub(super) const OWN: &str = "another-internal-key-of-the-benchmarks-0123456789";

/// One node, which may be killed and started again.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) server: Server,
    role: &'static str,
    running: Option<Running>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Planes {
    // In the order in which they stop.
    pub(super) edges: Vec<Node>,
    pub(super) controls: Vec<Node>,
    pub(super) postgres: Postgres,
    pub(super) world: World,
}

impl Node {
    /// Starts it; it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        self.running = Some(self.server.start_as(self.role)?);
        Ok(())
    }

    /// kill -9.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.running.take().map_or(Ok(()), |mut running| running.kill())
    }
}

impl Planes {
    /// Starts so many nodes of each plane.
    ///
    /// # Errors
    /// When one of them does not start.
    pub(super) fn start(programs: &Programs, controls: usize, edges: usize) -> anyhow::Result<Self> {
        let (world, postgres) = (World::start(programs.directory())?, Postgres::start()?);
        // The store's own limits are not what is measured.
        tell(&world, "behaviour", &json!({"calls_per_minute": 1_000_000, "uncached_creates_per_hour": 1_000_000}))?;
        // Any 32 bytes; all nodes share them.
        let master = format!("{}Bwc=", "BwcH".repeat(10));
        let control = || -> anyhow::Result<Node> {
            let server = Server::new(programs)?.within(&world)?;
            let server = server.with("DATABASE_URL", postgres.url()).with("CHILLPROXY_MASTER_KEY", master.as_str());
            let server = server.with("INTERNAL_API_KEY", format!("{INTERNAL},{OWN}"));
            started(Node { server: server.with("CHILLPROXY_GET_KEY_RATE", "0"), role: "control", running: None })
        };
        let controls = (0..controls).map(|_| control()).collect::<anyhow::Result<Vec<_>>>()?;
        let edge = |at: usize| -> anyhow::Result<Node> {
            let mut urls: Vec<String> = controls.iter().map(|control| control.server.base()).collect();
            let all = urls.len();
            urls.rotate_left(at % all);
            let server = Server::new(programs)?.within(&world)?;
            let server = server.with("CHILLSTREAMS_API_URL", urls.join(",")).with("CHILLSTREAMS_API_KEY", INTERNAL);
            started(Node { server, role: "edge", running: None })
        };
        let edges = (0..edges).map(edge).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { edges, controls, postgres, world })
    }

    /// What a command of the operator answers.
    ///
    /// # Errors
    /// When it fails.
    pub(super) fn operator(&self, words: &[&str], input: &str) -> anyhow::Result<Value> {
        self.controls.first().context("there is no control node")?.server.answer(words, input)
    }

    /// Adds a user who may have so many devices; gives link id and install link.
    ///
    /// # Errors
    /// When the command fails.
    pub(super) fn user(&self, name: &str, devices: u32) -> anyhow::Result<(String, String)> {
        let devices = devices.to_string();
        let user = self.operator(&["user", "add", "--name", name, "--max-devices", &devices, "--json"], "")?;
        let text = |field: &str| user[field].as_str().map(str::to_owned).with_context(|| format!("no {field}"));
        Ok((text("linkId")?, text("manifestUrl")?))
    }

    /// Adds a key that serves so many users.
    ///
    /// # Errors
    /// When the command fails.
    pub(super) fn key(&self, name: &str, secret: &str, users: usize) -> anyhow::Result<Value> {
        let users = users.to_string();
        let words =
            ["key", "add", "--store", "tb", "--name", name, "--passport", "partner", "--max-users", &users, "--json"];
        self.operator(&words, secret)
    }

    /// The one row of a query, its columns separated by `|`.
    ///
    /// # Errors
    /// When psql fails.
    pub(super) fn query(&self, sql: &str) -> anyhow::Result<String> {
        shell::read(&mut shell::command("psql", [self.postgres.url(), "-XqAtc", sql]))
    }
}

/// Tells the simulators something.
///
/// # Errors
/// When they refuse.
pub(super) fn tell(world: &World, what: &str, body: &Value) -> anyhow::Result<()> {
    let url = format!("{}/{what}", world.url("control")?);
    ureq::post(url).header("content-type", "application/json").send(body.to_string())?;
    Ok(())
}

fn started(mut node: Node) -> anyhow::Result<Node> {
    node.start()?;
    Ok(node)
}
