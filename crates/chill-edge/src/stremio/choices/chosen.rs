//! A viewer's choices, compiled: which streams are shown, in which order, and what they are called.

use std::collections::{HashMap, HashSet};

use chill_release::{Language, Set};

use super::Choices;
use crate::choose::filter::Pattern;
use crate::choose::template::Part;
use crate::choose::{Candidate, Filter, Order, Presentation, Shown, SortKey, Template};

/// Compiled choices.
#[derive(Debug)]
pub(crate) struct Chosen {
    order: Order,
    filter: Option<Filter>,
    hidden: Option<Pattern>,
    presentation: Option<Presentation>,
    cached: bool,
    total: usize,
    each: usize,
    preferred: Set<Language>,
    required: Set<Language>,
}

/// Which text of the viewer's is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Sort,
    Filter,
    Hide,
    Name,
    Description,
}

/// What is wrong with one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) field: Field,
    /// Byte offset in the text, where it is known.
    pub(crate) offset: Option<usize>,
    /// A sentence, with line and column where they are known.
    pub(crate) message: String,
}

impl Field {
    /// The key in a link, and the name in the form.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Sort => "sort",
            Self::Filter => "filter",
            Self::Hide => "hide",
            Self::Name => "tn",
            Self::Description => "td",
        }
    }

    /// For people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Sort => "the order",
            Self::Filter => "the filter",
            Self::Hide => "the pattern of hidden names",
            Self::Name => "the template of the name",
            Self::Description => "the template of the description",
        }
    }
}

impl Chosen {
    /// Compiles all texts. It may take some milliseconds of CPU and blocks, so call it off the async threads.
    ///
    /// # Errors
    /// Every text that is wrong.
    pub(crate) fn compile(choices: &Choices) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut wrong = |field, offset, message: String| mistakes.push(Mistake { field, offset, message });
        let order = Order::parse(&choices.sort).map_err(|error| wrong(Field::Sort, None, error.to_string()));
        let filter = Filter::compile(&choices.filter)
            .map_err(|error| wrong(Field::Filter, Some(error.offset), error.to_string()));
        let hidden = Pattern::of_names(&choices.hide).map_err(|message| wrong(Field::Hide, None, message));
        let mut tried = |part, field, source: &str| {
            Template::compile(part, source).map_err(|error| wrong(field, None, error.to_string())).is_ok()
        };
        let named = tried(Part::Name, Field::Name, &choices.name);
        let described = tried(Part::Description, Field::Description, &choices.description);
        let presentation = Presentation::compile(&choices.name, &choices.description);
        let (true, true, Ok(order), Ok(filter), Ok(hidden), Ok(presentation)) =
            (named, described, order, filter, hidden, presentation)
        else {
            return Err(mistakes);
        };
        let own = !choices.name.is_empty() || !choices.description.is_empty();
        Ok(Self {
            order,
            filter: (!choices.filter.is_empty()).then_some(filter),
            hidden,
            presentation: own.then_some(presentation),
            cached: choices.cached,
            total: limit(choices.total),
            each: limit(choices.each),
            preferred: choices.preferred.iter().filter_map(|code| Language::from_code(code)).collect(),
            required: choices.required.iter().filter_map(|code| Language::from_code(code)).collect(),
        })
    }

    /// Positions of the streams that are shown, in order, at most `most`: what plays at once first, then preferred
    /// languages, then the viewer's order. Of streams with the same name and size only the first is shown.
    pub(crate) fn pick(&self, streams: &[Candidate<'_>], most: usize) -> Vec<usize> {
        let kept = streams.iter().enumerate().filter(|(_, stream)| self.keeps(stream));
        let mut kept: Vec<(_, usize)> = kept.map(|(index, stream)| (self.rank(stream), index)).collect();
        kept.sort_unstable();
        let most = most.min(self.total);
        let (mut seen, mut resolutions) = (HashSet::new(), HashMap::new());
        let mut shown = Vec::with_capacity(kept.len().min(most));
        for (_, index) in kept {
            if shown.len() >= most {
                break;
            }
            let Some(stream) = streams.get(index) else { continue };
            let of_resolution = resolutions.entry(stream.release.resolution).or_insert(0_usize);
            if *of_resolution >= self.each || stream.size.is_some_and(|size| !seen.insert((stream.title, size))) {
                continue;
            }
            *of_resolution += 1;
            shown.push(index);
        }
        shown
    }

    /// The texts for a stream; none when the viewer has no templates of his own.
    pub(crate) fn show(&self, stream: &Candidate<'_>) -> Option<Shown> {
        self.presentation.as_ref().map(|presentation| presentation.show(stream))
    }

    fn rank(&self, stream: &Candidate<'_>) -> (bool, bool, SortKey) {
        let preferred = stream.release.languages.iter().any(|language| self.preferred.contains(language));
        (!is_cached(stream), !preferred, self.order.key(stream))
    }

    fn keeps(&self, stream: &Candidate<'_>) -> bool {
        (!self.cached || is_cached(stream))
            && self.speaks(stream.release.languages)
            && !self.hides(stream)
            && self.filter.as_ref().is_none_or(|filter| filter.keeps(stream))
    }

    /// The torrent's name or the file's is one that the viewer does not want to see.
    fn hides(&self, stream: &Candidate<'_>) -> bool {
        let matches = |name: &str| self.hidden.as_ref().is_some_and(|pattern| pattern.is_match(name));
        matches(stream.title) || stream.file.name.is_some_and(matches)
    }

    /// A release that names no language, or says that it has several, may have the required one.
    fn speaks(&self, languages: Set<Language>) -> bool {
        let several = |language| matches!(language, Language::MultiAudio | Language::DualAudio);
        let spoken = |language| language != Language::MultiSubs;
        self.required.is_empty()
            || !languages.iter().any(spoken)
            || languages.iter().any(|language| several(language) || self.required.contains(language))
    }
}

