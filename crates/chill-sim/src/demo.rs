//! The demo's outside world: a film and a series in the public domain, with releases of every kind.

use crate::world::Rooms;
use crate::{Plan, Release, Title, Torrent, TorrentState, World};

/// The demo's film, "Night of the Living Dead".
const FILM: &str = "tt0063350";
/// The demo's series, "The Adventures of Robin Hood".
const SERIES: &str = "tt0047706";

/// Hashes that `sdk-check` relies on: a cached release, one that has to be fetched, one nobody seeds.
const COMMONS: &str = "1968000000000000000000000000000000000720";
const ARCHIVE: &str = "1968000000000000000000000000000000001081";
const NOBODY: &str = "1968000000000000000000000000000000000000";

const KB: u64 = 1_000;
const MB: u64 = 1_000_000;

/// A started world with the demo's state and an account with this key.
///
/// # Errors
/// When a port cannot be bound.
pub async fn demo_world(key: &str) -> anyhow::Result<World> {
    let world = World::start().await?;
    seed_demo(&world, key);
    Ok(world)
}

/// Puts the demo's titles, torrents and releases into a world, and adds a Pro account with this key.
pub fn seed_demo(world: &World, key: &str) {
    seed(world.rooms(), key);
}

pub(crate) fn seed(rooms: &Rooms, key: &str) {
    rooms.torbox.add_account(key, Plan::Pro, 0);
    seed_film(rooms);
    seed_series(rooms);
}

fn seed_film(rooms: &Rooms) {
    rooms.cinemeta.add_title(Title::movie(FILM, "Night of the Living Dead", 1968));
    let fetched = TorrentState::Downloadable { bytes_per_s: 8 * MB };
    let file = |name: &str, size: u64| Torrent::new(name, [(format!("{name}.mkv"), size)]);
    let with_sample = Torrent::new(
        "Night.of.the.Living.Dead.1968.1080p.BluRay.x264-PUBLIC",
        [
            ("Sample/night.sample.1080p.mkv", 300 * KB),
            ("Night.of.the.Living.Dead.1968.1080p.BluRay.x264-PUBLIC.mkv", 24 * MB),
            ("Night.of.the.Living.Dead.1968.1080p.BluRay.x264-PUBLIC.nfo", 4 * KB),
        ],
    );
    let remux =
        file("Night.of.the.Living.Dead.1968.2160p.UHD.BluRay.REMUX.DV.HDR10.HEVC.DTS-HD.MA.5.1-DOMAIN", 4_000 * MB);
    let releases = [
        (remux.throttled(2 * MB), 64),
        (file("Night.of.the.Living.Dead.1968.2160p.WEB-DL.HDR.HEVC.AAC-OPEN", 60 * MB), 31),
        (with_sample, 142),
        (file("Night of the Living Dead (1968) [1080p] [WEBRip] [x265] [10bit] [FLAC 1.0]", 12 * MB), 55),
        (file("Night.of.the.Living.Dead.1968.720p.WEB-DL.H264-COMMONS", 6 * MB).with_hash(COMMONS), 80),
        (Torrent::single("Night.of.the.Living.Dead.1968.480p.DVDRip.XviD.avi", 800 * KB), 9),
        (
            file("Night.of.the.Living.Dead.1968.1080p.BluRay.DD+5.1.x264-ARCHIVE", 40 * MB)
                .with_hash(ARCHIVE)
                .state(fetched),
            17,
        ),
        (file("Night.of.the.Living.Dead.1968.CAM.x264-NOBODY", 2 * MB).with_hash(NOBODY).state(TorrentState::Dead), 0),
    ];
    for (torrent, seeders) in releases {
        rooms.torznab.add_release(Release::movie(&torrent, FILM, seeders));
        rooms.torbox.add_torrent(torrent);
    }
}

fn seed_series(rooms: &Rooms) {
    let episodes = [(1, 1, "The Coming of Robin Hood"), (1, 2, "The Moneylender"), (1, 3, "Dead or Alive")];
    rooms.cinemeta.add_title(Title::series(SERIES, "The Adventures of Robin Hood", "1955–1960", &episodes));
    let single = |name: &str, size: u64| Torrent::new(name, [(format!("{name}.mkv"), size)]);
    let pack = Torrent::new(
        "The.Adventures.of.Robin.Hood.S01.1080p.WEB-DL.AAC.H264-SHERWOOD",
        [
            ("Sample/sample.robin.hood.s01e02.mkv", 200 * KB),
            ("The.Adventures.of.Robin.Hood.S01E01.The.Coming.of.Robin.Hood.1080p.mkv", 5 * MB),
            ("The.Adventures.of.Robin.Hood.S01E02.The.Moneylender.1080p.mkv", 6 * MB),
            ("The.Adventures.of.Robin.Hood.S01E03.Dead.or.Alive.1080p.mkv", 4 * MB),
            ("Extras/The.Adventures.of.Robin.Hood.S01.Making.Of.mkv", 9 * MB),
            ("Subs/The.Adventures.of.Robin.Hood.S01E02.srt", 40 * KB),
        ],
    );
    let fetched = TorrentState::Downloadable { bytes_per_s: 4 * MB };
    let releases = [
        (pack, None, 75),
        (single("The.Adventures.of.Robin.Hood.S01E02.The.Moneylender.720p.WEB.H264-NOTTINGHAM", 3 * MB), Some(2), 40),
        (single("The.Adventures.of.Robin.Hood.1x02.480p.DVDRip.x264-LITTLEJOHN", 900 * KB), Some(2), 12),
        (single("The.Adventures.of.Robin.Hood.S01E02.1080p.BluRay.x264-TUCK", 20 * MB).state(fetched), Some(2), 8),
        (single("The.Adventures.of.Robin.Hood.S01E01.720p.WEB.H264-NOTTINGHAM", 3 * MB), Some(1), 38),
    ];
    for (torrent, episode, seeders) in releases {
        rooms.torznab.add_release(Release::episode(&torrent, SERIES, 1, episode, seeders));
        rooms.torbox.add_torrent(torrent);
    }
}
