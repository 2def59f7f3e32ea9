//! The edge: Stremio addons and the relay.
