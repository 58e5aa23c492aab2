//! Further circuits: currents beside those of the phases, each on one of the meter's voltages.
//!
//! A distribution board has three voltages and a dozen currents. The meter measures the voltages once; every
//! circuit adds its own squares, products and fundamental over the same windows, with its own gain, delay, lead,
//! curve and temperature terms, and has its own exact registers.
//!
//! ```
//! use metrology::{Calibration, Circuit, CircuitCalibration, Circuits, Meter, Parameters, Sample};
//!
//! let calibration = Calibration::<3>::try_new(Parameters::new(8_000_000, 50_000))?;
//! // Twelve circuits, four on each phase.
//! let on = core::array::from_fn::<_, 12, _>(|k| Circuit::on(k as u8 % 3));
//! let constants = CircuitCalibration::try_new(&calibration, on)?;
//! let mut meter = Meter::new(&calibration);
//! let mut circuits = Circuits::new();
//!
//! # let wave = |n: usize, third: usize| {
//! #     let at = (n * 3 + third * 160) % 480;
//! #     ((at as i32 - 240).abs() - 120) * 30_000
//! # };
//! # let block: Vec<Sample<3>> =
//! #     (0..8000).map(|n| Sample { u: [0, 1, 2].map(|k| wave(n, k)), ..Sample::ZERO }).collect();
//! # let currents: Vec<[i32; 12]> =
//! #     (0..8000).map(|n| core::array::from_fn(|k| wave(n, k % 3) / (1 + k as i32))).collect();
//! // A set of samples of the meter, and the currents at the same time.
//! let progress = circuits.process(&mut meter, &calibration, &constants, &block, &currents);
//! assert!(progress.windows > 0);
//! let [first, .., last] = circuits.quantities();
//! assert_eq!(first.active_uw / last.active_uw, 12);
//! # Ok::<(), metrology::CalibrationError>(())
//! ```

mod constants;
mod energy;
mod sums;

pub use constants::{Circuit, CircuitCalibration};
pub use energy::CircuitRegisters;

use crate::calibration::Calibration;
use crate::compensation::Correction;
use crate::division::rounded_div;
use crate::energy::{Portion, StateError};
use crate::kernel::{CHUNK, PAIRS, Seen};
use crate::meter::{Follower, Meter, Progress, Shared};
use crate::oscillator::Oscillator;
use crate::power::{Closed, Fundamental, Pair, power_micro};
use crate::rms::rms_micro;
use crate::sample::Sample;
use crate::window::PhaseSums;
use energy::Energy;
use sums::{PAST, Sums, Turns, Voltage, limited};

/// Samples by which a current may have to be held back: a lead of a transformer.
const LOOK_BACK: usize = 3;

/// Quantities of one circuit over the meter's last window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CircuitQuantities {
    /// Current without its mean, rms, microamperes.
    pub current_ua: u64,
    /// Active power, wide band, microwatts; positive is import.
    pub active_uw: i64,
    /// Reactive power of the fundamental, microvars; positive when the current lags.
    pub reactive_uvar: i64,
    /// Apparent power, microvoltamperes.
    pub apparent_uva: u64,
    /// The current reached the converter's limit.
    pub saturated: bool,
}

/// State of `N` circuits beside a meter of `PHASES` voltages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circuits<const PHASES: usize, const N: usize> {
    /// The last samples of every voltage.
    voltages: [[i32; PAST]; PHASES],
    /// The last samples of every current.
    currents: [[i32; LOOK_BACK]; N],
    sums: [Sums; N],
    quantities: [CircuitQuantities; N],
    energy: Energy<N>,
}

impl<const PHASES: usize, const N: usize> Default for Circuits<PHASES, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const PHASES: usize, const N: usize> Circuits<PHASES, N> {
    /// Bytes of the register state.
    pub const STATE_LEN: usize = Energy::<N>::ENCODED_LEN;

