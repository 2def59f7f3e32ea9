//! What the tests need from the machine; installs what is missing, and says so.

use std::path::Path;

use anyhow::{Context, bail};

use crate::{postgres, shell};

/// A program, the Debian package that brings it, and what it is for.
struct Need {
    package: &'static str,
    purpose: &'static str,
    is_met: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        package: "postgresql",
        purpose: "the storage tests run on a real PostgreSQL",
        is_met: || postgres::programs().is_some(),
    },
    Need {
        package: "redis-server",
        purpose: "shared counters run on a real Redis",
        is_met: || shell::is_there("redis-server"),
    },
    Need {
        package: "nginx",
        purpose: "the relay answers ranges and conditions as it does",
        is_met: || shell::is_there("nginx") || Path::new("/usr/sbin/nginx").exists(),
    },
    Need { package: "g++", purpose: "libFuzzer is built from its source", is_met: || shell::is_there("c++") },
    Need {
        package: "nodejs",
        purpose: "vendors' and Stremio's own clients are JavaScript",
        is_met: || shell::is_there("node"),
    },
    Need {
        package: "npm",
        purpose: "fetches those clients, in the versions the lock files name",
        is_met: || shell::is_there("npm"),
    },
    Need {
        package: "chromium-headless-shell",
        purpose: "the configure page is used in a real browser",
        is_met: || shell::is_there("chromium-headless-shell") || shell::is_there("chromium"),
    },
];

/// Installs the packages that are missing.
///
/// # Errors
/// When something is missing and cannot be installed; the sentence names it.
pub(crate) fn install() -> anyhow::Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_met)()).collect();
    if missing.is_empty() {
        println!("nothing is missing: {}", NEEDS.iter().map(|need| need.package).collect::<Vec<_>>().join(", "));
        return Ok(());
    }
    for need in &missing {
        println!("installing {}: {}", need.package, need.purpose);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let by_hand = format!("install by hand what is missing: {}", packages.join(" "));
    let root = become_root().with_context(|| by_hand.clone())?;
    apt(&root, &["update", "-qq"]).with_context(|| by_hand.clone())?;
    apt(&root, &[&["install", "-y", "-qq", "--no-install-recommends"], packages.as_slice()].concat())
        .with_context(|| by_hand.clone())?;
    match missing.iter().find(|need| !(need.is_met)()) {
        Some(need) => bail!("{} was installed but is not usable; {by_hand}", need.package),
        None => Ok(()),
    }
}

/// The words before `apt-get` that let it run as root.
fn become_root() -> anyhow::Result<Vec<&'static str>> {
    if !shell::is_there("apt-get") {
        bail!("this machine has no apt-get");
    }
    if shell::read(&mut shell::command("id", ["-u"]))? == "0" {
        return Ok(vec!["env"]);
    }
    if !shell::is_there("sudo") {
        bail!("apt-get needs root, and there is no sudo");
    }
    Ok(vec!["sudo", "env"])
}

fn apt(root: &[&str], words: &[&str]) -> anyhow::Result<()> {
    let all = [root, &["DEBIAN_FRONTEND=noninteractive", "apt-get"], words].concat();
    let (program, args) = all.split_first().context("there is at least apt-get")?;
    // A password may be asked for, so the terminal stays connected.
    shell::run(shell::command(program, args).stdin(std::process::Stdio::inherit()))
}
