//! `chillproxy import imdb FILE`: titles for searching without asking anybody. `chillproxy import anime FILE`: where anime
//! of other catalogues stand at IMDb. Both go where the node that is configured here reads: an edge alone has a library of its own.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use chill_db::{Db, ImdbImport, ImdbTitle};
use chill_sources::{AnimeMapFile, ImdbFile, TitleRow};
use clap::{Args, Subcommand};

use super::{print, say};
use crate::config::{Config, Role};
use crate::wiring;

/// `chillproxy import`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The role the node serves with, when `serve` is given one: an edge reads its own library.
    #[arg(long, global = true)]
    pub role: Option<Role>,
    #[command(subcommand)]
    what: Command,
}

/// What can be imported.
#[derive(Subcommand)]
enum Command {
    /// IMDb's title.basics.tsv or title.basics.tsv.gz; an import that was broken off goes on where it was.
    Imdb {
        /// The file.
        file: PathBuf,
    },
    /// A map of anime ids, such as anime-list-full.json of Fribb's anime-lists; it replaces the one before.
    Anime {
        /// The file.
        file: PathBuf,
    },
}

/// Titles written by one transaction.
const BATCH: usize = 5_000;

/// Runs an import.
pub(crate) async fn run(arguments: Arguments, config: &Config) -> anyhow::Result<()> {
    wiring::make_data_dir(config)?;
    let db = match config.role {
        Role::Edge => wiring::open_library(config).await?,
        Role::All => wiring::open_database(config).await?,
        Role::Control => anyhow::bail!("a control plane alone searches nothing: import on each edge"),
    };
    let done = match arguments.what {
        Command::Imdb { file } => imdb(&db, &file).await,
        Command::Anime { file } => anime(&db, &file).await,
    };
    db.close().await;
    done
}

async fn imdb(db: &Db, path: &Path) -> anyhow::Result<()> {
    let mut file = ImdbFile::open(path)?;
    let before = db.read().await?.imdb_import().await?.filter(|import| import.file == file.fingerprint());
    match before {
        Some(import) if import.done => {
            print("This file was imported already.");
            return Ok(());
        }
        Some(import) => file.skip_to(import.lines)?,
        None => {}
    }
    let (start, mut titles, mut written) = (Instant::now(), 0, 0);
    loop {
        let batch = file.by_ref().take(BATCH).map(|row| row.map(title)).collect::<Result<Vec<_>, _>>()?;
        let done = batch.len() < BATCH;
        let mut tx = db.write().await?;
        written += tx.imdb_put(&batch).await?;
        let note = ImdbImport { file: file.fingerprint().to_owned(), lines: file.lines_read(), done };
        tx.imdb_note_import(&note).await?;
        tx.commit().await.context("the titles could not be kept; the next import goes on where this one was")?;
        titles += batch.len();
        progress(&file, titles);
        if done {
            break;
        }
    }
    if std::io::stderr().is_terminal() {
        say("");
    }
    let seconds = start.elapsed().as_secs_f64();
    print(&format!("{titles} titles read, {written} of them new or changed, in {seconds:.1} s."));
    if file.unreadable() > 0 {
        say(&format!("{} lines could not be read and were left out.", file.unreadable()));
    }
    Ok(())
}

async fn anime(db: &Db, path: &Path) -> anyhow::Result<()> {
    let file = std::fs::File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let map = AnimeMapFile::read(file)?;
    let mut tx = db.write().await?;
    tx.anime_replace(&map.places).await?;
    tx.commit().await.context("the map could not be kept; the one before is still there")?;
    let known = map.entries - map.skipped;
    print(&format!("{known} anime imported; they are found under {} ids.", map.places.len()));
    Ok(())
}

fn title(row: TitleRow) -> ImdbTitle {
    ImdbTitle {
        imdb: row.imdb,
        kind: row.kind.as_str().to_owned(),
        title: row.title,
        original_title: row.original_title,
        year: row.year,
    }
}

/// A bar on a terminal, nothing elsewhere.
fn progress(file: &ImdbFile, titles: usize) {
    const WIDTH: u64 = 30;
    let mut terminal = std::io::stderr();
    if !terminal.is_terminal() {
        return;
    }
    let filled = (file.bytes_read() * WIDTH).checked_div(file.bytes()).unwrap_or(WIDTH);
    let bar: String = (0..WIDTH).map(|at| if at < filled { '█' } else { '·' }).collect();
    drop(write!(terminal, "\r{bar} {titles} titles"));
    drop(terminal.flush());
}
