//! What was sent last, remembered in a few words: whether a later answer has the same bytes before the place where it goes
//! on.
//!
//! The bytes themselves would cost each stream 64 KiB. This is a sum over blocks, fast rather than secret: it tells two
//! files apart, and who would forge it could as well send a wrong film from its beginning.

/// How many bytes must be the same, where so many were sent.
pub(super) const OVERLAP: u64 = 64 * 1024;
/// One block of so many bytes is remembered. To sum up all that is sent cost an eighth of a relay's CPU over HTTP; what is
/// asked for again after a break is at most so much and a block.
const EVERY: u64 = 512 * 1024;

const LANES: usize = 8;
const STRIPE: usize = LANES * 8;
/// Odd, and without a pattern (the fraction of the golden ratio).
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// The sum of some bytes, fed in any pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sum {
    lanes: [u64; LANES],
    /// Bytes that do not fill a stripe yet, and how many of them there are.
    rest: [u8; STRIPE],
    count: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { lanes: [1, 2, 3, 4, 5, 6, 7, 8], rest: [0; STRIPE], count: 0 }
    }
}

impl Sum {
    fn add(&mut self, mut bytes: &[u8]) {
        let held = usize::try_from(self.count % STRIPE as u64).unwrap_or(0);
        self.count += bytes.len() as u64;
        if held > 0 {
            let some = bytes.len().min(STRIPE - held);
            self.rest[held..held + some].copy_from_slice(&bytes[..some]);
            bytes = &bytes[some..];
            if held + some < STRIPE {
                return;
            }
            let full = self.rest;
            self.stripe(&full);
        }
        let (stripes, rest) = bytes.as_chunks::<STRIPE>();
        for stripe in stripes {
            self.stripe(stripe);
        }
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    fn stripe(&mut self, stripe: &[u8; STRIPE]) {
        let (words, _) = stripe.as_chunks::<8>();
        for (lane, word) in self.lanes.iter_mut().zip(words) {
            *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
        }
    }

    /// Only what counts of the rest, so that equal bytes are equal sums.
    fn value(&self) -> ([u64; LANES], Vec<u8>, u64) {
        let held = usize::try_from(self.count % STRIPE as u64).unwrap_or(0);
        (self.lanes, self.rest[..held].to_vec(), self.count)
    }
}

/// What the next bytes are, so many at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coming {
    /// Part of a block.
    Read(usize),
    /// Between two blocks.
    Unread(usize),
}

/// A block of what was sent: the last whole one of [`OVERLAP`] bytes, or what there is of the first. One begins at the
/// first byte sent and every [`EVERY`] bytes from there on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    sent: u64,
    whole: Option<Box<Sum>>,
    /// Where it begins, counted from the first byte sent.
    start: u64,
    begun: Box<Sum>,
}

impl Fingerprint {
    /// More was sent.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let within = self.sent % EVERY;
            let (to, is_block) = if within < OVERLAP { (OVERLAP, true) } else { (EVERY, false) };
            let room = usize::try_from(to - within).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.sent += now.len() as u64;
            if is_block {
                self.begun.add(now);
            }
            if self.begun.count == OVERLAP {
                self.whole = Some(std::mem::take(&mut self.begun));
                self.start = self.sent - OVERLAP;
            }
            bytes = later;
        }
    }

    /// How many bytes come before the end of the block that is being summed up, or before the next one.
    pub(super) fn coming(&self) -> Coming {
        let within = self.sent % EVERY;
        let until = |end| usize::try_from(end - within).unwrap_or(usize::MAX);
        if within < OVERLAP { Coming::Read(until(OVERLAP)) } else { Coming::Unread(until(EVERY)) }
    }

    /// So many more were sent, of those that need not be read.
    pub(super) fn pass(&mut self, bytes: usize) {
        debug_assert!(matches!(self.coming(), Coming::Unread(most) if bytes <= most));
        self.sent += bytes as u64;
    }

    /// How many bytes before the next one the block begins.
    pub(super) fn reach(&self) -> u64 {
        self.sent - self.start
    }

    /// Compares with bytes that come in pieces, in the order of the film, from the beginning of the block.
    pub(super) fn compare(&self) -> Comparison<'_> {
        Comparison { with: self.whole.as_ref().unwrap_or(&self.begun), sum: Sum::default() }
    }
}

/// A comparison in progress.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    with: &'a Sum,
    sum: Sum,
}

impl Comparison<'_> {
    /// Whether the bytes seen so far may be the same; decided at the end of the block. Those behind it were sent, but not
    /// remembered.
    pub(super) fn add(&mut self, bytes: &[u8]) -> bool {
        let room = usize::try_from(self.with.count - self.sum.count).unwrap_or(usize::MAX);
        self.sum.add(bytes.get(..room).unwrap_or(bytes));
        self.sum.count < self.with.count || self.sum.value() == self.with.value()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn film(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from((at * at + at / 251) % 251).unwrap()).collect()
    }

    fn same(fingerprint: &Fingerprint, bytes: &[u8], piece: usize) -> bool {
        let mut comparison = fingerprint.compare();
        bytes.chunks(piece).all(|piece| comparison.add(piece))
    }

    proptest! {
        #[test]
        fn the_same_bytes_pass_and_a_changed_one_does_not(
            pieces in proptest::collection::vec(1..500_000_usize, 1..6),
            piece in 1..70_000_usize,
            wrong in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let sent = film(pieces.iter().sum());
            let whole = u64::try_from(sent.len()).unwrap();
            let (mut fingerprint, mut at) = (Fingerprint::default(), 0);
            for length in pieces {
                fingerprint.add(&sent[at..at + length]);
                at += length;
            }
            let reach = usize::try_from(fingerprint.reach()).unwrap();
            prop_assert!(fingerprint.reach() >= OVERLAP.min(whole) && fingerprint.reach() < EVERY + OVERLAP);
            let mut again = sent[sent.len() - reach..].to_vec();
            prop_assert!(same(&fingerprint, &again, piece));
            let block = reach.min(usize::try_from(OVERLAP).unwrap());
            again[wrong.index(block)] ^= 1 << bit;
            prop_assert!(!same(&fingerprint, &again, piece));
        }
    }

    #[test]
    fn nothing_sent_is_nothing_to_compare() {
        assert_eq!(Fingerprint::default().reach(), 0);
        assert!(same(&Fingerprint::default(), b"anything", 3));
    }
}
