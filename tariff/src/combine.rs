//! Combined registers: signed sums of direction and quadrant registers, chosen by feature words
//! (DL/T 645 04000601 to 04000603).

/// Active feature word 04000601: bit 0 adds forward, 1 subtracts it, 2 adds reverse, 3 subtracts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveWord(pub u8);

impl ActiveWord {
    /// Forward and reverse both added: the usual word of meters of one-way users.
    pub const BOTH: ActiveWord = ActiveWord(0x05);
    /// Forward less reverse: net metering.
    pub const NET: ActiveWord = ActiveWord(0x09);

    /// The combined register in the unit of the two given; saturates.
    #[must_use]
    pub const fn combine(self, forward: u64, reverse: u64) -> i64 {
        part(self.0, forward).saturating_add(part(self.0 >> 2, reverse))
    }
}

/// Reactive feature word 04000602 or 04000603: two bits a quadrant, from quadrant I up; the lower
/// adds, the upper subtracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReactiveWord(pub u8);

impl ReactiveWord {
    /// Quadrants I and IV: the usual combined reactive register 1.
    pub const FIRST: ReactiveWord = ReactiveWord(0x41);
    /// Quadrants II and III: the usual combined reactive register 2.
    pub const SECOND: ReactiveWord = ReactiveWord(0x14);

    /// The combined register in the unit of the quadrants I to IV; saturates.
    #[must_use]
    pub const fn combine(self, [i, ii, iii, iv]: [u64; 4]) -> i64 {
        part(self.0, i)
            .saturating_add(part(self.0 >> 2, ii))
            .saturating_add(part(self.0 >> 4, iii))
            .saturating_add(part(self.0 >> 6, iv))
    }
}

/// A register as its two bits say; both bits together cancel.
const fn part(bits: u8, register: u64) -> i64 {
    let value = if register > i64::MAX as u64 {
        i64::MAX
    } else {
        register as i64
    };
    match bits & 3 {
        1 => value,
        2 => -value,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{ActiveWord, ReactiveWord};

    #[test]
    fn each_bit_adds_or_subtracts() {
        assert_eq!(ActiveWord::BOTH.combine(10, 3), 13);
        assert_eq!(ActiveWord::NET.combine(3, 10), -7);
        assert_eq!(ActiveWord(0x0F).combine(3, 10), 0);
        assert_eq!(ReactiveWord::FIRST.combine([1, 10, 100, 1000]), 1001);
        assert_eq!(ReactiveWord::SECOND.combine([1, 10, 100, 1000]), 110);
        assert_eq!(
            ReactiveWord(0b10_01_10_01).combine([1, 10, 100, 1000]),
            -909
        );
        assert_eq!(ActiveWord(0x05).combine(u64::MAX, u64::MAX), i64::MAX);
    }
}
