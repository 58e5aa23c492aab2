//! Low orders by synchronous detection: the lite path for cores without a wide multiplication.
//!
//! Each order of one channel costs six products of 16 by 16 bits for a sample and 16 bytes. Samples need no
//! resampling and windows no buffer. The oscillator of the fundamental is read from the table once for each
//! sample; every further order is the one before it turned on by the same angle, so that rounding never adds up
//! over time.

use super::tracker::Span;
use super::trig::{cosine_q15, sine_q15, times_q30};
use super::unbalance::{Phasor, ratio_ppm};

/// Samples whose products fit 32 bits before they are added to a wide sum.
const FOLD: usize = 32;
/// Bits dropped from a product (30 bits), so that this many of them fit.
const DROPPED: u32 = 5;
/// √2, Q30.
const ROOT_2: i32 = 1_518_500_250;

/// Which orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// 1, 2, 3, ...
    All,
    /// 1, 3, 5, ...
    Odd,
}

impl Selection {
    const fn step(self) -> u16 {
        match self {
            Self::All => 1,
            Self::Odd => 2,
        }
    }
}

/// Detectors of the first `N` orders of a selection, on one channel, over windows of whole cycles.
///
/// ```
/// use metrology::pq::{Orders, Selection, Tracker};
///
/// // 4 kHz, 50 Hz; the odd orders to 9 over ten cycles, from samples of 24 bits.
/// let mut tracker = Tracker::fixed(4_000_000, 50_000_000);
/// let mut orders = Orders::<5>::new(Selection::Odd, 10, 8);
/// let frames: Vec<[i32; 1]> = (0..800).map(|n| [if n / 40 % 2 == 0 { 3_000_000 } else { -3_000_000 }]).collect();
/// let (mut rest, mut window) = (&frames[..], None);
/// while !rest.is_empty() {
///     let span = tracker.process(rest, 0);
///     window = orders.process(&rest[..span.used], &span, 0).or(window);
///     rest = &rest[span.used..];
/// }
/// // A square wave has a third of its fundamental in order 3.
/// let window = window.unwrap();
/// let (first, third) = (window.rms(1).unwrap(), window.rms(3).unwrap());
/// assert!((3 * third).abs_diff(first) < first / 200);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orders<const N: usize> {
    selection: Selection,
    /// Bits dropped from each sample.
    drop: u32,
    halves: u32,
    left: u32,
    length: u64,
    sums: [[i64; 2]; N],
}

/// The orders of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderWindow<const N: usize> {
    selection: Selection,
    /// Phasors of the orders of the selection.
    pub phasors: [Phasor; N],
}

impl<const N: usize> Orders<N> {
    /// Windows of `cycles`. `drop` bits (at most 16) are taken off each sample, so that it fits 16 bits: 8 for a
    /// full scale of 24 bits; what is larger is limited.
    #[must_use]
    pub const fn new(selection: Selection, cycles: u16, drop: u32) -> Self {
        let halves = 2 * cycles as u32;
        Self {
            selection,
            drop: if drop > 16 { 16 } else { drop },
            halves,
            left: halves,
            length: 0,
            sums: [[0; 2]; N],
        }
    }

