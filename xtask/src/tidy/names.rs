//! Names that say nothing about what is inside.

use std::path::Path;

use super::Fault;

const EMPTY: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "managers"];

/// Looks at each folder's and file's own name.
pub(super) fn check(paths: &[String]) -> Vec<Fault> {
    paths
        .iter()
        .filter_map(|path| empty_word(path).map(|word| (path, word)))
        .map(|(path, word)| Fault::new(path, 1, format!("`{word}` names no idea: name the file after what it is for")))
        .collect()
}

fn empty_word(path: &str) -> Option<&'static str> {
    let path = Path::new(path);
    let folders = path.parent().into_iter().flat_map(Path::components).map(std::path::Component::as_os_str);
    folders.chain(path.file_stem()).find_map(|name| EMPTY.iter().copied().find(|word| name == *word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_word_is_found_as_file_and_as_folder() {
        let paths =
            ["crates/a/src/utils.rs", "crates/a/src/common/mod.rs", "apps/dash/src/helpers.ts"].map(str::to_owned);
        assert_eq!(check(&paths).len(), 3);
    }

    #[test]
    fn the_word_within_another_is_fine() {
        let paths = ["crates/a/src/commonplace.rs", "crates/a/src/lease_manager_seat.rs"].map(str::to_owned);
        assert_eq!(check(&paths), []);
    }
}
