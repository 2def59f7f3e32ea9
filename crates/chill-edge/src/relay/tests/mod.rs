//! The relay through real HTTP.
