//! The rules of the key pool, as pure functions: what a key's passport allows, how its state changes and comes back, and
//! which key a user gets.
//!
//! Refuses: storage and time of its own. The control plane brings candidates and asks; it stores what is answered.

mod choice;
mod passport;
mod state;

pub use choice::{Candidate, Choice, choose};
pub use passport::{InvalidPassport, Passport, Terms};
pub use state::{KeyState, Serving, remaining};