fn is_cached(stream: &Candidate<'_>) -> bool {
    stream.store.is_some_and(|store| store.cached)
}

fn limit(number: u16) -> usize {
    if number == 0 { usize::MAX } else { usize::from(number) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::{AtStore, Category, ChosenFile, Kind};
    use chill_core::{InfoHash, StoreCode};
    use chill_release::{Release, parse};

    /// Name, GiB, cached.
    const NAMES: [(&str, u64, bool); 6] = [
        ("Quiet.Hills.1968.2160p.WEB-DL.x265-A", 12, false),
        ("Quiet.Hills.1968.1080p.BluRay.x264-B", 9, true),
        ("Quiet.Hills.1968.1080p.WEB-DL.GERMAN.x264-C", 4, true),
        ("Quiet.Hills.1968.1080p.WEB-DL.MULTI.x264-D", 5, true),
        ("Quiet.Hills.1968.720p.WEB-DL.ENGLISH.x264-E", 2, true),
        ("Quiet.Hills.1968.1080p.BluRay.x264-B", 9, true),
    ];

    fn picked(choices: &Choices) -> String {
        let releases: Vec<Release> = NAMES.iter().map(|(name, ..)| parse(name)).collect();
        let streams: Vec<Candidate<'_>> = NAMES
            .iter()
            .zip(&releases)
            .map(|((title, size, cached), release)| Candidate {
                addon: "Torz",
                category: Category::Movie,
                kind: Kind::Torz,
                wanted: None,
                release,
                hash: InfoHash::from_bytes([1; 20]),
                title,
                size: Some(size << 30),
                seeders: None,
                indexer: "",
                private: false,
                file: ChosenFile::default(),
                store: Some(AtStore { code: StoreCode::TorBox, cached: *cached, proxied: false }),
                bit_rate: None,
                subtitles: Set::EMPTY,
            })
            .collect();
        let chosen = Chosen::compile(choices).unwrap();
        chosen.pick(&streams, 100).into_iter().map(|index| NAMES[index].0.chars().last().unwrap()).collect()
    }

    #[test]
    fn each_choice_does_what_it_says() {
        let base = Choices::default;
        let cases = [
            ("nothing: cached first, the best first, equals once", base(), "BDCEA"),
            ("sort", Choices { sort: "size".to_owned(), ..base() }, "ECDBA"),
            ("filter", Choices { filter: r#"Resolution >= "1080p""#.to_owned(), ..base() }, "BDCA"),
            ("hide", Choices { hide: r"web-?dl\.(ger|eng)".to_owned(), ..base() }, "BDA"),
            ("cached", Choices { cached: true, ..base() }, "BDCE"),
            ("total", Choices { total: 2, ..base() }, "BD"),
            ("per resolution", Choices { each: 1, ..base() }, "BEA"),
            ("preferred", Choices { preferred: vec!["de"], ..base() }, "CBDEA"),
            ("required", Choices { required: vec!["en"], ..base() }, "BDEA"),
        ];
        for (what, choices, expected) in cases {
            assert_eq!(picked(&choices), expected, "{what}");
        }
    }

    #[test]
    fn a_hostile_pattern_is_refused_or_ends_soon() {
        for pattern in ["((a{1000}){1000}){1000}", r"\w{2000}", &"(".repeat(1_000), &"a|".repeat(5_000)] {
            let choices = Choices { hide: pattern.to_owned(), ..Choices::default() };
            assert_eq!(Chosen::compile(&choices).unwrap_err()[0].field, Field::Hide);
        }
        let begun = std::time::Instant::now();
        for pattern in ["(a+)+$b", "(.*)(.*)(.*)(.*)(.*)x$", "(a*)*(a*)*(a*)*d"] {
            let pattern = Pattern::of_names(pattern).unwrap().unwrap();
            for _ in 0..1_000 {
                pattern.is_match(&"a".repeat(512));
            }
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn every_wrong_text_is_told() {
        let choices = Choices {
            sort: "colour".to_owned(),
            filter: "Seeders >".to_owned(),
            hide: "(cam".to_owned(),
            name: "{{ Colour }}".to_owned(),
            description: "{% if %}".to_owned(),
            ..Choices::default()
        };
        let mistakes = Chosen::compile(&choices).unwrap_err();
        let fields: Vec<Field> = mistakes.iter().map(|mistake| mistake.field).collect();
        assert_eq!(fields, [Field::Sort, Field::Filter, Field::Hide, Field::Name, Field::Description]);
        assert_eq!(mistakes[1].offset, Some(9));
        assert!(mistakes[2].message.contains("no pattern"), "{}", mistakes[2].message);
        assert!(mistakes[1].message.contains("column 10"), "{}", mistakes[1].message);
    }
}
