//! Loads, rates, frequencies and faults of the front end drawn at random, three phases with each its own: the
//! chain stays inside a tenth of class 0.2S for every one of them.

use std::f64::consts::{PI, TAU};

use metrology::{Calibration, Meter, Parameters, Sample};
use testkit::Rng;
use testkit::signal::{FrontEnd, Noise, Wave};

const VOLT_NV: u32 = 60_000;
const AMPERE_NA: u32 = 1_264;
const IMAX: f64 = 6.0;
const CASES: u32 = 1000;

/// A number from `low` to `high`.
fn between(rng: &mut Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.below(1 << 40) as f64 / (1_u64 << 40) as f64
}

/// The same with evenly spread logarithms.
fn spread(rng: &mut Rng, low: f64, high: f64) -> f64 {
    between(rng, low.ln(), high.ln()).exp()
}

/// One phase: what flows, and what the front end makes of it.
struct Phase {
    volts: f64,
    amperes: f64,
    lag: f64,
    gains: [f64; 2],
    delay_ns: i32,
    lead: f64,
}

impl Phase {
    fn random(rng: &mut Rng, rate: f64) -> Self {
        // Delays beyond what the sample history holds are refused, not measured.
        let longest = (8.0e9 / rate).min(300_000.0);
        Self {
            volts: between(rng, 0.8, 1.15) * 230.0,
            amperes: spread(rng, 1e-4, 1.2) * IMAX,
            lag: between(rng, -75.5, 75.5) + if rng.chance(300_000) { 180.0 } else { 0.0 },
            gains: [between(rng, 0.95, 1.05), between(rng, 0.95, 1.05)],
            delay_ns: between(rng, -longest, longest) as i32,
            lead: between(rng, 0.0, 2.0),
        }
    }

    /// Voltage and current as the converter sees them, counts.
    fn waves(&self, hertz: f64, degrees: f64) -> (Wave, Wave) {
        let u = self.volts / self.gains[0] * 1e9 / f64::from(VOLT_NV);
        let i = self.amperes / self.gains[1] * 1e9 / f64::from(AMPERE_NA);
        let late = f64::from(self.delay_ns) * 1e-9 * hertz * 360.0 - self.lead;
        (
            Wave::sine(u, degrees),
            Wave::sine(i, degrees - self.lag - late),
        )
    }
}

#[test]
fn any_load_at_any_rate_stays_inside_the_budget() {
    run(0x6D35, [1250.0, 32_000.0], 0.0);
}

/// The sample at the edge of a window is shared in proportion, as if the product stood still in it. u·i turns twice in a
/// cycle: its slope is at most 4π f S, and to share a sample of length 1/r leaves at most 4π f S / 8r² at an edge. What one
/// window does not take the next one does, so that a mean over n cycles has two such edges: π (f/r)² / n of S. From
/// 1.25 kHz on this is inside the budget and needs no room; at 600 Hz and 66 Hz it is 0.063 % over a second. And a
/// crossing between two samples θ = 2π f/r apart is found on the straight line between them, which misses that of a
/// sine by up to θ³ / 36√3: two of them move the frequency by θ³ / 196 n of itself. Energy has no part in either.
#[test]
fn the_slowest_rates_leave_no_more_than_the_shared_samples_do() {
    for rates in [[600.0, 800.0], [800.0, 1250.0]] {
        run(0x600, rates, PI);
    }
}

