//! Every crate and every module with a folder says at its head what it is for.

use syn::{AttrStyle, File, Meta};

use super::Fault;

const HEADS: &[&str] = &["lib.rs", "mod.rs", "main.rs"];

/// Looks for the `//!` of a crate's or a folder's head.
pub(super) fn check(path: &str, file: &File) -> Option<Fault> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let says = file.attrs.iter().any(|attribute| {
        matches!(attribute.style, AttrStyle::Inner(_))
            && matches!(&attribute.meta, Meta::NameValue(pair) if pair.path.is_ident("doc"))
    });
    (HEADS.contains(&name) && !says).then(|| {
        Fault::new(
            path,
            1,
            "the head is missing: say with //! what this is for, what it refuses, where to start reading",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(path: &str, text: &str) -> Option<Fault> {
        check(path, &syn::parse_file(text).unwrap())
    }

    #[test]
    fn a_head_is_asked_of_crates_and_folders_only() {
        assert!(head("crates/a/src/lib.rs", "fn a() {}").is_some());
        assert!(head("crates/a/src/b/mod.rs", "/// An item's docs.\nfn a() {}").is_some());
        assert_eq!(head("crates/a/src/lib.rs", "//! What it is for.\nfn a() {}"), None);
        assert_eq!(head("crates/a/src/b/c.rs", "fn a() {}"), None);
    }
}
