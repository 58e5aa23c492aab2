//! What follows from windows: registers, pulses, start, conditions.

use std::f64::consts::{PI, SQRT_2, TAU};

use metrology::event::{Condition, Limit, Limits, Monitor, Observation};
use metrology::{Calibration, FULL_SCALE, Meter, Policy, Sample};
use testkit::signal::Wave;

use super::{AMPERE_NA, VOLT_NV, count, parameters, samples};

#[test]
fn registers_follow_power_and_pulses_follow_registers() {
    // 2300 W for 60 s are 38.333 Wh; at 6400 imp/kWh 245.33 pulses.
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(10.0, 180.0 - 60.0));
    let calibration = Calibration::try_new(parameters::<1>(8000.0)).unwrap();
    let mut meter = Meter::new(&calibration);
    let second = samples(&u, &i, 50.0, 8000.0, 1.0, 24);
    let mut pulses = 0;
    for _ in 0..60 {
        pulses += meter.process(&calibration, &second).pulses;
    }
    let r = meter.registers(&calibration);
    // PF 0.5 the other way: 1150 W out, minus the window that is still open.
    assert_eq!((r.active.import, r.phase[0].import), (0, 0));
    assert!((190..=191).contains(&r.active.export), "{r:?}");
    assert!(
        (121..=122).contains(&pulses) && u64::from(pulses) == r.pulses,
        "{pulses}"
    );
    // Current 240 degrees behind: P < 0, Q1 = S sin(-120°) < 0: the third quadrant.
    let varh = 2300.0 * (60.0 * PI / 180.0).sin() / 60.0 * 10.0;
    assert!((r.reactive[2] as f64 - varh).abs() < 3.0, "{r:?} {varh}");
    assert_eq!(r.reactive_export(), r.reactive[2]);
}

#[test]
fn policies_differ_where_one_phase_exports() {
    for (policy, import, export) in [(Policy::Net, 1, 0), (Policy::PerPhase, 2, 1)] {
        let mut p = parameters::<3>(4000.0);
        p.policy = policy;
        let calibration = Calibration::try_new(p).unwrap();
        let mut meter = Meter::new(&calibration);
        for n in 0..4000 * 20 {
            let sine = (TAU * 50.0 * f64::from(n) / 4000.0).sin();
            let i = [1.0, 1.0, -1.0].map(|k| count(k * 10.0 * SQRT_2 * sine, AMPERE_NA, 24));
            let u = [count(230.0 * SQRT_2 * sine, VOLT_NV, 24); 3];
            let _ = meter.process(&calibration, &[Sample { u, i, n: 0 }]);
        }
        // 2300 W for 20 s: 12.78 Wh of each kind, less an open window.
        let r = meter.registers(&calibration);
        for (got, times) in [(r.active.import, import), (r.active.export, export)] {
            let want = 127.0 * f64::from(times);
            assert!((got as f64 - want).abs() <= 3.0, "{policy:?} {r:?}");
        }
    }
}

#[test]
fn start_threshold_gates_registers_and_pulses() {
    for (amperes, counts) in [(0.001, false), (0.005, true)] {
        let mut p = parameters::<1>(4000.0);
        p.start_uw = 500_000;
        let calibration = Calibration::try_new(p).unwrap();
        let mut meter = Meter::new(&calibration);
        let second = samples(
            &Wave::sine(230.0, 0.0),
            &Wave::sine(amperes, 0.0),
            50.0,
            4000.0,
            1.0,
            24,
        );
        let mut pulses = 0;
        for _ in 0..1200 {
            pulses += meter.process(&calibration, &second).pulses;
        }
        let r = meter.registers(&calibration);
        // 1.15 W for 20 min are 0.383 Wh.
        assert_eq!(r.active.import, if counts { 3 } else { 0 });
        assert_eq!(pulses, if counts { 2 } else { 0 });
    }
}

#[test]
fn conditions_begin_and_end_after_their_delay() {
    let calibration = Calibration::try_new(parameters::<1>(4000.0)).unwrap();
    let mut meter = Meter::new(&calibration);
    let mut monitor = Monitor::new();
    let limits = Limits {
        over_voltage: Some(Limit {
            begin: 264_500_000,
            end: 260_000_000,
            delay_ms: 600,
            gate: 0,
        }),
        voltage_lost: Some(Limit {
            begin: 100_000_000,
            end: 120_000_000,
            delay_ms: 0,
            gate: 0,
        }),
        reverse: Some(Limit {
            begin: 50_000_000,
            end: 20_000_000,
            delay_ms: 0,
            gate: 0,
        }),
        ..Limits::default()
    };
    let mut log = Vec::new();
    for (volts, degrees, windows) in [
        (230.0, 0.0, 6),
        (270.0, 0.0, 6),
        (230.0, 180.0, 6),
        (20.0, 0.0, 6),
    ] {
        let block = samples(
            &Wave::sine(volts, 0.0),
            &Wave::sine(1.0, degrees),
            50.0,
            4000.0,
            0.2,
            24,
        );
        for k in 0..windows {
            if meter.process(&calibration, &block).windows > 0 {
                let quantities = meter.quantities();
                let elapsed_ms = quantities.duration_ms(&calibration);
                let changes = monitor.update(&limits, &Observation::of(quantities, elapsed_ms));
                log.extend(
                    changes
                        .begun
                        .iter()
                        .map(|(condition, _)| (condition, true, volts, k)),
                );
                log.extend(
                    changes
                        .ended
                        .iter()
                        .map(|(condition, _)| (condition, false, volts, k)),
                );
            }
        }
    }
    let order: Vec<_> = log
        .iter()
        .map(|(condition, begins, volts, _)| (*condition, *begins, *volts as i32))
        .collect();
    assert_eq!(
        order,
        [
            (Condition::OverVoltage, true, 270),
            (Condition::Reverse, true, 230),
            (Condition::OverVoltage, false, 230),
            (Condition::VoltageLost, true, 20),
            (Condition::Reverse, false, 20),
        ],
        "{log:?}"
    );
    assert!(log[0].3 >= 2, "600 ms are three windows: {log:?}");
    assert_eq!(FULL_SCALE, 8_388_607);
}
