//! Aggregation of 10/12-cycle values over 150/180 cycles, 10 minutes and 2 hours (IEC 61000-4-30, 4.4 and 4.5):
//! square root of the mean of squares, flags kept.

use super::window::Marks;

/// Values of one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregate<const V: usize> {
    /// Root of the mean of squares of each value, in its unit.
    pub values: [u32; V],
    /// How many values of the next shorter interval it is made of.
    pub count: u16,
    /// Marks of all of them; [`Marks::INCOMPLETE`] when the interval began or ended off its grid.
    pub marks: Marks,
}

/// Squares of an interval that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level<const V: usize> {
    squares: [u128; V],
    count: u16,
    marks: Marks,
}

impl<const V: usize> Level<V> {
    const EMPTY: Self = Self {
        squares: [0; V],
        count: 0,
        marks: Marks::NONE,
    };

    fn add(&mut self, values: &[u32; V], marks: Marks) {
        for (sum, value) in self.squares.iter_mut().zip(values) {
            *sum = sum.saturating_add(u128::from(u64::from(*value) * u64::from(*value)));
        }
        self.count = self.count.saturating_add(1);
        self.marks = self.marks.with(marks);
    }

    /// The aggregate; this one is empty afterwards.
    fn finish(&mut self, extra: Marks) -> Option<Aggregate<V>> {
        let full = core::mem::replace(self, Self::EMPTY);
        if full.count == 0 {
            return None;
        }
        let count = u128::from(full.count);
        let root = |square: u128| u32::try_from(((square + count / 2) / count).isqrt());
        Some(Aggregate {
            values: full.squares.map(|square| root(square).unwrap_or(u32::MAX)),
            count: full.count,
            marks: full.marks.with(extra),
        })
    }
}

/// Intervals that one window ended.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregates<const V: usize> {
    /// 150/180 cycles, about 3 s: fifteen windows.
    pub short: Option<Aggregate<V>>,
    /// 10 minutes, from tick to tick.
    pub ten_minutes: Option<Aggregate<V>>,
    /// 2 hours: twelve intervals of 10 minutes, beginning at even hours.
    pub two_hours: Option<Aggregate<V>>,
}

/// Windows in 150/180 cycles.
const SHORT: u16 = 15;

/// Joins any `V` values of consecutive windows: rms voltages and currents, groups of harmonics, unbalance.
///
/// The caller says which window is the last one before a 10-minute tick ([`super::Finished::overlapping`]).
/// The 150/180-cycle interval that runs at a tick is completed while a new one has begun (overlap 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregator<const V: usize> {
    short: Level<V>,
    old_short: Level<V>,
    ten: Level<V>,
    two: Level<V>,
    /// No tick has been seen since the interval began: it is too short.
    ten_partial: bool,
    two_partial: bool,
}

impl<const V: usize> Aggregator<V> {
    /// Nothing aggregated; the first intervals will be incomplete.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            short: Level::EMPTY,
            old_short: Level::EMPTY,
            ten: Level::EMPTY,
            two: Level::EMPTY,
            ten_partial: true,
            two_partial: true,
        }
    }

    /// Takes the values of a window of the running sequence.
    pub fn update(&mut self, values: &[u32; V], marks: Marks) -> Aggregates<V> {
        self.ten.add(values, marks);
        self.short.add(values, marks);
        let mut short = None;
        if self.old_short.count > 0 {
            self.old_short.add(values, marks);
            if self.old_short.count >= SHORT {
                short = self.old_short.finish(Marks::NONE);
            }
        }
        if self.short.count >= SHORT {
            short = self.short.finish(Marks::NONE);
        }
        Aggregates {
            short,
            ten_minutes: None,
            two_hours: None,
        }
    }

    /// Takes the last window before a tick, which may overlap the first one after it, and closes the interval.
    /// `even_hour`: the tick is also the begin of a 2-hour interval.
    pub fn tick(&mut self, last: Option<(&[u32; V], Marks)>, even_hour: bool) -> Aggregates<V> {
        if let Some((values, marks)) = last {
            self.ten.add(values, marks);
            self.short.add(values, marks);
        }
        let mut short = None;
        if self.short.count >= SHORT {
            short = self.short.finish(Marks::NONE);
        }
        self.old_short = core::mem::replace(&mut self.short, Level::EMPTY);
        let partial = |flag: bool| if flag { Marks::INCOMPLETE } else { Marks::NONE };
        let ten_minutes = self.ten.finish(partial(self.ten_partial));
        self.ten_partial = false;
        let mut two_hours = None;
        if let Some(ten) = &ten_minutes {
            self.two.add(&ten.values, ten.marks);
        }
        if even_hour {
            let short_of = self.two_partial || self.two.count < 12;
            two_hours = self.two.finish(partial(short_of));
            self.two_partial = false;
        }
        Aggregates {
            short,
            ten_minutes,
            two_hours,
        }
    }

    /// The clock was set: the intervals that run are marked.
    pub fn mark(&mut self, marks: Marks) {
        for level in [
            &mut self.short,
            &mut self.old_short,
            &mut self.ten,
            &mut self.two,
        ] {
            level.marks = level.marks.with(marks);
        }
    }
}

impl<const V: usize> Default for Aggregator<V> {
    fn default() -> Self {
        Self::new()
    }
}
