//! Load by wrk, on one thread of its own: it shares the cores with the server, equally for all servers.

use anyhow::{Context, ensure};

use crate::shell;

/// What one run saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Load {
    /// Answered requests.
    pub(super) requests: f64,
    /// The same per second.
    pub(super) per_second: f64,
}

/// So many connections for so many seconds, each asking again as soon as it is answered.
///
/// # Errors
/// When wrk fails, or any answer was not a success: such figures would mean nothing.
pub(super) fn run(url: &str, connections: u32, seconds: u32) -> anyhow::Result<Load> {
    let words = ["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--timeout", "30s", url];
    let said = shell::read(&mut shell::command("wrk", words))?;
    read(&said).with_context(|| format!("wrk said:\n{}", said.replace(url, "(the address)")))
}

fn read(said: &str) -> anyhow::Result<Load> {
    ensure!(!said.contains("Non-2xx"), "not every answer was a success");
    let after = |start: &str| said.lines().find_map(|line| line.trim().strip_prefix(start));
    let per_second = after("Requests/sec:").context("no requests per second")?.trim().parse()?;
    let requests = said.lines().find_map(|line| line.trim().split_once(" requests in "));
    let requests = requests.context("no number of requests")?.0.parse()?;
    if let Some(errors) = after("Socket errors:") {
        let none = errors.split(',').all(|error| error.trim().ends_with(" 0"));
        ensure!(none, "connections failed:{errors}");
    }
    Ok(Load { requests, per_second })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 10 connections\n  Thread Stats   Avg\n  \
                        1234 requests in 1.00s, 5.00MB read\nRequests/sec:   1230.50\nTransfer/sec: 1MB";

    #[test]
    fn its_words_become_figures() {
        assert_eq!(read(SAID).unwrap(), Load { requests: 1234.0, per_second: 1230.5 });
    }

    #[test]
    fn failed_answers_are_no_figures() {
        assert!(read(&format!("{SAID}\nNon-2xx or 3xx responses: 3")).is_err());
        assert!(read(&format!("{SAID}\n  Socket errors: connect 0, read 2, write 0, timeout 0")).is_err());
        assert!(read(&format!("{SAID}\n  Socket errors: connect 0, read 0, write 0, timeout 0")).is_ok());
    }
}
