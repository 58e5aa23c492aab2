//! Readings that no healthy meter gives, wrong wiring, and any readings at all.

use std::f64::consts::{PI, SQRT_2, TAU};

use metrology::adjust::{Fault, Load, Measured, PhaseTerm, Point, Reading, wiring};
use metrology::{Calibration, Meter, Parameters, PhaseParameters, Quantities, Sample};
use proptest::prelude::*;

use super::{FrontEnd, RATE, RATED, VOLTS, bench};

#[test]
fn implausible_readings_are_refused_by_value() {
    let bench = bench();
    let ideal = PhaseParameters::IDEAL;
    let mut phase = ideal;
    let good = FrontEnd::IDEAL.point(&ideal, RATED, 0.0);
    let with = |change: &dyn Fn(&mut Point)| {
        let mut point = good;
        change(&mut point);
        point
    };
    let dead = with(&|p| p.reading.current_ua = 0);
    assert!(matches!(
        bench.gains(&mut phase, &dead),
        Err(Fault::Value {
            what: Measured::Current,
            found_ppm: -1_000_000,
            ..
        })
    ));
    let reversed = FrontEnd {
        current: -1.0,
        ..FrontEnd::IDEAL
    }
    .point(&ideal, RATED, 0.0);
    assert!(matches!(
        bench.gains(&mut phase, &reversed),
        Err(Fault::Reversed { .. })
    ));
    // The current of another phase at PF 0.5: power positive, angle 120° off.
    let mut swapped = FrontEnd::IDEAL.point(&ideal, RATED, -60.0);
    swapped.load.lagging = true;
    assert!(matches!(
        bench.gains(&mut phase, &swapped),
        Err(Fault::Angle {
            found_mdeg: -120_001..=-119_999,
            ..
        })
    ));
    let distorted = with(&|p| p.reading.fundamental_uw -= p.reading.fundamental_uw / 500);
    assert!(matches!(
        bench.gains(&mut phase, &distorted),
        Err(Fault::Value {
            what: Measured::Apparent,
            found_ppm: -2_001..=-1_999,
            limit_ppm: 500
        })
    ));
    let impossible = with(&|p| p.load.active_uw *= 2);
    assert_eq!(bench.gains(&mut phase, &impossible), Err(Fault::Reference));
    // PF 1 says nothing about the phase.
    assert_eq!(
        bench.phase(&mut phase, &good, PhaseTerm::Angle),
        Err(Fault::Reference)
    );
    let late = FrontEnd {
        delay: 900e-6,
        ..FrontEnd::IDEAL
    }
    .point(&ideal, RATED, 60.0);
    let error = bench
        .phase(&mut phase, &late, PhaseTerm::Delay)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Fault::Angle {
                found_mdeg: 16_190..=16_210,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().starts_with("the current is 16"),
        "{error}"
    );
    let offset = with(&|p| p.reading.active_uw -= 100_000_000);
    assert!(matches!(
        bench.power_offset(&mut phase, &offset),
        Err(Fault::Offset {
            limit_uw: 46_000_000,
            ..
        })
    ));
    assert!(matches!(
        bench.open(&mut phase, &good.reading),
        Err(Fault::Noise {
            what: Measured::Voltage,
            ..
        })
    ));
    assert!(matches!(
        bench.check(&offset, 100),
        Err(Fault::Value {
            what: Measured::Power,
            found_ppm: -43_500..=-43_400,
            limit_ppm: 100
        })
    ));
    assert_eq!(phase, ideal, "a refused step changes nothing");
}

