//! A plain HTTP client, and TorBox's calls as one-liners.

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use chill_sim::{Plan, World};
use http::{HeaderMap, Request, StatusCode, header};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The key of the account [`world`] has.
pub(crate) const KEY: &str = "key-one";

/// The largest answer a test reads.
const CAP: usize = 100 * 1024 * 1024;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Keeps connections alive like a real client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pool: Pool<HttpConnector, Body>,
    torbox: String,
    control: String,
}

/// A world with one Pro account, and a client for it.
pub(crate) async fn world() -> anyhow::Result<(World, Client)> {
    let world = World::start().await?;
    world.torbox().add_account(KEY, Plan::Pro, 0);
    let pool = Pool::builder(TokioExecutor::new()).build_http();
    let client = Client { pool, torbox: world.torbox_url(), control: world.control_url() };
    Ok((world, client))
}

impl Client {
    /// The answer with its body still to come.
    pub(crate) async fn open(&self, request: Request<Body>) -> anyhow::Result<http::Response<hyper::body::Incoming>> {
        Ok(self.pool.request(request).await?)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> anyhow::Result<Reply> {
        let (parts, body) = self.open(request).await?.into_parts();
        let body = to_bytes(Body::new(body), CAP).await.context("the answer broke off")?;
        Ok(Reply { status: parts.status, headers: parts.headers, body })
    }

    pub(crate) async fn get(&self, url: &str) -> anyhow::Result<Reply> {
        self.send(Request::get(url).body(Body::empty())?).await
    }

    /// GET of the CDN with headers.
    pub(crate) async fn get_with(&self, url: &str, headers: &[(&str, &str)]) -> anyhow::Result<Reply> {
        let request = headers.iter().fold(Request::get(url), |request, (name, value)| request.header(*name, *value));
        self.send(request.body(Body::empty())?).await
    }

    /// GET of a TorBox path after `/v1/api/`, as the account.
    pub(crate) async fn torbox(&self, path: &str) -> anyhow::Result<Reply> {
        self.torbox_as(KEY, path).await
    }

    pub(crate) async fn torbox_as(&self, key: &str, path: &str) -> anyhow::Result<Reply> {
        let request = Request::get(format!("{}/v1/api/{path}", self.torbox));
        self.send(request.header(header::AUTHORIZATION, format!("Bearer {key}")).body(Body::empty())?).await
    }

    /// POST to a TorBox path with a content type.
    pub(crate) async fn post(&self, path: &str, content_type: &str, body: impl Into<Body>) -> anyhow::Result<Reply> {
        self.post_as(KEY, path, content_type, body).await
    }

    pub(crate) async fn post_as(
        &self,
        key: &str,
        path: &str,
        content_type: &str,
        body: impl Into<Body>,
    ) -> anyhow::Result<Reply> {
        let request = Request::post(format!("{}/v1/api/{path}", self.torbox))
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, content_type);
        self.send(request.body(body.into())?).await
    }

    /// `createtorrent` of a hash with further form fields (`&seed=3…`).
    pub(crate) async fn create(&self, hash: &str, more: &str) -> anyhow::Result<Reply> {
        self.create_as(KEY, hash, more).await
    }

    pub(crate) async fn create_as(&self, key: &str, hash: &str, more: &str) -> anyhow::Result<Reply> {
        let form = format!("magnet=magnet%3A%3Fxt%3Durn%3Abtih%3A{hash}{more}");
        self.post_as(key, "torrents/createtorrent", "application/x-www-form-urlencoded", form).await
    }

    pub(crate) async fn control_torrent(&self, body: Value) -> anyhow::Result<Reply> {
        self.post("torrents/controltorrent", "application/json", body.to_string()).await
    }

    /// Adds a torrent and asks for a link to one of its files.
    pub(crate) async fn link(&self, hash: &str, file_id: usize) -> anyhow::Result<String> {
        let added = self.create(hash, "&seed=3").await?.json()?;
        let id = added["data"]["torrent_id"].as_u64().context("not added")?;
        let path = format!("torrents/requestdl?token={KEY}&torrent_id={id}&file_id={file_id}");
        let link = self.torbox(&path).await?.json()?;
        Ok(link["data"].as_str().context("no link")?.to_owned())
    }

    /// A call of the control API.
    pub(crate) async fn tell(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.control));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string()))?).await
    }
}
