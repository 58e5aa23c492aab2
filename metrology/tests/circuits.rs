//! Further circuits: as accurate as the phases, exact in their registers, independent of one another.

use std::f64::consts::{PI, SQRT_2, TAU};

use metrology::{
    Calibration, CalibrationError, Circuit, CircuitCalibration, CircuitRegisters, Circuits, Counts,
    Curve, CurvePoint, DcPower, Meter, Parameters, Rule, Sample, StateError,
};
use proptest::prelude::*;

const RATE: f64 = 8000.0;

/// What a circuit of the test carries, and the errors of its sensor.
#[derive(Clone, Copy, Debug)]
struct Branch {
    amperes: f64,
    degrees: f64,
    ratio: f64,
    delay: f64,
    lead: f64,
}

/// Twelve branches, one direction and size after the other.
fn branches() -> [Branch; 12] {
    std::array::from_fn(|k| {
        let x = k as f64;
        Branch {
            amperes: [0.05, 0.4, 2.0, 16.0, 60.0][k % 5],
            degrees: [0.0, 60.0, -36.87, 180.0, 240.0, 80.0][k % 6],
            ratio: 1.0 + (x - 6.0) / 150.0,
            delay: (x - 1.0) * 25e-6,
            lead: x / 10.0,
        }
    })
}

fn constants(calibration: &Calibration<3>) -> CircuitCalibration<12> {
    let mut circuits = std::array::from_fn(|k| Circuit::on(k as u8 % 3));
    for (circuit, branch) in circuits.iter_mut().zip(branches()) {
        let own = &mut circuit.constants;
        own.current_gain =
            metrology::Gain::from_bits((f64::from(1 << 30) / branch.ratio).round() as u32);
        own.delay_ns = (branch.delay * 1e9).round() as i32;
        own.angle = (branch.lead / 360.0 * 4_294_967_296.0).round() as i32;
    }
    CircuitCalibration::try_new(calibration, circuits).unwrap()
}

fn signals(f: f64, seconds: f64) -> (Vec<Sample<3>>, Vec<[i32; 12]>) {
    let count = (RATE * seconds) as usize;
    let time = |n: usize| TAU * f * n as f64 / RATE;
    let lag = |phase: usize| phase as f64 * TAU / 3.0;
    let block = (0..count)
        .map(|n| Sample {
            u: [0, 1, 2]
                .map(|k| (230.0 * SQRT_2 * (time(n) - lag(k)).sin() / 60e-6).round() as i32),
            ..Sample::ZERO
        })
        .collect();
    let all = branches();
    let currents = (0..count)
        .map(|n| {
            std::array::from_fn(|k| {
                let b = all[k];
                let angle =
                    time(n) - TAU * f * b.delay - lag(k % 3) + (b.lead - b.degrees) * PI / 180.0;
                (b.amperes * b.ratio * SQRT_2 * angle.sin() / 24e-6).round() as i32
            })
        })
        .collect();
    (block, currents)
}

#[test]
fn twelve_circuits_are_as_accurate_as_the_phases() {
    let calibration = Calibration::try_new(Parameters::<3>::new(8_000_000, 50_000)).unwrap();
    let constants = constants(&calibration);
    for f in [46.3, 50.0, 53.7] {
        let (block, currents) = signals(f, 1.0);
        let mut meter = Meter::new(&calibration);
        let mut circuits = Circuits::new();
        let progress = circuits.process(&mut meter, &calibration, &constants, &block, &currents);
        assert!(progress.windows >= 3 && !progress.saturated);
        for (branch, q) in branches().iter().zip(circuits.quantities()) {
            let s = 230.0 * branch.amperes;
            let (sin, cos) = (branch.degrees * PI / 180.0).sin_cos();
            let near = |what, got: f64, want: f64, scale: f64, bound: f64| {
                let error = (got / 1e6 - want).abs() / scale;
                assert!(error < bound, "{what} at {f} Hz: {error} {branch:?} {q:?}");
            };
            // Quantisation to 24 µA is more than the chain's own error at the smallest current.
            near(
                "I",
                q.current_ua as f64,
                branch.amperes,
                branch.amperes,
                1e-4,
            );
            near("P", q.active_uw as f64, s * cos, s, 1e-4);
            near("Q", q.reactive_uvar as f64, s * sin, s, 2e-4);
            near("S", q.apparent_uva as f64, s, s, 1e-4);
        }
    }
}

