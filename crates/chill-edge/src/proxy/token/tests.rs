use chill_core::{Chance, Secret};
use data_encoding::BASE64;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::proxy::request_headers;

const NOW: Millis = 1_700_000_000_000;
const URL: &str = "https://files.example/movie.mkv";

/// A token StremThru made for alice, whose password is s3cret: sealed, with a `Referer`, until 2100.
const THEIRS: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdHJlbXRocnUiLCJzdWIiOiJhbGljZSIsImV4cCI6NDEwMjQ0NDgwMCwiZGF0YSI6eyJlbmNfbGluayI6IkFBRUNBd1FGQmdjSUNRb0xLVkwrOU12WUNibXEyTmtrOHBlZ1ZQc2Q4OEkyMlQxdFJLRkwremswVFNUcnJudXhZVFFteDNDYnBFdys1c0lWTHJ1SEpVY0pDQjl1V0h6N0xVRmhBODhXdEo1anY3TUpIUVp3YTlVdSIsImVuY19mb3JtYXQiOiJBRVMtR0NNLTI1NiIsInR1bnQiOiJhIn19.FJkuhXITrDHJPOUc64VyCsZvdWNhsE3lG70NZt8h3xc";
/// Another one of his, in clear.
const THEIRS_PLAIN: &str =
    "base64.eyJ1IjoiYWxpY2U6czNjcmV0IiwidiI6Imh0dHBzOi8vZmlsZXMuZXhhbXBsZS9tb3ZpZS5ta3YiLCJ0dW50IjoiYSJ9";

fn keys(secret: &str) -> Keys {
    Keys::derive(&Secret::new(secret.repeat(32))).unwrap()
}

/// The keys of these secrets, the first of which makes tokens.
fn ring(secrets: &[&str]) -> KeyRing {
    let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(secret.repeat(32))).collect();
    KeyRing::derive(&secrets[0], &secrets[1..]).unwrap()
}

fn users() -> ProxyUsers {
    ProxyUsers::parse("alice:s3cret").unwrap()
}

/// Who made the token and where it leads.
fn opened(users: &ProxyUsers, token: &str, now: Millis) -> Result<(String, String), Unopened> {
    let opened = open(&ring(&["k"]), users, token, now)?;
    Ok((opened.user.to_owned(), opened.target.to_text().expose().to_owned()))
}

fn verdict(users: &ProxyUsers, token: &str) -> Result<(), Unopened> {
    opened(users, token, NOW).map(|_| ())
}

/// A token with this header and these claims, signed with this key.
fn signed(header: &serde_json::Value, claims: &serde_json::Value, key: &[u8]) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&seal::signature(key, &signed)))
}

fn jwt() -> serde_json::Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

fn claims(user: &str) -> serde_json::Value {
    json!({"iss": "stremthru", "sub": user, "data": {"enc_link": BASE64.encode(URL.as_bytes()), "enc_format": "base64"}})
}

fn ours(expires_at: Option<i64>) -> String {
    let headers = request_headers::from_lines("Cookie: a=b").unwrap();
    make(&keys("k"), "alice", &Target::new(URL, headers).unwrap(), expires_at, &Chance::System).unwrap()
}

#[test]
fn tokens_of_stremthru_open_while_their_maker_and_his_password_stand() {
    let target = format!("{URL}\nreferer: https://site.example/");
    assert_eq!(opened(&users(), THEIRS, NOW), Ok(("alice".to_owned(), target)));
    assert_eq!(opened(&users(), THEIRS_PLAIN, NOW), Ok(("alice".to_owned(), URL.to_owned())));
    let unsealed = signed(&jwt(), &claims("alice"), b"s3cret");
    assert_eq!(opened(&users(), &unsealed, NOW), Ok(("alice".to_owned(), URL.to_owned())));
    for token in [THEIRS, THEIRS_PLAIN, &unsealed] {
        for others in ["alice:changed", "bob:s3cret", ""] {
            assert_eq!(verdict(&ProxyUsers::parse(others).unwrap(), token), Err(Unopened::Unauthorized), "{others}");
        }
    }
    assert_eq!(opened(&users(), THEIRS, 4_102_444_800_000), Err(Unopened::Unauthorized));
}

