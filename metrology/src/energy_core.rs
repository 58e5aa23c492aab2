//! The smallest meter: exact active energy, pulses, and mean squares of every channel; for a sealed core of 8 KiB.
//!
//! Where [`Meter`](crate::Meter) closes windows of whole cycles, this one adds every block to the registers as it
//! comes. Energy needs no edges: sums without gaps err by what the last cycle holds, never by more. So there is no
//! detector of crossings, no oscillator and no long division in it, and what it needs of a calibration is worked
//! out beforehand.
//!
//! ```
//! use metrology::{Calibration, EnergyConstants, EnergyCore, Parameters, Sample};
//!
//! // 8 kHz; a count of 24 bits is 50 µV and 20 µA here.
//! let mut parameters = Parameters::<1>::new(8_000_000, 50_000);
//! parameters.voltage_nv = 50_000;
//! parameters.current_na = 20_000;
//! // On the bench; the device stores the constants.
//! let constants = EnergyConstants::new(&Calibration::try_new(parameters)?)?;
//!
//! let mut core = EnergyCore::new();
//! # let square = |n: usize| if (n / 80) % 2 == 0 { 1 } else { -1 };
//! # let block: Vec<Sample<1>> =
//! #     (0..8000).map(|n| Sample { u: [4_600_000 * square(n)], i: [500_000 * square(n)], n: 0 }).collect();
//! // A second of 230 V and 10 A: 0.64 Wh.
//! let saturated = core.process(&constants, &block);
//! assert!(!saturated);
//! assert_eq!(core.registers()[0].counts.import, 6);
//! let interval = core.interval();
//! assert_eq!(interval.u[0].rms_q8(interval.samples) >> 8, 4_600_000);
//! # Ok::<(), metrology::CalibrationError>(())
//! ```
//!
//! # What it leaves out
//! Start and no-load, frequency, reactive power, temperature and current curves; means are not taken off the power,
//! only the calibration's offsets are (as [`DcPower::Kept`](crate::DcPower::Kept)).

use crate::calibration::{Calibration, CalibrationError, Rule, bad};
use crate::compensation::Correction;
use crate::division::rounded_div;
use crate::energy::Counts;
use crate::kernel::{self, CHUNK, PAIRS, Seen, Square};
use crate::power::{Closed, Rotation};
use crate::sample::{FULL_SCALE, Sample};
use crate::window::Past;

/// Steps and pulses that one block can bring; what is beyond stays in the remainder for the next one.
const STEPS: usize = 2 * CHUNK;

/// What the core needs of a phase's calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnergyPhase {
    /// Whole samples by which the voltage is held back; at most 12.
    pub voltage_hold: usize,
    /// The same of the current; one of both is zero.
    pub current_hold: usize,
    /// Weight of the product of simultaneous samples, Q30, gains included.
    pub straight: i64,
    /// Weight of the product with the voltage one sample older, Q30, gains included.
    pub delayed: i64,
    /// Counts taken off every voltage and current sample.
    pub offset: [i32; 2],
    /// Power added, raw units a sample.
    pub power_offset: i64,
}

/// What the core needs of a calibration: worked out once, stored by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnergyConstants<const PHASES: usize> {
    /// Of each phase.
    pub phase: [EnergyPhase; PHASES],
    /// Whether the neutral current is measured.
    pub neutral: bool,
    /// Magnitude from which a sample counts as saturated, counts.
    pub saturation: i32,
    /// Raw units of a register step; as [`Calibration::step_raw`].
    pub step_raw: i128,
    /// Raw units of a pulse.
    pub pulse_raw: i128,
}

