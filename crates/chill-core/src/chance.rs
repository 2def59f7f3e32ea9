//! Randomness as a parameter: the system's generator in a process, a seeded one in a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where random bytes come from.
#[derive(Clone, Debug)]
pub enum Chance {
    /// The operating system's generator; fit for keys and nonces.
    System,
    /// A repeatable sequence for tests; never for secrets.
    Seeded(Arc<AtomicU64>),
}

/// The operating system could not give random bytes. Nothing secret can be made; stop.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoChance(String);

impl Chance {
    /// A repeatable sequence.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(AtomicU64::new(seed)))
    }

    /// Fills an array with random bytes.
    ///
    /// # Errors
    /// [`NoChance`] when the operating system's generator fails.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoChance> {
        let mut out = [0; N];
        match self {
            Self::System => getrandom::fill(&mut out).map_err(|e| NoChance(e.to_string()))?,
            Self::Seeded(state) => {
                for chunk in out.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(state).to_le_bytes()[..chunk.len()]);
                }
            }
        }
        Ok(out)
    }

    /// A number below `bound`, for jitter and tie-breaks, not for secrets. 0 when `bound` is 0 or chance fails.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        self.bytes::<8>().map(u64::from_le_bytes).unwrap_or(0).checked_rem(bound).unwrap_or(0)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): one addition and three mixes per number.
fn split_mix(state: &AtomicU64) -> u64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut z = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        assert_eq!(Chance::seeded(7).bytes::<16>().unwrap(), Chance::seeded(7).bytes::<16>().unwrap());
        assert_ne!(Chance::System.bytes::<16>().unwrap(), Chance::System.bytes::<16>().unwrap());
    }

    #[test]
    fn below_stays_below() {
        let chance = Chance::seeded(1);
        assert!((0..100).all(|_| chance.below(3) < 3));
        assert_eq!(chance.below(0), 0);
    }
}
