//! Everything a release name says.

use serde::Serialize;

use crate::language::Language;
use crate::quality::Quality;
use crate::resolution::Resolution;
use crate::set::Set;
use crate::values::{Audio, BitDepth, Channels, Codec, Edition, Hdr, Network, ReleaseType, ThreeD};

/// What [`crate::parse`] read from a name. A field that the name does not mention is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Title of the film or series, without year, numbers and remarks.
    pub title: String,
    /// `YYYY`, or `YYYY-YYYY` for a collection.
    pub year: Option<String>,
    /// Broadcast date, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Season numbers, ranges written out; at most [`crate::MAX_NUMBERS`] of at most [`crate::MAX_NUMBER`].
    pub seasons: Vec<u16>,
    /// Episode numbers, ranges written out; bounded as the seasons are. Empty for a whole season.
    pub episodes: Vec<u16>,
    /// Volume numbers, ranges written out; bounded as the seasons are.
    pub volumes: Vec<u16>,
    /// A whole series, season, or collection of films.
    pub complete: bool,
    /// CRC-32 of the file in eight hexadecimal digits, as anime groups write it.
    pub episode_code: Option<String>,
    /// Size of the picture.
    pub resolution: Option<Resolution>,
    /// Source of the picture.
    pub quality: Option<Quality>,
    /// Video codec.
    pub codec: Option<Codec>,
    /// Sound formats.
    pub audio: Set<Audio>,
    /// Loudspeaker layouts.
    pub channels: Set<Channels>,
    /// Dynamic ranges.
    pub hdr: Set<Hdr>,
    /// Bits per colour component.
    pub bit_depth: Option<BitDepth>,
    /// Stereoscopic packing.
    pub three_d: Option<ThreeD>,
    /// Languages of sound and subtitles, with the remarks `multi subs`, `multi audio`, `dual audio`.
    pub languages: Set<Language>,
    /// Cut of the film.
    pub edition: Option<Edition>,
    /// DVD region, such as `R5`.
    pub region: Option<String>,
    /// Broadcaster or streaming service.
    pub network: Option<Network>,
    /// Release group.
    pub group: Option<String>,
    /// Site that put its name in.
    pub site: Option<String>,
    /// Container format, lower-case, from the extension or a remark.
    pub container: Option<&'static str>,
    /// File extension, lower-case, without the dot.
    pub extension: Option<&'static str>,
    /// Size as written, such as `1.4GB`; see [`crate::size_bytes`].
    pub size: Option<String>,
    /// OVA, OAD, ONA.
    pub release_types: Set<ReleaseType>,
    /// With commentary.
    pub commentary: bool,
    /// Converted from another standard.
    pub convert: bool,
    /// A documentary.
    pub documentary: bool,
    /// Dubbed, or with several sound tracks.
    pub dubbed: bool,
    /// An extended cut.
    pub extended: bool,
    /// Subtitles burnt into the picture.
    pub hardcoded: bool,
    /// A better release of the same thing.
    pub proper: bool,
    /// Remastered.
    pub remastered: bool,
    /// Packed again by the same group.
    pub repack: bool,
    /// From a retail disc.
    pub retail: bool,
    /// With subtitles.
    pub subbed: bool,
    /// Uncensored.
    pub uncensored: bool,
    /// Unrated.
    pub unrated: bool,
    /// Scaled up from a smaller picture.
    pub upscaled: bool,
}

impl Release {
    /// First and last year the name gives; equal unless it names a range.
    #[must_use]
    pub fn years(&self) -> Option<(u16, u16)> {
        let text = self.year.as_deref()?;
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some((first.parse().ok()?, last.parse().ok()?))
    }
}
