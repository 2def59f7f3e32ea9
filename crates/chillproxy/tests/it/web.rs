//! A viewer's HTTP client: one request, one bounded answer, or a body read piece by piece.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Larger answers than this are a fault of the test.
const MAX: usize = 256 * 1024 * 1024;

/// A client that follows no redirects and keeps no cookies, like a player.
#[derive(Clone)]
pub(crate) struct Web {
    client: Client<HttpConnector, Full<Bytes>>,
    user_agent: String,
}

/// A whole answer.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Web {
    pub(crate) fn new(user_agent: &str) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), user_agent: user_agent.to_owned() }
    }

    /// Sends a request and returns the answer's head with its body still to be read.
    pub(crate) async fn open(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(url).header("user-agent", &self.user_agent);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.client.request(request.body(Full::default()).unwrap()).await.unwrap_or_else(|e| panic!("{url}: {e}"))
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.send(Method::GET, url, &[]).await
    }

    pub(crate) async fn send(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Answer {
        whole(self.open(method, url, headers).await).await
    }

    /// Asks a server that may be killed meanwhile; none when no whole answer came.
    pub(crate) async fn try_get(&self, url: &str) -> Option<Answer> {
        let request = Request::get(url).header("user-agent", &self.user_agent).body(Full::default()).unwrap();
        try_whole(self.client.request(request).await.ok()?).await
    }

    /// Tells it something.
    pub(crate) async fn try_post(&self, url: &str, bearer: &str, body: &serde_json::Value) -> Option<Answer> {
        let request = Request::post(url).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {bearer}"));
        let request = request.body(Full::new(Bytes::from(body.to_string()))).unwrap();
        try_whole(self.client.request(request).await.ok()?).await
    }

    pub(crate) async fn post_json(&self, url: &str, body: &serde_json::Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_string()))).unwrap();
        whole(self.client.request(request).await.unwrap()).await
    }
}

async fn whole(response: Response<Incoming>) -> Answer {
    try_whole(response).await.expect("the body ends as it should")
}

async fn try_whole(response: Response<Incoming>) -> Option<Answer> {
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(axum::body::Body::new(body), MAX).await.ok()?;
    Some(Answer { status: head.status, headers: head.headers, body })
}

/// What a film's body gave before it ended, and whether it ended as it should.
pub(crate) struct Watched {
    pub bytes: Vec<u8>,
    pub broken: bool,
}

/// Reads a film to its end or its break.
pub(crate) async fn watch(mut body: Incoming) -> Watched {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
            Err(_) => return Watched { bytes, broken: true },
        }
    }
    Watched { bytes, broken: false }
}

/// Reads a film on while something else is done.
pub(crate) async fn watched<T>(film: &mut Incoming, meanwhile: impl Future<Output = T>) -> T {
    let reads = async { while !watch_some(film, 1).await.is_empty() {} };
    tokio::select! {
        done = meanwhile => done,
        () = reads => panic!("the film ends"),
    }
}

/// Reads at least `count` bytes of a film and keeps the rest for later.
pub(crate) async fn watch_some(body: &mut Incoming, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let frame = body.frame().await.expect("the film goes on").expect("the film is not broken");
        bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
    }
    bytes
}