    /// Takes the frames of one span; the window if it ends with the span.
    pub fn process<const C: usize>(
        &mut self,
        frames: &[[i32; C]],
        span: &Span,
        channel: usize,
    ) -> Option<OrderWindow<N>> {
        let mut column = frames.as_flattened().iter().skip(channel).step_by(C.max(1));
        let whole = frames.len() - usize::from(span.edge.is_some() && !frames.is_empty());
        self.length += (whole as u64) << 16;
        let (mut phase, mut left) = (span.phase, whole);
        while left > 0 {
            let count = left.min(FOLD);
            let mut parts = [[0; 2]; N];
            for x in column.by_ref().take(count) {
                add(&mut parts, self.narrowed(*x), phase, self.selection);
                phase = phase.wrapping_add(span.increment);
            }
            for (sum, part) in pairs(&mut self.sums, &parts) {
                *sum += i64::from(*part);
            }
            left -= count;
        }
        let edge = span.edge?;
        let last = self.narrowed(column.next().copied().unwrap_or(0));
        let mut products = [[0; 2]; N];
        add(&mut products, last, phase, self.selection);
        let mut carried = [[0_i64; 2]; N];
        let sums = self.sums.as_flattened_mut().iter_mut();
        let rest = carried.as_flattened_mut().iter_mut();
        for ((sum, product), rest) in sums.zip(products.as_flattened()).zip(rest) {
            let product = i64::from(*product);
            let part = (product * i64::from(edge.share) + (1 << 15)) >> 16;
            *sum += part;
            *rest = product - part;
        }
        self.length += u64::from(edge.share);
        self.left -= 1;
        let window = (self.left == 0).then(|| self.window());
        let after = (1 << 16) - u64::from(edge.share);
        if window.is_some() || edge.restart {
            (self.sums, self.left, self.length) = (carried, self.halves, after);
        } else {
            for (sum, rest) in pairs(&mut self.sums, &carried) {
                *sum += rest;
            }
            self.length += after;
        }
        window
    }

    fn narrowed(&self, x: i32) -> i32 {
        (x >> self.drop).clamp(-(1 << 15), (1 << 15) - 1)
    }

    fn window(&self) -> OrderWindow<N> {
        let length = self.length.max(1) as i64;
        // Sums Q10 over samples Q16 to Q12; √2 makes rms out of the mean. A window of 2^19 samples fits.
        let rms = |sum: i64| {
            let mean = (sum << 18).checked_div(length).unwrap_or(0);
            let value = (times_q30(mean, ROOT_2) << self.drop) >> 4;
            value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
        };
        OrderWindow {
            selection: self.selection,
            phasors: self.sums.map(|[re, im]| Phasor {
                re: rms(re),
                im: rms(im),
            }),
        }
    }
}

fn pairs<'a, A, B, const N: usize>(
    a: &'a mut [[A; 2]; N],
    b: &'a [[B; 2]; N],
) -> impl Iterator<Item = (&'a mut A, &'a B)> {
    a.as_flattened_mut().iter_mut().zip(b.as_flattened())
}

/// Adds x (cos - j sin) of every order, less [`DROPPED`] bits.
#[inline]
fn add(parts: &mut [[i32; 2]], x: i32, phase: u32, selection: Selection) {
    let (mut c, mut s) = (cosine_q15(phase), sine_q15(phase));
    let (turn_c, turn_s) = match selection {
        Selection::All => (c, s),
        Selection::Odd => {
            let twice = phase.wrapping_mul(2);
            (cosine_q15(twice), sine_q15(twice))
        }
    };
    for [re, im] in parts {
        *re = re.wrapping_add((x * c) >> DROPPED);
        *im = im.wrapping_sub((x * s) >> DROPPED);
        // Both of magnitude one: the sums stay within 2^30 and a little.
        (c, s) = (
            (c * turn_c - s * turn_s + (1 << 14)) >> 15,
            (s * turn_c + c * turn_s + (1 << 14)) >> 15,
        );
    }
}

impl<const N: usize> OrderWindow<N> {
    /// Phasor of an order; `None` when it is not in the selection.
    #[must_use]
    pub fn phasor(&self, order: u16) -> Option<Phasor> {
        let step = self.selection.step();
        let at = order.checked_sub(1).filter(|k| k % step == 0)? / step;
        self.phasors.get(usize::from(at)).copied()
    }

    /// Rms value of an order, counts Q8.
    #[must_use]
    pub fn rms(&self, order: u16) -> Option<u32> {
        self.phasor(order).map(Phasor::magnitude)
    }

    /// Distortion of all other orders of the set against order 1, parts per million.
    #[must_use]
    pub fn thd_ppm(&self) -> Option<u32> {
        let others = self.phasors.iter().skip(1);
        let sum = others.map(|phasor| u128::from(phasor.square())).sum();
        ratio_ppm(sum, self.phasor(1)?.square().into())
    }
}
