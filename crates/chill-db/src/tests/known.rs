//! The library remembers what searches found.

use chill_core::{Clock, ContentId, Found, InfoHash, KnownFile, Library};

use super::NOW;
use crate::{TorrentLibrary, trial};

fn hash(n: u8) -> InfoHash {
    InfoHash::from_bytes([n; 20])
}

fn found(n: u8, name: &str) -> Found {
    let (size, seeders) = (Some(7_000_000_000), None);
    Found { hash: hash(n), name: name.to_owned(), size, seeders, source: "one".to_owned(), private: false, exact: true }
}

fn content(text: &str) -> ContentId {
    text.parse().unwrap()
}

#[tokio::test]
async fn what_was_found_is_found_again_with_its_files() {
    trial::both(async |trial| {
        let library = TorrentLibrary::new(trial.db.clone(), Clock::fixed(NOW));
        let film = content("tt0000001");
        let private = Found { private: true, ..found(3, "Secret.Film.2020") };
        let dup = found(1, "Some.Film.2020.1080p");
        library.remember(&film, &[dup.clone(), private, dup, found(2, "Some.Film.2020.2160p")]).await.unwrap();
        let files = vec![
            KnownFile { path: "/Some Film \u{e9}.mkv".to_owned(), size: Some(6_999_999_999) },
            KnownFile { path: "/sample.mkv".to_owned(), size: None },
        ];
        library.remember_files(&hash(1), &files).await.unwrap();
        let known = library.find(&film).await.unwrap();
        assert_eq!(known.len(), 2, "nothing private, nothing twice");
        assert_eq!(known[0].found, found(1, "Some.Film.2020.1080p"));
        assert_eq!(known[0].files, files);
        assert_eq!(known[1].files, []);
        assert_eq!(library.find(&content("tt0000002")).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn an_episode_finds_its_own_first_and_then_its_series_packs() {
    trial::both(async |trial| {
        let clock = Clock::fixed(NOW);
        let library = TorrentLibrary::new(trial.db.clone(), clock.clone());
        let (first, second) = (content("tt0000009:1:1"), content("tt0000009:1:2"));
        library.remember(&second, &[found(2, "Show.S01E02")]).await.unwrap();
        clock.advance(std::time::Duration::from_secs(60));
        library.remember(&first, &[found(1, "Show.S01.Pack")]).await.unwrap();
        let known = library.find(&second).await.unwrap();
        let names: Vec<_> = known.iter().map(|known| (known.found.name.as_str(), known.found.exact)).collect();
        assert_eq!(names, [("Show.S01E02", true), ("Show.S01.Pack", false)]);
    })
    .await;
}

#[tokio::test]
async fn names_from_outside_cannot_break_a_row() {
    trial::both(async |trial| {
        let library = TorrentLibrary::new(trial.db.clone(), Clock::fixed(NOW));
        let film = content("tt0000003");
        let wild = format!("A\0B'\"\\ [\u{1f3ac}] \u{202e}\n{}", "x".repeat(5_000));
        library.remember(&film, &[found(1, &wild)]).await.unwrap();
        let name = library.find(&film).await.unwrap().remove(0).found.name;
        assert!(name.starts_with("AB'\"\\ [\u{1f3ac}]") && name.chars().count() == 1_024, "{name}");
        let huge = Found { size: Some(u64::MAX), seeders: Some(u32::MAX), ..found(1, "Back") };
        library.remember(&film, &[huge]).await.unwrap();
        assert_eq!(library.find(&film).await.unwrap()[0].found.seeders, Some(u32::MAX));
    })
    .await;
}

#[tokio::test]
async fn what_nobody_finds_any_more_is_forgotten() {
    trial::both(async |trial| {
        let library = TorrentLibrary::new(trial.db.clone(), Clock::fixed(NOW));
        let film = content("tt0000004");
        library.remember(&film, &[found(1, "Old")]).await.unwrap();
        library.remember_files(&hash(1), &[]).await.unwrap();
        let mut tx = trial.db.write().await.unwrap();
        assert_eq!(tx.known_forget(NOW).await.unwrap(), 0);
        assert_eq!(tx.known_forget(NOW + 1).await.unwrap(), 2, "the torrent and its files");
        assert_eq!(tx.known_forget(NOW + 1).await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert_eq!(library.find(&film).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn much_is_forgotten_in_pieces() {
    trial::both(async |trial| {
        let film = content("tt0000005");
        let many: Vec<Found> = (0..1_200_u16)
            .map(|n| {
                let mut bytes = [9; 20];
                bytes[..2].copy_from_slice(&n.to_be_bytes());
                Found { hash: InfoHash::from_bytes(bytes), ..found(1, "Old") }
            })
            .collect();
        let mut tx = trial.db.write().await.unwrap();
        tx.known_remember(&film, &many, NOW).await.unwrap();
        tx.known_remember(&film, &[found(1, "New")], NOW + 1).await.unwrap();
        let mut forgotten = Vec::new();
        for _ in 0..3 {
            forgotten.push(tx.known_forget(NOW + 1).await.unwrap());
        }
        assert_eq!(forgotten, [1_000, 200, 0]);
        let left = tx.known_find(&film).await.unwrap();
        assert_eq!(left.iter().map(|known| known.found.name.as_str()).collect::<Vec<_>>(), ["New"]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn lists_for_other_programs_are_by_age_by_work_and_by_name() {
    trial::both(async |trial| {
        let clock = Clock::fixed(NOW);
        let library = TorrentLibrary::new(trial.db.clone(), clock.clone());
        assert_eq!(library.newest(10).await.unwrap(), []);
        let (film, episode) = (content("tt0000001"), content("tt0000009:1:2"));
        library.remember(&film, &[found(1, "Some.Film.2020.1080p")]).await.unwrap();
        clock.advance(std::time::Duration::from_secs(60));
        library.remember(&episode, &[found(2, "Show.S01E02"), Found { private: true, ..found(3, "X") }]).await.unwrap();
        library.remember(&content("tt0000009:1:3"), &[found(2, "Show.S01E02")]).await.unwrap();
        let names = async |limit| -> Vec<String> {
            library.newest(limit).await.unwrap().into_iter().map(|listed| listed.name).collect()
        };
        assert_eq!(names(10).await, ["Show.S01E02", "Some.Film.2020.1080p"]);
        assert_eq!(names(1).await, ["Show.S01E02"]);
        let of = library.of_work("tt0000009").await.unwrap();
        assert_eq!((of.len(), of[0].hash, of[0].content.to_string().as_str()), (1, hash(2), "tt0000009:1:2"));
        assert_eq!((of[0].size, of[0].seen_at), (Some(7_000_000_000), NOW + 60_000));
        let called = ["some film".to_owned(), String::new(), "a\0b".to_owned(), "x".repeat(300)];
        library.call(&film, &called).await.unwrap();
        library.call(&film, &called).await.unwrap();
        library.call(&episode, &["some film".to_owned()]).await.unwrap();
        assert_eq!(library.called("some film").await.unwrap(), ["tt0000001", "tt0000009"]);
        assert_eq!(library.called("ab").await.unwrap(), Vec::<String>::new());
        let mut tx = trial.db.write().await.unwrap();
        tx.known_forget(NOW + 60_001).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(library.called("some film").await.unwrap(), Vec::<String>::new());
    })
    .await;
}
