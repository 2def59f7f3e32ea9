//! What single words mean. The words themselves are data, in the tables below `lexicon/`.

mod counts;
mod languages;
mod marks;
mod pictures;
mod sounds;

use std::sync::LazyLock;

use crate::language::Language;
use crate::quality::Quality;
use crate::values::{Audio, Channels, Codec, Edition, Hdr, Network, ReleaseType, ThreeD};

/// A remark that is a flag of the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    Commentary,
    Convert,
    Documentary,
    Dubbed,
    Hardcoded,
    Proper,
    Remastered,
    Repack,
    Retail,
    Subbed,
    Uncensored,
    Unrated,
    Upscaled,
}

/// A container format that names remark on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Mkv,
    Avi,
    Mp4,
    Wmv,
    Mpg,
}

impl Container {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Mkv => "mkv",
            Self::Avi => "avi",
            Self::Mp4 => "mp4",
            Self::Wmv => "wmv",
            Self::Mpg => "mpg",
        }
    }
}

/// How much a word must be helped by its surroundings to mean a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Means the language anywhere, even before the title ends.
    Sure,
    /// A language's name: means it after the title.
    Name,
    /// A code that is no word of its own: after the title.
    Code,
    /// A code that is a word or a name too: in capitals, in brackets or beside another language.
    Doubtful,
    /// A two-letter code that counts in capitals.
    Short,
    /// A two-letter code that counts in capitals beside another language.
    Shortest,
}

/// What a word means by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    None,
    /// A source, wherever it stands.
    Source(Quality),
    /// A source once the title is over.
    LateSource(Quality),
    Web,
    Blu,
    Dvd,
    Hd,
    Bd,
    Uhd,
    Tv,
    Sat,
    Pre,
    Hq,
    Ppv,
    Rip,
    Dl,
    DlRip,
    Ray,
    Mux,
    Remux,
    Scr,
    Ts,
    Tc,
    Cam,
    Codec(Codec),
    /// `h` or `x` before 264 and 265.
    CodecLetter,
    Mpeg,
    Dts,
    Ma,
    Hr,
    True,
    Audio(Audio),
    Ac,
    Dolby,
    Dd,
    Vision,
    Digital,
    Plus,
    Clean,
    Channels(Channels),
    Ch,
    Hdr(Hdr),
    Hdr10,
    /// A name for a number of lines.
    Lines(u16),
    Dv,
    Bit,
    Hi,
    Picture(ThreeD),
    Half,
    Full,
    Side,
    Over,
    Edition(Edition),
    LateEdition(Edition),
    Extended,
    Director,
    Collector,
    Special,
    Ultimate,
    Anniversary,
    Final,
    Cut,
    EditionNoun,
    Flag(Flag),
    LateFlag(Flag),
    Sub,
    Dub,
    Multi,
    Dual,
    Tri,
    Track,
    Network(Network),
    LateNetwork(Network),
    Adult,
    Animal,
    Cartoon,
    Apple,
    Container(Container),
    Language(Language, Trust),
    Latin,
    Brazil,
    /// `complete`, `integrale`.
    Complete,
    /// `trilogy`, `anthology`: several films, and no part of the title.
    Cycle,
    /// `saga`: several films, and a part of the title.
    Saga,
    Collection,
    All,
    Box,
    Movies,
    Movie,
    Season,
    /// `series`: a season in British names, a pack in others.
    Series,
    Temporada,
    /// `s`, `t` before a number.
    SeasonLetter,
    Episode,
    EpisodeLetter,
    Cap,
    Volume,
    Part,
    Times,
    Of,
    To,
    And,
    Unit,
    ReleaseType(ReleaseType),
    Month(u8),
    Ordinal,
    Region,
}

const TABLES: [&[(&str, Word)]; 5] = [pictures::WORDS, sounds::WORDS, marks::WORDS, counts::WORDS, languages::WORDS];

/// Every word of the tables.
#[cfg(test)]
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().flatten().map(|(word, _)| *word)
}

const SLOTS: usize = 4096;

struct Table {
    slots: Vec<Option<(&'static str, Word)>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { slots: vec![None; SLOTS] };
    for words in TABLES {
        words.iter().for_each(|(word, meaning)| table.insert(word, *meaning));
    }
    table
});

impl Table {
    fn insert(&mut self, word: &'static str, meaning: Word) {
        let mut at = hash(word.as_bytes());
        while let Some(slot) = self.slots.get_mut(at) {
            match slot {
                None => {
                    *slot = Some((word, meaning));
                    return;
                }
                Some((taken, _)) if *taken == word => return,
                Some(_) => at = (at + 1) % SLOTS,
            }
        }
    }
}

fn hash(word: &[u8]) -> usize {
    let sum = word.iter().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (sum ^ (sum >> 15)) as usize % SLOTS
}

/// The meaning of a lower-cased word.
pub(crate) fn look_up(word: &[u8]) -> Word {
    if word.len() > 24 {
        return Word::None;
    }
    let mut at = hash(word);
    while let Some(Some((known, meaning))) = TABLE.slots.get(at) {
        if known.as_bytes() == word {
            return *meaning;
        }
        at = (at + 1) % SLOTS;
    }
    Word::None
}