#[test]
fn our_tokens_tell_nothing_and_end_with_their_time_their_maker_or_the_secret() {
    let token = ours(Some(NOW / 1_000 + 60));
    let (made, parts) = (format!("{URL}\ncookie: a=b"), token.split('.').collect::<Vec<_>>());
    let header: serde_json::Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[0].as_bytes()).unwrap()).unwrap();
    assert_eq!(header, json!({"alg": "HS256", "kid": keys("k").id(), "typ": "JWT"}));
    let claims = String::from_utf8(BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap()).unwrap();
    assert!(claims.contains("\"sub\":\"alice\"") && !claims.contains("s3cret") && !claims.contains("files.example"));
    assert_ne!(token, ours(Some(NOW / 1_000 + 60)), "each is sealed anew");

    assert_eq!(opened(&users(), &token, NOW), Ok(("alice".to_owned(), made.clone())));
    assert_eq!(opened(&users(), &token, NOW + 59_999), Ok(("alice".to_owned(), made.clone())));
    assert_eq!(opened(&users(), &token, NOW + 60_000), Err(Unopened::Unauthorized));
    assert_eq!(opened(&users(), &ours(None), NOW * 2), Ok(("alice".to_owned(), made)));
    assert!(verdict(&ProxyUsers::parse("alice:changed").unwrap(), &token).is_ok());
    assert_eq!(verdict(&ProxyUsers::parse("bob:s3cret").unwrap(), &token), Err(Unopened::Unauthorized));
    for (secrets, opens) in [(&["k"][..], true), (&["other"], false), (&["new", "k"], true), (&["new", "other"], false)]
    {
        assert_eq!(open(&ring(secrets), &users(), &token, NOW).is_ok(), opens, "{secrets:?}");
    }
}

#[test]
fn a_token_nobody_here_signed_opens_nothing() {
    let none = format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims("alice")));
    let plain = |u: &str| format!("base64.{}", BASE64.encode(json!({"u": u, "v": URL}).to_string().as_bytes()));
    let mut expired = claims("alice");
    expired["exp"] = json!(NOW / 1_000);
    let mut early = claims("alice");
    early["nbf"] = json!(NOW / 1_000 + 1);
    let mut elsewhere = claims("alice");
    elsewhere["iss"] = json!("somebody");
    let our_kid = json!({"alg": "HS256", "kid": keys("k").id()});
    for (token, what) in [
        (none, "no algorithm"),
        (signed(&json!({"alg": "none"}), &claims("alice"), b"s3cret"), "no algorithm, but signed"),
        (signed(&json!({"alg": "hs256"}), &claims("alice"), b"s3cret"), "another case"),
        (signed(&json!({"alg": "HS512"}), &claims("alice"), b"s3cret"), "another algorithm"),
        (signed(&json!({"alg": "HS256", "typ": "at+jwt"}), &claims("alice"), b"s3cret"), "another kind"),
        (signed(&json!({"alg": "HS256", "crit": ["x"]}), &claims("alice"), b"s3cret"), "unknown extensions"),
        (signed(&json!({"alg": "HS256", "kid": "x"}), &claims("alice"), b"s3cret"), "a key we have not"),
        (signed(&our_kid, &claims("alice"), b"s3cret"), "our key's name, a password's signature"),
        (signed(&our_kid, &claims("alice"), b""), "our key's name, no key"),
        (signed(&jwt(), &claims("alice"), b""), "no key"),
        (signed(&jwt(), &claims("alice"), b"S3cret"), "another password"),
        (signed(&jwt(), &claims("nobody"), b""), "an unknown user and no key"),
        (signed(&jwt(), &claims(""), b""), "no user and no key"),
        (signed(&jwt(), &expired, b"s3cret"), "expired"),
        (signed(&jwt(), &early, b"s3cret"), "not yet"),
        (signed(&jwt(), &elsewhere, b"s3cret"), "another issuer"),
        (plain("nobody:"), "an unknown user without a password"),
        (plain(":"), "nobody"),
        (plain("alice:"), "no password"),
        (plain("alice"), "no password at all"),
        (plain("alice:wrong"), "a wrong password"),
    ] {
        assert_eq!(verdict(&users(), &token), Err(Unopened::Unauthorized), "{what}");
        let nobody = verdict(&ProxyUsers::default(), &token);
        assert_eq!(nobody, Err(Unopened::Unauthorized), "{what}, no users");
    }
}

#[test]
fn our_key_opens_only_what_is_sealed() {
    let header = json!({"alg": "HS256", "kid": keys("k").id()});
    let clear = signed(&header, &claims("alice"), keys("k").sign());
    assert_eq!(verdict(&users(), &clear), Err(Unopened::Malformed));
}

