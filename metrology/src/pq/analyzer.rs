//! Tracker, half cycles, events, windows, aggregation and frequency in one.

use super::aggregate::{Aggregates, Aggregator};
use super::clock::{Clock, Frequency, ten_minutes, two_hours};
use super::event::{EventChanges, Events, Thresholds};
use super::half_cycle::{HalfCycle, HalfCycles};
use super::tracker::{Lock, Span, Tracker};
use super::window::{Marks, Window, Windows, cycles_of};

/// Constants of an [`Analyzer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Thousandths of a sample per second.
    pub sample_rate_mhz: u32,
    /// Nominal frequency, millihertz.
    pub nominal_mhz: u32,
    /// Declared voltage and thresholds of events.
    pub thresholds: Thresholds,
    /// Channels that are voltages to be watched, bit 0 for the first; at most eight.
    pub voltages: u8,
}

/// What a call of [`Analyzer::process`] took and found.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<const C: usize> {
    /// Frames taken and the oscillator over them; other machines take the same frames with it.
    pub span: Span,
    /// The half cycle that ended.
    pub half: Option<HalfCycle<C>>,
    /// Dips, swells and interruptions that began or ended.
    pub events: EventChanges,
    /// The 10/12-cycle window that ended.
    pub window: Option<Window<C>>,
    /// The window that was running at the last 10-minute tick; it ended now and overlaps the next one.
    pub overlapping: Option<Window<C>>,
    /// Longer intervals of rms values that ended.
    pub aggregates: Aggregates<C>,
    /// Power frequency of the last 10 s, microhertz.
    pub frequency_uhz: Option<u32>,
    /// A 10-minute tick lay in this half cycle.
    pub tick: bool,
    /// A new sequence of windows begins after this span (a signal was found, or a tick); whether with a rising
    /// crossing.
    pub begins: Option<bool>,
}

/// Watches `C` simultaneous channels.
///
/// [`Analyzer::process`] returns at the end of each half cycle, so that further machines ([`super::Resampler`],
/// [`super::Orders`], [`super::Flicker`], [`super::RapidChanges`], [`super::Capture`]) can follow with the same
/// frames, each only where it is wanted. The clock is the caller's: [`Analyzer::set_clock`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analyzer<const C: usize> {
    setup: Setup,
    tracker: Tracker,
    halves: HalfCycles<C>,
    events: Events<C>,
    windows: Windows<C>,
    aggregator: Aggregator<C>,
    clock: Clock,
    frequency: Frequency,
    reference: usize,
    /// Samples taken.
    position: u64,
    /// 10-minute and 2-hour interval of the last edge.
    interval: Option<(u64, u64)>,
    /// A tick whose overlapping window still runs; whether at an even hour.
    pending: Option<bool>,
}

