//! Marks on a value.

use crate::language::Language;

/// Marks on a value: a set, empty for a good one.
///
/// On the wire one mark is a nibble; several are the nibble 15 and the set as a number (bit n is mark n).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Quality(u16);

impl Quality {
    /// No mark.
    pub const GOOD: Self = Self(0);
    /// Estimated.
    pub const ESTIMATED: Self = Self(1 << 1);
    /// Substituted by another value.
    pub const SUBSTITUTED: Self = Self(1 << 2);
    /// Questionable.
    pub const QUESTIONABLE: Self = Self(1 << 3);
    /// Missing: the mantissa is 0 and means nothing.
    pub const MISSING: Self = Self(1 << 4);
    /// Outside the physical range.
    pub const OUT_OF_RANGE: Self = Self(1 << 5);
    /// The register rolled over since the last value.
    pub const ROLLED_OVER: Self = Self(1 << 6);
    /// Test or calibration.
    pub const TEST: Self = Self(1 << 7);
    /// The clock is doubtful.
    pub const CLOCK_DOUBTFUL: Self = Self(1 << 8);
    /// Power failed in the interval.
    pub const POWER_FAILED: Self = Self(1 << 9);
    /// The clock was stepped in the interval.
    pub const CLOCK_STEPPED: Self = Self(1 << 10);
    /// Stale: the last known value.
    pub const STALE: Self = Self(1 << 11);
    /// Entered by hand.
    pub const MANUAL: Self = Self(1 << 12);
    /// A copy that is not legally relevant.
    pub const NOT_LEGAL: Self = Self(1 << 13);

    /// Names of marks 1 to 14 in English and Chinese; mark 14 is not given away yet.
    const NAMES: [(&'static str, &'static str); 14] = [
        ("estimated", "估计"),
        ("substituted", "替代"),
        ("questionable", "可疑"),
        ("missing", "缺失"),
        ("out of range", "越限"),
        ("rolled over", "翻转"),
        ("test", "测试"),
        ("clock doubtful", "时钟可疑"),
        ("power failed", "停电"),
        ("clock stepped", "时钟跳变"),
        ("stale", "陈旧"),
        ("manual", "人工录入"),
        ("not legal", "非法定"),
        ("mark 14", "标记14"),
    ];

    /// The names of the marks that are set, in order.
    pub fn names(self, language: Language) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .iter()
            .zip(1u32..)
            .filter(move |(_, mark)| self.0 >> mark & 1 == 1)
            .map(move |((english, chinese), _)| language.pick(english, chinese))
    }

    /// The mark of this name in either language.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let at = Self::NAMES
            .iter()
            .position(|(english, chinese)| *english == name || *chinese == name)?;
        Some(Self(2 << at))
    }

    /// The set from its bits; `None` when a bit outside 1 to 14 is set.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits & 0x8001 == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The set as bits, bit n for mark n.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all marks of `other` are set here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no mark is set.
    #[must_use]
    pub const fn is_good(self) -> bool {
        self.0 == 0
    }

    /// The low nibble of the meta byte: 0, the one mark, or 15 for several.
    pub(crate) const fn nibble(self) -> u8 {
        // Nearly all values are good, and small cores count bits slowly.
        match self.0 {
            0 => 0,
            one if one & (one - 1) == 0 => one.trailing_zeros() as u8,
            _ => 15,
        }
    }

    /// The set of a nibble below 15.
    pub(crate) const fn of_nibble(nibble: u8) -> Self {
        Self(if nibble == 0 {
            0
        } else {
            (1 << (nibble & 0x0F)) & 0x7FFE
        })
    }
}
