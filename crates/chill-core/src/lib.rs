//! The words, the pure rules and the ports of Chillproxy; no I/O.