/// Random meters with rates in a range, held against the budget and, times `edges` (f/r)² / n, what the shared samples
/// of n cycles leave.
fn run(seed: u64, rates: [f64; 2], edges: f64) {
    let mut rng = Rng::new(seed);
    let (mut worst, mut found) = ([0.0_f64; 5], [0.0_f64; 5]);
    for case in 0..CASES {
        let rate = spread(&mut rng, rates[0], rates[1]);
        let hertz = between(&mut rng, 45.0, 66.0);
        let phases = [(); 3].map(|()| Phase::random(&mut rng, rate));
        let nominal = if hertz > 55.0 { 60_000 } else { 50_000 };
        let mut p = Parameters::<3>::new((rate * 1000.0).round() as u32, nominal);
        let rate = f64::from(p.sample_rate_mhz) / 1000.0;
        (p.voltage_nv, p.current_na) = (VOLT_NV, AMPERE_NA);
        for (constants, phase) in p.phase.iter_mut().zip(&phases) {
            let [u, i] = phase
                .gains
                .map(|gain| metrology::Gain::from_bits((gain * f64::from(1 << 30)).round() as u32));
            (constants.voltage_gain, constants.current_gain) = (u, i);
            constants.delay_ns = phase.delay_ns;
            constants.angle = (phase.lead / 360.0 * 4_294_967_296.0).round() as i32;
        }
        let calibration = Calibration::try_new(p).unwrap();
        let mut meter = Meter::new(&calibration);
        let first = between(&mut rng, 0.0, 360.0);
        let waves = [0, 1, 2].map(|k| {
            let (u, i) = phases[k].waves(hertz, first - 120.0 * k as f64);
            (u.generator(hertz / rate), i.generator(hertz / rate))
        });
        let (mut u, mut i) = (waves.clone().map(|(u, _)| u), waves.map(|(_, i)| i));
        let mut noise = Noise::new(0);
        let mut sample = || Sample {
            u: u.each_mut()
                .map(|u| FrontEnd::IDEAL.count(u.value(), &mut noise)),
            i: i.each_mut()
                .map(|i| FrontEnd::IDEAL.count(i.value(), &mut noise)),
            n: 0,
        };
        // One second; the first window settles.
        let (mut windows, mut length, mut cycles) = (0, 0.0, 0.0);
        let mut means = [[0.0_f64; 4]; 3];
        while windows < 6 {
            let block: [Sample<3>; 48] = std::array::from_fn(|_| sample());
            if meter.process(&calibration, &block).windows == 0 {
                continue;
            }
            windows += 1;
            let q = meter.quantities();
            if windows == 1 {
                continue;
            }
            let weight = q.length_q16 as f64 / 65_536.0;
            length += weight;
            cycles += f64::from(q.cycles);
            for (mean, line) in means.iter_mut().zip(&q.phase) {
                mean[0] += weight * (line.voltage_uv as f64 * 1e-6).powi(2);
                mean[1] += weight * (line.current_ua as f64 * 1e-6).powi(2);
                mean[2] += weight * line.active_uw as f64 * 1e-6;
                mean[3] += weight * line.reactive_uvar as f64 * 1e-6;
            }
        }
        let what = |name: &str, k: usize| {
            format!(
                "case {case} {name}{k}: {rate} Hz, {hertz} Hz, {} A",
                phases[k].amperes
            )
        };
        let mut hold = |slot: usize, error: f64, bound: f64, name: &str, k: usize| {
            assert!(
                error.abs() <= bound,
                "{}: {error:.2e} above {bound:.0e}",
                what(name, k)
            );
            worst[slot] = worst[slot].max(error.abs() / bound);
            found[slot] = found[slot].max(error.abs());
        };
        let missed = edges.min(1.0) * (TAU * hertz / rate).powi(3) / (196.0 * cycles);
        // Of S; a root has half of it.
        let shared = edges * (hertz / rate).powi(2) / cycles + missed;
        let off = cycles * rate / length - hertz;
        hold(0, off, 1e-3 + missed * hertz, "f", 0);
        for (k, (phase, mean)) in phases.iter().zip(means).enumerate() {
            let [u, i, p, q] = mean.map(|sum| sum / length);
            let apparent = phase.volts * phase.amperes;
            let (sin, cos) = phase.lag.to_radians().sin_cos();
            // A tenth of the class in the tables, 0.02 % below them, 0.05 % below Imax / 5000.
            let small = phase.amperes < IMAX / 5000.0;
            let power = if small { 5e-4 } else { 2e-4 };
            let resolution = 0.5e-6 / phase.amperes;
            let rms = if phase.amperes >= 0.05 { 1e-4 } else { power };
            hold(1, u.sqrt() / phase.volts - 1.0, 1e-4 + shared / 2.0, "U", k);
            hold(
                2,
                i.sqrt() / phase.amperes - 1.0,
                rms + shared / 2.0 + resolution,
                "I",
                k,
            );
            hold(
                3,
                (p - apparent * cos) / (apparent * cos),
                power + shared / cos.abs(),
                "P",
                k,
            );
            let reactive = if sin.abs() >= 0.5 {
                apparent * sin
            } else {
                apparent
            };
            hold(
                4,
                (q - apparent * sin) / reactive,
                power + shared * apparent / reactive.abs(),
                "Q1",
                k,
            );
        }
    }
    println!(
        "{rates:?} Hz: worst parts of the bounds: f {:.2}, U {:.2}, I {:.2}, P {:.2}, Q1 {:.2}",
        worst[0], worst[1], worst[2], worst[3], worst[4]
    );
    let [f, u, i, p, q] = found.map(|error| error * 100.0);
    println!(
        "  worst errors: f {:.2} mHz, U {u:.4} %, I {i:.4} %, P {p:.4} %, Q1 {q:.4} %",
        f * 10.0
    );
}