impl<const C: usize> Analyzer<C> {
    /// Nothing seen yet; the clock stands at zero.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        // An eighth of the declared voltage, as a peak: √2 / 8 / 2^8.
        let level = setup.thresholds.declared / 1448;
        Self {
            setup,
            tracker: Tracker::new(setup.sample_rate_mhz, setup.nominal_mhz, level),
            halves: HalfCycles::new(),
            events: Events::new(setup.thresholds),
            windows: Windows::new(cycles_of(setup.nominal_mhz)),
            aggregator: Aggregator::new(),
            clock: Clock::new(setup.sample_rate_mhz),
            frequency: Frequency::default(),
            reference: setup.voltages.trailing_zeros() as usize % 8,
            position: 0,
            interval: None,
            pending: None,
        }
    }

    /// Tells UTC (microseconds since 1970) of the next frame, as often as it is known. A step of more than 20 ms
    /// marks the intervals that run.
    pub fn set_clock(&mut self, utc_us: u64) {
        let step = self.clock.set(utc_us, self.position << 16);
        if step && self.interval.is_some() {
            self.aggregator.mark(Marks::CLOCK);
        }
    }

    /// UTC of a position that a result told (samples Q16 since the start), microseconds.
    #[must_use]
    pub fn utc_us(&self, position: u64) -> u64 {
        self.clock.utc_us(position)
    }

    /// A duration that a result told (samples Q16), microseconds.
    #[must_use]
    pub fn microseconds(&self, duration: u64) -> u64 {
        self.clock.microseconds(duration)
    }

    /// Dips, swells and interruptions that last.
    #[must_use]
    pub const fn events(&self) -> &Events<C> {
        &self.events
    }

    /// State and frequency of the oscillator.
    #[must_use]
    pub const fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Takes frames up to the end of the half cycle, or all.
    pub fn process(&mut self, frames: &[[i32; C]]) -> Step<C> {
        let span = self.tracker.process(frames, self.reference);
        let taken = frames.get(..span.used).unwrap_or_default();
        let half = self.halves.process(taken, &span);
        self.position = self.position.wrapping_add(span.used as u64);
        let mut step = Step {
            span,
            half,
            events: EventChanges::default(),
            window: None,
            overlapping: None,
            aggregates: Aggregates {
                short: None,
                ten_minutes: None,
                two_hours: None,
            },
            frequency_uhz: None,
            tick: false,
            begins: None,
        };
        if let Some(half) = &half {
            self.half(half, &mut step);
        }
        step
    }

    fn half(&mut self, half: &HalfCycle<C>, step: &mut Step<C>) {
        step.events = self.events.update(half, self.setup.voltages);
        self.choose(half);
        let finished = self.windows.update(half, self.marks(half));
        (step.window, step.overlapping) = (finished.window, finished.overlapping);
        if let Some(window) = &finished.window {
            step.aggregates = self.aggregator.update(&window.rms, window.marks);
            self.events.slide(&window.rms, window.marks.is_flagged());
        }
        if let Some(window) = &finished.overlapping
            && let Some(even_hour) = self.pending.take()
        {
            step.aggregates = self
                .aggregator
                .tick(Some((&window.rms, window.marks)), even_hour);
        }
        if half.rising {
            let followed = half.lock == Lock::Locked || half.lock == Lock::Fixed;
            step.frequency_uhz = self.frequency.update(&self.clock, half.end, followed);
        }
        if half.restart {
            step.begins = Some(half.rising);
            // An interval whose last window was lost ends without it.
            if let Some(even_hour) = self.pending.take() {
                step.aggregates = self.aggregator.tick(None, even_hour);
            }
        }
        let utc = self.clock.utc_us(half.end);
        let now = (ten_minutes(utc), two_hours(utc));
        if let Some(before) = self.interval.replace(now)
            && before.0 != now.0
        {
            step.tick = true;
            step.begins = Some(half.rising);
            let even_hour = before.1 != now.1;
            if self.windows.tick() {
                self.pending = Some(even_hour);
            } else {
                let ended = self.aggregator.tick(None, even_hour);
                step.aggregates = Aggregates {
                    short: step.aggregates.short.or(ended.short),
                    ..ended
                };
            }
        }
    }

    fn marks(&self, half: &HalfCycle<C>) -> Marks {
        let kinds = [Marks::DIP, Marks::SWELL, Marks::INTERRUPTION];
        let mut marks = Marks::NONE;
        for (open, mark) in self.events.open().iter().zip(kinds) {
            if open.is_some() {
                marks = marks.with(mark);
            }
        }
        if half.overrange {
            marks = marks.with(Marks::OVERRANGE);
        }
        marks
    }

    /// Follows the first voltage; while it is gone, another one that is there.
    fn choose(&mut self, half: &HalfCycle<C>) {
        let declared = self.setup.thresholds.declared;
        let urms = |channel: usize| half.urms.get(channel).copied().unwrap_or(0);
        let mut voltages = (0..C.min(8)).filter(|channel| self.setup.voltages >> channel & 1 == 1);
        let there = |channel: &usize| urms(*channel) > declared / 2;
        let first = self.setup.voltages.trailing_zeros() as usize % 8;
        if there(&first) {
            self.reference = first;
        } else if urms(self.reference) < declared / 4 {
            self.reference = voltages.find(there).unwrap_or(self.reference);
        }
    }
}
