//! What a program asks: `t`, `q`, `imdbid`, `season`, `ep`, `year`, `cat`, `offset`, `limit`. Names are case-insensitive.

use chill_core::content::is_imdb;

use super::Refused;

/// The largest page, and the one that is given when none is asked for.
pub(super) const PAGE: usize = 100;
/// The longest text that is searched for, in bytes.
const TEXT: usize = 500;
/// Categories read of one query.
const CATEGORIES: usize = 100;

/// Torznab's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Caps,
    Search,
    Series,
    Movie,
}

/// How documents are written; `o=json` as some programs want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Xml,
    Json,
}

/// What an address says behind its question mark.
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(super) fn of(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).take(50);
        Self(pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect())
    }

    fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    pub(super) fn names_a_function(&self) -> bool {
        self.text("t").is_some()
    }

    /// # Errors
    /// Torznab's error for a format that is not offered.
    pub(super) fn format(&self) -> Result<Format, Refused> {
        match self.text("o").map(str::to_ascii_lowercase).as_deref() {
            None | Some("xml") => Ok(Format::Xml),
            Some("json") => Ok(Format::Json),
            Some(_) => Err(wrong("o: xml and json are offered")),
        }
    }
}

fn wrong(name: &str) -> Refused {
    Refused::new(201, format!("Incorrect parameter: {name}"))
}

/// One query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) function: Function,
    pub(super) apikey: String,
    pub(super) text: String,
    /// With its `tt`.
    pub(super) imdb: Option<String>,
    pub(super) season: Option<u16>,
    pub(super) episode: Option<u16>,
    pub(super) year: Option<u16>,
    pub(super) categories: Vec<u32>,
    pub(super) offset: usize,
    pub(super) limit: usize,
}

impl Query {
    /// Reads what was asked.
    ///
    /// # Errors
    /// Torznab's error, which names the parameter.
    pub(super) fn read(asked: &Asked) -> Result<Self, Refused> {
        let text = |name: &str| asked.text(name);
        let function = match text("t") {
            None => return Err(Refused::new(200, "Missing parameter: t")),
            Some("caps") => Function::Caps,
            Some("search") => Function::Search,
            Some("tvsearch") => Function::Series,
            Some("movie") => Function::Movie,
            Some(_) => return Err(wrong("t: caps, search, tvsearch and movie are offered")),
        };
        let number = |name: &str| text(name).map(|value| value.parse::<usize>().map_err(|_| wrong(name))).transpose();
        let small = |name: &str| text(name).map(|value| value.parse::<u16>().map_err(|_| wrong(name))).transpose();
        let imdb = text("imdbid").map(|id| if id.starts_with("tt") { id.to_owned() } else { format!("tt{id}") });
        if imdb.as_deref().is_some_and(|imdb| !is_imdb(imdb)) {
            return Err(wrong("imdbid"));
        }
        let words = text("q").unwrap_or_default();
        if words.len() > TEXT {
            return Err(wrong("q"));
        }
        let categories = text("cat").unwrap_or_default().split(',').filter(|id| !id.trim().is_empty()).take(CATEGORIES);
        Ok(Self {
            function,
            apikey: text("apikey").unwrap_or_default().to_owned(),
            text: words.to_owned(),
            imdb,
            season: small("season")?,
            episode: small("ep")?,
            year: small("year")?,
            categories: categories.map(|id| id.trim().parse().map_err(|_| wrong("cat"))).collect::<Result<_, _>>()?,
            offset: number("offset")?.unwrap_or(0),
            limit: number("limit")?.unwrap_or(PAGE).min(PAGE),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case_and_values_are_checked() {
        let read = |text: &str| Query::read(&Asked::of(text));
        let query =
            read("T=tvsearch&Q=Harbour+Lights&SEASON=2&ep=05&IMDBID=0047706&cat=5000,5040,&limit=1000").unwrap();
        assert_eq!((query.function, query.text.as_str()), (Function::Series, "Harbour Lights"));
        assert_eq!((query.season, query.episode, query.imdb.as_deref()), (Some(2), Some(5), Some("tt0047706")));
        assert_eq!((query.categories.as_slice(), query.offset, query.limit), ([5000, 5040].as_slice(), 0, PAGE));
        for (text, code, named) in [
            ("", 200, "t"),
            ("q=x", 200, "t"),
            ("t=details", 201, "t:"),
            ("t=search&limit=x", 201, "limit"),
            ("t=search&offset=-1", 201, "offset"),
            ("t=search&cat=a", 201, "cat"),
            ("t=tvsearch&season=x", 201, "season"),
            ("t=movie&imdbid=x", 201, "imdbid"),
        ] {
            let Refused(told, words) = read(text).unwrap_err();
            assert!(told == code && words.contains(named), "{text}: {told} {words}");
        }
        assert_eq!(Asked::of("t=search&O=JSON").format(), Ok(Format::Json));
        assert_eq!(Asked::of("t=search").format(), Ok(Format::Xml));
        assert!(Asked::of("o=yaml").format().is_err_and(|error| error.0 == 201 && error.1.contains("o:")));
        let long = format!("t=search&q={}", "x".repeat(501));
        assert_eq!(read(&long).unwrap_err().0, 201);
    }
}