    /// Circuits whose registers are zero. They and the meter take the same samples from the start.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            voltages: [[0; PAST]; PHASES],
            currents: [[0; LOOK_BACK]; N],
            sums: [Sums::ZERO; N],
            quantities: [CircuitQuantities::NONE; N],
            energy: Energy::new(),
        }
    }

    /// Takes the next samples of the meter and of the circuits; instead of [`Meter::process`], not beside it.
    ///
    /// `currents` holds one set for every sample of `block`; where one is shorter, the rest of the other is
    /// not taken.
    pub fn process(
        &mut self,
        meter: &mut Meter<PHASES>,
        calibration: &Calibration<PHASES>,
        constants: &CircuitCalibration<N>,
        block: &[Sample<PHASES>],
        currents: &[[i32; N]],
    ) -> Progress {
        let count = block.len().min(currents.len());
        let block = block.get(..count).unwrap_or(&[]);
        let mut following = Following {
            constants,
            currents,
            rest: [Sums::ZERO; N],
            circuits: self,
        };
        meter.follow(calibration, block, &mut following)
    }

    /// Registers of a circuit up to the last closed window; zero where there is none.
    #[must_use]
    pub fn registers(&self, circuit: usize) -> CircuitRegisters {
        self.energy.registers(circuit)
    }

    /// Exact active energy of a circuit in raw units, of `Calibration::step_raw` to a register step, up to
    /// the last closed window.
    #[must_use]
    pub fn energy_raw(&self, calibration: &Calibration<PHASES>, circuit: usize) -> i128 {
        self.energy.active_raw(circuit, calibration.step_raw())
    }

    /// Writes registers and remainders: version, count, CRC-32C, little-endian. Returns
    /// [`Self::STATE_LEN`]. The open window is not part of it.
    ///
    /// # Errors
    /// [`StateError::Length`] when `out` is too short.
    pub fn save(
        &self,
        calibration: &Calibration<PHASES>,
        out: &mut [u8],
    ) -> Result<usize, StateError> {
        self.energy.encode(calibration.step_raw(), out)
    }

    /// Takes registers back from [`Circuits::save`], for a meter that begins anew; as
    /// [`Meter::restore`](crate::Meter::restore) does under another calibration.
    ///
    /// # Errors
    /// Every variant of [`StateError`]; [`StateError::Phases`] names the count of circuits. Nothing changes
    /// when the bytes are refused.
    pub fn restore(
        &mut self,
        calibration: &Calibration<PHASES>,
        bytes: &[u8],
    ) -> Result<(), StateError> {
        let energy = Energy::decode(calibration.step_raw(), bytes)?;
        *self = Self {
            energy,
            ..Self::new()
        };
        Ok(())
    }

    /// Quantities of the meter's last window.
    #[must_use]
    pub const fn quantities(&self) -> &[CircuitQuantities; N] {
        &self.quantities
    }
}

impl CircuitQuantities {
    /// Before the first window.
    const NONE: Self = Self {
        current_ua: 0,
        active_uw: 0,
        reactive_uvar: 0,
        apparent_uva: 0,
        saturated: false,
    };
}

/// The circuits while they follow the meter through a block.
struct Following<'a, const PHASES: usize, const N: usize> {
    constants: &'a CircuitCalibration<N>,
    currents: &'a [[i32; N]],
    /// Parts of the last shared sample that belong to the next window.
    rest: [Sums; N],
    circuits: &'a mut Circuits<PHASES, N>,
}

impl<const PHASES: usize, const N: usize> Following<'_, PHASES, N> {
    /// Sums of a piece for every circuit, handed to `give` with the place they belong to.
    fn piece(
        &mut self,
        sets: &[Sample<PHASES>],
        from: usize,
        turns: &mut Turns<'_>,
        saturation: i32,
        mut give: impl FnMut(&mut Sums, &mut Sums, Sums),
    ) {
        let constants = self.constants;
        let circuits = &mut *self.circuits;
        let currents = self.currents.get(from..from + sets.len()).unwrap_or(&[]);
        for (phase, past) in (0_u8..).zip(&mut circuits.voltages) {
            let channel = usize::from(phase);
            let piece = sets
                .iter()
                .map(|set| set.u.get(channel).copied().unwrap_or(0));
            let voltage = Voltage::new(past, piece);
            *past = voltage.past();
            for (k, circuit) in constants.circuits().iter().enumerate() {
                let (true, Some(derived), Some(past), Some(sums), Some(rest)) = (
                    circuit.voltage == phase,
                    constants.derived.get(k),
                    circuits.currents.get_mut(k),
                    circuits.sums.get_mut(k),
                    self.rest.get_mut(k),
                ) else {
                    continue;
                };
                let mut samples = [0; CHUNK];
                let mut saturated = false;
                for (place, set) in samples.iter_mut().zip(currents) {
                    *place = limited(set.get(k).copied().unwrap_or(0));
                    saturated |= place.abs() >= saturation;
                }
                let samples = samples.get(..currents.len()).unwrap_or(&[]);
                let mut found =
                    sums::of_piece(&voltage, samples, past, derived, constants.hold, turns);
                found.saturated = saturated;
                give(sums, rest, found);
            }
        }
    }
}

