//! Leakage, overload and hot cables: thresholds, delays, models against their formulas.

use metrology::Sample;
use metrology::safety::{
    CableLimits, CableMonitor, Level, ResidualSums, SensorFault, ThermalLimits, ThermalModel,
    Threshold, Watch,
};
use proptest::prelude::*;

const LEAKAGE: Threshold = Threshold {
    warning: 20_000,
    alarm: 30_000,
    hysteresis: 2_000,
    delay_ms: 300,
};

#[test]
fn a_watch_takes_its_thresholds_delay_and_hysteresis_to_the_unit() {
    // (value, how often at 100 ms, level at the end)
    let story = [
        (19_999, 20, Level::Normal),
        (20_000, 2, Level::Normal),
        (20_000, 1, Level::Warning),
        (29_999, 20, Level::Warning),
        (30_000, 3, Level::Alarm),
        (28_000, 20, Level::Alarm),
        (27_999, 3, Level::Warning),
        (18_000, 20, Level::Warning),
        (17_999, 3, Level::Normal),
        // Straight to the alarm, after one delay.
        (u64::MAX, 3, Level::Alarm),
        (0, 3, Level::Normal),
    ];
    let mut watch = Watch::new();
    for (step, (value, times, level)) in story.into_iter().enumerate() {
        for _ in 0..times {
            let _ = watch.update(&LEAKAGE, value, 100);
        }
        assert_eq!(watch.level(), level, "step {step}");
    }
}

#[test]
fn a_break_starts_the_delay_of_a_watch_again() {
    let mut watch = Watch::new();
    for _ in 0..100 {
        assert_eq!(watch.update(&LEAKAGE, 40_000, 200), None);
        assert_eq!(watch.update(&LEAKAGE, 0, 100), None);
    }
}

/// Residual current of a window of 10 cycles at 4 kHz, count 10 µA.
fn residual(ac_ma: f64, dc_ma: f64) -> metrology::safety::ResidualCurrent {
    let mut sums = ResidualSums::new();
    for n in 0..800 {
        let turn = f64::from(n) / 80.0 * std::f64::consts::TAU;
        let ma = dc_ma + ac_ma * std::f64::consts::SQRT_2 * turn.sin();
        sums.push((ma * 100.0).round() as i32);
    }
    sums.close(10_000).expect("samples")
}

#[test]
fn residual_current_has_an_alternating_and_a_direct_part() {
    for (ac, dc) in [
        (30.0, 0.0),
        (0.0, 6.0),
        (30.0, -6.0),
        (300.0, 100.0),
        (0.5, 0.0),
        (0.0, 0.0),
    ] {
        let found = residual(ac, dc);
        let near = |ua: f64, expected: f64| (ua - expected).abs() < 5.0 + expected.abs() * 1e-4;
        assert!(near(found.ac_ua as f64, ac * 1e3), "{ac} {dc}: {found:?}");
        assert!(near(found.dc_ua as f64, dc * 1e3), "{ac} {dc}: {found:?}");
        assert!(
            near(found.total_ua as f64, ac.hypot(dc) * 1e3),
            "{ac} {dc}: {found:?}"
        );
    }
    assert_eq!(ResidualSums::new().close(1), None);
}

#[test]
fn the_sum_of_all_currents_shows_what_leaks() {
    let mut sums = ResidualSums::new();
    for n in 0..800 {
        let turn = |shift: f64| (f64::from(n) / 80.0 * std::f64::consts::TAU + shift).sin();
        let i = [0.0, -2.094, 2.094].map(|shift| (turn(shift) * 1e6) as i32);
        // 1 % of the first current does not come back.
        let n = -(i[0] + i[1] + i[2]) + i[0] / 100;
        sums.push_sum(&Sample { u: [0; 3], i, n });
    }
    let found = sums.close(1_000).expect("samples");
    assert!(found.ac_ua.abs_diff(7_071) < 3, "{found:?}");
}

#[test]
fn residual_sums_take_the_largest_samples() {
    for counts in [i32::MIN, i32::MAX] {
        let mut sums = ResidualSums::new();
        for _ in 0..70_000 {
            sums.push(counts);
        }
        let found = sums.close(u32::MAX).expect("samples");
        let expected = f64::from(1 << 23) * f64::from(u32::MAX) / 1000.0;
        assert!((found.total_ua as f64 / expected - 1.0).abs() < 1e-6);
        assert_eq!(found.ac_ua, 0);
        assert_eq!(found.dc_ua < 0, counts < 0);
    }
}

