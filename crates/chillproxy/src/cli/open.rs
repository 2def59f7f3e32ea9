//! Opens the control plane for one command, without serving.

use std::os::unix::fs::MetadataExt;

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

/// Who types commands here, for the audit trail: the user of the operating system, and the machine.
pub(super) fn actor() -> Actor {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let host = read("/proc/sys/kernel/hostname");
    let host = if host.trim().is_empty() { "this machine" } else { host.trim() };
    let uid = std::fs::metadata("/proc/self").map(|own| own.uid());
    let user = uid.map_or_else(|_| "unknown".to_owned(), |uid| user_name(&read("/etc/passwd"), uid));
    let from: String = format!("{user}@{host}").chars().filter(|c| !c.is_control()).take(128).collect();
    Actor::new("cli", from)
}

/// The name of a user in the form of passwd(5), else his number.
fn user_name(passwd: &str, uid: u32) -> String {
    let number = uid.to_string();
    let line = passwd.lines().find(|line| line.split(':').nth(2) == Some(number.as_str()));
    line.and_then(|line| line.split(':').next()).map_or(number.clone(), str::to_owned)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_name_is_read_and_a_stranger_is_a_number() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(user_name(passwd, 1000), "ada");
        assert_eq!(user_name(passwd, 65532), "65532");
        assert_eq!(actor().name, "cli");
    }
}
