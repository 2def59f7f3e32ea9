//! How large a picture is.

use std::fmt;

use serde::{Serialize, Serializer};

/// The height of the picture in lines; written `4k`, `2k` or `1080p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resolution(u16);

impl Resolution {
    /// 3840 × 2160, written `4k`.
    pub const UHD: Self = Self(2160);
    /// 2560 × 1440, written `2k`.
    pub const QHD: Self = Self(1440);
    /// 1920 × 1080.
    pub const FULL_HD: Self = Self(1080);
    /// 1280 × 720.
    pub const HD: Self = Self(720);

    /// A picture of this many lines.
    #[must_use]
    pub const fn of_lines(lines: u16) -> Self {
        Self(lines)
    }

    /// The standard size that a picture of `width` × `height` was cut from: letterboxed pictures keep their width.
    #[must_use]
    pub fn of_size(width: u32, height: u32) -> Self {
        match (width, height) {
            (7000.., _) => Self(4320),
            (3200.., _) | (_, 2000..) => Self::UHD,
            (2400.., _) | (_, 1300..) => Self::QHD,
            (1800.., _) | (_, 1000..) => Self::FULL_HD,
            (1200.., _) => Self::HD,
            (_, lines) => Self(u16::try_from(lines).unwrap_or(0)),
        }
    }

    /// Lines of the picture.
    #[must_use]
    pub const fn lines(self) -> u16 {
        self.0
    }

    /// For sorting: higher is better; `4k` is 4000, `2k` is 2000, `1080p` is 1080.
    #[must_use]
    pub const fn rank(self) -> u16 {
        match self.0 {
            4320 => 8000,
            2160 => 4000,
            1440 => 2000,
            lines => lines,
        }
    }

    /// Reads `4k`, `2K`, `1080p`, `2160p`, `576i`; `None` for anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (number, unit) = text.trim().split_at_checked(text.trim().len().checked_sub(1)?)?;
        match (number.parse::<u16>().ok()?, unit) {
            (8, "k" | "K") => Some(Self(4320)),
            (4, "k" | "K") => Some(Self::UHD),
            (2, "k" | "K") => Some(Self::QHD),
            (lines, "p" | "P" | "i" | "I") => Some(Self(lines)),
            _ => None,
        }
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            4320 => f.pad("8k"),
            2160 => f.pad("4k"),
            1440 => f.pad("2k"),
            lines => write!(f, "{lines}p"),
        }
    }
}

impl Serialize for Resolution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
