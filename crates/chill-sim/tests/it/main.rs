//! The simulators, asked over real HTTP. Start at `client` for how a test asks.

mod binary;
mod cdn;
mod cinemeta;
mod client;
mod control;
mod create;
mod faults;
mod limits;
mod lists;
mod torznab;
mod transfers;
