//! Which device asks: a fingerprint of address and player, as DESIGN's formula
//! `hex(sha256(ip + "|" + user_agent))` over a normalised address and, for known players, the family's name.
//!
//! One tap in a player makes requests from several HTTP stacks with different User-Agents. A stream list and its
//! playback must count as one device, so every stack a Stremio app is known to use enters as the same family.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Secret, address::household, id::InvalidId};

/// One player of one user. From a fingerprint it is 64 hexadecimal digits; a foreign edge may send any short text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(String);

impl DeviceId {
    /// The text as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let printable = |c: char| !c.is_control();
        if (1..=128).contains(&text.len()) && text.chars().all(printable) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId { what: "the device id", expected: "1 to 128 printable characters" })
        }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a device is recognised; `CHILLPROXY_DEVICE_FINGERPRINT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FingerprintMode {
    /// Known player stacks enter under their family's name.
    #[default]
    Player,
    /// Every User-Agent enters as it is.
    Exact,
}

/// The recipe of a fingerprint.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint {
    /// Whether player families are used.
    pub mode: FingerprintMode,
    /// With it the fingerprint is an HMAC, since a plain hash of an IPv4 address can be guessed.
    pub secret: Option<Secret>,
}

impl Fingerprint {
    /// The device of a request. `address` is the client's, already walked through trusted proxies.
    #[must_use]
    pub fn device(&self, address: IpAddr, player: &Player<'_>) -> DeviceId {
        let player = match self.mode {
            FingerprintMode::Player => player.family.unwrap_or(player.agent),
            FingerprintMode::Exact => player.agent,
        };
        let text = format!("{}|{player}", household(address));
        DeviceId(match &self.secret {
            None => data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes())),
            Some(secret) => keyed(secret, &text),
        })
    }
}

/// A request's `User-Agent`, looked at once.
#[derive(Clone, Copy, Debug)]
pub struct Player<'a> {
    agent: &'a str,
    family: Option<&'static str>,
}

impl<'a> Player<'a> {
    /// Looks for the marks of known player stacks.
    #[must_use]
    pub fn of(agent: &'a str) -> Self {
        Self { agent, family: MARKS.as_ref().is_some_and(|marks| marks.is_match(agent)).then_some(STREMIO) }
    }

    /// What an operator sees beside a device: the player's family, or the first word of its `User-Agent`.
    #[must_use]
    pub fn label(&self) -> String {
        if self.family.is_some() {
            return "Stremio player".to_owned();
        }
        let word = self.agent.split_whitespace().next().unwrap_or("unknown player");
        word.chars().filter(|c| !c.is_control()).take(40).collect()
    }
}

/// The family every known Stremio stack enters under.
const STREMIO: &str = "stremio-player";

/// Marks in a lower-cased User-Agent, and the stack each belongs to.
const STACKS: &[(&str, &str)] = &[
    ("stremio", "the app itself, its shell and its streaming server"),
    ("; wv)", "an Android web view"),
    ("qtwebengine", "the desktop shell's web view"),
    ("okhttp/", "the Android app's HTTP client"),
    ("dalvik/", "Android's own HTTP client"),
    ("exoplayer", "Android's player, also as ExoPlayerLib"),
    ("androidxmedia3", "its successor"),
    ("libvlc/", "libVLC"),
    ("vlc/", "VLC as external player"),
    ("lavf/", "FFmpeg's demuxer, which mpv and many players use"),
    ("libmpv", "mpv embedded"),
    ("mpv ", "mpv"),
    ("mpv/", "mpv"),
    ("applecoremedia/", "the player of iOS, tvOS and macOS"),
    ("cfnetwork/", "Apple's HTTP client"),
    ("ksplayer", "a player of the Apple TV app"),
    ("tizen", "Samsung televisions"),
    ("web0s", "LG televisions"),
    ("webos", "LG televisions"),
    ("mxplayer", "MX Player as external player"),
    ("just player", "Just Player as external player"),
    ("node-fetch", "the streaming server's HTTP client"),
];

/// All marks in one pass over the text, however many there are. They are few and short, so building it cannot fail.
static MARKS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let marks = STACKS.iter().map(|(mark, _)| mark);
    AhoCorasick::builder().ascii_case_insensitive(true).build(marks).ok()
});

/// HMAC-SHA256 under the operator's secret (RFC 2104: a key longer than a block is hashed first).
fn keyed(secret: &Secret, text: &str) -> String {
    let mut block = [0_u8; 64];
    let key = secret.expose().as_bytes();
    match block.get_mut(..key.len()) {
        Some(head) => head.copy_from_slice(key),
        None => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(text.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_plain_formula_holds_for_unknown_agents() {
        // sha256("203.0.113.9|TestAgent/1.0"), computed with coreutils.
        let device = Fingerprint::default().device(ip("203.0.113.9"), &Player::of("TestAgent/1.0"));
        assert_eq!(device.as_str(), "c6dfc789d37fd82af70ce0554bfec7b78438c13e2a42c0badd006fd922a46f23");
        assert_eq!(device, Fingerprint::default().device(ip("::ffff:203.0.113.9"), &Player::of("TestAgent/1.0")));
    }

    #[test]
    fn one_tap_is_one_device() {
        let agents = [
            "Mozilla/5.0 (Linux; Android 13; SM-A528B Build/TP1A; wv) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
            "okhttp/4.12.0",
            "Stremio/1.6.12 (Linux;Android 13) ExoPlayerLib/2.18.2",
            "VLC/3.0.18 LibVLC/3.0.18",
            "Lavf/60.3.100",
            "libmpv",
            "Dalvik/2.1.0 (Linux; U; Android 13)",
        ];
        let fingerprint = Fingerprint::default();
        let first = fingerprint.device(ip("198.51.100.4"), &Player::of(agents[0]));
        for agent in agents {
            assert_eq!(fingerprint.device(ip("198.51.100.4"), &Player::of(agent)), first, "{agent}");
            assert_eq!(Player::of(agent).label(), "Stremio player");
        }
        assert_ne!(fingerprint.device(ip("198.51.100.5"), &Player::of(agents[0])), first);
    }

    #[test]
    fn exact_mode_tells_stacks_apart() {
        let exact = Fingerprint { mode: FingerprintMode::Exact, secret: None };
        assert_ne!(
            exact.device(ip("198.51.100.4"), &Player::of("okhttp/4.12.0")),
            exact.device(ip("198.51.100.4"), &Player::of("Lavf/60.3.100"))
        );
    }

    #[test]
    fn a_secret_changes_the_fingerprint() {
        let keyed = |secret| Fingerprint { secret: Some(Secret::new(secret)), ..Fingerprint::default() };
        let (a, b) = (keyed("one"), keyed("two"));
        let address = ip("198.51.100.4");
        assert_ne!(a.device(address, &Player::of("x")), b.device(address, &Player::of("x")));
        assert_ne!(a.device(address, &Player::of("x")), Fingerprint::default().device(address, &Player::of("x")));
        assert_eq!(a.device(address, &Player::of("x")).as_str().len(), 64);
    }

    #[test]
    fn the_keyed_formula_is_plain_hmac() {
        // printf '203.0.113.9|TestAgent/1.0' | openssl dgst -sha256 -hmac operator-secret
        let keyed = Fingerprint { secret: Some(Secret::new("operator-secret")), ..Fingerprint::default() };
        assert_eq!(
            keyed.device(ip("203.0.113.9"), &Player::of("TestAgent/1.0")).as_str(),
            "8db3d7e9449ab0c3e92218210337f238fc8781f229b639a514b45b452115ddf4"
        );
        let long = Fingerprint { secret: Some(Secret::new("k".repeat(100))), ..Fingerprint::default() };
        assert_eq!(
            long.device(ip("203.0.113.9"), &Player::of("TestAgent/1.0")).as_str(),
            "7fb0c0557180e4b53dbdf82ed3f7fb32513b8d6c187f10f0c25f6513f6542d49"
        );
    }

    #[test]
    fn labels_are_short_and_plain() {
        assert_eq!(Player::of("curl/8.1 x").label(), "curl/8.1");
        assert_eq!(Player::of("").label(), "unknown player");
        assert_eq!(Player::of(&"x".repeat(500)).label().len(), 40);
    }
}
