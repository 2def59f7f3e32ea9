//! `chillproxy serve`: the life of a server, top to bottom. Listen early, ready when migrated, stop accepting, drain, flush
//! the usage, close.

mod accept;
mod front;
mod gate;
mod layers;
mod metrics_page;
mod ready;
mod wiring;

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use chill_db::DbError;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Role};
use crate::telemetry;
use gate::Gate;
use wiring::Planes;

/// How many connections are served at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 10_000;
/// How long open requests may take to end after a stop; films are cut then.
const DRAIN: Duration = Duration::from_secs(20);
/// How long the last usage may take to be delivered.
const FLUSH: Duration = Duration::from_secs(10);

/// Connections that may wait to be accepted: hundreds of players may come back in the same second.
const BACKLOG: u32 = 4_096;
/// Pause between attempts to reach a database that is not there yet.
const RETRY: Duration = Duration::from_secs(1);

/// Runs until SIGINT or SIGTERM.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let recorder = telemetry::start_metrics()?;
    let listener = bind(config.listen.address)?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let gate = Gate::default();
    metrics_page::start(&config.listen, recorder, stop.clone()).await?;
    let bounds = accept::Bounds { connections: CONNECTIONS, player: config.edge.player_timeout, drain: DRAIN };
    let serving = tokio::spawn(accept::serve(listener, gate.clone(), stop.clone(), bounds));
    tracing::info!("listening on http://{}", shown(address));

    for name in &config.without_effect {
        tracing::warn!(name, "this setting is set, and nothing here uses it");
    }

    let mut signal = pin!(wait_for_signal());
    let planes = tokio::select! {
        planes = wire_patiently(&config) => planes?,
        signal = &mut signal => return signal,
    };
    // Goes on while open requests end: films are still counted, and still cut when their right ends.
    let end = CancellationToken::new();
    let background = planes.start(&end);
    gate.open(planes.addon(), planes.router());
    match config.role {
        Role::Edge => tracing::info!(role = ?config.role, "ready"),
        Role::All | Role::Control => {
            tracing::info!(role = ?config.role, database = %config.data.database, "ready");
        }
    }

    signal.await?;
    tracing::info!("stopping: no new connections, open requests may end");
    planes.drain();
    stop.cancel();
    serving.await.context("the accept loop failed")?;
    planes.cut();
    end.cancel();
    if tokio::time::timeout(FLUSH, planes.finish(background)).await.is_err() {
        tracing::warn!("the last usage could not be delivered; it waits in the spool for the next start");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Wires the planes, waiting for a database that is not there yet: a server often starts before its PostgreSQL.
async fn wire_patiently(config: &Config) -> anyhow::Result<Planes> {
    loop {
        let error = match wiring::wire(config).await {
            Ok(planes) => return Ok(planes),
            Err(error) => error,
        };
        let away = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<DbError>().is_some_and(DbError::is_unavailable)
        };
        if config.data.database.is_sqlite() || !error.chain().any(away) {
            return Err(error);
        }
        tracing::warn!(error = format!("{error:#}"), "the database is not there yet; trying again");
        tokio::time::sleep(RETRY).await;
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().with_context(|| {
        format!(
            "cannot listen on {address}; is another server running there? PORT or STREMTHRU_LISTEN_ADDR chooses another"
        )
    })
}

/// An address a person can click: every interface is shown as loopback.
fn shown(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], address.port())) } else { address }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
