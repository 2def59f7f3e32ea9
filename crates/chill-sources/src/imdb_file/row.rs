//! One line of the dataset: tab-separated, without quotes, `\N` for nothing.

/// The longest title, in characters.
const TITLE: usize = 300;

/// A film or series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TitleRow {
    /// IMDb id with its `tt`.
    pub imdb: String,
    /// What it is.
    pub kind: TitleKind,
    /// What it is called; for most the English name.
    pub title: String,
    /// What it is called where it comes from, when that is something else.
    pub original_title: Option<String>,
    /// Year of the film, or the first year of the series.
    pub year: Option<u16>,
}

/// The kinds of titles that people watch as films or series. Episodes and games are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TitleKind {
    /// `movie`.
    Movie,
    /// `short`.
    Short,
    /// `tvMovie`.
    TvMovie,
    /// `tvShort`.
    TvShort,
    /// `tvSpecial`.
    TvSpecial,
    /// `video`: a film that never was in a cinema.
    Video,
    /// `tvSeries`.
    TvSeries,
    /// `tvMiniSeries`.
    TvMiniSeries,
}

impl TitleKind {
    const ALL: [Self; 8] = [
        Self::Movie,
        Self::Short,
        Self::TvMovie,
        Self::TvShort,
        Self::TvSpecial,
        Self::Video,
        Self::TvSeries,
        Self::TvMiniSeries,
    ];

    /// IMDb's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Movie => "movie",
            Self::Short => "short",
            Self::TvMovie => "tvMovie",
            Self::TvShort => "tvShort",
            Self::TvSpecial => "tvSpecial",
            Self::Video => "video",
            Self::TvSeries => "tvSeries",
            Self::TvMiniSeries => "tvMiniSeries",
        }
    }

    /// Whether it has episodes.
    #[must_use]
    pub fn is_series(self) -> bool {
        matches!(self, Self::TvSeries | Self::TvMiniSeries)
    }

    fn read(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().as_bytes() == word)
    }
}

/// A line without id or title.
#[derive(Debug)]
pub(super) struct Unreadable;

/// The title in a line; none when it is of a kind that is not wanted.
pub(super) fn read(line: &[u8]) -> Result<Option<TitleRow>, Unreadable> {
    let mut columns = line.trim_ascii_end().split(|byte| *byte == b'\t');
    let (Some(id), Some(kind), Some(title)) = (columns.next(), columns.next(), columns.next()) else {
        return Err(Unreadable);
    };
    let Some(kind) = TitleKind::read(kind) else { return Ok(None) };
    let original_title = columns.next().and_then(text);
    let year = columns.nth(1).and_then(year);
    let title = text(title).ok_or(Unreadable)?;
    let original_title = original_title.filter(|original| *original != title);
    Ok(Some(TitleRow { imdb: imdb(id).ok_or(Unreadable)?, kind, title, original_title, year }))
}

fn imdb(id: &[u8]) -> Option<String> {
    let digits = id.strip_prefix(b"tt")?;
    let whole = (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(id).ok().filter(|_| whole).map(str::to_owned)
}

fn text(column: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(column);
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(TITLE).collect();
    (!text.is_empty() && text != "\\N").then_some(text)
}

fn year(column: &[u8]) -> Option<u16> {
    let year = std::str::from_utf8(column).ok()?.parse().ok()?;
    (1870..=2200).contains(&year).then_some(year)
}
