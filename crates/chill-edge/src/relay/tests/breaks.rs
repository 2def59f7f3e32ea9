//! Origins that break off, and links that die.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chill_core::Chance;
use chill_sim::{CdnFault, CdnFaultRule, Torrent};
use http::Method;

use super::stage::{Player, Stage, ask, quick};
use crate::relay::RelayConfig;

const SIZE: u64 = 1_500_000;

#[tokio::test]
async fn a_film_cut_anywhere_arrives_whole() {
    cut_anywhere(quick(), 500).await;
}

#[tokio::test]
async fn a_film_cut_anywhere_arrives_whole_from_the_plain_client_too() {
    cut_anywhere(RelayConfig { plain: true, ..quick() }, 200).await;
}

async fn cut_anywhere(config: RelayConfig, trials: usize) {
    const SHORT: u64 = 300_000;
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SHORT), config).await;
    let (whole, chance) = (stage.bytes(0, SHORT as usize), Chance::seeded(7));
    let mut player = Player::connect(stage.address).await;
    let mut breaks = 0;
    for trial in 0..trials {
        let first = chance.below(SHORT);
        let last = first + chance.below(SHORT - first);
        // Up to four breaks in one response, one after the other; the first of them perhaps before the first byte.
        for answer in 0..=u32::try_from(chance.below(4)).unwrap() {
            let fault = fault(&chance, last - first + 1, answer > 0);
            stage.world.cdn().add_fault(CdnFaultRule::new(fault).after(answer).times(1));
        }
        stage.world.cdn().forget_calls();
        let range = format!("bytes={first}-{last}");
        let reply = player.ask(&Method::GET, &[("range", &range)]).await;
        stage.world.cdn().clear_faults();
        breaks += stage.world.cdn().calls().len() - 1;
        assert!(reply.whole && reply.status == 206, "trial {trial} {range}");
        assert!(reply.body == whole[first as usize..=last as usize], "trial {trial} {range}");
    }
    assert!(breaks > trials, "{breaks}");
}

/// One way to break: mostly in the middle, and once something was sent also by an answer that is none, or by another name
/// for the same film, whose bytes must then show that it is.
fn fault(chance: &Chance, count: u64, resumed: bool) -> CdnFault {
    match chance.below(if resumed { 8 } else { 5 }) {
        5 => CdnFault::Status { status: [403, 404, 410, 429, 500, 503][chance.below(6) as usize] },
        6 => CdnFault::Reset,
        7 => CdnFault::WrongEtagAfter { answers: 0 },
        _ => CdnFault::CutAt { bytes: chance.below(count) },
    }
}

#[tokio::test]
async fn a_short_film_never_passes_as_whole() {
    let stage = Stage::of_size(SIZE).await;
    stage.world.cdn().add_fault(CdnFaultRule::new(CdnFault::CutAt { bytes: 1_000 }));
    let reply = stage.get(&[]).await;
    assert!(!reply.whole);
    assert_eq!(reply.body.len(), 6_000, "the first answer and five attempts to go on");
    assert!(reply.body == stage.bytes(0, 6_000));
    assert_eq!(stage.world.cdn().calls().len(), 6);
    assert_eq!(stage.links.fresh.load(Ordering::SeqCst), 2, "every other attempt has a fresh link");
    assert_eq!(stage.film.meter.open(), 0);
}

#[tokio::test]
async fn progress_earns_new_attempts() {
    let stage = Stage::of_size(SIZE).await;
    stage.world.cdn().add_fault(CdnFaultRule::new(CdnFault::CutAt { bytes: 100_000 }));
    let reply = stage.get(&[]).await;
    assert!(reply.whole && reply.body == stage.bytes(0, SIZE as usize));
    assert_eq!(stage.world.cdn().calls().len(), 15);
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_goes_silent_is_asked_again_after_ten_seconds() {
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), RelayConfig::default()).await;
    stage.world.cdn().fault(CdnFault::StallAt { bytes: 200_000 }, 1);
    let begun = tokio::time::Instant::now();
    let reply = stage.get(&[]).await;
    assert!(reply.whole && reply.body == stage.bytes(0, SIZE as usize));
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(10) && took < Duration::from_secs(11), "{took:?}");
}

#[tokio::test]
async fn a_link_that_dies_mid_film_is_replaced() {
    let stage = Stage::of_size(SIZE).await;
    stage.world.cdn().fault(CdnFault::CutAt { bytes: 300_000 }, 1);
    stage.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 410 }).after(1).times(1));
    let reply = stage.get(&[]).await;
    assert!(reply.whole && reply.body == stage.bytes(0, SIZE as usize));
    assert_eq!(stage.cdn_statuses(), [200, 410, 206]);
    assert_eq!(stage.links.fresh.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_expired_link_is_replaced_before_the_first_byte() {
    let stage = Stage::of_size(SIZE).await;
    stage.get(&[("range", "bytes=0-9")]).await;
    stage.world.cdn().expire_links();
    let reply = stage.get(&[("range", "bytes=10-19")]).await;
    assert!(reply.status == 206 && reply.body == stage.bytes(10, 10));
    assert_eq!(stage.cdn_statuses(), [206, 403, 206]);
    let seek = stage.get(&[("range", "bytes=500-509")]).await;
    assert!(seek.body == stage.bytes(500, 10));
    assert_eq!(stage.links.fresh.load(Ordering::SeqCst), 1, "the next request has the new link already");
}

#[tokio::test]
async fn a_link_that_stays_broken_is_told_and_not_asked_for_ever() {
    for status in [400, 401, 403, 404, 410, 429, 500, 503] {
        let stage = Stage::of_size(SIZE).await;
        stage.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status }));
        let reply = stage.get(&[]).await;
        assert_eq!((reply.status, reply.text()), (502, "LinkBroken"), "{status}");
        assert_eq!(stage.cdn_statuses(), [status, status]);
        let head = ask(stage.address, &Method::HEAD, &[]).await;
        assert_eq!(head.status, 502, "{status}");
        assert_eq!((stage.film.meter.open(), stage.film.meter.bytes()), (0, 0));
    }
}

#[tokio::test]
async fn a_reset_before_the_head_costs_no_store_call() {
    let stage = Stage::of_size(SIZE).await;
    stage.world.cdn().fault(CdnFault::Reset, 1);
    let reply = stage.get(&[("range", "bytes=0-99")]).await;
    assert!(reply.body == stage.bytes(0, 100));
    assert_eq!(stage.links.fresh.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_never_answers_is_given_up() {
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), RelayConfig::default()).await;
    stage.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Hang));
    let begun = tokio::time::Instant::now();
    let reply = stage.get(&[]).await;
    assert_eq!((reply.status, reply.text()), (502, "Unreachable"));
    assert_eq!(begun.elapsed().as_secs(), 30, "15 s for the link and 15 s for the fresh one");
}

#[tokio::test]
async fn a_store_without_a_link_is_told_as_it_is() {
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), quick()).await;
    stage.world.torbox().remove_account(super::stage::KEY);
    let reply = stage.get(&[]).await;
    assert_eq!((reply.status, reply.text()), (502, "Store(Unavailable)"));
    assert!(stage.world.cdn().calls().is_empty());
}
