//! The chain: blocks in, windows and registers out.

use crate::calibration::{Calibration, Sync, Window};
use crate::energy::{Energy, Portion, PulseShare, Registers, StateError};
use crate::frequency::{Crossings, Edge, Kind};
use crate::kernel::{CHUNK, Turn};
use crate::oscillator::Oscillator;
use crate::power::Closed;
use crate::quantities::Quantities;
use crate::sample::{Sample, current, voltage};
use crate::window::{Accumulator, ONE, Sums};

/// Longest window in samples Q16: squares of 24-bit samples then still fit 64 bits with a cycle to spare.
const LONGEST: u64 = 65_536 << 16;
/// Nominal cycles without a crossing before another channel is tried.
const PATIENCE: u32 = 6;

/// What one call of [`Meter::process`] brought.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Windows closed; [`Meter::quantities`] shows the last of them. Blocks shorter than a window close
    /// at most one.
    pub windows: u32,
    /// Pulses of the meter constant that fell due.
    pub pulses: u32,
    /// The same to 2^-32 pulse, for [`PulseOutput`](crate::PulseOutput).
    pub share: PulseShare,
    /// A sample reached the saturation level.
    pub saturated: bool,
}

/// A sample in which an edge falls.
pub(crate) struct Shared {
    /// The part before the edge, Q16.
    pub weight: u32,
    /// What the oscillator shows to both parts.
    pub before: Turn,
    pub after: Turn,
}

/// Sees samples, edges and windows just as the meter does: further circuits on its voltages.
pub(crate) trait Follower<const PHASES: usize> {
    /// Whole samples from position `from` of the block on, with the oscillator before them.
    fn whole(
        &mut self,
        calibration: &Calibration<PHASES>,
        sets: &[Sample<PHASES>],
        from: usize,
        oscillator: Oscillator,
    );

    /// The sample at a position, in which an edge falls: its part before the edge joins the window.
    fn share(
        &mut self,
        calibration: &Calibration<PHASES>,
        set: &Sample<PHASES>,
        at: usize,
        shared: &Shared,
    );

    /// A window that is worth publishing, or whose energy is committed before a new one begins, or both.
    fn close(
        &mut self,
        calibration: &Calibration<PHASES>,
        closed: &Closed<'_, PHASES>,
        publish: bool,
        commit: bool,
    );

    /// After the edge: the other part of its sample joins the window that is open now.
    fn resume(&mut self);
}

/// Nobody follows.
impl<const PHASES: usize> Follower<PHASES> for () {
    fn whole(&mut self, _: &Calibration<PHASES>, _: &[Sample<PHASES>], _: usize, _: Oscillator) {}

    fn share(&mut self, _: &Calibration<PHASES>, _: &Sample<PHASES>, _: usize, _: &Shared) {}

    fn close(&mut self, _: &Calibration<PHASES>, _: &Closed<'_, PHASES>, _: bool, _: bool) {}

    fn resume(&mut self) {}
}

/// State of a meter with `PHASES` (1 or 3) voltages and currents.
///
/// The result depends on the samples and the calibration only, never on how they are cut into blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter<const PHASES: usize> {
    crossings: Crossings,
    /// Channel of the crossings in `Sync::Auto`.
    channel: usize,
    /// An edge found beyond the last chunk: samples to its shared sample, that sample's weight.
    edge: Option<Pending>,
    window: Accumulator<PHASES>,
    cycles: u16,
    synchronous: bool,
    windows: u64,
    samples: u64,
    quantities: Quantities<PHASES>,
    energy: Energy<PHASES>,
    /// Temperature above the reference, millikelvin.
    warmth_mk: i32,
}

/// An edge in the shared sample at this position from the chunk's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending {
    at: usize,
    weight: u32,
    kind: Kind,
}

impl<const PHASES: usize> Meter<PHASES> {
    /// Bytes of the register state.
    pub const STATE_LEN: usize = Energy::<PHASES>::ENCODED_LEN;

