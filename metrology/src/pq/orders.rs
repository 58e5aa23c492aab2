//! Single orders by synchronous detection: the lite path for cores without a wide multiplication.
//!
//! Each order of one channel costs two products of 16 by 16 bits for a sample and 24 bytes. Samples need no
//! resampling and windows no buffer: the oscillator is multiplied by the order.

use super::tracker::Span;
use super::trig::{cosine_q15, sine_q15, times_q30};
use super::unbalance::{Phasor, ratio_ppm};

/// Samples whose products fit 32 bits before they are added to a wide sum.
const FOLD: usize = 32;
/// Bits dropped from a product (30 bits), so that this many of them fit.
const DROPPED: u32 = 5;
/// √2, Q30.
const ROOT_2: i32 = 1_518_500_250;

/// Detectors of `N` orders of one channel over windows of whole cycles.
///
/// ```
/// use metrology::pq::{Orders, Tracker};
///
/// // 4 kHz, 50 Hz; the odd orders to 9 over ten cycles, from samples of 24 bits.
/// let mut tracker = Tracker::fixed(4_000_000, 50_000_000);
/// let mut orders = Orders::new([1, 3, 5, 7, 9], 10, 8);
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
    orders: [u16; N],
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
    /// Which orders.
    pub orders: [u16; N],
    /// Their phasors.
    pub phasors: [Phasor; N],
}

impl<const N: usize> Orders<N> {
    /// Detectors of these orders over windows of `cycles`. `drop` bits (at most 16) are taken off each sample,
    /// so that it fits 16 bits: 8 for a full scale of 24 bits; what is larger is limited.
    #[must_use]
    pub const fn new(orders: [u16; N], cycles: u16, drop: u32) -> Self {
        let halves = 2 * cycles as u32;
        Self {
            orders,
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
            let mut part = [0_i32; FOLD];
            let count = left.min(FOLD);
            for (place, x) in part.iter_mut().zip(column.by_ref().take(count)) {
                *place = self.narrowed(*x);
            }
            self.add(part.get(..count).unwrap_or_default(), phase, span.increment);
            phase = phase.wrapping_add(span.increment.wrapping_mul(count as u32));
            left -= count;
        }
        let edge = span.edge?;
        let last = self.narrowed(column.next().copied().unwrap_or(0));
        let share = i64::from(edge.share);
        let mut carried = [[0; 2]; N];
        for ((order, sums), carried) in self.orders.iter().zip(&mut self.sums).zip(&mut carried) {
            let turned = phase.wrapping_mul(u32::from(*order));
            let product = products(last, turned).map(i64::from);
            for ((sum, product), carried) in sums.iter_mut().zip(product).zip(carried) {
                let part = (product * share + (1 << 15)) >> 16;
                *sum += part;
                *carried = product - part;
            }
        }
        self.length += u64::from(edge.share);
        self.left -= 1;
        let window = (self.left == 0).then(|| self.window());
        if edge.restart {
            carried = [[0; 2]; N];
        }
        if window.is_some() || edge.restart {
            (self.sums, self.left) = (carried, self.halves);
            self.length = (1 << 16) - u64::from(edge.share);
        } else {
            for (sum, rest) in self
                .sums
                .as_flattened_mut()
                .iter_mut()
                .zip(carried.as_flattened())
            {
                *sum += rest;
            }
            self.length += (1 << 16) - u64::from(edge.share);
        }
        window
    }

    fn narrowed(&self, x: i32) -> i32 {
        (x >> self.drop).clamp(-(1 << 15), (1 << 15) - 1)
    }

    /// Products of at most [`FOLD`] samples, summed in 32 bits.
    fn add(&mut self, samples: &[i32], phase: u32, increment: u32) {
        for (order, sums) in self.orders.iter().zip(&mut self.sums) {
            let step = increment.wrapping_mul(u32::from(*order));
            let mut turned = phase.wrapping_mul(u32::from(*order));
            let (mut re, mut im) = (0_i32, 0_i32);
            for x in samples {
                let [a, b] = products(*x, turned);
                re = re.wrapping_add(a);
                im = im.wrapping_add(b);
                turned = turned.wrapping_add(step);
            }
            let [sum_re, sum_im] = sums;
            *sum_re += i64::from(re);
            *sum_im += i64::from(im);
        }
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
            orders: self.orders,
            phasors: self.sums.map(|[re, im]| Phasor {
                re: rms(re),
                im: rms(im),
            }),
        }
    }
}

/// x (cos - j sin), both less [`DROPPED`] bits.
#[inline]
fn products(x: i32, turned: u32) -> [i32; 2] {
    [
        (x * cosine_q15(turned)) >> DROPPED,
        (-x * sine_q15(turned)) >> DROPPED,
    ]
}

impl<const N: usize> OrderWindow<N> {
    /// Phasor of an order; `None` when it was not detected.
    #[must_use]
    pub fn phasor(&self, order: u16) -> Option<Phasor> {
        let at = self.orders.iter().position(|o| *o == order)?;
        self.phasors.get(at).copied()
    }

    /// Rms value of an order, counts Q8.
    #[must_use]
    pub fn rms(&self, order: u16) -> Option<u32> {
        self.phasor(order).map(Phasor::magnitude)
    }

    /// Distortion of all other orders of the set against order 1, parts per million.
    #[must_use]
    pub fn thd_ppm(&self) -> Option<u32> {
        let others = self
            .orders
            .iter()
            .zip(&self.phasors)
            .filter(|(order, _)| **order != 1);
        let sum = others.map(|(_, phasor)| u128::from(phasor.square())).sum();
        ratio_ppm(sum, self.phasor(1)?.square().into())
    }
}
