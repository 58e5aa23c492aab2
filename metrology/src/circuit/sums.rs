//! Sums of the circuits' currents over the pieces of samples that the meter works in.

use super::LOOK_BACK;
use crate::calibration::{Derived, HISTORY};
use crate::kernel::{self, CHUNK, Phasor, Products, Seen, Turn};
use crate::rms::ChannelSums;
use crate::sample::FULL_SCALE;
use crate::window::{part, part_of, seen};

/// Samples of a voltage that are kept: the longest lag, the longest hold of a current, and one for the
/// product with the older voltage.
pub(super) const PAST: usize = HISTORY + LOOK_BACK + 1;

/// Sums of one circuit over the open window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub i: ChannelSums,
    /// Σ u·i with both held back, and with the voltage one sample older.
    pub straight: i64,
    pub delayed: i64,
    /// Fundamental of the current.
    pub i1: Phasor,
    /// As in [`crate::window::PhaseSums`].
    pub offset_rest: i32,
    /// A sample reached the saturation level.
    pub saturated: bool,
}

impl Sums {
    pub const ZERO: Self = Self::after(0);

    /// At the begin of a window, with what the last one left.
    pub const fn after(offset_rest: i32) -> Self {
        Self {
            i: ChannelSums::ZERO,
            straight: 0,
            delayed: 0,
            i1: Phasor { re: 0, im: 0 },
            offset_rest,
            saturated: false,
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.i.add(&other.i);
        self.straight = self.straight.saturating_add(other.straight);
        self.delayed = self.delayed.saturating_add(other.delayed);
        self.i1.add(other.i1);
        self.saturated |= other.saturated;
    }

    /// Takes the part before an edge at `weight` (Q16) out of the sums of one sample.
    pub fn split_off(&mut self, weight: u32, before: Turn, after: Turn) -> Self {
        let mut old = *self;
        old.straight = part(self.straight, weight);
        old.delayed = part(self.delayed, weight);
        self.straight -= old.straight;
        self.delayed -= old.delayed;
        let x = (self.i.sum >> 16) as i32;
        self.i.split_off(&mut old.i, weight);
        let x_old = part_of(x, weight);
        old.i1 = seen(x_old, before);
        self.i1 = seen(x - x_old, after);
        old
    }
}

/// The voltage of a piece with what came before it.
pub(super) struct Voltage {
    /// [`PAST`] older samples, then those of the piece.
    samples: [i32; PAST + CHUNK],
    count: usize,
}

impl Voltage {
    pub fn new(past: &[i32; PAST], piece: impl Iterator<Item = i32>) -> Self {
        let mut samples = [0; PAST + CHUNK];
        let mut count = 0;
        let (old, new) = samples.split_at_mut(PAST);
        old.copy_from_slice(past);
        for (place, x) in new.iter_mut().zip(piece) {
            *place = limited(x);
            count += 1;
        }
        Self { samples, count }
    }

    /// What the next piece has before it.
    pub fn past(&self) -> [i32; PAST] {
        let last = self.samples.get(self.count..self.count + PAST);
        last.and_then(|last| last.try_into().ok())
            .unwrap_or([0; PAST])
    }

    /// The samples of the piece, held back, and the one before them.
    fn held(&self, hold: usize) -> (i32, impl Iterator<Item = i32>) {
        let from = PAST.saturating_sub(hold + 1);
        let mut held = self.samples.iter().skip(from).take(self.count + 1).copied();
        (held.next().unwrap_or(0), held)
    }
}

/// A sample limited to 24 bits.
pub(super) fn limited(x: i32) -> i32 {
    x.clamp(-FULL_SCALE, FULL_SCALE)
}

/// How a piece is seen by the oscillator.
pub(super) struct Turns<'a> {
    pub seen: &'a mut [Seen<1>],
    /// Samples that come one by one before pairs begin.
    pub single: usize,
}

/// Sums of one current over a piece of at most [`CHUNK`] samples, already limited. `past` are its samples
/// before, the newest last; all currents are held back by `hold` of them.
pub(super) fn of_piece(
    voltage: &Voltage,
    currents: &[i32],
    past: &mut [i32; LOOK_BACK],
    derived: &Derived,
    hold: usize,
    turns: &mut Turns<'_>,
) -> Sums {
    let found = kernel::squares(currents, |x| *x, 0, turns.single, 0, turns.seen);
    let [i1] = kernel::detect(turns.seen);

    let lag = (derived.voltage_hold + hold).saturating_sub(derived.current_hold);
    let (last, voltages) = voltage.held(lag);
    let older = past.iter().skip(LOOK_BACK - hold.min(LOOK_BACK));
    let held = older.chain(currents);
    let mut pairs = [(0, 0); CHUNK];
    let mut count = 0;
    for ((pair, u), i) in pairs.iter_mut().zip(voltages).zip(held) {
        *pair = (u, *i);
        count += 1;
    }
    let pairs = pairs.get(..count).unwrap_or(&[]);
    let mut products = Products::default();
    products.run(pairs, pairs, last, |pair| pair.0, |pair| pair.1);
    let (straight, delayed) = products.sums();

    if currents.len() < LOOK_BACK {
        past.rotate_left(currents.len());
    }
    for (place, x) in past.iter_mut().rev().zip(currents.iter().rev()) {
        *place = *x;
    }
    Sums {
        i: ChannelSums {
            sum: i64::from(found.sum) << 16,
            squares: found.squares,
        },
        straight,
        delayed,
        i1,
        offset_rest: 0,
        saturated: false,
    }
}
