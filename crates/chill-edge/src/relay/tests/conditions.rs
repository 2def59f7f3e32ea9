//! Conditions as a player may write them (RFC 9110 §5.3 and §13).

use super::odd_origins::{Scripted, answer};

const DATE: &str = "Mon, 04 May 2026 10:11:12 GMT";

fn film() -> Vec<u8> {
    answer("200 OK\nContent-Length: 3\nETag: \"v1\"", b"abc")
}

#[tokio::test]
async fn conditions_on_several_lines_are_one_list() {
    let origin = Scripted::new(vec![film()]).await;
    let lines =
        [("if-none-match", "\"a\""), ("if-none-match", "\"b\", \"c\""), ("if-match", "\"v1\""), ("if-match", "\"d\"")];
    assert_eq!(origin.get(&lines).await.text(), "abc");
    let head = &origin.heads()[0];
    assert!(head.contains("if-none-match: \"a\", \"b\", \"c\"\r\n"), "{head}");
    assert!(head.contains("if-match: \"v1\", \"d\"\r\n"), "{head}");
}

#[tokio::test]
async fn a_date_on_two_lines_is_none() {
    let origin = Scripted::new(vec![film()]).await;
    let twice = [("if-modified-since", DATE), ("if-modified-since", DATE), ("if-unmodified-since", DATE)];
    assert_eq!(origin.get(&twice).await.text(), "abc");
    let head = &origin.heads()[0];
    assert!(!head.contains("if-modified-since") && head.contains("if-unmodified-since"), "{head}");
}

#[tokio::test]
async fn a_condition_too_long_to_pass_on_is_never_taken_for_met() {
    let tags = |count: usize| vec!["\"0123456789abcdef\""; count].join(", ");
    let (long, longer) = (tags(300), tags(500));
    assert!(long.len() < 8 * 1024 && longer.len() > 8 * 1024);
    let origin = Scripted::new(vec![film(), film()]).await;
    assert_eq!(origin.get(&[("if-match", &long)]).await.status, 200);
    assert!(origin.heads()[0].contains(&long));
    let refused = origin.get(&[("if-match", &longer)]).await;
    assert_eq!((refused.status, refused.header("content-length"), origin.heads().len()), (412, "0", 1));
    // Without the tags the date alone would decide, and could say that nothing has changed.
    assert_eq!(origin.get(&[("if-none-match", &longer), ("if-modified-since", DATE)]).await.status, 200);
    let head = &origin.heads()[1];
    assert!(!head.contains("if-none-match") && !head.contains("if-modified-since"), "{head}");
}