/// τ · ln((I² - Ip²) / (I² - k² Ir²)) with everything over Ir.
fn formula_ms(limits: &ThermalLimits, load: f64, before: f64) -> f64 {
    let trip = f64::from(limits.trip_permille) / 1000.0;
    f64::from(limits.time_constant_ms)
        * ((load * load - before * before) / (load * load - trip)).ln()
}

#[test]
fn the_thermal_model_trips_when_the_formula_says() {
    let limits = ThermalLimits::CABLE;
    let current = |over: f64| (over * limits.rated_ua as f64).round() as u64;
    for before in [0.0, 0.5, 0.9] {
        for load in [1.2, 1.5, 2.0, 5.0, 20.0] {
            let mut line = ThermalModel::new();
            let _ = line.update(&limits, current(before), u32::MAX);
            let expected = formula_ms(&limits, load, before);
            let told = line.time_to_trip_ms(&limits, current(load)).expect("trips");
            let mut passed = 0.0;
            while line.update(&limits, current(load), 200) != Some(Level::Alarm) {
                passed += 200.0;
                assert!(passed < 1e7, "never trips");
            }
            assert!(
                (passed - expected).abs() < 1e-3 * expected + 250.0,
                "{before} {load}: {passed} {expected}"
            );
            assert!(
                (f64::from(told) - expected).abs() < 1e-3 * expected + 2.0,
                "{before} {load}: {told} {expected}"
            );
        }
    }
    // 1.05 times the rated current is carried for ever.
    assert_eq!(
        ThermalModel::new().time_to_trip_ms(&limits, current(1.05)),
        None
    );
}

#[test]
fn a_stored_line_goes_on_hot_and_cools_while_nothing_flowed() {
    let limits = ThermalLimits::CABLE;
    let mut line = ThermalModel::new();
    let _ = line.update(&limits, 63_000_000, 1_200_000);
    let mut bytes = [0; ThermalModel::STATE_LEN];
    assert_eq!(line.save(&mut bytes), Ok(bytes.len()));
    let same = ThermalModel::restore(&limits, &bytes, 0).expect("own bytes");
    assert_eq!(same.heat_permille(), line.heat_permille());
    let later = ThermalModel::restore(&limits, &bytes, limits.time_constant_ms).expect("own bytes");
    let expected = line.heat_permille() as f64 / std::f64::consts::E;
    assert!((later.heat_permille() as f64 - expected).abs() < 2.0);
    for byte in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes;
            damaged[byte] ^= 1 << bit;
            assert!(
                ThermalModel::restore(&limits, &damaged, 0).is_err(),
                "{byte} {bit}"
            );
        }
        assert!(ThermalModel::restore(&limits, &bytes[..byte], 0).is_err());
        assert!(
            line.save(&mut [0; ThermalModel::STATE_LEN][..byte])
                .is_err()
        );
    }
}

#[test]
fn a_version_1_state_reads_for_ever() {
    // Heat 1.5 as stored by the first release.
    let bytes = [1, 0, 0, 0, 0x80, 1, 0, 0, 0, 0x0F, 0xC1, 0x3C, 0xFC];
    let line = ThermalModel::restore(&ThermalLimits::CABLE, &bytes, 0).expect("version 1");
    assert_eq!(line.heat_permille(), 1_500);
}

#[test]
fn a_bad_contact_is_told_before_the_cable_is_hot() {
    let limits = CableLimits::PVC;
    let thermal = ThermalLimits::CABLE;
    let mut line = ThermalModel::new();
    let _ = line.update(&thermal, thermal.rated_ua, u32::MAX);
    // At the rated current 30 K are expected: 25 °C + 30 K is as it should be.
    let mut good = CableMonitor::new();
    let mut bad = CableMonitor::new();
    for _ in 0..60 {
        let state = good
            .update(&limits, &line, 55_000, 25_000, 1_000)
            .expect("a good sensor");
        assert_eq!((state.worst(), state.excess_mk), (Level::Normal, 0));
        let state = bad
            .update(&limits, &line, 40_000, -5_000, 1_000)
            .expect("a good sensor");
        assert_eq!(state.excess_mk, 15_000);
    }
    let state = bad
        .update(&limits, &line, 40_000, -5_000, 1_000)
        .expect("a good sensor");
    assert_eq!(
        (state.temperature, state.rise, state.worst()),
        (Level::Normal, Level::Warning, Level::Warning)
    );
}

