//! Runs the simulators by hand.
fn main() {}
