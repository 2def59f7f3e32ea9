//! The way into what opens records, for fuzzing.

use bytes::BytesMut;
use rustls::crypto::cipher::{AeadKey, Iv, OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring::cipher_suite::TLS13_AES_256_GCM_SHA384;
use rustls::{ContentType, ProtocolVersion, SupportedCipherSuite, Tls13CipherSuite};

use super::records::{Opener, Place, Records, Stop};

const KEY: [u8; 32] = [7; 32];
const IV: [u8; 12] = [9; 12];
/// Wanted at a time, in bytes.
const MOST: usize = 64 * 1024;

fn suite() -> Option<&'static Tls13CipherSuite> {
    match TLS13_AES_256_GCM_SHA384 {
        SupportedCipherSuite::Tls13(suite) => Some(suite),
        SupportedCipherSuite::Tls12(_) => None,
    }
}

/// Records under a key that is always the same: one for each piece that a zero byte ends, of the type its first byte names.
#[must_use]
pub fn sealed(script: &[u8]) -> Vec<u8> {
    let Some(suite) = suite() else { return Vec::new() };
    let mut sealer = suite.aead_alg.encrypter(AeadKey::from(KEY), Iv::from(IV));
    let mut wire = Vec::new();
    for (next, piece) in (0..).zip(script.split(|byte| *byte == 0)) {
        let Some((typ, payload)) = piece.split_first() else { continue };
        let (typ, payload) = (ContentType::from(*typ), OutboundChunks::Single(payload));
        let plain = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        if let Ok(record) = sealer.encrypt(plain, next) {
            wire.extend_from_slice(&record.encode());
        }
    }
    wire
}

/// What is in such records, read in pieces of so many bytes, and whether they end with a goodbye.
///
/// # Errors
/// What was in them before something that is no record.
pub fn opened(wire: &[u8], piece: usize) -> Result<(Vec<u8>, bool), Vec<u8>> {
    let Some(suite) = suite() else { return Err(Vec::new()) };
    let key = suite.aead_alg.decrypter(AeadKey::from(KEY), Iv::from(IV));
    let opener = Opener { key, next: 0, only: Some(ContentType::ApplicationData) };
    let (mut records, mut film, mut wire) = (Records::new(opener, Vec::new()), Vec::new(), wire);
    while !wire.is_empty() && !records.is_ended() {
        let mut buffer = BytesMut::new();
        let mut place = Place::behind(&buffer);
        let reach = records.begin(&mut buffer, MOST);
        let (now, later) = wire.split_at(reach.min(piece.max(1)).min(wire.len()));
        buffer.extend_from_slice(now);
        wire = later;
        let mut stop = records.open(&mut buffer, &mut place);
        while matches!(stop, Ok(Stop::Messages)) {
            records.messages.clear();
            stop = records.open(&mut buffer, &mut place);
        }
        film.extend_from_slice(&buffer);
        if stop.is_err() {
            return Err(film);
        }
    }
    Ok((film, records.is_ended()))
}
