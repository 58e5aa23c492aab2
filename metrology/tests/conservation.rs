//! Nothing is lost or made: registers and remainders equal the plain sum of products, however the samples
//! are cut into blocks, whatever they are, and across saved states.

use metrology::{
    Calibration, CalibrationError, Counts, DcPower, FULL_SCALE, Meter, Parameters, Rule, Sample,
    StateError, Sync, Window,
};
use proptest::prelude::*;

fn calibration(gain: u32) -> Calibration<3> {
    let mut p = Parameters::new(4_000_000, 50_000);
    p.dc_power = DcPower::Kept;
    for phase in &mut p.phase {
        phase.voltage_gain = metrology::Gain::from_bits(gain);
    }
    Calibration::try_new(p).unwrap()
}

/// Small generator, so that long signals need no stored input.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn sample(&mut self, tone: i32) -> Sample<3> {
        // Mostly a tone, so that windows close at crossings; the rest noise of changing sign and size.
        let mut part = |shift: u32| ((self.next() >> 40) as i32 - (1 << 23)) >> shift;
        Sample {
            u: [tone + part(6), part(1) + tone / 2, part(4)],
            i: [part(0) / 2 + tone / 3, part(3), part(2) - tone / 9],
            n: part(2),
        }
    }
}

fn tone(n: usize, period: usize) -> i32 {
    // A triangle is periodic enough and exact.
    let at = (n % period) as i64;
    let half = period as i64 / 2;
    ((at - half).abs() * 12_000_000 / half - 6_000_000) as i32
}

/// Σ u·i · gain, raw units, of already limited samples.
fn plain(samples: &[Sample<3>], phase: usize, gain: u32) -> i128 {
    let limit = |x: i32| i128::from(x.clamp(-FULL_SCALE, FULL_SCALE));
    samples
        .iter()
        .map(|s| limit(s.u[phase]) * limit(s.i[phase]))
        .sum::<i128>()
        * i128::from(gain)
}

#[test]
fn registers_equal_the_plain_sum_over_any_blocks_and_saves() {
    let gain = 1_099_511_627; // 1.024
    let calibration = calibration(gain);
    for seed in 1..6_u64 {
        let mut noise = Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let samples: Vec<_> = (0..60_000)
            .map(|n| noise.sample(tone(n, 79 + seed as usize)))
            .collect();
        let mut whole = Meter::new(&calibration);
        let _ = whole.process(&calibration, &samples);
        let mut cut = Meter::new(&calibration);
        let mut saved = Meter::new(&calibration);
        let mut rest = &samples[..];
        while !rest.is_empty() {
            let length = 1 + (noise.next() % 700) as usize;
            let (block, after) = rest.split_at(length.min(rest.len()));
            let _ = cut.process(&calibration, block);
            let _ = saved.process(&calibration, block);
            if noise.next().is_multiple_of(4) {
                let mut state = vec![0; Meter::<3>::STATE_LEN];
                assert_eq!(saved.save(&calibration, &mut state), Ok(state.len()));
                saved = Meter::new(&calibration);
                saved.restore(&calibration, &state).unwrap();
            }
            rest = after;
        }
        assert_eq!(whole, cut, "block sizes do not matter");
        for phase in 0..3 {
            let want = plain(&samples, phase, gain);
            assert_eq!(whole.energy_raw(&calibration, phase), want);
            assert_eq!(
                saved.energy_raw(&calibration, phase),
                want,
                "across saved states"
            );
            let Counts { import, export } = whole.registers(&calibration).phase[phase];
            let steps = (i128::from(import) - i128::from(export)) * calibration.step_raw();
            // The register itself lags by less than a step and the open window.
            let window = i128::from(FULL_SCALE).pow(2) * 1000 * i128::from(gain);
            assert!(
                (want - steps).abs() < calibration.step_raw() + window,
                "{want} {steps}"
            );
        }
    }
}

