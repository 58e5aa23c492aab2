//! Synthetic voltages and currents, in integers.
//!
//! A house or a workshop is a list of [`Load`]s. From it, a seed and a sample rate the synthesiser makes the raw
//! counts that the converters of a meter would deliver. There is no float and no state outside the struct, so a
//! microcontroller and a desk machine make the same samples to the last bit.
//!
//! Scale of the simulated converters: [`MICROVOLTS_PER_COUNT`] and [`NANOAMPERES_PER_COUNT`]; 24-bit range.

use heapless::Vec;
use metrology::Sample;

/// Microvolts of one voltage count: 8,388,607 counts are 838.9 V at the peak.
pub const MICROVOLTS_PER_COUNT: u32 = 100;
/// Nanoamperes of one current count: 8,388,607 counts are 167.8 A at the peak.
pub const NANOAMPERES_PER_COUNT: u32 = 20_000;
/// Most loads of one scenario.
pub const MAX_LOADS: usize = 8;

/// Largest count of a 24-bit converter.
const FULL_SCALE: i64 = 8_388_607;
/// Entries of a quarter wave.
const QUARTER: usize = 512;
/// Components (load, phase, order) summed for one sample.
const MAX_COMPONENTS: usize = 40;
/// Square root of two, Q30.
const SQRT2_Q30: i64 = 1_518_500_250;

/// First quarter of a sine, Q30. Linear steps between entries leave an error below 1.3e-6.
static SINE_Q30: [i32; QUARTER + 1] = quarter_wave();

const fn quarter_wave() -> [i32; QUARTER + 1] {
    // Evaluated by the compiler only: no float reaches the program.
    let mut table = [0i32; QUARTER + 1];
    let mut k = 0;
    while k <= QUARTER {
        let x = core::f64::consts::FRAC_PI_2 * (k as f64) / (QUARTER as f64);
        let mut term = x;
        let mut sum = x;
        let mut n = 1;
        while n < 12 {
            term = -term * x * x / (((2 * n) * (2 * n + 1)) as f64);
            sum += term;
            n += 1;
        }
        table[k] = (sum * 1_073_741_824.0 + 0.5) as i32;
        k += 1;
    }
    table
}

/// Sine of `turn` (2^32 is one turn) as Q30.
#[must_use]
pub fn sine_q30(turn: u32) -> i32 {
    let quadrant = turn >> 30;
    let mut within = turn & 0x3FFF_FFFF;
    if quadrant & 1 == 1 {
        within = 0x4000_0000 - within;
    }
    // 21 bits below the index.
    let index = (within >> 21) as usize;
    let fraction = i64::from(within & 0x1F_FFFF);
    let low = SINE_Q30.get(index).copied().unwrap_or(1 << 30);
    let high = SINE_Q30.get(index + 1).copied().unwrap_or(1 << 30);
    let value = low + ((i64::from(high - low) * fraction) >> 21) as i32;
    if quadrant >= 2 { -value } else { value }
}

/// One harmonic of a current: order, size in thousandths of the fundamental, shift in hundredths of a degree.
type Harmonic = (u8, i16, i32);

/// What a load looks like on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "std",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Shape {
    /// Heater, kettle: current follows the voltage.
    Resistive,
    /// Induction motor: current lags by 36.87 degrees, power factor 0.8.
    Motor,
    /// Rectifier with a capacitor: orders 3 to 11.
    Rectifier,
    /// Inverter of solar panels: power flows back to the line.
    Solar,
    /// Filter capacitors of devices that stand by: current leads by 80 degrees.
    Standby,
}

impl Shape {
    const fn harmonics(self) -> &'static [Harmonic] {
        match self {
            Shape::Resistive => &[(1, 1000, 0)],
            Shape::Motor => &[(1, 1000, -3687)],
            Shape::Rectifier => &[
                (1, 1000, 500),
                (3, 720, 18_000),
                (5, 420, 0),
                (7, 210, 18_000),
                (9, 90, 0),
                (11, 50, 18_000),
            ],
            Shape::Solar => &[(1, -1000, 0), (5, 12, 4_000), (7, 8, 9_000)],
            Shape::Standby => &[(1, 1000, 8000)],
        }
    }
}