impl<const PHASES: usize> EnergyConstants<PHASES> {
    /// Works the constants out: phase errors are turned back as they are at the nominal frequency.
    ///
    /// # Errors
    /// [`CalibrationError::Parameter`] with [`Rule::Unrepresentable`]: `energy_step_mwh` or `pulses_per_kwh` when
    /// full-scale samples would bring more than one step or pulse each, `power_offset_uw` beyond 64 bits of raw units.
    pub fn new(calibration: &Calibration<PHASES>) -> Result<Self, CalibrationError> {
        /// A full-scale product with the largest gains, in raw units.
        const LARGEST: i128 = 1 << (46 + 30 + 4);
        let p = calibration.parameters();
        let turn = (u64::from(p.nominal_mhz) << 32) / u64::from(p.sample_rate_mhz).max(1);
        let rotation = Rotation {
            turn: u32::try_from(turn).unwrap_or(u32::MAX),
            frequency_mhz: p.nominal_mhz,
        };
        let none = EnergyPhase {
            voltage_hold: 0,
            current_hold: 0,
            straight: 0,
            delayed: 0,
            offset: [0; 2],
            power_offset: 0,
        };
        let mut phase = [none; PHASES];
        let known = p.phase.iter().zip(&calibration.derived);
        for (index, (out, (own, derived))) in (0..).zip(phase.iter_mut().zip(known)) {
            let correction = Correction::new(own, 0, |_| 0);
            let weights = Closed::<PHASES>::weights(derived, &correction, &rotation);
            *out = EnergyPhase {
                voltage_hold: derived.voltage_hold,
                current_hold: derived.current_hold,
                straight: weights.straight,
                delayed: weights.delayed,
                offset: [own.voltage_offset, own.current_offset],
                power_offset: i64::try_from(derived.offset)
                    .map_err(|_| bad("power_offset_uw", Some(index), Rule::Unrepresentable))?,
            };
        }
        let step_raw = calibration.step_raw();
        // A kilowatt-hour has 10^6 / step steps.
        let per_kwh = i128::from(p.pulses_per_kwh) * i128::from(p.energy_step_mwh);
        let pulse_raw = rounded_div(step_raw * 1_000_000, per_kwh);
        for (name, raw) in [("energy_step_mwh", step_raw), ("pulses_per_kwh", pulse_raw)] {
            if raw < LARGEST {
                return Err(bad(name, None, Rule::Unrepresentable));
            }
        }
        Ok(Self {
            phase,
            neutral: p.neutral.is_some(),
            saturation: p.saturation,
            step_raw,
            pulse_raw,
        })
    }
}

/// A register with its remainder: all that has to outlive a loss of power.
///
/// `(import − export) · step + remainder` is the sum of all samples' energies, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnergyRegister {
    /// Steps in both directions.
    pub counts: Counts,
    /// What is left of a step, raw units.
    pub remainder: i128,
}

impl EnergyRegister {
    /// Adds energy and moves the steps that are full; the loop ends, and leaves what it does not move.
    #[inline(never)]
    fn add(&mut self, raw: i128, step: i128) {
        // Far from 127 bits: a piece brings less than 2^87, and steps that are full are moved.
        self.remainder = self.remainder.wrapping_add(raw);
        for _ in 0..STEPS {
            if self.remainder >= step {
                self.remainder = self.remainder.wrapping_sub(step);
                self.counts.import = self.counts.import.wrapping_add(1);
            } else if self.remainder <= step.wrapping_neg() {
                self.remainder = self.remainder.wrapping_add(step);
                self.counts.export = self.counts.export.wrapping_add(1);
            } else {
                break;
            }
        }
    }
}

/// Sums of one channel over an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelInterval {
    /// Σx².
    pub squares: u64,
    /// Σx.
    pub sum: i64,
}

impl ChannelInterval {
    /// Root of the mean square less the squared mean, counts with 8 fractional bits; zero without samples. An
    /// interval that is not whole cycles shows the ripple of the one that is cut.
    #[must_use]
    #[inline(never)]
    pub fn rms_q8(&self, samples: u32) -> u32 {
        // Mean squares of 24 bits have 46.
        let square_q16 = quotient(self.squares, 16, samples);
        let mean_q8 = quotient(self.sum.unsigned_abs(), 8, samples);
        let variance = square_q16.saturating_sub(mean_q8.wrapping_mul(mean_q8));
        // Digit by digit: a table would take more flash than the core has left.
        let (mut rest, mut root, mut bit) = (variance, 0_u64, 1_u64 << 62);
        while bit > rest {
            bit >>= 2;
        }
        while bit != 0 {
            let taken = root + bit;
            root >>= 1;
            if rest >= taken {
                rest -= taken;
                root += bit;
            }
            bit >>= 2;
        }
        root as u32
    }

