//! Imported titles.

use chill_core::Titles;

use crate::{ImdbImport, ImdbTitle, ImdbTitles, trial};

fn title(imdb: &str, title: &str, year: Option<u16>) -> ImdbTitle {
    let (imdb, kind, title) = (imdb.to_owned(), "movie".to_owned(), title.to_owned());
    ImdbTitle { imdb, kind, title, original_title: None, year }
}

#[tokio::test]
async fn titles_are_found_by_id() {
    trial::both(async |trial| {
        let mut tx = trial.db.write().await.unwrap();
        let night = title("tt0063350", "Night of the Living Dead", Some(1968));
        let hood = ImdbTitle {
            kind: "tvSeries".to_owned(),
            original_title: Some("Les aventures de 'Robin' \"Hood\" \u{e9}\\".to_owned()),
            ..title("tt0047706", "The Adventures of Robin Hood", Some(1955))
        };
        let old = title("tt0063350", "An older name", None);
        assert_eq!(tx.imdb_put(&[old, hood.clone(), night.clone()]).await.unwrap(), 2, "the later of two counts");
        assert_eq!(tx.imdb_put(&[hood.clone(), night.clone()]).await.unwrap(), 0, "nothing changed, nothing written");
        assert_eq!(tx.imdb_put(&[title("tt0063350", "Night", Some(1968)), night.clone()]).await.unwrap(), 0);
        let dateless = ImdbTitle { year: None, ..hood.clone() };
        assert_eq!(tx.imdb_put(std::slice::from_ref(&dateless)).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let mut tx = trial.db.read().await.unwrap();
        assert_eq!(tx.imdb_title("tt0063350").await.unwrap(), Some(night));
        assert_eq!(tx.imdb_title("tt0047706").await.unwrap(), Some(dateless));
        assert_eq!((tx.imdb_title("tt1").await.unwrap(), tx.imdb_count().await.unwrap()), (None, 2));
        drop(tx);
        let titles = ImdbTitles::new(trial.db.clone());
        let told = titles.title(&"tt0047706:1:2".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((told.name.as_str(), told.year), ("The Adventures of Robin Hood", None));
        assert_eq!(titles.title(&"tt0000001".parse().unwrap()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn many_titles_and_odd_ones_fit() {
    trial::both(async |trial| {
        let mut tx = trial.db.write().await.unwrap();
        let many: Vec<_> = (0..5_001).map(|n| title(&format!("tt{n:07}"), "A\0\nB", Some(2_000))).collect();
        assert_eq!(tx.imdb_put(&many).await.unwrap(), 5_001);
        assert_eq!(tx.imdb_title("tt0005000").await.unwrap().unwrap().title, "AB");
        tx.imdb_put(&[title("tt1", &"\u{1f3ac}".repeat(1_000), None)]).await.unwrap();
        assert_eq!(tx.imdb_title("tt1").await.unwrap().unwrap().title.chars().count(), 300);
    })
    .await;
}

#[tokio::test]
async fn an_import_that_is_broken_off_is_true_about_how_far_it_got() {
    trial::both(async |trial| {
        let step = |lines, done| ImdbImport { file: "5-abc".to_owned(), lines, done };
        let mut tx = trial.db.write().await.unwrap();
        assert_eq!(tx.imdb_import().await.unwrap(), None);
        tx.imdb_put(&[title("tt1", "A", None)]).await.unwrap();
        tx.imdb_note_import(&step(10, false)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = trial.db.write().await.unwrap();
        tx.imdb_put(&[title("tt2", "B", None)]).await.unwrap();
        tx.imdb_note_import(&step(20, true)).await.unwrap();
        drop(tx);
        let mut tx = trial.db.read().await.unwrap();
        assert_eq!(tx.imdb_import().await.unwrap(), Some(step(10, false)));
        assert_eq!(tx.imdb_count().await.unwrap(), 1);
    })
    .await;
}
