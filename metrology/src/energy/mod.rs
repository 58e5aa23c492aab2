//! Energy registers that lose nothing: decimal steps counted, the rest carried.
//!
//! ```text
//! (import − export) · quantum + remainder = Σ raw        exactly, for every phase and for the net total
//! count · quantum + remainder = Σ |raw|                  exactly, for quadrants, fundamental and apparent
//! ```
//! One raw unit is 2^-30 count² (after the gains) times one sample interval; the quantum is one register
//! step in raw units, worked out once by the calibration.

mod gate;
mod registers;
mod stored;

use crate::calibration::{Calibration, Policy};
pub(crate) use gate::{Gate, Start};

pub use registers::{Counts, Readout, Registers};
pub use stored::StateError;

/// Whole units in a sum, towards zero. One copy of the long division in an image, not one at every register.
#[inline(never)]
fn whole(sum: i128, unit: i128) -> i128 {
    sum.checked_div(unit).unwrap_or(0)
}

/// Both directions with one signed remainder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signed {
    counts: Counts,
    remainder: i128,
}

impl Signed {
    pub const ZERO: Self = Self {
        counts: Counts {
            import: 0,
            export: 0,
        },
        remainder: 0,
    };

    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Everything ever added.
    pub fn raw(&self, quantum: i128) -> i128 {
        let steps = i128::from(self.counts.import) - i128::from(self.counts.export);
        steps.saturating_mul(quantum).saturating_add(self.remainder)
    }

    pub fn add(&mut self, raw: i128, quantum: i128) {
        let sum = self.remainder.saturating_add(raw);
        let steps = whole(sum, quantum);
        self.remainder = sum - steps * quantum;
        let magnitude = u64::try_from(steps.unsigned_abs()).unwrap_or(u64::MAX);
        let register = if steps < 0 {
            &mut self.counts.export
        } else {
            &mut self.counts.import
        };
        *register = register.saturating_add(magnitude);
    }
}

/// One direction: whole units counted, and what is left of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counter {
    count: u64,
    remainder: i128,
}

impl Counter {
    /// Adds a magnitude; returns the new units.
    fn add(&mut self, raw: i128, unit: i128) -> u64 {
        let sum = self.remainder.saturating_add(raw);
        let units = whole(sum, unit);
        self.remainder = sum - units * unit;
        let units = u64::try_from(units).unwrap_or(0);
        self.count = self.count.saturating_add(units);
        units
    }

    /// The remainder in 2^-32 units.
    fn fraction(&self, unit: i128) -> u32 {
        let fraction = whole(self.remainder, unit >> 32);
        u32::try_from(fraction).unwrap_or(if fraction < 0 { 0 } else { u32::MAX })
    }
}

/// Import and export of a quantity whose direction another one decides.
type Directions = [Counter; 2];

fn counts(directions: &Directions) -> Counts {
    let [import, export] = directions;
    Counts {
        import: import.count,
        export: export.count,
    }
}

/// The registers with their remainders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Energy<const PHASES: usize> {
    phase: [Signed; PHASES],
    net: Signed,
    quadrant: [Counter; 4],
    fundamental: Directions,
    apparent: Directions,
    /// Pulses of active and reactive energy; the remainders are raw energy times step times constant.
    pulses: [Counter; 2],
    gate: Gate<PHASES>,
}

/// What one closed window adds for a phase, raw units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Portion {
    pub active: i128,
    pub fundamental: i128,
    pub reactive: i128,
    /// Never negative.
    pub apparent: i128,
    /// The larger magnitude of mean active and reactive power, microwatts: what the start threshold sees.
    pub level_uw: u64,
    /// What the offsets' part of the kept energy leaves to the next window, count² Q16.
    pub offset_rest: i32,
}

impl Portion {
    fn add(&mut self, other: &Self) {
        self.active = self.active.saturating_add(other.active);
        self.fundamental = self.fundamental.saturating_add(other.fundamental);
        self.reactive = self.reactive.saturating_add(other.reactive);
        self.apparent = self.apparent.saturating_add(other.apparent);
    }
}

/// What closed windows give to the pulse outputs; see [`PulseOutput`](crate::PulseOutput).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PulseShare {
    /// Active energy, 2^-32 pulse.
    pub active: u64,
    /// Reactive energy, 2^-32 pulse.
    pub reactive: u64,
    /// Samples over which it came, Q16.
    pub length_q16: u64,
}

impl PulseShare {
    /// Adds what another window gave.
    pub(crate) fn add(&mut self, other: &Self) {
        self.active = self.active.saturating_add(other.active);
        self.reactive = self.reactive.saturating_add(other.reactive);
        self.length_q16 = self.length_q16.saturating_add(other.length_q16);
    }
}

impl<const PHASES: usize> Energy<PHASES> {
    pub fn new() -> Self {
        Self {
            phase: [Signed::default(); PHASES],
            net: Signed::default(),
            quadrant: [Counter::default(); 4],
            fundamental: Directions::default(),
            apparent: Directions::default(),
            pulses: [Counter::default(); 2],
            gate: Gate::new(),
        }
    }

