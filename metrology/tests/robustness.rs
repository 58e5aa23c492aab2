//! Nothing wraps, panics or goes unseen, whatever the converter delivers and for however long. Overflow checks are on in
//! tests, so a sum that wraps fails here. The long runs: `cargo xtask long`.

use metrology::{Calibration, DcPower, FULL_SCALE, Meter, Parameters, Sample, Sync, Window};
use proptest::prelude::*;

fn parameters<const PHASES: usize>(rate_mhz: u32) -> Parameters<PHASES> {
    let mut p = Parameters::new(rate_mhz, 50_000);
    // The bare sum of products: it must come out exactly.
    p.dc_power = DcPower::Kept;
    p
}

/// What the chain sees of a sample: 24 bits.
fn limited(x: i32) -> i128 {
    x.clamp(-FULL_SCALE, FULL_SCALE).into()
}

/// A square wave between the ends of `i32`.
fn square(n: u64, half: u64) -> i32 {
    if (n / half).is_multiple_of(2) {
        i32::MAX
    } else {
        i32::MIN
    }
}

/// Runs a square wave of full scale; everything must come out exactly and be flagged.
fn full_scale(rate_mhz: u32, half: u64, samples: u64, sync: Sync, window: Window) {
    let mut p = parameters::<1>(rate_mhz);
    (p.sync, p.window) = (sync, window);
    let calibration = Calibration::try_new(p).unwrap();
    let mut meter = Meter::new(&calibration);
    let (mut n, mut windows) = (0, 0);
    while n < samples {
        let block: [Sample<1>; 64] = std::array::from_fn(|k| {
            let x = square(n + k as u64, half);
            Sample {
                u: [x],
                i: [x],
                n: 0,
            }
        });
        n += 64;
        let progress = meter.process(&calibration, &block);
        assert!(progress.saturated);
        windows += u64::from(progress.windows);
    }
    let square = i128::from(FULL_SCALE) * i128::from(FULL_SCALE);
    assert_eq!(
        meter.energy_raw(&calibration, 0),
        (square * i128::from(n)) << 30
    );
    assert_eq!(meter.samples(), n);
    assert!(windows > 0 && meter.quantities().number + 1 >= windows);
    let flags = meter.quantities().flags;
    assert_eq!((flags.voltage_saturated, flags.current_saturated), (1, 1));
    // 2^23 counts of 60 µV and 24 µA; the last window may hold half a wave more of one sign.
    let line = &meter.quantities().phase[0];
    assert!(line.voltage_uv <= 503_316_481, "{}", line.voltage_uv);
    assert!(line.current_ua <= 201_326_593, "{}", line.current_ua);
    assert!(line.active_uw <= 101_330_991_000_000, "{}", line.active_uw);
}

#[test]
fn full_scale_square_waves_of_every_period() {
    for rate_mhz in [600_000, 4_000_000, 8_000_000, 64_000_000] {
        for half in [1, 2, 3, 7, 40, 80, 333, 5000] {
            for (sync, window) in [
                (Sync::Auto, Window::Standard),
                (Sync::Fixed(50_000_000), Window::Longest),
                (Sync::Current(0), Window::Cycles(1)),
            ] {
                full_scale(rate_mhz, half, 20_000, sync, window);
            }
        }
    }
}

/// 37 hours at 32 kHz: past the 2^32nd sample.
#[test]
#[ignore = "simulated hours; cargo xtask long"]
fn full_scale_past_the_sample_2_to_the_32() {
    full_scale(
        32_000_000,
        320,
        (1 << 32) + 100_000,
        Sync::Auto,
        Window::Standard,
    );
}

/// Eight hours of each kind of window at full scale.
#[test]
#[ignore = "simulated hours; cargo xtask long"]
fn full_scale_for_hours() {
    for window in [Window::Longest, Window::Cycles(600), Window::Cycles(1)] {
        full_scale(8_000_000, 80, 8 * 3600 * 8000, Sync::Auto, window);
    }
}

