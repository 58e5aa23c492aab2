//! Metrology: constants and registers from outside bytes, and the chain beside a plain sum of products.

use crc::{CRC_32_ISCSI, Crc};
use metrology::{
    Calibration, Circuit, CircuitCalibration, Circuits, DcPower, FULL_SCALE, Meter,
    NeutralParameters, Parameters, PhaseParameters, Policy, Sample, Sync, Window,
};

use crate::input::Input;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// Samples of one input at most: a few windows at the lowest rates.
const MOST: usize = 1024;

/// Stored constants and stored registers, changed as the input says under a good check sum: what is read, is
/// written back to the same bytes' meaning; a meter goes on with whatever registers it took.
pub fn stored(bytes: &[u8]) {
    let mut input = Input { bytes };
    let constants = Calibration::<1>::try_new(parameters(&mut input)).ok();
    let Some(good) = constants else { return };
    let mut stored = vec![0; Calibration::<1>::ENCODED_LEN];
    let length = good.encode(&mut stored).expect("room for the constants");
    assert_eq!(length, stored.len());
    assert_eq!(Calibration::decode(&stored), Ok(good));
    damage(&mut input, &mut stored);
    let calibration = match Calibration::<1>::decode(&stored) {
        Ok(read) => {
            let mut again = vec![0; Calibration::<1>::ENCODED_LEN];
            read.encode(&mut again).expect("room for the constants");
            assert_eq!(Calibration::decode(&again), Ok(read), "written back");
            read
        }
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            good
        }
    };
    let mut meter = Meter::new(&calibration);
    let mut state = vec![0; Meter::<1>::STATE_LEN];
    meter
        .save(&calibration, &mut state)
        .expect("room for the registers");
    damage(&mut input, &mut state);
    let before = meter;
    if meter.restore(&calibration, &state).is_err() {
        assert_eq!(meter, before, "refused registers change nothing");
    }
    let taken = meter.registers(&calibration);
    for _ in 0..4 {
        let block = samples::<1>(&mut input, MOST / 4);
        let _ = meter.process(&calibration, &block);
    }
    let now = meter.registers(&calibration);
    assert!(now.active.import >= taken.active.import && now.active.export >= taken.active.export);
    meter
        .save(&calibration, &mut state)
        .expect("room for the registers");
    let mut restored = Meter::new(&calibration);
    assert_eq!(restored.restore(&calibration, &state), Ok(()));
    assert_eq!(restored.registers(&calibration), now);
}

/// Circuits of the body below.
const CIRCUITS: usize = 5;

/// Stored constants and stored registers of further circuits, changed as the input says under a good check sum: what is
/// read, is written back to the same meaning; circuits go on with whatever registers they took.
pub fn circuits(bytes: &[u8]) {
    type Constants = CircuitCalibration<CIRCUITS>;
    let mut input = Input { bytes };
    let Ok(calibration) = Calibration::<3>::try_new(parameters(&mut input)) else {
        return;
    };
    let mut listed = [Circuit::on(0); CIRCUITS];
    for circuit in &mut listed {
        // Mostly on a voltage that there is.
        circuit.voltage = input.byte() % 4;
        disturb(&mut input, &mut circuit.constants);
    }
    let constants = match Constants::try_new(&calibration, listed) {
        Ok(good) => good,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            Constants::try_new(&calibration, [Circuit::on(0); CIRCUITS])
                .expect("circuits without errors beside a good meter")
        }
    };
    let mut stored = [0; Constants::ENCODED_LEN];
    assert_eq!(constants.encode(&mut stored), Ok(stored.len()));
    assert_eq!(Constants::decode(&calibration, &stored), Ok(constants));
    let short = input.word() as usize % stored.len();
    assert!(Constants::decode(&calibration, &stored[..short]).is_err());
    damage(&mut input, &mut stored);
    let constants = match Constants::decode(&calibration, &stored) {
        Ok(read) => {
            let mut again = [0; Constants::ENCODED_LEN];
            assert_eq!(read.encode(&mut again), Ok(again.len()));
            assert_eq!(Constants::decode(&calibration, &again), Ok(read));
            read
        }
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            constants
        }
    };
    let mut meter = Meter::new(&calibration);
    let mut circuits = Circuits::<3, CIRCUITS>::new();
    let mut state = [0; Circuits::<3, CIRCUITS>::STATE_LEN];
    assert_eq!(circuits.save(&calibration, &mut state), Ok(state.len()));
    damage(&mut input, &mut state);
    let before = circuits;
    if circuits.restore(&calibration, &state).is_err() {
        assert_eq!(circuits, before, "refused registers change nothing");
    }
    let taken: [_; CIRCUITS] = std::array::from_fn(|k| circuits.registers(k));
    for _ in 0..3 {
        let block = samples::<3>(&mut input, MOST / 8);
        let mut currents: Vec<[i32; CIRCUITS]> = samples::<CIRCUITS>(&mut input, MOST / 8)
            .iter()
            .map(|set| set.i)
            .collect();
        // A set that is missing leaves a sample that is not taken.
        currents.truncate(block.len());
        let _ = circuits.process(&mut meter, &calibration, &constants, &block, &currents);
    }
    assert_eq!(circuits.save(&calibration, &mut state), Ok(state.len()));
    let mut restored = Circuits::<3, CIRCUITS>::new();
    assert_eq!(restored.restore(&calibration, &state), Ok(()));
    for (k, taken) in taken.iter().enumerate() {
        let now = circuits.registers(k);
        assert!(
            now.active.import >= taken.active.import && now.active.export >= taken.active.export
        );
        assert_eq!(restored.registers(k), now, "circuit {k}");
        assert_eq!(
            restored.energy_raw(&calibration, k),
            circuits.energy_raw(&calibration, k)
        );
    }
}

