//! Logging: to standard error, as text or JSON.

use super::Reader;

/// What is logged and how.
#[derive(Clone, Debug)]
pub(crate) struct LogSection {
    /// A filter in `RUST_LOG`'s language.
    pub filter: String,
    /// The format; none means text on a terminal and JSON elsewhere.
    pub format: Option<LogFormat>,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl LogSection {
    /// Reads `STREMTHRU_LOG_LEVEL`, `STREMTHRU_LOG_FORMAT` and `RUST_LOG`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let levels = [
            ("trace", "trace"),
            ("debug", "debug"),
            ("info", "info"),
            ("warn", "warn"),
            ("error", "error"),
            ("fatal", "error"),
        ];
        let upper =
            ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].into_iter().zip(levels.map(|(_, level)| level));
        let words: Vec<_> = levels.into_iter().chain(upper).collect();
        let level = reader.choice("STREMTHRU_LOG_LEVEL", "info", &words);
        let formats = [("text", Some(LogFormat::Text)), ("json", Some(LogFormat::Json))];
        Self {
            filter: reader.text("RUST_LOG").unwrap_or(level).to_owned(),
            format: reader.choice("STREMTHRU_LOG_FORMAT", None, &formats),
        }
    }
}
