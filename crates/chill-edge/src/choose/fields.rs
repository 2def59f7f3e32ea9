//! The names that filters and templates know a stream's properties by.
//!
//! The first spelling is StremThru's, which viewers recognise; templates also take the second, which is usual in theirs.

use std::borrow::Cow;

use chill_release::{Audio, BitDepth, Codec, Edition, Member, Network, Quality, Set, ThreeD};

use super::candidate::{AtStore, Candidate};
use super::rank::total;
use super::size_text::size_text;

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Flag,
    Number,
    Texts,
    Numbers,
}

/// The value of a property. What is unknown is empty, zero or false, never missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact<'a> {
    Text(Cow<'a, str>),
    Flag(bool),
    Number(i64),
    Texts(Vec<&'a str>),
    Numbers(&'a [u16]),
}

/// One property.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) snake: &'static str,
    pub(crate) shape: Shape,
    pub(crate) read: for<'a> fn(&'a Candidate<'_>) -> Fact<'a>,
}

/// A group of properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// Everything: the names without a dot.
    Stream,
    Addon,
    File,
    Indexer,
    Raw,
    Store,
}

/// What a name within a record means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named {
    Field(&'static Field),
    Record(Record),
}

impl Record {
    /// Groups by their names. `Result` is another name for everything.
    pub(crate) const INNER: &'static [(&'static str, &'static str, Self)] = &[
        ("Addon", "addon", Self::Addon),
        ("File", "file", Self::File),
        ("Indexer", "indexer", Self::Indexer),
        ("Raw", "raw", Self::Raw),
        ("Result", "result", Self::Stream),
        ("Store", "store", Self::Store),
    ];

    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::Stream => STREAM,
            Self::Addon => ADDON,
            Self::File => FILE,
            Self::Indexer => INDEXER,
            Self::Raw => RAW,
            Self::Store => STORE,
        }
    }

    /// Looks a name up in StremThru's spelling.
    pub(crate) fn get(self, name: &str) -> Option<Named> {
        let field = self.fields().iter().find(|field| field.name == name).map(Named::Field);
        field.or_else(|| {
            let inner = Self::INNER.iter().find(|(known, _, _)| self == Self::Stream && *known == name);
            inner.map(|(_, _, record)| Named::Record(*record))
        })
    }

    /// The right spelling of a name in another case or with underscores.
    pub(crate) fn near(self, name: &str) -> Option<&'static str> {
        let plain = name.replace('_', "");
        let inner = Self::INNER.iter().filter(|_| self == Self::Stream).map(|(known, _, _)| *known);
        self.fields().iter().map(|field| field.name).chain(inner).find(|known| known.eq_ignore_ascii_case(&plain))
    }
}

macro_rules! fields {
    ($($name:literal $snake:literal $shape:ident $read:expr;)*) => {
        &[$(Field { name: $name, snake: $snake, shape: Shape::$shape, read: $read },)*]
    };
}

const STREAM: &[Field] = fields! {
    "Title" "title" Text |c| text(&c.release.title);
    "Year" "year" Text |c| maybe(c.release.year.as_deref());
    "Date" "date" Text |c| maybe(c.release.date.as_deref());
    "Seasons" "seasons" Numbers |c| Fact::Numbers(&c.release.seasons);
    "Episodes" "episodes" Numbers |c| Fact::Numbers(&c.release.episodes);
    "Volumes" "volumes" Numbers |c| Fact::Numbers(&c.release.volumes);
    "Complete" "complete" Flag |c| Fact::Flag(c.release.complete);
    "EpisodeCode" "episode_code" Text |c| maybe(c.release.episode_code.as_deref());
    "Resolution" "resolution" Text |c| made(c.release.resolution.map(|resolution| resolution.to_string()));
    "Quality" "quality" Text |c| maybe(c.release.quality.map(Quality::as_str));
    "Codec" "codec" Text |c| maybe(c.release.codec.map(Codec::family));
    "Audio" "audio" Texts |c| Fact::Texts(audio(c.release.audio));
    "Channels" "channels" Texts |c| set(c.release.channels);
    "HDR" "hdr" Texts |c| set(c.release.hdr);
    "BitDepth" "bit_depth" Text |c| maybe(c.release.bit_depth.map(BitDepth::as_str));
    "ThreeD" "three_d" Text |c| maybe(c.release.three_d.map(ThreeD::as_str));
    "Languages" "languages" Texts |c| set(c.release.languages);
    "Edition" "edition" Text |c| maybe(c.release.edition.map(Edition::as_str));
    "Region" "region" Text |c| maybe(c.release.region.as_deref());
    "Network" "network" Text |c| maybe(c.release.network.map(Network::as_str));
    "Group" "group" Text |c| maybe(c.release.group.as_deref());
    "Site" "site" Text |c| maybe(c.release.site.as_deref());
    "Container" "container" Text |c| maybe(c.release.container);
    "Extension" "extension" Text |c| maybe(c.release.extension);
    "Size" "size" Text |c| made(total(c).map(size_text));
    "ReleaseTypes" "release_types" Texts |c| set(c.release.release_types);
    "Commentary" "commentary" Flag |c| Fact::Flag(c.release.commentary);
    "Convert" "convert" Flag |c| Fact::Flag(c.release.convert);
    "Documentary" "documentary" Flag |c| Fact::Flag(c.release.documentary);
    "Dubbed" "dubbed" Flag |c| Fact::Flag(c.release.dubbed);
    "Extended" "extended" Flag |c| Fact::Flag(c.release.extended);
    "Hardcoded" "hardcoded" Flag |c| Fact::Flag(c.release.hardcoded);
    "Proper" "proper" Flag |c| Fact::Flag(c.release.proper);
    "Remastered" "remastered" Flag |c| Fact::Flag(c.release.remastered);
    "Repack" "repack" Flag |c| Fact::Flag(c.release.repack);
    "Retail" "retail" Flag |c| Fact::Flag(c.release.retail);
    "Subbed" "subbed" Flag |c| Fact::Flag(c.release.subbed);
    "Uncensored" "uncensored" Flag |c| Fact::Flag(c.release.uncensored);
    "Unrated" "unrated" Flag |c| Fact::Flag(c.release.unrated);
    "Upscaled" "upscaled" Flag |c| Fact::Flag(c.release.upscaled);
    "BitRate" "bit_rate" Number |c| Fact::Number(c.bit_rate.map_or(0, number));
    "Category" "category" Text |c| text(c.category.as_str());
    "Season" "season" Number |c| Fact::Number(c.wanted.map_or(NONE, |(season, _)| i64::from(season)));
    "Episode" "episode" Number |c| Fact::Number(c.wanted.map_or(NONE, |(_, episode)| i64::from(episode)));
    "Hash" "hash" Text |c| made(Some(c.hash.to_string()));
    "IsPrivate" "is_private" Flag |c| Fact::Flag(c.private);
    "Kind" "kind" Text |c| text(c.kind.as_str());
    "Seeders" "seeders" Number |c| Fact::Number(i64::from(c.seeders.unwrap_or(0)));
    "Subtitles" "subtitles" Texts |c| set(c.subtitles);
    "TTitle" "t_title" Text |c| text(c.title);
};