/// Small generator of noise.
struct Noise(u64);

impl Noise {
    fn next(&mut self, bits: u32) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 as i64 >> (64 - bits)) as i32
    }
}

/// A tone on the voltages, so that windows close, and noise up to full scale everywhere.
fn noisy(count: usize, seed: u64) -> Vec<Sample<3>> {
    let mut noise = Noise(seed);
    (0..count)
        .map(|n| {
            let tone = ((n % 160) as i32 - 80).abs() * 60_000 - 2_400_000;
            Sample {
                u: std::array::from_fn(|k| tone + noise.next(21 + k as u32)),
                i: std::array::from_fn(|k| noise.next(24 - k as u32) + tone / 3),
                n: 0,
            }
        })
        .collect()
}

#[test]
fn a_circuit_with_the_current_of_a_phase_is_that_phase_to_the_last_unit() {
    let mut p = Parameters::<3>::new(8_000_000, 50_000);
    (p.energy_step_mwh, p.start_uw) = (1, 2_000_000);
    for phase in &mut p.phase {
        phase.voltage_gain = metrology::Gain::from_bits(1_100_000_000);
        phase.current_gain = metrology::Gain::from_bits(1_050_000_000);
    }
    p.phase[1].current_offset = 4321;
    p.phase[1].curve = Curve::try_new(&[5, 50, 500].map(|amperes| CurvePoint {
        current_ua: amperes * 1_000_000,
        ratio_ppm: 900 / amperes as i32,
        angle: 3_000_000,
    }))
    .unwrap();
    // Lags of a few samples, forth and back: the pieces of products then differ at the edges only.
    p.phase[2].delay_ns = 300_000;
    for dc in [DcPower::Kept, DcPower::Removed] {
        p.dc_power = dc;
        let calibration = Calibration::try_new(p).unwrap();
        let circuits = std::array::from_fn::<_, 3, _>(|k| Circuit {
            voltage: k as u8,
            constants: p.phase[k],
        });
        let constants = CircuitCalibration::try_new(&calibration, circuits).unwrap();
        let mut meter = Meter::new(&calibration);
        let mut circuits = Circuits::new();
        let samples = noisy(100_000, 77);
        let mut noise = Noise(5);
        let mut rest = &samples[..];
        while !rest.is_empty() {
            let length = 1 + noise.next(32).unsigned_abs() as usize % 400;
            let (block, after) = rest.split_at(length.min(rest.len()));
            let currents: Vec<[i32; 3]> = block.iter().map(|s| s.i).collect();
            let _ = circuits.process(&mut meter, &calibration, &constants, block, &currents);
            rest = after;
        }
        let r = meter.registers(&calibration);
        for (k, q) in circuits.quantities().iter().enumerate() {
            let line = meter.quantities().phase[k];
            assert_eq!(q.current_ua, line.current_ua);
            assert_eq!(q.active_uw, line.active_uw, "{dc:?} {k}");
            assert_eq!(q.reactive_uvar, line.reactive_uvar);
            assert_eq!(q.apparent_uva, line.apparent_uva);
            assert_eq!(circuits.registers(k).active, r.phase[k]);
            assert!(r.phase[k].absolute() > 1000);
        }
    }
}

