//! Opens the control plane for one command, without serving.

use anyhow::Context;
use chill_control::{Actor, Control};
use chill_db::{Db, Options};

use super::print;
use crate::config::Config;
use crate::wiring;

/// The control plane over a migrated database, its master key checked.
pub(super) async fn control(config: &Config) -> anyhow::Result<Control> {
    let opened = wiring::open_control(config).await?;
    if opened.made_master_key {
        super::say(&wiring::backup_advice(config));
    }
    Ok(opened.control)
}

/// Who types commands here, for the audit trail.
pub(super) fn actor() -> Actor {
    Actor::new("operator", "command line")
}

/// `chillproxy migrate`.
pub(super) async fn migrate(config: &Config) -> anyhow::Result<()> {
    wiring::make_data_dir(config)?;
    let db = Db::open(&config.data.database, Options::default()).await?;
    let applied = db.migrate().await.context("the database could not be migrated")?;
    print(&match applied {
        0 => format!("{} is up to date.", config.data.database),
        some => format!("{} was migrated: {some} step(s).", config.data.database),
    });
    db.close().await;
    Ok(())
}
