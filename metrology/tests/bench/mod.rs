//! The bench of the influence tests: a 24-bit front end of 503 V and 200 A, its constants, and what one phase
//! gave.

use std::f64::consts::TAU;

use metrology::{
    Calibration, Integrator, Meter, Parameters, PhaseQuantities, Rogowski, Sample, Window,
};
use testkit::signal::{FrontEnd, Noise, Sinc3, Wave};

/// Volts and amperes of a count.
const VOLT_NV: u32 = 60_000;
const AMPERE_NA: u32 = 2_400;

pub struct Bench {
    /// Samples per second.
    pub rate: f64,
    calibration: Calibration<1>,
}

/// Quantities of one phase, in units, averaged over windows.
#[derive(Default)]
pub struct Line {
    pub active: f64,
    pub reactive: f64,
    pub current: f64,
    pub current_mean: f64,
    pub saturated: bool,
}

fn parameters<const PHASES: usize>(rate: f64) -> Parameters<PHASES> {
    let mut p = Parameters::new((rate * 1000.0) as u32, 50_000);
    (p.voltage_nv, p.current_na) = (VOLT_NV, AMPERE_NA);
    p
}

fn counts_of(value: f64, nano: u32) -> i32 {
    FrontEnd::IDEAL.count(value * 1e9 / f64::from(nano), &mut Noise::new(0))
}

impl Bench {
    pub fn new() -> Self {
        Self::with_window(Window::Standard)
    }

    fn with_window(window: Window) -> Self {
        let rate = 8000.0;
        let mut p = parameters(rate);
        p.window = window;
        Self {
            rate,
            calibration: Calibration::try_new(p).unwrap(),
        }
    }

    pub fn sample(&self, volts: f64, amperes: f64) -> Sample<1> {
        Sample {
            u: [counts_of(volts, VOLT_NV)],
            i: [counts_of(amperes, AMPERE_NA)],
            n: 0,
        }
    }

    /// Means over `windows` whole windows; the first one settles.
    fn average(&self, mut sample: impl FnMut() -> Sample<1>, windows: u32) -> Line {
        let mut meter = Meter::new(&self.calibration);
        let mut sum = Line::default();
        let (mut length, mut seen) = (0.0, 0);
        while seen <= windows {
            let block: [Sample<1>; 32] = std::array::from_fn(|_| sample());
            if meter.process(&self.calibration, &block).windows == 0 {
                continue;
            }
            seen += 1;
            let q = meter.quantities();
            if seen == 1 {
                continue;
            }
            assert!(q.flags.synchronous);
            let line: &PhaseQuantities = &q.phase[0];
            let weight = q.length_q16 as f64;
            length += weight;
            sum.active += weight * line.active_uw as f64 * 1e-6;
            sum.reactive += weight * line.reactive_uvar as f64 * 1e-6;
            sum.current += weight * (line.current_ua as f64 * 1e-6).powi(2);
            sum.current_mean += weight * line.current_mean_ua as f64 * 1e-6;
            sum.saturated |= q.flags.voltage_saturated | q.flags.current_saturated != 0;
        }
        Line {
            active: sum.active / length,
            reactive: sum.reactive / length,
            current: (sum.current / length).sqrt(),
            current_mean: sum.current_mean / length,
            saturated: sum.saturated,
        }
    }

    /// Samples of three phases over some seconds; the voltage and the current of `missing` phases are zero.
    pub fn three(
        &self,
        u: &[Wave; 3],
        i: &[Wave; 3],
        hertz: f64,
        seconds: f64,
        missing: &[usize],
    ) -> Vec<Sample<3>> {
        let generators = |waves: &[Wave; 3]| {
            std::array::from_fn::<_, 3, _>(|k| waves[k].generator(hertz / self.rate))
        };
        let (mut u, mut i) = (generators(u), generators(i));
        (0..(seconds * self.rate) as usize)
            .map(|_| {
                let mut sample = Sample {
                    u: u.each_mut().map(|wave| counts_of(wave.value(), VOLT_NV)),
                    i: i.each_mut().map(|wave| counts_of(wave.value(), AMPERE_NA)),
                    n: 0,
                };
                for &phase in missing {
                    (sample.u[phase], sample.i[phase]) = (0, 0);
                }
                sample
            })
            .collect()
    }

    /// Total active power of the last window.
    pub fn total(&self, samples: &[Sample<3>]) -> f64 {
        let calibration = Calibration::try_new(parameters(self.rate)).unwrap();
        let mut meter = Meter::new(&calibration);
        let _ = meter.process(&calibration, samples);
        let q = meter.quantities();
        assert!(q.flags.synchronous);
        q.total.active_uw as f64 * 1e-6
    }

    /// Energy of everything that was given, joules.
    pub fn energy(&self, samples: &[Sample<1>]) -> f64 {
        let mut meter = Meter::new(&self.calibration);
        for block in samples.chunks(64) {
            let _ = meter.process(&self.calibration, block);
        }
        let steps =
            meter.energy_raw(&self.calibration, 0) as f64 / self.calibration.step_raw() as f64;
        let watt_hours = steps * f64::from(self.calibration.parameters().energy_step_mwh) / 1000.0;
        watt_hours * 3600.0
    }
}

