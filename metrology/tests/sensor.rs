//! The integrator behind a Rogowski coil: the ideal integral in amplitude and phase, nothing from offsets, no
//! saturation; and the whole chain on integrated samples.

use std::f64::consts::{PI, SQRT_2, TAU};

use metrology::{Calibration, FULL_SCALE, Integrator, Meter, Parameters, Rogowski, Sample};

/// Counts of a coil's signal and what the current is after it settled: (amplitude ratio to the ideal
/// integral, phase against it in degrees) at a frequency.
fn response(rate: f64, nominal: f64, frequency: f64, amplitude: f64) -> (f64, f64) {
    let rogowski = Rogowski::try_new((rate * 1e3) as u32, (nominal * 1e3) as u32).unwrap();
    let mut integrator = Integrator::default();
    let w = TAU * frequency / rate;
    // Whole cycles in whole samples, after 30 s.
    let (settle, span) = ((30.0 * rate) as usize, (rate as usize) * 2);
    let (mut re, mut im) = (0.0, 0.0);
    for n in 0..settle + span {
        let x = (amplitude * (w * n as f64).cos()).round() as i32;
        let y = f64::from(integrator.next(&rogowski, x));
        if n >= settle {
            // The integral of the cosine is the sine, `DELAY` samples late.
            let at = w * (n as f64 - f64::from(Rogowski::DELAY));
            re += y * at.sin();
            im += y * at.cos();
        }
    }
    let scale = 2.0 / span as f64 / amplitude * 4.0 * frequency / nominal;
    let (re, im) = (re * scale, im * scale);
    (re.hypot(im), im.atan2(re) * 180.0 / PI)
}

#[test]
fn amplitude_and_phase_are_those_of_the_integral_to_order_forty() {
    for (rate, nominal, orders) in [(8000.0, 50.0, 48), (8000.0, 60.0, 40), (16000.0, 50.0, 40)] {
        let mut worst = (0.0_f64, 0.0_f64);
        for order in 1..=orders {
            if ![1, 2, 3, 5, 7, 13, 21, 25, 31, 37, 40, 48].contains(&order) {
                continue;
            }
            let f = nominal * f64::from(order);
            let (ratio, degrees) = response(rate, nominal, f, 4e6);
            let bound = if order == 1 { 5e-6 } else { 7e-4 };
            assert!((ratio - 1.0).abs() < bound, "{rate} {f}: {ratio}");
            assert!(degrees.abs() < 0.0005, "{rate} {f}: {degrees}");
            worst = (worst.0.max((ratio - 1.0).abs()), worst.1.max(degrees.abs()));
        }
        println!(
            "integrator {rate} Hz, {nominal} Hz to order {orders}: {:.3} %, {:.5} degrees",
            worst.0 * 100.0,
            worst.1
        );
    }
}

#[test]
fn frequency_off_the_nominal_and_other_rates() {
    for (rate, bound) in [
        (600.0, 5e-4),
        (2000.0, 1e-4),
        (4000.0, 3e-5),
        (8000.0, 2e-5),
        (32000.0, 2e-5),
    ] {
        for f in [45.0, 47.5, 52.5, 66.0] {
            let (ratio, degrees) = response(rate, 50.0, f, 4e6);
            assert!((ratio - 1.0).abs() < bound, "{rate} {f}: {ratio}");
            assert!(degrees.abs() < 0.0005, "{rate} {f}: {degrees}");
        }
    }
}

#[test]
fn offsets_of_the_converter_vanish() {
    let rogowski = Rogowski::try_new(8_000_000, 50_000).unwrap();
    let mut integrator = Integrator::default();
    let mut last = 0;
    let mut largest = 0;
    for n in 0..8000 * 60 {
        last = integrator.next(&rogowski, 8000);
        largest = largest.max(last.abs());
        assert!(n < 8000 * 40 || last.abs() <= 1, "{n} {last}");
    }
    // 0.1 % of full scale in: a few seconds of at most 15 % of full scale.
    assert!(largest < FULL_SCALE * 15 / 100, "{largest}");
    assert!(last.abs() <= 1, "{last}");
}

#[test]
fn full_scale_never_saturates_and_any_input_is_survived() {
    let rogowski = Rogowski::try_new(8_000_000, 50_000).unwrap();
    for start in 0..160 {
        let mut integrator = Integrator::default();
        let mut largest = 0;
        for n in start..start + 16_000 {
            let x = if n / 80 % 2 == 0 {
                FULL_SCALE
            } else {
                -FULL_SCALE
            };
            largest = largest.max(integrator.next(&rogowski, x).abs());
        }
        assert!(largest < FULL_SCALE, "from {start}: {largest}");
    }
    // Beyond the range, and slow enough to reach the ends of every state.
    let mut integrator = Integrator::default();
    for n in 0..8000 * 100 {
        let x = if n / 24_000 % 2 == 0 {
            i32::MAX
        } else {
            i32::MIN
        };
        let y = integrator.next(&rogowski, x);
        assert!(y.abs() <= FULL_SCALE);
    }
    for (rate, nominal) in [(599_999, 50_000), (64_000_001, 50_000), (8_000_000, 76_000)] {
        assert!(Rogowski::try_new(rate, nominal).is_err());
    }
}

#[test]
fn chain_measures_integrated_currents_like_any_other() {
    const RATE: f64 = 8000.0;
    let rogowski = Rogowski::try_new(8_000_000, 50_000).unwrap();
    let mut p = Parameters::<1>::new(8_000_000, 50_000);
    p.phase[0].delay_ns = Rogowski::delay_ns(8_000_000);
    let calibration = Calibration::try_new(p).unwrap();
    for f in [45.3, 50.0, 58.7, 64.9] {
        for (amperes, degrees) in [(10.0, 0.0), (10.0, 60.0), (10.0, -84.0), (0.02, 60.0)] {
            let mut meter = Meter::new(&calibration);
            let mut states = [Integrator::default()];
            for second in 0..16 {
                let mut block: Vec<_> = (0..RATE as usize)
                    .map(|n| {
                        let t = f64::from(second) + n as f64 / RATE;
                        let volts = 230.0 * SQRT_2 * (TAU * f * t).sin();
                        // di/dt, scaled to a quarter of the current's counts at 50 Hz.
                        let lag = degrees * PI / 180.0;
                        let rise = amperes * SQRT_2 * f / 50.0 * (TAU * f * t - lag).cos();
                        Sample {
                            u: [(volts / 60e-6).round() as i32],
                            i: [(rise * 4.0 / 24e-6).round() as i32],
                            n: 0,
                        }
                    })
                    .collect();
                rogowski.integrate(&mut states, &mut block);
                let _ = meter.process(&calibration, &block);
            }
            let line = meter.quantities().phase[0];
            let s = 230.0 * amperes;
            let (sin, cos) = (degrees * PI / 180.0).sin_cos();
            let near = |what, got: f64, want: f64, scale: f64, bound: f64| {
                let error = (got - want).abs() / scale;
                assert!(
                    error < bound,
                    "{what} at {f} Hz, {amperes} A, {degrees}: {error}"
                );
            };
            near("I", line.current_ua as f64 / 1e6, amperes, amperes, 1e-4);
            near("P", line.active_uw as f64 / 1e6, s * cos, s, 5e-5);
            near("Q", line.reactive_uvar as f64 / 1e6, s * sin, s, 1e-4);
        }
    }
}
