//! The control plane: users, devices, the key pool, usage; who may use what, and with which key.
//!
//! For: [`Control`], which answers leases, counts usage and tells of changes as the edge's `ControlPlane` port in process;
//! its use cases for the operator, each written to the audit trail; the [`vault`] that seals pool keys; and [`wire`], the
//! internal HTTP API (`get-key`, `log-usage`, the change feed) over any `ControlPlane`, whose other end is [`remote`].
//!
//! Refuses: Stremio, vendors' wire formats (a store is asked through its port), the environment, and any network call
//! while a transaction is open.
//!
//! Start reading at [`Control`], then `decide`, where leases are decided.

mod actor;
mod audit;
mod background;
mod config;
mod control;
mod decide;
mod devices;
mod error;
mod key_states;
mod keys;
mod probe;
mod record;
pub mod remote;
mod usage;
mod users;
pub mod vault;
pub mod wire;

#[cfg(test)]
mod tests;

pub use actor::Actor;
pub use config::ControlConfig;
pub use control::Control;
pub use devices::Devices;
pub use error::UseError;
pub use keys::{AddKey, Keys, PoolKey};
pub use remote::{Deadlines, ExtraRoots, InvalidRemote, InvalidRoots, RemoteConfig, RemoteControl};
pub use users::{AddUser, Limits, UserCard, Users};
pub use vault::{MasterKeys, Vault, VaultError};

pub use chill_db::{
    AuditBreak, AuditDay, AuditEntry, AuditReport, Device, DeviceState, UsageBy, UsageRow, UsageWindow, User,
    UserStatus,
};