    fn add(&mut self, found: &Square) {
        self.squares = self.squares.saturating_add(found.squares.unsigned_abs());
        // Cannot leave 64 bits while the samples stay within 32.
        self.sum = self.sum.wrapping_add(found.sum.into());
    }
}

/// `value` · 2^`shift` / `divisor`, bit by bit, rounded down; zero for a divisor of zero.
#[inline(never)]
fn quotient(value: u64, shift: u32, divisor: u32) -> u64 {
    if divisor == 0 {
        return 0;
    }
    let divisor = u64::from(divisor);
    let (mut value, mut rest, mut quotient) = (value, 0_u64, 0_u64);
    for _ in 0..u64::BITS + shift {
        rest = (rest << 1) | (value >> (u64::BITS - 1));
        value <<= 1;
        quotient <<= 1;
        if rest >= divisor {
            rest -= divisor;
            quotient |= 1;
        }
    }
    quotient
}

/// Sums since the last [`EnergyCore::clear_interval`]. To be taken before 65,536 samples are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval<const PHASES: usize> {
    /// Voltages.
    pub u: [ChannelInterval; PHASES],
    /// Currents.
    pub i: [ChannelInterval; PHASES],
    /// Neutral current.
    pub n: ChannelInterval,
    /// Samples.
    pub samples: u32,
}

impl<const PHASES: usize> Interval<PHASES> {
    const EMPTY: Self = Self {
        u: [ChannelInterval { squares: 0, sum: 0 }; PHASES],
        i: [ChannelInterval { squares: 0, sum: 0 }; PHASES],
        n: ChannelInterval { squares: 0, sum: 0 },
        samples: 0,
    };
}

/// State of the smallest meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnergyCore<const PHASES: usize> {
    past: [Past; PHASES],
    interval: Interval<PHASES>,
    registers: [EnergyRegister; PHASES],
    /// Pulses of the sum of all phases, both directions together.
    pulses: EnergyRegister,
}

impl<const PHASES: usize> Default for EnergyCore<PHASES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const PHASES: usize> EnergyCore<PHASES> {
    /// A core whose registers are zero.
    #[must_use]
    pub const fn new() -> Self {
        let zero = EnergyRegister {
            counts: Counts {
                import: 0,
                export: 0,
            },
            remainder: 0,
        };
        Self::resume([zero; PHASES], zero)
    }

    /// A core that goes on with stored registers and pulses.
    #[must_use]
    pub const fn resume(registers: [EnergyRegister; PHASES], pulses: EnergyRegister) -> Self {
        Self {
            past: [Past::EMPTY; PHASES],
            interval: Interval::EMPTY,
            registers,
            pulses,
        }
    }

    /// The registers of all phases: to be stored as they are.
    #[must_use]
    pub const fn registers(&self) -> &[EnergyRegister; PHASES] {
        &self.registers
    }

    /// Pulses of the sum of all phases while it flows in (import) and out; to be stored beside the registers.
    #[must_use]
    pub const fn pulses(&self) -> &EnergyRegister {
        &self.pulses
    }

    /// Sums since the last [`EnergyCore::clear_interval`].
    #[must_use]
    pub const fn interval(&self) -> &Interval<PHASES> {
        &self.interval
    }

    /// Begins a new interval.
    pub fn clear_interval(&mut self) {
        self.interval = Interval::EMPTY;
    }

    /// Takes the next samples, blocks of any length, 64 serve best; whether one reached the saturation level. Net
    /// energy and pulses do not depend on how samples are cut into blocks.
    pub fn process(
        &mut self,
        constants: &EnergyConstants<PHASES>,
        block: &[Sample<PHASES>],
    ) -> bool {
        let mut saturated = false;
        for sets in block.chunks(CHUNK) {
            if self.piece(constants, sets, true) {
                continue;
            }
            saturated = true;
            for set in sets {
                let mut limited = *set;
                limit(&mut limited.u);
                limit(&mut limited.i);
                limit(core::slice::from_mut(&mut limited.n));
                self.piece(constants, &[limited], false);
            }
        }
        saturated
    }

