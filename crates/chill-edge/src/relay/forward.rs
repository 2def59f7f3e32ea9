//! Reading forward in an origin's body: over bytes nobody asked for, or that the viewer already has.

use std::time::Duration;

use bytes::Bytes;

use super::line::OriginBody;

/// Read at a time, in bytes.
const READ: usize = 64 * 1024;

/// Reads `count` bytes, shows each piece of them to `seen`, and gives what was read beyond them. `None` when the body
/// ends, breaks, or sends nothing for `stall`, or when `seen` answers false.
pub(super) async fn forward(
    body: &mut OriginBody,
    count: u64,
    stall: Duration,
    mut seen: impl FnMut(&[u8]) -> bool,
) -> Option<Bytes> {
    let mut left = count;
    while left > 0 {
        let mut data = tokio::time::timeout(stall, body.data(READ)).await.ok()??.ok()?;
        let piece = data.split_to(usize::try_from(left).map_or(data.len(), |left| left.min(data.len())));
        left -= piece.len() as u64;
        if !seen(&piece) {
            return None;
        }
        if left == 0 {
            return Some(data);
        }
    }
    Some(Bytes::new())
}
