//! The control plane's addresses, and which of them to ask first.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Uri;
use url::Url;

use super::InvalidRemote;

/// More addresses than this are a mistake.
const MOST: usize = 16;

/// The nodes, in the operator's order, and the one that worked last.
pub(super) struct Nodes {
    all: Vec<Node>,
    first: AtomicUsize,
}

/// One node.
#[derive(Clone)]
pub(super) struct Node {
    place: usize,
    /// Without credentials, query or a slash at its end.
    base: String,
    name: String,
}

/// As logs and errors name it: host and port.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Node {
    fn new(place: usize, url: &Url) -> Option<Self> {
        let scheme = Some(url.scheme()).filter(|scheme| matches!(*scheme, "http" | "https"))?;
        let port = url.port_or_known_default()?;
        let name = format!("{}:{port}", url.host_str()?);
        let base = format!("{scheme}://{name}{}", url.path().trim_end_matches('/'));
        base.parse::<Uri>().ok()?;
        Some(Self { place, base, name })
    }

    /// The address of a path of the internal API.
    pub(super) fn uri(&self, path: &str) -> Option<Uri> {
        format!("{}{path}", self.base).parse().ok()
    }
}

impl Nodes {
    pub(super) fn new(urls: &[Url]) -> Result<Self, InvalidRemote> {
        let read = |(place, url)| Node::new(place, url).ok_or(InvalidRemote::Address);
        let all = urls.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() || all.len() > MOST {
            return Err(InvalidRemote::Address);
        }
        Ok(Self { all, first: AtomicUsize::new(0) })
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// All nodes, the one that worked last first, then in their order.
    pub(super) fn in_turn(&self) -> Vec<Node> {
        let first = self.first.load(Ordering::Relaxed) % self.all.len();
        self.all.iter().cycle().skip(first).take(self.all.len()).cloned().collect()
    }

    /// It answered: it is asked first from now on.
    pub(super) fn worked(&self, node: &Node) {
        self.first.store(node.place, Ordering::Relaxed);
    }

    /// It failed: if it was the first to be asked, the next one is now.
    pub(super) fn failed(&self, node: &Node) {
        let next = (node.place + 1) % self.all.len();
        let _ = self.first.compare_exchange(node.place, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(urls: &[&str]) -> Result<Nodes, InvalidRemote> {
        Nodes::new(&urls.iter().map(|url| url.parse().unwrap()).collect::<Vec<_>>())
    }

    fn order(nodes: &Nodes) -> Vec<String> {
        nodes.in_turn().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_one_that_worked_is_asked_first() {
        let nodes = nodes(&["http://a:1", "http://b:2", "http://c:3"]).unwrap();
        assert_eq!(order(&nodes), ["a:1", "b:2", "c:3"]);
        let turn = nodes.in_turn();
        nodes.worked(&turn[1]);
        assert_eq!(order(&nodes), ["b:2", "c:3", "a:1"]);
        nodes.failed(&turn[0]);
        assert_eq!(order(&nodes)[0], "b:2", "another one's failure moves nothing");
        nodes.failed(&turn[1]);
        assert_eq!(order(&nodes)[0], "c:3");
    }

    #[test]
    fn credentials_are_left_out_and_paths_are_kept() {
        let nodes = nodes(&["https://user:secret@host/api/"]).unwrap();
        let node = &nodes.in_turn()[0];
        assert_eq!(node.to_string(), "host:443");
        assert_eq!(node.uri("/x").unwrap().to_string(), "https://host:443/api/x");
    }

    #[test]
    fn nothing_but_web_addresses() {
        assert!(nodes(&[]).is_err());
        assert!(nodes(&["ftp://a"]).is_err());
    }
}
