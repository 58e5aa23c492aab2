//! What the procedure makes of known and of random front ends.

use std::f64::consts::PI;

use metrology::adjust::{Fault, Load, PhaseTerm, Point, Reading, self_test};
use metrology::{Calibration, CalibrationError, Curve, Drift, Parameters, PhaseParameters, Stamp};

use super::{FrontEnd, RATED, Random, VOLTS, bench, calibrate};

#[test]
fn residuals_of_random_front_ends_are_inside_the_budget() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut worst = [0.0_f64; 5];
    for k in 0..10 {
        let front = FrontEnd::random(&mut random);
        let term = if k % 2 == 0 {
            PhaseTerm::Delay
        } else {
            PhaseTerm::Angle
        };
        let phase = calibrate(&front, term).unwrap_or_else(|e| panic!("{front:?}: {e}"));
        // 1 % to 120 % of the rated current, and Imax / 5000.
        for (amperes, degrees) in [
            (0.1, 0.0),
            (0.1, 60.0),
            (12.0, 0.0),
            (12.0, 60.0),
            (3.0, -36.87),
            (3.0, 90.0),
            (100.0, 60.0),
            (0.02, 0.0),
        ] {
            let Point { reading, .. } = front.point_at(&phase, amperes, degrees, 50.0, 0.7);
            let s = VOLTS * amperes;
            let (sin, cos) = (degrees * PI / 180.0).sin_cos();
            let error = |got: f64, want: f64, scale: f64| (got / 1e6 - want).abs() / scale;
            let voltage = error(reading.voltage_uv as f64, VOLTS, VOLTS);
            let current = error(reading.current_ua as f64, amperes, amperes);
            let power = error(reading.active_uw as f64, s * cos, s * cos.abs().max(0.5));
            let reactive = error(reading.reactive_uvar as f64, s * sin, s);
            let context = format!("{amperes} A, {degrees}: {front:?}");
            // What leaks from the voltage into the current is a true part of it: only the power is freed of it.
            let leak = front.crosstalk.abs() * VOLTS / 60e-6 * 24e-6 / amperes;
            assert!(voltage < 1e-4, "U {voltage} {context}");
            assert!(current < 1e-4 + 1.1 * leak, "I {current} {leak} {context}");
            let bound = if degrees == 0.0 && amperes > 0.05 {
                1e-4
            } else {
                2e-4
            };
            assert!(power < bound, "P {power} {context}");
            assert!(reactive < 2e-4, "Q {reactive} {context}");
            let low = amperes < 0.05;
            for (worst, error) in worst.iter_mut().zip([
                voltage,
                (current - 1.1 * leak).max(0.0),
                if degrees == 0.0 && !low { power } else { 0.0 },
                if degrees != 0.0 { power } else { 0.0 },
                if low { power } else { 0.0 },
            ]) {
                *worst = worst.max(error);
            }
        }
    }
    let [u, i, p, p_half, p_low] = worst.map(|error| error * 100.0);
    println!(
        "after calibration: U {u:.5} %, I {i:.5} %, P {p:.5} %, PF 0.5 {p_half:.5} %, Imax/5000 {p_low:.5} %"
    );
}

#[test]
fn known_errors_come_back_as_inverse_constants() {
    assert_eq!(self_test(), Ok(()));
    // The same through samples, whose rounding to counts the bounds leave room for.
    let front = FrontEnd {
        voltage: 1.04,
        current: 0.97,
        delay: 123e-6,
        ..FrontEnd::IDEAL
    };
    let mut phase = PhaseParameters::IDEAL;
    let point = front.point(&phase, 50.0, 0.0);
    bench().gains(&mut phase, &point).unwrap();
    let point = front.point(&phase, 50.0, 60.0);
    bench().phase(&mut phase, &point, PhaseTerm::Delay).unwrap();
    let unity = f64::from(1 << 30);
    assert!((f64::from(phase.voltage_gain.to_bits()) / unity * 1.04 - 1.0).abs() < 1e-6);
    assert!((f64::from(phase.current_gain.to_bits()) / unity * 0.97 - 1.0).abs() < 1e-6);
    // 0.002° are 111 ns.
    assert!((phase.delay_ns - 123_000).abs() < 111, "{}", phase.delay_ns);
}