impl<const PHASES: usize, const N: usize> Follower<PHASES> for Following<'_, PHASES, N> {
    fn whole(
        &mut self,
        calibration: &Calibration<PHASES>,
        sets: &[Sample<PHASES>],
        from: usize,
        mut oscillator: Oscillator,
    ) {
        let paired = calibration.paired();
        let mut seen = [Seen::ZERO; PAIRS];
        let single = oscillator.single(sets.len(), paired);
        let count = oscillator.fill(sets.len(), paired, &mut seen);
        let seen = seen.get_mut(..count).unwrap_or_default();
        let mut turns = Turns { seen, single };
        let saturation = calibration.parameters().saturation;
        self.piece(sets, from, &mut turns, saturation, |sums, _, found| {
            sums.add(&found);
        });
    }

    fn share(
        &mut self,
        calibration: &Calibration<PHASES>,
        set: &Sample<PHASES>,
        at: usize,
        shared: &Shared,
    ) {
        let mut turns = Turns {
            // Its own sums are formed by the parts below.
            seen: &mut [Seen::ZERO],
            single: 1,
        };
        let saturation = calibration.parameters().saturation;
        let set = core::slice::from_ref(set);
        self.piece(set, at, &mut turns, saturation, |sums, rest, mut found| {
            sums.add(&found.split_off(shared.weight, shared.before, shared.after));
            *rest = found;
        });
    }

    fn close(
        &mut self,
        calibration: &Calibration<PHASES>,
        closed: &Closed<'_, PHASES>,
        publish: bool,
        commit: bool,
    ) {
        let p = calibration.parameters();
        let length = closed.sums.length;
        let rotation = closed.rotation(calibration);
        let fundamental = Fundamental::new(calibration, &rotation, length);
        let micro = |mean_q16: i128| power_micro(mean_q16, p.voltage_nv, p.current_na);
        let mut portions = [Portion::default(); N];
        let circuits = &mut *self.circuits;
        for (k, (own, portion)) in circuits.sums.iter().zip(&mut portions).enumerate() {
            let (Some(circuit), Some(derived), Some(out)) = (
                self.constants.circuits().get(k),
                self.constants.derived.get(k),
                circuits.quantities.get_mut(k),
            ) else {
                continue;
            };
            let Some(phase) = closed.sums.phase.get(usize::from(circuit.voltage)) else {
                continue;
            };
            let constants = &circuit.constants;
            let sums = &PhaseSums {
                i: own.i,
                straight: own.straight,
                delayed: own.delayed,
                i1: own.i1,
                offset_rest: own.offset_rest,
                ..*phase
            };
            let variance = sums.i.variance_q32(length, constants.current_noise);
            let gains = Correction::new(constants, closed.warmth_mk, |gain| {
                rms_micro(variance, gain, p.current_na)
            });
            let pair = Pair {
                constants,
                derived,
                sums,
            };
            (portion.active, portion.offset_rest) =
                closed.active_raw(calibration, &pair, &gains, &rotation);
            let lag = gains.lag(rotation.frequency_mhz) as u32;
            let (_, q1, _) = fundamental.peaks(sums).powers(lag, gains.power_gain);
            portion.reactive = (q1 * i128::from(length)) >> 2;
            // Mean power in count² Q16: raw · 2^16 / length · 2^-14.
            let active_uw = micro(rounded_div(portion.active << 2, i128::from(length)));
            let reactive_uvar = micro(q1);
            portion.level_uw = active_uw.unsigned_abs().max(reactive_uvar.unsigned_abs());
            if publish {
                let voltage = rms_micro(
                    sums.u.variance_q32(length, 0),
                    gains.voltage_gain,
                    p.voltage_nv,
                );
                let current_ua = rms_micro(variance, gains.current_gain, p.current_na);
                let apparent = u128::from(voltage) * u128::from(current_ua);
                *out = CircuitQuantities {
                    current_ua,
                    active_uw,
                    reactive_uvar,
                    apparent_uva: u64::try_from((apparent + 500_000) / 1_000_000)
                        .unwrap_or(u64::MAX),
                    saturated: own.saturated,
                };
            }
        }
        if commit {
            circuits.energy.commit(calibration, &portions, length);
            for (sums, portion) in circuits.sums.iter_mut().zip(&portions) {
                *sums = Sums::after(portion.offset_rest);
            }
        }
    }

    fn resume(&mut self) {
        for (sums, rest) in self.circuits.sums.iter_mut().zip(&self.rest) {
            sums.add(rest);
        }
    }
}
