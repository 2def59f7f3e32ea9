//! `GET` and `POST /v0/proxy`: makes links.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::envelope::{Failure, Frame};
use super::expiry::expires_at;
use super::form::Form;
use super::link::TooLong;
use super::target::Target;
use super::{Proxy, link, request_headers, throttle, token};
use crate::cors;

pub(super) const PATH: &str = "/v0/proxy";

/// Most links of one request.
const MOST_LINKS: usize = 500;
/// Longest links of one request together, in bytes.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Where a credential may be, in the order in which it is looked for; the field `token` comes last, the query's first.
const CREDENTIALS: [&str; 2] = ["x-stremthru-authorization", "proxy-authorization"];
const TOKEN: &str = "token";

/// Largest body, in bytes: of a user, and of somebody whose credential may be in it.
const LARGEST_BODY: usize = 1024 * 1024;
const LARGEST_STRANGERS_BODY: usize = 64 * 1024;

pub(super) async fn answer(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let frame = Frame::of(&parts, PATH, &proxy.chance);
    frame.finish(match parts.method {
        Method::OPTIONS => Ok(cors::preflight()),
        Method::GET | Method::POST => create(&proxy, &parts, body).await,
        _ => Err(Failure::method_not_allowed()),
    })
}

async fn create(proxy: &Proxy, parts: &Parts, body: Body) -> Result<Response, Failure> {
    throttle::admit(proxy, parts).await?;
    let (user, form) = asked(proxy, parts, body).await?;
    let urls = form.urls();
    if urls.is_empty() || urls.iter().any(String::is_empty) {
        return Err(Failure::bad_request("missing url"));
    }
    let redirects = parts.method == Method::GET && form.value("redirect").is_some_and(|value| !value.is_empty());
    if redirects && urls.len() > 1 {
        return Err(Failure::bad_request("can not redirect for multiple urls"));
    }
    if urls.len() > MOST_LINKS {
        return Err(Failure::bad_request("too many urls, max allowed 500"));
    }
    let expires_at = expires_at(form.value("exp").unwrap_or_default(), proxy.clock.now())
        .map_err(|_| Failure::bad_request("invalid expiration"))?;
    let links = made(proxy, &proxy.base(parts), user, &form, expires_at)?;
    match links.first().filter(|_| redirects) {
        Some(link) => redirect(link),
        None => Ok(listed(&links)),
    }
}

/// Who asks, and what for. Somebody who is not a user learns nothing of what is wrong with his form, and nobody's body is
/// read who gave a credential elsewhere that is none.
async fn asked<'a>(proxy: &'a Proxy, parts: &Parts, body: Body) -> Result<(&'a str, Form), Failure> {
    let form = Form::of_query(parts);
    let known = |credential: &str| proxy.users.authorize(credential).ok_or_else(Failure::not_a_user);
    if let Some(credential) = credential(&parts.headers, &form) {
        let user = known(credential)?;
        return Ok((user, form.with_body(parts, body, LARGEST_BODY).await?));
    }
    let form = form.with_body(parts, body, LARGEST_STRANGERS_BODY).await.map_err(|_| Failure::not_a_user())?;
    let user = known(form.value(TOKEN).unwrap_or_default())?;
    Ok((user, form))
}

/// The value that comes first of those that are there before the body.
fn credential<'a>(headers: &'a HeaderMap, query: &'a Form) -> Option<&'a str> {
    let header =
        |name: &&str| headers.get(*name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    let of_query = || query.value(TOKEN).filter(|value| !value.is_empty());
    CREDENTIALS.iter().find_map(header).or_else(of_query)
}

fn made(proxy: &Proxy, base: &str, user: &str, form: &Form, expires_at: Option<i64>) -> Result<Vec<String>, Failure> {
    let (mut links, mut room) = (Vec::new(), LARGEST_ANSWER);
    for (at, url) in form.urls().iter().enumerate() {
        let link = link(proxy, base, user, form, (at, url), expires_at)?;
        let together = "the links would be too long together, ask for fewer at a time";
        room = room.checked_sub(link.len()).ok_or_else(|| Failure::bad_request(together))?;
        links.push(link);
    }
    Ok(links)
}

fn link(
    proxy: &Proxy,
    base: &str,
    user: &str,
    form: &Form,
    (at, url): (usize, &str),
    expires_at: Option<i64>,
) -> Result<String, Failure> {
    let headers = request_headers::from_lines(form.indexed("req_headers", at).unwrap_or_default());
    let headers = headers.map_err(|why| Failure::bad_request(why.sentence()))?;
    let target = Target::new(url, headers).map_err(|_| Failure::bad_request("invalid url"))?;
    let token = token::make(proxy.keys.first(), user, &target, expires_at, &proxy.chance);
    let token = token.map_err(|_| Failure::internal())?;
    let given = form.indexed("filename", at).filter(|name| !name.is_empty()).map(str::to_owned);
    link::url(base, &token, given.or_else(|| target.file_name()).as_deref()).map_err(|TooLong| {
        Failure::bad_request("the link would be longer than servers take, shorten the url or its headers")
    })
}

fn listed(links: &[String]) -> Response {
    let mut response = axum::Json(json!({ "data": { "items": links, "total_items": links.len() } })).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn redirect(link: &str) -> Result<Response, Failure> {
    let location = HeaderValue::try_from(link).map_err(|_| Failure::internal())?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::FOUND, headers).into_response())
}
