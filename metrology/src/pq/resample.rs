//! Samples synchronous to the fundamental: 2,048 points for each 10/12-cycle window, whatever the sample rate.
//!
//! A point is a weighted sum of eight neighbours (more at high rates, where the same filter keeps what would
//! fold down out). The weights are a Kaiser-windowed sinc (β = 7), read from a table between its steps. Its
//! droop at high orders is known and divided out by the spectrum; what is left of its images is 90 dB below
//! the fundamental and 70 dB below any order up to 3/8 of the sample rate.

use super::tracker::{Span, limited};

/// Points of a window.
pub const POINTS: usize = 2048;

/// Points of one channel, in pairs; later its spectrum.
pub type Buffer = [[i32; 2]; POINTS / 2];

/// An empty buffer.
pub const EMPTY_BUFFER: Buffer = [[0; 2]; POINTS / 2];

/// Fractional bits of a point.
pub(crate) const POINT_BITS: u32 = 5;
/// Weights of the longest filter: 8 for each sample that the reduced rate leaves out.
const MOST_TAPS: usize = 48;
/// Samples kept; what is left of them beside the filter is how seldom they move.
const KEPT: usize = 160;
/// Table steps for one sample of the reduced rate; a multiple of every reduction.
const STEPS: usize = 48;
/// Reductions of the sample rate inside the filter.
const REDUCTIONS: [u32; 5] = [1, 2, 3, 4, 6];

/// Half of the filter, Q30, made by the formula in the test below.
static FILTER: [i32; 4 * STEPS + 1] = [
    1_073_741_824,
    1_072_908_694,
    1_070_346_253,
    1_066_063_765,
    1_060_076_217,
    1_052_404_231,
    1_043_073_953,
    1_032_116_919,
    1_019_569_895,
    1_005_474_701,
    989_878_011,
    972_831_139,
    954_389_797,
    934_613_854,
    913_567_064,
    891_316_792,
    867_933_721,
    843_491_560,
    818_066_725,
    791_738_035,
    764_586_382,
    736_694_411,
    708_146_191,
    679_026_882,
    649_422_410,
    619_419_131,
    589_103_512,
    558_561_800,
    527_879_708,
    497_142_100,
    466_432_685,
    435_833_722,
    405_425_726,
    375_287_193,
    345_494_331,
    316_120_807,
    287_237_501,
    258_912_277,
    231_209_776,
    204_191_207,
    177_914_174,
    152_432_504,
    127_796_102,
    104_050_822,
    81_238_353,
    59_396_128,
    38_557_250,
    18_750_439,
    0,
    -17_675_290,
    -34_260_989,
    -49_745_971,
    -64_123_526,
    -77_391_280,
    -89_551_087,
    -100_608_911,
    -110_574_689,
    -119_462_175,
    -127_288_770,
    -134_075_344,
    -139_846_041,
    -144_628_073,
    -148_451_512,
    -151_349_066,
    -153_355_859,
    -154_509_194,
    -154_848_326,
    -154_414_223,
    -153_249_333,
    -151_397_345,
    -148_902_959,
    -145_811_654,
    -142_169_462,
    -138_022_744,
    -133_417_975,
    -128_401_535,
    -123_019_505,
    -117_317_474,
    -111_340_353,
    -105_132_198,
    -98_736_043,
    -92_193_745,
    -85_545_839,
    -78_831_402,
    -72_087_929,
    -65_351_225,
    -58_655_300,
    -52_032_287,
    -45_512_361,
    -39_123_677,
    -32_892_320,
    -26_842_261,
    -20_995_331,
    -15_371_205,
    -9_987_394,
    -4_859_254,
    0,
    4_579_551,
    8_870_634,
    12_866_231,
    16_561_316,
    19_952_782,
    23_039_370,
    25_821_577,
    28_301_572,
    30_483_099,
    32_371_370,
    33_972_970,
    35_295_740,
    36_348_673,
    37_141_798,
    37_686_071,
    37_993_260,
    38_075_835,
    37_946_859,
    37_619_876,
    37_108_809,
    36_427_854,
    35_591_385,
    34_613_857,
    33_509_713,
    32_293_302,
    30_978_795,
    29_580_113,
    28_110_850,
    26_584_217,
    25_012_974,
    23_409_385,
    21_785_163,
    20_151_435,
    18_518_701,
    16_896_807,
    15_294_920,
    13_721_509,
    12_184_328,
    10_690_415,
    9_246_081,
    7_856_915,
    6_527_793,
    5_262_880,
    4_065_652,
    2_938_911,
    1_884_807,
    904_863,
    0,
    -829_480,
    -1_583_805,
    -2_263_654,
    -2_870_178,
    -3_404_955,
    -3_869_960,
    -4_267_518,
    -4_600_267,
    -4_871_120,
    -5_083_221,
    -5_239_909,
    -5_344_681,
    -5_401_154,
    -5_413_027,
    -5_384_054,
    -5_318_004,
    -5_218_638,
    -5_089_677,
    -4_934_776,
    -4_757_501,
    -4_561_309,
    -4_349_526,
    -4_125_333,
    -3_891_748,
    -3_651_617,
    -3_407_599,
    -3_162_165,
    -2_917_586,
    -2_675_930,
    -2_439_064,
    -2_208_648,
    -1_986_141,
    -1_772_801,
    -1_569_692,
    -1_377_688,
    -1_197_483,
    -1_029_592,
    -874_371,
    -732_016,
    -602_580,
    -485_985,
    -382_027,
    -290_395,
    -210_678,
    -142_381,
    -84_932,
    -37_699,
    0,
];

