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

/// Fractional bits of a sample kept; with the 30 of the weights they leave 5 in the upper word of a sum.
const SAMPLE_BITS: u32 = 7;
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

/// From the amplitude of a bin (counts Q5) to its rms value (Q8) at k/128 of the reduced sample rate, Q26:
/// 8 / √2 / gain of the filter.
static RESPONSE: [i32; 65] = [
    379_625_062,
    379_626_526,
    379_630_886,
    379_638_045,
    379_647_836,
    379_660_012,
    379_674_233,
    379_690_063,
    379_706_947,
    379_724_224,
    379_741_114,
    379_756_737,
    379_770_130,
    379_780_288,
    379_786_214,
    379_786_981,
    379_781_828,
    379_770_251,
    379_752_130,
    379_727_857,
    379_698_490,
    379_665_902,
    379_632_954,
    379_603_648,
    379_583_306,
    379_578_716,
    379_598_283,
    379_652_167,
    379_752_397,
    379_912_975,
    380_149_952,
    380_481_496,
    380_927_939,
    381_511_814,
    382_257_878,
    383_193_150,
    384_346_932,
    385_750_857,
    387_438_963,
    389_447_778,
    391_816_459,
    394_586_974,
    397_804_335,
    401_516_907,
    405_776_783,
    410_640_247,
    416_168_344,
    422_427_548,
    429_490_574,
    437_437_312,
    446_355_958,
    456_344_317,
    467_511_335,
    479_978_910,
    493_884_005,
    509_381_138,
    526_645_326,
    545_875_548,
    567_298_883,
    591_175_401,
    617_804_047,
    647_529_670,
    680_751_513,
    717_933_467,
    759_616_556,
];

/// What a finished window of points is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Cycles in the window: bins for each order.
    pub cycles: u8,
    /// Highest order whose bins lie inside the filter's band, at most 50.
    pub highest_order: u8,
    /// Frequency of one bin over the reduced sample rate, Q32.
    pub(crate) bin: u32,
    /// A sample reached the end of the converter's range.
    pub overrange: bool,
}

impl Sampled {
    /// From amplitude (Q5) to rms (Q8) at a bin, Q26.
    #[inline]
    pub(crate) fn response(&self, bin: usize) -> i32 {
        let nu = (bin as u32).saturating_mul(self.bin).min(1 << 31);
        let at = (nu >> 25) as usize;
        let pair = RESPONSE.get(at).zip(RESPONSE.get(at + 1));
        let (from, to) = pair.unwrap_or((&RESPONSE[64], &RESPONSE[64]));
        let part = (nu << 7) >> 1;
        from + ((i64::from((to - from) << 1) * i64::from(part)) >> 32) as i32
    }
}

/// Samples kept of one channel.
type Row = [i32; KEPT];

/// Turns samples of `C` channels into points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resampler<const C: usize> {
    history: [Row; C],
    grid: Grid,
}

/// Everything but the channels. Its loops are compiled once, for any number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grid {
    /// Phase of the oscillator at each sample kept.
    phases: [u32; KEPT],
    filled: usize,
    /// Sample in the middle of the filter: points lie between it and the next one.
    middle: usize,
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
    /// Table steps for each unit of phase, Q48, of the increment it was made for.
    inverse: u64,
    divided: u32,
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
            grid: Grid {
                phases: [0; KEPT],
                // The filter begins in silence.
                filled: MOST_TAPS,
                middle: MOST_TAPS / 2,
                reduction,
                cycles,
                step: u32::from(cycles) << 21,
                target: 0,
                point: None,
                increments: 0,
                overrange: false,
                inverse: 0,
                divided: 0,
            },
        }
    }

    /// Begins a window at the edge that the span just taken ended with; points of an unfinished one are lost.
    pub fn restart(&mut self, rising: bool) {
        let grid = &mut self.grid;
        (grid.point, grid.increments, grid.overrange) = (Some(0), 0, false);
        grid.target = if rising { 0 } else { 1 << 31 };
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
        let mut rest = frames;
        while !rest.is_empty() {
            let room = KEPT.saturating_sub(self.grid.filled).min(rest.len());
            let (now, later) = rest.split_at(room);
            let history = &mut self.history;
            phase = self
                .grid
                .keep(history, now.as_flattened(), phase, span.increment);
            while let Some(sampled) = self.grid.points(&self.history, buffers) {
                finished(buffers, sampled);
            }
            self.grid.forget(&mut self.history);
            rest = later;
        }
        if span.edge.is_some_and(|edge| edge.restart) {
            self.grid.point = None;
        }
    }
}

impl Grid {
    fn taps(&self) -> usize {
        (8 * self.reduction as usize).min(MOST_TAPS)
    }

    /// Appends samples, frame after frame, for which there is room; the phase after them.
    fn keep(&mut self, rows: &mut [Row], samples: &[i32], mut phase: u32, increment: u32) -> u32 {
        let channels = rows.len().max(1);
        let mut peak = 0;
        for (channel, row) in rows.iter_mut().enumerate() {
            let places = row.get_mut(self.filled..).unwrap_or_default();
            let column = samples.iter().skip(channel).step_by(channels);
            for (place, x) in places.iter_mut().zip(column) {
                *place = limited(*x) << SAMPLE_BITS;
                peak = peak.max(x ^ (x >> 31));
            }
        }
        self.overrange |= peak >= crate::FULL_SCALE;
        let frames = samples.len() / channels;
        let places = self.phases.get_mut(self.filled..).unwrap_or_default();
        for place in places.iter_mut().take(frames) {
            *place = phase;
            phase = phase.wrapping_add(increment);
        }
        self.filled += frames;
        phase
    }

