//! Samples synchronous to the fundamental: 2,048 points for each 10/12-cycle window, whatever the sample rate.
//!
//! A point is a weighted sum of eight neighbours (more at high rates, where the same filter keeps what would
//! fold down out). The weights are a Kaiser-windowed sinc (β = 7), read from a table between its steps. Its
//! droop at high orders is known and divided out by the spectrum; what is left of its images is 90 dB below
//! the fundamental and 70 dB below any order up to 3/8 of the sample rate.

use super::interpolation::{STEPS, response, weight};
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
/// Reductions of the sample rate inside the filter.
const REDUCTIONS: [u32; 5] = [1, 2, 3, 4, 6];

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
        response((bin as u32).saturating_mul(self.bin).min(1 << 31))
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
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
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
        let from = self.middle.saturating_sub(self.taps() / 2).min(KEPT);
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
                    self.inverse = ((STEPS / self.reduction.max(1) as usize) as u64) << 48;
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
                let place = if point.is_multiple_of(2) { even } else { odd };
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
    let per_sample = STEPS / reduction.max(1) as usize;
    let (step, part) = ((position >> 16) as usize, (position & 0xFFFF) << 15);
    let half = taps / 2;
    for (k, place) in weights.iter_mut().take(taps).enumerate() {
        *place = if k < half {
            weight(step + (half - 1 - k) * per_sample, part)
        } else {
            weight(
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
        ((sum >> 32) / i64::from(reduction.max(1))) as i32
    };
    value.clamp(-(1 << 28), (1 << 28) - 1)
}
