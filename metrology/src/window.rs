//! The open window: sums over whole cycles, linear in the samples, from which everything else follows.
//!
//! The sample in which an edge falls is shared: each product is split by the edge's position in 2^-16
//! sample, and what one window does not take the next one does. Nothing is counted twice or lost.

use crate::calibration::{Calibration, HISTORY};
use crate::kernel::{self, PAIRS, Phasor, Square, Turn};
use crate::oscillator::Oscillator;
use crate::rms::ChannelSums;
use crate::sample::{FULL_SCALE, Sample, current, voltage};

/// One sample as a length.
pub(crate) const ONE: u32 = 1 << 16;
/// Sets limited at a time, when some sample reaches the limit: they are copied to the stack.
const LIMITED: usize = 8;
/// Bit of the neutral current among the saturated currents.
const NEUTRAL: u8 = 1 << 7;

/// Sums of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PhaseSums {
    pub u: ChannelSums,
    pub i: ChannelSums,
    /// Σ u·i with both held back by whole samples.
    pub straight: i64,
    /// The same with the voltage one sample older.
    pub delayed: i64,
    /// Fundamental of voltage and current, times the amplitude of the oscillator.
    pub u1: Phasor,
    pub i1: Phasor,
    /// What the last window left of the offsets' part of the kept energy, count² Q16.
    pub offset_rest: i32,
}

/// Sums of all channels over the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums<const PHASES: usize> {
    pub phase: [PhaseSums; PHASES],
    pub neutral: ChannelSums,
    /// Samples, Q16.
    pub length: u64,
    pub saturated: Saturated,
}

/// Channels that reached the saturation level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saturated {
    /// Bit k: voltage of phase k.
    pub u: u8,
    /// Bit k: current of phase k; bit 7 the neutral current.
    pub i: u8,
}

impl Saturated {
    /// Of any channel.
    pub const fn any(self) -> bool {
        self.u | self.i != 0
    }

    fn add(&mut self, other: Self) {
        self.u |= other.u;
        self.i |= other.i;
    }

    /// The samples limited to 24 bits; notes which of them reach the saturation level.
    fn limit<const PHASES: usize>(
        &mut self,
        calibration: &Calibration<PHASES>,
        set: &Sample<PHASES>,
    ) -> Sample<PHASES> {
        let parameters = calibration.parameters();
        let limit = |x: &mut i32, flags: &mut u8, bit: u8| {
            *x = (*x).clamp(-FULL_SCALE, FULL_SCALE);
            if x.abs() >= parameters.saturation {
                *flags |= bit;
            }
        };
        let mut set = *set;
        for (k, (u, i)) in set.u.iter_mut().zip(&mut set.i).enumerate() {
            limit(u, &mut self.u, 1 << k);
            limit(i, &mut self.i, 1 << k);
        }
        if parameters.neutral.is_some() {
            limit(&mut set.n, &mut self.i, NEUTRAL);
        }
        set
    }
}

impl ChannelSums {
    /// Adds what a block of samples brings.
    fn take(&mut self, block: &Channel) {
        self.squares = self.squares.wrapping_add(block.found.squares);
        self.sum = self.sum.wrapping_add(i64::from(block.sum) << 16);
    }

    pub fn add(&mut self, other: &Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }
}

impl Phasor {
    pub fn add(&mut self, other: Self) {
        self.re = self.re.wrapping_add(other.re);
        self.im = self.im.wrapping_add(other.im);
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
            offset_rest: 0,
        }; PHASES],
        neutral: ChannelSums::ZERO,
        length: 0,
        saturated: Saturated { u: 0, i: 0 },
    };

    /// Adds sums over other samples.
    pub fn add(&mut self, other: &Self) {
        for (sum, part) in self.phase.iter_mut().zip(&other.phase) {
            sum.u.add(&part.u);
            sum.i.add(&part.i);
            sum.straight = sum.straight.saturating_add(part.straight);
            sum.delayed = sum.delayed.saturating_add(part.delayed);
            sum.u1.add(part.u1);
            sum.i1.add(part.i1);
        }
        self.neutral.add(&other.neutral);
        self.length = self.length.saturating_add(other.length);
        self.saturated.add(other.saturated);
    }

    /// Takes `weight` (Q16) out of the sums of one sample, whose fundamental is not formed yet: the part
    /// before the edge, seen by the oscillator `before`; what stays is the part after it, seen by `after`.
    fn split_off(&mut self, weight: u32, before: Turn, after: Turn) -> Self {
        let mut old = *self;
        for (old, new) in old.phase.iter_mut().zip(&mut self.phase) {
            old.straight = part(new.straight, weight);
            old.delayed = part(new.delayed, weight);
            new.straight -= old.straight;
            new.delayed -= old.delayed;
            for (old, new, old_1, new_1) in [
                (&mut old.u, &mut new.u, &mut old.u1, &mut new.u1),
                (&mut old.i, &mut new.i, &mut old.i1, &mut new.i1),
            ] {
                let x = new.sum >> 16;
                new.split_off(old, weight);
                let x_old = part(x, weight);
                *old_1 = seen(x_old, before);
                *new_1 = seen(x - x_old, after);
            }
        }
        self.neutral.split_off(&mut old.neutral, weight);
        old.length = weight.into();
        self.length = ONE.saturating_sub(weight).into();
        old
    }
}