    /// Moves what the filter still needs to the front, when there is no more room.
    fn forget(&mut self, rows: &mut [Row]) {
        if self.filled < KEPT {
            return;
        }
        let from = self.middle.saturating_sub(self.taps() / 2);
        for row in rows {
            row.copy_within(from.., 0);
        }
        self.phases.copy_within(from.., 0);
        self.filled -= from;
        self.middle -= from;
    }

    /// Points between the samples kept; returns early with a full window.
    fn points(&mut self, rows: &[Row], buffers: &mut [Buffer]) -> Option<Sampled> {
        let half = self.taps() / 2;
        while self.middle + half < self.filled {
            let (from, to) = (
                *self.phases.get(self.middle)?,
                *self.phases.get(self.middle + 1)?,
            );
            // At the edge of a span the increments of two spans meet; each point lies in one interval.
            let increment = to.wrapping_sub(from).max(1);
            let mut ahead = self.target.wrapping_sub(from);
            while ahead < increment {
                let Some(point) = self.point else { break };
                if increment != self.divided {
                    self.divided = increment;
                    self.inverse = ((STEPS / self.reduction as usize) as u64) << 48;
                    self.inverse /= u64::from(increment);
                }
                // Table steps behind the middle sample, Q16. The product is below 48 · 2^48.
                let position = ((u64::from(ahead) * self.inverse) >> 32) as u32;
                let first = self.middle + 1 - half;
                if self.reduction == 1 {
                    self.point_of::<8>(rows, first, position, point, buffers);
                } else {
                    self.point_of::<MOST_TAPS>(rows, first, position, point, buffers);
                }
                self.increments += u64::from(increment);
                self.target = self.target.wrapping_add(self.step);
                ahead += self.step;
                self.point = Some(point + 1);
                if point + 1 == POINTS {
                    return Some(self.close());
                }
            }
            self.middle += 1;
        }
        None
    }

    /// One point of every channel, with room for `T` weights.
    #[inline]
    fn point_of<const T: usize>(
        &self,
        rows: &[Row],
        first: usize,
        position: u32,
        point: usize,
        buffers: &mut [Buffer],
    ) {
        let mut weights = [0; T];
        // A length that the compiler knows makes the usual case fast.
        let taps = if T == 8 { 8 } else { self.taps().min(T) };
        weigh(&mut weights, taps, position, self.reduction);
        for (row, buffer) in rows.iter().zip(buffers) {
            let samples = row.get(first..first + taps);
            if let (Some(samples), Some([even, odd])) = (samples, buffer.get_mut(point / 2)) {
                let place = if point % 2 == 0 { even } else { odd };
                *place = weighted(samples, &weights, self.reduction);
            }
        }
    }

    fn close(&mut self) -> Sampled {
        let mean = self.increments / POINTS as u64 * u64::from(self.reduction);
        // 0.4 of the reduced rate: the filter's gain there is 0.83.
        let orders = (40_u64 << 32) / 100 / mean.max(1);
        let sampled = Sampled {
            cycles: self.cycles,
            highest_order: orders.min(50) as u8,
            bin: u32::try_from(mean / u64::from(self.cycles.max(1))).unwrap_or(u32::MAX),
            overrange: self.overrange,
        };
        (self.point, self.increments, self.overrange) = (Some(0), 0, false);
        sampled
    }
}

/// Weights of the samples around a point that lies `position` table steps (Q16) behind the middle one.
#[inline]
fn weigh(weights: &mut [i32], taps: usize, position: u32, reduction: u32) {
    let per_sample = STEPS / reduction as usize;
    let (step, part) = ((position >> 16) as usize, (position & 0xFFFF) << 15);
    let between = |near: usize, part: u32| {
        let pair = FILTER.get(near).zip(FILTER.get(near + 1));
        pair.map_or(0, |(near, far)| {
            near + ((i64::from((far - near) << 1) * i64::from(part)) >> 32) as i32
        })
    };
    let half = taps / 2;
    for (k, weight) in weights.iter_mut().take(taps).enumerate() {
        *weight = if k < half {
            between(step + (half - 1 - k) * per_sample, part)
        } else {
            between(
                ((k + 1 - half) * per_sample).wrapping_sub(step + 1),
                (1 << 31) - part,
            )
        };
    }
}

/// The weighted sum, counts Q5, limited to 29 bits: full scale.
#[inline]
fn weighted(samples: &[i32], weights: &[i32], reduction: u32) -> i32 {
    let mut sum = 1_i64 << 31;
    for (x, w) in samples.iter().zip(weights) {
        sum += i64::from(*x) * i64::from(*w);
    }
    // Samples Q7 and weights Q30: the upper word is Q5. The weights' magnitudes add up to less than 2 · reduction.
    let value = if reduction == 1 {
        (sum >> 32) as i32
    } else {
        ((sum >> 32) / i64::from(reduction)) as i32
    };
    value.clamp(-(1 << 28), (1 << 28) - 1)
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
                (f64::from(*got) * gain / 8.0 * 2_f64.sqrt() / 67_108_864.0 - 1.0).abs() < 1e-6,
                "{k}"
            );
        }
    }
}
