//! Which numbers of one sequence came.

use meter_proto::message::{Acknowledgement, Gap, Stream};

/// Numbers remembered above the last without a gap.
const WIDTH: u32 = 1024;
const WORDS: usize = (WIDTH / 64) as usize;

/// Everything up to `contiguous` came; above it, one bit per number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    contiguous: u32,
    /// Bit n is number `contiguous + 1 + n`.
    bits: [u64; WORDS],
}

impl Seen {
    /// Whether the number is near enough to be remembered.
    pub(super) fn reaches(&self, seq: u32) -> bool {
        seq.saturating_sub(self.contiguous) <= WIDTH
    }

    fn bit(&self, ahead: u32) -> bool {
        self.bits
            .get((ahead / 64) as usize)
            .is_some_and(|word| word >> (ahead % 64) & 1 == 1)
    }

    /// Moves on so that the number is in reach, giving up what is missing below: for streams whose sender drops its
    /// oldest records when its store is full, and which would otherwise wait for ever.
    pub(super) fn give_up_before(&mut self, seq: u32) {
        self.give_up_to(seq.saturating_sub(WIDTH));
    }

    /// Moves on to `floor`, below which the sender has nothing left to send; returns how many numbers never came.
    pub(super) fn give_up_to(&mut self, floor: u32) -> u32 {
        let step = floor.saturating_sub(self.contiguous);
        let mut missing = step.saturating_sub(WIDTH);
        for _ in 0..step.min(WIDTH) {
            missing += u32::from(!self.bit(0));
            self.shift();
        }
        self.contiguous = self.contiguous.max(floor);
        self.settle();
        missing
    }

    fn shift(&mut self) {
        let mut carry = 0;
        for word in self.bits.iter_mut().rev() {
            let low = *word & 1;
            *word = *word >> 1 | carry << 63;
            carry = low;
        }
    }

    fn settle(&mut self) {
        while self.bit(0) {
            self.contiguous = self.contiguous.saturating_add(1);
            self.shift();
        }
    }

    /// Takes a number; false if it came before, is 0 or out of reach.
    pub(super) fn take(&mut self, seq: u32) -> bool {
        if seq <= self.contiguous || !self.reaches(seq) {
            return false;
        }
        let ahead = seq - self.contiguous - 1;
        if self.bit(ahead) {
            return false;
        }
        if let Some(word) = self.bits.get_mut((ahead / 64) as usize) {
            *word |= 1 << (ahead % 64);
        }
        self.settle();
        true
    }

    /// What to tell the sender.
    pub(super) fn acknowledgement(&self, stream: u8, boot: u32) -> Acknowledgement {
        let mut gaps = heapless::Vec::new();
        let mut from = None;
        for ahead in 0..WIDTH {
            let number = self.contiguous.saturating_add(1).saturating_add(ahead);
            match (self.bit(ahead), from) {
                (false, None) => from = Some(number),
                (true, Some(first)) => {
                    // Full: what lies beyond the last gap is simply not spoken of.
                    if gaps
                        .push(Gap {
                            first,
                            last: number - 1,
                        })
                        .is_err()
                    {
                        break;
                    }
                    from = None;
                }
                _ => {}
            }
        }
        Acknowledgement {
            stream: Stream(stream),
            boot,
            contiguous: self.contiguous,
            gaps,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let words = self.bits.iter().flat_map(|word| word.to_le_bytes());
        self.contiguous
            .to_le_bytes()
            .into_iter()
            .chain(words)
            .collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (contiguous, words) = bytes.split_first_chunk::<4>()?;
        let mut seen = Self {
            contiguous: u32::from_le_bytes(*contiguous),
            ..Self::default()
        };
        if words.len() != WORDS * 8 {
            return None;
        }
        for (word, bytes) in seen.bits.iter_mut().zip(words.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_once_in_any_order() {
        let mut seen = Seen::default();
        for seq in [1, 2, 5, 4, 9] {
            assert!(seen.take(seq));
            assert!(!seen.take(seq));
        }
        assert!(!seen.take(0));
        let told = seen.acknowledgement(1, 7);
        assert_eq!(told.contiguous, 2);
        assert_eq!(
            told.gaps.as_slice(),
            [Gap { first: 3, last: 3 }, Gap { first: 6, last: 8 }]
        );
        assert!(
            told.covers(7, 4) && !told.covers(7, 6) && !told.covers(7, 9),
            "nothing is said beyond the last gap"
        );
        assert_eq!(Seen::from_bytes(&seen.to_bytes()), Some(seen.clone()));
        assert!(seen.take(3) && seen.take(6) && seen.take(7) && seen.take(8));
        assert_eq!(seen.acknowledgement(1, 7).contiguous, 9);
        let mut behind = seen.clone();
        behind.take(11);
        behind.give_up_before(5_000);
        assert_eq!(behind.acknowledgement(3, 1).contiguous, 5_000 - WIDTH);
        assert!(behind.take(5_000) && !behind.take(11));
        let mut told = Seen::default();
        assert!(told.take(1) && told.take(3));
        assert_eq!((told.give_up_to(4), told.give_up_to(4)), (2, 0));
        assert!(!told.take(4) && told.take(5));
        assert_eq!(told.give_up_to(20_000), 20_000 - 5);
        assert!(told.take(20_001) && told.acknowledgement(1, 7).contiguous == 20_001);
        assert!(!seen.reaches(9 + WIDTH + 1) && !seen.take(9 + WIDTH + 1) && seen.take(9 + WIDTH));
    }
}
