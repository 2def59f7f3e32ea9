//! A viewer as the benchmarks play him: one device at one edge, which lists streams and plays them.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde_json::Value;

/// Longer answers than this are a fault.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest list that is read.
const MAX_LIST: u64 = 4 * 1024 * 1024;
/// The demonstration's film.
const FILM: &str = "tt0063350";

/// One device.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    agent: ureq::Agent,
    device: String,
    addon: String,
}

/// What a stream list said.
#[derive(Clone, Debug)]
pub(super) struct List {
    /// The code of a refusal; empty when there was none.
    pub(super) refusal: String,
    /// What starts at once, the smallest first.
    pub(super) cached: Vec<Stream>,
}

/// One stream.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// A credential: it must not be in an error.
    pub(super) url: String,
    pub(super) size: u64,
}

/// An open answer.
pub(super) struct Film {
    pub(super) status: u16,
    pub(super) body: Box<dyn Read + Send>,
}

impl Viewer {
    /// A device at the edge with this address; `manifest` is the user's install link wherever it leads.
    ///
    /// # Errors
    /// When the link is none.
    pub(super) fn new(edge: &str, manifest: &str, device: &str) -> anyhow::Result<Self> {
        let path = manifest.find("/stremio/").and_then(|at| manifest.get(at..)).context("the link has no addon")?;
        let addon = path.strip_suffix("/manifest.json").context("the link ends in /manifest.json")?;
        let config =
            ureq::Agent::config_builder().timeout_connect(Some(PATIENCE)).timeout_recv_response(Some(PATIENCE));
        let config = config.http_status_as_error(false).max_redirects(0).max_redirects_will_error(false);
        Ok(Self { agent: config.build().into(), device: device.to_owned(), addon: format!("{edge}{addon}") })
    }

    /// The same with another User-Agent, over the same connections.
    pub(super) fn as_device(&self, device: &str) -> Self {
        Self { device: device.to_owned(), ..self.clone() }
    }

    /// Asks for the film's streams.
    ///
    /// # Errors
    /// When no list came.
    pub(super) fn list(&self) -> anyhow::Result<List> {
        let url = format!("{}/stream/movie/{FILM}.json", self.addon);
        let answer = self.agent.get(url).header("user-agent", &self.device).call();
        let mut answer = answer.map_err(|_| anyhow!("the stream list was not answered"))?;
        anyhow::ensure!(answer.status() == 200, "the stream list was answered with {}", answer.status());
        let refusal = answer.headers().get("x-chillproxy-refusal").and_then(|code| code.to_str().ok());
        let refusal = refusal.unwrap_or_default().to_owned();
        let text = answer.body_mut().with_config().limit(MAX_LIST).read_to_vec()?;
        let list: Value = serde_json::from_slice(&text)?;
        let read = |stream: &Value| {
            let size = stream["behaviorHints"]["videoSize"].as_u64()?;
            let url = stream["url"].as_str()?.to_owned();
            stream["name"].as_str()?.contains('⚡').then_some(Stream { url, size })
        };
        let mut cached: Vec<_> = list["streams"].as_array().into_iter().flatten().filter_map(read).collect();
        cached.sort_by_key(|stream| stream.size);
        Ok(List { refusal, cached })
    }

    /// Opens a stream, or the first bytes of it.
    ///
    /// # Errors
    /// When nothing was answered.
    pub(super) fn open(&self, stream: &Stream, first: Option<u64>) -> anyhow::Result<Film> {
        let mut request = self.agent.get(&stream.url).header("user-agent", &self.device);
        if let Some(first) = first {
            request = request.header("range", format!("bytes=0-{}", first.saturating_sub(1)));
        }
        let answer = request.call().map_err(|_| anyhow!("the stream was not answered"))?;
        let status = answer.status().as_u16();
        Ok(Film { status, body: Box::new(answer.into_body().into_reader()) })
    }
}

impl Film {
    /// Waits for the first byte; false when none comes.
    pub(super) fn begins(&mut self) -> bool {
        self.body.read(&mut [0]).is_ok_and(|count| count > 0)
    }

    /// Reads so many bytes, or to its end; gives how many came before it ended or broke.
    pub(super) fn watch(&mut self, most: u64) -> u64 {
        let (mut seen, mut piece) = (0, vec![0; 64 * 1024]);
        while seen < most {
            match self.body.read(&mut piece) {
                Ok(count @ 1..) => seen += count as u64,
                Ok(0) | Err(_) => break,
            }
        }
        seen
    }
}
