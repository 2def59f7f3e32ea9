//! `get-key` and `log-usage`, as a program that knows only the founding documents calls them.

use serde_json::json;

use crate::app::{App, KEY};
use crate::database::{TestDatabase, on_both_engines};

const INTERNAL: &str = "internal-key-0123456789abcdef0123456789abcdef";
const NEXT: &str = "the-next-internal-key-0123456789abcdef012345";

on_both_engines!(a_plain_client_gets_a_key_and_logs_usage);

async fn a_plain_client_gets_a_key_and_logs_usage(database: TestDatabase) {
    let app = App::with(database, &[("INTERNAL_API_KEY", &format!("{INTERNAL},{NEXT}"))]).await;
    app.add_key("main", KEY);
    let viewer = app.add_user("ada");
    let url = |name: &str| format!("{}/api/v1/internal/pool/{name}", app.base);
    let bearer = [("authorization", &*format!("Bearer {INTERNAL}"))];
    let ask = |device: &str| json!({"userId": viewer.link, "deviceId": device, "action": "init", "hash": ""});

    let given = app.web.post_json(&url("get-key"), &ask("device-1"), &bearer).await;
    assert_eq!(given.status, 200, "{}", given.text());
    let given = given.json();
    assert_eq!(
        (&given["allowed"], &given["poolKey"], &given["deviceCount"]),
        (&true.into(), &KEY.into(), &1.into()),
        "{given}"
    );
    assert_eq!((&given["service"], &given["ttl"]), (&"tb".into(), &300.into()));
    for n in 2..=3 {
        assert_eq!(
            app.web.post_json(&url("get-key"), &ask(&format!("device-{n}")), &bearer).await.json()["deviceCount"],
            n
        );
    }
    let fourth =
        app.web.post_json(&url("get-key"), &ask("device-4"), &[("authorization", &format!("Bearer {NEXT}"))]).await;
    assert_eq!(fourth.status, 200);
    assert_eq!(
        fourth.json(),
        json!({"allowed": false, "message": "Maximum 3 devices allowed per user", "code": "device_limit", "deviceCount": 3})
    );

    let event = json!({"userId": viewer.link, "poolKeyId": given["poolKeyId"], "action": "stream-served", "cached": true, "bytes": 1234, "eventId": "0198c7d2-0000-7000-8000-000000000001"});
    let first = app.web.post_json(&url("log-usage"), &json!([event, event]), &bearer).await;
    assert_eq!((first.status.as_u16(), first.json()), (200, json!({"success": true, "accepted": 1, "duplicates": 1})));
    let again = app.web.post_json(&url("log-usage"), &event, &bearer).await;
    assert_eq!(again.json(), json!({"success": true, "accepted": 0, "duplicates": 1}));
    assert_eq!(app.usage()["bytes"], 1234);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_nonsense_are_refused() {
    let app = App::with(TestDatabase::sqlite(), &[("INTERNAL_API_KEY", INTERNAL)]).await;
    let url = format!("{}/api/v1/internal/pool/get-key", app.base);
    let good = json!({"userId": "11111111-2222-4333-8444-555555555555", "deviceId": "d", "action": "init"});
    for headers in [vec![], vec![("authorization", "Bearer wrong")], vec![("authorization", INTERNAL)]] {
        assert_eq!(app.web.post_json(&url, &good, &headers).await.status, 403);
    }
    let bearer = format!("Bearer {INTERNAL}");
    let bearer = [("authorization", bearer.as_str())];
    let unknown = app.web.post_json(&url, &good, &bearer).await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["code"]), (200, &"user_unknown".into()));
    let bad = [
        (json!({"userId": "x", "deviceId": "d", "action": "init"}), "userId"),
        (json!({"userId": good["userId"], "deviceId": "d".repeat(129), "action": "init"}), "deviceId"),
        (json!({"userId": good["userId"], "deviceId": "d", "action": "a".repeat(51)}), "action"),
        (json!({"userId": good["userId"], "deviceId": "d", "action": "init", "hash": "zz"}), "hash"),
        (json!({"userId": good["userId"], "action": "init"}), "deviceId"),
    ];
    for (body, field) in bad {
        let answer = app.web.post_json(&url, &body, &bearer).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(field), "{field}: {}", answer.text());
    }
    let huge = app.web.post_json(&url, &json!({"pad": "x".repeat(70_000)}), &bearer).await;
    assert_eq!(huge.status, 413);
    let service = app
        .web
        .post_json(
            &url,
            &json!({"userId": good["userId"], "deviceId": "d", "action": "init", "service": "zz"}),
            &bearer,
        )
        .await;
    assert_eq!((service.status.as_u16(), &service.json()["code"]), (200, &"service_unknown".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_internal_key_the_api_is_closed() {
    let app = App::start(TestDatabase::sqlite()).await;
    let url = format!("{}/api/v1/internal/pool/get-key", app.base);
    let answer = app.web.post_json(&url, &json!({}), &[("authorization", "Bearer ")]).await;
    assert_eq!(answer.status, 403);
}
