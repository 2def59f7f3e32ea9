//! Languages of sound and subtitles: codes, names, flags.

use crate::set::Member;
use crate::values::text_enum;

text_enum! {
    /// A language a name mentions, or a remark about several; listed in this order.
    Language {
        MultiSubs => "multi subs",
        MultiAudio => "multi audio",
        DualAudio => "dual audio",
        English => "en",
        Japanese => "ja",
        Korean => "ko",
        Taiwanese => "zh-tw",
        Chinese => "zh",
        French => "fr",
        Latino => "es-419",
        Spanish => "es",
        Portuguese => "pt",
        Italian => "it",
        Greek => "el",
        German => "de",
        Russian => "ru",
        Ukrainian => "uk",
        Hindi => "hi",
        Telugu => "te",
        Tamil => "ta",
        Malayalam => "ml",
        Kannada => "kn",
        Marathi => "mr",
        Gujarati => "gu",
        Punjabi => "pa",
        Bengali => "bn",
        Lithuanian => "lt",
        Latvian => "lv",
        Estonian => "et",
        Polish => "pl",
        Czech => "cs",
        Slovak => "sk",
        Hungarian => "hu",
        Romanian => "ro",
        Bulgarian => "bg",
        Serbian => "sr",
        Croatian => "hr",
        Slovenian => "sl",
        Dutch => "nl",
        Danish => "da",
        Finnish => "fi",
        Swedish => "sv",
        Norwegian => "no",
        Arabic => "ar",
        Turkish => "tr",
        Vietnamese => "vi",
        Indonesian => "id",
        Thai => "th",
        Malay => "ms",
        Hebrew => "he",
        Persian => "fa",
    }
}

/// Code, English name, flag. Regional codes that names never give but media files do are at the end.
const LANGUAGES: &[(&str, &str, &str)] = &[
    ("multi subs", "Multi Subs", "🔤"),
    ("multi audio", "Multi Audio", "🔊"),
    ("dual audio", "Dual Audio", "🔉"),
    ("en", "English", "🇬🇧"),
    ("ja", "Japanese", "🇯🇵"),
    ("ko", "Korean", "🇰🇷"),
    ("zh-tw", "Taiwanese", "🇹🇼"),
    ("zh", "Chinese", "🇨🇳"),
    ("fr", "French", "🇫🇷"),
    ("es-419", "Latino", "🇲🇽"),
    ("es", "Spanish", "🇪🇸"),
    ("pt", "Portuguese", "🇵🇹"),
    ("it", "Italian", "🇮🇹"),
    ("el", "Greek", "🇬🇷"),
    ("de", "German", "🇩🇪"),
    ("ru", "Russian", "🇷🇺"),
    ("uk", "Ukrainian", "🇺🇦"),
    ("hi", "Hindi", "🇮🇳"),
    ("te", "Telugu", "🇮🇳"),
    ("ta", "Tamil", "🇮🇳"),
    ("ml", "Malayalam", "🇮🇳"),
    ("kn", "Kannada", "🇮🇳"),
    ("mr", "Marathi", "🇮🇳"),
    ("gu", "Gujarati", "🇮🇳"),
    ("pa", "Punjabi", "🇮🇳"),
    ("bn", "Bengali", "🇧🇩"),
    ("lt", "Lithuanian", "🇱🇹"),
    ("lv", "Latvian", "🇱🇻"),
    ("et", "Estonian", "🇪🇪"),
    ("pl", "Polish", "🇵🇱"),
    ("cs", "Czech", "🇨🇿"),
    ("sk", "Slovakian", "🇸🇰"),
    ("hu", "Hungarian", "🇭🇺"),
    ("ro", "Romanian", "🇷🇴"),
    ("bg", "Bulgarian", "🇧🇬"),
    ("sr", "Serbian", "🇷🇸"),
    ("hr", "Croatian", "🇭🇷"),
    ("sl", "Slovenian", "🇸🇮"),
    ("nl", "Dutch", "🇳🇱"),
    ("da", "Danish", "🇩🇰"),
    ("fi", "Finnish", "🇫🇮"),
    ("sv", "Swedish", "🇸🇪"),
    ("no", "Norwegian", "🇳🇴"),
    ("ar", "Arabic", "🇸🇦"),
    ("tr", "Turkish", "🇹🇷"),
    ("vi", "Vietnamese", "🇻🇳"),
    ("id", "Indonesian", "🇮🇩"),
    ("th", "Thai", "🇹🇭"),
    ("ms", "Malay", "🇲🇾"),
    ("he", "Hebrew", "🇮🇱"),
    ("fa", "Persian", "🇮🇷"),
    ("pt-pt", "Portuguese (Portugal)", "🇵🇹"),
    ("pt-br", "Portuguese (Brazil)", "🇧🇷"),
    ("es-mx", "Spanish (Mexico)", "🇲🇽"),
    ("dub", "Dubbed", "🗣️"),
];

fn entry(code: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    LANGUAGES.iter().find(|(known, _, _)| known.eq_ignore_ascii_case(code))
}

/// The flag for a language code; an unknown code comes back as it is.
#[must_use]
pub fn language_flag(code: &str) -> &str {
    entry(code).map_or(code, |(_, _, flag)| flag)
}

/// The English name for a language code; an unknown code comes back as it is.
#[must_use]
pub fn language_name(code: &str) -> &str {
    entry(code).map_or(code, |(_, name, _)| name)
}

impl Language {
    /// The language of a code such as `en` or `es-419`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|language| language.as_str().eq_ignore_ascii_case(code))
    }

    /// The flag shown for it.
    #[must_use]
    pub fn flag(self) -> &'static str {
        language_flag(self.as_str())
    }

    /// The English name.
    #[must_use]
    pub fn name(self) -> &'static str {
        language_name(self.as_str())
    }
}
