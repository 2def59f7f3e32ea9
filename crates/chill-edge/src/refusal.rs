//! What a refused viewer sees: why, and what to do, in the player itself.
//!
//! A stream list answers with one entry that says so; a playback is sent to a short status clip that says the same.
//! Both carry the code and a support id, which is also in the log beside the reason.

use std::fmt;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use chill_core::{Chance, ControlError, DenialCode, StoreError, StoreErrorKind};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::relay::{OriginError, OriginErrorKind};

/// Header with the code.
pub const REFUSAL: &str = "x-chillproxy-refusal";
/// Header with the support id.
pub const SUPPORT: &str = "x-chillproxy-support";
/// Where status clips are served, followed by `<code>.mp4`.
pub const CLIPS: &str = "/stremio/_/clips/";

/// Code, headline, advice, divided by tabs; the clips are rendered from the same lines.
const TEXTS: &str = include_str!("../clips/texts.tsv");
/// The control plane's own words are cut to this many characters.
const LONGEST_MESSAGE: usize = 200;

macro_rules! codes {
    ($($variant:ident $code:literal;)*) => {
        /// Why a viewer gets no stream, as a word that programs read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`")] $variant,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in the header and in the clip's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The status clip: MP4, H.264.
            #[must_use]
            pub fn clip(self) -> &'static [u8] {
                match self { $(Self::$variant => include_bytes!(concat!("../clips/", $code, ".mp4"))),* }
            }
        }
    };
}

codes! {
    UserUnknown "user_unknown";
    UserInactive "user_inactive";
    DeviceLimit "device_limit";
    DeviceRevoked "device_revoked";
    NoKey "no_key";
    KeysExhausted "keys_exhausted";
    ServiceUnknown "service_unknown";
    ControlUnavailable "control_unavailable";
    StoreUnavailable "store_unavailable";
    StoreRejectedKey "store_rejected_key";
    StoreLimit "store_limit";
    Downloading "downloading";
    NotCached "not_cached";
    NoMatchingFile "no_matching_file";
    UnavailableForLegalReasons "unavailable_for_legal_reasons";
    RateLimited "rate_limited";
    LinkBroken "link_broken";
    StreamLimit "stream_limit";
}

impl Code {
    /// Reads a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }

    /// What happened, for people.
    #[must_use]
    pub fn headline(self) -> &'static str {
        self.text(1)
    }

    /// What to do, for people.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.text(2)
    }

    fn text(self, column: usize) -> &'static str {
        let line = TEXTS.lines().find(|line| line.split('\t').next() == Some(self.as_str()));
        line.and_then(|line| line.split('\t').nth(column)).unwrap_or("Something went wrong")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A viewer who gets no stream, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, for programs.
    pub code: Code,
    /// The control plane's own words for the viewer, bounded.
    pub message: Option<String>,
    /// When to come back, where that is known.
    pub retry_after: Option<Duration>,
    /// Why, for the log.
    pub why: String,
}

impl Refusal {
    /// A refusal with its reason for the log.
    #[must_use]
    pub fn new(code: Code, why: impl Into<String>) -> Self {
        Self { code, message: None, retry_after: None, why: why.into() }
    }

    /// The answer to a request for a stream list: 200 with one entry that explains.
    pub(crate) fn stream_list(&self, base: &str, chance: &Chance) -> Response {
        let support = self.support(chance);
        let said = self.message.as_deref().unwrap_or(self.code.headline());
        let entry = json!({
            "url": clip_url(base, self.code),
            "name": format!("⚠️ Chillproxy\n{}", self.code.headline()),
            "description": format!("{said}\n{}\nSupport id: {support}", self.code.advice()),
            "behaviorHints": { "filename": format!("{}.mp4", self.code) },
        });
        let mut response = Response::new(Body::from(json!({ "streams": [entry] }).to_string()));
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        self.mark(&mut response, &support);
        response
    }

    /// The answer to a playback: 302 to the clip that explains.
    pub(crate) fn playback(&self, base: &str, chance: &Chance) -> Response {
        let support = self.support(chance);
        let mut response = Response::default();
        *response.status_mut() = StatusCode::FOUND;
        if let Ok(location) = HeaderValue::try_from(clip_url(base, self.code)) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        self.mark(&mut response, &support);
        response
    }

    /// A short id in the answer and in the log, so that an operator finds the reason a viewer reads out.
    fn support(&self, chance: &Chance) -> String {
        let bytes = chance.bytes::<5>().unwrap_or_default();
        let support = data_encoding::BASE32_NOPAD.encode(&bytes);
        metrics::counter!("chillproxy_refusals_total", "code" => self.code.as_str()).increment(1);
        tracing::info!(support, code = self.code.as_str(), why = self.why, "a viewer was refused");
        support
    }

