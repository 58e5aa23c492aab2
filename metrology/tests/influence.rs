//! Influence quantities (IEC 62053-22, OIML R 46): what they may change is a tenth of what the standards allow
//! the whole meter, class 0.2S or D. True values are in closed form, or integrated where the shape has none.

mod bench;

use std::f64::consts::{PI, SQRT_2, TAU};

use bench::{Bench, Judge, measure_coil, measure_shape, measure_wave};
use metrology::Sample;
use testkit::signal::Wave;

const UN: f64 = 230.0;
const FREQUENCIES: [f64; 3] = [49.91, 50.0, 50.17];
/// For shapes with edges: 50 Hz but for a little, so that an edge does not meet the fast clock of the bench at the
/// same place in each cycle.
const EDGED: [f64; 3] = [49.91, 50.000_371, 50.17];

#[test]
fn t1_fifth_harmonic_in_voltage_and_current() {
    let mut power = Judge::tenth_of("T1 P", 0.4);
    let mut other = Judge::new("T1 I, Q1", 2e-4);
    for hertz in FREQUENCIES {
        for order in [3.0, 5.0, 7.0] {
            let u = Wave::sine(UN, 0.0).tone(order, 0.10 * UN, 0.0);
            let i = Wave::sine(3.0, 0.0).tone(order, 0.40 * 3.0, 0.0);
            let line = measure_wave(&u, &i, hertz);
            power.near(line.active, 1.04 * UN * 3.0, UN * 3.0);
            other.near(line.current, 3.0 * 1.16_f64.sqrt(), 3.0);
            other.near(line.reactive, 0.0, UN * 3.0);
        }
    }
}

#[test]
fn t2_quadriform_and_peaked_waves() {
    let mut power = Judge::tenth_of("T2 P", 0.2);
    let mut current = Judge::new("T2 I", 1e-4);
    const ORDERS: [f64; 5] = [3.0, 5.0, 7.0, 11.0, 13.0];
    let join = |rms: f64, percent: [f64; 5], degrees: [f64; 5]| {
        let tones = ORDERS.iter().zip(percent).zip(degrees);
        tones.fold(Wave::sine(rms, 0.0), |wave, ((order, percent), degrees)| {
            wave.tone(*order, rms * percent / 100.0, degrees)
        })
    };
    let (of_i, of_u) = ([30.0, 18.0, 14.0, 9.0, 5.0], [3.8, 2.4, 1.7, 1.0, 0.8]);
    for (i_degrees, u_degrees) in [
        ([0.0; 5], [180.0; 5]),
        (
            [180.0, 0.0, 180.0, 180.0, 0.0],
            [0.0, 180.0, 0.0, 0.0, 180.0],
        ),
    ] {
        for hertz in FREQUENCIES {
            let (u, i) = (join(UN, of_u, u_degrees), join(3.0, of_i, i_degrees));
            let line = measure_wave(&u, &i, hertz);
            // The stated truth, 0.9806 and 1.0736, belongs to these amplitudes.
            assert!((u.power(&i) / (UN * 3.0) - 0.9806).abs() < 1e-9);
            assert!((i.rms() / 3.0 - 1.0736).abs() < 1e-4);
            power.near(line.active, u.power(&i), UN * 3.0);
            current.near(line.current, i.rms(), 3.0);
        }
    }
}

#[test]
fn t3_phase_fired_current() {
    let mut power = Judge::tenth_of("T3 P", 0.4);
    let (peak_u, peak_i) = (UN * SQRT_2, 3.0 * SQRT_2);
    for degrees in [30.0_f64, 60.0, 90.0, 120.0, 150.0] {
        let angle = degrees.to_radians();
        let conduction = PI - angle + (2.0 * angle).sin() / 2.0;
        let truth = peak_u * peak_i / TAU * conduction;
        for hertz in EDGED {
            let current = |turns: f64| {
                let half = (2.0 * turns).fract() * PI;
                let fired = half >= angle;
                if fired {
                    peak_i * (TAU * turns).sin()
                } else {
                    0.0
                }
            };
            let line = measure_shape(&Wave::sine(UN, 0.0), &current, hertz, 10, 5);
            power.near(line.active, truth, truth);
        }
    }
}

#[test]
fn t4_burst_fired_current() {
    let mut power = Judge::tenth_of("T4 P", 0.5);
    let mut rms = Judge::new("T4 I", 2e-4);
    let peak = 3.0 * SQRT_2;
    // On, off, and a window of whole patterns; 25 Hz is an induction hob.
    for (on, off, window) in [
        (2.0, 2.0, 8),
        (1.0, 1.0, 10),
        (1.0, 3.0, 12),
        (3.0, 2.0, 10),
    ] {
        let part = on / (on + off);
        for hertz in EDGED {
            let current = |turns: f64| {
                let sine = peak * (TAU * turns).sin();
                if turns % (on + off) < on { sine } else { 0.0 }
            };
            let line = measure_shape(&Wave::sine(UN, 0.0), &current, hertz, window, 5);
            power.near(line.active, UN * 3.0 * part, UN * 3.0 * part);
            rms.near(line.current, part.sqrt() * 3.0, 3.0);
        }
    }
}

