//! What the client makes of a TorBox in trouble.

use chill_core::store::{AddMode, Retry};
use chill_sim::{Behaviour, Fault, FaultRule, RateLimitShape};

use super::*;

async fn me(setting: &Setting) -> Result<(), StoreError> {
    setting.store.account(&setting.key).await.map(drop)
}

fn answer(status: u16, content_type: &str, body: &str) -> Fault {
    Fault::Answer { status, content_type: content_type.to_owned(), body: body.to_owned() }
}

#[tokio::test]
async fn a_rotated_key_is_rejected_whatever_the_status() {
    for bad_key_status in [401, 403] {
        let setting = Setting::new().await;
        setting.world.torbox().set_behaviour(Behaviour { bad_key_status, ..Behaviour::default() });
        assert!(setting.world.torbox().rotate_key(KEY, "another"));
        assert_eq!(kind(me(&setting).await), StoreErrorKind::Unauthorized);
        assert_eq!(setting.calls("me"), 1, "a bad key is not tried again");
        assert_eq!(kind(setting.store.account(&Secret::new("")).await), StoreErrorKind::Unauthorized);
        assert_eq!(kind(setting.store.account(&Secret::new("line\nbreak")).await), StoreErrorKind::Unauthorized);
    }
}

#[tokio::test]
async fn the_vendors_codes_are_understood() {
    let setting = Setting::new().await;
    for (status, code, expected) in [
        (403, "NO_AUTH", StoreErrorKind::Unauthorized),
        (403, "PLAN_RESTRICTED_FEATURE", StoreErrorKind::PaymentRequired),
        (409, "NOT_OWNER", StoreErrorKind::Forbidden),
        (200, "ACTIVE_LIMIT", StoreErrorKind::DownloadsClosed { retry_after: None }),
        (400, "MONTHLY_LIMIT", StoreErrorKind::DownloadsClosed { retry_after: None }),
        (400, "TOO_MUCH_DATA", StoreErrorKind::Unprocessable),
        (400, "BOZO_TORRENT", StoreErrorKind::MagnetInvalid),
        (400, "INVALID_OPTION", StoreErrorKind::BadRequest),
        (400, "NO_SERVERS_AVAILABLE_ERROR", StoreErrorKind::Unavailable),
        (400, "DATABASE_ERROR", StoreErrorKind::Unavailable),
        (500, "AUTH_ERROR", StoreErrorKind::Unavailable),
        (404, "ENDPOINT_NOT_FOUND", StoreErrorKind::Unavailable),
        (404, "ITEM_NOT_FOUND", StoreErrorKind::NotFound),
        (418, "NEVER_HEARD_OF", StoreErrorKind::BadRequest),
    ] {
        setting.world.torbox().clear_faults();
        setting.world.torbox().add_fault(FaultRule::new("me", Fault::Code { status, code: code.to_owned() }));
        let error = me(&setting).await.unwrap_err();
        assert_eq!(error.kind, expected, "{code}");
        assert!(error.message.contains(code), "{error}");
    }
}

