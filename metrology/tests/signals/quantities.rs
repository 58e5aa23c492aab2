//! Quantities of known waves.

use std::f64::consts::{PI, SQRT_2};

use metrology::{DcPower, Sample, Sync, Window};
use testkit::signal::Wave;

use super::{AMPERE_NA, VOLT_NV, count, measure, near, parameters, relative, samples};

#[test]
fn sines_off_the_grid_at_every_power_factor() {
    let mut worst = [0.0_f64; 5];
    for rate in [4000.0, 6400.0, 8000.0, 15_625.0, 30_719.135] {
        for f in [45.03, 49.7, 50.0, 50.17, 59.91, 65.9] {
            for degrees in [0.0, 60.0, -36.869_897_645_844, 179.0, -75.522_487_814] {
                let (u, i) = (Wave::sine(230.0, 17.0), Wave::sine(10.0, 17.0 - degrees));
                let mut p = parameters(rate);
                p.nominal_mhz = if f > 55.0 { 60_000 } else { 50_000 };
                let q = measure(p, &samples(&u, &i, f, rate, 0.7, 24));
                let line = q.phase[0];
                let (p, s) = (2300.0 * (degrees * PI / 180.0).cos(), 2300.0);
                let q1 = 2300.0 * (degrees * PI / 180.0).sin();
                let hertz = f64::from(q.frequency_uhz.unwrap()) / 1e6;
                assert_eq!(q.cycles, if f > 55.0 { 12 } else { 10 });
                assert!(q.flags.synchronous);
                near("f", hertz, f, 1.0, 1e-3);
                near("U", line.voltage_uv as f64 / 1e6, 230.0, 230.0, 1e-4);
                near("I", line.current_ua as f64 / 1e6, 10.0, 10.0, 1e-4);
                near(
                    "P",
                    line.active_uw as f64 / 1e6,
                    p,
                    p,
                    if degrees.abs() < 1.5 { 1e-4 } else { 2e-4 },
                );
                near("P1", line.fundamental_active_uw as f64 / 1e6, p, s, 2e-4);
                near("Q1", line.reactive_uvar as f64 / 1e6, q1, s, 2e-4);
                near(
                    "PF",
                    f64::from(line.power_factor_ppm) / 1e6,
                    p / s,
                    1.0,
                    1e-4,
                );
                near(
                    "angle",
                    f64::from(line.angle_mdeg) / 1e3,
                    degrees,
                    1.0,
                    0.01,
                );
                for (w, e) in worst.iter_mut().zip([
                    (hertz - f).abs(),
                    relative(line.voltage_uv as f64, 230e6),
                    relative(line.current_ua as f64, 10e6),
                    (line.active_uw as f64 / 1e6 - p).abs() / s,
                    (line.reactive_uvar as f64 / 1e6 - q1).abs() / s,
                ]) {
                    *w = w.max(e);
                }
            }
        }
    }
    println!(
        "worst f {:.1e} Hz, U {:.1e}, I {:.1e}, P {:.1e} S, Q1 {:.1e} S",
        worst[0], worst[1], worst[2], worst[3], worst[4]
    );
}

#[test]
fn small_currents() {
    let u = Wave::sine(230.0, 3.0);
    // 24 bits: down to 100 A / 5000 and beyond; 16 bits: down to a thousandth.
    for (bits, amperes, bound) in [
        (24, 1.0, 1e-4),
        (24, 0.1, 1e-4),
        (24, 0.02, 2e-4),
        (24, 0.01, 5e-4),
        (16, 5.0, 1e-3),
        (16, 0.5, 5e-3),
    ] {
        for degrees in [0.0, 60.0] {
            let i = Wave::sine(amperes, 3.0 - degrees);
            let q = measure(
                parameters(8000.0),
                &samples(&u, &i, 50.13, 8000.0, 0.7, bits),
            );
            let s = 230.0 * amperes;
            let p = s * (degrees * PI / 180.0).cos();
            near("P", q.phase[0].active_uw as f64 / 1e6, p, p, bound);
            near(
                "I",
                q.phase[0].current_ua as f64 / 1e6,
                amperes,
                amperes,
                bound,
            );
        }
    }
}

