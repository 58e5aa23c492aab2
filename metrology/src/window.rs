//! The open window: sums over whole cycles, linear in the samples, from which everything else follows.
//!
//! The sample in which an edge falls is shared: each product is split by the edge's position in 2^-16
//! sample, and what one window does not take the next one does. Nothing is counted twice or lost.

use crate::calibration::{Calibration, HISTORY};
use crate::kernel::{self, PAIRS, Phasor, Products, Seen, Square, Turn};
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
    /// Adds what a block of samples brings, or takes it off again.
    fn take(&mut self, block: &Square, undo: bool) {
        let by = adder(undo);
        self.squares = by(self.squares, block.squares);
        self.sum = by(self.sum, i64::from(block.sum) << 16);
    }

    pub fn add(&mut self, other: &Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }
}

/// Adds, or takes off again.
fn adder(undo: bool) -> impl Fn(i64, i64) -> i64 {
    move |sum, value| {
        if undo {
            sum.wrapping_sub(value)
        } else {
            sum.wrapping_add(value)
        }
    }
}

impl Phasor {
    fn take(&mut self, block: Self, undo: bool) {
        let by = adder(undo);
        self.re = by(self.re, block.re);
        self.im = by(self.im, block.im);
    }

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

    /// Adds the part of a sample before an edge, or the one after it, as the oscillator shows `turn` to it.
    fn add_part(&mut self, of: &Divided<PHASES>, before: bool, turn: Turn) {
        let weight = of.weight;
        let share = |value: i64| {
            let old = part(value, weight);
            if before { old } else { value - old }
        };
        // Exact: a sample has no fraction yet.
        let length = if before {
            weight
        } else {
            ONE.saturating_sub(weight)
        };
        let add = |sums: &mut ChannelSums, x: i32| {
            let x = i64::from(x);
            sums.squares = sums.squares.wrapping_add(share(x * x));
            sums.sum = sums.sum.wrapping_add(x * i64::from(length as i32));
        };
        let shown = |x: i32| {
            let old = part_of(x, weight);
            seen(if before { old } else { x - old }, turn)
        };
        let samples = of.set.u.iter().zip(&of.set.i);
        let lines = self.phase.iter_mut().zip(&of.products);
        for ((line, (straight, delayed)), (&u, &i)) in lines.zip(samples) {
            add(&mut line.u, u);
            add(&mut line.i, i);
            line.straight = line.straight.wrapping_add(share(*straight));
            line.delayed = line.delayed.wrapping_add(share(*delayed));
            line.u1.add(shown(u));
            line.i1.add(shown(i));
        }
        if of.neutral {
            add(&mut self.neutral, of.set.n);
        }
        self.length = self.length.saturating_add(length.into());
        self.saturated.add(of.saturated);
    }
}

/// The sample in which an edge falls.
pub(crate) struct Divided<const PHASES: usize> {
    set: Sample<PHASES>,
    /// Whether the neutral current counts.
    neutral: bool,
    /// Straight and delayed, of every phase.
    products: [(i64, i64); PHASES],
    /// Its part before the edge, Q16.
    weight: u32,
    pub saturated: Saturated,
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

/// The same of a sample of at most 24 bits.
pub(crate) fn part_of(x: i32, weight: u32) -> i32 {
    ((i64::from(x) * i64::from(weight as i32) + i64::from(ONE / 2)) >> 16) as i32
}

pub(crate) fn seen(x: i32, turn: Turn) -> Phasor {
    Phasor {
        re: i64::from(x) * i64::from(turn.cos),
        im: -(i64::from(x) * i64::from(turn.sin)),
    }
}

/// What a phase must remember of its past samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    /// The last samples of the channel that is held back, as many as it is held back by, the oldest first.
    held: [i32; HISTORY],
    /// The last voltage, held back as the products see it.
    last: i32,
}

impl Past {
    pub const EMPTY: Self = Self {
        held: [0; HISTORY],
        last: 0,
    };

