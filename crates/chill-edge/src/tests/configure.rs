//! The page through the router: what browsers send and get.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use chill_core::StoreErrorKind;
use data_encoding::BASE64URL_NOPAD;
use http::{Method, Request, StatusCode};
use tower::ServiceExt as _;
use url::form_urlencoded::Serializer;

use super::fakes;
use super::stage::{FILM, LINK, Reply, Stage, both, found, hash, own, pool, segment};
use crate::router;
use crate::stremio::configure::POLICY;
use crate::stremio::user_data::UserData;

const TOKEN: &str = "s3cret-token";

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn send(stage: &Stage, path: &str, body: String, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(Method::POST).uri(path).header("host", "edge.example");
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/x-www-form-urlencoded");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body)).unwrap();
    let peer: SocketAddr = "203.0.113.9:4711".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    Reply::read(router(stage.edge.clone()).oneshot(request).await.unwrap()).await
}

async fn post(stage: &Stage, path: &str, fields: &[(&str, &str)]) -> Reply {
    send(stage, path, form(fields), &[]).await
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

/// What the link behind a redirect says.
fn saved(reply: &Reply) -> (String, UserData) {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", text(reply));
    let path = reply.header("location").strip_suffix("#install").unwrap().to_owned();
    let segment = path.strip_prefix("/stremio/torz/").unwrap().strip_suffix("/configure").unwrap();
    let data = UserData::parse(segment).unwrap();
    (path, data)
}

#[tokio::test]
async fn the_page_is_strict_about_what_it_loads() {
    let stage = Stage::new();
    for path in ["/stremio/torz/configure".to_owned(), format!("/stremio/torz/{}/configure", own())] {
        let page = stage.get(&path).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-security-policy"), POLICY);
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(page.header("cache-control").contains("no-store"));
        assert_eq!(page.header("access-control-allow-origin"), "", "other origins have no business with it");
        let text = text(&page);
        assert!(!text.contains("style=") && !text.contains("onclick") && !text.contains("own-token"), "{text}");
        for file in ["/stremio/_/configure.css", "/stremio/_/configure.js"] {
            assert!(text.contains(file));
            assert_eq!(stage.get(file).await.status, 200, "{file}");
        }
    }
    assert!(!POLICY.contains("unsafe") && POLICY.contains("default-src 'none'"));
}

#[tokio::test]
async fn a_filled_form_becomes_a_link_that_opens_with_its_settings() {
    let stage = Stage::new();
    let filter = "Resolution >= \"720p\"\n&& Seeders > 1";
    let fields = [
        ("do", "save"),
        ("s0.c", "tb"),
        ("s0.auth", LINK),
        ("s0.t", ""),
        ("s1.c", "rd"),
        ("s1.t", TOKEN),
        ("cached", "on"),
        ("filter", "Resolution >= \"720p\"\r\n&& Seeders > 1"),
        ("sort", "-size"),
        ("hide", r"\bcam\b"),
        ("total", "20"),
        ("each", "3"),
        ("preferred", "German"),
        ("required", "en, de"),
        ("tn", "{{ Resolution }}"),
        ("td", "<b>{{ TTitle }}"),
    ];
    let (path, data) = saved(&post(&stage, "/stremio/torz/configure", &fields).await);
    assert_eq!(data.stores.len(), 2);
    assert_eq!(data.stores[0].auth.unwrap().to_string(), LINK);
    assert_eq!(data.stores[1].token.as_ref().unwrap().expose(), TOKEN);
    let choices = &data.choices;
    assert_eq!((choices.filter.as_str(), choices.sort.as_str(), choices.cached), (filter, "-size", true));
    assert_eq!((choices.total, choices.each, choices.hide.as_str()), (20, 3, r"\bcam\b"));
    assert_eq!((&*choices.preferred, &*choices.required), (&["de"][..], &["en", "de"][..]));

    let page = text(&stage.get(&path).await);
    let link = format!("http://edge.example/stremio/torz/{}/manifest.json", data.segment);
    assert!(page.contains(&link) && page.contains(&link.replace("http://", "stremio://")) && page.contains("<svg"));
    assert!(page.contains("&lt;b&gt;{{ TTitle }}") && page.contains("value=\"-size\"") && page.contains(" checked"));
    assert!(!page.contains(TOKEN) && !page.contains(LINK), "credentials are in the address only");
    let manifest = stage.get(&format!("/stremio/torz/{}/manifest.json", data.segment)).await;
    assert_eq!(manifest.status, 200);
}

#[tokio::test]
async fn an_opened_link_keeps_what_is_not_typed_again() {
    let stage = Stage::new();
    let path = format!("/stremio/torz/{}/configure", both());
    let kept = [("s0.c", "tb"), ("s0.keep", "0"), ("s0.auth", ""), ("s0.t", ""), ("sort", "size")];
    let (_, data) = saved(&post(&stage, &path, &kept).await);
    assert_eq!(data.stores[0].auth.unwrap().to_string(), LINK);
    assert_eq!(data.stores[0].token.as_ref().unwrap().expose(), "own-token");
    assert_eq!(data.choices.sort, "size");
    let moved = [("s0.c", "rd"), ("s0.keep", "0"), ("s0.auth", ""), ("s0.t", "")];
    let (_, data) = saved(&post(&stage, &path, &moved).await);
    assert!(data.stores[0].token.is_none(), "a token is of one store");
    let other = segment(r#"{"stores":[{"c":"tb","t":"own-token"}],"unc_prvt":true,"sort":"size"}"#);
    let path = format!("/stremio/torz/{other}/configure");
    let (_, data) = saved(&post(&stage, &path, &[("s0.c", "tb"), ("s0.keep", "0")]).await);
    let json = data_encoding::BASE64URL_NOPAD.decode(data.segment.as_bytes()).unwrap();
    assert!(String::from_utf8(json).unwrap().contains("unc_prvt"), "keys of other addons stay");
    assert!(data.choices.is_default(), "an emptied setting is gone");
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_input_and_nothing_typed_is_lost() {
    let stage = Stage::new();
    let fields = [
        ("s0.c", "tb"),
        ("s0.t", TOKEN),
        ("filter", "Resolution >>"),
        ("sort", "colour"),
        ("total", "many"),
        ("required", "Klingon"),
        ("tn", "{{ Nothing }}"),
    ];
    let reply = post(&stage, "/stremio/torz/configure", &fields).await;
    assert_eq!(reply.status, 422);
    let page = text(&reply);
    for part in ["“colour”", "line 1, column 13", "Klingon", "Nothing", "many", "5 things", "            ^"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains(TOKEN) && !page.contains("manifest.json"));
    let action = page.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let (_, data) = saved(&post(&stage, action, &[("s0.c", "tb"), ("s0.keep", "0"), ("s0.t", "")]).await);
    assert_eq!(data.stores[0].token.as_ref().unwrap().expose(), TOKEN, "it need not be typed again");
}

#[tokio::test]
async fn stores_need_a_right_and_there_must_be_one() {
    let stage = Stage::new();
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[], "at least one store"),
        (&[("s0.c", "")], "at least one store"),
        (&[("s0.c", "tb")], "a token of your own"),
        (&[("s0.c", "zz"), ("s0.t", "x")], "no store that is known"),
        (&[("s0.c", ""), ("s0.t", "x")], "choose which store"),
        (&[("s0.c", "tb"), ("s0.auth", "not-a-link-id")], "looks like 123e4567"),
    ];
    for (fields, said) in cases {
        let reply = post(&stage, "/stremio/torz/configure", fields).await;
        assert_eq!(reply.status, 422);
        assert!(text(&reply).contains(said), "{said}");
    }
    let long = "x".repeat(5_000);
    let fields = [("s0.c", "tb"), ("s0.t", "x"), ("filter", &*long), ("td", &*long)];
    assert!(text(&post(&stage, "/stremio/torz/configure", &fields).await).contains("too long"));
    let more = text(&post(&stage, "/stremio/torz/configure", &[("s0.c", "tb"), ("s0.t", "x"), ("do", "more")]).await);
    assert!(more.contains("name=\"s1.c\"") && more.contains("kept as it is"));
}

#[tokio::test]
async fn hostile_input_stays_text() {
    let stage = Stage::new();
    let evil = "\"><script>alert(1)</script><textarea>'</textarea>";
    let names = ["s0.c", "s0.auth", "sort", "filter", "total", "each", "preferred", "required", "tn", "td"];
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (*name, evil)).collect();
    let page = text(&post(&stage, "/stremio/torz/configure", &fields).await);
    assert!(!page.contains("<script>") && !page.contains(evil), "{page}");
    assert!(page.contains("&lt;script&gt;"));
    let link = segment(r#"{"stores":[{"c":"tb","t":"x"}],"filter":"</textarea><script>","tn":"\"><script>"}"#);
    let page = text(&stage.get(&format!("/stremio/torz/{link}/configure")).await);
    assert!(!page.contains("<script>") && page.contains("&lt;/textarea&gt;"));
}

#[tokio::test]
async fn only_small_forms_of_this_page_are_read() {
    let stage = Stage::new();
    let path = "/stremio/torz/configure";
    let send = |body: String, headers: &'static [(&str, &str)]| send(&stage, path, body, headers);
    assert_eq!(send(form(&[("td", &"x".repeat(17_000))]), &[]).await.status, 413);
    assert_eq!(send("{}".to_owned(), &[("content-type", "application/json")]).await.status, 415);
    assert_eq!(send(String::new(), &[("sec-fetch-site", "cross-site")]).await.status, 403);
    assert_eq!(send("a&".repeat(200), &[]).await.status, 400);
    assert_eq!(send(String::new(), &[("sec-fetch-site", "same-origin")]).await.status, 422);
    let deleted = Reply::read(stage.send(Method::DELETE, path, &[]).await).await;
    assert_eq!((deleted.status.as_u16(), deleted.header("allow")), (405, "GET, HEAD, POST"));
    let broken = stage.get("/stremio/torz/!!!/configure").await;
    assert_eq!((broken.status.as_u16(), broken.json()["error"]["code"].as_str()), (400, Some("BAD_REQUEST")));
    for wrong in [r#"{"stores":[{"c":"tb","t":"x"}],"filter":7}"#, r#"{"stores":[]}"#] {
        assert_eq!(stage.get(&format!("/stremio/torz/{}/configure", segment(wrong))).await.status, 400);
    }
}

#[tokio::test]
async fn a_token_is_checked_at_its_store_and_never_repeated() {
    let stage = Stage::new();
    stage.torbox.fail("bad", "account", StoreErrorKind::Unauthorized);
    let json = [("accept", "application/json")];
    let check = |token: &str| form(&[("do", "check-0"), ("s0.c", "tb"), ("s0.t", token)]);
    let good = send(&stage, "/stremio/torz/configure", check(TOKEN), &json).await;
    assert_eq!(good.json()["good"], true);
    assert!(!text(&good).contains(TOKEN) && text(&good).contains("plan pro"));
    let bad = send(&stage, "/stremio/torz/configure", check("bad"), &json).await;
    assert_eq!(bad.json()["good"], false);
    assert!(bad.json()["message"].as_str().unwrap().contains("does not accept"));
    let kept = form(&[("do", "check-0"), ("s0.c", "tb"), ("s0.keep", "0"), ("s0.t", "")]);
    let page = text(&send(&stage, &format!("/stremio/torz/{}/configure", own()), kept, &[]).await);
    assert!(page.contains("TorBox accepts this token") && !page.contains("own-token"));
    assert_eq!(stage.torbox.calls(), ["account s3cret-token", "account bad", "account own-token"]);
    for _ in 0..20 {
        send(&stage, "/stremio/torz/configure", check(TOKEN), &json).await;
    }
    assert_eq!(stage.torbox.calls().len(), 10, "one household asks ten times a minute at most");
    assert!(text(&send(&stage, "/stremio/torz/configure", check(TOKEN), &json).await).contains("Wait a minute"));
}

#[tokio::test]
async fn the_sample_list_follows_the_choices() {
    let stage = Stage::new();
    let ask = async |fields: &[(&str, &str)]| {
        let body = form(&[fields, &[("do", "preview")]].concat());
        send(&stage, "/stremio/torz/configure", body, &[("accept", "application/json")]).await.json()
    };
    let all = ask(&[]).await;
    let count = all["preview"]["streams"].as_array().unwrap().len();
    assert_eq!((count, all["preview"]["hidden"].as_u64()), (9, Some(0)));
    let own = ask(&[("filter", "Resolution >= \"2160p\""), ("cached", "on"), ("tn", "<{{ Quality }}>")]).await;
    assert_eq!(own["preview"]["streams"].as_array().unwrap().len(), 1);
    assert_eq!(own["preview"]["streams"][0]["name"], "<WEB-DL>");
    let wrong = ask(&[("filter", "(")]).await;
    assert_eq!(wrong["mistakes"][0]["name"], "filter");
}

fn list_of(link: &str) -> String {
    format!("/stremio/torz/{link}/stream/movie/{FILM}.json")
}

#[tokio::test]
async fn lists_follow_the_links_choices() {
    let stage = Stage::new();
    let names = ["Quiet.Hills.1968.1080p.BluRay.x264-A", "Quiet.Hills.1968.720p.WEB-DL-B", "Quiet.Hills.1968.CAM-C"];
    for (n, name) in (1..).zip(names) {
        fakes::lock(&stage.source.found).push(found(n, name));
        stage.torbox.has(hash(n), &[(&format!("/{name}.mkv"), 4_000)]);
    }
    let link = |choices: &str| segment(&format!(r#"{{"stores":[{{"c":"tb","t":"own"}}],{choices}}}"#));
    let shown = async |choices: &str| -> Vec<String> {
        let streams = stage.get(&list_of(&link(choices))).await.streams();
        streams.iter().map(|stream| stream["name"].as_str().unwrap().replace('\n', " ")).collect()
    };
    let template = r#""tn":"{{ Resolution or Quality }}""#;
    assert_eq!(shown(template).await, ["1080p", "720p", "CAM"]);
    assert_eq!(shown(&format!(r#"{template},"sort":"resolution""#)).await, ["CAM", "720p", "1080p"]);
    assert_eq!(shown(&format!(r#"{template},"filter":"Quality != \"CAM\"""#)).await, ["1080p", "720p"]);
    assert_eq!(shown(&format!(r#"{template},"hide":"\\bcam-""#)).await, ["1080p", "720p"]);
    assert_eq!(shown(&format!(r#"{template},"limit":{{"total":1}}"#)).await, ["1080p"]);
    assert_eq!(shown(template).await, ["1080p", "720p", "CAM"], "choices of one link are not another's");
    assert_eq!(stage.list(&own()).await.streams().len(), 3);
}

#[tokio::test]
async fn a_wrong_choice_is_explained_in_the_list_and_leads_to_the_page() {
    let stage = Stage::new().with_film();
    let link = segment(&format!(r#"{{"stores":[{{"c":"tb","auth":"{LINK}"}}],"filter":"Seeders >"}}"#));
    let reply = stage.get(&list_of(&link)).await;
    assert_eq!((reply.status.as_u16(), reply.refusal()), (200, "settings_invalid"));
    assert_ne!(reply.header("x-chillproxy-support"), "");
    let streams = reply.streams();
    assert_eq!(streams.len(), 1);
    let page = format!("http://edge.example/stremio/torz/{link}/configure");
    assert_eq!(streams[0]["externalUrl"], page.as_str());
    assert!(streams[0]["description"].as_str().unwrap().contains("line 1, column 10"));
    assert_eq!(stage.control.asked(), 0, "no key is leased for it");
    assert_eq!(stage.get(&format!("/stremio/torz/{link}/manifest.json")).await.status, 200);
    let path = page.strip_prefix("http://edge.example").unwrap();
    let page = text(&stage.get(path).await);
    assert!(page.contains("line 1, column 10") && !page.contains("id=\"install\""));
    assert_eq!(stage.list(&pool()).await.streams().len(), 1);
}

#[tokio::test]
async fn a_viewers_own_indexers_are_in_his_link_and_their_keys_nowhere_else() {
    let stage = Stage::new();
    let path = "/stremio/torz/configure";
    let base = [("s0.c", "tb"), ("s0.t", TOKEN)];
    let one = [("i0.n", "generic"), ("i0.u", "https://tz.example/1"), ("i0.ak", "k3y")];
    let saved = send(&stage, path, form(&[base.as_slice(), &one].concat()), &[]).await;
    assert_eq!(saved.status, 303, "{}", text(&saved));
    let link = saved.header("location").split('/').nth(3).unwrap().to_owned();
    let said = BASE64URL_NOPAD.decode(link.as_bytes()).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(said["indexers"], serde_json::json!([{ "n": "generic", "u": "https://tz.example/1", "ak": "k3y" }]));
    let path = format!("/stremio/torz/{link}/configure");
    let page = text(&stage.get(&path).await);
    assert!(page.contains("https://tz.example/1") && page.contains("kept as it is") && !page.contains("k3y"));
    let keep = |url: &'static str| {
        let fields =
            [("s0.c", "tb"), ("s0.keep", "0"), ("i0.n", "generic"), ("i0.u", url), ("i0.keep", "0"), ("i0.ak", "")];
        form(&fields)
    };
    let again = send(&stage, &path, keep("https://tz.example/1"), &[]).await;
    assert!(again.header("location").contains(&link), "nothing changed");
    let moved = send(&stage, &path, keep("https://evil.example"), &[]).await;
    let moved = BASE64URL_NOPAD.decode(moved.header("location").split('/').nth(3).unwrap().as_bytes()).unwrap();
    assert!(!String::from_utf8(moved).unwrap().contains("k3y"), "a key is not taken to another address");
    let gone = form(&[("s0.c", "tb"), ("s0.keep", "0"), ("i0.n", ""), ("i0.u", "")]);
    let gone = send(&stage, &path, gone, &[]).await;
    let gone = BASE64URL_NOPAD.decode(gone.header("location").split('/').nth(3).unwrap().as_bytes()).unwrap();
    assert!(!String::from_utf8(gone).unwrap().contains("indexers"));
    for (wrong, says) in [
        ([("i0.n", ""), ("i0.u", "https://x.example")], "choose what program"),
        ([("i0.n", "jackett"), ("i0.u", "")], "give the indexer"),
        ([("i0.n", "generic"), ("i0.u", "https://x.example/?apikey=k3y")], "must have no query"),
    ] {
        let reply = send(&stage, "/stremio/torz/configure", form(&[base.as_slice(), &wrong].concat()), &[]).await;
        assert_eq!(reply.status, 422);
        assert!(text(&reply).contains(says), "{says}");
    }
    let more = send(&stage, "/stremio/torz/configure", form(&[("do", "more-indexer")]), &[]).await;
    assert!(text(&more).contains("name=\"i0.u\""));
}

#[tokio::test]
async fn an_indexer_is_checked_where_it_is_typed() {
    let stage = Stage::new();
    let json = [("accept", "application/json")];
    let check =
        |key: &str| form(&[("do", "check-i0"), ("i0.n", "generic"), ("i0.u", "https://tz.example"), ("i0.ak", key)]);
    let good = send(&stage, "/stremio/torz/configure", check("good"), &json).await.json();
    assert_eq!((good["good"].as_bool(), good["message"].as_str()), (Some(true), Some("It answers.")));
    let bad = send(&stage, "/stremio/torz/configure", check("bad"), &[]).await;
    assert!(text(&bad).contains("This indexer cannot be used: Invalid API Key."));
    let link =
        segment(r#"{"stores":[{"c":"tb","t":"x"}],"indexers":[{"n":"generic","u":"https://tz.example","ak":"good"}]}"#);
    let kept = form(&[("do", "check-i0"), ("i0.n", "generic"), ("i0.u", "https://tz.example"), ("i0.keep", "0")]);
    let page = text(&send(&stage, &format!("/stremio/torz/{link}/configure"), kept, &[]).await);
    assert!(page.contains("It answers."), "the key of the link is tried");
    let other = form(&[("do", "check-i0"), ("i0.n", "generic"), ("i0.u", "https://evil.example"), ("i0.keep", "0")]);
    send(&stage, &format!("/stremio/torz/{link}/configure"), other, &json).await;
    assert_eq!(
        *fakes::lock(&stage.indexers.opened),
        [
            "check https://tz.example good",
            "check https://tz.example bad",
            "check https://tz.example good",
            "check https://evil.example "
        ]
    );
}