#[test]
fn leads_hold_the_currents_back_and_nothing_is_lost() {
    // A lead of 2.5 samples in one circuit holds all currents back by three.
    let mut p = Parameters::<3>::new(8_000_000, 50_000);
    p.dc_power = DcPower::Kept;
    let calibration = Calibration::try_new(p).unwrap();
    let mut on = [Circuit::on(0), Circuit::on(1), Circuit::on(2)];
    on[1].constants.delay_ns = -312_500;
    let constants = CircuitCalibration::try_new(&calibration, on).unwrap();
    let mut samples = noisy(50_000, 99);
    samples.extend([Sample::ZERO; 4000]);
    let currents: Vec<[i32; 3]> = samples.iter().map(|s| s.i).collect();
    let mut meter = Meter::new(&calibration);
    let mut circuits = Circuits::new();
    let _ = circuits.process(&mut meter, &calibration, &constants, &samples, &currents);
    for k in [0, 2] {
        let limit = |x: i32| i128::from(x.clamp(-metrology::FULL_SCALE, metrology::FULL_SCALE));
        let products = samples.iter().map(|s| limit(s.u[k]) * limit(s.i[k]));
        let want = products.sum::<i128>() << 30;
        assert_eq!(circuits.energy_raw(&calibration, k), want, "circuit {k}");
    }
}

#[test]
fn blocks_do_not_matter_and_saturation_belongs_to_its_circuit() {
    let calibration = Calibration::try_new(Parameters::<3>::new(8_000_000, 50_000)).unwrap();
    let constants = constants(&calibration);
    let (block, mut currents) = signals(49.4, 0.5);
    for set in &mut currents {
        set[4] = set[4].saturating_mul(9);
    }
    let mut whole = (Meter::new(&calibration), Circuits::new());
    let _ = whole
        .1
        .process(&mut whole.0, &calibration, &constants, &block, &currents);
    let saturated: Vec<_> = whole.1.quantities().iter().map(|q| q.saturated).collect();
    assert_eq!(saturated.iter().position(|&s| s), Some(4));
    assert_eq!(saturated.iter().filter(|&&s| s).count(), 1);
    for length in [1, 7, 63, 64, 65, 333] {
        let mut cut = (Meter::new(&calibration), Circuits::new());
        for (block, currents) in block.chunks(length).zip(currents.chunks(length)) {
            let _ = cut
                .1
                .process(&mut cut.0, &calibration, &constants, block, currents);
        }
        assert_eq!(cut, whole, "blocks of {length}");
    }
    // The shorter of both is taken.
    let mut short = (Meter::new(&calibration), Circuits::new());
    let _ = short.1.process(
        &mut short.0,
        &calibration,
        &constants,
        &block,
        &currents[..100],
    );
    assert_eq!(short.0.samples(), 100);
}

