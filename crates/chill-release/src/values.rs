//! The closed lists of values a name can carry, each with its text form.

/// Declares a fieldless enum whose variants have a text form.
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($variant:ident => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name {
            $(#[doc = $text] $variant,)+
        }

        impl $crate::set::Member for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn index(self) -> usize {
                self as usize
            }

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl $name {
            /// The text form, as viewers and filters see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                <Self as $crate::set::Member>::as_str(self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use text_enum;

text_enum! {
    /// The video codec, as the name writes it.
    Codec {
        X264 => "x264",
        H264 => "h264",
        X265 => "x265",
        H265 => "h265",
        Hevc => "hevc",
        Avc => "avc",
        Av1 => "av1",
        Vp9 => "vp9",
        Vc1 => "vc1",
        Xvid => "xvid",
        Divx => "divx",
        Mpeg2 => "mpeg2",
    }
}

impl Codec {
    /// One name per standard: `AVC`, `HEVC`, `MPEG-2`, …
    #[must_use]
    pub fn family(self) -> &'static str {
        match self {
            Self::X264 | Self::H264 | Self::Avc => "AVC",
            Self::X265 | Self::H265 | Self::Hevc => "HEVC",
            Self::Av1 => "AV1",
            Self::Vp9 => "VP9",
            Self::Vc1 => "VC-1",
            Self::Xvid => "Xvid",
            Self::Divx => "DivX",
            Self::Mpeg2 => "MPEG-2",
        }
    }
}

text_enum! {
    /// A sound format.
    Audio {
        DtsLossless => "DTS Lossless",
        DtsLossy => "DTS Lossy",
        Atmos => "Atmos",
        TrueHd => "TrueHD",
        Flac => "FLAC",
        Ddp => "DDP",
        Eac3 => "EAC3",
        Dd => "DD",
        Ac3 => "AC3",
        Aac => "AAC",
        Pcm => "PCM",
        Opus => "OPUS",
        Hq => "HQ",
        Mp3 => "MP3",
    }
}

impl Audio {
    /// One name per format: `AC3` is `DD`, `EAC3` is `DDP`.
    #[must_use]
    pub fn family(self) -> Self {
        match self {
            Self::Ac3 => Self::Dd,
            Self::Eac3 => Self::Ddp,
            other => other,
        }
    }
}

text_enum! {
    /// A loudspeaker layout.
    Channels {
        Two => "2.0",
        TwoOne => "2.1",
        FiveOne => "5.1",
        SixOne => "6.1",
        SevenOne => "7.1",
        Stereo => "stereo",
        Mono => "mono",
    }
}

text_enum! {
    /// A dynamic range.
    Hdr {
        DolbyVision => "DV",
        TenPlus => "HDR10+",
        High => "HDR",
        Standard => "SDR",
    }
}

text_enum! {
    /// Bits per colour component.
    BitDepth {
        Eight => "8bit",
        Ten => "10bit",
        Twelve => "12bit",
    }
}

text_enum! {
    /// How a stereoscopic picture is packed.
    ThreeD {
        Plain => "3D",
        Sbs => "3D SBS",
        HalfSbs => "3D HSBS",
        Ou => "3D OU",
        HalfOu => "3D HOU",
    }
}

text_enum! {
    /// A particular cut of a film.
    Edition {
        Anniversary => "Anniversary Edition",
        Ultimate => "Ultimate Edition",
        Directors => "Director's Cut",
        Extended => "Extended Edition",
        Collectors => "Collector's Edition",
        Theatrical => "Theatrical",
        Uncut => "Uncut",
        Imax => "IMAX",
        Diamond => "Diamond Edition",
        Special => "Special Edition",
        Final => "Final Cut",
        Criterion => "Criterion Collection",
        Remastered => "Remastered",
    }
}

text_enum! {
    /// The broadcaster or streaming service a release was taken from.
    Network {
        AdultSwim => "Adult Swim",
        Amazon => "Amazon",
        Amc => "AMC",
        AnimalPlanet => "Animal Planet",
        AppleTv => "Apple TV",
        Bbc => "BBC",
        Cartoon => "Cartoon Network",
        Cbs => "CBS",
        Crunchyroll => "Crunchyroll",
        Disney => "Disney",
        Hallmark => "Hallmark",
        Hbo => "HBO",
        Hulu => "Hulu",
        Itunes => "iTunes",
        MoviesAnywhere => "Movies Anywhere",
        Nbc => "NBC",
        Netflix => "Netflix",
        Nickelodeon => "Nickelodeon",
        Paramount => "Paramount+",
        Pbs => "PBS",
        Peacock => "Peacock",
        Sony => "Sony",
        Stan => "Stan",
        Vice => "VICE",
    }
}

text_enum! {
    /// The way an animation outside a regular run came out.
    ReleaseType {
        Ova => "OVA",
        Oad => "OAD",
        Ona => "ONA",
    }
}
