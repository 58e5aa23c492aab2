//! Sums over whole cycles: everything a window needs, linear in the samples, so that cycles simply add up.
//!
//! The sample in which an edge falls is shared: each product is split by the edge's position in 2^-16
//! sample, and what one cycle does not take the next one does. Nothing is counted twice or lost.

use crate::calibration::HISTORY;
use crate::filter::{Decimator, Ratio};
use crate::rms::ChannelSums;

/// Samples handled at a time, so that sums stay in registers.
pub(crate) const CHUNK: usize = 32;
/// Length of a conditioned buffer: history, then the chunk.
pub(crate) const BUFFER: usize = HISTORY + CHUNK;
/// One sample as a length.
pub(crate) const ONE: u32 = 1 << 16;

/// Cosine and minus sine of the detector's oscillator, Q28.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Twiddle {
    pub cos: i32,
    pub sin: i32,
}

impl Twiddle {
    pub const ONE: Self = Self {
        cos: 1 << 28,
        sin: 0,
    };

    /// Turned on by one step.
    pub fn turned(self, step: Self) -> Self {
        let [c, s, dc, ds] = [self.cos, self.sin, step.cos, step.sin].map(i64::from);
        let q28 = |v: i64| ((v + (1 << 27)) >> 28) as i32;
        Self {
            cos: q28(c * dc - s * ds),
            sin: q28(c * ds + s * dc),
        }
    }
}

/// Σ y e^(-jθ) of one channel's decimated samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Phasor {
    pub re: i64,
    pub im: i64,
}

impl Phasor {
    #[inline]
    fn add(&mut self, y: i32, turn: Twiddle) {
        self.re += i64::from(y) * i64::from(turn.cos);
        self.im -= i64::from(y) * i64::from(turn.sin);
    }
}

/// Sums of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PhaseSums {
    pub u: ChannelSums,
    pub i: ChannelSums,
    /// Σ u·i with both held back by whole samples.
    pub straight: i64,
    /// The same with the voltage one sample older.
    pub delayed: i64,
    /// Fundamental of voltage and current; Q28 within a cycle, Q20 in a window.
    pub u1: Phasor,
    pub i1: Phasor,
}

/// Sums of all channels over the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums<const PHASES: usize> {
    pub phase: [PhaseSums; PHASES],
    pub neutral: ChannelSums,
    /// Samples, Q16.
    pub length: u64,
    pub u_saturated: u8,
    pub i_saturated: u8,
}

impl ChannelSums {
    fn add(&mut self, other: &Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }
}

impl<const PHASES: usize> Sums<PHASES> {
    pub const ZERO: Self = Self {
        phase: [PhaseSums {
            u: ChannelSums::ZERO,
            i: ChannelSums::ZERO,
            straight: 0,
            delayed: 0,
            u1: Phasor { re: 0, im: 0 },
            i1: Phasor { re: 0, im: 0 },
        }; PHASES],
        neutral: ChannelSums::ZERO,
        length: 0,
        u_saturated: 0,
        i_saturated: 0,
    };

    /// Adds a closed cycle; its phasors lose 8 bits, rounded, to make room for long windows.
    pub fn add_cycle(&mut self, cycle: &Self) {
        let q20 = |v: i64| (v + (1 << 7)) >> 8;
        for (sum, part) in self.phase.iter_mut().zip(&cycle.phase) {
            sum.u.add(&part.u);
            sum.i.add(&part.i);
            sum.straight = sum.straight.saturating_add(part.straight);
            sum.delayed = sum.delayed.saturating_add(part.delayed);
            for (sum, part) in [(&mut sum.u1, part.u1), (&mut sum.i1, part.i1)] {
                sum.re = sum.re.saturating_add(q20(part.re));
                sum.im = sum.im.saturating_add(q20(part.im));
            }
        }
        self.neutral.add(&cycle.neutral);
        self.length = self.length.saturating_add(cycle.length);
        self.u_saturated |= cycle.u_saturated;
        self.i_saturated |= cycle.i_saturated;
    }
}