#[test]
fn t5_half_wave_current_and_dc() {
    let mut power = Judge::tenth_of("T5 P", 1.0);
    let mut amperes = Judge::new("T5 I, mean", 1e-4);
    let mut steady = Judge::tenth_of("dc in I and U, P", 0.5);
    let peak = 3.0 * SQRT_2;
    for hertz in EDGED {
        let current = |turns: f64| (peak * (TAU * turns).sin()).max(0.0);
        let line = measure_shape(&Wave::sine(UN, 0.0), &current, hertz, 10, 5);
        let truth = UN * SQRT_2 * peak / 4.0;
        power.near(line.active, truth, truth);
        amperes.near(line.current, (0.25 - 1.0 / (PI * PI)).sqrt() * peak, peak);
        amperes.near(line.current_mean, peak / PI, peak);
    }
    // Steady dc in the current, offsets in both channels.
    for (dc_u, dc_i) in [(0.0, 2.0), (0.0, -3.5), (0.4, 1.0)] {
        let u = Wave::sine(UN, 0.0).with_dc(dc_u);
        let i = Wave::sine(3.0, -60.0).with_dc(dc_i);
        let line = measure_wave(&u, &i, 50.17);
        steady.near(line.active, 0.5 * UN * 3.0, 0.5 * UN * 3.0);
        amperes.near(line.current_mean, dc_i, 3.0);
    }
}

#[test]
fn t6_one_high_harmonic_swept() {
    let mut power = Judge::tenth_of("T6 P", 0.5);
    let (u_h, i_h) = (0.02 * UN, 0.1 * 0.25);
    for order in 15..=40 {
        for (hertz, degrees) in [(50.0, 0.0), (49.91, 90.0), (50.17, 180.0)] {
            let order = f64::from(order);
            let u = Wave::sine(UN, 0.0).tone(order, u_h, degrees);
            let i = Wave::sine(0.25, 0.0).tone(order, i_h, 0.0);
            let line = measure_wave(&u, &i, hertz);
            power.near(line.active, u.power(&i), UN * 0.25);
        }
    }
}

/// Trapezoid pulses, one in each half-wave: width over the half-wave, slope of the flanks.
fn pulses(position: f64, width: f64, slope: f64, hertz: f64) -> impl Fn(f64) -> f64 {
    const PEAK: f64 = 8.0;
    move |turns: f64| {
        let half = (2.0 * turns).fract();
        let sign = if (2.0 * turns).floor() as i64 % 2 == 0 {
            1.0
        } else {
            -1.0
        };
        let seconds = (half - position) / (2.0 * hertz);
        let length = width / (2.0 * hertz);
        let rise = slope * 1e6 * seconds;
        let fall = slope * 1e6 * (length - seconds);
        sign * rise.min(fall).clamp(0.0, PEAK)
    }
}

/// Active power over one cycle, in 200,000 steps.
fn integrated(u: &Wave, current: &impl Fn(f64) -> f64) -> f64 {
    let steps = 200_000;
    let at = (0..steps).map(|k| (f64::from(k) + 0.5) / f64::from(steps));
    at.map(|turns| u.at(turns) * current(turns)).sum::<f64>() / f64::from(steps)
}

/// Fast pulses of current wherever they lie in the half-wave: nothing saturates, and the energy is that of
/// the shape integrated at 10 MHz.
#[test]
fn t7_impulsive_current() {
    let mut power = Judge::tenth_of("T7 P", 0.4);
    let u = Wave::sine(UN, 0.0);
    let hertz = 50.17;
    for width in [0.01, 0.03, 0.10] {
        for slope in [0.1, 1.0, 10.0] {
            for position in [0.05, 0.3, 0.52, 0.85] {
                let current = pulses(position, width, slope, hertz);
                let truth = integrated(&u, &current);
                let line = measure_shape(&u, &current, hertz, 10, 3);
                power.near(line.active, truth, truth);
                assert!(!line.saturated, "{width} {slope} {position}");
            }
        }
    }
}

