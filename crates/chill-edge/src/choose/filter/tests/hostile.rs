//! Texts that are meant to do harm.

use std::time::{Duration, Instant};

use super::{Filter, Verdict, trial};
use proptest::prelude::*;

/// Far above what anything here needs, far below what an unbounded one would take.
const SOON: Duration = Duration::from_secs(2);

fn refused(source: &str, says: &str) {
    let start = Instant::now();
    let error = Filter::compile(source).expect_err(says);
    assert!(error.message.contains(says), "{error}");
    assert!(start.elapsed() < SOON, "{says}: {:?}", start.elapsed());
}

#[test]
fn sizes_and_depths_are_bounded() {
    refused(&"(".repeat(20_000), "at most 2048");
    refused(&"(".repeat(2_000), "nested more than 32");
    refused(&"[".repeat(2_000), "nested more than 32");
    refused(&"!".repeat(2_000), "nested more than 32");
    refused(&"-".repeat(2_000), "nested more than 32");
    refused(&"true?".repeat(400), "nested more than 32");
    refused(&"2**".repeat(600), "nested more than 32");
    refused(&"any(".repeat(500), "nested more than 32");
    refused(&"{a:".repeat(600), "nested more than 32");
    refused(&"if true {".repeat(200), "nested more than 32");
    refused(&"let a=".repeat(300), "nested more than 32");
    refused(&format!("{}0 == 0", "0+".repeat(1_000)), "more than 1000 parts");
    refused("1..30000000 == []", "at most 1000");
    refused("0..9223372036854775807 == []", "at most 1000");
    refused(&format!("[{}] == []", "1..1000,".repeat(200)), "elements are too long");
    refused(&format!("true{}", "&&\"\" matches \"\"".repeat(100)), "more than 16 patterns");
}

