//! Debrid services behind one trait.