#[test]
fn sums_hold_at_full_scale_for_the_longest_window() {
    let mut p = Parameters::<1>::new(4_000_000, 50_000);
    (p.dc_power, p.window) = (DcPower::Kept, Window::Longest);
    for sync in [Sync::Auto, Sync::Fixed(50_000_000)] {
        p.sync = sync;
        let calibration = Calibration::try_new(p).unwrap();
        let mut meter = Meter::new(&calibration);
        let count = 150_000;
        let square: Vec<_> = (0..count)
            .map(|n| {
                let x = if n / 40 % 2 == 0 { i32::MAX } else { i32::MIN };
                Sample {
                    u: [x],
                    i: [x],
                    n: 0,
                }
            })
            .collect();
        let progress = meter.process(&calibration, &square);
        assert!(progress.saturated && progress.windows > 0);
        let full = i128::from(FULL_SCALE) * i128::from(FULL_SCALE);
        assert_eq!(
            meter.energy_raw(&calibration, 0),
            (full * count as i128) << 30
        );
        let line = meter.quantities().phase[0];
        assert_eq!(meter.quantities().flags.voltage_saturated, 1);
        // 2^23 counts of 60 µV.
        assert!(
            line.voltage_uv.abs_diff(503_316_420) < 1000,
            "{}",
            line.voltage_uv
        );
    }
}

#[test]
fn state_bytes_are_refused_by_name() {
    let calibration = calibration(1 << 30);
    let mut meter = Meter::new(&calibration);
    let mut state = vec![0; Meter::<3>::STATE_LEN];
    meter.save(&calibration, &mut state).unwrap();
    assert!(matches!(
        meter.save(&calibration, &mut [0; 20]),
        Err(StateError::Length { found: 20, .. })
    ));
    for position in 0..state.len() {
        let mut bad = state.clone();
        bad[position] ^= 0x10;
        assert!(matches!(
            meter.restore(&calibration, &bad),
            Err(StateError::Crc { .. })
        ));
    }
    for length in 0..state.len() {
        assert!(meter.restore(&calibration, &state[..length]).is_err());
    }
    let single = Calibration::<1>::try_new(Parameters::new(4_000_000, 50_000)).unwrap();
    assert_eq!(
        Meter::new(&single).restore(&single, &state),
        Err(StateError::Phases { found: 3 })
    );
}

#[test]
fn remainders_survive_a_new_calibration() {
    let old = calibration(1 << 30);
    let mut meter = Meter::new(&old);
    let mut noise = Noise(7);
    let samples: Vec<_> = (0..40_000).map(|n| noise.sample(tone(n, 80))).collect();
    let _ = meter.process(&old, &samples);
    let mut state = vec![0; Meter::<3>::STATE_LEN];
    meter.save(&old, &mut state).unwrap();
    let mut p = *old.parameters();
    p.voltage_nv = 30_000;
    let new = Calibration::try_new(p).unwrap();
    let mut restored = Meter::new(&new);
    restored.restore(&new, &state).unwrap();
    assert_eq!(restored.registers(&new), meter.registers(&old));
    for phase in 0..3 {
        let part = |meter: &Meter<3>, c: &Calibration<3>| {
            meter.energy_raw(c, phase) as f64 / c.step_raw() as f64
        };
        assert!((part(&restored, &new) - part(&meter, &old)).abs() < 1e-5);
    }
}

#[test]
fn constants_are_kept_and_bad_ones_refused_by_name() {
    let mut p = Parameters::<3>::new(8_000_000, 60_000);
    p.phase[1].delay_ns = -12_345;
    p.phase[2].angle = 8_351_000;
    p.phase[0].current_noise = 700;
    p.neutral = Some(metrology::NeutralParameters {
        gain: metrology::Gain::from_bits(1 << 29),
        offset: -5,
    });
    p.window = Window::Cycles(25);
    p.sync = Sync::Fixed(61_000_000);
    let good = Calibration::try_new(p).unwrap();
    let mut bytes = [0; Calibration::<3>::ENCODED_LEN];
    assert_eq!(good.encode(&mut bytes), Ok(bytes.len()));
    assert_eq!(Calibration::decode(&bytes), Ok(good));
    assert!(good.encode(&mut [0; 20]).is_err());
    for position in 0..bytes.len() {
        let mut bad = bytes;
        bad[position] ^= 1;
        assert!(matches!(
            Calibration::<3>::decode(&bad),
            Err(CalibrationError::Crc { .. })
        ));
        assert!(Calibration::<3>::decode(&bytes[..position]).is_err());
    }
    assert!(matches!(
        Calibration::<1>::decode(&bytes),
        Err(CalibrationError::Length { .. })
    ));

    p.phase[1].voltage_gain = metrology::Gain::from_bits(5);
    let error = Calibration::try_new(p).unwrap_err();
    assert_eq!(
        error.to_string(),
        "voltage_gain of phase 1 must lie in 67108864 to 4294967295"
    );
    p.phase[1].voltage_gain = metrology::Gain::ONE;
    p.phase[1].delay_ns = 2_000_000;
    let error = Calibration::try_new(p).unwrap_err();
    assert_eq!(
        error,
        CalibrationError::Parameter {
            name: "delay_ns",
            phase: Some(1),
            rule: Rule::TooLate
        }
    );
    assert!(Calibration::<2>::try_new(Parameters::new(8_000_000, 50_000)).is_err());
}