    /// A meter whose registers are zero.
    #[must_use]
    pub fn new(calibration: &Calibration<PHASES>) -> Self {
        let crossings = Crossings::new(calibration);
        Self {
            crossings,
            channel: 0,
            edge: None,
            // The first sample counts whole: it lies one sample behind the edge.
            window: Accumulator::new(oscillator(&crossings, calibration, 0, false)),
            cycles: 0,
            synchronous: true,
            windows: 0,
            samples: 0,
            quantities: Quantities::EMPTY,
            energy: Energy::new(),
            warmth_mk: 0,
        }
    }

    /// Takes the next samples; blocks of any length, 16 to 64 serve best.
    pub fn process(
        &mut self,
        calibration: &Calibration<PHASES>,
        block: &[Sample<PHASES>],
    ) -> Progress {
        self.follow(calibration, block, &mut ())
    }

    /// Takes the next samples and lets a follower see them in the same pieces.
    pub(crate) fn follow(
        &mut self,
        calibration: &Calibration<PHASES>,
        block: &[Sample<PHASES>],
        follower: &mut impl Follower<PHASES>,
    ) -> Progress {
        let mut progress = Progress::default();
        // A low rate has no pairs: fewer samples then fill the detector.
        let chunk = if calibration.paired() {
            CHUNK
        } else {
            CHUNK / 2
        };
        for (from, chunk) in (0..).step_by(chunk).zip(block.chunks(chunk)) {
            self.chunk(calibration, chunk, from, follower, &mut progress);
        }
        progress
    }

    /// Tells the temperature of the sensors, millidegrees Celsius. The gains follow it
    /// ([`Drift`](crate::Drift)) from the window that is open; until the first call they hold as they are.
    pub fn set_temperature(&mut self, calibration: &Calibration<PHASES>, mdeg: i32) {
        self.warmth_mk = mdeg.saturating_sub(calibration.parameters().reference_mdeg);
    }

    /// Quantities of the last closed window; all zero before the first.
    #[must_use]
    pub const fn quantities(&self) -> &Quantities<PHASES> {
        &self.quantities
    }

    /// The energy registers up to the last closed window.
    #[must_use]
    pub fn registers(&self, calibration: &Calibration<PHASES>) -> Registers<PHASES> {
        self.energy.registers(calibration.parameters().policy)
    }

    /// Parts of an active and a reactive pulse that the registers hold, 2^-32: where a
    /// [`PulseOutput`](crate::PulseOutput) goes on after a restart.
    #[must_use]
    pub fn pulse_phases(&self, calibration: &Calibration<PHASES>) -> [u32; 2] {
        self.energy.pulse_phases(calibration)
    }

    /// Samples taken since the start; wraps after 2^64.
    #[must_use]
    pub const fn samples(&self) -> u64 {
        self.samples
    }

    /// Exact active energy of one phase in raw units, of [`Calibration::step_raw`] to a register step:
    /// registers, remainder, and the open window (where the start threshold has not been judged yet).
    #[must_use]
    pub fn energy_raw(&self, calibration: &Calibration<PHASES>, phase: usize) -> i128 {
        let open = self.open_raw(calibration).get(phase).copied().unwrap_or(0);
        self.energy
            .phase_raw(phase, calibration.quantum)
            .saturating_add(open)
    }

    /// Writes registers, remainders, and the energy of the open window: version, CRC-32C, little-endian.
    /// Returns [`Self::STATE_LEN`].
    ///
    /// # Errors
    /// [`StateError::Length`] when `out` is too short.
    pub fn save(
        &self,
        calibration: &Calibration<PHASES>,
        out: &mut [u8],
    ) -> Result<usize, StateError> {
        self.energy
            .encode(calibration.quantum, &self.open_raw(calibration), out)
    }

    /// Takes registers back from [`Meter::save`]; what the open window holds is dropped.
    ///
    /// Under another calibration remainders keep their part of a step, to a millionth. Nothing changes
    /// when the bytes are refused.
    ///
    /// # Errors
    /// Every variant of [`StateError`].
    pub fn restore(
        &mut self,
        calibration: &Calibration<PHASES>,
        bytes: &[u8],
    ) -> Result<(), StateError> {
        let energy = Energy::decode(calibration, bytes)?;
        let (windows, samples, warmth_mk) = (self.windows, self.samples, self.warmth_mk);
        *self = Self {
            energy,
            windows,
            samples,
            warmth_mk,
            ..Self::new(calibration)
        };
        Ok(())
    }