#[test]
fn harmonics_and_dc() {
    for f in [47.9, 50.03, 52.2] {
        let u = Wave::sine(230.0, 0.0)
            .tone(3.0, 5.0, 40.0)
            .tone(5.0, 9.0, -100.0)
            .tone(7.0, 3.0, 10.0)
            .tone(15.0, 1.0, 5.0)
            .with_dc(0.9);
        let mut i = Wave::sine(10.0, -30.0)
            .tone(2.0, 0.4, 0.0)
            .tone(3.0, 2.5, 70.0)
            .tone(5.0, 1.5, 30.0)
            .tone(15.0, 0.5, 12.0)
            .tone(33.0, 0.2, 0.0)
            .with_dc(-0.3);
        let q = measure(parameters(8000.0), &samples(&u, &i, f, 8000.0, 0.9, 24));
        let line = q.phase[0];
        let s = u.rms() * i.rms();
        near("U", line.voltage_uv as f64 / 1e6, u.rms(), u.rms(), 1e-4);
        near("I", line.current_ua as f64 / 1e6, i.rms(), i.rms(), 1e-4);
        near("P", line.active_uw as f64 / 1e6, u.power(&i), s, 1e-4);
        near("Q1", line.reactive_uvar as f64 / 1e6, 2300.0 * 0.5, s, 2e-4);
        near("dc", line.voltage_mean_uv as f64 / 1e6, 0.9, 230.0, 1e-4);
        near("f", f64::from(q.frequency_uhz.unwrap()) / 1e6, f, 1.0, 1e-3);
        // Kept on request.
        let mut p = parameters(8000.0);
        p.dc_power = DcPower::Kept;
        i.dc = -2.0;
        let q = measure(p, &samples(&u, &i, f, 8000.0, 0.9, 24));
        near(
            "P with dc",
            q.phase[0].active_uw as f64 / 1e6,
            u.power(&i) - 1.8,
            s,
            1e-4,
        );
    }
}

#[test]
fn three_phases_with_neutral_and_a_dead_first_voltage() {
    let (rate, f) = (6400.0, 49.9);
    let mut p = parameters::<3>(rate);
    p.neutral = Some(metrology::NeutralParameters {
        gain: metrology::Gain::ONE,
        offset: 0,
    });
    let block = |dead: bool| -> Vec<Sample<3>> {
        (0..9600)
            .map(|n| {
                let t = n as f64 / rate;
                let wave = |rms: f64, k: usize, lag: f64| {
                    Wave::sine(rms, -120.0 * k as f64 - lag).at(t * f)
                };
                let i = [
                    wave(10.0, 0, 30.0),
                    wave(8.0, 1, -10.0),
                    wave(5.0, 2, 170.0),
                ];
                let u = |k: usize| {
                    if dead && k == 0 {
                        0.0
                    } else {
                        wave(230.0, k, 0.0)
                    }
                };
                Sample {
                    u: std::array::from_fn(|k| count(u(k), VOLT_NV, 24)),
                    i: i.map(|x| count(x, AMPERE_NA, 24)),
                    n: count(i.iter().sum(), AMPERE_NA, 24),
                }
            })
            .collect()
    };
    let q = measure(p, &block(false));
    let want = [(10.0, 30.0), (8.0, -10.0), (5.0, 170.0_f64)];
    let mut total = 0.0;
    for (line, (rms, lag)) in q.phase.iter().zip(want) {
        let power = 230.0 * rms * (lag * PI / 180.0).cos();
        total += power;
        near("P", line.active_uw as f64 / 1e6, power, 230.0 * rms, 1e-4);
    }
    near("total", q.total.active_uw as f64 / 1e6, total, total, 2e-4);
    assert_eq!(
        q.total.apparent_uva,
        q.phase.iter().map(|line| line.apparent_uva).sum::<u64>()
    );
    for (line, angle) in q.phase.iter().zip([0, -120_000, 120_000]) {
        assert!(
            (line.voltage_angle_mdeg - angle).abs() <= 10,
            "{}",
            line.voltage_angle_mdeg
        );
    }
    assert!(q.neutral_ua.unwrap() > 1_000_000);
    let q = measure(p, &block(true));
    assert!(q.flags.synchronous, "the second voltage takes over");
    near("f", f64::from(q.frequency_uhz.unwrap()) / 1e6, f, 1.0, 1e-3);
    near(
        "P2",
        q.phase[1].active_uw as f64 / 1e6,
        1840.0 * (10.0 * PI / 180.0).cos(),
        1840.0,
        1e-4,
    );
    assert_eq!(q.phase[0].power_factor_ppm, 0);
}

#[test]
fn no_signal_saturation_and_a_fixed_source() {
    let q = measure(parameters::<1>(8000.0), &[Sample::ZERO; 8000]);
    assert_eq!(
        (q.phase[0].voltage_uv, q.frequency_uhz, q.flags.synchronous),
        (0, None, false)
    );
    let u = Wave::sine(400.0, 0.0);
    let q = measure(
        parameters(8000.0),
        &samples(&u, &Wave::sine(1.0, 0.0), 50.0, 8000.0, 0.7, 24),
    );
    assert_eq!(
        (q.flags.voltage_saturated, q.flags.current_saturated),
        (1, 0)
    );
    let mut p = parameters(8000.0);
    p.sync = Sync::Fixed(50_300_000);
    p.window = Window::Longest;
    let u = Wave::sine(230.0, 33.0);
    let q = measure(
        p,
        &samples(&u, &Wave::sine(3.0, 33.0 - 45.0), 50.3, 8000.0, 1.0, 24),
    );
    assert_eq!((q.cycles, q.frequency_uhz), (50, Some(50_300_000)));
    near(
        "P",
        q.phase[0].active_uw as f64 / 1e6,
        690.0 / SQRT_2,
        690.0,
        2e-5,
    );
    near(
        "Q1",
        q.phase[0].reactive_uvar as f64 / 1e6,
        690.0 / SQRT_2,
        690.0,
        2e-5,
    );
}
