//! Which refusal a control plane means that gives no code, only words for people.

use chill_core::DenialCode;

/// The code that fits a message best; [`DenialCode::UserInactive`] when nothing does.
pub(super) fn code(message: &str) -> DenialCode {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["device"]) {
        let revoked = says(&["revoked", "blocked", "removed", "banned"]);
        return if revoked { DenialCode::DeviceRevoked } else { DenialCode::DeviceLimit };
    }
    if says(&["service", "provider"]) && says(&["unknown", "unsupported", "not supported", "not offered"]) {
        return DenialCode::ServiceUnknown;
    }
    if says(&["key", "pool", "account available"]) {
        let all = says(&["exhaust", "all keys", "all pool keys", "rate limit", "try again", "busy"]);
        return if all { DenialCode::KeysExhausted } else { DenialCode::NoKey };
    }
    if says(&["not found", "unknown", "no such", "does not exist", "doesn't exist"]) {
        return DenialCode::UserUnknown;
    }
    DenialCode::UserInactive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_sentences() {
        for (message, expected) in [
            ("Maximum 3 devices allowed per user", DenialCode::DeviceLimit),
            ("Device limit reached (3/3)", DenialCode::DeviceLimit),
            ("This device was revoked", DenialCode::DeviceRevoked),
            ("User not found", DenialCode::UserUnknown),
            ("Unknown user", DenialCode::UserUnknown),
            ("User is suspended", DenialCode::UserInactive),
            ("Account inactive", DenialCode::UserInactive),
            ("No available pool keys", DenialCode::NoKey),
            ("No pool key assigned", DenialCode::NoKey),
            ("All pool keys are busy", DenialCode::KeysExhausted),
            ("Service not supported", DenialCode::ServiceUnknown),
            ("", DenialCode::UserInactive),
        ] {
            assert_eq!(code(message), expected, "{message}");
        }
    }
}
