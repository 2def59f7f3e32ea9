//! What is stored: one SQL text on two engines, SQLite (one file, one machine) and PostgreSQL (several nodes).
//!
//! For: opening and migrating a database, transactions, every query the control plane makes, the feed of changes across
//! processes, the library of known torrents, the usage spool in a file of its own, and request counters, in memory or shared
//! through Redis.
//!
//! Refuses: decisions (who may use what is decided in `chill-control` and `chill-core`), cleartext keys (it sees sealed
//! bytes), HTTP, the time of day and chance: both come in as parameters.
//!
//! Start reading at [`Db`] and [`Tx`], then the file of a table. Each query is a literal in a `statements!` list, in the
//! subset of SQL that both engines read alike; a test prepares all of them on both.

mod anime;
mod assignment;
mod audit;
mod change;
mod column;
mod device;
mod engine;
mod error;
mod feed;
mod imdb;
mod key;
mod known;
mod lease;
mod library;
mod list;
mod listed;
mod master;
mod migrate;
mod place;
mod rate;
mod redis;
mod spool;
mod statement;
#[cfg(test)]
mod tests;
pub mod trial;
mod url;
mod usage;
mod user;

pub use anime::AnimeMap;
pub use assignment::Seat;
pub use audit::{AuditBreak, AuditDay, AuditEntry, AuditFault, AuditReport};
pub use device::{Device, DeviceState, NewDevice};
pub use engine::{Db, Options, Tx};
pub use error::DbError;
pub use imdb::{ImdbImport, ImdbTitle, ImdbTitles};
pub use key::{Key, NewKey, SealedKey};
pub use lease::{Asked, AskingDevice, Moment};
pub use library::TorrentLibrary;
pub use migrate::Schema;
pub use place::NewPlace;
pub use rate::LocalRates;
pub use redis::{InvalidRedisUrl, RedisUrl, SharedPlaces, SharedRates};
pub use spool::SqliteSpool;
pub use url::{DbUrl, InvalidDbUrl};
pub use usage::{CountedEvent, UsageBy, UsageRow, UsageWindow};
pub use user::{LinkedUser, NewUser, User, UserStatus};
