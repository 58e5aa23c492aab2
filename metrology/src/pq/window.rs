//! 10/12-cycle windows of rms values, made of half cycles.

use super::half_cycle::{HalfCycle, level};
use super::tracker::Lock;

/// What was wrong in an interval; flags only ever add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// A dip lasted in it.
    pub const DIP: Self = Self(1);
    /// A swell lasted in it.
    pub const SWELL: Self = Self(2);
    /// An interruption lasted in it.
    pub const INTERRUPTION: Self = Self(4);
    /// The oscillator was not locked to a signal.
    pub const UNSYNCHRONISED: Self = Self(8);
    /// A sample reached the end of the converter's range.
    pub const OVERRANGE: Self = Self(16);
    /// The clock was set by more than 20 ms.
    pub const CLOCK: Self = Self(32);
    /// The interval is shorter than it should be.
    pub const INCOMPLETE: Self = Self(64);

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Flagged in the sense of IEC 61000-4-30: a dip, swell or interruption makes other parameters doubtful.
    #[must_use]
    pub const fn is_flagged(self) -> bool {
        self.0 & (Self::DIP.0 | Self::SWELL.0 | Self::INTERRUPTION.0) != 0
    }

    /// The bits, as in the constants.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// One window of 10 or 12 cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<const C: usize> {
    /// Root mean square of every channel, counts Q8.
    pub rms: [u32; C],
    /// Length, samples Q16.
    pub length: u64,
    /// Where it ends, samples Q16 since the start.
    pub end: u64,
    /// What was wrong in it.
    pub marks: Marks,
    /// It overlaps the next one: it was running when a 10-minute tick started a new one.
    pub overlaps: bool,
}

/// Sums of a window that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running<const C: usize> {
    squares: [u64; C],
    length: u64,
    halves: u8,
    marks: Marks,
}

impl<const C: usize> Running<C> {
    const EMPTY: Self = Self {
        squares: [0; C],
        length: 0,
        halves: 0,
        marks: Marks::NONE,
    };

    fn add(&mut self, half: &HalfCycle<C>, marks: Marks) {
        for (sum, squares) in self.squares.iter_mut().zip(&half.squares) {
            *sum = sum.saturating_add(*squares);
        }
        self.length += u64::from(half.length);
        self.halves = self.halves.saturating_add(1);
        self.marks = self.marks.with(marks);
        if half.lock == Lock::Searching || half.lock == Lock::Holding {
            self.marks = self.marks.with(Marks::UNSYNCHRONISED);
        }
    }

    fn finished(&self, end: u64, overlaps: bool) -> Window<C> {
        Window {
            rms: self.squares.map(|squares| level(squares, self.length)),
            length: self.length,
            end,
            marks: self.marks,
            overlaps,
        }
    }
}

/// Windows that a half cycle finished.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished<const C: usize> {
    /// The window that began before the last tick; it belongs to the interval before it and is its last one.
    pub overlapping: Option<Window<C>>,
    /// The window of the running sequence.
    pub window: Option<Window<C>>,
}

/// Joins half cycles to windows, gap-free, and starts a new window at each 10-minute tick while the one that
/// runs is completed (class A, overlap 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows<const C: usize> {
    halves: u8,
    running: Running<C>,
    old: Option<Running<C>>,
}

impl<const C: usize> Windows<C> {
    /// Windows of this many cycles: [`cycles_of`] tells them from the nominal frequency.
    #[must_use]
    pub const fn new(cycles: u8) -> Self {
        Self {
            halves: cycles.saturating_mul(2),
            running: Running::EMPTY,
            old: None,
        }
    }

    /// A tick of the clock lies in the half cycle just taken: a window starts after it. Whether another one was
    /// running; it will be completed ([`Finished::overlapping`]).
    pub fn tick(&mut self) -> bool {
        let runs = self.running.halves > 0;
        if runs {
            self.old = Some(self.running);
        }
        self.running = Running::EMPTY;
        runs
    }

    /// Takes a half cycle.
    pub fn update(&mut self, half: &HalfCycle<C>, marks: Marks) -> Finished<C> {
        let mut finished = Finished {
            overlapping: None,
            window: None,
        };
        if let Some(old) = &mut self.old {
            old.add(half, marks);
            if old.halves >= self.halves {
                finished.overlapping = Some(old.finished(half.end, true));
                self.old = None;
            }
        }
        self.running.add(half, marks);
        if self.running.halves >= self.halves {
            finished.window = Some(self.running.finished(half.end, false));
            self.running = Running::EMPTY;
        }
        if half.restart {
            (self.running, self.old) = (Running::EMPTY, None);
        }
        finished
    }
}

/// Cycles of a basic window: 10 at 50 Hz, 12 at 60 Hz (nominal frequency in millihertz).
#[must_use]
pub const fn cycles_of(nominal_mhz: u32) -> u8 {
    if nominal_mhz > 55_000 { 12 } else { 10 }
}
