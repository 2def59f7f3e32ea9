//! Words that say "later" or "look away": unfinished code, skipped tests, silenced lints.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::Fault;

/// Looks at tokens, so that comments and texts may speak of these words, and the bodies of macros may not hide them.
pub(super) fn check(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Ok(tokens) = text.parse::<TokenStream>() {
        look(path, tokens, &mut faults);
    }
    faults
}

fn look(path: &str, tokens: TokenStream, faults: &mut Vec<Fault>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let sentence = match token {
            TokenTree::Ident(word) if is_mark(tokens.get(at + 1), '!') => unfinished(&word.to_string()),
            TokenTree::Punct(mark) if mark.as_char() == '#' => attribute(&tokens, at + 1).and_then(silencer),
            _ => None,
        };
        faults.extend(sentence.map(|sentence| Fault::new(path, token.span().start().line, sentence)));
        if let TokenTree::Group(group) = token {
            look(path, group.stream(), faults);
        }
    }
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == mark)
}

fn unfinished(word: &str) -> Option<String> {
    matches!(word, "todo" | "unimplemented")
        .then(|| format!("{word}! stands for code that is missing: write it or leave the case out"))
}

/// The brackets of `#[…]` or `#![…]`, from the token after the `#`.
fn attribute(tokens: &[TokenTree], at: usize) -> Option<&Group> {
    let at = if is_mark(tokens.get(at), '!') { at + 1 } else { at };
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => Some(group),
        _ => None,
    }
}

fn silencer(attribute: &Group) -> Option<String> {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    let conditional = matches!(tokens.first(), Some(TokenTree::Ident(word)) if *word == "cfg_attr");
    let inner: Vec<TokenTree> = match tokens.get(1) {
        Some(TokenTree::Group(group)) if conditional => group.stream().into_iter().collect(),
        _ => tokens,
    };
    inner.iter().enumerate().find_map(|(at, token)| {
        let TokenTree::Ident(word) = token else { return None };
        // In an attribute a name stands first; in cfg_attr(condition, …) also after a comma.
        let leads = if conditional { at > 0 && is_mark(inner.get(at - 1), ',') } else { at == 0 };
        match word.to_string().as_str() {
            "ignore" if leads => Some("a test that is ignored tests nothing: repair it or remove it".to_owned()),
            "allow" if leads => {
                Some("write #[expect(…, reason = \"…\")], which complains once it is no longer true".to_owned())
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check("a.rs", text).into_iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn unfinished_code_is_found_also_inside_macros() {
        assert_eq!(
            lines("fn a() {\n    todo!()\n}\nmacro_rules! b {\n    () => { unimplemented!(\"later\") };\n}\n"),
            [2, 5]
        );
    }

    #[test]
    fn skipped_tests_and_silenced_lints_are_found() {
        assert_eq!(lines("#![allow(dead_code)]\n#[test]\n#[ignore = \"slow\"]\nfn a() {}\n"), [1, 3]);
        assert_eq!(lines("#[cfg_attr(windows, ignore)]\n#[cfg_attr(test, allow(unused))]\nfn a() {}\n"), [1, 2]);
    }

    #[test]
    fn speaking_of_them_is_no_fault() {
        assert_eq!(
            lines("// todo!() and #[ignore]\n/// `#[allow(x)]`\nfn a() -> &'static str { \"todo!()\" }\n"),
            [0; 0]
        );
        assert_eq!(
            lines("#[expect(dead_code, reason = \"a\")]\n#[serde(ignore)]\nfn todo(ignore: u8) { allow(ignore) }\n"),
            [0; 0]
        );
    }
}