/// Conditioned samples of one chunk with the history before it.
pub(crate) struct Conditioned<const PHASES: usize> {
    pub u: [[i32; BUFFER]; PHASES],
    pub i: [[i32; BUFFER]; PHASES],
    pub n: [i32; CHUNK],
    pub neutral: bool,
}

/// How the products of one phase are held back; whole samples.
#[derive(Clone, Copy)]
pub(crate) struct Hold {
    pub u: usize,
    pub i: usize,
    pub delayed: bool,
}

/// The open cycle: sums, and the synchronous detectors that feed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cycle<const PHASES: usize> {
    pub sums: Sums<PHASES>,
    u: [Decimator; PHASES],
    i: [Decimator; PHASES],
    ratio: Ratio,
    /// Samples in the decimators' open group.
    group: u32,
    turn: Twiddle,
    step: Twiddle,
}

/// The `count` samples from position `at` of the chunk, held back by `hold`.
#[inline]
fn span(buffer: &[i32; BUFFER], at: usize, count: usize, hold: usize) -> &[i32] {
    let start = (HISTORY + at).saturating_sub(hold);
    buffer.get(start..start + count).unwrap_or(&[])
}

/// Part of a product that belongs to the older cycle.
#[inline]
fn share(product: i64, weight: u32) -> i64 {
    (product * i64::from(weight) + i64::from(ONE / 2)) >> 16
}

/// One channel over a run of samples: mean, decimation, fundamental.
#[inline]
fn detect(
    x: &[i32],
    filter: &mut Decimator,
    mut group: u32,
    ratio: Ratio,
    turns: &[Twiddle],
    phasor: &mut Phasor,
) -> i32 {
    let mut sum = 0_i32;
    let mut turns = turns.iter();
    for &x in x {
        sum = sum.wrapping_add(x);
        filter.push(x);
        group += 1;
        if group == ratio.samples {
            group = 0;
            let y = filter.output(ratio);
            if let Some(&turn) = turns.next() {
                phasor.add(y, turn);
            }
        }
    }
    sum
}

#[inline]
fn dot(a: &[i32], b: &[i32]) -> i64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| i64::from(a) * i64::from(b))
        .sum()
}

impl<const PHASES: usize> Cycle<PHASES> {
    pub fn new(ratio: Ratio, start: Twiddle, step: Twiddle) -> Self {
        Self {
            sums: Sums::ZERO,
            u: [Decimator::default(); PHASES],
            i: [Decimator::default(); PHASES],
            ratio,
            group: 0,
            turn: start,
            step,
        }
    }

    /// Adds the whole samples `at..end` of the chunk.
    pub fn add(
        &mut self,
        samples: &Conditioned<PHASES>,
        hold: &[Hold; PHASES],
        at: usize,
        end: usize,
    ) {
        let count = end.saturating_sub(at).min(CHUNK);
        if count == 0 {
            return;
        }
        let ratio = self.ratio;
        let mut turns = [Twiddle::ONE; CHUNK];
        let outputs = (self.group as usize + count) / ratio.samples as usize;
        for turn in turns.iter_mut().take(outputs) {
            *turn = self.turn;
            self.turn = self.turn.turned(self.step);
        }
        for (((((sums, u), i), hold), u_filter), i_filter) in self
            .sums
            .phase
            .iter_mut()
            .zip(&samples.u)
            .zip(&samples.i)
            .zip(hold)
            .zip(&mut self.u)
            .zip(&mut self.i)
        {
            let (u_now, i_now) = (span(u, at, count, 0), span(i, at, count, 0));
            sums.u.squares += dot(u_now, u_now);
            sums.i.squares += dot(i_now, i_now);
            let i_held = span(i, at, count, hold.i);
            sums.straight += dot(span(u, at, count, hold.u), i_held);
            if hold.delayed {
                sums.delayed += dot(span(u, at, count, hold.u + 1), i_held);
            }
            let sum = detect(u_now, u_filter, self.group, ratio, &turns, &mut sums.u1);
            sums.u.sum += i64::from(sum) << 16;
            let sum = detect(i_now, i_filter, self.group, ratio, &turns, &mut sums.i1);
            sums.i.sum += i64::from(sum) << 16;
        }
        if samples.neutral {
            let n = samples.n.get(at..end).unwrap_or(&[]);
            self.sums.neutral.squares += dot(n, n);
            self.sums.neutral.sum += n.iter().map(|&x| i64::from(x)).sum::<i64>() << 16;
        }
        self.group = (self.group + count as u32) % ratio.samples;
        self.sums.length += (count as u64) << 16;
    }

