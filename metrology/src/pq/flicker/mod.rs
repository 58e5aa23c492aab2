//! Flicker by IEC 61000-4-15: instantaneous sensation Pinst, severities Pst and Plt, for both lamps.
//!
//! ```text
//! x -> x², summed to about 2 kHz -> / slow mean (27.3 s) -> 0.05 Hz high pass -> 35 or 42 Hz low pass
//!   -> weighting by eye and lamp -> ² -> 300 ms -> Pinst -> classes -> Pst
//! ```

mod classifier;
mod filter;

pub use classifier::{Classifier, LongTerm};

use super::half_cycle::square;
use super::trig::times_q30;
use filter::{LowPass, Rate, SIGNAL_BITS, Section};

/// Lamp and grid that the weighting stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lamp {
    /// 60 W filament, 230 V, 50 Hz.
    V230Hz50,
    /// 60 W filament, 120 V, 60 Hz.
    V120Hz60,
}

/// Constants of the weighting filter and the filter before it.
struct Weighting {
    /// Corner of the low pass of sixth order, microhertz.
    band_uhz: u64,
    /// k, Q30.
    k: i32,
    /// λ and ω1 to ω4 over 2π, microhertz.
    lambda: u64,
    corners: [u64; 4],
    /// Makes Pinst 1 at the threshold of perception.
    gain: u64,
}

impl Lamp {
    const fn weighting(self) -> Weighting {
        match self {
            Self::V230Hz50 => Weighting {
                band_uhz: 35_000_000,
                k: 1_876_922_183,
                lambda: 4_059_810,
                corners: [9_154_940, 2_279_790, 1_225_350, 21_900_000],
                gain: 309_480,
            },
            Self::V120Hz60 => Weighting {
                band_uhz: 42_000_000,
                k: 1_756_319_502,
                lambda: 4_167_375,
                corners: [9_077_169, 2_939_902, 1_394_468, 17_315_120],
                gain: 307_620,
            },
        }
    }
}

/// 1 / (2π · 27.3 s) and 1 / (2π · 0.3 s), microhertz.
const SLOW_UHZ: u64 = 5830;
const SMOOTHING_UHZ: u64 = 530_516;
const HIGH_PASS_UHZ: u64 = 50_000;
/// Damping of the three sections of a Butterworth low pass of sixth order: 2 cos(15°, 45°, 75°), Q40.
const BUTTERWORTH: [i128; 3] = [2_124_093_355_148, 1_554_944_255_988, 569_149_099_160];
/// One, in the signals.
const ONE: i64 = 1 << SIGNAL_BITS;

/// Flickermeter of one channel.
///
/// Its first value is good about 15 s after the start, when the high pass has settled: call
/// [`Flicker::restart`] then, and again at each 10-minute tick through [`Flicker::finish`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flicker {
    /// Samples summed for one value, and those summed so far.
    divided: u32,
    have: u32,
    sum: u64,
    /// The first second, whose mean becomes the level: values still to come and summed so far, over 2^8.
    starting: u32,
    started: u64,
    have_started: u32,
    level: LowPass,
    /// 2^57 / 28 bits of the level, which lie `shift` bits up; renewed now and then.
    inverse: u64,
    shift: u32,
    until_inverse: u32,
    high_pass: LowPass,
    band: [Section; 3],
    eye: Section,
    k: i32,
    lead: LowPass,
    /// ω3 / ω2, Q30.
    lead_part: i32,
    lag: LowPass,
    smoothing: LowPass,
    gain: u64,
    pinst: u32,
    /// Values for one class count, and those since the last one.
    every: u32,
    since: u32,
    classes: Classifier,
}

impl Flicker {
    /// For a sample rate (thousandths of a sample per second) of at least 400 samples per second.
    #[must_use]
    pub fn new(sample_rate_mhz: u32, lamp: Lamp) -> Self {
        let divided = (sample_rate_mhz / 1_600_000).max(1);
        let rate = Rate {
            rate_mhz: sample_rate_mhz,
            divided,
        };
        let w = lamp.weighting();
        let [w1, w2, w3, w4] = w.corners;
        let per_second = sample_rate_mhz / 1000 / divided;
        Self {
            divided,
            have: 0,
            sum: 0,
            starting: per_second.max(1),
            started: 0,
            have_started: 0,
            level: LowPass::new(rate, SLOW_UHZ),
            inverse: 0,
            shift: 0,
            until_inverse: 0,
            high_pass: LowPass::new(rate, HIGH_PASS_UHZ),
            band: BUTTERWORTH.map(|damping| Section::new(rate, w.band_uhz, damping)),
            eye: Section::new(
                rate,
                w1,
                (i128::from(2 * w.lambda) << 40) / i128::from(w1.max(1)),
            ),
            k: w.k,
            lead: LowPass::new(rate, w3),
            lead_part: ((w3 << 30) / w2) as i32,
            lag: LowPass::new(rate, w4),
            smoothing: LowPass::new(rate, SMOOTHING_UHZ),
            gain: w.gain,
            pinst: 0,
            every: per_second.div_ceil(100).max(1),
            since: 0,
            classes: Classifier::new(),
        }
    }

