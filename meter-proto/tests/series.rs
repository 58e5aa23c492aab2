//! Series: beside a slow model written from the description, all sorts of damage, and the sizes that were aimed at.

use meter_proto::error::Error;
use meter_proto::series::{Coding, Decoder, Encoder, RANGE, encode};
use proptest::prelude::*;
use testkit::Rng;

fn decode(codec: u8, count: usize, data: &[u8]) -> Result<Vec<i64>, Error> {
    Decoder::new(codec, count, data)?.collect()
}

fn write(coding: Coding, values: &[i64]) -> Result<Vec<u8>, Error> {
    let mut out = vec![0; 16 + values.len() * 10];
    let mut encoder = Encoder::new(coding, &mut out)?;
    for value in values {
        encoder.push(*value)?;
    }
    let len = encoder.finish()?;
    out.truncate(len);
    Ok(out)
}

fn best(values: &[i64]) -> (Coding, Vec<u8>) {
    let mut out = vec![0; 16 + values.len() * 10];
    let (coding, len) = encode(values.iter().copied(), &mut out).unwrap();
    out.truncate(len);
    (coding, out)
}

/// The description word by word: whole vectors of wide numbers, text of ones and zeros.
mod slow {
    pub fn varint(value: i128, out: &mut Vec<u8>) {
        let mut zigzag = if value < 0 { -2 * value - 1 } else { 2 * value } as u128;
        while zigzag > 127 {
            out.push((zigzag % 128) as u8 + 128);
            zigzag /= 128;
        }
        out.push(zigzag as u8);
    }

    pub fn differences(values: &[i128]) -> Vec<i128> {
        values.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    pub fn rice(order: u8, k: u8, values: &[i64]) -> Vec<u8> {
        let mut out = vec![order * 32 + k];
        let mut rest: Vec<i128> = values.iter().map(|value| i128::from(*value)).collect();
        for _ in 0..order {
            if let Some(first) = rest.first() {
                varint(*first, &mut out);
            }
            rest = differences(&rest);
        }
        let mut text = String::new();
        for residual in rest {
            let u = if residual < 0 {
                -2 * residual - 1
            } else {
                2 * residual
            };
            let quotient = u >> k;
            if quotient < 16 {
                text += &"1".repeat(quotient as usize);
                text.push('0');
                if k > 0 {
                    let low = u % (1 << k);
                    text += &format!("{low:0width$b}", width = usize::from(k));
                }
            } else {
                text += &"1".repeat(16);
                text += &format!("{u:032b}");
            }
        }
        while !text.len().is_multiple_of(8) {
            text.push('0');
        }
        for byte in text.as_bytes().chunks(8) {
            let byte = core::str::from_utf8(byte).unwrap();
            out.push(u8::from_str_radix(byte, 2).unwrap());
        }
        out
    }
}

fn series() -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![
        0..3i64,
        -40..40i64,
        -5_000..5_000i64,
        any::<i32>().prop_map(i64::from)
    ];
    let walk =
        (any::<i32>(), proptest::collection::vec(step, 1..120)).prop_map(|(first, steps)| {
            let mut value = i64::from(first);
            steps
                .into_iter()
                .map(|step| {
                    value += step;
                    value
                })
                .collect()
        });
    prop_oneof![
        4 => walk,
        1 => proptest::collection::vec(any::<i64>(), 1..40),
        1 => proptest::collection::vec(-RANGE..=RANGE, 1..40),
    ]
}