#[test]
fn what_is_no_token_is_said_to_be_none() {
    let mut twice = serde_json::to_string(&claims("alice")).unwrap();
    twice.insert_str(1, "\"sub\":\"alice\",");
    let twice = format!("{}.{}.AA", part(&jwt()), BASE64URL_NOPAD.encode(twice.as_bytes()));
    let mut odd = claims("alice");
    odd["exp"] = json!("tomorrow");
    let mut format = claims("alice");
    format["data"]["enc_format"] = json!("rot13");
    let mut short = claims("alice");
    short["data"] = json!({"enc_link": "AAAA", "enc_format": "AES-GCM-256"});
    let file = json!({"u": "alice:s3cret", "v": "file:///etc/passwd"}).to_string();
    for token in [
        "",
        ".",
        "..",
        "a.b.c",
        "garbage",
        "base64.",
        "base64.!!",
        "base64.e30=",
        &twice,
        &signed(&jwt(), &odd, b"s3cret"),
        &signed(&jwt(), &format, b"s3cret"),
        &format!("base64.{}", BASE64.encode(file.as_bytes())),
        &"a".repeat(LONGEST + 1),
    ] {
        assert_eq!(verdict(&users(), token), Err(Unopened::Malformed), "{token}");
    }
    assert_eq!(verdict(&users(), &signed(&jwt(), &short, b"s3cret")), Err(Unopened::Unauthorized));
}

#[test]
fn the_largest_target_of_a_link_fits() {
    let target = |url: usize, cookie: usize| {
        let headers = request_headers::from_lines(&format!("Cookie: {}", "y".repeat(cookie))).unwrap();
        Target::new(&format!("https://a.example/{}", "z".repeat(url - 18)), headers).unwrap()
    };
    let made = |target: &Target| make(&keys("k"), "alice", target, Some(NOW), &Chance::System).unwrap();
    let linked = |target: &Target| crate::proxy::link::url("", &made(target), Some(&"\u{e9}".repeat(127)));
    for (largest, fits) in [(target(8_192, 0), true), (target(4_500, 3_900), true), (target(8_192, 1_000), false)] {
        assert_eq!(linked(&largest).is_ok(), fits);
        assert!(verdict(&users(), &make(&keys("k"), "alice", &largest, None, &Chance::System).unwrap()).is_ok());
    }
}

proptest! {
    #[test]
    fn no_text_opens_anything(token in ".{0,200}|base64\\.[A-Za-z0-9+/=]{0,80}|[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,4}") {
        prop_assert!(verdict(&users(), &token).is_err());
    }

    #[test]
    fn no_json_opens_anything(header in "\\{.{0,40}\\}", claims in "\\{.{0,120}\\}", signature in "[A-Za-z0-9_-]{0,60}") {
        let token = format!("{}.{}.{signature}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes()));
        prop_assert!(verdict(&users(), &token).is_err());
        let plain = "base64.".to_owned() + &BASE64.encode(claims.as_bytes());
        prop_assert!(verdict(&users(), &plain).is_err());
    }

    #[test]
    fn no_changed_byte_is_overlooked(at in 0_usize..2_000, to in "[A-Za-z0-9_-]") {
        let token = ours(None);
        for whole in [&*token, THEIRS] {
            let at = at % whole.len();
            let mut changed = whole.to_owned();
            changed.replace_range(at..=at, &to);
            prop_assert!(changed == whole || verdict(&users(), &changed).is_err(), "{}", at);
        }
    }

    #[test]
    fn every_target_comes_back(path in "[ -~]{0,60}", value in "[!-~]{1,40}") {
        let headers = request_headers::from_lines(&format!("Cookie: {value}")).unwrap();
        let target = Target::new(&format!("https://a.example/{path}"), headers).unwrap();
        let token = make(&keys("k"), "alice", &target, None, &Chance::System).unwrap();
        let (_, text) = opened(&users(), &token, NOW).unwrap();
        prop_assert_eq!(text, format!("https://a.example/{path}\ncookie: {value}"));
    }
}

#[test]
fn the_secret_is_long_enough_or_refused() {
    let (short, long) = (Secret::new("x".repeat(31)), Secret::new("x".repeat(32)));
    for ring in [KeyRing::derive(&short, &[]), KeyRing::derive(&long, &[long.clone(), short.clone()])] {
        assert!(ring.map(|_| ()).unwrap_err().to_string().contains("shorter than 32 bytes"));
    }
    assert!(!format!("{:?}", keys("k")).contains("sign"));
}
