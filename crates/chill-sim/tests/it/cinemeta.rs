//! Titles by id.

use chill_sim::{Fault, Title};
use serde_json::json;

use crate::client::world;

#[tokio::test]
async fn titles_have_names_years_and_episodes() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.cinemeta().add_title(Title::movie("tt0063350", "Night of the Living Dead", 1968));
    let episodes = [(1, 1, "One"), (1, 2, "Two")];
    world.cinemeta().add_title(Title::series("tt0047706", "Robin Hood", "1955–1960", &episodes));
    let meta = async |path: &str| client.get(&format!("{}/meta/{path}", world.cinemeta_url())).await;
    let film = meta("movie/tt0063350.json").await?.json()?;
    assert_eq!(
        (&film["meta"]["name"], &film["meta"]["releaseInfo"]),
        (&json!("Night of the Living Dead"), &json!("1968"))
    );
    assert!(film["meta"].get("videos").is_none());
    let series = meta("series/tt0047706.json").await?.json()?;
    assert_eq!(series["meta"]["videos"][1]["id"], "tt0047706:1:2");
    assert_eq!(series["meta"]["videos"][1]["released"], "1955-09-26T00:00:00.000Z");
    assert_eq!(meta("series/tt0063350.json").await?.json()?, json!({"meta": {}}), "a film is no series");
    world.cinemeta().set_unknown_is_404(true);
    assert_eq!(meta("movie/tt9.json").await?.status, 404);
    world.cinemeta().fault("tt0063350.json", Fault::TruncatedJson, 1);
    assert!(meta("movie/tt0063350.json").await?.json().is_err());
    assert_eq!(world.cinemeta().calls().len(), 5);
    Ok(())
}