    fn open_raw(&self, calibration: &Calibration<PHASES>) -> [i128; PHASES] {
        let rest = Closed {
            sums: &self.window.sums,
            cycles: self.cycles,
            synchronous: false,
            number: 0,
            warmth_mk: self.warmth_mk,
        };
        rest.open_raw(calibration)
    }

    fn chunk(
        &mut self,
        calibration: &Calibration<PHASES>,
        chunk: &[Sample<PHASES>],
        from: usize,
        follower: &mut impl Follower<PHASES>,
        progress: &mut Progress,
    ) {
        let count = chunk.len();
        let (mut at, mut fed) = (0, 0);
        loop {
            // The detector runs ahead of the sums until it names an edge.
            while fed < count && self.edge.is_none_or(|edge| edge.at >= count) {
                let (taken, found) = self.detect(calibration, chunk.get(fed..).unwrap_or(&[]));
                fed += taken;
                if let (None, Some(edge)) = (self.edge, found) {
                    self.edge = Some(pending(edge, fed, at));
                }
            }
            let edge = self.edge.filter(|edge| edge.at < count);
            let end = edge.map_or(count, |edge| edge.at);
            if let Some(whole) = chunk.get(at..end).filter(|whole| !whole.is_empty()) {
                follower.whole(calibration, whole, from + at, self.window.oscillator);
                progress.saturated |= self.window.take(calibration, whole);
            }
            let (Some(edge), Some(set)) = (edge, chunk.get(end)) else {
                break;
            };
            self.edge = None;
            at = end + 1;
            let odd = self.samples.wrapping_add(end as u64) % 2 == 1;
            let next = oscillator(&self.crossings, calibration, edge.weight, odd);
            let shared = Shared {
                weight: edge.weight,
                before: self.window.oscillator.turn(),
                after: next.turn(),
            };
            follower.share(calibration, set, from + end, &shared);
            let divided = self.window.share(calibration, set, edge.weight, next);
            progress.saturated |= divided.saturated.any();
            self.cycle_done(calibration, edge.kind, follower, progress);
            self.window.resume(calibration, &divided);
            follower.resume();
        }
        if let Some(edge) = &mut self.edge {
            edge.at = edge.at.saturating_sub(count);
        }
        self.samples = self.samples.wrapping_add(count as u64);
    }

    /// Shows the synchronising channel to the detector until it names an edge: samples taken, and the edge.
    fn detect(
        &mut self,
        calibration: &Calibration<PHASES>,
        sets: &[Sample<PHASES>],
    ) -> (usize, Option<Edge>) {
        let phase = match calibration.parameters().sync {
            Sync::Auto => self.channel,
            Sync::Voltage(phase) => usize::from(phase),
            Sync::Current(phase) => return self.crossings.feed(sets, current(phase.into())),
            Sync::Fixed(_) => 0,
        };
        self.crossings.feed(sets, voltage(phase))
    }

