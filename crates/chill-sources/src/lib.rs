//! Where titles and torrents come from: Torznab indexers and Cinemeta.
