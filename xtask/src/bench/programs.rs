//! Our own programs, built as fast as they get.

use std::path::{Path, PathBuf};

use crate::{shell, test};

/// The programs of one build profile.
#[derive(Debug)]
pub(super) struct Programs {
    directory: PathBuf,
    profile: &'static str,
}

impl Programs {
    /// Builds server, simulators and measuring programs: with `--release` among the words as they are released, with `--dev` for
    /// a try that measures nothing, else in the profile `fast`.
    ///
    /// # Errors
    /// When they do not compile.
    pub(super) fn build(words: &[String]) -> anyhow::Result<Self> {
        Self::of(words, &["-p", "chillproxy", "-p", "chill-sim", "--bins", "--examples"])
    }

    /// The same for other packages, in cargo's words.
    ///
    /// # Errors
    /// When they do not compile.
    pub(super) fn of(words: &[String], packages: &[&str]) -> anyhow::Result<Self> {
        let said = |wanted: &str| words.iter().any(|word| word == wanted);
        let profile = ["release", "dev"].into_iter().find(|profile| said(&format!("--{profile}"))).unwrap_or("fast");
        println!("building the programs to measure in the profile {profile}");
        let build = ["build", "--quiet", "--locked", "--profile", profile];
        shell::run(&mut shell::cargo(build.into_iter().chain(packages.iter().copied())))?;
        let directory = if profile == "dev" { "debug" } else { profile };
        Ok(Self { directory: test::programs()?.with_file_name(directory), profile })
    }

    /// Where they are.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The server.
    pub(super) fn server(&self) -> PathBuf {
        self.directory.join("chillproxy")
    }

    /// A measuring program.
    pub(super) fn example(&self, name: &str) -> PathBuf {
        self.directory.join("examples").join(name)
    }

    /// How they were built.
    pub(super) fn profile(&self) -> &'static str {
        self.profile
    }
}
