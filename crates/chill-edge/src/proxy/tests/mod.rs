//! The proxy as its users and players meet it: real HTTP to the router, and behind it the simulated CDN, or a server of
//! the tests that writes down what it was asked.

mod any_file;
mod bounds;
mod credentials;
mod destinations;
mod guessing;
mod limits;
mod making;
mod opening;
mod stage;
