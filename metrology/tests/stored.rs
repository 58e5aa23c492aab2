//! Bytes that earlier releases wrote are read for ever: constants and registers of every version.

use metrology::{
    Calibration, CalibrationError, Counts, Curve, CurvePoint, Drift, Meter, NeutralParameters,
    Parameters, Policy, Rule, Stamp, StateError, Sync, Window,
};

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::bytes)
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn first_constants() -> Vec<u8> {
    bytes(include_str!("../../vectors/metrology/calibration-v1.hex"))
}

/// What the first file holds.
fn first_parameters() -> Parameters<3> {
    let mut p = Parameters::<3>::new(8_000_000, 60_000);
    (p.voltage_nv, p.current_na) = (50_000, 20_000);
    (p.start_uw, p.pulses_per_kwh) = (400_000, 3200);
    p.phase[0].voltage_gain = metrology::Gain::from_bits(1_099_511_627);
    p.phase[0].current_noise = 700;
    p.phase[1].delay_ns = -12_345;
    p.phase[1].power_offset_uw = -77;
    p.phase[2].angle = 8_351_000;
    p.phase[2].current_offset = -321;
    p.neutral = Some(NeutralParameters {
        gain: metrology::Gain::from_bits(1 << 29),
        offset: -5,
    });
    p.window = Window::Cycles(25);
    p.sync = Sync::Fixed(61_000_000);
    p.policy = Policy::PerPhase;
    // Not in the file: that of active energy.
    p.pulses_per_kvarh = 3200;
    p
}

#[test]
fn first_version_of_the_constants_is_read() {
    let read = Calibration::decode(&first_constants()).unwrap();
    assert_eq!(read.parameters(), &first_parameters());
    // Written again they are of the newest version and say the same.
    let mut again = [0; Calibration::<3>::ENCODED_LEN];
    read.encode(&mut again).unwrap();
    assert_eq!(again[0], 2);
    assert_eq!(Calibration::decode(&again), Ok(read));
}

#[test]
fn first_version_of_the_registers_is_read() {
    let calibration = Calibration::try_new(first_parameters()).unwrap();
    let state = bytes(include_str!("../../vectors/metrology/registers-v1.hex"));
    let mut meter = Meter::new(&calibration);
    meter.restore(&calibration, &state).unwrap();
    let r = meter.registers(&calibration);
    let of = |import, export| Counts { import, export };
    assert_eq!(r.active, of(271, 149));
    assert_eq!(r.phase, [of(271, 0), of(0, 132), of(0, 17)]);
    assert_eq!((r.reactive, r.pulses), ([0, 0, 0, 249], 135));
    // To the last raw unit, the open window of then included.
    let raw = [0, 1, 2].map(|phase| meter.energy_raw(&calibration, phase));
    assert_eq!(
        raw,
        [
            841_126_365_112_060_548_391_203_025,
            -410_413_204_169_156_538_966_238_112,
            -54_160_776_124_420_011_252_125_970
        ]
    );
    let mut again = [0; Meter::<3>::STATE_LEN];
    meter.save(&calibration, &mut again).unwrap();
    assert_eq!(again[0], 2);
    let mut second = Meter::new(&calibration);
    second.restore(&calibration, &again).unwrap();
    assert_eq!(second, meter);
    // A later version than ours is named; a first one cut or grown to the other's length is not read.
    again[0] = 3;
    let at = again.len() - 4;
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
    let sum = crc.checksum(&again[..at]).to_le_bytes();
    again[at..].copy_from_slice(&sum);
    assert_eq!(
        meter.restore(&calibration, &again),
        Err(StateError::Version { found: 3 })
    );
    assert!(matches!(
        meter.restore(&calibration, &state[..state.len() - 1]),
        Err(StateError::Crc { .. })
    ));
}

#[test]
fn second_version_keeps_every_constant_and_refuses_bad_ones_by_name() {
    let mut p = first_parameters();
    p.policy = Policy::ImportOnly;
    (p.pulses_per_kvarh, p.start_average_ms) = (1600, 5000);
    p.reference_mdeg = 25_000;
    p.stamp = Stamp {
        revision: 7,
        date: 20_261_121,
    };
    p.phase[1].voltage_drift = Drift {
        linear_ppt: -25_000_000,
        square_ppq: 40_000_000,
    };
    p.phase[2].current_drift.linear_ppt = 50_000_000;
    let points = [1_u32, 2, 3, 4].map(|k| CurvePoint {
        current_ua: k * 1_000_000,
        ratio_ppm: -100 * k as i32,
        angle: 1_193_046 / k as i32,
    });
    p.phase[2].curve = Curve::try_new(&points).unwrap();
    let good = Calibration::try_new(p).unwrap();
    let mut stored = [0; Calibration::<3>::ENCODED_LEN];
    assert_eq!(good.encode(&mut stored), Ok(stored.len()));
    assert_eq!(Calibration::decode(&stored), Ok(good));
    for position in 0..stored.len() {
        let mut bad = stored;
        bad[position] ^= 0x40;
        assert!(matches!(
            Calibration::<3>::decode(&bad),
            Err(CalibrationError::Crc { .. })
        ));
        assert!(Calibration::<3>::decode(&stored[..position]).is_err());
    }

    // A later version is named, whatever its length.
    for length in [stored.len(), 60] {
        let mut later = stored[..length].to_vec();
        later[0] = 3;
        let (body, sum) = later.split_at_mut(length - 4);
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
        sum.copy_from_slice(&crc.checksum(body).to_le_bytes());
        assert_eq!(
            Calibration::<3>::decode(&later),
            Err(CalibrationError::Version { found: 3 })
        );
    }

    p.stamp.date = 20_261_321;
    let error = Calibration::try_new(p).unwrap_err();
    assert_eq!(
        error.to_string(),
        "stamp.date must be a day as YYYYMMDD, 2000 to 2199, or 0"
    );
    p.stamp.date = 0;
    p.start_average_ms = 0;
    assert!(matches!(
        Calibration::try_new(p),
        Err(CalibrationError::Parameter {
            name: "start_average_ms",
            phase: None,
            rule: Rule::Range {
                min: 1,
                max: 60_000
            }
        })
    ));
}
