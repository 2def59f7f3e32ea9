//! Builds the parts both the server and the command line need: directory, database, vault, stores, control plane.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use chill_control::{Control, ControlConfig, MasterKeys, Vault};
use chill_core::{Chance, Clock, Secret, Store};
use chill_db::{Db, DbUrl, Options};
use chill_stores::StoresConfig;

use crate::config::{Config, ControlSection, StoresSection};

/// The master key's file in the data directory.
const MASTER_FILE: &str = "master.key";
/// Known torrents and imported titles of an edge without a control plane's database.
const LIBRARY_FILE: &str = "library.db";

/// A control plane ready to be asked.
pub(crate) struct Opened {
    /// The control plane; its database is migrated.
    pub control: Control,
    /// The stores it probes with, for the edge beside it.
    pub stores: Vec<Arc<dyn Store>>,
    /// What links of the content proxy are signed with, the newest first.
    pub link_secrets: Vec<Secret>,
    /// Whether a master key was made just now.
    pub made_master_key: bool,
}

/// Opens and migrates the database, unseals, and checks that the master key is the right one.
pub(crate) async fn open_control(config: &Config) -> anyhow::Result<Opened> {
    make_data_dir(config)?;
    let db = open_database(config).await?;
    let (vault, made_master_key) = vault(config)?;
    let link_secrets = vault.link_secrets().to_vec();
    let stores = stores(&config.stores);
    let control = Control::new(db, vault, stores.clone(), Clock::System, Chance::System, settings(&config.control));
    control.check_master().await?;
    Ok(Opened { control, stores, link_secrets, made_master_key })
}

/// The configured database, migrated.
pub(crate) async fn open_database(config: &Config) -> anyhow::Result<Db> {
    let url = &config.data.database;
    let db = Db::open(url, Options::default()).await.with_context(|| format!("the database {url} cannot be opened"))?;
    db.migrate().await.with_context(|| format!("the database {url} cannot be brought to this version"))?;
    Ok(db)
}

/// An edge's own library. Searches fill it, so a file of another version or a broken one is a plain error.
pub(crate) async fn open_library(config: &Config) -> anyhow::Result<Db> {
    let path = config.data.file(LIBRARY_FILE);
    let advice = || {
        let path = path.display();
        format!("the library {path} cannot be opened; it may be deleted, then imports have to be made again")
    };
    let db = Db::open(&DbUrl::sqlite(path.clone()), Options::default()).await.with_context(advice)?;
    db.migrate().await.with_context(advice)?;
    Ok(db)
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
