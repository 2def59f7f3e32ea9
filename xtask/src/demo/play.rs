//! A viewer's player for the demonstration: lists streams, plays a film, reads it piece by piece.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};
use ureq::Agent;

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(30);
const PIECE: usize = 64 * 1024;
const MAX_JSON: u64 = 4 * 1024 * 1024;

/// One entry of a stream list.
pub(crate) struct Listed {
    /// As the viewer sees it.
    pub(crate) name: String,
    /// Where it plays.
    pub(crate) url: String,
    /// Bytes of the file.
    pub(crate) size: u64,
    /// Whether the store has it.
    pub(crate) cached: bool,
    /// The file's name.
    pub(crate) file_name: String,
}

/// The head of a stream list.
pub(crate) struct Raw {
    /// The refusal's code, when it was refused.
    pub(crate) refusal: Option<String>,
    /// The first entry's name.
    pub(crate) first_name: String,
    streams: Vec<Value>,
}

/// What was played.
#[derive(PartialEq, Eq)]
pub(crate) struct Played {
    /// How many bytes.
    pub(crate) bytes: u64,
    /// Their SHA-256, hexadecimal.
    pub(crate) digest: String,
}

/// A player with one install link.
pub(crate) struct Player {
    agent: Agent,
    addon: String,
}

/// A film that is running.
pub(crate) struct Running(Box<dyn Read>);

impl Player {
    /// A player that was given an install link.
    pub(crate) fn new(manifest_url: &str) -> anyhow::Result<Self> {
        Self::on("Demo/1.0", manifest_url)
    }

    /// The same, by the name of another device.
    pub(crate) fn on(device: &str, manifest_url: &str) -> anyhow::Result<Self> {
        let addon = manifest_url.strip_suffix("/manifest.json").context("the install link ends in /manifest.json")?;
        Ok(Self { agent: agent(device), addon: addon.to_owned() })
    }

    /// The streams of `movie/tt…` or `series/tt…:1:2`; at least one.
    pub(crate) fn list(&self, content: &str) -> anyhow::Result<Vec<Listed>> {
        let raw = self.list_raw(content)?;
        ensure!(raw.refusal.is_none(), "the list was refused: {:?}", raw.refusal);
        let listed: Vec<_> = raw.streams.iter().filter_map(listed).collect();
        ensure!(!listed.is_empty(), "the list is empty");
        Ok(listed)
    }

    /// The list as it came.
    pub(crate) fn list_raw(&self, content: &str) -> anyhow::Result<Raw> {
        let mut response = self.agent.get(format!("{}/stream/{content}.json", self.addon)).call()?;
        let refusal =
            response.headers().get("x-chillproxy-refusal").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = response.body_mut().with_config().limit(MAX_JSON).read_to_string()?;
        let mut body: Value = serde_json::from_str(&text)?;
        let streams = body["streams"].as_array_mut().map(std::mem::take).context("the answer has no streams")?;
        let first_name = streams.first().and_then(|stream| stream["name"].as_str()).unwrap_or_default().to_owned();
        Ok(Raw { refusal, first_name, streams })
    }

    /// Plays to the end.
    pub(crate) fn play(&self, url: &str) -> anyhow::Result<Played> {
        digest(self.open(url)?.0)
    }

    /// Starts playing.
    pub(crate) fn open(&self, url: &str) -> anyhow::Result<Running> {
        let response = self.agent.get(url).call()?;
        ensure!(response.status() == 200, "the film was answered with {}", response.status());
        Ok(Running(Box::new(response.into_body().into_reader())))
    }
}

impl Player {
    /// Starts playing from a place on, as after a seek.
    pub(crate) fn open_at(&self, url: &str, first: u64) -> anyhow::Result<Running> {
        let response = self.agent.get(url).header("range", format!("bytes={first}-")).call()?;
        ensure!(response.status() == 206, "the film was answered with {}", response.status());
        Ok(Running(Box::new(response.into_body().into_reader())))
    }
}

impl Running {
    /// Reads at least so many bytes.
    pub(crate) fn read_at_least(&mut self, count: u64) -> anyhow::Result<()> {
        let read = std::io::copy(&mut self.0.by_ref().take(count), &mut std::io::sink())?;
        ensure!(read == count, "the film ended after {read} bytes");
        Ok(())
    }

    /// Reads until the connection breaks; an orderly end is an error here. Returns the bytes that still came.
    pub(crate) fn read_to_the_break(&mut self) -> anyhow::Result<u64> {
        let mut piece = vec![0; PIECE];
        let mut total = 0;
        loop {
            match self.0.read(&mut piece) {
                Ok(0) => anyhow::bail!("the film ended as if it were whole"),
                Ok(n) => total += n as u64,
                Err(_) => return Ok(total),
            }
        }
    }
}

/// The same file straight from the store's CDN, as the owner of the key would get it.
pub(crate) fn original(world: &World, stream: &Listed) -> anyhow::Result<Played> {
    let agent = agent("Owner/1.0");
    let api = format!("{}/v1/api/torrents", world.url("torbox")?);
    let key = World::store_key();
    let ask = |path: &str| -> anyhow::Result<Value> {
        let mut response =
            agent.get(format!("{api}/{path}")).header("authorization", format!("Bearer {key}")).call()?;
        Ok(serde_json::from_str(&response.body_mut().read_to_string()?)?)
    };
    let list = ask("mylist?bypass_cache=true")?;
    let torrents = list["data"].as_array().context("the account's list is not a list")?;
    let found = torrents.iter().find_map(|torrent| {
        let files = torrent["files"].as_array()?;
        let file = files.iter().find(|file| file["short_name"] == stream.file_name.as_str())?;
        Some((torrent["id"].clone(), file["id"].clone()))
    });
    let (torrent, file) = found.context("the played file is not in the account")?;
    let link = ask(&format!("requestdl?token={key}&torrent_id={torrent}&file_id={file}"))?;
    let url = link["data"].as_str().context("the store gave no link")?;
    digest(agent.get(url).call()?.into_body().into_reader())
}

fn agent(name: &str) -> Agent {
    let config = Agent::config_builder().timeout_connect(Some(PATIENCE)).timeout_recv_response(Some(PATIENCE));
    config.http_status_as_error(false).user_agent(name).build().into()
}

fn listed(stream: &Value) -> Option<Listed> {
    let name = stream["name"].as_str()?.to_owned();
    let hints = &stream["behaviorHints"];
    Some(Listed {
        cached: name.contains('⚡'),
        url: stream["url"].as_str()?.to_owned(),
        size: hints["videoSize"].as_u64()?,
        file_name: hints["filename"].as_str()?.to_owned(),
        name,
    })
}

fn digest(mut film: impl Read) -> anyhow::Result<Played> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut bytes = 0;
    loop {
        match film.read(&mut piece)? {
            0 => break,
            n => {
                hasher.update(piece.get(..n).unwrap_or_default());
                bytes += n as u64;
            }
        }
    }
    Ok(Played { bytes, digest: hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect() })
}
