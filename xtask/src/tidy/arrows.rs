//! Which crate may depend on which: what a crate cannot name, it cannot take a shortcut through.

use anyhow::Context;
use cargo_metadata::{CargoOpt, DependencyKind, MetadataCommand};

use super::Fault;
use crate::shell;

/// One crate's row of the table.
struct Row {
    name: &'static str,
    /// Crates of ours that it may use.
    may_use: &'static [&'static str],
    /// Crates of others that do not belong in this room.
    must_not_know: &'static [&'static str],
}

const SIMULATORS: &str = "chill-sim";
/// Whose tests may run against the simulators.
const TESTED_AGAINST_SIMULATORS: &[&str] = &["chill-stores", "chill-sources", "chill-edge", "chillproxy"];

const ROWS: &[Row] = &[
    Row {
        name: "chill-core",
        may_use: &[],
        must_not_know: &["tokio", "axum", "hyper", "hyper-util", "reqwest", "sqlx", "redis"],
    },
    Row {
        name: "chill-release",
        may_use: &[],
        must_not_know: &["tokio", "axum", "hyper", "hyper-util", "reqwest", "sqlx", "redis"],
    },
    Row { name: "chill-stores", may_use: &["chill-core"], must_not_know: &["axum", "sqlx", "redis"] },
    Row { name: "chill-sources", may_use: &["chill-core", "chill-release"], must_not_know: &["axum", "sqlx", "redis"] },
    Row {
        name: "chill-db",
        may_use: &["chill-core"],
        must_not_know: &["axum", "hyper", "hyper-util", "reqwest", "aes-gcm"],
    },
    Row { name: "chill-control", may_use: &["chill-core", "chill-db"], must_not_know: &["sqlx", "redis"] },
    Row { name: "chill-edge", may_use: &["chill-core", "chill-release"], must_not_know: &["sqlx", "redis"] },
    Row { name: SIMULATORS, may_use: &[], must_not_know: &["sqlx", "redis"] },
    Row {
        name: "chillproxy",
        may_use: &[
            "chill-core",
            "chill-release",
            "chill-stores",
            "chill-sources",
            "chill-db",
            "chill-control",
            "chill-edge",
        ],
        must_not_know: &[],
    },
    Row { name: "xtask", may_use: &[], must_not_know: &[] },
];

/// One arrow that a manifest draws.
#[derive(Clone, Copy, Debug)]
struct Arrow<'a> {
    from: &'a str,
    to: &'a str,
    kind: DependencyKind,
    /// Whether the target is a crate of this workspace.
    ours: bool,
}

/// Reads the manifests of the workspace.
pub(super) fn check() -> anyhow::Result<Vec<Fault>> {
    let root = shell::root();
    let mut command = MetadataCommand::new();
    command.manifest_path(root.join("Cargo.toml")).no_deps().features(CargoOpt::AllFeatures);
    let metadata = command.exec().context("cargo cannot read the workspace")?;
    let mut faults = Vec::new();
    for package in metadata.workspace_packages() {
        let path = package.manifest_path.strip_prefix(metadata.workspace_root.as_path())?.as_str().to_owned();
        let text = std::fs::read_to_string(&package.manifest_path)?;
        let from = package.name.as_str();
        if !ROWS.iter().any(|row| row.name == from) {
            faults.push(Fault::new(
                &path,
                1,
                format!("{from} has no row in the table of arrows (xtask/src/tidy/arrows.rs)"),
            ));
        }
        for dependency in &package.dependencies {
            let arrow = Arrow { from, to: &dependency.name, kind: dependency.kind, ours: dependency.path.is_some() };
            faults.extend(fault(arrow).map(|sentence| Fault::new(&path, line_of(&text, arrow), sentence)));
        }
    }
    Ok(faults)
}

