//! Stamps: a count since 1970 in UTC and one byte about the clock.

use core::fmt;

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

impl Stamp {
    /// Year, month, day, hour, minute and second in UTC, for people; `None` from the year 10000 on.
    #[must_use]
    pub fn utc(self) -> Option<Utc> {
        let seconds = self.seconds();
        (seconds < YEAR_10000).then_some(Utc { seconds })
    }
}

/// Seconds from 1970 to the year 10000.
const YEAR_10000: u64 = 253_402_300_800;

/// A moment in UTC, printed as `2026-11-20T16:00:00Z`.
#[derive(Clone, Copy, Debug)]
pub struct Utc {
    seconds: u64,
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 86_400;
        // Years that begin in March end with the leap day; 400 of them are one cycle of 146,097 days.
        let days = self.seconds / DAY + 719_468; // since 0000-03-01
        let (cycle, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day + 2) / 153; // 0 for March
        let month_day = day - (153 * shifted + 2) / 5 + 1;
        let (month, leap) = if shifted < 10 {
            (shifted + 3, 0)
        } else {
            (shifted - 9, 1)
        };
        let year = cycle * 400 + year + leap;
        let second = self.seconds % DAY;
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(
            f,
            "{year:04}-{month:02}-{month_day:02}T{hour:02}:{minute:02}:{:02}Z",
            second % 60
        )
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[test]
    fn utc_is_that_of_the_calendar() {
        let utc = |seconds| Stamp::from_seconds(seconds, ClockQuality::LEGAL).utc();
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_219_200, "2026-11-21T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds).unwrap().to_string(), text);
        }
        assert!(utc(253_402_300_800).is_none());
    }

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
