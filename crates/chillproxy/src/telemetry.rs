//! Logs to standard error, metrics to a recorder. Neither ever sees a key: see docs/logging.md.

use std::io::IsTerminal;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSection};

/// Starts logging. Libraries that print requests whole stay quiet below `warn` whatever the filter says, since a header
/// or a query of theirs may carry a key.
pub(crate) fn start_logging(section: &LogSection) -> anyhow::Result<()> {
    let mut filter = EnvFilter::try_new(&section.filter).context("RUST_LOG is not a valid filter")?;
    let quiet = ["hyper=warn", "hyper_util=warn", "rustls=warn", "h2=warn", "sqlx=warn", "tower=warn"];
    for quiet in quiet.into_iter().chain(["tungstenite=warn", "tokio_tungstenite=warn"]) {
        filter = filter.add_directive(quiet.parse()?);
    }
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
    let text = section.format.map_or(terminal, |format| format == LogFormat::Text);
    let started = if text { builder.try_init() } else { builder.json().flatten_event(true).try_init() };
    started.map_err(|e| anyhow::anyhow!("logging could not be started: {e}"))
}

/// Upper bounds of latency buckets, in seconds.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Installs the metrics recorder of this process.
pub(crate) fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .install_recorder()
        .context("the metrics recorder could not be installed")
}
