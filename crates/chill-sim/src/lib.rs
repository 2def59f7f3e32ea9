//! Stand-ins for the outside world: TorBox, a CDN, a Torznab indexer, Cinemeta.
