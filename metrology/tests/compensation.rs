//! Temperature terms and current curves act on quantities and energy alike, to the budget of the chain.

use std::f64::consts::{PI, SQRT_2, TAU};

use metrology::{Calibration, Curve, CurvePoint, Drift, Meter, Parameters, Sample};

const RATE: f64 = 8000.0;

/// One second of 230 V and a current as a sensor gives it: `ratio` times too large, `lead` degrees early.
fn second(amperes: f64, degrees: f64, ratio: f64, lead: f64, volts: f64) -> Vec<Sample<1>> {
    (0..RATE as usize)
        .map(|n| {
            let angle = TAU * 50.0 * n as f64 / RATE;
            let lag = (degrees - lead) * PI / 180.0;
            Sample {
                u: [(volts * SQRT_2 * angle.sin() / 60e-6).round() as i32],
                i: [(amperes * ratio * SQRT_2 * (angle - lag).sin() / 24e-6).round() as i32],
                n: 0,
            }
        })
        .collect()
}

fn near(what: &str, got: f64, want: f64, bound: f64) {
    let error = (got / want - 1.0).abs();
    assert!(error < bound, "{what}: {got} for {want}, {error:e}");
}

#[test]
fn gains_follow_the_temperature() {
    // A shunt of +50 ppm/K and a divider of −20 ppm/K with a curved part.
    let mut p = Parameters::<1>::new(8_000_000, 50_000);
    p.phase[0].current_drift.linear_ppt = -50_000_000;
    p.phase[0].voltage_drift = Drift {
        linear_ppt: 20_000_000,
        square_ppq: -100_000_000,
    };
    let calibration = Calibration::try_new(p).unwrap();
    let mut meter = Meter::new(&calibration);
    for (celsius, known) in [(23.0, false), (70.0, true), (-40.0, true), (23.0, true)] {
        let dt: f64 = celsius - 23.0;
        // The sensors' own drift is the inverse of the gains'.
        let shunt = 1.0 / (1.0 - 50e-6 * dt);
        let divider = 1.0 / (1.0 + 20e-6 * dt - 0.1e-6 * dt * dt);
        let block = second(5.0, 60.0, shunt, 0.0, 230.0 * divider);
        if known {
            meter.set_temperature(&calibration, (celsius * 1000.0) as i32);
        }
        let before = meter.energy_raw(&calibration, 0);
        let _ = meter.process(&calibration, &block);
        let line = meter.quantities().phase[0];
        near("U", line.voltage_uv as f64 / 1e6, 230.0, 1e-6);
        near("I", line.current_ua as f64 / 1e6, 5.0, 1e-6);
        near("P", line.active_uw as f64 / 1e6, 575.0, 2e-6);
        let var = 1150.0 * 0.75_f64.sqrt();
        near("Q", line.reactive_uvar as f64 / 1e6, var, 1e-5);
        // A second without its open window at the old temperature: energy follows as well.
        let steps = (meter.energy_raw(&calibration, 0) - before) as f64;
        near(
            "E",
            steps / calibration.step_raw() as f64 * 360.0,
            575.0,
            2e-3,
        );
    }
}

#[test]
fn curve_takes_ratio_and_angle_of_a_current_transformer() {
    // Measured current, ratio error of the transformer and its lead there.
    let table = [
        (0.05, -0.0020, 0.40),
        (0.25, -0.0012, 0.25),
        (1.0, -0.0006, 0.15),
        (5.0, -0.0001, 0.08),
        (60.0, 0.0003, 0.05),
    ];
    let turn = |degrees: f64| (degrees / 360.0 * 4_294_967_296.0).round() as i32;
    let points = table.map(|(amperes, ratio, lead): (f64, f64, f64)| CurvePoint {
        current_ua: (amperes * 1e6) as u32,
        ratio_ppm: ((1.0 / (1.0 + ratio) - 1.0) * 1e6).round() as i32,
        angle: turn(lead - 0.05),
    });
    let mut p = Parameters::<1>::new(8_000_000, 50_000);
    p.phase[0].angle = turn(0.05);
    p.phase[0].curve = Curve::try_new(&points).unwrap();
    let calibration = Calibration::try_new(p).unwrap();
    let between = |amperes: f64| {
        let high = table.iter().position(|row| row.0 >= amperes);
        match high {
            Some(0) => (table[0].1, table[0].2),
            None => (table[4].1, table[4].2),
            Some(k) => {
                let (low, high) = (table[k - 1], table[k]);
                let part = (amperes - low.0) / (high.0 - low.0);
                (
                    low.1 + part * (high.1 - low.1),
                    low.2 + part * (high.2 - low.2),
                )
            }
        }
    };
    for measured in [0.02, 0.05, 0.11, 0.25, 0.7, 1.0, 2.2, 5.0, 17.0, 60.0, 80.0] {
        let (ratio, lead) = between(measured);
        let amperes = measured / (1.0 + ratio);
        for degrees in [0.0, 60.0, -36.87] {
            let mut meter = Meter::new(&calibration);
            let block = second(amperes, degrees, 1.0 + ratio, lead, 230.0);
            let mut energy = 0.0;
            for _ in 0..2 {
                let _ = meter.process(&calibration, &block);
                let all = meter.energy_raw(&calibration, 0) as f64;
                energy = all / calibration.step_raw() as f64 * 360.0;
            }
            let line = meter.quantities().phase[0];
            let watts = 230.0 * amperes * (degrees * PI / 180.0).cos();
            // Samples are whole counts of 24 µA.
            let bound = 5e-6 + 2e-6 / amperes;
            near("I", line.current_ua as f64 / 1e6, amperes, bound);
            near("P", line.active_uw as f64 / 1e6, watts, 2.0 * bound);
            // The first and the open window are no whole cycles.
            near("E", energy, watts * 2.0, 2e-3);
        }
    }
}

#[test]
fn registers_are_the_sum_of_their_windows_under_a_curve() {
    // The load changes so that every window has other weights; registers stay the exact sum.
    let points = [10_000, 100_000, 1_000_000, 10_000_000].map(|current_ua| CurvePoint {
        current_ua,
        ratio_ppm: 500_000 / (current_ua as i32 / 1000),
        angle: 1_000_000,
    });
    let mut p = Parameters::<1>::new(8_000_000, 50_000);
    p.phase[0].curve = Curve::try_new(&points).unwrap();
    let calibration = Calibration::try_new(p).unwrap();
    let mut meter = Meter::new(&calibration);
    let mut sum = 0.0;
    let mut windows = 0;
    for k in 0..40 {
        let degrees = f64::from(k * 37 % 360);
        let block = second(0.02 * f64::from(1 + k % 9), degrees, 1.0, 0.0, 230.0);
        for part in block.chunks(100) {
            if meter.process(&calibration, part).windows > 0 {
                windows += 1;
                let q = meter.quantities();
                let seconds = q.length_q16 as f64 / 65536.0 / RATE;
                sum += q.phase[0].active_uw as f64 * 1e-6 * seconds;
            }
        }
    }
    assert!(windows > 150);
    let [counts] = meter.registers(&calibration).phase;
    let kept = (counts.import as f64 - counts.export as f64) * 360.0;
    assert!((kept - sum).abs() < 361.0, "{kept} {sum}");
}
