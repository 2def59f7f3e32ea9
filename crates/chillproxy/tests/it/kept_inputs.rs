//! What fuzzing is done with: each kept input, and many like it, go through what reads them.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own, for libFuzzer")]
mod targets;

/// Changed forms of each input.
const LIKE_IT: u32 = 40;
/// Longest input that is changed, in bytes: unoptimised code is slow.
const LONGEST: usize = 4_096;

/// The kept inputs of a target, in the order of their names.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/kept").join(target);
    let mut kept: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    kept.sort();
    assert!(!kept.is_empty(), "{target} has inputs");
    kept
}

/// A generator of numbers that are the same in each run (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32).unwrap();
        number % bound.max(1)
    }

    /// The input with a few bytes changed, left out, repeated or moved.
    fn like(&mut self, input: &[u8]) -> Vec<u8> {
        const TELLING: &[u8] = b"0123456789-=,:;.%/+<>&\"'[]{}eld \n\0\x80\xff";
        let mut changed = input[..input.len().min(LONGEST)].to_vec();
        for _ in 0..=self.below(4) {
            let (at, length) = (self.below(changed.len()), self.below(16));
            let end = (at + length).min(changed.len());
            match self.below(6) {
                0 => changed.truncate(at),
                1 => drop(changed.drain(at..end)),
                2 => changed.extend_from_within(at..end),
                3 => changed.insert(at, TELLING[self.below(TELLING.len())]),
                4 if at < changed.len() => changed[at] = TELLING[self.below(TELLING.len())],
                _ if at < changed.len() => changed[at] ^= 1 << self.below(8),
                _ => changed.push(b'1'),
            }
        }
        changed
    }
}

#[test]
fn every_kept_input_is_read_as_it_must_be() {
    for (name, target) in targets::TARGETS {
        for (input, bytes) in kept(name) {
            let held = std::panic::catch_unwind(|| target(&bytes));
            assert!(held.is_ok(), "fuzz/kept/{name}/{input}");
        }
    }
}

#[test]
fn inputs_like_the_kept_ones_are_read_as_they_must_be() {
    for (name, target) in targets::TARGETS {
        for (input, bytes) in kept(name) {
            let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
            for _ in 0..LIKE_IT {
                let changed = numbers.like(&bytes);
                let held = std::panic::catch_unwind(|| target(&changed));
                assert!(held.is_ok(), "{name}, like {input}: {:?}", changed.escape_ascii().to_string());
            }
        }
    }
}
