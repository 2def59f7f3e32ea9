//! Where settings come from: the environment, a TOML file, and files named by `NAME_FILE`.
//!
//! A name stands for itself and its older aliases. The environment wins over the file; an empty value is no value.

use std::collections::BTreeMap;
use std::path::Path;

use super::names::{NAMES, Name, known};

/// Raw settings by their main name. Values may be secrets: there is no `Debug`.
#[derive(Default, Clone)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, String>,
}

/// One thing wrong with the configuration, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The setting.
    pub name: String,
    /// What is wrong and what is expected; never the value of a secret.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.what)
    }
}

impl Settings {
    /// Collects settings from environment pairs and, when given, a TOML file of the same names.
    pub(crate) fn collect(
        environment: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, Vec<Fault>> {
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        let mut faults = unknown_names(environment.keys());
        let mut given = match file.map(read_toml).transpose() {
            Ok(table) => table.unwrap_or_default(),
            Err(fault) => return Err(vec![fault]),
        };
        faults.extend(unknown_in_file(given.keys()));
        given.extend(environment);
        let mut settings = Self::default();
        for name in NAMES {
            match settings.pick(name, &given) {
                Ok(Some(value)) => drop(settings.values.insert(name.name, value)),
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(settings) } else { Err(faults) }
    }

    /// A setting's text, trimmed; none when unset or empty.
    pub(crate) fn get(&self, name: &'static str) -> Option<&str> {
        debug_assert!(NAMES.iter().any(|n| n.name == name), "{name} is not in the table of names");
        self.values.get(name).map(String::as_str)
    }

    fn pick(&self, name: &Name, given: &BTreeMap<String, String>) -> Result<Option<String>, Fault> {
        for spelling in name.spellings() {
            if let Some(value) = given.get(spelling).map(|v| v.trim()).filter(|v| !v.is_empty()) {
                return Ok(Some(value.to_owned()));
            }
            if name.secret
                && let Some(path) = given.get(&format!("{spelling}_FILE")).filter(|p| !p.trim().is_empty())
            {
                return read_secret(spelling, Path::new(path.trim())).map(Some);
            }
        }
        Ok(None)
    }
}

/// Files larger than this are not a secret and not a configuration.
const MAX_FILE: u64 = 1024 * 1024;

fn read_secret(name: &str, path: &Path) -> Result<String, Fault> {
    let fault = |what: String| Fault { name: format!("{name}_FILE"), what };
    let text = read_bounded(path).map_err(fault)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(fault(format!("{} is empty; write the secret into it", path.display())));
    }
    Ok(text.to_owned())
}

fn read_bounded(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|e| format!("cannot read {shown}: {e}"))?.len();
    if size > MAX_FILE {
        return Err(format!("{shown} has {size} bytes; at most {MAX_FILE} are read"));
    }
    std::fs::read_to_string(path).map_err(|e| format!("cannot read {shown}: {e}"))
}

fn read_toml(path: &Path) -> Result<BTreeMap<String, String>, Fault> {
    let fault = |what: String| Fault { name: "--config".to_owned(), what };
    let text = read_bounded(path).map_err(fault)?;
    let table: toml::Table = text
        .parse()
        .map_err(|e: toml::de::Error| fault(format!("{} is not valid TOML: {}", path.display(), e.message())))?;
    table
        .into_iter()
        .map(|(name, value)| {
            let text = as_text(&value)
                .ok_or_else(|| fault(format!("`{name}` must be a text, a number, true, false or a list of these")))?;
            Ok((name.to_ascii_uppercase(), text))
        })
        .collect()
}

/// A TOML value as the text the environment would hold; lists are joined by commas.
fn as_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(n) => Some(n.to_string()),
        toml::Value::Boolean(b) => Some(b.to_string()),
        toml::Value::Array(items) => items.iter().map(as_text).collect::<Option<Vec<_>>>().map(|texts| texts.join(",")),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

fn unknown_names<'a>(names: impl Iterator<Item = &'a String>) -> Vec<Fault> {
    names.filter(|name| name.starts_with("CHILLPROXY_") && !known(name)).map(|name| unknown(name)).collect()
}

fn unknown_in_file<'a>(names: impl Iterator<Item = &'a String>) -> Vec<Fault> {
    names.filter(|name| !known(name)).map(|name| unknown(name)).collect()
}

fn unknown(name: &str) -> Fault {
    Fault { name: name.to_owned(), what: "there is no setting of this name; check the spelling".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn aliases_stand_for_their_name_and_empty_is_unset() {
        let settings = Settings::collect(pairs(&[("STREMTHRU_PORT", " 9000 "), ("PORT", "")]), None).ok().unwrap();
        assert_eq!(settings.get("PORT"), Some("9000"));
        assert_eq!(settings.get("DATABASE_URL"), None);
    }

    #[test]
    fn an_unknown_name_of_ours_is_an_error_and_a_strangers_is_not() {
        let faults =
            Settings::collect(pairs(&[("CHILLPROXY_LEESE_TTL", "5m"), ("HOME", "/root")]), None).err().unwrap();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].name, "CHILLPROXY_LEESE_TTL");
    }

    #[test]
    fn secrets_are_read_from_files_and_missing_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "s3cret\n").unwrap();
        let env = |file: &str| pairs(&[("CHILLPROXY_DEVICE_SECRET_FILE", file)]);
        let settings = Settings::collect(env(path.to_str().unwrap()), None).ok().unwrap();
        assert_eq!(settings.get("CHILLPROXY_DEVICE_SECRET"), Some("s3cret"));
        let faults = Settings::collect(env("/nowhere/at/all"), None).err().unwrap();
        assert!(faults[0].what.contains("/nowhere/at/all"), "{}", faults[0]);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, "port = 7000\nchillproxy_trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nwrong_name = 1\n")
            .unwrap();
        let faults = Settings::collect(pairs(&[]), Some(&path)).err().unwrap();
        assert_eq!(faults[0].name, "WRONG_NAME");
        std::fs::write(&path, "port = 7000\nchillproxy_trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n").unwrap();
        let settings = Settings::collect(pairs(&[("PORT", "7001")]), Some(&path)).ok().unwrap();
        assert_eq!(settings.get("PORT"), Some("7001"));
        assert_eq!(settings.get("CHILLPROXY_TRUSTED_PROXIES"), Some("10.0.0.0/8,::1"));
    }
}
