//! The filters of the flickermeter as trapezoidal integrators, in 64-bit states.
//!
//! Corners of 0.05 Hz at some kilohertz ask for coefficients whose small part carries the information; in this
//! form the coefficient is that small part itself, tan(π f / fs), with 30 fractional bits.

use super::super::trig::times_q30;

/// Fractional bits of signals and states.
pub(crate) const SIGNAL_BITS: u32 = 44;
/// π, Q60.
const PI: i128 = 3_622_009_729_038_561_421;

/// Rate at which the filters run: `rate_mhz` (thousandths of a sample per second) over `divided`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub rate_mhz: u32,
    pub divided: u32,
}

impl Rate {
    /// tan(π f / rate), Q40, for f in microhertz up to a tenth of the rate.
    fn tangent(self, frequency_uhz: u64) -> i128 {
        let turns = PI * i128::from(frequency_uhz) * i128::from(self.divided);
        let x = (turns / (i128::from(self.rate_mhz.max(1)) * 1000)).min(1 << 59) >> 20;
        let square = (x * x) >> 40;
        // Series to x⁹, by Horner.
        let mut sum: i128 = (62 << 40) / 2835;
        for term in [(17 << 40) / 315, (2 << 40) / 15, (1 << 40) / 3, 1 << 40] {
            sum = term + ((sum * square) >> 40);
        }
        (x * sum) >> 40
    }
}

/// Q40 to Q30.
fn narrow(value: i128) -> i32 {
    ((value + (1 << 9)) >> 10).clamp(0, i32::MAX.into()) as i32
}

/// First-order low pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LowPass {
    gain: i32,
    state: i64,
}

impl LowPass {
    /// Corner in microhertz.
    pub fn new(rate: Rate, corner_uhz: u64) -> Self {
        let g = rate.tangent(corner_uhz);
        Self {
            gain: narrow((g << 40) / ((1 << 40) + g).max(1)),
            state: 0,
        }
    }

    /// Starts as if `value` had been there for ever.
    pub fn settle(&mut self, value: i64) {
        self.state = value;
    }

    #[inline]
    pub fn next(&mut self, x: i64) -> i64 {
        let step = times_q30(x.saturating_sub(self.state), self.gain);
        let y = self.state.saturating_add(step);
        self.state = y.saturating_add(step);
        y
    }
}

/// Second-order section with low-pass and band-pass outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    a1: i32,
    a2: i32,
    a3: i32,
    first: i64,
    second: i64,
}

impl Section {
    /// Corner in microhertz, damping 1/Q with 40 fractional bits.
    pub fn new(rate: Rate, corner_uhz: u64, damping: i128) -> Self {
        let g = rate.tangent(corner_uhz);
        let a1 = (1_i128 << 80) / ((1 << 40) + ((g * (g + damping)) >> 40)).max(1);
        let a2 = (g * a1) >> 40;
        Self {
            a1: narrow(a1),
            a2: narrow(a2),
            a3: narrow((g * a2) >> 40),
            first: 0,
            second: 0,
        }
    }

    /// Low pass, band pass (of peak 1/damping).
    #[inline]
    pub fn next(&mut self, x: i64) -> (i64, i64) {
        let rest = x.saturating_sub(self.second);
        let band = times_q30(self.first, self.a1).saturating_add(times_q30(rest, self.a2));
        let low = self
            .second
            .saturating_add(times_q30(self.first, self.a2))
            .saturating_add(times_q30(rest, self.a3));
        self.first = band.saturating_mul(2).saturating_sub(self.first);
        self.second = low.saturating_mul(2).saturating_sub(self.second);
        (low, band)
    }
}