/// Two waves of limited bandwidth, sampled as they are; one second.
pub fn measure_wave(u: &Wave, i: &Wave, hertz: f64) -> Line {
    let bench = Bench::new();
    let turns = hertz / bench.rate;
    let (mut u, mut i) = (u.generator(turns), i.generator(turns));
    bench.average(|| bench.sample(u.value(), i.value()), 5)
}

/// A shape behind the filter of a sigma-delta converter of 1 MHz or 2 MHz; its gain at the fundamental is
/// calibrated.
struct Filtered<'a, Shape> {
    shape: &'a Shape,
    filter: Sinc3,
    /// Turns of the fundamental from one fast sample to the next.
    fast: f64,
    at: u64,
    scale: f64,
}

impl<'a, Shape: Fn(f64) -> f64> Filtered<'a, Shape> {
    fn new(shape: &'a Shape, ratio: u32, rate: f64, hertz: f64, scale: f64) -> Self {
        let fast = hertz / (rate * f64::from(ratio));
        let mut filtered = Self {
            shape,
            filter: Sinc3::new(ratio),
            fast,
            at: 0,
            scale,
        };
        // The filter fills.
        for _ in 0..3 {
            filtered.next();
        }
        filtered
    }

    /// The time of the next sample, in turns, and its value in counts.
    fn next(&mut self) -> (f64, f64) {
        loop {
            let turns = self.at as f64 * self.fast;
            self.at += 1;
            if let Some(value) = self.filter.push((self.shape)(turns) * self.scale) {
                let gain = self.filter.gain(self.fast);
                return (turns - self.filter.delay() * self.fast, value / gain);
            }
        }
    }
}

/// A sine of voltage and a current of any shape (a function of the turns of the fundamental); `cycles` make one
/// window.
pub fn measure_shape(
    u: &Wave,
    current: &impl Fn(f64) -> f64,
    hertz: f64,
    cycles: u16,
    windows: u32,
) -> Line {
    let bench = Bench::with_window(Window::Cycles(cycles));
    let scale = 1e9 / f64::from(AMPERE_NA);
    let mut shape = Filtered::new(current, 256, bench.rate, hertz, scale);
    bench.average(
        || {
            let (turns, counts) = shape.next();
            bench.sample(u.at(turns), counts / scale)
        },
        windows,
    )
}

/// The same behind a Rogowski coil and its integrator: the shape is the rate of change, amperes per second.
pub fn measure_coil(u: &Wave, rise: &impl Fn(f64) -> f64, hertz: f64) -> Line {
    // Full scale is 79 kA/s: a flank of 8 A within one sample is 64 kA/s.
    const COIL_NA: u32 = 120_000;
    let rate = 8000.0;
    let mut p = parameters(rate);
    p.current_na = COIL_NA;
    p.phase[0].delay_ns = Rogowski::delay_ns(p.sample_rate_mhz);
    let bench = Bench {
        rate,
        calibration: Calibration::try_new(p).unwrap(),
    };
    let rogowski = Rogowski::try_new(p.sample_rate_mhz, p.nominal_mhz).unwrap();
    let mut integrator = Integrator::default();
    // A quarter of the coil's counts is the current at 50 Hz.
    let scale = 4.0 / (TAU * 50.0) * 1e9 / f64::from(COIL_NA);
    let mut shape = Filtered::new(rise, 128, rate, hertz, scale);
    let mut saturated = false;
    let mut noise = Noise::new(0);
    let mut sample = || {
        let (turns, counts) = shape.next();
        let coil = FrontEnd::IDEAL.count(counts, &mut noise);
        saturated |= coil.abs() >= metrology::FULL_SCALE;
        Sample {
            u: [counts_of(u.at(turns), VOLT_NV)],
            i: [integrator.next(&rogowski, coil)],
            n: 0,
        }
    };
    // The servo settles.
    for _ in 0..40_000 {
        sample();
    }
    let line = bench.average(&mut sample, 5);
    Line {
        saturated: line.saturated | saturated,
        ..line
    }
}

/// Holds values against a bound and tells the worst of them at the end (`--nocapture`).
pub struct Judge {
    name: &'static str,
    bound: f64,
    worst: f64,
}

impl Judge {
    /// `bound` is relative.
    pub fn new(name: &'static str, bound: f64) -> Self {
        Self {
            name,
            bound,
            worst: 0.0,
        }
    }

    /// A tenth of a standard's limit in per cent.
    pub fn tenth_of(name: &'static str, percent: f64) -> Self {
        Self::new(name, percent / 100.0 / 10.0)
    }

    /// Fails when the value lies further from the wanted one than the bound, on this scale.
    #[track_caller]
    pub fn near(&mut self, got: f64, want: f64, scale: f64) {
        let error = ((got - want) / scale).abs();
        assert!(
            error <= self.bound,
            "{}: got {got}, want {want}, error {error:.2e} above {:.1e}",
            self.name,
            self.bound
        );
        self.worst = self.worst.max(error);
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let (worst, bound) = (100.0 * self.worst, 100.0 * self.bound);
        println!(
            "{:<32} worst {worst:.5} % of a bound of {bound:.3} %",
            self.name
        );
    }
}
