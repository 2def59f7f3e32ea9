//! Scripted misbehaviour of the API simulators (TorBox, Torznab, Cinemeta). The CDN has its own kinds.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::calls::Call;
use crate::clock::lock;

/// Scripts kept at once; adding more drops the oldest.
const SCRIPTS: usize = 1_000;

/// The three bodies a 429 is seen with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateLimitShape {
    /// `{"detail":"60 per 1 hour"}`, no envelope.
    #[default]
    Detail,
    /// `{"error":"Rate limit exceeded: 60 per 1 hour"}`, no envelope.
    Error,
    /// The usual envelope with code `RATE_LIMIT_EXCEEDED`.
    Envelope,
}

/// What a failure carries in the envelope's `error` field instead of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorField {
    /// Boolean `true`.
    True,
    /// Boolean `false`.
    False,
    /// JSON `null`.
    Null,
    /// The string `"null"`.
    NullText,
}

/// One kind of misbehaviour. The first group answers instead of the endpoint (nothing is done); the second lets the
/// endpoint do its work and changes the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// Waits, then goes on: other scripts and the endpoint still apply.
    Latency {
        /// Milliseconds of real time.
        ms: u64,
    },
    /// Any status, content type and body.
    Answer {
        /// HTTP status.
        status: u16,
        /// `Content-Type`; empty for none.
        content_type: String,
        /// The body.
        body: String,
    },
    /// 429 in one of its shapes.
    RateLimited {
        /// The body.
        #[serde(default)]
        shape: RateLimitShape,
        /// `Retry-After` in seconds, if any.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// HTTP 400 (or another status) with an envelope of this code.
    Code {
        /// HTTP status.
        status: u16,
        /// The envelope's `error`.
        code: String,
    },
    /// HTTP 500 with the envelope, code `UNKNOWN_ERROR`, and internal text as string `data`.
    ServerError,
    /// HTTP 502 with a page of HTML.
    HtmlBadGateway,
    /// HTTP 502 with an empty body.
    EmptyBadGateway,
    /// HTTP 200 with a page of HTML.
    HtmlPage,
    /// HTTP 200 of the usual content type, and bytes that mean nothing.
    Garbage,
    /// HTTP 200 with a body of this many bytes, streamed.
    HugeBody {
        /// Body length.
        bytes: u64,
    },
    /// Never answers.
    Hang,
    /// Resets the TCP connection.
    Reset,
    /// Torznab's `<error code description>` document, HTTP 200.
    ErrorDocument {
        /// Torznab error code.
        code: u16,
        /// Its text.
        description: String,
    },
    /// A Torznab feed of this many valid items.
    ManyItems {
        /// Number of items.
        count: usize,
    },

    /// The true answer, cut off in the middle, with a matching length.
    TruncatedJson,
    /// The true answer, this slowly.
    Slow {
        /// Bytes per second of real time.
        bytes_per_s: u64,
    },
    /// The first bytes of the true answer, then nothing; the connection stays.
    StallAt {
        /// Body bytes sent.
        bytes: usize,
    },
    /// The true answer with this in the envelope's `error`.
    OddError {
        /// The odd value.
        error: ErrorField,
    },
    /// The true answer with `data: null`; what was asked is done.
    NullData,
    /// The true answer with every number under `id` or `…_id` as a string.
    QuotedIds,
}

/// When a [`Fault`] happens. Made with [`FaultRule::new`], narrowed with the other methods.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultRule {
    /// End of the path, or Torznab function; empty for every endpoint.
    #[serde(default)]
    pub endpoint: String,
    /// Only for callers with this API key.
    #[serde(default)]
    pub key: Option<String>,
    /// Lets this many matching calls pass first.
    #[serde(default)]
    pub skip: u32,
    /// Happens this many times; forever when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub fault: Fault,
}

impl FaultRule {
    /// `fault` on each call of `endpoint` (end of the path such as `mylist`, a Torznab function, or `""` for all).
    pub fn new(endpoint: &str, fault: Fault) -> Self {
        Self { endpoint: endpoint.to_owned(), key: None, skip: 0, times: None, fault }
    }

    /// Only for callers with this API key.
    #[must_use]
    pub fn for_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Lets `calls` matching calls pass first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Happens `times` times, then no more.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Whether it is due for this call; counts it.
    fn strikes(&mut self, call: &Call) -> bool {
        let meant = call.is_to(&self.endpoint) && self.key.as_deref().is_none_or(|key| call.key() == Some(key));
        if !meant || self.times == Some(0) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times = self.times.map(|left| left - 1);
        true
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<FaultRule>>>);

impl Faults {
    pub(crate) fn add(&self, rule: FaultRule) {
        let mut rules = lock(&self.0);
        if rules.len() == SCRIPTS {
            rules.remove(0);
        }
        rules.push(rule);
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// What happens to this call, in the order the scripts were added: latencies up to the first other fault.
    pub(crate) fn due(&self, call: &Call) -> Vec<Fault> {
        let mut due = Vec::new();
        for rule in lock(&self.0).iter_mut() {
            if rule.strikes(call) {
                due.push(rule.fault.clone());
                if !matches!(rule.fault, Fault::Latency { .. }) {
                    break;
                }
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str, key: &str) -> Call {
        let request = http::Request::get(path).header("authorization", format!("Bearer {key}")).body(());
        Call::read(&request.unwrap().into_parts().0, b"")
    }

    #[test]
    fn a_script_strikes_its_endpoint_and_key_as_often_as_told() {
        let faults = Faults::default();
        faults.add(FaultRule::new("mylist", Fault::Latency { ms: 1 }));
        faults.add(FaultRule::new("mylist", Fault::Hang).for_key("a").after(1).times(2));
        let struck = |path: &str, key: &str| faults.due(&call(path, key)).contains(&Fault::Hang);
        assert!(!struck("/v1/api/user/me", "a"));
        assert!(!struck("/v1/api/torrents/mylist", "b"));
        assert!(!struck("/v1/api/torrents/mylist", "a"), "the first is let pass");
        assert!(struck("/v1/api/torrents/mylist", "a"));
        assert!(struck("/v1/api/torrents/mylist", "a"));
        assert!(!struck("/v1/api/torrents/mylist", "a"));
        faults.clear();
        assert!(faults.due(&call("/v1/api/torrents/mylist", "a")).is_empty());
    }
}
