//! Stamps: a count since 1970 in UTC and one byte about the clock.

/// How much the clock behind a stamp can be trusted: low nibble of the `clk` byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClockQuality(pub u8);

impl ClockQuality {
    /// Never set: the time counts from the start of the device.
    pub const NEVER_SET: Self = Self(0);
    /// Running on since the last setting.
    pub const HOLDOVER: Self = Self(1);
    /// Network time of a cell, ±1 s.
    pub const NETWORK: Self = Self(2);
    /// Within 100 ms.
    pub const SYNCHRONISED: Self = Self(3);
    /// The legal clock of the metering core.
    pub const LEGAL: Self = Self(4);
    /// The legal clock, verified today.
    pub const LEGAL_VERIFIED: Self = Self(5);
}

/// A point in time. For values of an interval it is the end of the interval.
///
/// `time` counts since 1970-01-01T00:00:00Z in the resolution that the high nibble of `clk` states:
/// 0 seconds, 1 tenths, 3 milliseconds, 6 microseconds (that power of ten below a second).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stamp {
    /// The count.
    pub time: u64,
    /// High nibble resolution, low nibble [`ClockQuality`].
    pub clk: u8,
}

impl Stamp {
    /// A stamp in seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64, quality: ClockQuality) -> Self {
        Self {
            time: seconds,
            clk: quality.0 & 0x0F,
        }
    }

    /// A stamp in milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64, quality: ClockQuality) -> Self {
        Self {
            time: millis,
            clk: 0x30 | quality.0 & 0x0F,
        }
    }

    /// The clock's quality.
    #[must_use]
    pub const fn quality(self) -> ClockQuality {
        ClockQuality(self.clk & 0x0F)
    }

    /// Milliseconds since 1970, whatever the resolution; saturating, finer digits cut off.
    #[must_use]
    pub const fn millis(self) -> u64 {
        let places = (self.clk >> 4) as u32;
        if places <= 3 {
            self.time.saturating_mul(10u64.pow(3 - places))
        } else {
            self.time / 10u64.pow(places - 3)
        }
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.time / 10u64.pow((self.clk >> 4) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_converts() {
        assert_eq!(Stamp::from_seconds(5, ClockQuality::LEGAL).millis(), 5_000);
        assert_eq!(
            Stamp {
                time: 55,
                clk: 0x14
            }
            .millis(),
            5_500
        );
        assert_eq!(
            Stamp::from_millis(5_500, ClockQuality::HOLDOVER).seconds(),
            5
        );
        assert_eq!(
            Stamp {
                time: 5_500_999,
                clk: 0x61
            }
            .millis(),
            5_500
        );
        for clk in 0..=255 {
            let stamp = Stamp {
                time: u64::MAX,
                clk,
            };
            let _ = (stamp.millis(), stamp.seconds());
        }
    }
}
