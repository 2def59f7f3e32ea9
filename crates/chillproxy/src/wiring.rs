//! Builds the parts both the server and the command line need: directory, database, vault, stores, control plane.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use chill_control::{Control, ControlConfig, MasterKeys, Vault};
use chill_core::{Chance, Clock, Secret, Store};
use chill_db::{Db, Options};
use chill_stores::StoresConfig;

use crate::config::{Config, ControlSection, StoresSection};

/// The master key's file in the data directory.
const MASTER_FILE: &str = "master.key";

/// A control plane ready to be asked.
pub(crate) struct Opened {
    /// The control plane; its database is migrated.
    pub control: Control,
    /// The stores it probes with, for the edge beside it.
    pub stores: Vec<Arc<dyn Store>>,
    /// What links of the content proxy are signed with.
    pub link_secret: Secret,
    /// Whether a master key was made just now.
    pub made_master_key: bool,
}

/// Opens and migrates the database, unseals, and checks that the master key is the right one.
pub(crate) async fn open_control(config: &Config) -> anyhow::Result<Opened> {
    make_data_dir(config)?;
    let db = Db::open(&config.data.database, Options::default())
        .await
        .with_context(|| format!("the database {} cannot be opened", config.data.database))?;
    db.migrate()
        .await
        .with_context(|| format!("the database {} cannot be brought to this version", config.data.database))?;
    let (vault, made_master_key) = vault(config)?;
    let link_secret = vault.link_secret().clone();
    let stores = stores(&config.stores);
    let control = Control::new(db, vault, stores.clone(), Clock::System, Chance::System, settings(&config.control));
    control.check_master().await?;
    Ok(Opened { control, stores, link_secret, made_master_key })
}

/// What the operator is told when a master key was made.
pub(crate) fn backup_advice(config: &Config) -> String {
    format!(
        "A master key was made at {}. Keep a copy of that file somewhere else: without it the pool keys in the database cannot be read again.",
        config.data.file(MASTER_FILE).display()
    )
}

/// The data directory, readable by its owner alone.
pub(crate) fn make_data_dir(config: &Config) -> anyhow::Result<()> {
    make_private(&config.data.dir).with_context(|| {
        format!("the data directory {} cannot be made; CHILLPROXY_DATA_DIR chooses another", config.data.dir.display())
    })
}

fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if dir.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn vault(config: &Config) -> anyhow::Result<(Vault, bool)> {
    match &config.control.master_key {
        Some(text) => Ok((Vault::new(&MasterKeys::parse(text)?), false)),
        None => Ok(Vault::load_or_create(&config.data.file(MASTER_FILE), &Chance::System)?),
    }
}

/// The stores, at the vendors' addresses or the operator's.
pub(crate) fn stores(section: &StoresSection) -> Vec<Arc<dyn Store>> {
    chill_stores::stores(&StoresConfig { torbox_url: section.torbox.clone(), ..StoresConfig::default() })
}

fn settings(section: &ControlSection) -> ControlConfig {
    ControlConfig {
        max_devices: section.max_devices,
        device_idle: section.device_idle,
        lease_ttl: section.lease_ttl,
        lease_grace: section.lease_grace,
        torbox_pool_size: section.torbox_pool_size,
        ..ControlConfig::default()
    }
}
