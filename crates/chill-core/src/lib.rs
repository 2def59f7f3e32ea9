//! The words, the pure rules and the ports of Chillproxy.
//!
//! For: everything the other crates must agree on — identifiers, secrets, the device fingerprint, which key may serve
//! whom, byte ranges, error kinds with their retry rule, and the traits ("ports") through which the edge reaches the
//! control plane, the debrid services, the indexers, the known torrents and the usage spool.
//!
//! Refuses: any I/O, any runtime, the environment. Time and chance come in as [`Clock`] and [`Chance`].
//!
//! Start reading at [`control`] (the seam between the two planes) and [`store`] (the debrid services).

pub mod address;
pub mod chance;
pub mod clock;
pub mod content;
pub mod control;
pub mod device;
pub mod hash;
pub mod id;
pub mod library;
pub mod places;
pub mod pool;
pub mod range;
pub mod rate;
pub mod secret;
pub mod source;
pub mod spool;
pub mod store;
pub mod usage;

pub use chance::Chance;
pub use clock::{Clock, Millis};
pub use content::{AnimeId, AnimeSite, ContentId};
pub use control::{Change, ControlError, ControlPlane, Denial, DenialCode, Epoch, Feed, FeedItem, Lease, LeaseRequest};
pub use device::DeviceId;
pub use hash::InfoHash;
pub use id::{EventId, KeyId, LinkId, PlaybackId, UserId};
pub use library::{KnownFile, KnownTorrent, Library, LibraryError, Listed};
pub use places::Places;
pub use range::ByteRange;
pub use rate::Rates;
pub use secret::Secret;
pub use source::{AnimePlace, AnimePlaces, Found, Numbers, Source, SourceError, Title, Titles, Wanted};
pub use spool::{Spool, SpoolError};
pub use store::{Store, StoreCode, StoreError, StoreErrorKind};
pub use usage::{Action, Outcome, UsageEvent};

/// A stream of items that can cross threads; what `ControlPlane::watch` returns.
pub type BoxStream<'a, T> = std::pin::Pin<Box<dyn futures_core::Stream<Item = T> + Send + 'a>>;