/// 1 / gain of the filter at k/128 of the reduced sample rate, Q28.
static RESPONSE: [u32; 65] = [
    268_435_456,
    268_436_491,
    268_439_574,
    268_444_636,
    268_451_559,
    268_460_169,
    268_470_225,
    268_481_418,
    268_493_357,
    268_505_574,
    268_517_517,
    268_528_564,
    268_538_034,
    268_545_217,
    268_549_407,
    268_549_950,
    268_546_306,
    268_538_120,
    268_525_306,
    268_508_143,
    268_487_377,
    268_464_334,
    268_441_036,
    268_420_314,
    268_405_930,
    268_402_684,
    268_416_520,
    268_454_622,
    268_525_495,
    268_639_041,
    268_806_609,
    269_041_046,
    269_356_729,
    269_769_591,
    270_297_138,
    270_958_475,
    271_774_322,
    272_767_047,
    273_960_718,
    275_381_165,
    277_056_075,
    279_015_125,
    281_290_143,
    283_915_328,
    286_927_515,
    290_366_503,
    294_275_458,
    298_701_384,
    303_695_697,
    309_314_890,
    315_621_325,
    322_684_161,
    330_580_435,
    339_396_342,
    349_228_729,
    360_186_857,
    372_394_481,
    385_992_302,
    401_140_887,
    418_024_135,
    436_853_431,
    457_872_621,
    481_364_011,
    507_655_623,
    537_130_018,
];

/// What a finished window of points is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Cycles in the window: bins for each order.
    pub cycles: u8,
    /// Frequency of one bin over the reduced sample rate, Q32.
    pub(crate) bin: u32,
    /// A sample reached the end of the converter's range.
    pub overrange: bool,
}

impl Sampled {
    /// Highest order whose bins lie inside the filter's band, at most 50.
    #[must_use]
    pub fn highest_order(&self) -> u8 {
        // 0.44 of the rate: the gain there is above one half.
        let bins = (44_u64 << 32) / 100 / u64::from(self.bin.max(1));
        u8::try_from(bins / u64::from(self.cycles.max(1)))
            .unwrap_or(50)
            .min(50)
    }

    /// 1 / gain of the filter at a bin, Q28.
    #[inline]
    pub(crate) fn response(&self, bin: usize) -> u32 {
        let nu = (bin as u64 * u64::from(self.bin)).min(1 << 31);
        let at = (nu >> 25) as usize;
        let pair = RESPONSE.get(at).zip(RESPONSE.get(at + 1));
        let (from, to) = pair.unwrap_or((&RESPONSE[64], &RESPONSE[64]));
        let part = nu & ((1 << 25) - 1);
        from + ((u64::from(to.saturating_sub(*from)) * part) >> 25) as u32
    }
}

/// Turns samples of `C` channels into points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resampler<const C: usize> {
    history: [[i32; KEPT]; C],
    /// Phase of the oscillator at each sample kept.
    phases: [u32; KEPT],
    filled: usize,
    /// Samples that lie between two of the reduced rate.
    reduction: u32,
    cycles: u8,
    /// Phase between points, and of the next one.
    step: u32,
    target: u32,
    /// Points of the window so far; none while the window's begin is awaited.
    point: Option<usize>,
    /// Phase increments of the window's points, and samples out of range.
    increments: u64,
    overrange: bool,
}