    /// Takes frames; `channel` is the voltage.
    pub fn process<const C: usize>(&mut self, frames: &[[i32; C]], channel: usize) {
        self.run(frames.as_flattened(), C.max(1), channel);
    }

    /// Not generic: compiled once.
    fn run(&mut self, samples: &[i32], channels: usize, channel: usize) {
        for x in samples.iter().skip(channel).step_by(channels) {
            self.sum = self.sum.wrapping_add(square(*x));
            self.have += 1;
            if self.have >= self.divided {
                let sum = core::mem::take(&mut self.sum);
                self.have = 0;
                self.value(sum);
            }
        }
    }

    /// Instantaneous flicker sensation, Q20: 2^20 is the threshold of perception.
    #[must_use]
    pub const fn pinst(&self) -> u32 {
        self.pinst
    }

    /// Levels counted since the last restart; about 100 a second.
    #[must_use]
    pub fn counted(&self) -> u32 {
        self.classes.total()
    }

    /// Begins an interval.
    pub fn restart(&mut self) {
        self.classes.clear();
    }

    /// Ends the interval: its Pst in millionths, `None` when nothing was counted. The next one begins.
    pub fn finish(&mut self) -> Option<u32> {
        let severity = self.classes.severity_ppm();
        self.classes.clear();
        severity
    }

    /// One sum of squares.
    fn value(&mut self, sum: u64) {
        // 46 bits and at most 40 samples: 8 fractional bits fit.
        let sum = sum.min(1 << 54);
        if self.starting > 0 {
            self.start(sum);
            return;
        }
        let level = self.level.next((sum << 8) as i64);
        if self.until_inverse == 0 {
            self.until_inverse = 64;
            self.invert(level);
        }
        self.until_inverse -= 1;
        let ratio = self.ratio(sum);
        self.pinst = self.sensation(ratio);
        self.since += 1;
        if self.since >= self.every {
            self.since = 0;
            self.classes.count(self.pinst);
        }
    }

    fn start(&mut self, sum: u64) {
        self.started = self.started.saturating_add(sum >> 8);
        self.have_started += 1;
        self.starting -= 1;
        if self.starting == 0 {
            let mean = self.started / u64::from(self.have_started.max(1));
            self.level.settle(((mean << 16).min(1 << 62)) as i64);
            self.high_pass.settle(ONE);
        }
    }

    /// Prepares the division by the level, which hardly changes within 64 values.
    fn invert(&mut self, level: i64) {
        let level = (level >> 8).max(0) as u64;
        self.shift = (64 - level.leading_zeros()).saturating_sub(28);
        // Below this there is no voltage.
        self.inverse = if level < 1 << 20 {
            0
        } else {
            (1 << 57) / (level >> self.shift).max(1)
        };
    }

    /// A sum against the level, limited to 15; one where there is no voltage.
    fn ratio(&self, sum: u64) -> i64 {
        if self.inverse == 0 {
            return ONE;
        }
        let top = (sum >> self.shift).min(15 << 27);
        // At most 2^31 · 2^37 would not fit; the inverse of a level of 28 bits is at most 2^30.
        (top.saturating_mul(self.inverse) >> (57 - SIGNAL_BITS)) as i64
    }

    /// Blocks 3 and 4.
    fn sensation(&mut self, ratio: i64) -> u32 {
        let mut x = ratio.saturating_sub(self.high_pass.next(ratio));
        for section in &mut self.band {
            (x, _) = section.next(x);
        }
        let (_, eye) = self.eye.next(x);
        let eye = times_q30(eye, self.k);
        // (1 + s/ω2) / (1 + s/ω3) is the low pass and ω3/ω2 of what it leaves.
        let low = self.lead.next(eye);
        let lead = low.saturating_add(times_q30(eye.saturating_sub(low), self.lead_part));
        let weighted = self.lag.next(lead) >> (SIGNAL_BITS - 30);
        let weighted = weighted.clamp(-(1 << 31), 1 << 31);
        // Q60 to Q40; 42 bits.
        let smooth = self.smoothing.next((weighted * weighted) >> 20).max(0) as u64;
        let pinst = smooth.saturating_mul(self.gain) >> 20;
        u32::try_from(pinst).unwrap_or(u32::MAX)
    }
}