#[test]
fn wrong_wiring_is_named() {
    let quantities = |order: [f64; 3], currents: [f64; 3], volts: [f64; 3]| -> Quantities<3> {
        let calibration = Calibration::try_new(Parameters::<3>::new(8_000_000, 50_000)).unwrap();
        let mut meter = Meter::new(&calibration);
        let block: Vec<_> = (0..8000)
            .map(|n| {
                let angle = TAU * 50.0 * f64::from(n) / RATE;
                let wave = |k: usize, lag: f64, peak: f64| {
                    ((angle - (order[k] + lag) * PI / 180.0).sin() * peak) as i32
                };
                Sample {
                    u: [0, 1, 2].map(|k| wave(k, 0.0, volts[k] * SQRT_2 / 60e-6)),
                    i: [0, 1, 2].map(|k| wave(k, currents[k], 300_000.0)),
                    n: 0,
                }
            })
            .collect();
        let _ = meter.process(&calibration, &block);
        *meter.quantities()
    };
    let (right, straight, full) = ([0.0, 120.0, 240.0], [5.0, 5.0, 5.0], [VOLTS; 3]);
    let judge = |q: Quantities<3>| wiring(&q, 230_000_000, 0);
    assert_eq!(judge(quantities(right, straight, full)), Ok(()));
    assert!(matches!(
        judge(quantities([0.0, 240.0, 120.0], straight, full)),
        Err(Fault::Sequence {
            phase: 1,
            expected_mdeg: 120_000,
            ..
        })
    ));
    assert!(matches!(
        judge(quantities(right, straight, [VOLTS, VOLTS, 100.0])),
        Err(Fault::NoVoltage { phase: 2, .. })
    ));
    let error = judge(quantities(right, [5.0, 180.0, 5.0], full)).unwrap_err();
    assert!(matches!(
        error,
        Fault::Terminals {
            phase: 1,
            expected_mdeg: 0,
            ..
        }
    ));
    assert!(matches!(
        judge(quantities(right, [125.0, 5.0, 245.0], full)),
        Err(Fault::Terminals {
            phase: 0,
            found_mdeg: 124_900..=125_100,
            ..
        })
    ));
}

fn any_point() -> impl Strategy<Value = Point> {
    let edge = |bits: u32| prop_oneof![Just(0_u64), 0..1_u64 << bits, any::<u64>(), Just(u64::MAX)];
    let signed = || {
        prop_oneof![
            Just(0_i64),
            -(1_i64 << 40)..1 << 40,
            any::<i64>(),
            Just(i64::MIN)
        ]
    };
    let load = (edge(30), edge(30), signed(), any::<bool>());
    let reading = (edge(30), edge(30), proptest::array::uniform5(signed()));
    (load, reading).prop_map(
        |((voltage_uv, current_ua, active_uw, lagging), (u, i, rest))| Point {
            load: Load {
                voltage_uv,
                current_ua,
                active_uw,
                lagging,
            },
            reading: Reading {
                voltage_uv: u,
                current_ua: i,
                active_uw: rest[0],
                fundamental_uw: rest[1],
                reactive_uvar: rest[2],
                voltage_mean_uv: rest[3],
                current_mean_ua: rest[4],
            },
        },
    )
}

/// A step of the procedure.
type Step<'a> = &'a dyn Fn(&mut PhaseParameters) -> Result<(), Fault>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Overflow checks are on in tests; a refused step changes nothing.
    #[test]
    fn any_reading_is_judged(
        points in proptest::array::uniform3(any_point()),
        temperatures in proptest::array::uniform3(any::<i32>()),
        gain in any::<u32>(),
        same in any::<bool>(),
    ) {
        let mut points = points;
        if same {
            // Close to right, so that the later checks are met as well.
            for point in &mut points {
                point.reading.voltage_uv = point.load.voltage_uv;
                point.reading.current_ua = point.load.current_ua;
            }
        }
        let start = PhaseParameters { current_gain: metrology::Gain::from_bits(gain | 1 << 26), ..PhaseParameters::IDEAL };
        let [first, second, third] = &points;
        let bench = bench();
        let steps: [Step<'_>; 9] = [
            &|p| bench.open(p, &first.reading),
            &|p| bench.gains(p, first),
            &|p| bench.phase(p, first, PhaseTerm::Delay),
            &|p| bench.phase(p, first, PhaseTerm::Angle),
            &|p| bench.delay_and_angle(p, first, (&bench.at_frequency(u32::MAX), second)),
            &|p| bench.power_offset(p, first),
            &|p| bench.current_noise(p, first),
            &|p| bench.curve(p, &points),
            &|p| {
                let [a, b, c] = temperatures;
                bench.drift(p, 23_000, &[(a, *first), (b, *second), (c, *third)])
            },
        ];
        for (k, step) in steps.iter().enumerate() {
            let mut phase = start;
            if let Err(fault) = step(&mut phase) {
                prop_assert_eq!(phase, start, "step {}: {}", k, fault);
            }
        }
        let _ = bench.check(first, 1000);
    }
}