proptest! {
    #[test]
    fn every_coding_brings_back_the_values(values in series(), order in 0u8..3, k in 0u8..32) {
        for coding in [Coding::VARINT, Coding::DELTA, Coding::rice(order, k).unwrap()] {
            if let Ok(data) = write(coding, &values) {
                prop_assert_eq!(decode(coding.codec(), values.len(), &data), Ok(values.clone()));
            }
        }
        let (coding, data) = best(&values);
        prop_assert_eq!(decode(coding.codec(), values.len(), &data), Ok(values.clone()));
    }

    #[test]
    fn rice_codes_agree_with_the_description(values in series(), order in 0u8..3, k in 0u8..32) {
        let coding = Coding::rice(order, k).unwrap();
        if let Ok(data) = write(coding, &values) {
            prop_assert_eq!(data, slow::rice(order, k, &values));
        }
    }

    #[test]
    fn no_coding_that_is_tried_is_shorter_than_the_chosen_one(values in series()) {
        let (_, chosen) = best(&values);
        prop_assert!(write(Coding::VARINT, &values).unwrap().len() >= chosen.len());
        for order in 0..3 {
            let quick = Coding::of_order(order, values.iter().copied());
            let data = write(quick, &values).unwrap();
            prop_assert!(data.len() >= chosen.len());
            prop_assert_eq!(decode(quick.codec(), values.len(), &data), Ok(values.clone()));
        }
    }

    #[test]
    fn a_block_has_one_spelling(codec in 0u8..3, count in 1usize..40, data in proptest::collection::vec(any::<u8>(), 0..60)) {
        let Ok(decoder) = Decoder::new(codec, count, &data) else { return Ok(()) };
        let coding = decoder.coding();
        let values: Result<Vec<i64>, Error> = decoder.collect();
        if let Ok(values) = values {
            prop_assert_eq!(values.len(), count);
            prop_assert_eq!(write(coding, &values), Ok(data));
        }
    }

    #[test]
    fn cuts_additions_and_padding_are_refused(values in series()) {
        let (coding, data) = best(&values);
        let count = values.len();
        for cut in 0..data.len() {
            prop_assert!(decode(coding.codec(), count, &data[..cut]).is_err(), "cut at {}", cut);
        }
        let mut longer = data.clone();
        longer.push(0);
        prop_assert_eq!(
            decode(coding.codec(), count, &longer).err(),
            Some(Error::TrailingBytes { position: data.len() })
        );
        prop_assert!(Decoder::new(coding.codec(), count, &data).unwrap().check().is_ok());
    }
}

#[test]
fn padding_must_be_zero_and_escapes_necessary() {
    // Order 0, k 1: 3 is u = 6, quotient 3, so 1110 0 and three bits of padding.
    assert_eq!(decode(2, 1, &[0x01, 0b1110_0000]), Ok(vec![3]));
    for bit in 0..3 {
        assert_eq!(
            decode(2, 1, &[0x01, 0b1110_0000 | 1 << bit]),
            Err(Error::BadValue { position: 2 })
        );
    }
    // Sixteen ones and 31: its quotient with k 1 is 15, which has a shorter spelling. 32 has none.
    assert_eq!(
        decode(2, 1, &[0x01, 0xFF, 0xFF, 0, 0, 0, 31]),
        Err(Error::BadNumber { position: 7 })
    );
    assert_eq!(decode(2, 1, &[0x01, 0xFF, 0xFF, 0, 0, 0, 32]), Ok(vec![16]));
    assert_eq!(
        decode(2, 1, &[0x60, 0]),
        Err(Error::BadValue { position: 0 })
    );
    assert_eq!(decode(3, 1, &[0]), Err(Error::BadValue { position: 0 }));
    assert_eq!(decode(0, 0, &[]), Err(Error::BadValue { position: 0 }));
    assert_eq!(decode(2, 1, &[]), Err(Error::Truncated { position: 0 }));
}

#[test]
fn values_that_leave_the_range_are_refused() {
    let mut data = Vec::new();
    slow::varint(i128::from(RANGE), &mut data);
    slow::varint(1, &mut data);
    assert!(matches!(decode(1, 2, &data), Err(Error::BadValue { .. })));
    // Added up without care these would come round to a harmless number.
    let mut data = Vec::new();
    for difference in [i64::MAX, i64::MAX, 2] {
        slow::varint(i128::from(difference), &mut data);
    }
    assert!(matches!(decode(1, 3, &data), Err(Error::BadValue { .. })));
    let extremes = [i64::MIN, i64::MAX, 0];
    assert!(write(Coding::DELTA, &extremes).is_err());
    assert_eq!(best(&extremes).0, Coding::VARINT);
    let wide = [RANGE, -RANGE, RANGE];
    assert!(write(Coding::DELTA, &wide).is_ok());
    assert!(write(Coding::rice(1, 31).unwrap(), &wide).is_err());
}