fn any_parameters() -> impl Strategy<Value = Parameters<3>> {
    let phase = (any::<[u32; 3]>(), any::<[i32; 5]>());
    let words = any::<[u32; 9]>();
    (
        words,
        proptest::array::uniform3(phase),
        0..4_u8,
        any::<bool>(),
    )
        .prop_map(|(w, phases, kind, neutral)| {
            // Near the limits of every range, so that most sets pass the checks.
            let mut p = Parameters::new(600_000 + w[0] % 63_400_001, 40_000 + w[1] % 35_001);
            p.voltage_nv = w[2] >> (w[2] % 24);
            p.current_na = w[3] >> (w[3] % 24);
            p.saturation = 1 + (w[4] % FULL_SCALE as u32) as i32;
            p.sync_level = 1 + w[5] % 100_000;
            p.sync = [
                Sync::Auto,
                Sync::Voltage(1),
                Sync::Current(2),
                Sync::Fixed(40_000_000 + w[6] % 35_000_000),
            ][usize::from(kind)];
            p.window = [
                Window::Standard,
                Window::Cycles(1 + (w[7] % 600) as u16),
                Window::Longest,
            ][(w[7] % 3) as usize];
            p.start_uw = w[8] >> (w[8] % 32);
            p.neutral = neutral.then_some(metrology::NeutralParameters {
                gain: metrology::Gain::MAX,
                offset: 1 << 20,
            });
            for (phase, (unsigned, signed)) in p.phase.iter_mut().zip(phases) {
                phase.voltage_gain = metrology::Gain::from_bits(unsigned[0] | 1 << 26);
                phase.current_gain = metrology::Gain::from_bits(unsigned[1] | 1 << 26);
                phase.current_noise = unsigned[2];
                phase.voltage_offset = signed[0] >> 11;
                phase.current_offset = signed[1] >> 11;
                phase.delay_ns = signed[2] >> 14;
                phase.angle = signed[3] >> 6;
                phase.power_offset_uw = signed[4];
            }
            p
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Overflow checks are on in tests: any wrap in the chain would panic here.
    #[test]
    fn any_samples_under_any_constants_are_survived(
        p in any_parameters(),
        seed in 1..u64::MAX,
        period in 4_usize..2000,
        blocks in proptest::collection::vec(0_usize..3000, 1..12),
    ) {
        if let Ok(calibration) = Calibration::try_new(p) {
            let mut meter = Meter::new(&calibration);
            let mut noise = Noise(seed);
            let mut n = 0;
            for length in blocks {
                let block: Vec<_> = (0..length)
                    .map(|_| {
                        n += 1;
                        let square = if n / period % 2 == 0 { i32::MAX } else { i32::MIN };
                        match noise.next() % 8 {
                            0 => Sample { u: [noise.next() as i32; 3], i: [noise.next() as i32; 3], n: noise.next() as i32 },
                            1..3 => noise.sample(0),
                            _ => Sample { u: [square; 3], i: [square, i32::MIN, 0], n: square },
                        }
                    })
                    .collect();
                let _ = meter.process(&calibration, &block);
            }
            let mut state = vec![0; Meter::<3>::STATE_LEN];
            meter.save(&calibration, &mut state).unwrap();
            let mut restored = Meter::new(&calibration);
            prop_assert!(restored.restore(&calibration, &state).is_ok());
            prop_assert_eq!(restored.registers(&calibration), meter.registers(&calibration));
        }
    }
}