    /// Ends the cycle inside sample `at`, of which it takes `weight` / 2^16, and starts the `next` one.
    pub fn close(
        &mut self,
        samples: &Conditioned<PHASES>,
        hold: &[Hold; PHASES],
        at: usize,
        weight: u32,
        mut next: Self,
    ) -> Sums<PHASES> {
        let ratio = self.ratio;
        let turns = [
            self.turn,
            self.turn.turned(self.step),
            self.turn.turned(self.step).turned(self.step),
        ];
        let next_outputs = ratio.samples == 1;
        for (k, (old, new)) in self
            .sums
            .phase
            .iter_mut()
            .zip(&mut next.sums.phase)
            .enumerate()
        {
            let (Some(u), Some(i), Some(hold)) = (samples.u.get(k), samples.i.get(k), hold.get(k))
            else {
                continue;
            };
            let first = |buffer, hold| span(buffer, at, 1, hold).first().copied().unwrap_or(0);
            let (u_now, i_now, u_held, i_held) =
                (first(u, 0), first(i, 0), first(u, hold.u), first(i, hold.i));
            let split = |product: i64, old: &mut i64, new: &mut i64| {
                let part = share(product, weight);
                *old += part;
                *new += product - part;
            };
            let product = |a: i32, b: i32| i64::from(a) * i64::from(b);
            split(
                product(u_now, u_now),
                &mut old.u.squares,
                &mut new.u.squares,
            );
            split(
                product(i_now, i_now),
                &mut old.i.squares,
                &mut new.i.squares,
            );
            split(
                product(u_held, i_held),
                &mut old.straight,
                &mut new.straight,
            );
            if hold.delayed {
                split(
                    product(first(u, hold.u + 1), i_held),
                    &mut old.delayed,
                    &mut new.delayed,
                );
            }
            for (x, sum, new_sum, filter, new_filter, phasor, new_phasor) in [
                (
                    u_now,
                    &mut old.u,
                    &mut new.u,
                    self.u.get_mut(k),
                    next.u.get_mut(k),
                    &mut old.u1,
                    &mut new.u1,
                ),
                (
                    i_now,
                    &mut old.i,
                    &mut new.i,
                    self.i.get_mut(k),
                    next.i.get_mut(k),
                    &mut old.i1,
                    &mut new.i1,
                ),
            ] {
                split(i64::from(x) << 16, &mut sum.sum, &mut new_sum.sum);
                let (Some(filter), Some(new_filter)) = (filter, new_filter) else {
                    continue;
                };
                let part = share(i64::from(x), weight) as i32;
                filter.push(part);
                let mut turn = turns.iter();
                // The group with the shared sample, filled up with zeros, then the falling half after it.
                for y in [filter.padded(self.group + 1, ratio), filter.drained(ratio)] {
                    if let Some(&turn) = turn.next() {
                        phasor.add(y, turn);
                    }
                }
                new_filter.push(x - part);
                if next_outputs {
                    new_phasor.add(new_filter.output(ratio), next.turn);
                }
            }
        }
        if samples.neutral {
            let x = i64::from(samples.n.get(at).copied().unwrap_or(0));
            let part = share(x * x, weight);
            self.sums.neutral.squares += part;
            next.sums.neutral.squares += x * x - part;
            self.sums.neutral.sum += x * i64::from(weight);
            next.sums.neutral.sum += x * i64::from(ONE - weight);
        }
        if next_outputs {
            next.turn = next.turn.turned(next.step);
        }
        next.group = 1 % ratio.samples;
        next.sums.length = u64::from(ONE - weight);
        self.sums.length += u64::from(weight);
        let sums = self.sums;
        *self = next;
        sums
    }
}
