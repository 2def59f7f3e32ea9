//! Whole-system tests: the real binary, real HTTP, real databases, simulators of the outside world.
//!
//! Each file tells stories of one kind; stories that touch the database run on both engines. Start reading at `app` (the
//! system under test) and `film` (what it is for).
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod anime;
mod app;
mod canary;
mod command_line;
mod content_proxy;
mod crash;
mod database;
mod device;
mod film;
mod foreign;
mod forwarder;
mod import;
mod internal_api;
mod kept_inputs;
mod legacy_token;
mod limits;
mod node;
mod outages;
mod planes;
mod refusal;
mod relay;
mod revocation;
mod source_faults;
mod store_faults;
mod streams;
mod takeover;
mod torznab;
mod web;
