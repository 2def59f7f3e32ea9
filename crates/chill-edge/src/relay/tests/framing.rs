//! How an origin tells where a film ends (RFC 9112 §6 and §7).

use super::odd_origins::{Scripted, answer};
use super::stage::quick;
use crate::relay::RelayConfig;

#[tokio::test]
async fn chunked_is_the_only_transfer_coding_of_a_film() {
    for coding in ["identity", "gzip", "gzip, chunked", "chunked, chunked", "chunked\nTransfer-Encoding: chunked", ""] {
        for status in ["200 OK", "206 Partial Content\nContent-Range: bytes 0-2/3"] {
            let coded = answer(&format!("{status}\nTransfer-Encoding: {coding}"), b"3\r\nabc\r\n0\r\n\r\n");
            let origin = Scripted::new(vec![coded; 2]).await;
            let reply = origin.get(&[("range", "bytes=0-")]).await;
            assert_eq!((reply.status, reply.text()), (502, "LinkBroken"), "{coding} {status}");
        }
    }
    let plain = RelayConfig { plain: true, ..quick() };
    let coded = answer("200 OK\nTransfer-Encoding: gzip, chunked", b"3\r\nabc\r\n0\r\n\r\n");
    let origin = Scripted::with(plain, vec![coded; 4]).await;
    assert_eq!(origin.get(&[]).await.text(), "LinkBroken");
    let chunked = answer("200 OK\nTransfer-Encoding: Chunked", b"3\r\nabc\r\n0\r\n\r\n");
    assert_eq!(Scripted::new(vec![chunked]).await.get(&[]).await.text(), "abc");
}