#[test]
fn long_chains_are_no_nesting() {
    let source = format!("true{}", r#" && Group != "A""#.repeat(120));
    let release = trial::film();
    assert!(Filter::compile(&source).unwrap().keeps(&trial::candidate(&release)));
    let source = format!("0{} == 0", "-0".repeat(400));
    assert!(Filter::compile(&source).unwrap().keeps(&trial::candidate(&release)));
}

#[test]
fn patterns_are_bounded_and_linear() {
    refused("Title matches \"((a{1000}){1000}){1000}\"", "too large");
    refused("Title matches \"\\\\w{2000}\"", "too large");
    refused(&format!("true{}", " && Title matches \"[a-z]{0,300}x\"".repeat(5)), "too large, alone or with");
    refused(&format!("Title matches \"{}\"", "(".repeat(1_000)), "no pattern");
    let long = "a".repeat(500);
    let release = trial::film();
    let mut candidate = trial::candidate(&release);
    candidate.title = &long;
    for pattern in
        ["(a+)+$b", "(a|aa)+c", "(a*)*(a*)*(a*)*d", "(.*)(.*)(.*)(.*)(.*)x", "a{0,90}a{90}b", "[ab]{0,80}[ab]{0,80}c"]
    {
        let filter = Filter::compile(&format!("TTitle matches \"{pattern}\"")).unwrap();
        let start = Instant::now();
        for _ in 0..100 {
            assert!(matches!(filter.verdict(&candidate), Verdict::Hide | Verdict::Failed(_)), "{pattern}");
        }
        assert!(start.elapsed() < SOON, "{pattern}: {:?}", start.elapsed());
    }
}

#[test]
fn everyday_patterns_fit() {
    for pattern in [
        r"(?i)\b(cam|cam-?rip|hd-?cam|ts|hd-?ts|telesync|tc|telecine|scr|screener|dvd-?scr|r5|workprint)\b",
        r"(?i)\b(x265|hevc|av1).*(10.?bit|hdr)",
        r"^[\w.]+\.S\d{2}E\d{2,3}\.",
        r"(?i)(?:^|[^a-z])(?:ger|german|deutsch|fre|french|vostfr|ita|italian)(?:[^a-z]|$)",
    ] {
        Filter::compile(&format!("TTitle matches `{pattern}`")).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    }
}

#[test]
fn work_is_bounded() {
    let release = trial::film();
    let candidate = trial::candidate(&release);
    let doubling: String = (0..25).map(|i| format!("let v{} = v{i} + v{i}; ", i + 1)).collect();
    let nesting: String = (0..25).map(|i| format!("let v{} = [v{i}, v{i}, v{i}]; ", i + 1)).collect();
    let loops = "all(r, ".repeat(4);
    let cases = [
        format!("let r = 1..999; {loops}true{}", ")".repeat(4)),
        "let r = 1..999; len(map(r, map(r, #))) > 0".to_owned(),
        "all(1..999, len(upper(repeat(Title, 20))) > 0)".to_owned(),
        "all(1..999, repeat(\"ab\", 9000) contains \"c\" or true)".to_owned(),
        format!("let v0 = Title; {doubling}v25 == v25"),
        format!("let v0 = Title; {nesting}v25 == v25"),
        format!("let v0 = Title; {nesting}len(flatten(v25)) > 0"),
        format!("let v0 = Title; {nesting}string(v25) != \"\""),
        "len(replace(repeat(\"a\", 1000), \"\", repeat(\"b\", 1000))) > 1".to_owned(),
        "len(repeat(Title, 9223372036854775807)) > 1".to_owned(),
        "len(uniq(map(1..999, # * 3))) > 0".to_owned(),
        "len(join(map(1..999, repeat(\"x\", 999)), \"y\")) > 0".to_owned(),
    ];
    for source in cases {
        let filter = Filter::compile(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let start = Instant::now();
        for _ in 0..20 {
            assert!(matches!(filter.verdict(&candidate), Verdict::Failed(_)), "{source}");
            assert!(filter.keeps(&candidate));
        }
        assert!(start.elapsed() < SOON, "{source}: {:?}", start.elapsed());
    }
}

fn words() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "Resolution",
        "Quality",
        "Size",
        "File.Size",
        "Seeders",
        "Title",
        "Languages",
        "Seasons",
        "Store",
        "$env",
        "HDR",
        "\"4k\"",
        "'1 GB'",
        "1",
        "0",
        "-1",
        "2.5",
        "9223372036854775807",
        "true",
        "false",
        "nil",
        "#",
        "#index",
        ".x",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "in",
        "not in",
        "not",
        "!",
        "&&",
        "||",
        "and",
        "or",
        "+",
        "-",
        "*",
        "/",
        "%",
        "**",
        "..",
        "??",
        "?",
        ":",
        "?.",
        "|",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ";",
        "let a =",
        "a",
        "if",
        "else",
        "matches",
        "contains",
        "startsWith",
        "len(",
        "any(",
        "all(",
        "map(",
        "filter(",
        "sum(",
        "upper(",
        "split(",
        "join(",
        "repeat(",
        "sort(",
        "first(",
        "get(",
        "int(",
        "max(",
        "flatten(",
        "concat(",
        "keys(",
        "string(",
        "replace(",
        "indexOf(",
        "take(",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_text_panics(source in ".{0,120}") {
        judge(&source);
    }

    #[test]
    fn no_row_of_words_panics(source in words()) {
        judge(&source);
        judge(&format!("({source}) == nil"));
    }
}

fn judge(source: &str) {
    let release = trial::film();
    match Filter::compile(source) {
        Ok(filter) => {
            let verdict = filter.verdict(&trial::candidate(&release));
            let broken = matches!(&verdict, Verdict::Failed(why) if why.contains("broken"));
            assert!(!broken, "{source}: {verdict:?}");
        }
        Err(error) => assert!(error.offset <= source.len() && error.line > 0 && error.column > 0, "{source}"),
    }
}