/// Any samples in any blocks, with power cuts between them: the energy of each phase is the plain sum of the
/// products, exactly.
pub fn energy(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut p = Parameters::<3>::new(
        600_000 + input.word() % 63_400_001,
        40_000 + input.word() % 35_001,
    );
    // Everything that the plain sum does not know stays off.
    p.dc_power = DcPower::Kept;
    p.sync = match input.byte() & 3 {
        0 => Sync::Auto,
        1 => Sync::Voltage(2),
        2 => Sync::Current(1),
        _ => Sync::Fixed(40_000_000 + input.word() % 35_000_001),
    };
    p.window = match input.byte() & 3 {
        0 => Window::Cycles(1 + u16::from(input.byte())),
        1 => Window::Longest,
        _ => Window::Standard,
    };
    p.neutral = (input.byte() & 1 == 0).then_some(NeutralParameters {
        gain: metrology::Gain::ONE,
        offset: 0,
    });
    for phase in &mut p.phase {
        // One of both gains is one, so that their product is a gain as well.
        phase.voltage_gain = metrology::Gain::from_bits(input.word() | 1 << 26);
        phase.voltage_offset = input.word() as i32 >> 11;
        phase.current_offset = input.word() as i32 >> 11;
    }
    let calibration = Calibration::try_new(p).expect("constants within their ranges");
    let mut meter = Meter::new(&calibration);
    let mut plain = [0_i128; 3];
    let mut rest = MOST;
    while rest > 0 && !input.bytes.is_empty() {
        let block = samples::<3>(&mut input, rest);
        rest -= block.len().max(1);
        let cut = usize::from(input.byte()).max(1);
        for part in block.chunks(cut) {
            let _ = meter.process(&calibration, part);
        }
        for (sum, (index, phase)) in plain.iter_mut().zip(p.phase.iter().enumerate()) {
            let product = |sample: &Sample<3>| {
                conditioned(sample.u[index], phase.voltage_offset)
                    * conditioned(sample.i[index], phase.current_offset)
                    * i128::from(phase.voltage_gain.to_bits())
            };
            *sum += block.iter().map(product).sum::<i128>();
        }
        if input.byte() & 7 == 0 {
            let mut state = vec![0; Meter::<3>::STATE_LEN];
            meter
                .save(&calibration, &mut state)
                .expect("room for the registers");
            meter = Meter::new(&calibration);
            assert_eq!(meter.restore(&calibration, &state), Ok(()));
        }
        for (index, sum) in plain.iter().enumerate() {
            assert_eq!(meter.energy_raw(&calibration, index), *sum, "phase {index}");
        }
    }
}

/// What the chain multiplies: 24 bits, less the offset, which acts on the sums and is not limited again.
fn conditioned(x: i32, offset: i32) -> i128 {
    (x.clamp(-FULL_SCALE, FULL_SCALE) - offset).into()
}

/// Constants near the limits of their ranges and beyond them.
fn parameters<const PHASES: usize>(input: &mut Input<'_>) -> Parameters<PHASES> {
    let mut p = Parameters::new(
        600_000 + input.word() % 63_500_000,
        40_000 + input.word() % 35_100,
    );
    p.voltage_nv = input.word() >> (input.byte() % 25);
    p.current_na = input.word() >> (input.byte() % 25);
    p.start_uw = input.word() >> (input.byte() % 32);
    p.policy = [Policy::Net, Policy::PerPhase, Policy::ImportOnly][usize::from(input.byte() % 3)];
    for phase in &mut p.phase {
        disturb(input, phase);
    }
    p
}

/// Constants of one phase or circuit.
fn disturb(input: &mut Input<'_>, phase: &mut PhaseParameters) {
    phase.voltage_gain = metrology::Gain::from_bits(input.word() | 1 << 26);
    phase.current_gain = metrology::Gain::from_bits(input.word() | 1 << 26);
    phase.delay_ns = input.word() as i32 >> 14;
    phase.angle = input.word() as i32 >> 6;
    phase.power_offset_uw = input.word() as i32;
    phase.current_noise = input.word();
}

/// Overwrites some bytes and mends the check sum behind them.
fn damage(input: &mut Input<'_>, stored: &mut [u8]) {
    let body = stored.len() - 4;
    for _ in 0..input.byte() & 3 {
        let place = input.word() as usize % body;
        stored[place] = input.byte();
    }
    let sum = CRC.checksum(&stored[..body]).to_le_bytes();
    stored[body..].copy_from_slice(&sum);
}

/// A stretch of samples: a square or a ramp of any period and height, or the input's own words.
fn samples<const PHASES: usize>(input: &mut Input<'_>, most: usize) -> Vec<Sample<PHASES>> {
    let kind = input.byte();
    let count = (usize::from(input.byte()) * 4 + 1).min(most);
    let half = usize::from(input.byte()).max(1);
    let height = input.word() as i32 >> (input.byte() % 32);
    let value = |n: usize, input: &mut Input<'_>| match kind & 3 {
        0 => input.word() as i32,
        1 => (height >> 8).wrapping_mul((n % (2 * half)) as i32 - half as i32),
        _ if (n / half).is_multiple_of(2) => height,
        _ => height.saturating_neg(),
    };
    (0..count)
        .map(|n| Sample {
            u: std::array::from_fn(|k| value(n + k * half / 3, input)),
            i: std::array::from_fn(|k| value(n + k * half / 3 + half / 5, input)),
            n: value(n, input),
        })
        .collect()
}
