//! Urms(1/2): the rms value of one cycle, renewed at each half cycle (IEC 61000-4-30).

use super::tracker::{Edge, Lock, Span, limited};

/// Root of a mean square in counts with 8 fractional bits, from a sum of squares over `length` samples of Q16.
///
/// Zero length gives zero. Sums of up to 2^31 / 2^16 samples of 24 bits fit.
#[must_use]
pub fn level(squares: u64, length: u64) -> u32 {
    if length == 0 {
        return 0;
    }
    // squares · 2^16 / length, with 16 more bits: 62 bits for a full-scale square wave.
    let (whole, rest) = (squares / length, squares % length);
    let mean =
        (whole.min((1 << 32) - 1) << 32).saturating_add((rest.min((1 << 32) - 1) << 32) / length);
    u32::try_from(mean.isqrt()).unwrap_or(u32::MAX)
}

/// One half cycle of every channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfCycle<const C: usize> {
    /// Number of this half cycle since the start.
    pub index: u64,
    /// Where it ends, samples Q16 since the start.
    pub end: u64,
    /// Its length, samples Q16.
    pub length: u32,
    /// Sum of squares over it, counts².
    pub squares: [u64; C],
    /// Urms(1/2): rms of it and of the half cycle before, counts Q8. The first one after a start or restart
    /// stands alone and is not valid.
    pub urms: [u32; C],
    /// Where the cycle of `urms` begins, samples Q16 since the start.
    pub begin: u64,
    /// Whether `urms` covers a whole cycle.
    pub valid: bool,
    /// A whole cycle ends here: a rising zero crossing of the reference follows.
    pub rising: bool,
    /// A sample of any channel reached the end of the converter's range.
    pub overrange: bool,
    /// What the oscillator did.
    pub lock: Lock,
    /// The oscillator was set anew at the end of it.
    pub restart: bool,
}

/// Sums of squares of every channel, cut at the edges of half cycles.
///
/// ```
/// use metrology::pq::{HalfCycles, Tracker};
///
/// // One channel at 4 kHz, cycles of 50 Hz from the first sample on.
/// let mut tracker = Tracker::fixed(4_000_000, 50_000_000);
/// let mut halves = HalfCycles::new();
/// let frames: Vec<[i32; 1]> = (0..120).map(|n| [if n / 40 % 2 == 0 { 3000 } else { -3000 }]).collect();
/// let mut rest = &frames[..];
/// let mut seen = 0;
/// while !rest.is_empty() {
///     let span = tracker.process(rest, 0);
///     if let Some(half) = halves.process(&rest[..span.used], &span) {
///         assert!(half.urms[0].abs_diff(3000 << 8) <= 1);
///         seen += 1;
///     }
///     rest = &rest[span.used..];
/// }
/// assert_eq!(seen, 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfCycles<const C: usize> {
    now: [u64; C],
    before: [u64; C],
    before_length: u32,
    samples: u64,
    index: u64,
    /// Largest magnitude since the last edge.
    peak: i32,
}

impl<const C: usize> HalfCycles<C> {
    /// Nothing summed yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            now: [0; C],
            before: [0; C],
            before_length: 0,
            samples: 0,
            index: 0,
            peak: 0,
        }
    }

    /// Takes the frames of one span; a half cycle if the span ends with an edge.
    pub fn process(&mut self, frames: &[[i32; C]], span: &Span) -> Option<HalfCycle<C>> {
        let (whole, last) = match (span.edge, frames.split_last()) {
            (Some(edge), Some((last, whole))) => (whole, Some((last, edge))),
            _ => (frames, None),
        };
        self.peak = self
            .peak
            .max(add_squares(&mut self.now, whole.as_flattened()));
        self.samples = self.samples.wrapping_add(frames.len() as u64);
        let (last, edge) = last?;
        Some(self.cut(last, edge))
    }

    fn cut(&mut self, last: &[i32; C], edge: Edge) -> HalfCycle<C> {
        let mut half = HalfCycle {
            index: self.index,
            end: (self.samples.wrapping_sub(1) << 16).wrapping_add(edge.share.into()),
            length: edge.length,
            squares: [0; C],
            urms: [0; C],
            begin: 0,
            valid: self.before_length != 0,
            overrange: core::mem::take(&mut self.peak) >= crate::FULL_SCALE,
            rising: edge.rising,
            lock: edge.lock,
            restart: edge.restart,
        };
        let cycle = u64::from(edge.length) + u64::from(self.before_length);
        half.begin = half.end.saturating_sub(cycle);
        let rows = self.now.iter_mut().zip(&mut self.before).zip(last);
        for (((now, before), x), (squares, urms)) in
            rows.zip(half.squares.iter_mut().zip(&mut half.urms))
        {
            let square = square(*x);
            let part = (square * u64::from(edge.share) + (1 << 15)) >> 16;
            *squares = now.wrapping_add(part);
            *urms = level(squares.saturating_add(*before), cycle);
            (*before, *now) = (*squares, square - part);
        }
        self.before_length = edge.length;
        self.index = self.index.wrapping_add(1);
        if edge.restart {
            (self.before, self.before_length) = ([0; C], 0);
        }
        half
    }
}

impl<const C: usize> Default for HalfCycles<C> {
    fn default() -> Self {
        Self::new()
    }
}

/// Adds the squares of frames laid end to end; their largest magnitude. A half cycle of the tracker cannot wrap a sum (2^15 · 2^46).
fn add_squares(sums: &mut [u64], samples: &[i32]) -> i32 {
    let mut peak = 0;
    let channels = sums.len().max(1);
    for (channel, sum) in sums.iter_mut().enumerate() {
        // In registers over the whole run.
        let mut squares = *sum;
        for x in samples.iter().skip(channel).step_by(channels) {
            squares = squares.wrapping_add(square(*x));
            peak = peak.max(x ^ (x >> 31));
        }
        *sum = squares;
    }
    peak
}

/// Square of a sample of at most 24 bits.
#[inline]
pub(crate) fn square(x: i32) -> u64 {
    let x = limited(x).unsigned_abs();
    u64::from(x) * u64::from(x)
}
