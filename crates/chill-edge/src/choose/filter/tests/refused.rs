//! What is no filter, and how it is told.

use super::Filter;

#[test]
fn the_sentence_says_what_and_where() {
    let cases: &[(&str, usize, &str)] = &[
        ("Seeders", 0, "yes or no, but this is a number"),
        ("Title", 0, "this is a text"),
        ("Languages", 0, "this is a list"),
        ("true; 1 + 1", 6, "yes or no"),
        ("Foo == 1", 0, "“Foo” is unknown"),
        ("true && resolution == \"4k\"", 8, "write Resolution"),
        ("is_private", 0, "write IsPrivate"),
        ("File.name == \"\"", 5, "write Name"),
        ("Store.Foo == 1", 6, "known are Code, Name, IsCached, IsProxied"),
        ("len > 3", 0, "write len(…)"),
        ("foo(1)", 0, "no function “foo”"),
        ("Title.x", 6, "a text has no member “x”"),
        ("Seeders > \"3\"", 0, "a number cannot be compared with a text"),
        ("Seeders == \"3\"", 0, "cannot be compared"),
        ("Resolution > 1080", 13, "Resolution is compared with a text, such as \"1080p\""),
        ("1000 < File.Size", 0, "such as \"1.5 GB\""),
        ("Seeders in [\"a\"]", 0, "never in a list"),
        ("\"a\" in Title", 7, "write contains"),
        ("Languages contains \"en\"", 0, "\"x\" in Languages"),
        ("Title + 1 == \"\"", 0, "joins two numbers or two texts"),
        ("Title * 2 == 1", 0, "two numbers"),
        ("1.5 % 2 == 1", 0, "whole numbers"),
        ("not Title", 4, "needs a yes or no"),
        ("Title && true", 0, "on its left side"),
        ("true || 1", 8, "on its right side"),
        ("1 ? true : false", 0, "before it"),
        ("true ? 1 2", 9, "expected :"),
        ("true true", 5, "join conditions with &&"),
        ("true)", 4, "“)” does not belong here"),
        ("(true", 5, "expected ) to close the bracket, found the end"),
        ("[1, 2", 5, "expected ,"),
        ("true &&", 7, "found the end"),
        ("Title matches \"(\"", 14, "no pattern: "),
        ("Title matches Group", 14, "must be a text in quotes"),
        ("Title matches \"(?<=a)b\"", 14, "look-around"),
        ("# == 1", 0, "stands for an element"),
        ("any(Languages)", 13, "needs a condition"),
        ("any(Title, # == \"a\")", 4, "needs a list"),
        ("any(Languages, 1)", 15, "a yes or no for each element"),
        ("sum(Languages) > 1", 4, "a number for each element"),
        ("any(Languages, #foo)", 15, "#foo is unknown"),
        ("upper() == \"\"", 0, "takes 1 arguments, not 0"),
        ("split(\"a\") == []", 0, "takes 2 to 3 arguments"),
        ("upper(1) == \"\"", 6, "upper needs a text"),
        ("let Title = 1; true", 4, "has a meaning already"),
        ("let len = 1; true", 4, "has a meaning already"),
        ("let x 1", 6, "expected = after the name"),
        ("if true { true }", 16, "expected else"),
        ("Title | 3", 8, "or is written ||"),
        ("{a 1} == nil", 3, "expected : after the key"),
        ("[1][1:\"a\"] == []", 6, "whole numbers"),
        ("1..30000000 == []", 0, "at most 1000"),
        ("\"abc", 0, "does not end"),
        ("Title == \"\\d\"", 10, "escape"),
        ("a = 1", 0, "“a” is unknown"),
        ("Seeders = 1", 8, "does not belong here"),
        ("Seeders @ 1", 8, "“@” is no part"),
        ("99999999999999999999 > 1", 0, "too large"),
    ];
    for (source, offset, says) in cases {
        let error = Filter::compile(source).expect_err(source);
        assert!(error.message.contains(says), "{source}: {error}");
        assert_eq!(error.offset, *offset, "{source}: {error}");
    }
}

#[test]
fn positions_count_lines_and_characters() {
    let error = Filter::compile("true &&\n  \"ž\" == Foo").unwrap_err();
    assert_eq!((error.offset, error.line, error.column), (18, 2, 10));
    assert!(error.to_string().starts_with("line 2, column 10: “Foo” is unknown"), "{error}");
    let error = Filter::compile("\n\n(").unwrap_err();
    assert_eq!((error.offset, error.line, error.column), (3, 3, 2));
}

#[test]
fn what_a_viewer_wrote_is_repeated_briefly() {
    let error = Filter::compile(&format!("{} == 1", "x".repeat(1_000))).unwrap_err();
    assert!(error.message.len() < 200, "{error}");
}
