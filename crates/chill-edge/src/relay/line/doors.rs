//! The way into what reads an origin's answer, for fuzzing.

use bytes::Bytes;
use http::Method;

use super::head;
pub use super::sealed::doors::{opened, sealed};

/// The status of an answer, its body, and whether that is over, read in pieces of so many bytes; none for what is no
/// answer.
#[must_use]
pub fn answer(bytes: &[u8], piece: usize) -> Option<(u16, Vec<u8>, bool)> {
    let (head, length) = head::read(bytes, &Method::GET).ok()??;
    let (mut framing, mut body) = (head.framing, Vec::new());
    for piece in bytes.get(length..)?.chunks(piece.max(1)) {
        let mut piece = Bytes::copy_from_slice(piece);
        while !piece.is_empty() && !framing.is_over() {
            body.extend_from_slice(&framing.take(&mut piece).ok()?);
        }
    }
    Some((head.parts.status.as_u16(), body, framing.is_over()))
}
