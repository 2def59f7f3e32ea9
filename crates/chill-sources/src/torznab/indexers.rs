//! The operator's list of indexers: `name=URL|apikey`, comma separated.

use std::collections::HashSet;

use chill_core::Secret;
use url::Url;

use super::TorznabConfig;

/// Indexers in one list.
const INDEXERS: usize = 50;
/// The longest name, in characters.
const NAME: usize = 64;

/// An entry of the list cannot be used. The sentence names the entry, never its address or key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("indexer {entry}: {problem}")]
pub struct IndexersError {
    /// Its name, else its number.
    entry: String,
    problem: &'static str,
}

/// Reads the list. White space around entries and empty entries do not matter; the key may be missing.
///
/// # Errors
/// [`IndexersError`] for the first entry that cannot be used.
pub fn parse_indexers(list: &str) -> Result<Vec<TorznabConfig>, IndexersError> {
    let entries = list.split(',').map(str::trim).enumerate().filter(|(_, entry)| !entry.is_empty());
    let mut names = HashSet::new();
    let mut indexers = Vec::new();
    for (at, entry) in entries {
        let number = || format!("number {}", at + 1);
        let wrong = |entry: String, problem| Err(IndexersError { entry, problem });
        let Some((name, rest)) = entry.split_once('=') else {
            return wrong(number(), "write it as name=URL|apikey");
        };
        let name = name.trim();
        if name.is_empty()
            || name.chars().count() > NAME
            || name.contains(|c: char| c.is_control() || ":/?|".contains(c))
        {
            return wrong(number(), "give it a name of 1 to 64 characters before the =");
        }
        let shown = || format!("\"{name}\"");
        if !names.insert(name.to_lowercase()) {
            return wrong(shown(), "the name is used twice");
        }
        if indexers.len() == INDEXERS {
            return wrong(shown(), "there are more than 50");
        }
        let (url, apikey) = rest.split_once('|').unwrap_or((rest, ""));
        match address(url.trim()) {
            Ok(url) => {
                let apikey = Secret::new(apikey.trim());
                indexers.push(TorznabConfig { name: name.to_owned(), url, apikey });
            }
            Err(problem) => return wrong(shown(), problem),
        }
    }
    Ok(indexers)
}

pub(super) fn address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "the address after the = is no URL")?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("the address must start with http:// or https://");
    }
    if url.query().is_some() || url.fragment().is_some() || url.password().is_some() || !url.username().is_empty() {
        return Err("the address must have no query, fragment, user or password; the key stands behind a |");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let list = " one=http://127.0.0.1:9117/api/v2.0/indexers/all/results/torznab/|KEY1 ,,two=https://b/1/api|K=2|x,three=https://c";
        let read = parse_indexers(list).unwrap();
        let shown: Vec<_> = read.iter().map(|one| (one.name.as_str(), one.url.as_str(), one.apikey.expose())).collect();
        assert_eq!(
            shown,
            [
                ("one", "http://127.0.0.1:9117/api/v2.0/indexers/all/results/torznab/", "KEY1"),
                ("two", "https://b/1/api", "K=2|x"),
                ("three", "https://c/", ""),
            ]
        );
        assert!(!format!("{read:?}").contains("KEY1"));
        assert!(parse_indexers("  ").unwrap().is_empty());
    }

    #[test]
    fn faults_name_the_entry_and_never_the_key() {
        for (list, says) in [
            ("a=http://a|sekret,sekret", "indexer number 2: write it as name=URL|apikey"),
            ("=http://a|sekret", "indexer number 1: give it a name"),
            ("http://a/?apikey=sekret", "indexer number 1: give it a name"),
            ("a=sekret", "indexer \"a\": the address after the = is no URL"),
            ("a=ftp://a|sekret", "indexer \"a\": the address must start with"),
            ("a=http://a?apikey=sekret", "indexer \"a\": the address must have no query"),
            ("a=http://u:sekret@a", "indexer \"a\": the address must have no query"),
            ("a=http://a|sekret,A=http://b", "indexer \"A\": the name is used twice"),
        ] {
            let error = parse_indexers(list).unwrap_err();
            assert!(error.to_string().starts_with(says), "{error}");
            assert!(!format!("{error} {error:?}").contains("sekret"), "{error:?}");
        }
        let many: Vec<_> = (0..51).map(|n| format!("n{n}=http://a")).collect();
        assert!(parse_indexers(&many.join(",")).unwrap_err().to_string().contains("more than 50"));
    }
}