const ADDON: &[Field] = fields! {
    "Name" "name" Text |c| text(c.addon);
};

const FILE: &[Field] = fields! {
    "Idx" "idx" Number |c| Fact::Number(c.file.index.map_or(NONE, i64::from));
    "Name" "name" Text |c| maybe(c.file.name);
    "Size" "size" Text |c| made(c.file.size.map(size_text));
};

const INDEXER: &[Field] = fields! {
    "Name" "name" Text |c| text(c.indexer);
};

/// Texts of a stream that another addon made; ours are made here.
const RAW: &[Field] = fields! {
    "Name" "name" Text |_| text("");
    "Description" "description" Text |_| text("");
};

const STORE: &[Field] = fields! {
    "Code" "code" Text |c| made(c.store.map(|store| store.code.as_str().to_ascii_uppercase()));
    "Name" "name" Text |c| maybe(c.store.map(|store| store.code.name()));
    "IsCached" "is_cached" Flag |c| flag(c.store, |store| store.cached);
    "IsProxied" "is_proxied" Flag |c| flag(c.store, |store| store.proxied);
};

/// An index, season or episode that is not there.
const NONE: i64 = -1;

fn text(text: &str) -> Fact<'_> {
    Fact::Text(Cow::Borrowed(text))
}

fn maybe(text: Option<&str>) -> Fact<'_> {
    Fact::Text(Cow::Borrowed(text.unwrap_or_default()))
}

fn made<'a>(text: Option<String>) -> Fact<'a> {
    Fact::Text(text.map_or(Cow::Borrowed(""), Cow::Owned))
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn flag<'a>(store: Option<AtStore>, is: fn(AtStore) -> bool) -> Fact<'a> {
    Fact::Flag(store.is_some_and(is))
}

fn set<'a, T: Member>(set: Set<T>) -> Fact<'a> {
    Fact::Texts(set.iter().map(Member::as_str).collect())
}

/// Sound formats by one name each, in their order.
pub(crate) fn audio<'a>(formats: Set<Audio>) -> Vec<&'a str> {
    formats.iter().map(Audio::family).collect::<Set<Audio>>().iter().map(Audio::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::trial;

    #[test]
    fn every_property_has_the_type_it_claims() {
        let release = trial::film();
        let full = trial::candidate(&release);
        let nothing = chill_release::Release::default();
        let bare = trial::bare(&nothing);
        for record in [Record::Stream, Record::Addon, Record::File, Record::Indexer, Record::Raw, Record::Store] {
            for field in record.fields() {
                for candidate in [&full, &bare] {
                    let shape = match (field.read)(candidate) {
                        Fact::Text(_) => Shape::Text,
                        Fact::Flag(_) => Shape::Flag,
                        Fact::Number(_) => Shape::Number,
                        Fact::Texts(_) => Shape::Texts,
                        Fact::Numbers(_) => Shape::Numbers,
                    };
                    assert_eq!(shape, field.shape, "{}", field.name);
                }
            }
        }
    }

    #[test]
    fn names_are_found_in_their_own_record_only() {
        assert!(matches!(Record::Stream.get("Resolution"), Some(Named::Field(field)) if field.snake == "resolution"));
        assert!(matches!(Record::Stream.get("Result"), Some(Named::Record(Record::Stream))));
        assert!(Record::Stream.get("resolution").is_none() && Record::File.get("Store").is_none());
        assert_eq!(Record::Stream.near("is_private"), Some("IsPrivate"));
        assert_eq!(Record::Stream.near("store"), Some("Store"));
        assert_eq!(Record::File.near("store"), None);
    }

    #[test]
    fn sound_has_one_name_per_format() {
        assert_eq!(audio([Audio::Ac3, Audio::Dd, Audio::Eac3].into_iter().collect()), ["DDP", "DD"]);
    }
}