impl<const C: usize> Resampler<C> {
    /// For windows of this many cycles.
    #[must_use]
    pub fn new(sample_rate_mhz: u32, cycles: u8) -> Self {
        // Not below 8 kHz, which 50 orders of 60 Hz need.
        let wanted = sample_rate_mhz / 8_000_000;
        let reduction = REDUCTIONS.into_iter().rfind(|r| *r <= wanted).unwrap_or(1);
        Self {
            history: [[0; KEPT]; C],
            phases: [0; KEPT],
            filled: 0,
            reduction,
            cycles,
            step: u32::from(cycles) << 21,
            target: 0,
            point: None,
            increments: 0,
            overrange: false,
        }
    }

    fn taps(&self) -> usize {
        (8 * self.reduction as usize).min(MOST_TAPS)
    }

    /// Begins a window at the edge that the span just taken ended with; points of an unfinished one are lost.
    pub fn restart(&mut self, rising: bool) {
        (self.point, self.increments, self.overrange) = (Some(0), 0, false);
        self.target = if rising { 0 } else { 1 << 31 };
    }

    /// Takes the frames of one span, writes points, and calls `finished` when a window is full: before it
    /// returns is the time to transform the buffers, because the next points overwrite them.
    pub fn process(
        &mut self,
        frames: &[[i32; C]],
        span: &Span,
        buffers: &mut [Buffer; C],
        mut finished: impl FnMut(&mut [Buffer; C], Sampled),
    ) {
        let mut phase = span.phase;
        for frame in frames {
            self.keep(frame, phase);
            phase = phase.wrapping_add(span.increment);
            while let Some(sampled) = self.points(buffers) {
                finished(buffers, sampled);
            }
        }
        if span.edge.is_some_and(|edge| edge.restart) {
            self.point = None;
        }
    }

    fn keep(&mut self, frame: &[i32; C], phase: u32) {
        if self.filled >= KEPT {
            let left = self.taps() + 1;
            for row in &mut self.history {
                row.copy_within(KEPT - left.., 0);
            }
            self.phases.copy_within(KEPT - left.., 0);
            self.filled = left;
        }
        for (row, x) in self.history.iter_mut().zip(frame) {
            if let Some(place) = row.get_mut(self.filled) {
                *place = limited(*x);
                self.overrange |= place.abs() >= crate::FULL_SCALE;
            }
        }
        if let Some(place) = self.phases.get_mut(self.filled) {
            *place = phase;
        }
        self.filled += 1;
    }

    /// Points between the two samples in the middle of the filter; returns early with a full window.
    fn points(&mut self, buffers: &mut [Buffer; C]) -> Option<Sampled> {
        let taps = self.taps();
        let first = self.filled.checked_sub(taps)?;
        let middle = first + taps / 2 - 1;
        let (from, to) = (*self.phases.get(middle)?, *self.phases.get(middle + 1)?);
        let increment = to.wrapping_sub(from).max(1);
        // At the edge of a span the increments of two spans meet; each point lies in exactly one interval.
        let mut ahead = self.target.wrapping_sub(from);
        while ahead < increment {
            let point = self.point?;
            let weights = self.weights(ahead, increment, taps);
            for (row, buffer) in self.history.iter().zip(buffers.iter_mut()) {
                let Some((samples, pair)) =
                    row.get(first..first + taps).zip(buffer.get_mut(point / 2))
                else {
                    continue;
                };
                let value = weighted(samples, &weights, self.reduction);
                let [even, odd] = pair;
                *(if point % 2 == 0 { even } else { odd }) = value;
            }
            self.increments += u64::from(increment);
            self.target = self.target.wrapping_add(self.step);
            ahead += self.step;
            self.point = Some(point + 1);
            if point + 1 == POINTS {
                return Some(self.close());
            }
        }
        None
    }

    fn close(&mut self) -> Sampled {
        let mean = self.increments / POINTS as u64 * u64::from(self.reduction);
        let sampled = Sampled {
            cycles: self.cycles,
            bin: u32::try_from(mean / u64::from(self.cycles.max(1))).unwrap_or(u32::MAX),
            overrange: self.overrange,
        };
        (self.point, self.increments, self.overrange) = (Some(0), 0, false);
        sampled
    }

