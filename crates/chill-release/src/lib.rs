//! What a release name says: title, year, season, resolution and the rest.
