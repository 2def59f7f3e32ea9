//! Turns settings into types, and collects everything that is wrong instead of stopping at the first fault.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use chill_core::Secret;
use url::Url;

use super::settings::{Fault, Settings};

/// Reads typed values; faults gather here.
pub(crate) struct Reader<'a> {
    settings: &'a Settings,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    /// A reader over `settings` that has seen no fault yet.
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Self { settings, faults: Vec::new() }
    }

    /// All faults, or the value when there was none.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() { Ok(value) } else { Err(self.faults) }
    }

    /// Notes a fault.
    pub(crate) fn fault(&mut self, name: &str, what: impl Into<String>) {
        self.faults.push(Fault { name: name.to_owned(), what: what.into() });
    }

    /// A text as it is.
    pub(crate) fn text(&self, name: &'static str) -> Option<&'a str> {
        self.settings.get(name)
    }

    /// A secret.
    pub(crate) fn secret(&self, name: &'static str) -> Option<Secret> {
        self.settings.get(name).map(Secret::new)
    }

    /// `true` or `false`, also `1`, `0`, `yes`, `no`, `on`, `off`.
    pub(crate) fn flag(&mut self, name: &'static str, default: bool) -> bool {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => default,
            Some("true" | "1" | "yes" | "on") => true,
            Some("false" | "0" | "no" | "off") => false,
            Some(other) => {
                self.fault(name, format!("`{other}` is neither true nor false"));
                default
            }
        }
    }

    /// A number within bounds.
    pub(crate) fn number<N>(&mut self, name: &'static str, default: N, bounds: std::ops::RangeInclusive<N>) -> N
    where
        N: FromStr + PartialOrd + std::fmt::Display + Copy,
    {
        let Some(text) = self.text(name) else { return default };
        match text.parse::<N>() {
            Ok(n) if bounds.contains(&n) => n,
            _ => {
                self.fault(name, format!("`{text}` is not a number from {} to {}", bounds.start(), bounds.end()));
                default
            }
        }
    }

    /// A duration: `90s`, `5m`, `2h`, `500ms`, or a bare number of seconds.
    pub(crate) fn duration(&mut self, name: &'static str, default: Duration) -> Duration {
        let Some(text) = self.text(name) else { return default };
        parse_duration(text).unwrap_or_else(|| {
            self.fault(name, format!("`{text}` is not a duration such as 60s, 5m or 2h"));
            default
        })
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, name: &'static str, default: T, words: &[(&str, T)]) -> T {
        let Some(text) = self.text(name) else { return default };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let expected = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" or ");
        self.fault(name, format!("`{text}` is not {expected}"));
        default
    }

    /// An http or https URL without user, query or fragment, and without a slash at its end.
    pub(crate) fn url(&mut self, name: &'static str) -> Option<Url> {
        let text = self.text(name)?;
        let parsed = Url::parse(text.trim_end_matches('/')).ok().filter(is_plain_web_url);
        if parsed.is_none() {
            self.fault(name, "this is not a URL such as https://host.example, without user, query or fragment");
        }
        parsed
    }

    /// A socket address, `:8080` meaning every interface.
    pub(crate) fn address(&mut self, name: &'static str) -> Option<SocketAddr> {
        let text = self.text(name)?;
        let full = text.strip_prefix(':').map_or_else(|| text.to_owned(), |port| format!("0.0.0.0:{port}"));
        let parsed = full.parse().ok();
        if parsed.is_none() {
            self.fault(name, format!("`{text}` is not an address such as 127.0.0.1:8080 or :8080"));
        }
        parsed
    }
}

fn is_plain_web_url(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

/// `90s`, `5m`, `2h`, `1d`, `500ms`, `1h30m`, or seconds.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: u32 = rest.get(..digits)?.parse().ok()?;
        let unit_end = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count() + digits;
        let unit = match &rest[digits..unit_end] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3_600),
            "d" => Duration::from_secs(86_400),
            _ => return None,
        };
        total = total.checked_add(unit.checked_mul(amount)?)?;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(parse_duration("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("60"), Some(Duration::from_secs(60)));
        for bad in ["", "m", "5 m", "-5m", "5x", "99999999999s", "5ünits"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
