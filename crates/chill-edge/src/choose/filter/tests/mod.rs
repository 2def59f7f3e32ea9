//! Filters against streams: what they keep, what is refused, and that nothing takes long.

mod hostile;
mod language;
mod properties;
mod refused;
mod streams;

use super::{Filter, Verdict};
use crate::choose::Candidate;
use crate::choose::trial;

/// Checks a table of filters and whether they keep a stream; a filter that fails on it fails the test.
fn check(candidate: &Candidate<'_>, cases: &[(&str, bool)]) {
    for (source, keeps) in cases {
        let filter = Filter::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let expected = if *keeps { Verdict::Keep } else { Verdict::Hide };
        assert_eq!(filter.verdict(candidate), expected, "{source}");
        assert_eq!(filter.keeps(candidate), *keeps, "{source}");
    }
}

/// Checks filters that use nothing of the stream.
fn check_constants(cases: &[(&str, bool)]) {
    let release = trial::film();
    check(&trial::candidate(&release), cases);
}