#[tokio::test]
async fn a_short_trouble_is_got_over_and_a_long_one_is_told() {
    for fault in [Fault::ServerError, Fault::HtmlBadGateway, Fault::EmptyBadGateway, Fault::Reset] {
        let setting = Setting::new().await;
        setting.world.torbox().fault("me", fault.clone(), 2);
        me(&setting).await.unwrap();
        assert_eq!(setting.calls("me"), 3, "{fault:?}");
        setting.world.torbox().add_fault(FaultRule::new("me", fault.clone()));
        let error = me(&setting).await.unwrap_err();
        assert_eq!((error.kind, error.kind.retry()), (StoreErrorKind::Unavailable, Retry::SameKey), "{fault:?}");
        assert_eq!(setting.calls("me"), 6, "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_not_torboxs_answer_is_no_answer() {
    let setting = Setting::new().await;
    for (fault, expected, words) in [
        (Fault::HtmlPage, StoreErrorKind::Unavailable, "HTTP 200: a web page instead of an answer"),
        (Fault::Garbage, StoreErrorKind::Unavailable, "HTTP 200: "),
        (Fault::TruncatedJson, StoreErrorKind::Unavailable, "HTTP 200: a broken answer"),
        (answer(200, "", ""), StoreErrorKind::Unavailable, "HTTP 200: an empty answer"),
        (answer(200, "application/json", "[]"), StoreErrorKind::Unavailable, "HTTP 200: no reason given"),
        (
            answer(200, "application/json", r#"{"success":true,"data":null}"#),
            StoreErrorKind::Unavailable,
            "without data",
        ),
        (
            answer(200, "application/json", r#"{"success":true,"data":"text"}"#),
            StoreErrorKind::Unavailable,
            "another shape",
        ),
        (answer(403, "text/html", "<html>blocked</html>"), StoreErrorKind::Forbidden, "HTTP 403: a web page"),
        (answer(302, "text/html", "<html>moved</html>"), StoreErrorKind::Unavailable, "HTTP 302"),
        (Fault::HugeBody { bytes: 50 << 20 }, StoreErrorKind::Unavailable, "longer than 65536 bytes"),
    ] {
        setting.world.torbox().fault("me", fault.clone(), 1);
        let error = me(&setting).await.unwrap_err();
        assert_eq!(error.kind, expected, "{fault:?}");
        assert!(error.message.contains(words), "{fault:?}: {error}");
        assert!(error.message.chars().count() < 250);
    }
}

#[tokio::test]
async fn refused_parameters_are_named() {
    let setting = Setting::new().await;
    let body = r#"{"detail":[{"loc":["query","torrent_id"],"msg":"field required","type":"value_error.missing"}]}"#;
    setting.world.torbox().fault("me", answer(422, "application/json", body), 1);
    let error = me(&setting).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::BadRequest);
    assert!(error.message.contains("query.torrent_id: field required"), "{error}");
    let body = r#"{"success":false,"error":"INVALID_OPTION","detail":{"why":"odd"},"data":"text"}"#;
    setting.world.torbox().fault("me", answer(400, "application/json", body), 1);
    assert_eq!(kind(me(&setting).await), StoreErrorKind::BadRequest);
}

#[tokio::test]
async fn failures_without_a_code_go_by_their_status() {
    let setting = Setting::new().await;
    for (field, status, expected) in [
        ("true", 400, StoreErrorKind::BadRequest),
        ("null", 403, StoreErrorKind::Unauthorized),
        ("\"null\"", 404, StoreErrorKind::NotFound),
        ("false", 200, StoreErrorKind::Unavailable),
    ] {
        let body = format!(r#"{{"success":false,"error":{field},"detail":"No.","data":null}}"#);
        setting.world.torbox().fault("me", answer(status, "application/json", &body), 1);
        assert_eq!(kind(me(&setting).await), expected, "{field} {status}");
    }
}

#[tokio::test]
async fn a_429_of_any_shape_rests_the_key() {
    for shape in [RateLimitShape::Detail, RateLimitShape::Error, RateLimitShape::Envelope] {
        for retry_after in [Some(37), None] {
            let setting = Setting::new().await;
            setting.world.torbox().fault("me", Fault::RateLimited { shape, retry_after }, 1);
            let expected = retry_after.map(Duration::from_secs);
            let error = me(&setting).await.unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::TooManyRequests { retry_after: expected }, "{shape:?}");
            assert!(error.message.contains("300 per 1 minute"), "{error}");
            let StoreErrorKind::TooManyRequests { retry_after: Some(rest) } = kind(me(&setting).await) else {
                panic!("the key rests");
            };
            let longest = expected.unwrap_or(chill_core::store::DEFAULT_PAUSE);
            assert!(rest <= longest && rest > longest - Duration::from_secs(5), "{rest:?}");
            assert_eq!(setting.calls(""), 1, "a resting key makes no calls");
            let other = Secret::new("another-key");
            assert_eq!(kind(setting.store.account(&other).await), StoreErrorKind::Unauthorized, "others go on");
        }
    }
}

#[tokio::test]
async fn a_torbox_that_hangs_is_given_up_in_time() {
    let setting = Setting::with_deadline(Duration::from_millis(600)).await;
    setting.world.torbox().fault("me", Fault::Hang, 1);
    me(&setting).await.unwrap();
    assert_eq!(setting.calls("me"), 2, "half of the time is kept for another try");
    setting.world.torbox().add_fault(FaultRule::new("me", Fault::Hang));
    let started = std::time::Instant::now();
    assert_eq!(kind(me(&setting).await), StoreErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_millis(1_500), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_torbox_that_is_not_there() {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    let Setting { world, store, key, .. } = setting;
    world.shutdown().await;
    assert_eq!(kind(store.account(&key).await), StoreErrorKind::Unavailable);
    let error = store.add(&key, &hash, AddMode::Download).await.unwrap_err();
    assert_eq!(error.to_string(), "TorBox: the store is not available: could not connect");
}