    /// Adds a piece; refuses it, if asked to look, when a sample reaches the saturation level.
    fn piece(
        &mut self,
        constants: &EnergyConstants<PHASES>,
        sets: &[Sample<PHASES>],
        look: bool,
    ) -> bool {
        let level = constants.saturation;
        let margin = kernel::margin(level);
        // Sums of pairs are not used here.
        let mut seen = [Seen::<1>::ZERO; PAIRS];
        let mut over = false;
        let mut look_at = |channel: usize| {
            let found = kernel::squares(sets, nth(channel), margin, 0, 0, &mut seen);
            over |= found.suspect() && kernel::reaches(sets, nth(channel), level);
            found
        };
        let mut found = [[Square::default(); 2]; PHASES];
        for (k, [u, i]) in found.iter_mut().enumerate() {
            *u = look_at(k);
            *i = look_at(PHASES + k);
        }
        let mut neutral = Square::default();
        if constants.neutral {
            neutral = look_at(2 * PHASES);
        }
        if over && look {
            return false;
        }
        self.interval.samples = self.interval.samples.wrapping_add(sets.len() as u32);
        self.interval.n.add(&neutral);
        let total = (0..PHASES).fold(0, |total: i128, k| {
            let found = found.get(k).copied().unwrap_or_default();
            total.wrapping_add(self.line(constants, sets, k, found))
        });
        self.pulses.add(total, constants.pulse_raw);
        true
    }

    /// Adds what a piece brings in one phase; its active energy.
    #[inline(never)]
    fn line(
        &mut self,
        constants: &EnergyConstants<PHASES>,
        sets: &[Sample<PHASES>],
        phase: usize,
        [u, i]: [Square; 2],
    ) -> i128 {
        let (Some(own), Some(past), Some(register), Some(us), Some(is)) = (
            constants.phase.get(phase),
            self.past.get_mut(phase),
            self.registers.get_mut(phase),
            self.interval.u.get_mut(phase),
            self.interval.i.get_mut(phase),
        ) else {
            return 0;
        };
        us.add(&u);
        is.add(&i);
        let (straight, delayed) = past.products(sets, phase, (own.voltage_hold, own.current_hold));
        // Σ (u − a)(i − b) = Σ u·i − a Σi − b Σu + a b N, the same for both products but for the ends.
        let [a, b] = own.offset.map(i64::from);
        let count = sets.len() as i64;
        // Constants that no calibration gives may wrap, and nothing else.
        let offsets = (a.wrapping_mul(i.sum.into()))
            .wrapping_add(b.wrapping_mul(u.sum.into()))
            .wrapping_sub(a.wrapping_mul(b).wrapping_mul(count));
        let raw = scaled(straight.wrapping_sub(offsets), own.straight)
            .wrapping_add(scaled(delayed.wrapping_sub(offsets), own.delayed))
            .wrapping_add(scaled(count, own.power_offset));
        register.add(raw, constants.step_raw);
        raw
    }
}

/// Picks a channel: voltages, currents, the neutral current. One kind of picking is one copy of the kernels, at the price of a choice for every sample.
fn nth<const PHASES: usize>(channel: usize) -> impl Fn(&Sample<PHASES>) -> i32 {
    move |set| {
        let current = || set.i.get(channel.wrapping_sub(PHASES));
        *set.u.get(channel).or_else(current).unwrap_or(&set.n)
    }
}

/// Limits samples to 24 bits.
#[inline(never)]
fn limit(channels: &mut [i32]) {
    for x in channels {
        *x = (*x).clamp(-FULL_SCALE, FULL_SCALE);
    }
}

/// Product of a sum and a weight, one copy in an image.
#[inline(never)]
fn scaled(sum: i64, weight: i64) -> i128 {
    i128::from(sum) * i128::from(weight)
}