/// How much of a load is on at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "std",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Schedule {
    /// Always.
    Always,
    /// On for `on_s`, then off for `off_s`, and so on.
    Cycle {
        /// Seconds on.
        on_s: u32,
        /// Seconds off.
        off_s: u32,
    },
    /// Rises and falls like a day of sun, from a quarter to the whole, in `period_s`.
    Sun {
        /// Seconds from one noon to the next.
        period_s: u32,
    },
}

/// One load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct Load {
    /// Wave form.
    pub shape: Shape,
    /// Root mean square of the fundamental in milliamperes, on each phase it is connected to.
    pub milliamperes: u32,
    /// Phases: bit 0 L1, bit 1 L2, bit 2 L3.
    pub phases: u8,
    /// When it runs.
    pub schedule: Schedule,
}

impl Load {
    /// A load on all phases that always runs.
    #[must_use]
    pub const fn new(shape: Shape, milliamperes: u32) -> Self {
        Self {
            shape,
            milliamperes,
            phases: 0b111,
            schedule: Schedule::Always,
        }
    }

    /// The same load with a schedule.
    #[must_use]
    pub const fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Thousandths that are on `at_s` seconds after the start.
    fn per_mille(&self, at_s: u64) -> i64 {
        match self.schedule {
            Schedule::Always => 1000,
            Schedule::Cycle { on_s, off_s } => {
                let period = (u64::from(on_s) + u64::from(off_s)).max(1);
                if at_s % period < u64::from(on_s) {
                    1000
                } else {
                    0
                }
            }
            Schedule::Sun { period_s } => {
                let period = u64::from(period_s).max(1);
                let turn = ((at_s % period) << 32) / period;
                625 + ((375 * i64::from(sine_q30(turn as u32))) >> 30)
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Component {
    phase: usize,
    order: u32,
    peak: i32,
    shift: u32,
}

/// The synthesiser for `P` phases.
#[derive(Clone, Debug)]
pub struct Synth<const P: usize> {
    loads: Vec<Load, MAX_LOADS>,
    sample_rate_hz: u32,
    nominal_mv: u32,
    nominal_mhz: u32,
    noise: u32,
    wobble: u32,
    turn: u32,
    step: u32,
    count: u64,
    closed: bool,
    u_peak: [i32; P],
    components: Vec<Component, MAX_COMPONENTS>,
}

impl<const P: usize> Synth<P> {
    /// A synthesiser: 220 V, 50 Hz, the first [`MAX_LOADS`] of `loads`.
    ///
    /// `sample_rate_hz` is used from 1,000 up; a lower one is raised to it.
    #[must_use]
    pub fn new(sample_rate_hz: u32, loads: &[Load], seed: u32) -> Self {
        let mut list = Vec::new();
        for load in loads.iter().take(MAX_LOADS) {
            let _ = list.push(*load);
        }
        let mut synth = Self {
            loads: list,
            sample_rate_hz: sample_rate_hz.max(1_000),
            nominal_mv: 220_000,
            nominal_mhz: 50_000,
            noise: seed | 1,
            wobble: seed.wrapping_mul(0x9E37_79B9) | 1,
            turn: 0,
            step: 0,
            count: 0,
            closed: true,
            u_peak: [0; P],
            components: Vec::new(),
        };
        synth.plan();
        synth
    }

    /// Samples per second of each channel.
    #[must_use]
    pub const fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Sets the line voltage in millivolts (root mean square), up to 500,000.
    pub fn set_voltage(&mut self, millivolts: u32) {
        self.nominal_mv = millivolts.min(500_000);
        self.plan();
    }

    /// Replaces the loads.
    pub fn set_loads(&mut self, loads: &[Load]) {
        self.loads.clear();
        for load in loads.iter().take(MAX_LOADS) {
            let _ = self.loads.push(*load);
        }
        self.plan();
    }

    /// Tells whether the relay lets current through.
    pub fn set_relay(&mut self, closed: bool) {
        self.closed = closed;
    }

    /// Works out amplitudes and frequency for the next fifth of a second.
    fn plan(&mut self) {
        let at_s = self.count / u64::from(self.sample_rate_hz);
        // The line moves by at most 0.5 % and 20 mHz, slowly.
        self.wobble = xorshift(self.wobble);
        let tremble = i64::from(self.wobble % 2001) - 1000;
        let millivolts =
            i64::from(self.nominal_mv) + i64::from(self.nominal_mv) * tremble / 200_000;
        let microvolts = millivolts * 1000 / i64::from(MICROVOLTS_PER_COUNT);
        self.u_peak = [to_peak(microvolts); P];
        let millihertz = i64::from(self.nominal_mhz) + tremble / 50;
        self.step = ((millihertz << 32) / (i64::from(self.sample_rate_hz) * 1000)) as u32;
        self.components.clear();
        for load in &self.loads {
            let share = load.per_mille(at_s);
            if share == 0 {
                continue;
            }
            let counts = i64::from(load.milliamperes.min(100_000)) * 1_000_000
                / i64::from(NANOAMPERES_PER_COUNT);
            for phase in 0..P {
                if load.phases & (1 << phase) == 0 {
                    continue;
                }
                for &(order, size, shift) in load.shape.harmonics() {
                    let rms = counts * share / 1000 * i64::from(size) / 1000;
                    // The list is as long as the largest scenario needs; more is left out, never wrong.
                    let _ = self.components.push(Component {
                        phase,
                        order: u32::from(order),
                        peak: to_peak(rms),
                        shift: ((i64::from(shift) << 32) / 36_000) as u32,
                    });
                }
            }
        }
    }

    /// The next set of counts.
    pub fn next_sample(&mut self) -> Sample<P> {
        let plan_every = u64::from(self.sample_rate_hz / 5);
        if self.count.is_multiple_of(plan_every) {
            self.plan();
        }
        let mut sums = [0i64; P];
        let mut set = Sample::<P>::ZERO;
        for phase in 0..P {
            let turn = self.phase_turn(phase);
            let peak = self.u_peak.get(phase).copied().unwrap_or(0);
            let noise = self.noise_counts();
            if let Some(u) = set.u.get_mut(phase) {
                *u = clip(((i64::from(peak) * i64::from(sine_q30(turn))) >> 30) + noise);
            }
        }
        if self.closed {
            for component in &self.components {
                let turn = self
                    .phase_turn(component.phase)
                    .wrapping_mul(component.order);
                let sine = sine_q30(turn.wrapping_add(component.shift));
                if let Some(sum) = sums.get_mut(component.phase) {
                    *sum += (i64::from(component.peak) * i64::from(sine)) >> 30;
                }
            }
        }
        for (i, sum) in set.i.iter_mut().zip(sums) {
            *i = clip(sum + self.noise_counts());
        }
        self.turn = self.turn.wrapping_add(self.step);
        self.count += 1;
        set
    }

    fn phase_turn(&self, phase: usize) -> u32 {
        // L2 follows L1 by a third of a turn, L3 by two thirds.
        self.turn
            .wrapping_sub((phase as u32).wrapping_mul(0x5555_5555))
    }

    /// White noise of -2 to 2 counts.
    fn noise_counts(&mut self) -> i64 {
        self.noise = xorshift(self.noise);
        i64::from((self.noise >> 8) % 5) - 2
    }
}

fn xorshift(mut x: u32) -> u32 {
    x ^= x << 13;
    x ^= x >> 17;
    x ^ (x << 5)
}

fn to_peak(rms: i64) -> i32 {
    clip((rms * SQRT2_Q30) >> 30)
}

fn clip(value: i64) -> i32 {
    value.clamp(-FULL_SCALE, FULL_SCALE) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_is_close_to_the_float_one() {
        for k in 0..10_000u32 {
            let turn = k.wrapping_mul(429_497);
            let exact = (f64::from(turn) / 4_294_967_296.0 * core::f64::consts::TAU).sin();
            let ours = f64::from(sine_q30(turn)) / 1_073_741_824.0;
            assert!((exact - ours).abs() < 1.5e-6, "{turn}: {exact} {ours}");
        }
    }

    #[test]
    fn an_open_relay_leaves_only_noise() {
        let mut synth = Synth::<3>::new(4000, &[Load::new(Shape::Rectifier, 8000)], 7);
        synth.set_relay(false);
        for _ in 0..4000 {
            assert!(synth.next_sample().i.iter().all(|i| i.abs() <= 2));
        }
    }

    #[test]
    fn solar_power_flows_back() {
        let mut synth = Synth::<1>::new(4000, &[Load::new(Shape::Solar, 10_000)], 7);
        let sum: i64 = (0..4000)
            .map(|_| synth.next_sample())
            .map(|s| i64::from(s.u[0]) * i64::from(s.i[0]))
            .sum();
        assert!(sum < 0);
    }
}
