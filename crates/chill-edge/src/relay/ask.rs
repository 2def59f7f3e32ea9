//! What a player asks for, and the request an origin gets for it.

use std::sync::{Arc, OnceLock};

use chill_core::ByteRange;
use chill_core::range::RangeRequest;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
    USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::Carries;

/// The conditions of RFC 9110 §13.1 that are about the film and not about the viewer. `If-Range` has its own rules.
const LISTS: [HeaderName; 2] = [IF_MATCH, IF_NONE_MATCH];
const DATES: [HeaderName; 2] = [IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];

/// Longest list of entity tags that is passed on, in bytes; more would not fit into the heads many origins take.
const LONGEST_LIST: usize = 8 * 1024;
/// A longer date, or `If-Range`, is not one of ours: the validators handed out are shorter.
const LONGEST_CONDITION: usize = 1_024;
/// Longest date, or number of seconds, that is told to a viewer, in bytes.
const LONGEST_DATE: usize = 64;

/// A player's request, without anything that is the viewer's.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// `GET` or `HEAD`.
    pub(super) method: Method,
    /// The one range asked for; none for several, for another unit or bad syntax, which RFC 9110 §14.2 lets us ignore.
    pub(super) range: Option<ByteRange>,
    /// Only with a range, and only a strong validator or a date.
    pub(super) if_range: Option<HeaderValue>,
    /// An `If-Match` that cannot be passed on was not met (412): what it protects must not be sent.
    pub(super) unmet: bool,
    /// What the answer may be.
    pub(super) carries: Carries,
    /// When the origin wants to be asked again; of the first answer that says so, of all to this request.
    later: Arc<OnceLock<HeaderValue>>,
    conditions: Vec<(HeaderName, HeaderValue)>,
}

impl Ask {
    pub(super) fn read(method: &Method, headers: &HeaderMap) -> Self {
        let mut range = single_range(headers);
        let if_range = headers.get(IF_RANGE).cloned();
        if if_range.as_ref().is_some_and(|value| !may_match(value)) {
            // A weak validator never matches (RFC 9110 §13.1.5), and then the range is not honoured.
            range = None;
        }
        let if_range = if_range.filter(|_| range.is_some());
        let conditions = conditions(headers);
        let unmet = headers.contains_key(IF_MATCH) && !conditions.iter().any(|(name, _)| name == IF_MATCH);
        let (carries, later) = Default::default();
        Self { method: method.clone(), range, if_range, unmet, carries, later, conditions }
    }

    /// The head of the request to the origin.
    pub(super) fn upstream_headers(&self, user_agent: &'static str) -> HeaderMap {
        let mut headers = plain_headers(user_agent);
        headers.extend(self.conditions.iter().cloned());
        if let Some(range) = self.range {
            insert_range(&mut headers, range);
        }
        if let Some(value) = &self.if_range {
            headers.insert(IF_RANGE, value.clone());
        }
        headers
    }

    /// A request for the bytes from `first` to `last`, both included, of a film already being sent.
    pub(super) fn rest(first: u64, last: u64) -> Self {
        let range = Some(ByteRange::From { first, last: Some(last) });
        Self { range, ..Self::read(&Method::GET, &HeaderMap::new()) }
    }

    /// The same request for what an origin carries.
    pub(super) fn carrying(self, carries: Carries) -> Self {
        Self { carries, ..self }
    }

    /// Notes when the origin wants to be asked again.
    pub(super) fn put_off(&self, later: &HeaderValue) {
        if later.len() <= LONGEST_DATE && later.to_str().is_ok() {
            let _first = self.later.set(later.clone());
        }
    }

    /// When the origin wants to be asked again, where it said so.
    pub(super) fn later(&self) -> Option<HeaderValue> {
        self.later.get().cloned()
    }

    /// The same request for the whole film.
    pub(super) fn whole(&self) -> Self {
        Self { range: None, if_range: None, ..self.clone() }
    }

    /// The same request as one that only wants the head of a `GET`, for origins that refuse `HEAD`.
    pub(super) fn as_get(&self) -> Self {
        Self { method: Method::GET, ..self.clone() }
    }
}

