//! Languages by their three-letter codes.

/// Code and the upper-case code of ISO 639-2/T, with the region where a language has several.
const NAMES: &[(&str, &str)] = &[
    ("multi subs", "MSubs"),
    ("multi audio", "MAud"),
    ("dual audio", "DAud"),
    ("dub", "Dub"),
    ("ar", "ARA"),
    ("bg", "BUL"),
    ("bn", "BEN"),
    ("cs", "CES"),
    ("da", "DAN"),
    ("de", "DEU"),
    ("el", "ELL"),
    ("en", "ENG"),
    ("es", "SPA"),
    ("es-419", "SPA(LA)"),
    ("es-mx", "SPA(MX)"),
    ("et", "EST"),
    ("fa", "FAS"),
    ("fi", "FIN"),
    ("fr", "FRA"),
    ("gu", "GUJ"),
    ("he", "HEB"),
    ("hi", "HIN"),
    ("hr", "HRV"),
    ("hu", "HUN"),
    ("id", "IND"),
    ("it", "ITA"),
    ("ja", "JPN"),
    ("kn", "KAN"),
    ("ko", "KOR"),
    ("lt", "LIT"),
    ("lv", "LAV"),
    ("ml", "MAL"),
    ("mr", "MAR"),
    ("ms", "MSA"),
    ("nl", "NLD"),
    ("no", "NOR"),
    ("pa", "PAN"),
    ("pl", "POL"),
    ("pt", "POR"),
    ("pt-br", "POR(BR)"),
    ("pt-pt", "POR"),
    ("ro", "RON"),
    ("ru", "RUS"),
    ("sk", "SLK"),
    ("sl", "SLV"),
    ("sr", "SRP"),
    ("sv", "SWE"),
    ("ta", "TAM"),
    ("te", "TEL"),
    ("th", "THA"),
    ("tr", "TUR"),
    ("uk", "UKR"),
    ("vi", "VIE"),
    ("zh", "ZHO"),
    ("zh-tw", "ZHO(TW)"),
];

/// An unknown code comes back as it is.
pub(super) fn iso_name(code: &str) -> &str {
    NAMES.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chill_release::{Language, Member};

    #[test]
    fn every_language_of_a_name_has_one() {
        for language in Language::ALL {
            assert_ne!(iso_name(language.as_str()), language.as_str(), "{language}");
        }
        assert_eq!(iso_name("??"), "??");
    }
}