#[test]
fn channels_that_are_dead_stuck_or_swapped_divide_by_nothing() {
    let calibration = Calibration::try_new(parameters::<3>(8_000_000)).unwrap();
    let wave = |n: usize| (f64::from(n as u32) * 0.039_27).sin();
    // What the three voltages and currents show: dead, stuck at the lowest code, one count, alive.
    let shapes: [fn(f64) -> i32; 4] = [|_| 0, |_| i32::MIN, |_| 1, |sine| (sine * 4e6) as i32];
    for code in 0..4096_usize {
        let shape = |channel: usize| shapes[code >> (2 * channel) & 3];
        // The whole table of shapes is long: every seventh, which meets each channel in each state.
        if !code.is_multiple_of(7) {
            continue;
        }
        let block: Vec<Sample<3>> = (0..2400)
            .map(|n| Sample {
                u: std::array::from_fn(|k| shape(k)(wave(n + 53 * k))),
                i: std::array::from_fn(|k| shape(k + 3)(wave(n + 53 * k + 20))),
                n: i32::MIN,
            })
            .collect();
        let mut meter = Meter::new(&calibration);
        let progress = meter.process(&calibration, &block);
        let stuck = (0..6).any(|channel| code >> (2 * channel) & 3 == 1);
        assert_eq!(progress.saturated, stuck, "{code:o}");
        for (k, line) in meter.quantities().phase.iter().enumerate() {
            let dead = |channel: usize| code >> (2 * channel) & 3 == 0;
            if dead(k) || dead(k + 3) {
                assert_eq!((line.active_uw, line.power_factor_ppm), (0, 0), "{code:o}");
            }
            assert!(line.power_factor_ppm.abs() <= 1_000_000);
            assert!(line.angle_mdeg.abs() <= 180_000);
        }
        for phase in 0..3 {
            let want: i128 = block
                .iter()
                .map(|s| limited(s.u[phase]) * limited(s.i[phase]))
                .sum();
            assert_eq!(
                meter.energy_raw(&calibration, phase),
                want << 30,
                "{code:o}"
            );
        }
    }
}

/// Values from the ends of `i32`, of 24 bits and around zero more often than by chance.
fn any_count() -> impl Strategy<Value = i32> {
    prop_oneof![
        any::<i32>(),
        -3..=3_i32,
        (FULL_SCALE - 2)..=(FULL_SCALE + 2),
        (-FULL_SCALE - 2)..=(-FULL_SCALE + 2),
        Just(i32::MIN),
        Just(i32::MAX),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any sequence, repeated so that windows close: the energy is the plain sum, the flag tells of the limit.
    #[test]
    fn any_sequence_is_summed_exactly(
        pattern in proptest::collection::vec((any_count(), any_count()), 1..120),
        length in 1..6000_usize,
        rate_mhz in 600_000..64_000_001_u32,
        cut in 1..200_usize,
    ) {
        let calibration = Calibration::try_new(parameters::<1>(rate_mhz)).unwrap();
        let mut meter = Meter::new(&calibration);
        let samples: Vec<Sample<1>> = pattern
            .iter()
            .cycle()
            .take(length)
            .map(|&(u, i)| Sample { u: [u], i: [i], n: 0 })
            .collect();
        let mut saturated = false;
        for block in samples.chunks(cut) {
            saturated |= meter.process(&calibration, block).saturated;
        }
        let want: i128 = samples.iter().map(|s| limited(s.u[0]) * limited(s.i[0])).sum();
        prop_assert_eq!(meter.energy_raw(&calibration, 0), want << 30);
        let beyond = |x: i32| limited(x).abs() == i128::from(FULL_SCALE);
        let limit = samples.iter().any(|s| beyond(s.u[0]) || beyond(s.i[0]));
        prop_assert_eq!(saturated, limit);
    }
}
