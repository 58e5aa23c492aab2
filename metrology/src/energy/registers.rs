//! What the registers show.

/// Energy in both directions, in register steps (0.1 Wh unless the calibration says otherwise).
///
/// Counts are 64 bits wide and never roll over: the largest meter this crate takes (three phases of 500 V and
/// 200 A peak) needs 400,000 years for them at the finest step. Registers of a display do: see [`Readout`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps taken from the grid (A+).
    pub import: u64,
    /// Steps given to the grid (A−).
    pub export: u64,
}

impl Counts {
    /// Import less export, limited to the range of `i64`.
    #[must_use]
    pub const fn net(&self) -> i64 {
        let net = self.import as i128 - self.export as i128;
        if net > i64::MAX as i128 {
            i64::MAX
        } else if net < i64::MIN as i128 {
            i64::MIN
        } else {
            net as i64
        }
    }

    /// Import and export together.
    #[must_use]
    pub const fn absolute(&self) -> u64 {
        self.import.saturating_add(self.export)
    }
}

/// A snapshot of all registers. How phases join in the totals is the calibration's [`Policy`](crate::Policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers<const PHASES: usize> {
    /// Total active energy.
    pub active: Counts,
    /// Active energy of each phase.
    pub phase: [Counts; PHASES],
    /// Fundamental reactive energy of the total by quadrant, R1 to R4, in steps.
    pub reactive: [u64; 4],
    /// Active energy of the fundamental alone.
    pub fundamental: Counts,
    /// Apparent energy (arithmetic) while active energy flows in (S+) and out (S−), steps.
    pub apparent: Counts,
    /// Pulses of active energy given since the registers were new.
    pub pulses: u64,
    /// Pulses of reactive energy given since the registers were new.
    pub reactive_pulses: u64,
}

impl<const PHASES: usize> Registers<PHASES> {
    /// Reactive energy while it flows in, R+ = R1 + R2, steps.
    #[must_use]
    pub const fn reactive_import(&self) -> u64 {
        let [first, second, _, _] = self.reactive;
        first.saturating_add(second)
    }

    /// Reactive energy while it flows out, R− = R3 + R4, steps.
    #[must_use]
    pub const fn reactive_export(&self) -> u64 {
        let [_, _, third, fourth] = self.reactive;
        third.saturating_add(fourth)
    }
}

/// A register as a display or a protocol shows it: so many decimal digits, the oldest falls off.
///
/// After 10^digits − 1 comes 0 (rollover); a reader takes differences with [`Readout::advance`].
///
/// ```
/// use metrology::Readout;
///
/// let display = Readout { digits: 6, decimals: 2 }; // 0000.00 kWh
/// // 10,000.05 kWh in steps of 0.1 Wh.
/// assert_eq!(display.shown(100_000_500, 100), 5);
/// assert_eq!(display.advance(999_998, 5), 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readout {
    /// Decimal digits in all, 1 to 19; fewer or more count as these.
    pub digits: u8,
    /// Those of them behind the point of kWh (kvarh, kVAh), at most 9; more count as 9.
    pub decimals: u8,
}

impl Readout {
    /// The digits shown for a count of register steps, cut off and not rounded, without the point.
    #[must_use]
    pub const fn shown(&self, steps: u64, energy_step_mwh: u32) -> u64 {
        let decimals = if self.decimals > 9 { 9 } else { self.decimals };
        let mwh = steps as u128 * energy_step_mwh as u128;
        let units = mwh * 10_u128.pow(decimals as u32) / 1_000_000;
        (units % self.range()) as u64
    }

    /// What was added between two readings, if it was less than the whole range.
    #[must_use]
    pub const fn advance(&self, before: u64, after: u64) -> u64 {
        let range = self.range();
        ((after as u128 % range + range - before as u128 % range) % range) as u64
    }

    const fn range(&self) -> u128 {
        let digits = match self.digits {
            0 => 1,
            1..=19 => self.digits,
            _ => 19,
        };
        10_u128.pow(digits as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readouts_roll_over_and_differences_do_not() {
        let readout = Readout {
            digits: 8,
            decimals: 2,
        };
        // Steps of 0.1 Wh; a digit of 0.01 kWh is 100 of them.
        assert_eq!(readout.shown(99, 100), 0);
        assert_eq!(readout.shown(100, 100), 1);
        assert_eq!(readout.shown(9_999_999_999, 100), 99_999_999);
        assert_eq!(readout.shown(10_000_000_000, 100), 0);
        assert_eq!(readout.advance(99_999_990, 9), 19);
        assert_eq!(readout.advance(7, 7), 0);
        let widest = Readout {
            digits: 19,
            decimals: 9,
        };
        assert_eq!(widest.shown(u64::MAX, 1_000_000) % 1_000_000_000, 0);
        let odd = Readout {
            digits: 0,
            decimals: 200,
        };
        assert_eq!(odd.shown(1, 1), 0);
        assert_eq!(odd.advance(3, 2), 9);
    }

    #[test]
    fn sixteen_years_at_full_scale_fit_the_counts() {
        // 3 · 250 V · 100 A rms at full scale of both, 1.2 times 1.2 for gains, in the finest steps of 1 mWh.
        let mwh_per_hour = 3 * 250 * 100 * 1000_u64 * 144 / 100;
        let hours = 16 * 8766;
        assert!(mwh_per_hour * hours < u64::MAX / 100_000);
    }

    #[test]
    fn directions_join() {
        let counts = Counts {
            import: 7,
            export: 9,
        };
        assert_eq!((counts.net(), counts.absolute()), (-2, 16));
        let far = Counts {
            import: u64::MAX,
            export: 1,
        };
        assert_eq!((far.net(), far.absolute()), (i64::MAX, u64::MAX));
    }
}
