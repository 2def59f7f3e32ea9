//! `chill-sim world` as another process sees it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use crate::client::world;

/// Stops the program however the test ends.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_program_tells_its_addresses_in_one_line_and_runs_on() -> anyhow::Result<()> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chill-sim"));
    program.args(["world", "--json", "--seed", "demo", "--key", "given"]).stdout(Stdio::piped());
    let mut process = Stopped(program.spawn()?);
    let mut line = String::new();
    BufReader::new(process.0.stdout.take().context("no output")?).read_line(&mut line)?;
    let told: Value = serde_json::from_str(&line)?;
    let url = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let (_world, client) = world().await?;
    let user = format!("{}/v1/api/user/me", url("torbox"));
    assert_eq!(client.get_with(&user, &[("authorization", "Bearer given")]).await?.status, 200);
    let search = format!("{}/api?t=movie&imdbid=tt0063350&apikey={}", url("torznab"), url("torznab_key"));
    assert_eq!(client.get(&search).await?.text().matches("<item>").count(), 8);
    assert_eq!(client.get(&format!("{}/meta/movie/tt0063350.json", url("cinemeta"))).await?.status, 200);
    let calls = client.get(&format!("{}/calls?server=torbox", url("control"))).await?.json()?;
    assert_eq!(calls.as_array().map(Vec::len), Some(1));
    assert!(process.0.try_wait()?.is_none(), "it runs until it is stopped");
    Ok(())
}