impl ChannelSums {
    pub fn split_off(&mut self, old: &mut Self, weight: u32) {
        old.squares = part(self.squares, weight);
        // Exact: the sum of one sample has no fraction yet.
        old.sum = (self.sum >> 16) * i64::from(weight);
        self.squares -= old.squares;
        self.sum -= old.sum;
    }
}

/// The share of `weight` (Q16) in the product of one sample.
pub(crate) fn part(product: i64, weight: u32) -> i64 {
    (product * i64::from(weight) + i64::from(ONE / 2)) >> 16
}

pub(crate) fn seen(x: i64, turn: Turn) -> Phasor {
    Phasor {
        re: x * i64::from(turn.cos),
        im: -x * i64::from(turn.sin),
    }
}

/// What a phase must remember of its past samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Past {
    /// The last samples of the channel that is held back.
    held: [i32; HISTORY],
    /// The last voltage, held back as the products see it.
    last: i32,
}

impl Past {
    const EMPTY: Self = Self {
        held: [0; HISTORY],
        last: 0,
    };

    /// Σ u·i and the same with u one sample older, one channel held back by whole samples.
    fn products<S>(
        &mut self,
        sets: &[S],
        (u, i): (impl Fn(&S) -> i32, impl Fn(&S) -> i32),
        (u_hold, i_hold): (usize, usize),
    ) -> (i64, i64) {
        let last = self.last;
        // The first samples meet what is remembered, the others each other.
        let hold = u_hold.max(i_hold).min(HISTORY);
        let first = hold.min(sets.len());
        let (head, tail) = sets.split_at_checked(first).unwrap_or((sets, &[]));
        let front = sets.get(..tail.len()).unwrap_or(&[]);
        let (voltages, currents) = if u_hold == 0 {
            (tail, front)
        } else {
            (front, tail)
        };
        let (mut straight, mut delayed) = (0, 0);
        let mut before = last;
        if hold > 0 {
            let held = self.held.iter().skip(HISTORY - hold);
            for (set, &held) in head.iter().zip(held) {
                let (x, y) = if u_hold == 0 {
                    (u(set), held)
                } else {
                    (held, i(set))
                };
                straight += i64::from(x) * i64::from(y);
                delayed += i64::from(before) * i64::from(y);
                before = x;
            }
            // The newest samples of the held channel are the next ones remembered.
            if sets.len() < HISTORY {
                self.held.rotate_left(sets.len());
            }
            for (place, set) in self.held.iter_mut().rev().zip(sets.iter().rev()) {
                *place = if u_hold == 0 { i(set) } else { u(set) };
            }
        }
        self.last = voltages.last().map_or(before, &u);
        let (a, b) = kernel::products(voltages, currents, before, u, i);
        straight += a;
        delayed += b;
        (straight, delayed)
    }
}

/// A block of whole samples, and how the detector sees it.
struct Piece<'a, S> {
    sets: &'a [S],
    margin: u32,
    /// Samples that come one by one before pairs begin.
    single: usize,
    turns: &'a [Turn],
}

/// What one channel of a block brings.
struct Channel {
    found: Square,
    sum: i32,
    phasor: Phasor,
}

impl<S> Piece<'_, S> {
    /// Works with `pairs`, one place for each value of the oscillator.
    fn channel(&self, pick: impl Fn(&S) -> i32, pairs: &mut [i32]) -> Channel {
        let found = kernel::squares(self.sets, pick, self.margin, self.single, pairs);
        let (phasor, sum) = kernel::detect(pairs, self.turns);
        Channel { found, sum, phasor }
    }
}

/// Sums of the open window, and the state that forming them needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accumulator<const PHASES: usize> {
    pub sums: Sums<PHASES>,
    past: [Past; PHASES],
    pub oscillator: Oscillator,
}

impl<const PHASES: usize> Accumulator<PHASES> {
    pub const fn new(oscillator: Oscillator) -> Self {
        Self {
            sums: Sums::ZERO,
            past: [Past::EMPTY; PHASES],
            oscillator,
        }
    }

