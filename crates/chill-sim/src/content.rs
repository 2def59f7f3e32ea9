//! File content made from a seed and an offset, so that files of many GB need no storage and any range can be checked.

use sha2::{Digest, Sha256};

/// The largest piece of content produced at once.
pub(crate) const PIECE: usize = 64 * 1024;

/// The seed of one file's content: the torrent's hash (any case) and the file's id in it.
pub fn content_seed(hash: &str, file_id: usize) -> u64 {
    let digest = Sha256::digest(format!("{}/{file_id}", hash.to_ascii_lowercase()));
    digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

/// The `len` bytes at `offset` of the content with this seed. Any part equals the same part of the whole.
pub fn content_bytes(seed: u64, offset: u64, len: usize) -> Vec<u8> {
    let skip = usize::try_from(offset % 8).unwrap_or(0);
    let mut bytes = Vec::with_capacity(len + 16);
    let mut block = offset / 8;
    while bytes.len() < skip + len {
        bytes.extend_from_slice(&mixed(seed, block).to_le_bytes());
        block += 1;
    }
    bytes.drain(..skip);
    bytes.truncate(len);
    bytes
}

/// Hex SHA-256 of the first `size` bytes of the content with this seed, computed piece by piece.
pub fn content_sha256(seed: u64, size: u64) -> String {
    let mut hasher = Sha256::new();
    let mut offset = 0;
    while offset < size {
        let len = usize::try_from(size - offset).unwrap_or(PIECE).min(PIECE);
        hasher.update(content_bytes(seed, offset, len));
        offset += len as u64;
    }
    data_encoding::HEXLOWER.encode(&hasher.finalize())
}

/// SplitMix64's finaliser over a counter: random access, and no two files look alike.
fn mixed(seed: u64, block: u64) -> u64 {
    let mut z = seed.wrapping_add(block.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_equals_the_same_part_of_the_whole() {
        let whole = content_bytes(7, 0, 1000);
        for (offset, len) in [(0, 1), (1, 7), (8, 8), (13, 500), (999, 1), (5, 0)] {
            assert_eq!(content_bytes(7, offset as u64, len), whole[offset..offset + len]);
        }
    }

    #[test]
    fn files_differ_and_the_digest_is_over_the_bytes() {
        let hash = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567";
        let (first, second) = (content_seed(hash, 0), content_seed(hash, 1));
        assert_ne!(first, second);
        assert_eq!(first, content_seed(&hash.to_uppercase(), 0));
        let size = 3 * PIECE + 17;
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(content_bytes(first, 0, size)));
        assert_eq!(content_sha256(first, size as u64), digest);
    }
}