/// The same pulses behind a Rogowski coil, where flanks are all there is: the integrator neither saturates nor
/// drifts, and the converter has room for a flank within one sample.
#[test]
fn t7_impulsive_current_behind_a_coil() {
    let mut power = Judge::tenth_of("T7 behind a coil, P", 0.4);
    let u = Wave::sine(UN, 0.0);
    // Off every fraction of the fast clock, so that no flank meets it at the same place each cycle.
    let hertz = 50.170_546;
    for (width, slope, position) in [(0.03, 0.1, 0.3), (0.03, 10.0, 0.52), (0.10, 1.0, 0.85)] {
        let current = pulses(position, width, slope, hertz);
        // The difference across a fast sample, so that the integral is the pulse again.
        let half = hertz / 2_048_000.0;
        let rise = |turns: f64| (current(turns + half) - current(turns - half)) * 1_024_000.0;
        let truth = integrated(&u, &current);
        let line = measure_coil(&u, &rise, hertz);
        power.near(line.active, truth, truth);
        assert!(!line.saturated, "{width} {slope} {position}");
    }
}

#[test]
fn voltage_and_frequency_change_nothing() {
    for (lag, per_voltage, per_frequency) in [(0.0_f64, 0.1, 0.1), (60.0, 0.2, 0.1)] {
        let mut voltage = Judge::tenth_of("U 10 %, change of P", per_voltage);
        let mut large = Judge::tenth_of("0.8 and 1.15 Un, change of P", 3.0 * per_voltage);
        let mut frequency = Judge::tenth_of("f 2 %, change of P", per_frequency);
        let error = |volts: f64, hertz: f64| {
            let line = measure_wave(&Wave::sine(volts, 0.0), &Wave::sine(3.0, -lag), hertz);
            let truth = volts * 3.0 * lag.to_radians().cos();
            (line.active - truth) / truth
        };
        let reference = error(UN, 50.0);
        for part in [0.9, 1.1] {
            voltage.near(error(part * UN, 50.0), reference, 1.0);
        }
        for part in [0.8, 1.15] {
            large.near(error(part * UN, 50.0), reference, 1.0);
        }
        for hertz in [49.0, 49.4, 50.6, 51.0] {
            frequency.near(error(UN, hertz), reference, 1.0);
        }
    }
    // Below 0.8 Un a class asks for little; the chain goes on.
    let mut low = Judge::new("0.02 to 0.5 Un, P", 1e-4);
    for part in [0.5, 0.1, 0.02] {
        let line = measure_wave(&Wave::sine(part * UN, 0.0), &Wave::sine(3.0, 0.0), 50.17);
        low.near(line.active, part * UN * 3.0, part * UN * 3.0);
    }
}

/// Samples of three phases with a given order of the voltages and some of them missing.
fn three(hertz: f64, sequence: f64, missing: &[usize], lag: f64) -> Vec<Sample<3>> {
    let bench = Bench::new();
    let waves =
        |rms: f64, lag: f64| [0.0, 1.0, 2.0].map(|k| Wave::sine(rms, -120.0 * sequence * k - lag));
    let (u, i) = (waves(UN, 0.0), waves(0.5, lag));
    bench.three(&u, &i, hertz, 1.0, missing)
}

#[test]
fn reversed_sequence_and_missing_phases() {
    let mut all = Judge::new("three phases, total P", 1e-4);
    let mut turned = Judge::tenth_of("reversed sequence, change of P", 0.05);
    let mut fewer = Judge::tenth_of("one or two phases missing, P", 0.5);
    for hertz in FREQUENCIES {
        for lag in [0.0_f64, 60.0] {
            let one = UN * 0.5 * lag.to_radians().cos();
            let total = |samples: &[Sample<3>]| Bench::new().total(samples);
            let forward = total(&three(hertz, 1.0, &[], lag));
            all.near(forward, 3.0 * one, 3.0 * one);
            let reversed = total(&three(hertz, -1.0, &[], lag));
            turned.near(reversed, forward, 3.0 * one);
            for missing in [&[0][..], &[1], &[2], &[0, 1], &[1, 2], &[0, 2]] {
                let left = 3.0 - missing.len() as f64;
                let found = total(&three(hertz, 1.0, missing, lag));
                fewer.near(found, left * one, left * one);
            }
        }
    }
}

/// A load that jumps at any angle: the registers of a minute hold the integral.
#[test]
fn step_loads() {
    let mut energy = Judge::tenth_of("step loads, energy", 0.5);
    let bench = Bench::new();
    for (hertz, seconds) in [(50.0, 0.731), (49.91, 0.1171), (50.17, 2.9)] {
        let turns = hertz / bench.rate;
        let (levels, length) = ([6.0, 0.05, 1.0, 0.0, 3.0], 60.0);
        let mut u = Wave::sine(UN, 33.0).generator(turns);
        let mut unit = Wave::sine(1.0, 33.0 - 60.0).generator(turns);
        let mut truth = 0.0;
        let mut samples = Vec::new();
        for n in 0..(length * bench.rate) as usize {
            let level = levels[(n as f64 / bench.rate / seconds) as usize % levels.len()];
            let (volts, amperes) = (u.value(), level * unit.value());
            truth += volts * amperes / bench.rate;
            samples.push(bench.sample(volts, amperes));
        }
        let joules = bench.energy(&samples);
        energy.near(joules, truth, truth);
    }
}