    /// Weights of the samples around a point that lies `ahead / increment` behind the middle one.
    fn weights(&self, ahead: u32, increment: u32, taps: usize) -> [i32; MOST_TAPS] {
        let per_sample = STEPS / self.reduction as usize;
        // Steps behind the middle sample, Q16.
        let position = (u64::from(ahead) << 16) / u64::from(increment) * per_sample as u64;
        let (step, part) = ((position >> 16) as usize, (position & 0xFFFF) as i64);
        let between = |near: usize, part: i64| {
            let pair = FILTER.get(near).zip(FILTER.get(near + 1));
            pair.map_or(0, |(near, far)| {
                let slope = i64::from(*far) - i64::from(*near);
                near + ((slope * part) >> 16) as i32
            })
        };
        let mut weights = [0; MOST_TAPS];
        let half = taps / 2;
        for (k, weight) in weights.iter_mut().take(taps).enumerate() {
            *weight = if k < half {
                between(step + (half - 1 - k) * per_sample, part)
            } else {
                between((k + 1 - half) * per_sample - step - 1, (1 << 16) - part)
            };
        }
        weights
    }
}

/// The weighted sum, counts Q5, limited to full scale.
#[inline]
fn weighted(samples: &[i32], weights: &[i32; MOST_TAPS], reduction: u32) -> i32 {
    let mut sum = 0_i64;
    for (x, w) in samples
        .as_chunks::<8>()
        .0
        .iter()
        .zip(weights.as_chunks::<8>().0)
    {
        for (x, w) in x.iter().zip(w) {
            sum += i64::from(*x) * i64::from(*w);
        }
    }
    let sum = (sum + (1 << 24)) >> (30 - POINT_BITS);
    let value = if reduction == 1 {
        sum
    } else {
        sum / i64::from(reduction)
    };
    let limit = i64::from(crate::FULL_SCALE) << POINT_BITS;
    value.clamp(-limit, limit) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use core::f64::consts::PI;
    use std::vec::Vec;

    /// Kaiser-windowed sinc, each phase scaled so that its weights add up to one.
    fn formula() -> Vec<f64> {
        let bessel = |x: f64| {
            let (mut sum, mut term) = (1.0, 1.0);
            for k in 1..60 {
                term *= (x / 2.0 / f64::from(k)).powi(2);
                sum += term;
            }
            sum
        };
        let plain: Vec<f64> = (0..=4 * STEPS)
            .map(|k| {
                let t = k as f64 / STEPS as f64;
                let sinc = if k == 0 {
                    1.0
                } else {
                    (PI * t).sin() / (PI * t)
                };
                sinc * bessel(7.0 * (1.0 - (t / 4.0).powi(2)).max(0.0).sqrt()) / bessel(7.0)
            })
            .collect();
        let mut scaled = plain.clone();
        for phase in 0..STEPS as i32 {
            let at = |tap: i32| (phase + tap * STEPS as i32).unsigned_abs() as usize;
            let sum: f64 = (-4..4).filter_map(|tap| plain.get(at(tap))).sum();
            for tap in -4..4 {
                if let Some(place) = scaled.get_mut(at(tap)) {
                    *place = plain[at(tap)] / sum;
                }
            }
        }
        scaled
    }

    #[test]
    fn tables_are_the_formula() {
        let filter = formula();
        for (got, want) in FILTER.iter().zip(&filter) {
            assert!((f64::from(*got) - want * 1_073_741_824.0).abs() < 2.0);
        }
        for (k, got) in RESPONSE.iter().enumerate() {
            let nu = k as f64 / 128.0;
            let sum: f64 = filter
                .iter()
                .enumerate()
                .skip(1)
                .map(|(n, h)| 2.0 * h * (2.0 * PI * nu * n as f64 / STEPS as f64).cos())
                .sum();
            let x = PI * nu / STEPS as f64;
            let between = if k == 0 { 1.0 } else { (x.sin() / x).powi(2) };
            let gain = (filter[0] + sum) / STEPS as f64 * between;
            assert!(
                (f64::from(*got) * gain / 268_435_456.0 - 1.0).abs() < 1e-6,
                "{k}"
            );
        }
    }
}
