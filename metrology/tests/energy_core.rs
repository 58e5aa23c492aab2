//! The smallest meter beside the plain sums and beside [`Meter`], whose energy it must have.

use metrology::{
    Calibration, DcPower, EnergyConstants, EnergyCore, FULL_SCALE, Meter, NeutralParameters,
    Parameters, Sample, Sync,
};

/// Three phases of 50 Hz at 8 kHz whose currents lag by 60 degrees, with an offset and a fifth harmonic.
fn waves(count: usize, lag_samples: f64) -> Vec<Sample<3>> {
    let turn = std::f64::consts::TAU / 160.0;
    let wave = |n: f64, third: usize, peak: f64| {
        let at = turn * n - std::f64::consts::TAU * third as f64 / 3.0;
        (peak * (at.sin() + 0.1 * (5.0 * at).sin())).round() as i32
    };
    let sixty = 160.0 / 6.0;
    (0..count)
        .map(|n| n as f64)
        .map(|n| Sample {
            u: [0, 1, 2].map(|k| wave(n, k, 5e6) + 700),
            i: [0, 1, 2].map(|k| wave(n - sixty - lag_samples, k, 4e5) - 300),
            n: wave(n, 0, 1e5),
        })
        .collect()
}

fn parameters() -> Parameters<3> {
    let mut p = Parameters::<3>::new(8_000_000, 50_000);
    p.dc_power = DcPower::Kept;
    p.sync = Sync::Fixed(50_000_000);
    p.neutral = Some(NeutralParameters {
        gain: metrology::Gain::ONE,
        offset: 0,
    });
    for (k, phase) in p.phase.iter_mut().enumerate() {
        // Late by more and less than a sample, and early.
        phase.delay_ns = [310_000, 40_000, -90_000][k];
        phase.voltage_offset = 700;
        phase.current_offset = -300;
        phase.power_offset_uw = 250_000;
    }
    p
}

#[test]
fn energy_is_that_of_the_meter() {
    let calibration = Calibration::try_new(parameters()).unwrap();
    let constants = EnergyConstants::new(&calibration).unwrap();
    let block = waves(160 * 500, 0.0);
    let (mut meter, mut core) = (Meter::new(&calibration), EnergyCore::new());
    let progress = meter.process(&calibration, &block);
    assert!(!core.process(&constants, &block));
    let registers = meter.registers(&calibration);
    for phase in 0..3 {
        let register = core.registers()[phase];
        assert!(register.counts.import > 15, "{register:?}");
        assert_eq!(register.counts.export, 0);
        let raw = i128::from(register.counts.import) * constants.step_raw + register.remainder;
        let want = meter.energy_raw(&calibration, phase);
        // The meter shares samples between cycles to 2^-16.
        assert!(
            (raw - want).abs() < want / 10_000_000,
            "{phase}: {raw} {want}"
        );
        assert!(
            register
                .counts
                .import
                .abs_diff(registers.phase[phase].import)
                <= 10
        );
    }
    assert!(
        core.pulses().counts.import.abs_diff(registers.pulses) <= 2,
        "{progress:?}"
    );
    let pulses = core.pulses();
    let total: i128 = core
        .registers()
        .iter()
        .map(|r| i128::from(r.counts.import) * constants.step_raw + r.remainder)
        .sum();
    assert_eq!(
        i128::from(pulses.counts.import) * constants.pulse_raw + pulses.remainder,
        total
    );
}

