//! The library of known torrents when it is large. The first word names the database, the second what is done there: `fill`
//! puts in so many torrents as the third word says, `look` measures so many lookups, `forget` forgets the older half. Prints
//! one line of JSON, times in ms.
//!
//! `cargo xtask bench library` runs it.

use std::error::Error;
use std::time::Instant;

use chill_core::{Clock, ContentId, Found, InfoHash, KnownFile, Library};
use chill_db::{Db, Options, TorrentLibrary};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Torrents of one film or series.
const OF_ONE: usize = 50;
const NOW: i64 = 1_700_000_000_000;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let url = words.next().ok_or("the first word names the database")?.parse()?;
    let act = words.next().ok_or("the second word is `fill`, `look` or `forget`")?;
    let number: usize = words.next().ok_or("the third word is a number")?.parse()?;
    let db = Db::open(&url, Options::default()).await?;
    db.migrate().await?;
    let said = match act.as_str() {
        "fill" => fill(&db, number / OF_ONE).await?,
        "look" => look(&db, number).await?,
        _ => forget(&db).await?,
    };
    writeln(&said.to_string())?;
    db.close().await;
    Ok(())
}

/// The four questions, one after the other, each of another series.
async fn look(db: &Db, lookups: usize) -> Outcome<Value> {
    let library = TorrentLibrary::new(db.clone(), Clock::fixed(NOW));
    let works = works(db).await?;
    let mut times = [const { Vec::new() }; 4];
    for n in 0..lookups {
        // Spread over everything, so that no lookup finds what the one before has read.
        let work = n.wrapping_mul(7_919) % works;
        let begun = Instant::now();
        let found = library.find(&content(work)).await?;
        times[0].push(ms(begun));
        if found.len() != OF_ONE {
            return Err(format!("{} torrents instead of {OF_ONE}", found.len()).into());
        }
        let begun = Instant::now();
        library.of_work(&content(work).work()).await?;
        times[1].push(ms(begun));
        let begun = Instant::now();
        let called = library.called(&format!("series number {work}")).await?;
        times[2].push(ms(begun));
        if called.is_empty() {
            return Err("a name was not found".into());
        }
        let begun = Instant::now();
        library.newest(100).await?;
        times[3].push(ms(begun));
    }
    let names = ["find", "of_work", "called", "newest"];
    let figures = names.into_iter().zip(times).map(|(name, mut times)| {
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 100).copied().unwrap_or(f64::NAN);
        (name.to_owned(), json!({ "p50": at(50), "p99": at(99), "most": at(100) }))
    });
    Ok(Value::Object(figures.collect()))
}

/// How many series there are: each was seen a millisecond later than the one before.
async fn works(db: &Db) -> Outcome<usize> {
    let newest = db.read().await?.known_newest(1).await?;
    let newest = newest.first().ok_or("nothing is known; `fill` it first")?;
    Ok(usize::try_from(newest.seen_at - NOW)? + 1)
}

/// What was seen in the first half of the time, as a server forgets it: a piece per transaction.
async fn forget(db: &Db) -> Outcome<Value> {
    let before = NOW + i64::try_from(works(db).await? / 2)?;
    let (begun, mut longest, mut rows) = (Instant::now(), 0.0_f64, 0);
    loop {
        let piece = Instant::now();
        let mut tx = db.write().await?;
        let forgotten = tx.known_forget(before).await?;
        tx.commit().await?;
        longest = longest.max(ms(piece));
        rows += forgotten;
        if forgotten == 0 {
            return Ok(json!({ "rows": rows, "ms": ms(begun), "longest": longest }));
        }
    }
}

fn writeln(line: &str) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}")
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}

fn content(work: usize) -> ContentId {
    ContentId::Episode { imdb: format!("tt{work:07}"), season: 1, episode: 5 }
}

/// One series after the other: its packs and episodes, their files, its name.
async fn fill(db: &Db, works: usize) -> Outcome<Value> {
    let begun = Instant::now();
    for some in (0..works).collect::<Vec<_>>().chunks(100) {
        let mut tx = db.write().await?;
        for work in some {
            let seen_at = NOW + i64::try_from(*work)?;
            let found: Vec<Found> = (0..OF_ONE).map(|n| found(*work, n)).collect();
            for (n, found) in found.chunks(OF_ONE / 5).enumerate() {
                let episode = u16::try_from(n + 4)?;
                let content = ContentId::Episode { imdb: format!("tt{work:07}"), season: 1, episode };
                tx.known_remember(&content, found, seen_at).await?;
            }
            let files = [KnownFile { path: "/Series.S01E05.mkv".to_owned(), size: Some(1_000_000_000) }];
            if let Some(first) = found.first() {
                tx.known_remember_files(&first.hash, &files, seen_at).await?;
            }
            tx.known_call(&format!("tt{work:07}"), &[format!("series number {work}")], seen_at).await?;
        }
        tx.commit().await?;
    }
    Ok(json!({ "torrents": works * OF_ONE, "ms": ms(begun) }))
}

fn found(work: usize, n: usize) -> Found {
    let mut hash = [0; 20];
    // Hashes are spread over the whole range, as real ones are.
    let mixed = ((work * OF_ONE + n) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash[..8].copy_from_slice(&mixed.to_be_bytes());
    Found {
        hash: InfoHash::from_bytes(hash),
        name: format!("Series.Number.{work}.S01E{n:02}.1080p.WEB-DL.DDP5.1.H.264-GRP{n}"),
        size: Some(1_000_000_000 + n as u64),
        seeders: Some(5),
        source: "bench".to_owned(),
        private: false,
        exact: true,
    }
}
