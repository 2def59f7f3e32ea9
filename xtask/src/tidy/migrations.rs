//! Both database engines take the same steps: their migration folders hold the same file names.

use std::collections::BTreeSet;

use super::Fault;

const FOLDER: &str = "crates/chill-db/migrations/";
const ENGINES: [&str; 2] = ["sqlite", "postgres"];

/// Compares the two folders.
pub(super) fn check(paths: &[String]) -> Vec<Fault> {
    let [ours, others] = ENGINES.map(|engine| names(paths, engine));
    let missing = |there: &BTreeSet<&str>, here: &BTreeSet<&str>, [engine, other]: [&str; 2]| -> Vec<Fault> {
        let say = |name: &&str| {
            let sentence = format!("{engine} takes this step and {other} does not: add {FOLDER}{other}/{name}");
            Fault::new(&format!("{FOLDER}{engine}/{name}"), 1, sentence)
        };
        there.difference(here).map(say).collect()
    };
    let [sqlite, postgres] = ENGINES;
    let mut faults = missing(&ours, &others, [sqlite, postgres]);
    faults.extend(missing(&others, &ours, [postgres, sqlite]));
    faults
}

fn names<'a>(paths: &'a [String], engine: &str) -> BTreeSet<&'a str> {
    let folder = format!("{FOLDER}{engine}/");
    paths.iter().filter_map(|path| path.strip_prefix(folder.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_has_every_step() {
        let both = ["sqlite/0001_users.sql", "postgres/0001_users.sql"].map(|name| format!("{FOLDER}{name}"));
        assert_eq!(check(&both), []);
    }

    #[test]
    fn a_missing_step_is_named_on_either_side() {
        let paths = ["sqlite/0001_users.sql", "postgres/0002_keys.sql"].map(|name| format!("{FOLDER}{name}"));
        let said: Vec<String> = check(&paths).iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 2);
        assert!(said[0].ends_with("add crates/chill-db/migrations/postgres/0001_users.sql"), "{said:?}");
        assert!(said[1].ends_with("add crates/chill-db/migrations/sqlite/0002_keys.sql"), "{said:?}");
    }
}
