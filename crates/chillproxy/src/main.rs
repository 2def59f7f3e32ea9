//! The Chillproxy server and command line.
fn main() {}
