//! The walls: no file over 500 lines, no function over 100. Long before them, an idea wants a file of its own.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature, TraitItemFn};

use super::Fault;

const FILE: usize = 500;
const FUNCTION: usize = 100;
/// A map that nobody can take in at one sitting is none.
const MAP: (&str, usize) = ("ARCHITECTURE.md", 300);
const MEASURED: &[&str] = &[".rs", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".sh", ".sql", ".py"];

/// Whether a file is written by hand, and so has a wall.
pub(super) fn is_measured(path: &str) -> bool {
    path == MAP.0 || MEASURED.iter().any(|ending| path.ends_with(ending))
}

/// The wall of the file.
pub(super) fn file(path: &str, text: &str) -> Option<Fault> {
    let lines = text.lines().count();
    let wall = if path == MAP.0 { MAP.1 } else { FILE };
    (lines > wall).then(|| {
        Fault::new(
            path,
            wall + 1,
            format!("the file has {lines} lines, the wall is {wall}: give an idea in it a file of its own"),
        )
    })
}

/// The wall of each function, from its `fn` to its closing brace.
pub(super) fn functions(path: &str, file: &syn::File) -> Vec<Fault> {
    let mut walls = Walls { path, faults: Vec::new() };
    walls.visit_file(file);
    walls.faults
}

struct Walls<'a> {
    path: &'a str,
    faults: Vec<Fault>,
}

impl Walls<'_> {
    fn measure(&mut self, signature: &Signature, block: &Block) {
        let first = signature.span().start().line;
        let lines = block.brace_token.span.close().end().line + 1 - first;
        if lines > FUNCTION {
            let name = &signature.ident;
            let sentence = format!("the function {name} has {lines} lines, the wall is {FUNCTION}: name its steps");
            self.faults.push(Fault::new(self.path, first, sentence));
        }
    }
}

impl<'ast> Visit<'ast> for Walls<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(body_lines: usize) -> String {
        format!("/// Says nothing.\n#[inline]\nfn long() {{\n{}}}\n", "    let _ = 1;\n".repeat(body_lines))
    }

    fn measured(text: &str) -> Vec<Fault> {
        functions("a.rs", &syn::parse_file(text).unwrap())
    }

    #[test]
    fn a_file_may_have_as_many_lines_as_the_wall() {
        assert_eq!(file("a.rs", &"\n".repeat(FILE)), None);
        assert_eq!(file("a.rs", &"\n".repeat(FILE + 1)).unwrap().line, FILE + 1);
        assert!(file(MAP.0, &"\n".repeat(MAP.1 + 1)).is_some());
    }

    #[test]
    fn a_function_counts_from_fn_to_brace_without_its_attributes() {
        assert_eq!(measured(&function(FUNCTION - 2)), []);
        let faults = measured(&function(FUNCTION - 1));
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].line, 3);
        assert!(faults[0].sentence.contains("long has 101 lines"));
    }

    #[test]
    fn methods_defaults_and_nested_functions_have_the_wall_too() {
        let long = function(FUNCTION);
        for outer in [format!("impl A {{ {long} }}"), format!("trait A {{ {long} }}"), format!("mod a {{ {long} }}")] {
            assert_eq!(measured(&outer).len(), 1, "{outer}");
        }
        assert_eq!(measured(&format!("fn outer() {{ {long} }}")).len(), 2);
    }

    #[test]
    fn lock_files_and_data_are_not_measured() {
        assert!(is_measured("crates/a/src/lib.rs") && is_measured("apps/dash/src/main.tsx"));
        assert!(!is_measured("Cargo.lock") && !is_measured("a/package-lock.json") && !is_measured("texts.tsv"));
    }
}
