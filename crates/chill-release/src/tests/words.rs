//! The tables themselves.

use crate::lexicon;
use crate::place::DOMAINS;
use crate::video::EXTENSIONS;

#[test]
fn no_word_has_two_meanings() {
    let mut words: Vec<&str> = lexicon::words().collect();
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), count);
}

#[test]
fn every_word_can_be_found() {
    for word in lexicon::words() {
        assert_eq!(word, word.to_lowercase());
        assert_ne!(lexicon::look_up(word.as_bytes()), lexicon::Word::None, "{word}");
    }
    assert_eq!(lexicon::look_up(b"lighthouse"), lexicon::Word::None);
}

#[test]
fn searched_tables_are_sorted() {
    assert!(DOMAINS.is_sorted());
    assert!(EXTENSIONS.is_sorted_by_key(|(extension, _)| *extension));
}
