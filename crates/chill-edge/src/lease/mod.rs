//! Leases: the right of one device to use one key for a while, kept as long as nothing changed.
//!
//! Refuses: to use an answer that a change has overtaken, and to keep one for long while no change could be heard.
//! Start reading at `Leases::get`; `watch` tells how changes arrive.

mod cache;
mod fences;
#[cfg(test)]
mod tests;
pub(crate) mod watch;

pub(crate) use cache::{Asker, Held, Leases, Purpose};
