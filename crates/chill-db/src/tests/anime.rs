//! The map of anime is replaced as a whole and read by id.

use std::collections::BTreeMap;

use chill_core::{AnimeId, AnimePlace, AnimePlaces, AnimeSite};

use crate::{AnimeMap, trial};

#[tokio::test]
async fn an_imported_map_is_read_by_id_and_replaced_as_a_whole() {
    trial::both(async |trial| {
        let map = AnimeMap::new(trial.db.clone());
        let id = |site, number| AnimeId { site, number };
        let place = AnimePlace {
            kitsu: Some(7),
            imdb: Some("tt2560140".to_owned()),
            season: Some(2),
            offset: 12,
            episodes: Some(13),
        };
        let bare = AnimePlace { kitsu: None, imdb: None, season: None, offset: 0, episodes: None };
        let place = |season, kitsu, offset| AnimePlace { kitsu, season, offset, ..place.clone() };
        let (first, second) = (place(Some(1), Some(6), 0), place(Some(2), Some(7), 12));
        let through = place(None, None, 0);
        let place = second.clone();
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
        let (other, of_first) = (id(AnimeSite::Mal, 70), id(AnimeSite::Kitsu, 6));
        let alone = id(AnimeSite::Mal, 8);
        let all = [(kitsu, &second), (other, &second), (of_first, &first), (alone, &through)];
        replace(all.map(|(id, place)| (id, place.clone())).into()).await;
        let of_series = map.of_imdb("tt2560140").await.unwrap();
        assert_eq!(of_series, [(alone, through), (of_first, first), (kitsu, second)], "each once, in order");
        assert_eq!(map.of_imdb("tt256014").await.unwrap(), []);
        let many = (1..=5_000).map(|number| (id(AnimeSite::Kitsu, number), place.clone())).collect();
        replace(many).await;
        assert_eq!(map.place(mal).await.unwrap(), None, "what the new map lacks is gone");
        assert_eq!(trial.db.read().await.unwrap().anime_count().await.unwrap(), 5_000);
    })
    .await;
}