#[test]
fn registers_are_the_plain_sum_however_samples_come() {
    let mut p = Parameters::<3>::new(8_000_000, 50_000);
    p.phase[1].voltage_gain = metrology::Gain::from_bits(1_099_511_627);
    let constants = EnergyConstants::new(&Calibration::try_new(p).unwrap()).unwrap();
    // Import, export, and both within a block.
    let mut block = waves(20_000, 0.0);
    for (n, set) in block.iter_mut().enumerate() {
        let sign = if n / 700 % 3 == 0 { -1 } else { 1 };
        set.i = set.i.map(|i| sign * i);
    }
    let mut whole = EnergyCore::new();
    assert!(!whole.process(&constants, &block));
    let mut pieces = EnergyCore::new();
    let mut rest = &block[..];
    for length in [1, 2, 3, 7, 64, 65, 1000, 0, 13].into_iter().cycle() {
        let (now, later) = rest.split_at(length.min(rest.len()));
        assert!(!pieces.process(&constants, now));
        // Power is lost: registers go on from what was stored.
        pieces = EnergyCore::resume(*pieces.registers(), *pieces.pulses());
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    for (phase, gain) in [1 << 30, 1_099_511_627, 1 << 30].into_iter().enumerate() {
        let product = |set: &Sample<3>| i128::from(set.u[phase]) * i128::from(set.i[phase]);
        let want = block.iter().map(product).sum::<i128>() * gain;
        for core in [&whole, &pieces] {
            let register = core.registers()[phase];
            assert!(register.remainder.abs() < constants.step_raw);
            let net = i128::from(register.counts.import) - i128::from(register.counts.export);
            assert_eq!(net * constants.step_raw + register.remainder, want);
        }
    }
}

#[test]
fn intervals_give_the_rms_of_whole_cycles() {
    let calibration = Calibration::try_new(parameters()).unwrap();
    let constants = EnergyConstants::new(&calibration).unwrap();
    let mut core = EnergyCore::new();
    for block in waves(1600, 0.0).chunks(64) {
        let _ = core.process(&constants, block);
    }
    let interval = core.interval();
    assert_eq!(interval.samples, 1600);
    let (fifth, root) = (1.01_f64.sqrt(), std::f64::consts::FRAC_1_SQRT_2);
    for k in 0..3 {
        for (channel, peak) in [(&interval.u[k], 5e6), (&interval.i[k], 4e5)] {
            let rms = f64::from(channel.rms_q8(interval.samples)) / 256.0;
            assert!((rms / (peak * fifth * root) - 1.0).abs() < 2e-6, "{rms}");
        }
    }
    let neutral = f64::from(interval.n.rms_q8(1600)) / 256.0;
    assert!(
        (neutral / (1e5 * fifth * root) - 1.0).abs() < 2e-6,
        "{neutral}"
    );
    core.clear_interval();
    assert_eq!(core.interval().samples, 0);
    assert_eq!(core.interval().u[0].rms_q8(0), 0);
}

#[test]
fn any_sample_is_limited_and_told() {
    let mut p = Parameters::<3>::new(8_000_000, 50_000);
    p.saturation = FULL_SCALE;
    let constants = EnergyConstants::new(&Calibration::try_new(p).unwrap()).unwrap();
    for (extreme, limited) in [
        (i32::MAX, FULL_SCALE),
        (i32::MIN, -FULL_SCALE),
        (FULL_SCALE, FULL_SCALE),
    ] {
        let mut block = waves(64, 0.0);
        block[37].i[2] = extreme;
        let mut core = EnergyCore::new();
        assert!(core.process(&constants, &block));
        block[37].i[2] = limited;
        let want: i128 = block
            .iter()
            .map(|set| i128::from(set.u[2]) * i128::from(set.i[2]))
            .sum();
        let register = core.registers()[2];
        let net = i128::from(register.counts.import) - i128::from(register.counts.export);
        assert_eq!(net * constants.step_raw + register.remainder, want << 30);
    }
    // Hours of it do not wrap.
    let block = [Sample::<3> {
        u: [i32::MAX; 3],
        i: [i32::MIN; 3],
        n: i32::MIN,
    }; 6400];
    let mut core = EnergyCore::new();
    for _ in 0..50 {
        assert!(core.process(&constants, &block));
    }
    let want = -(i128::from(FULL_SCALE).pow(2) << 30) * 6400 * 50;
    let register = core.registers()[0];
    let net = i128::from(register.counts.import) - i128::from(register.counts.export);
    assert_eq!(net * constants.step_raw + register.remainder, want);
    assert_eq!(core.interval().u[1].rms_q8(core.interval().samples), 0);
}

#[test]
fn steps_that_one_sample_could_fill_twice_are_refused() {
    let mut p = Parameters::<3>::new(8_000_000, 50_000);
    p.energy_step_mwh = 1;
    let calibration = Calibration::try_new(p).unwrap();
    let refused = EnergyConstants::new(&calibration).unwrap_err().to_string();
    assert!(refused.starts_with("energy_step_mwh"), "{refused}");
}

#[test]
fn constants_that_no_calibration_gives_do_not_panic() {
    let block = waves(200, 0.0);
    for extreme in [i64::MIN, -1, 0, i64::MAX] {
        let phase = metrology::EnergyPhase {
            voltage_hold: extreme.unsigned_abs() as usize,
            current_hold: 13,
            straight: extreme,
            delayed: !extreme,
            offset: [extreme as i32, (extreme >> 32) as i32],
            power_offset: extreme,
        };
        let constants = EnergyConstants {
            phase: [phase; 3],
            neutral: true,
            saturation: extreme as i32,
            step_raw: i128::from(extreme) << 64,
            pulse_raw: extreme.into(),
        };
        let mut core = EnergyCore::new();
        let saturated = core.process(&constants, &block);
        // A level of zero is always reached, one below all samples as well.
        assert_eq!(saturated, (extreme as i32).unsigned_abs() <= 5_500_000);
        assert_eq!(core.interval().samples, 200);
    }
}
