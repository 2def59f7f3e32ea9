//! The map of anime is replaced as a whole and read by id.

use std::collections::BTreeMap;

use chill_core::{AnimeId, AnimePlace, AnimePlaces, AnimeSite};

use crate::{AnimeMap, trial};

#[tokio::test]
async fn an_imported_map_is_read_by_id_and_replaced_as_a_whole() {
    trial::both(async |trial| {
        let map = AnimeMap::new(trial.db.clone());
        let id = |site, number| AnimeId { site, number };
        let place = AnimePlace { kitsu: Some(7), imdb: Some("tt2560140".to_owned()), season: Some(2), offset: 12 };
        let bare = AnimePlace { kitsu: None, imdb: None, season: None, offset: 0 };
        let (kitsu, mal) = (id(AnimeSite::Kitsu, 7), id(AnimeSite::Mal, u32::MAX));
        let replace = async |places: BTreeMap<AnimeId, AnimePlace>| {
            let mut tx = trial.db.write().await.unwrap();
            tx.anime_replace(&places).await.unwrap();
            tx.commit().await.unwrap();
        };
        replace(BTreeMap::from([(kitsu, place.clone()), (mal, bare.clone())])).await;
        assert_eq!(map.place(kitsu).await.unwrap(), Some(place.clone()));
        assert_eq!(map.place(mal).await.unwrap(), Some(bare));
        assert_eq!(map.place(id(AnimeSite::Mal, 7)).await.unwrap(), None);
        let many = (1..=5_000).map(|number| (id(AnimeSite::Kitsu, number), place.clone())).collect();
        replace(many).await;
        assert_eq!(map.place(mal).await.unwrap(), None, "what the new map lacks is gone");
        assert_eq!(trial.db.read().await.unwrap().anime_count().await.unwrap(), 5_000);
    })
    .await;
}