/// The conditions that can be passed on.
fn conditions(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let list = |name: &HeaderName| Some((name.clone(), list(headers, name)?));
    let mut conditions: Vec<_> = LISTS.iter().filter_map(list).collect();
    // Beside tags the date does not count (RFC 9110 §13.1.3), not even when the origin cannot see them.
    let unseen = headers.contains_key(IF_NONE_MATCH) && !conditions.iter().any(|(name, _)| name == IF_NONE_MATCH);
    let dates = DATES.iter().filter(|name| !unseen || **name != IF_MODIFIED_SINCE);
    conditions.extend(dates.filter_map(|name| Some((name.clone(), date(headers, name)?))));
    conditions
}

/// All lines of a field as one (RFC 9110 §5.3).
fn list(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let joined = lines.join(&b", "[..]);
    let passed_on = !lines.is_empty() && joined.len() <= LONGEST_LIST;
    passed_on.then(|| HeaderValue::from_bytes(&joined).ok()).flatten()
}

/// The one line of a field; on several it is no date (RFC 9110 §13.1.3, §13.1.4).
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let mut lines = headers.get_all(name).iter();
    let only = lines.next().filter(is_short)?;
    lines.next().is_none().then(|| only.clone())
}

fn plain_headers(user_agent: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    // Offsets count the film's own bytes, so no coding may change them.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(user_agent));
    headers
}

fn insert_range(headers: &mut HeaderMap, range: ByteRange) {
    if let Ok(value) = HeaderValue::try_from(range.to_string()) {
        headers.insert(RANGE, value);
    }
}

fn single_range(headers: &HeaderMap) -> Option<ByteRange> {
    let mut values = headers.get_all(RANGE).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    match RangeRequest::parse(value.to_str().ok()?) {
        RangeRequest::One(range) => Some(range),
        RangeRequest::Ignore => None,
    }
}

/// A strong entity tag, or what should be a date; the origin compares it.
fn may_match(value: &HeaderValue) -> bool {
    is_short(&value) && !value.as_bytes().starts_with(b"W/")
}

fn is_short(value: &&HeaderValue) -> bool {
    value.len() <= LONGEST_CONDITION
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(headers: &[(&'static str, &'static str)]) -> Ask {
        let headers = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).fold(
            HeaderMap::new(),
            |mut map, (name, value)| {
                map.append(name, value);
                map
            },
        );
        Ask::read(&Method::GET, &headers)
    }

    #[test]
    fn only_what_concerns_the_film_goes_up() {
        let sent = ask(&[
            ("range", "Bytes = 5-"),
            ("if-range", "\"v1\""),
            ("if-none-match", "\"v2\""),
            ("cookie", "a=b"),
            ("authorization", "Basic x"),
            ("x-forwarded-for", "192.0.2.1"),
            ("referer", "https://viewer.example/"),
            ("user-agent", "Player/1"),
            ("accept-encoding", "gzip"),
        ])
        .upstream_headers("Ours/1");
        let mut names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "if-none-match", "if-range", "range", "user-agent"]);
        assert_eq!(sent[RANGE], "bytes=5-");
        assert_eq!(sent[USER_AGENT], "Ours/1");
        assert_eq!(sent[ACCEPT_ENCODING], "identity");
    }

    #[test]
    fn a_range_that_cannot_be_honoured_is_not_asked_for() {
        for headers in [
            &[("range", "bytes=0-1,5-6")][..],
            &[("range", "bytes=0-1"), ("range", "bytes=5-6")],
            &[("range", "lines=1-2")],
            &[("range", "bytes=0-1"), ("if-range", "W/\"v1\"")],
        ] {
            let sent = ask(headers).upstream_headers("Ours/1");
            assert!(!sent.contains_key(RANGE) && !sent.contains_key(IF_RANGE), "{headers:?}");
        }
        assert!(!ask(&[("if-range", "\"v1\"")]).upstream_headers("Ours/1").contains_key(IF_RANGE));
    }
}
