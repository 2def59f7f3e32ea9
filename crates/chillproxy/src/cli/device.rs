//! `chillproxy device …`: the devices of a user.

use chill_control::Device;
use clap::Subcommand;
use serde_json::{Value, json};

use super::open::{actor, control};
use super::table::{table, time};
use super::{print, print_json};
use crate::config::Config;

/// What can be done with devices.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists a user's devices.
    List {
        /// Id or name of the user.
        #[arg(long)]
        user: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shuts a device out: its film stops and it does not come back.
    Revoke {
        /// The device's id, from `device list`.
        id: String,
        /// Forget the device instead: its place is free and it may come back as a new one.
        #[arg(long)]
        forget: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of the commands.
pub(super) async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let control = control(config).await?;
    match command {
        Command::List { user, json } => show(&control.devices().list(&user).await?, json),
        Command::Revoke { id, forget, json } => {
            let devices = control.devices();
            let device =
                if forget { devices.forget(&actor(), &id).await? } else { devices.revoke(&actor(), &id).await? };
            if json {
                print_json(&as_json(&device));
            } else {
                print(if forget { "The device was forgotten." } else { "The device was revoked." });
            }
        }
    }
    Ok(())
}

fn show(devices: &[Device], json: bool) {
    if json {
        print_json(&devices.iter().map(as_json).collect());
        return;
    }
    let rows: Vec<_> = devices
        .iter()
        .map(|device| {
            let label = device.label.clone().unwrap_or_else(|| "unnamed".to_owned());
            [
                label,
                device.state.as_str().to_owned(),
                time(device.first_seen),
                time(device.last_seen),
                device.id.clone(),
            ]
        })
        .collect();
    print(&table(["DEVICE", "STATE", "FIRST SEEN", "LAST SEEN", "ID"], &rows));
}

/// A device as scripts read it; times are milliseconds since the epoch.
pub(super) fn as_json(device: &Device) -> Value {
    json!({
        "id": device.id,
        "deviceId": device.device.as_str(),
        "kind": device.kind,
        "label": device.label,
        "firstSeen": device.first_seen,
        "lastSeen": device.last_seen,
        "state": device.state.as_str(),
    })
}
