//! Scripted misbehaviour of the CDN.

use serde::{Deserialize, Serialize};

use super::Served;

/// Scripts kept at once; adding more drops the oldest.
const SCRIPTS: usize = 1_000;

/// One kind of misbehaviour. Byte counts are of the body of the answer at hand, not of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CdnFault {
    /// The connection ends after exactly this many body bytes, though more were promised.
    CutAt {
        /// Body bytes sent.
        bytes: u64,
    },
    /// Sends no faster than this.
    Slow {
        /// Bytes per second of real time.
        bytes_per_s: u64,
    },
    /// Sends this many body bytes, then nothing, and keeps the connection.
    StallAt {
        /// Body bytes sent.
        bytes: u64,
    },
    /// Once the link was answered this many times, its ETag is another one.
    WrongEtagAfter {
        /// Answers with the true ETag.
        answers: u32,
    },
    /// Answers with this status and a short text (403, 410, 500, …).
    Status {
        /// HTTP status.
        status: u16,
    },
    /// Sends the whole file with 200, whatever range was asked for.
    IgnoreRange,
    /// Answers after this time.
    Latency {
        /// Milliseconds of real time.
        ms: u64,
    },
    /// Never answers.
    Hang,
    /// Resets the TCP connection before any answer.
    Reset,
}

/// When a [`CdnFault`] happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CdnFaultRule {
    /// Only for links to files of this torrent.
    #[serde(default)]
    pub hash: Option<String>,
    /// Lets this many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// Happens this many times; forever when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub fault: CdnFault,
}

impl CdnFaultRule {
    /// `fault` on every request.
    pub fn new(fault: CdnFault) -> Self {
        Self { hash: None, skip: 0, times: None, fault }
    }

    /// Only for files of the torrent with this hash.
    #[must_use]
    pub fn for_torrent(mut self, hash: &str) -> Self {
        self.hash = Some(hash.to_ascii_lowercase());
        self
    }

    /// Lets `requests` matching requests pass first.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Happens `times` times, then no more.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn strikes(&mut self, served: &Served) -> bool {
        if self.hash.as_ref().is_some_and(|hash| *hash != served.hash) || self.times == Some(0) {
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

pub(super) fn add(rules: &mut Vec<CdnFaultRule>, rule: CdnFaultRule) {
    if rules.len() == SCRIPTS {
        rules.remove(0);
    }
    rules.push(rule);
}

/// Everything that is due for this request: kinds combine, e.g. slow and cut.
pub(super) fn due(rules: &mut [CdnFaultRule], served: &Served) -> Vec<CdnFault> {
    rules.iter_mut().filter_map(|rule| rule.strikes(served).then_some(rule.fault)).collect()
}
