//! The chain: blocks in, windows and registers out.

use crate::angle::sin_cos;
use crate::calibration::{Calibration, HISTORY, Sync, Window};
use crate::energy::{Energy, Portion, PulseShare, Registers, StateError};
use crate::filter::{Ratio, conditioned};
use crate::frequency::{Crossings, Edge, Kind};
use crate::power::{Closed, Quantities};
use crate::sample::Sample;
use crate::window::{BUFFER, CHUNK, Conditioned, Cycle, Hold, ONE, Sums, Twiddle};

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
    u_history: [[i32; HISTORY]; PHASES],
    i_history: [[i32; HISTORY]; PHASES],
    cycle: Cycle<PHASES>,
    window: Sums<PHASES>,
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
            u_history: [[0; HISTORY]; PHASES],
            i_history: [[0; HISTORY]; PHASES],
            // The first sample counts whole: it lies one sample behind the edge.
            cycle: Cycle::new(
                Ratio::new(calibration.decimation),
                start(&crossings, 0, calibration.decimation),
                step(&crossings),
            ),
            window: Sums::ZERO,
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
        let mut progress = Progress::default();
        for chunk in block.chunks(CHUNK) {
            self.chunk(calibration, chunk, &mut progress);
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
        let mut sums = self.window;
        sums.add_cycle(&self.cycle.sums);
        let rest = Closed {
            sums: &sums,
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
        progress: &mut Progress,
    ) {
        let count = chunk.len().min(CHUNK);
        let mut u_saturated = 0_u8;
        let mut i_saturated = 0_u8;
        let p = calibration.parameters();
        let mut samples = Conditioned {
            u: [[0; BUFFER]; PHASES],
            i: [[0; BUFFER]; PHASES],
            n: [0; CHUNK],
            neutral: p.neutral.is_some(),
        };
        for (phase, constants) in p.phase.iter().enumerate() {
            let sides = [
                (
                    &mut samples.u,
                    &mut self.u_history,
                    constants.voltage_offset,
                    &mut u_saturated,
                    true,
                ),
                (
                    &mut samples.i,
                    &mut self.i_history,
                    constants.current_offset,
                    &mut i_saturated,
                    false,
                ),
            ];
            for (buffers, histories, offset, saturated, voltage) in sides {
                let (Some(buffer), Some(history)) =
                    (buffers.get_mut(phase), histories.get_mut(phase))
                else {
                    continue;
                };
                let (old, new) = buffer.split_at_mut(HISTORY);
                old.copy_from_slice(history);
                for (place, sample) in new.iter_mut().zip(chunk) {
                    let channels = if voltage { &sample.u } else { &sample.i };
                    let (x, limit) = conditioned(
                        channels.get(phase).copied().unwrap_or(0),
                        offset,
                        p.saturation,
                    );
                    *place = x;
                    *saturated |= u8::from(limit) << phase;
                }
                if let Some(last) = buffer.get(count..count + HISTORY) {
                    history.copy_from_slice(last);
                }
            }
        }
        if let Some(neutral) = p.neutral {
            for (place, sample) in samples.n.iter_mut().zip(chunk) {
                let (x, limit) = conditioned(sample.n, neutral.offset, p.saturation);
                *place = x;
                i_saturated |= u8::from(limit) << 7;
            }
        }
        progress.saturated |= u_saturated | i_saturated != 0;
        let hold: [Hold; PHASES] =
            core::array::from_fn(|phase| match calibration.derived.get(phase) {
                Some(derived) => Hold {
                    u: derived.voltage_hold,
                    i: derived.current_hold,
                    delayed: derived.delayed,
                },
                None => Hold {
                    u: 0,
                    i: 0,
                    delayed: false,
                },
            });

        let (mut at, mut fed) = (0, 0);
        loop {
            self.cycle.sums.u_saturated |= u_saturated;
            self.cycle.sums.i_saturated |= i_saturated;
            // The detector runs ahead of the sums until it names an edge.
            while fed < count && self.edge.is_none_or(|edge| edge.at >= count) {
                let x = self
                    .synchronising(p.sync, &samples)
                    .get(HISTORY + fed)
                    .copied()
                    .unwrap_or(0);
                let found = self.crossings.push(x);
                if let (None, Some(edge)) = (self.edge, found) {
                    self.edge = Some(pending(edge, fed, at));
                }
                fed += 1;
            }
            match self.edge {
                Some(edge) if edge.at < count => {
                    self.cycle.add(&samples, &hold, at, edge.at);
                    at = edge.at + 1;
                    self.edge = None;
                    let ratio = Ratio::new(calibration.decimation);
                    let start = start(&self.crossings, edge.weight, ratio.samples);
                    let next = Cycle::new(ratio, start, step(&self.crossings));
                    let cycle = self
                        .cycle
                        .close(&samples, &hold, edge.at, edge.weight, next);
                    self.window.add_cycle(&cycle);
                    self.cycle_done(calibration, edge.kind, progress);
                }
                _ => {
                    self.cycle.add(&samples, &hold, at, count);
                    break;
                }
            }
        }
        if let Some(edge) = &mut self.edge {
            edge.at = edge.at.saturating_sub(count);
        }
        self.samples = self.samples.wrapping_add(count as u64);
    }

    fn synchronising<'a>(&self, sync: Sync, samples: &'a Conditioned<PHASES>) -> &'a [i32] {
        let channel = match sync {
            Sync::Auto => samples.u.get(self.channel),
            Sync::Fixed(_) => None,
            Sync::Voltage(phase) => samples.u.get(usize::from(phase)),
            Sync::Current(phase) => samples.i.get(usize::from(phase)),
        };
        channel.map_or(&[], |buffer| buffer.as_slice())
    }

    fn cycle_done(
        &mut self,
        calibration: &Calibration<PHASES>,
        kind: Kind,
        progress: &mut Progress,
    ) {
        let window = calibration.parameters().window;
        let close = match kind {
            // What came before the first crossing is no whole window: it counts as energy only.
            Kind::Found => {
                let (_, portions) = Closed {
                    synchronous: false,
                    ..self.closed()
                }
                .quantities(calibration);
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
            Window::Standard => standard_cycles(calibration, self.cycles, self.window.length),
            Window::Longest => u16::MAX,
        };
        let full = self.cycles >= target || self.window.length >= LONGEST;
        let last = close || full;
        if last || window == Window::Longest {
            let (quantities, portions) = self.closed().quantities(calibration);
            self.publish(quantities, progress);
            if last {
                self.commit(calibration, &portions, progress);
            }
        }
    }

    fn closed(&self) -> Closed<'_, PHASES> {
        Closed {
            sums: &self.window,
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
        let length = self.window.length;
        let (pulses, share) = self.energy.commit(calibration, portions, length);
        progress.pulses = progress.pulses.saturating_add(pulses);
        progress.share.add(&share);
        self.window = Sums::ZERO;
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

/// The sample an edge falls into, never one that is summed already.
fn pending(edge: Edge, fed: usize, at: usize) -> Pending {
    let samples = edge.ahead.div_ceil(ONE).max(1);
    Pending {
        at: (fed + samples as usize).max(at),
        weight: edge.ahead.saturating_sub((samples - 1) * ONE).clamp(1, ONE),
        kind: edge.kind,
    }
}

/// One output's turn of the detector's oscillator.
fn step(crossings: &Crossings) -> Twiddle {
    twiddle(crossings.turn_per_output())
}

/// The oscillator at the first sample of a cycle, which lies `1 − weight` behind the edge: so the phasors of
/// all cycles of a window refer to their edges.
fn start(crossings: &Crossings, weight: u32, decimation: u32) -> Twiddle {
    let turn = u64::from(crossings.turn_per_output()) * u64::from(ONE.saturating_sub(weight));
    twiddle(((turn / u64::from(decimation.max(1))) >> 16) as u32)
}

fn twiddle(turn: u32) -> Twiddle {
    let (sin, cos) = sin_cos(turn);
    Twiddle {
        cos: (cos + 2) >> 2,
        sin: (sin + 2) >> 2,
    }
}

impl<const PHASES: usize> Calibration<PHASES> {
    /// Raw units of one register step; see [`Meter::energy_raw`].
    #[must_use]
    pub const fn step_raw(&self) -> i128 {
        self.quantum
    }
}