#[test]
fn temperature_limits_hold_to_the_thousandth() {
    let limits = CableLimits::PVC;
    for (cable_mc, level) in [
        (59_999, Level::Normal),
        (60_000, Level::Warning),
        (69_999, Level::Warning),
        (70_000, Level::Alarm),
    ] {
        let mut monitor = CableMonitor::new();
        let mut state = Default::default();
        for _ in 0..11 {
            // Warm surroundings: only the temperature itself is judged.
            let line = ThermalModel::new();
            state = monitor
                .update(&limits, &line, cable_mc, 60_000, 1_000)
                .expect("a good sensor");
        }
        assert_eq!(
            (state.temperature, state.worst()),
            (level, level),
            "{cable_mc}"
        );
    }
}

#[test]
fn the_rate_is_that_of_the_last_minute_for_any_interval() {
    let limits = CableLimits::PVC;
    for interval_ms in [200, 1_000, 7_000, 30_000, 90_000] {
        let mut monitor = CableMonitor::new();
        let line = ThermalModel::new();
        let mut cable_mc = 20_000.0;
        let mut last = None;
        for _ in 0..(300_000 / interval_ms) {
            // 6 K a minute with a sensor of 1/16 K.
            cable_mc += 6_000.0 * f64::from(interval_ms) / 60_000.0;
            let read = (cable_mc / 62.5).round() * 62.5;
            last = monitor
                .update(&limits, &line, read as i32, read as i32, interval_ms)
                .ok();
        }
        let state = last.expect("readings");
        assert!(
            (state.rate_mk_min - 6_000).abs() < 130,
            "{interval_ms}: {}",
            state.rate_mk_min
        );
        assert_eq!(state.rate, Level::Warning, "{interval_ms}");
    }
}

#[test]
fn a_broken_sensor_is_a_fault_and_no_temperature() {
    let mut monitor = CableMonitor::new();
    let line = ThermalModel::new();
    for found_mc in [-50_001, 250_001, i32::MIN, i32::MAX] {
        let fault = Err(SensorFault::OutOfRange { found_mc });
        assert_eq!(
            monitor.update(&CableLimits::PVC, &line, found_mc, 20_000, 1_000),
            fault
        );
        assert_eq!(
            monitor.update(&CableLimits::PVC, &line, 20_000, found_mc, 1_000),
            fault
        );
    }
    // After a fault the trend begins anew: no rate out of the gap.
    let state = monitor
        .update(&CableLimits::PVC, &line, 90_000, 20_000, 1_000)
        .expect("good");
    assert_eq!(state.rate_mk_min, 0);
}

proptest! {
    /// One step of the model is as good as many.
    #[test]
    fn heat_does_not_depend_on_the_steps(
        load in 0_u64..600_000_000,
        before in 0_u64..120_000_000,
        total_ms in 0_u32..3_000_000,
        parts in 1_u32..400,
    ) {
        let limits = ThermalLimits::CABLE;
        let mut once = ThermalModel::new();
        let _ = once.update(&limits, before, 1_000_000);
        let mut often = once;
        let step = total_ms / parts;
        let _ = once.update(&limits, load, step * parts);
        for _ in 0..parts {
            let _ = often.update(&limits, load, step);
        }
        let (a, b) = (once.heat_permille(), often.heat_permille());
        prop_assert!(a.abs_diff(b) <= 1 + a / 1_000_000, "{} {}", a, b);
    }

    #[test]
    fn nothing_panics(
        rated_ua in any::<u64>(),
        time_constant_ms in any::<u32>(),
        steps in proptest::collection::vec((any::<u64>(), any::<u32>(), any::<i32>(), any::<i32>()), 0..40),
    ) {
        let limits = ThermalLimits { rated_ua, time_constant_ms, ..ThermalLimits::CABLE };
        let (mut line, mut cable) = (ThermalModel::new(), CableMonitor::new());
        for (current_ua, elapsed_ms, cable_mc, ambient_mc) in steps {
            let _ = line.update(&limits, current_ua, elapsed_ms);
            let _ = line.time_to_trip_ms(&limits, current_ua);
            let _ = cable.update(&CableLimits::PVC, &line, cable_mc, ambient_mc, elapsed_ms);
        }
    }
}