#[test]
fn constants_and_registers_are_stored_and_bad_ones_refused() {
    let calibration = Calibration::try_new(Parameters::<3>::new(8_000_000, 50_000)).unwrap();
    let good = constants(&calibration);
    let mut bytes = [0; CircuitCalibration::<12>::ENCODED_LEN];
    assert_eq!(good.encode(&mut bytes), Ok(bytes.len()));
    assert_eq!(CircuitCalibration::decode(&calibration, &bytes), Ok(good));
    for position in 0..bytes.len() {
        let mut bad = bytes;
        bad[position] ^= 2;
        assert!(matches!(
            CircuitCalibration::<12>::decode(&calibration, &bad),
            Err(CalibrationError::Crc { .. })
        ));
        let cut = &bytes[..position];
        assert!(CircuitCalibration::<12>::decode(&calibration, cut).is_err());
    }
    let mut wrong = [Circuit::on(0); 2];
    wrong[1].voltage = 3;
    assert_eq!(
        CircuitCalibration::try_new(&calibration, wrong).unwrap_err(),
        CalibrationError::Parameter {
            name: "voltage",
            phase: Some(1),
            rule: Rule::Range { min: 0, max: 2 }
        }
    );
    wrong[1].voltage = 2;
    wrong[1].constants.delay_ns = -400_000;
    assert!(matches!(
        CircuitCalibration::try_new(&calibration, wrong),
        Err(CalibrationError::Parameter {
            rule: Rule::TooLate,
            ..
        })
    ));

    let (block, currents) = signals(50.0, 2.0);
    let mut meter = Meter::new(&calibration);
    let mut circuits = Circuits::new();
    let _ = circuits.process(&mut meter, &calibration, &good, &block, &currents);
    let mut state = [0; Circuits::<3, 12>::STATE_LEN];
    assert_eq!(circuits.save(&calibration, &mut state), Ok(state.len()));
    let mut again = Circuits::<3, 12>::new();
    again.restore(&calibration, &state).unwrap();
    for k in 0..12 {
        assert_eq!(again.registers(k), circuits.registers(k));
        let raw = |c: &Circuits<3, 12>| c.energy_raw(&calibration, k);
        assert_eq!(raw(&again), raw(&circuits));
    }
    assert_ne!(again.registers(4), CircuitRegisters::default());
    assert_eq!(again.registers(12).active, Counts::default());
    assert_eq!(
        Circuits::<3, 11>::new().restore(&calibration, &state),
        Err(StateError::Phases { found: 12 })
    );
    state[30] ^= 1;
    let before = again;
    assert!(matches!(
        again.restore(&calibration, &state),
        Err(StateError::Crc { .. })
    ));
    assert_eq!(again, before);
    println!(
        "twelve circuits: {} bytes of state, {} each more",
        size_of::<Circuits<3, 12>>(),
        size_of::<Circuits<3, 13>>() - size_of::<Circuits<3, 12>>()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Overflow checks are on in tests: any wrap would panic here.
    #[test]
    fn any_currents_are_survived(
        gains in proptest::array::uniform4(any::<u32>()),
        delays in proptest::array::uniform4(-300_000..1_300_000_i32),
        seed in 1..u64::MAX,
        length in 1_usize..9000,
    ) {
        let calibration = Calibration::try_new(Parameters::<3>::new(8_000_000, 50_000)).unwrap();
        let mut on = std::array::from_fn::<_, 4, _>(|k| Circuit::on(k as u8 % 3));
        for (circuit, (gain, delay)) in on.iter_mut().zip(gains.into_iter().zip(delays)) {
            circuit.constants.current_gain = metrology::Gain::from_bits(gain | 1 << 26);
            circuit.constants.delay_ns = delay;
        }
        let constants = CircuitCalibration::try_new(&calibration, on).unwrap();
        let mut noise = Noise(seed);
        let block: Vec<_> = (0..length)
            .map(|n| Sample {
                u: [if n / 80 % 2 == 0 { i32::MAX } else { i32::MIN }, noise.next(32), 0],
                ..Sample::ZERO
            })
            .collect();
        let currents: Vec<[i32; 4]> = (0..length)
            .map(|n| [noise.next(32), i32::MIN, if n / 160 % 2 == 0 { i32::MAX } else { i32::MIN }, noise.next(3)])
            .collect();
        let mut meter = Meter::new(&calibration);
        let mut circuits = Circuits::new();
        let _ = circuits.process(&mut meter, &calibration, &constants, &block, &currents);
        let windows = meter.quantities().number;
        if windows > 0 {
            prop_assert!(circuits.quantities()[1].saturated);
            prop_assert!(!circuits.quantities()[3].saturated);
        }
    }
}

/// The stored forms count in one byte; what it can tell is taken, more does not compile.
#[test]
fn as_many_circuits_as_the_stored_form_can_count() {
    const MOST: usize = 255;
    let calibration = Calibration::try_new(Parameters::<1>::new(4_000_000, 50_000)).unwrap();
    let mut listed = [Circuit::on(0); MOST];
    for (k, circuit) in (0..).zip(&mut listed) {
        circuit.constants.power_offset_uw = k;
    }
    let constants = CircuitCalibration::try_new(&calibration, listed).unwrap();
    let mut stored = vec![0; CircuitCalibration::<MOST>::ENCODED_LEN];
    constants.encode(&mut stored).unwrap();
    assert_eq!(
        CircuitCalibration::decode(&calibration, &stored),
        Ok(constants)
    );
    let mut state = vec![0; Circuits::<1, MOST>::STATE_LEN];
    let mut circuits = Circuits::<1, MOST>::new();
    circuits.save(&calibration, &mut state).unwrap();
    assert_eq!(circuits.restore(&calibration, &state), Ok(()));
    // The last one is refused by its number.
    listed[MOST - 1].voltage = 1;
    assert_eq!(
        CircuitCalibration::try_new(&calibration, listed),
        Err(CalibrationError::Parameter {
            name: "voltage",
            phase: Some(254),
            rule: Rule::Range { min: 0, max: 0 }
        })
    );
}