    fn cycle_done(
        &mut self,
        calibration: &Calibration<PHASES>,
        kind: Kind,
        follower: &mut impl Follower<PHASES>,
        progress: &mut Progress,
    ) {
        let window = calibration.parameters().window;
        let close = match kind {
            // What came before the first crossing is no whole window: it counts as energy only.
            Kind::Found => {
                let closed = Closed {
                    synchronous: false,
                    ..self.closed()
                };
                follower.close(calibration, &closed, false, true);
                let (_, portions) = closed.quantities(calibration);
                self.commit(calibration, &portions, progress);
                return;
            }
            Kind::Whole => {
                self.cycles = self.cycles.saturating_add(1);
                false
            }
            // A lost fundamental spoils a begun window; it ends here.
            Kind::Forced => {
                self.cycles = self.cycles.saturating_add(1);
                let lost = self.synchronous && self.cycles > 1;
                self.synchronous = false;
                if calibration.parameters().sync == Sync::Auto
                    && self.crossings.silent_cycles() >= PATIENCE
                {
                    self.channel = (self.channel + 1) % PHASES.max(1);
                    self.crossings.restart();
                }
                lost
            }
        };
        let target = match window {
            Window::Cycles(cycles) => cycles,
            Window::Standard => standard_cycles(calibration, self.cycles, self.window.sums.length),
            Window::Longest => u16::MAX,
        };
        let full = self.cycles >= target || self.window.sums.length >= LONGEST;
        let last = close || full;
        if last || window == Window::Longest {
            let closed = self.closed();
            follower.close(calibration, &closed, true, last);
            let (quantities, portions) = closed.quantities(calibration);
            self.publish(quantities, progress);
            if last {
                self.commit(calibration, &portions, progress);
            }
        }
    }

    fn closed(&self) -> Closed<'_, PHASES> {
        Closed {
            sums: &self.window.sums,
            cycles: self.cycles,
            synchronous: self.synchronous,
            number: self.windows,
            warmth_mk: self.warmth_mk,
        }
    }

    fn publish(&mut self, quantities: Quantities<PHASES>, progress: &mut Progress) {
        self.quantities = quantities;
        self.windows = self.windows.wrapping_add(1);
        progress.windows = progress.windows.saturating_add(1);
    }

    /// Hands the window's energy to the registers and starts an empty one.
    fn commit(
        &mut self,
        calibration: &Calibration<PHASES>,
        portions: &[Portion; PHASES],
        progress: &mut Progress,
    ) {
        let length = self.window.sums.length;
        let (pulses, share) = self.energy.commit(calibration, portions, length);
        progress.pulses = progress.pulses.saturating_add(pulses);
        progress.share.add(&share);
        self.window.sums = Sums::ZERO;
        for (sums, portion) in self.window.sums.phase.iter_mut().zip(portions) {
            sums.offset_rest = portion.offset_rest;
        }
        self.cycles = 0;
        self.synchronous = true;
    }
}

/// 10 cycles below 55 Hz, 12 above (IEC 61000-4-30), by the cycles so far.
fn standard_cycles<const PHASES: usize>(
    calibration: &Calibration<PHASES>,
    cycles: u16,
    length: u64,
) -> u16 {
    let rate = u128::from(calibration.parameters().sample_rate_mhz);
    // cycles · rate · 2^16 / length > 55 Hz
    if (u128::from(cycles) * rate) << 16 > u128::from(length) * 55_000 {
        12
    } else {
        10
    }
}

/// The sample an edge falls into, after `fed` samples of the chunk; never one that is summed already.
fn pending(edge: Edge, fed: usize, at: usize) -> Pending {
    let samples = edge.ahead.div_ceil(ONE).max(1);
    Pending {
        at: (fed + samples as usize - 1).max(at),
        weight: edge.ahead.saturating_sub((samples - 1) * ONE).clamp(1, ONE),
        kind: edge.kind,
    }
}

/// The oscillator of a cycle that begins in a sample, with its part beyond `weight`: so the phasors of all
/// cycles of a window refer to their edges. `odd` tells that the sample is the second of its pair.
fn oscillator<const PHASES: usize>(
    crossings: &Crossings,
    calibration: &Calibration<PHASES>,
    weight: u32,
    odd: bool,
) -> Oscillator {
    Oscillator::new(
        crossings.turn_per_sample(),
        weight,
        odd,
        calibration.paired(),
    )
}

impl<const PHASES: usize> Calibration<PHASES> {
    /// Raw units of one register step; see [`Meter::energy_raw`].
    #[must_use]
    pub const fn step_raw(&self) -> i128 {
        self.quantum
    }

    /// Whether pairs of samples share one value of the oscillator: at 3.2 kHz and more of pairs, orders up
    /// to 62 stay out of the fundamental.
    pub(crate) const fn paired(&self) -> bool {
        self.parameters().sample_rate_mhz >= 6_400_000
    }
}

#[cfg(test)]
mod tests;