    /// Adds whole samples, at most [`kernel::CHUNK`] of them, or half of it where there are no pairs; tells whether
    /// one reached the saturation level.
    pub fn take(&mut self, calibration: &Calibration<PHASES>, sets: &[Sample<PHASES>]) -> bool {
        let before = self.oscillator;
        if self.block(
            calibration,
            sets,
            kernel::margin(calibration.parameters().saturation),
        ) {
            return false;
        }
        // Samples may be beyond 24 bits, and the sums wrong: again, with limited ones.
        self.oscillator = before;
        let mut saturated = Saturated::default();
        for few in sets.chunks(LIMITED) {
            let mut limited = [Sample::ZERO; LIMITED];
            for (place, set) in limited.iter_mut().zip(few) {
                *place = saturated.limit(calibration, set);
            }
            let sets = limited.get(..few.len()).unwrap_or(&[]);
            self.block(calibration, sets, NEVER);
        }
        self.sums.saturated.add(saturated);
        saturated.any()
    }

    /// Adds the part of a sample before an edge at `weight` / 2^16 of it, and goes on with the oscillator
    /// `next`; returns the sums of the part after the edge.
    pub fn share(
        &mut self,
        calibration: &Calibration<PHASES>,
        set: &Sample<PHASES>,
        weight: u32,
        next: Oscillator,
    ) -> Sums<PHASES> {
        let mut rest = Sums::ZERO;
        let set = rest.saturated.limit(calibration, set);
        let one = |x: i32| ChannelSums {
            sum: i64::from(x) << 16,
            squares: i64::from(x) * i64::from(x),
        };
        for (k, line) in rest.phase.iter_mut().enumerate() {
            (line.u, line.i) = (one(voltage(k)(&set)), one(current(k)(&set)));
        }
        if calibration.parameters().neutral.is_some() {
            rest.neutral = one(set.n);
        }
        products(calibration, &[set], &mut self.past, &mut rest);
        let before = self.oscillator.turn();
        let after = next.turn();
        self.oscillator = next;
        self.oscillator.skip(calibration.paired());
        let old = rest.split_off(weight, before, after);
        self.sums.add(&old);
        rest
    }

    /// Adds whole samples; refuses when some of them comes within `margin` of the limit, the sums are then
    /// not valid.
    fn block(
        &mut self,
        calibration: &Calibration<PHASES>,
        sets: &[Sample<PHASES>],
        margin: u32,
    ) -> bool {
        let paired = calibration.paired();
        let mut turns = [Turn::default(); PAIRS];
        let single = self.oscillator.single(sets.len(), paired);
        let count = self.oscillator.fill(sets.len(), paired, &mut turns);
        let turns = turns.get(..count).unwrap_or(&[]);
        let mut pairs = [0; PAIRS];
        let pairs = pairs.get_mut(..count).unwrap_or_default();

        let piece = Piece {
            sets,
            margin,
            single,
            turns,
        };
        // Added only when all are known to be valid: no copy of the sums to go back to.
        let lines: [_; PHASES] = core::array::from_fn(|k| {
            let u = piece.channel(voltage(k), pairs);
            (u, piece.channel(current(k), pairs))
        });
        let neutral = calibration.parameters().neutral.is_some();
        let neutral = neutral.then(|| piece.channel(|set| set.n, pairs));
        let reached = |channel: &Channel| channel.found.reached();
        if lines.iter().any(|(u, i)| reached(u) || reached(i))
            || neutral.as_ref().is_some_and(reached)
        {
            return false;
        }
        let sums = &mut self.sums;
        for (line, (u, i)) in sums.phase.iter_mut().zip(&lines) {
            line.u.take(u);
            line.u1.add(u.phasor);
            line.i.take(i);
            line.i1.add(i.phasor);
        }
        if let Some(neutral) = &neutral {
            sums.neutral.take(neutral);
        }
        sums.length = sums.length.saturating_add((sets.len() as u64) << 16);
        products(calibration, sets, &mut self.past, sums);
        true
    }
}

/// Adds products of voltage and current.
fn products<const PHASES: usize>(
    calibration: &Calibration<PHASES>,
    sets: &[Sample<PHASES>],
    past: &mut [Past; PHASES],
    sums: &mut Sums<PHASES>,
) {
    let lines = sums.phase.iter_mut().zip(past);
    for (k, ((line, past), derived)) in lines.zip(&calibration.derived).enumerate() {
        let hold = (derived.voltage_hold, derived.current_hold);
        let (straight, delayed) = past.products(sets, (voltage(k), current(k)), hold);
        line.straight = line.straight.saturating_add(straight);
        line.delayed = line.delayed.saturating_add(delayed);
    }
}

/// A margin that no sample of 24 bits comes within.
const NEVER: u32 = 0;