/// A house of four over a day in steps of one minute, watts: a base load, a fridge, cooking, washing, lamps.
fn house(rng: &mut Rng) -> Vec<u32> {
    let base = 90 + rng.below(60) as u32;
    let mut watts = vec![base; 1440];
    let mut run = |from: u64, minutes: u64, power: u32| {
        for minute in from..(from + minutes).min(1440) {
            watts[minute as usize] += power;
        }
    };
    let mut minute = rng.below(40);
    while minute < 1440 {
        let on = 12 + rng.below(8);
        run(minute, on, 80);
        minute += on + 25 + rng.below(10);
    }
    for (from, spread, chance) in [
        (380, 90, 900_000),
        (700, 80, 500_000),
        (1_060, 120, 950_000),
    ] {
        if rng.chance(chance) {
            let at = from + rng.below(spread);
            run(at, 20 + rng.below(40), 900 + rng.below(1_500) as u32);
            run(at + rng.below(10), 3, 2_000);
        }
    }
    if rng.chance(400_000) {
        let at = 540 + rng.below(500);
        run(at, 15, 2_000);
        run(at + 15, 60, 250);
    }
    let evening = 1_020 + rng.below(60);
    run(evening, 330 + rng.below(60), 120 + rng.below(200) as u32);
    for watt in &mut watts {
        *watt += rng.below(u64::from(*watt / 16 + 1)) as u32;
    }
    watts
}

/// The sizes that the standard promises. The series behind the figures of the design are not free to share: these are
/// made up, minute by minute, from one seed.
#[test]
fn household_blocks_keep_their_bars() {
    let mut rng = Rng::new(20_261_121);
    let (mut registers, mut energies, mut varints) = (0usize, 0usize, 0usize);
    let (mut worst, mut start_mwh) = (0, 123_456_780_000u64);
    const DAYS: usize = 200;
    for _ in 0..DAYS {
        let watts = house(&mut rng);
        let (mut register, mut energy) = (Vec::new(), Vec::new());
        let mut before = start_mwh / 1_000;
        for quarter in watts.chunks(15) {
            start_mwh += quarter
                .iter()
                .map(|watt| u64::from(*watt) * 1_000 / 60)
                .sum::<u64>();
            register.push((start_mwh / 10_000) as i64); // 0.01 kWh
            energy.push((start_mwh / 1_000 - before) as i64); // Wh
            before = start_mwh / 1_000;
        }
        assert_eq!(register.len(), 96);
        let (_, block) = best(&register);
        worst = worst.max(block.len());
        registers += block.len();
        energies += best(&energy).1.len();
        varints += write(Coding::DELTA, &register).unwrap().len();
    }
    println!(
        "96 values of a made-up house, mean bytes of {DAYS} days: register 0.01 kWh {} (largest {worst}, difference varints {}), energy Wh {}",
        registers / DAYS,
        varints / DAYS,
        energies / DAYS
    );
    assert!(
        registers <= 110 * DAYS,
        "bar of a register block: 110 bytes"
    );
    assert!(worst <= 4096 / 32, "32 blocks fit a page of 4 KiB");
    assert!(registers < varints, "Rice codes are worth their while");
}

#[test]
fn constant_and_steady_series_cost_a_bit_a_value() {
    assert_eq!(best(&[230; 96]).1.len(), 1 + 2 + 95usize.div_ceil(8));
    let steady: Vec<i64> = (0..96).map(|n| 1_000_000 + 25 * n).collect();
    assert_eq!(best(&steady).1.len(), 1 + 3 + 1 + 94usize.div_ceil(8));
}