    fn mark(&self, response: &mut Response, support: &str) {
        let headers = response.headers_mut();
        headers.insert(REFUSAL, HeaderValue::from_static(self.code.as_str()));
        if let Ok(support) = HeaderValue::try_from(support) {
            headers.insert(SUPPORT, support);
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn clip_url(base: &str, code: Code) -> String {
    format!("{base}{CLIPS}{code}.mp4")
}

impl From<&ControlError> for Refusal {
    fn from(error: &ControlError) -> Self {
        match error {
            ControlError::Denied(denial) => {
                let words = denial.message.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE);
                let message = Some(words.collect::<String>()).filter(|words| !words.is_empty());
                Self { message, ..Self::new(denial.code.into(), error.to_string()) }
            }
            ControlError::Exhausted { retry_after } => {
                Self { retry_after: Some(*retry_after), ..Self::new(Code::KeysExhausted, error.to_string()) }
            }
            ControlError::Unavailable { retry_after, .. } => {
                Self { retry_after: *retry_after, ..Self::new(Code::ControlUnavailable, error.to_string()) }
            }
        }
    }
}

impl From<&StoreError> for Refusal {
    fn from(error: &StoreError) -> Self {
        let retry_after = match error.kind {
            StoreErrorKind::TooManyRequests { retry_after } | StoreErrorKind::DownloadsClosed { retry_after } => {
                retry_after
            }
            _ => None,
        };
        Self { retry_after, ..Self::new(error.kind.into(), error.to_string()) }
    }
}

impl From<&OriginError> for Refusal {
    fn from(error: &OriginError) -> Self {
        let code = match error.kind {
            OriginErrorKind::Store(kind) => kind.into(),
            OriginErrorKind::LinkBroken => Code::LinkBroken,
            OriginErrorKind::Unreachable => Code::StoreUnavailable,
            OriginErrorKind::Refused { code } => Code::from_word(code).unwrap_or(Code::LinkBroken),
            // Who has lost his right hears why at the next start.
            OriginErrorKind::Cut => Code::ControlUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

impl From<DenialCode> for Code {
    fn from(code: DenialCode) -> Self {
        match code {
            DenialCode::UserUnknown => Self::UserUnknown,
            DenialCode::UserInactive => Self::UserInactive,
            DenialCode::DeviceLimit => Self::DeviceLimit,
            DenialCode::DeviceRevoked => Self::DeviceRevoked,
            DenialCode::NoKey => Self::NoKey,
            DenialCode::KeysExhausted => Self::KeysExhausted,
            DenialCode::ServiceUnknown => Self::ServiceUnknown,
        }
    }
}

impl From<StoreErrorKind> for Code {
    fn from(kind: StoreErrorKind) -> Self {
        match kind {
            StoreErrorKind::Unauthorized | StoreErrorKind::Forbidden | StoreErrorKind::PaymentRequired => {
                Self::StoreRejectedKey
            }
            StoreErrorKind::LimitExceeded | StoreErrorKind::DownloadsClosed { .. } => Self::StoreLimit,
            StoreErrorKind::TooManyRequests { .. } => Self::RateLimited,
            StoreErrorKind::LegalReasons => Self::UnavailableForLegalReasons,
            StoreErrorKind::NotCached => Self::NotCached,
            StoreErrorKind::NotFound | StoreErrorKind::Unprocessable | StoreErrorKind::MagnetInvalid => {
                Self::LinkBroken
            }
            StoreErrorKind::Conflict
            | StoreErrorKind::BadRequest
            | StoreErrorKind::Unavailable
            | StoreErrorKind::Timeout => Self::StoreUnavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_words_and_a_clip() {
        for code in Code::ALL {
            assert_ne!(code.headline(), "Something went wrong", "{code}");
            assert!(code.advice().len() > 10, "{code}");
            assert_eq!(code.clip().get(4..8), Some(b"ftyp".as_slice()), "{code} is an MP4");
            assert_eq!(Code::from_word(code.as_str()), Some(*code));
        }
        assert_eq!(TEXTS.lines().count(), Code::ALL.len());
    }

    #[test]
    fn the_control_planes_words_are_bounded() {
        let message = "x".repeat(5_000) + "\n";
        let denial = chill_core::Denial { code: DenialCode::DeviceLimit, message, device_count: None };
        let refusal = Refusal::from(&ControlError::Denied(denial));
        assert_eq!(refusal.code, Code::DeviceLimit);
        assert_eq!(refusal.message.unwrap().len(), LONGEST_MESSAGE);
    }
}