    /// Σ u·i and the same with u one sample older, one channel held back by whole samples.
    #[inline(never)]
    pub fn products<const PHASES: usize>(
        &mut self,
        sets: &[Sample<PHASES>],
        phase: usize,
        (u_hold, i_hold): (usize, usize),
    ) -> (i64, i64) {
        let (u, i) = (voltage(phase), current(phase));
        let mut sums = Products::default();
        let hold = u_hold.max(i_hold);
        let mut last = self.last;
        // The first samples meet what is remembered, the others each other.
        let (head, tail) = sets.split_at_checked(hold).unwrap_or((sets, &[]));
        let front = sets.get(..tail.len()).unwrap_or(&[]);
        let held = self.held.get_mut(..hold).unwrap_or_default();
        for (set, &mut held) in head.iter().zip(held.iter_mut()) {
            let (x, y) = if u_hold == 0 {
                (u(set), held)
            } else {
                (held, i(set))
            };
            sums.one(last, x, y);
            last = x;
        }
        // The newest samples of the held channel are the next ones remembered.
        if let Some((oldest, newer)) = held.split_at_mut_checked(head.len()) {
            // A rotation to the left by three reversals, which take less code than a move of memory.
            oldest.reverse();
            newer.reverse();
            held.reverse();
        }
        for (place, set) in held.iter_mut().rev().zip(sets.iter().rev()) {
            *place = if u_hold == 0 { i(set) } else { u(set) };
        }
        let (voltages, currents) = if u_hold == 0 {
            (tail, front)
        } else {
            (front, tail)
        };
        self.last = voltages.last().map_or(last, &u);
        sums.run(voltages, currents, last, u, i);
        sums.sums()
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
        let level = Some(calibration.parameters().saturation);
        if !self.channels(calibration, sets, level, false) {
            self.products(calibration, sets);
            return false;
        }
        // Samples may be beyond 24 bits, and the sums wrong: the same sums are taken off again, whatever they wrapped to.
        self.oscillator = before;
        let _ = self.channels(calibration, sets, None, true);
        // Once more, with limited samples.
        self.oscillator = before;
        let mut saturated = Saturated::default();
        for few in sets.chunks(LIMITED) {
            let mut limited = [Sample::ZERO; LIMITED];
            for (place, set) in limited.iter_mut().zip(few) {
                *place = saturated.limit(calibration, set);
            }
            let sets = limited.get(..few.len()).unwrap_or(&[]);
            let _ = self.channels(calibration, sets, None, false);
            self.products(calibration, sets);
        }
        self.sums.saturated.add(saturated);
        saturated.any()
    }

    /// Adds the part of a sample before an edge at `weight` / 2^16 of it, and goes on with the oscillator
    /// `next`. The part after the edge is for [`Self::resume`].
    pub fn share(
        &mut self,
        calibration: &Calibration<PHASES>,
        set: &Sample<PHASES>,
        weight: u32,
        next: Oscillator,
    ) -> Divided<PHASES> {
        let mut saturated = Saturated::default();
        let set = saturated.limit(calibration, set);
        let mut products = [(0, 0); PHASES];
        let lines = self.past.iter_mut().zip(&calibration.derived);
        for (k, (product, (past, derived))) in products.iter_mut().zip(lines).enumerate() {
            *product = past.products(&[set], k, derived.hold());
        }
        let divided = Divided {
            set,
            neutral: calibration.parameters().neutral.is_some(),
            products,
            weight,
            saturated,
        };
        self.sums.add_part(&divided, true, self.oscillator.turn());
        self.oscillator = next;
        divided
    }

    /// Adds the part of a sample after the edge.
    pub fn resume(&mut self, calibration: &Calibration<PHASES>, divided: &Divided<PHASES>) {
        self.sums.add_part(divided, false, self.oscillator.turn());
        self.oscillator.skip(calibration.paired());
    }

    /// Adds squares, sums and fundamentals of whole samples, or takes them off again; whether a sample reaches
    /// `level`, if one is given.
    fn channels(
        &mut self,
        calibration: &Calibration<PHASES>,
        sets: &[Sample<PHASES>],
        level: Option<i32>,
        undo: bool,
    ) -> bool {
        let paired = calibration.paired();
        let mut seen = [Seen::<2>::ZERO; PAIRS];
        let single = self.oscillator.single(sets.len(), paired);
        let count = self.oscillator.fill(sets.len(), paired, &mut seen);
        let seen = seen.get_mut(..count).unwrap_or_default();

        let margin = kernel::margin(level.unwrap_or(i32::MAX));
        let mut reached = false;
        let mut look = |found: &Square, pick: &dyn Fn(&Sample<PHASES>) -> i32| {
            if let (true, Some(level)) = (found.suspect(), level) {
                reached |= kernel::reaches(sets, pick, level);
            }
        };
        let sums = &mut self.sums;
        for (k, line) in sums.phase.iter_mut().enumerate() {
            let u = kernel::squares(sets, voltage(k), margin, single, 0, seen);
            look(&u, &voltage(k));
            line.u.take(&u, undo);
            let i = kernel::squares(sets, current(k), margin, single, 1, seen);
            look(&i, &current(k));
            line.i.take(&i, undo);
            let [u1, i1] = kernel::detect(seen);
            line.u1.take(u1, undo);
            line.i1.take(i1, undo);
        }
        if calibration.parameters().neutral.is_some() {
            // The oscillator is not shown to it.
            let n = kernel::squares(sets, |set| set.n, margin, single, 0, seen);
            look(&n, &|set| set.n);
            sums.neutral.take(&n, undo);
        }
        let length = (sets.len() as u64) << 16;
        sums.length = if undo {
            sums.length.saturating_sub(length)
        } else {
            sums.length.saturating_add(length)
        };
        reached
    }

    /// Adds products of whole samples, all of them within 24 bits.
    fn products(&mut self, calibration: &Calibration<PHASES>, sets: &[Sample<PHASES>]) {
        let lines = self.sums.phase.iter_mut().zip(&mut self.past);
        for (k, ((line, past), derived)) in lines.zip(&calibration.derived).enumerate() {
            let (straight, delayed) = past.products(sets, k, derived.hold());
            // No more than squares are: the longest window bounds both.
            line.straight = line.straight.wrapping_add(straight);
            line.delayed = line.delayed.wrapping_add(delayed);
        }
    }
}