/// Why an arrow is wrong, if it is.
fn fault(arrow: Arrow<'_>) -> Option<String> {
    let Arrow { from, to, kind, ours } = arrow;
    let row = ROWS.iter().find(|row| row.name == from)?;
    let for_tests = kind == DependencyKind::Development;
    if !ours {
        let unknown = !for_tests && row.must_not_know.contains(&to);
        return unknown.then(|| format!("{from} must not know {to}: that belongs in another room"));
    }
    if for_tests && to == SIMULATORS {
        let tested = TESTED_AGAINST_SIMULATORS.contains(&from);
        return (!tested)
            .then(|| format!("only the tests of {} run against {SIMULATORS}", TESTED_AGAINST_SIMULATORS.join(", ")));
    }
    (!row.may_use.contains(&to)).then(|| match row.may_use {
        [] => format!("{from} must not depend on {to}: it may depend on no crate of ours"),
        allowed => format!("{from} must not depend on {to}, only on {}", allowed.join(", ")),
    })
}

/// The line of a manifest that draws the arrow, in the section of its kind.
fn line_of(manifest: &str, arrow: Arrow<'_>) -> usize {
    let section = match arrow.kind {
        DependencyKind::Development => "dev-dependencies",
        DependencyKind::Build => "build-dependencies",
        _ => "dependencies",
    };
    let mut inside = false;
    for (at, line) in manifest.lines().enumerate() {
        if let Some(header) = line.trim().strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header == section || header.ends_with(&format!(".{section}"));
            if header == format!("{section}.{}", arrow.to) {
                return at + 1;
            }
        } else if inside && line.split(['=', '.', ' ']).next() == Some(arrow.to) {
            return at + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(from: &str, to: &str, kind: DependencyKind) -> Option<String> {
        fault(Arrow { from, to, kind, ours: true })
    }

    #[test]
    fn the_edge_sees_neither_control_plane_nor_database() {
        for hidden in ["chill-control", "chill-db", "chill-stores", "chill-sources"] {
            assert!(ours("chill-edge", hidden, DependencyKind::Normal).is_some(), "{hidden}");
            assert!(ours("chill-edge", hidden, DependencyKind::Development).is_some(), "{hidden} in tests");
        }
        assert_eq!(ours("chill-edge", "chill-core", DependencyKind::Normal), None);
    }

    #[test]
    fn simulators_serve_tests_and_only_the_four() {
        assert_eq!(ours("chill-stores", "chill-sim", DependencyKind::Development), None);
        assert_eq!(ours("chillproxy", "chill-sim", DependencyKind::Development), None);
        assert!(ours("chillproxy", "chill-sim", DependencyKind::Normal).is_some());
        assert!(ours("chill-db", "chill-sim", DependencyKind::Development).is_some());
        assert!(ours("chill-sim", "chill-core", DependencyKind::Development).is_some());
    }

    #[test]
    fn a_room_knows_no_foreign_trade() {
        let foreign = |kind| fault(Arrow { from: "chill-core", to: "tokio", kind, ours: false });
        assert!(foreign(DependencyKind::Normal).unwrap().contains("must not know tokio"));
        assert_eq!(foreign(DependencyKind::Development), None);
    }

    #[test]
    fn the_line_is_that_of_the_right_section() {
        let manifest =
            "[package]\nname = \"a\"\n\n[dependencies]\nb.workspace = true\n\n[dev-dependencies]\nb = \"1\"\n";
        let arrow = Arrow { from: "a", to: "b", kind: DependencyKind::Normal, ours: true };
        assert_eq!(line_of(manifest, arrow), 5);
        assert_eq!(line_of(manifest, Arrow { kind: DependencyKind::Development, ..arrow }), 8);
        assert_eq!(line_of("[dependencies.b]\npath = \"../b\"\n", arrow), 1);
    }

    #[test]
    fn every_row_points_at_rows() {
        for to in ROWS.iter().flat_map(|row| row.may_use) {
            assert!(ROWS.iter().any(|row| row.name == *to), "{to}");
        }
    }
}
