//! Where a picture was taken from, and which source is better.

use crate::values::text_enum;

text_enum! {
    /// The source of the picture.
    Quality {
        BluRayRemux => "BluRay REMUX",
        Remux => "REMUX",
        WebMux => "WEBMux",
        BdMux => "BDMux",
        DvdMux => "DVDMux",
        BluRay => "BluRay",
        BrRip => "BRRip",
        BdRip => "BDRip",
        UhdRip => "UHDRip",
        WebDl => "WEB-DL",
        WebDlRip => "WEB-DLRip",
        WebRip => "WEBRip",
        Web => "WEB",
        HdRip => "HDRip",
        HdTvRip => "HDTVRip",
        HdTv => "HDTV",
        DvdRip => "DVDRip",
        Dvd => "DVD",
        SatRip => "SATRip",
        TvRip => "TVRip",
        Pdtv => "PDTV",
        PpvRip => "PPVRip",
        R5 => "R5",
        Cam => "CAM",
        TeleSync => "TeleSync",
        TeleCine => "TeleCine",
        Screener => "SCR",
        Xvid => "XviD",
        Divx => "DivX",
    }
}

impl Quality {
    /// For sorting: higher is better, 0 says nothing about the source.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::BluRayRemux | Self::Remux => 100,
            Self::WebMux | Self::BdMux | Self::DvdMux => 99,
            Self::BluRay => 98,
            Self::BrRip => 96,
            Self::BdRip => 94,
            Self::UhdRip => 92,
            Self::WebDl | Self::WebDlRip => 89,
            Self::WebRip => 85,
            Self::Web => 80,
            Self::HdRip | Self::HdTvRip => 79,
            Self::HdTv => 75,
            Self::DvdRip | Self::Dvd => 60,
            Self::SatRip => 59,
            Self::TvRip | Self::Pdtv => 57,
            Self::PpvRip => 55,
            Self::R5 => 50,
            Self::Cam => 40,
            Self::TeleSync | Self::TeleCine => 30,
            Self::Screener => 20,
            Self::Xvid | Self::Divx => 0,
        }
    }

    /// Reads the text form back, in any case; `None` for a text that names no source.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        use crate::set::Member;
        Self::ALL.iter().copied().find(|quality| quality.as_str().eq_ignore_ascii_case(text))
    }
}