#[test]
fn noise_is_measured_and_taken_off() {
    // A converter of 101 dB: 53 counts, 0.16 % at Imax / 5000.
    let front = FrontEnd {
        noise: 52.9,
        ..FrontEnd::IDEAL
    };
    let mut phase = PhaseParameters::IDEAL;
    let before = front.point(&phase, 0.02, 0.0).reading.current_ua as f64 / 20_000.0 - 1.0;
    assert!(before > 1e-3, "{before}");
    let open = front.open(&phase);
    bench().open(&mut phase, &open).unwrap();
    let counts = (f64::from(phase.current_noise) / 256.0).sqrt();
    assert!((counts - 52.9).abs() < 1.0, "{counts}");
    let after = front.point(&phase, 0.02, 0.0).reading.current_ua as f64 / 20_000.0 - 1.0;
    assert!(after.abs() < before / 3.0, "{before} {after}");
    // From a low load instead of open terminals.
    let mut phase = PhaseParameters::IDEAL;
    let point = front.point(&phase, 0.005, 0.0);
    bench().current_noise(&mut phase, &point).unwrap();
    let counts = (f64::from(phase.current_noise) / 256.0).sqrt();
    assert!((counts - 52.9).abs() < 4.0, "{counts}");
}

#[test]
fn two_frequencies_tell_delay_and_lead_apart() {
    let front = FrontEnd {
        delay: 140e-6,
        lead: 1.1,
        ..FrontEnd::IDEAL
    };
    let mut phase = PhaseParameters::IDEAL;
    let here = front.point_at(&phase, RATED, 60.0, 47.0, 2.3);
    let there = front.point_at(&phase, RATED, 60.0, 53.0, 2.3);
    let at = |f: u32| bench().at_frequency(f);
    at(47_000)
        .delay_and_angle(&mut phase, &here, (&at(53_000), &there))
        .unwrap();
    assert!(
        (phase.delay_ns - 140_000).abs() < 1500,
        "{}",
        phase.delay_ns
    );
    let lead = f64::from(phase.angle) * 360.0 / 4_294_967_296.0;
    assert!((lead - 1.1).abs() < 0.03, "{lead}");
    for f in [45.0, 50.0, 55.0] {
        let Point { reading, load } = front.point_at(&phase, RATED, 60.0, f, 1.0);
        let error = reading.active_uw as f64 / load.active_uw as f64 - 1.0;
        assert!(error.abs() < 1e-4, "{f} Hz: {error}");
    }
    assert_eq!(
        at(50_000).delay_and_angle(&mut phase, &here, (&at(51_999), &there)),
        Err(Fault::Points)
    );
}

#[test]
fn curve_of_a_transformer_from_five_currents() {
    // Ratio falls and lead grows towards low currents, as with a falling permeability.
    let front = |amperes: f64| FrontEnd {
        current: 1.0 - 0.002 / (1.0 + amperes),
        lead: 0.1 + 0.6 / (1.0 + amperes),
        ..FrontEnd::IDEAL
    };
    let mut phase = PhaseParameters::IDEAL;
    let points =
        [0.1, 0.5, 1.5, 5.0, 20.0].map(|amperes| front(amperes).point(&phase, amperes, 60.0));
    bench().curve(&mut phase, &points).unwrap();
    assert_eq!(phase.curve.points().len(), 5);
    for amperes in [0.1, 0.5, 1.5, 5.0, 20.0] {
        for degrees in [0.0, 60.0, -36.87] {
            let Point { reading, load } = front(amperes).point(&phase, amperes, degrees);
            let error = reading.active_uw as f64 / load.active_uw as f64 - 1.0;
            assert!(error.abs() < 1e-4, "{amperes} A, {degrees}: {error}");
        }
    }
    assert_eq!(
        bench().curve(&mut phase, &points),
        Err(Fault::Points),
        "a second time"
    );
    phase.curve = Curve::NONE;
    assert_eq!(bench().curve(&mut phase, &points[..2]), Err(Fault::Points));
    let mut falling = points;
    falling.reverse();
    assert!(matches!(
        bench().curve(&mut phase, &falling),
        Err(Fault::Constant(CalibrationError::Parameter {
            name: "curve.current_ua",
            ..
        }))
    ));
    assert_eq!(phase.curve, Curve::NONE);
}