    /// Adds a window of `length_q16` samples; returns the new whole pulses and the exact share.
    pub fn commit(
        &mut self,
        calibration: &Calibration<PHASES>,
        portions: &[Portion; PHASES],
        length_q16: u64,
    ) -> (u32, PulseShare) {
        let p = calibration.parameters();
        let quantum = calibration.quantum;
        let start = Start::new(p, length_q16);
        let counts = self
            .gate
            .judge(start, portions.each_ref().map(|portion| portion.level_uw));
        let mut net = Portion::default();
        let mut pulses = [0_i128; 2];
        for ((portion, counts), register) in portions.iter().zip(counts).zip(&mut self.phase) {
            // Also without a portion: a restored remainder may hold more than a step.
            register.add(if counts { portion.active } else { 0 }, quantum);
            if !counts {
                continue;
            }
            net.add(portion);
            match p.policy {
                Policy::Net => {}
                Policy::ImportOnly if portion.active < 0 => {}
                Policy::PerPhase | Policy::ImportOnly => {
                    add_total(
                        &mut self.quadrant,
                        [&mut self.fundamental, &mut self.apparent],
                        &mut pulses,
                        portion,
                        quantum,
                    );
                }
            }
        }
        self.net.add(net.active, quantum);
        if p.policy == Policy::Net {
            add_total(
                &mut self.quadrant,
                [&mut self.fundamental, &mut self.apparent],
                &mut pulses,
                &net,
                quantum,
            );
        }
        let unit = pulse_unit(calibration);
        let [active, reactive] = &mut self.pulses;
        let [active_raw, reactive_raw] = pulses;
        let (whole, active) = give(
            active,
            active_raw,
            p.energy_step_mwh,
            p.pulses_per_kwh,
            unit,
        );
        let (_, reactive) = give(
            reactive,
            reactive_raw,
            p.energy_step_mwh,
            p.pulses_per_kvarh,
            unit,
        );
        let share = PulseShare {
            active,
            reactive,
            length_q16,
        };
        (u32::try_from(whole).unwrap_or(u32::MAX), share)
    }

    pub fn registers(&self, policy: Policy) -> Registers<PHASES> {
        let sum = |take: fn(&Counts) -> u64| {
            let phases = self.phase.iter().map(|phase| take(&phase.counts));
            phases.fold(0_u64, u64::saturating_add)
        };
        let active = match policy {
            Policy::Net => self.net.counts,
            Policy::PerPhase => Counts {
                import: sum(|counts| counts.import),
                export: sum(|counts| counts.export),
            },
            Policy::ImportOnly => Counts {
                import: sum(|counts| counts.import),
                export: 0,
            },
        };
        let [pulses, reactive_pulses] = &self.pulses;
        Registers {
            active,
            phase: self.phase.map(|phase| phase.counts),
            reactive: self.quadrant.map(|quadrant| quadrant.count),
            fundamental: counts(&self.fundamental),
            apparent: counts(&self.apparent),
            pulses: pulses.count,
            reactive_pulses: reactive_pulses.count,
        }
    }

    /// Parts of a pulse in the remainders, 2^-32.
    pub fn pulse_phases(&self, calibration: &Calibration<PHASES>) -> [u32; 2] {
        let unit = pulse_unit(calibration);
        self.pulses.map(|counter| counter.fraction(unit))
    }

    /// Everything ever counted in one phase, raw units; without what is in the open window.
    pub fn phase_raw(&self, phase: usize, quantum: i128) -> i128 {
        self.phase
            .get(phase)
            .map_or(0, |register| register.raw(quantum))
    }
}

/// One pulse is 10^6 / (step · constant) register steps: remainders are kept times step · constant.
fn pulse_unit<const PHASES: usize>(calibration: &Calibration<PHASES>) -> i128 {
    calibration.quantum * 1_000_000
}

/// Adds raw energy to a pulse counter: new whole pulses, and the share in 2^-32 pulse. The share follows the
/// exact remainder, so that the sum of all shares never drifts from it.
fn give(counter: &mut Counter, raw: i128, step_mwh: u32, constant: u32, unit: i128) -> (u64, u64) {
    let weight = i128::from(step_mwh) * i128::from(constant);
    let before = counter.fraction(unit);
    let whole = counter.add(raw.saturating_mul(weight), unit);
    let share = (u128::from(whole) << 32) + u128::from(counter.fraction(unit));
    let share = share.saturating_sub(before.into());
    (whole, u64::try_from(share).unwrap_or(u64::MAX))
}

/// Adds a portion, the sum of the phases or one of them, to the totals that its own direction decides.
fn add_total(
    quadrant: &mut [Counter; 4],
    [fundamental, apparent]: [&mut Directions; 2],
    pulses: &mut [i128; 2],
    portion: &Portion,
    quantum: i128,
) {
    let direction = |exported: bool, [import, export]: &mut Directions, raw: i128| {
        let counter = if exported { export } else { import };
        counter.add(raw.saturating_abs(), quantum);
    };
    let exported = portion.active < 0;
    direction(portion.fundamental < 0, fundamental, portion.fundamental);
    direction(exported, apparent, portion.apparent);
    let [one, two, three, four] = quadrant;
    let register = match (exported, portion.reactive < 0) {
        (false, false) => one,
        (true, false) => two,
        (true, true) => three,
        (false, true) => four,
    };
    let (active, reactive) = (
        portion.active.saturating_abs(),
        portion.reactive.saturating_abs(),
    );
    register.add(reactive, quantum);
    let [active_pulses, reactive_pulses] = pulses;
    *active_pulses = active_pulses.saturating_add(active);
    *reactive_pulses = reactive_pulses.saturating_add(reactive);
}
