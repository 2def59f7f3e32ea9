//! Functions of the templates beside those of the engine.

use chill_release::{language_flag, language_name};
use minijinja::{Environment, Error, ErrorKind, Value};

use super::iso::iso_name;
use crate::choose::size_text;

/// Adds them, as functions and as filters.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_function("str_join", str_join);
    environment.add_filter("str_join", str_join);
    environment.add_function("int_to_str", int_to_str);
    environment.add_filter("int_to_str", int_to_str);
    environment.add_function("lang_join", lang_join);
    environment.add_filter("lang_join", lang_join);
    environment.add_function("size_text", size_text::size_text);
    environment.add_filter("size_text", size_text::size_text);
    environment.add_function("rate_text", size_text::rate_text);
    environment.add_filter("rate_text", size_text::rate_text);
}

fn int_to_str(number: i64) -> String {
    number.to_string()
}

fn str_join(list: &Value, separator: &str) -> Result<String, Error> {
    join(list, separator, |text| text)
}

/// Language codes as flags, English names or three-letter codes; codes stay as they are in any other format.
fn lang_join(list: &Value, separator: &str, format: &str) -> Result<String, Error> {
    join(list, separator, |code| match format {
        "emoji" => language_flag(code),
        "text" => language_name(code),
        "iso" => iso_name(code),
        _ => code,
    })
}

/// Longer texts are not made: a description ends long before.
const LONGEST: usize = 16 * 1024;

fn join(list: &Value, separator: &str, word: impl Fn(&str) -> &str) -> Result<String, Error> {
    let mut joined = String::new();
    for (index, item) in list.try_iter()?.enumerate() {
        let wrong =
            || Error::new(ErrorKind::InvalidOperation, "only lists of texts can be joined; use | join for others");
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(word(item.as_str().ok_or_else(wrong)?));
        if joined.len() > LONGEST {
            return Err(Error::new(ErrorKind::InvalidOperation, "the joined text is too long"));
        }
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_in_each_format() {
        let codes: Value = ["en", "es-419", "dual audio", "xx"].into_iter().collect();
        let cases = [
            ("emoji", "🇬🇧 🇲🇽 🔉 xx"),
            ("text", "English Latino Dual Audio xx"),
            ("iso", "ENG SPA(LA) DAud xx"),
            ("other", "en es-419 dual audio xx"),
        ];
        for (format, text) in cases {
            assert_eq!(lang_join(&codes, " ", format).unwrap(), text, "{format}");
        }
    }

    #[test]
    fn only_texts_are_joined() {
        assert_eq!(str_join(&["a", "b"].into_iter().collect(), ", ").unwrap(), "a, b");
        assert!(str_join(&[1, 2].into_iter().collect(), ", ").is_err());
        assert!(str_join(&Value::from(3), ", ").is_err());
        assert!(str_join(&["x"; 2_000].into_iter().collect(), &" ".repeat(100)).is_err());
    }
}