#[test]
fn temperature_terms_from_two_or_three_temperatures() {
    let load = Load {
        voltage_uv: 230_000_000,
        current_ua: 50_000_000,
        active_uw: 11_500_000_000,
        lagging: false,
    };
    // True gains: what the sensors' drift asks for.
    let voltage = |dt: f64| 1.01 * (1.0 + 25e-6 * dt - 0.03e-6 * dt * dt);
    let current = |dt: f64| 0.98 * (1.0 - 60e-6 * dt + 0.08e-6 * dt * dt);
    let point = |celsius: f64| {
        let dt = celsius - 23.0;
        let reading = Reading {
            voltage_uv: (230e6 / voltage(dt)).round() as u64,
            current_ua: (50e6 / current(dt)).round() as u64,
            ..Reading::default()
        };
        ((celsius * 1000.0) as i32, Point { load, reading })
    };
    let mut phase = PhaseParameters::IDEAL;
    bench()
        .drift(
            &mut phase,
            23_000,
            &[point(-20.0), point(31.0), point(60.0)],
        )
        .unwrap();
    for celsius in [-40.0, -5.0, 23.0, 55.0, 70.0] {
        let dt = celsius - 23.0;
        for (gain, drift, want) in [
            (
                phase.voltage_gain.to_bits(),
                phase.voltage_drift,
                voltage(dt),
            ),
            (
                phase.current_gain.to_bits(),
                phase.current_drift,
                current(dt),
            ),
        ] {
            let factor = f64::from(drift.factor_q30((dt * 1000.0) as i32));
            let got = f64::from(gain) / 2_f64.powi(60) * factor;
            assert!((got / want - 1.0).abs() < 1e-6, "{celsius}: {got} {want}");
        }
    }
    let again = bench().drift(&mut phase, 23_000, &[point(0.0), point(30.0)]);
    assert_eq!(again, Err(Fault::Points), "terms are there already");
    let mut phase = PhaseParameters::IDEAL;
    bench()
        .drift(&mut phase, 23_000, &[point(13.0), point(33.0)])
        .unwrap();
    assert_eq!(phase.voltage_drift.square_ppq, 0);
    assert!((phase.voltage_drift.linear_ppt - 25_000_000).abs() < 100_000);
    for points in [
        &[point(20.0)][..],
        &[point(20.0), point(24.0)],
        &[point(0.0); 4],
    ] {
        assert_eq!(
            bench().drift(&mut phase.clone(), 23_000, points),
            Err(Fault::Points)
        );
        let mut fresh = PhaseParameters::IDEAL;
        assert_eq!(
            bench().drift(&mut fresh, 23_000, points),
            Err(Fault::Points)
        );
        assert_eq!(fresh.voltage_drift, Drift::NONE);
    }
}

#[test]
fn locked_constants_carry_revision_and_date() {
    let front = FrontEnd::random(&mut Random(99));
    let mut p = Parameters::<1>::new(8_000_000, 50_000);
    p.phase = [calibrate(&front, PhaseTerm::Delay).unwrap()];
    p.stamp = Stamp {
        revision: 1,
        date: 20_261_121,
    };
    let calibration = Calibration::try_new(p).unwrap();
    let mut bytes = [0; Calibration::<1>::ENCODED_LEN];
    calibration.encode(&mut bytes).unwrap();
    assert_eq!(Calibration::decode(&bytes), Ok(calibration));
    bytes[40] ^= 4;
    assert!(matches!(
        Calibration::<1>::decode(&bytes),
        Err(CalibrationError::Crc { .. })
    ));
}
