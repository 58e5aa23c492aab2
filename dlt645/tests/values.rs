//! Values to bytes and back over the whole table, and streams cut anywhere.

use dlt645::{
    Access, Address, DataId, Decoder, Format, Frame, Lang, Message, Number, Stamp, Text, Value,
    ValueError, catalogue, catalogue_count,
};
use proptest::prelude::*;

fn stamp() -> impl Strategy<Value = Stamp> {
    (0..100_u8, 1..13_u8, 1..32_u8, 0..24_u8, 0..60_u8).prop_map(
        |(year, month, day, hour, minute)| Stamp {
            year,
            month,
            day,
            hour,
            minute,
            second: 0,
        },
    )
}

/// A value of the format from one random number, time and row of bytes.
fn value_of<'a>(format: Format, seed: u64, at: Stamp, bytes: &'a [u8]) -> Value<'a> {
    match format {
        Format::Number {
            bytes,
            decimals,
            signed,
            unit,
        } => {
            let modulus = 10_u64.pow(u32::from(bytes) * 2);
            let limit = if signed { modulus / 10 * 8 } else { modulus };
            let magnitude = (seed % limit) as i32;
            let negative = signed && seed & 1 << 63 != 0;
            Value::Number(Number {
                mantissa: if negative { -magnitude } else { magnitude },
                decimals,
                unit,
            })
        }
        Format::Demand { unit, .. } => {
            let peak = Number {
                mantissa: (seed % 800_000) as i32,
                decimals: 4,
                unit,
            };
            Value::Demand { peak, at: Some(at) }
        }
        Format::DateWeekday => Value::Date {
            year: at.year,
            month: at.month,
            day: at.day,
            weekday: (seed % 7) as u8,
        },
        Format::TimeOfDay => Value::Time {
            hour: at.hour,
            minute: at.minute,
            second: (seed % 60) as u8,
        },
        Format::DateWeekdayTime => Value::DateTime {
            stamp: Stamp {
                second: (seed % 60) as u8,
                ..at
            },
            weekday: (seed % 7) as u8,
        },
        Format::MinuteStamp => Value::Stamp(at),
        Format::DayHour => Value::DayHour {
            day: at.day,
            hour: at.hour,
        },
        Format::Bits { bytes } => Value::Bits((seed & ((1 << (bytes * 8)) - 1)) as u32),
        Format::Digits { bytes } => Value::Digits(seed % 10_u64.pow(u32::from(bytes) * 2)),
        Format::Text { bytes: len } => Value::Text(Text(&bytes[..usize::from(len)])),
        Format::Raw { bytes: len } => Value::Raw(&bytes[..usize::from(len)]),
        Format::SecondStamp => Value::Instant(Stamp {
            second: (seed % 60) as u8,
            ..at
        }),
        Format::HourStamp => Value::Stamp(Stamp { minute: 0, ..at }),
        Format::MonthMinute | Format::MonthHour => Value::Yearly {
            month: at.month,
            day: at.day,
            hour: at.hour,
            minute: if format == Format::MonthHour {
                0
            } else {
                at.minute
            },
        },
        Format::HourMinute => Value::HourMinute {
            hour: at.hour,
            minute: at.minute,
        },
        Format::Zone => Value::Zone {
            month: at.month,
            day: at.day,
            table: (seed % 100) as u8,
        },
        Format::Slot => Value::Slot {
            hour: at.hour,
            minute: at.minute,
            tariff: (seed % 100) as u8,
        },
        Format::Holiday => Value::Holiday {
            year: at.year,
            month: at.month,
            day: at.day,
            table: (seed % 100) as u8,
        },
        Format::Id => Value::Id(DataId(seed as u32)),
        Format::Screen => Value::Screen {
            id: DataId(seed as u32 & 0x7FFF_FFFF),
            screen: (seed >> 32) as u8,
        },
        Format::Binary { bytes: len } => Value::Binary(&bytes[..usize::from(len)]),
        Format::Opaque => Value::Raw(&bytes[..(seed % 40) as usize]),
        // Records, freezes and load blocks are bytes as a whole; their fields have tests of their own.
        _ => format.decode(&[0x11; 2000][..format.len()]).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_item_comes_back(seed: u64, at in stamp(), bytes in proptest::collection::vec(b' '..b'z', 40)) {
        for item in catalogue() {
            let value = value_of(item.format(), seed, at, &bytes);
            let mut line = [0; 1100];
            let len = item.format().encode(&value, &mut line).unwrap();
            prop_assert!(item.format().fits(len));
            prop_assert_eq!(item.format().decode(&line[..len]), Ok(value), "{}", item.id());
        }
    }

    #[test]
    fn any_bytes_decode_or_are_refused(id: u32, data in proptest::collection::vec(any::<u8>(), 0..220)) {
        if let Ok(values) = DataId(id).values(&data) {
            for (id, value) in values {
                if let Ok(value) = value {
                    let _ = (id, value.to_string());
                }
            }
        }
    }

    #[test]
    fn a_stream_may_be_cut_anywhere(
        parts in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>().prop_filter("a start", |byte| *byte != 0x68), 0..6),
             0..5_usize, any::<u32>(), proptest::collection::vec(any::<u8>(), 0..40)),
            1..6),
        cut in 1..40_usize,
    ) {
        let mut line = Vec::new();
        let mut sent = Vec::new();
        for (noise, wake, id, data) in &parts {
            line.extend_from_slice(noise);
            line.extend(core::iter::repeat_n(0xFE, *wake));
            let mut out = [0; 212];
            let message = Message::ReadAnswer { id: DataId(*id), data, more: false };
            let len = message.encode_frame(Address::from_digits("192168001101").unwrap(), &mut out).unwrap();
            line.extend_from_slice(&out[..len]);
            sent.push([&id.to_le_bytes()[..], data].concat());
        }
        let mut decoder = Decoder::new();
        let mut received = Vec::new();
        for mut chunk in line.chunks(cut) {
            while !chunk.is_empty() {
                let fed = decoder.feed(chunk);
                if let Some(frame) = fed.frame {
                    received.push(frame.data.to_vec());
                }
                chunk = &chunk[fed.used..];
            }
        }
        prop_assert_eq!(received, sent);
        prop_assert!(!decoder.is_receiving());
    }

    #[test]
    fn a_frame_behind_garbage_is_found_once_the_line_is_silent(garbage in proptest::collection::vec(any::<u8>(), 0..250)) {
        let mut line = garbage;
        let frame = Frame {
            address: Address::from_digits("123456789012").unwrap(),
            control: dlt645::ControlCode(0x91),
            data: &[0, 0, 1, 0, 0x56, 0x34, 0x12, 0],
        };
        let mut out = [0; 20];
        frame.encode(&mut out).unwrap();
        line.extend_from_slice(&out);
        let mut decoder = Decoder::new();
        let mut last = Vec::new();
        let mut rest = &line[..];
        while !rest.is_empty() {
            let fed = decoder.feed(rest);
            if let Some(frame) = fed.frame {
                last = frame.data.to_vec();
            }
            rest = &rest[fed.used..];
        }
        while let Some(frame) = decoder.handle_gap() {
            last = frame.data.to_vec();
        }
        prop_assert_eq!(last, frame.data);
        prop_assert!(!decoder.is_receiving());
    }
}

#[test]
fn the_rules_name_the_identifiers_of_the_standard() {
    let class = |wanted: u8| catalogue().filter(move |item| item.id().di3() == wanted);
    assert!(class(0).count() > 0);
    // Every identifier of classes 00 and 01 by brute force over the three lower bytes that the tables use.
    let count = |di3: u32, di2: core::ops::RangeInclusive<u32>| {
        let mut found = 0;
        for di2 in di2 {
            for di1 in 0..=0x40 {
                for di0 in 0..=0x0D {
                    found += usize::from(
                        DataId(di3 << 24 | di2 << 16 | di1 << 8 | di0)
                            .item()
                            .is_some(),
                    );
                }
            }
        }
        found
    };
    // 9,906 of the standard, 2 + 2 + 7 uses of periods, 12 instants of settlement.
    assert_eq!(count(0, 0..=0x8F) + count(0, 0x94..=0xFF), 9_906 + 11 + 12);
    assert_eq!(count(1, 0..=0xFF), 8_710);
    let variables = catalogue_count_of(2);
    assert_eq!(variables, 167 + 8);
    assert!(catalogue_count() > 9_906 + 8_710 + 167);
}

fn catalogue_count_of(di3: u32) -> usize {
    let mut found = 0;
    for di2 in 0..=0xFF_u32 {
        for di1 in 0..=3 {
            for di0 in 0..=0x23 {
                found += usize::from(
                    DataId(di3 << 24 | di2 << 16 | di1 << 8 | di0)
                        .item()
                        .is_some(),
                );
            }
        }
    }
    found
}

#[test]
fn names_in_two_languages() {
    let name = |id: u32, lang| DataId(id).item().unwrap().name(lang).to_string();
    assert_eq!(name(0x0001_0000, Lang::En), "forward active energy");
    assert_eq!(
        name(0x0001_0201, Lang::En),
        "forward active energy, tariff 2, settlement 1"
    );
    assert_eq!(name(0x0044_0000, Lang::En), "Q4 reactive energy, phase C");
    assert_eq!(name(0x0203_0100, Lang::Zh), "瞬时有功功率，A相");
    assert_eq!(name(0x0400_0503, Lang::En), "status word 3");
    assert_eq!(DataId(0x0400_0C01).item().unwrap().access(), Access::Write);
    assert!(DataId(0x0E4D_5001).item().is_none());
}

#[test]
fn blocks_give_their_items_in_order() {
    let data = [0x78, 0x56, 0x34, 0x12, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0];
    let values: Vec<_> = DataId(0x0001_FF00).values(&data).unwrap().collect();
    assert_eq!(values.len(), 3);
    assert_eq!(values[0].0, DataId(0x0001_0000));
    assert_eq!(values[0].1.unwrap().to_string(), "123456.78 kWh");
    assert_eq!(values[1], (DataId(0x0001_0100), Ok(Value::Absent)));
    assert_eq!(values[2].0, DataId(0x0001_0200));
    let status: Vec<_> = DataId(0x0400_05FF)
        .values(&[0; 14])
        .unwrap()
        .map(|(id, _)| id.di0())
        .collect();
    assert_eq!(status, [1, 2, 3, 4, 5, 6, 7]);
    let power = DataId(0x0203_FF00).values(&[0; 12]).unwrap();
    assert_eq!(
        power.map(|(id, _)| id.di1()).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
    // A private length, and one value too many.
    assert_eq!(
        DataId(0x0201_0100).values(&[0; 3]).unwrap_err(),
        ValueError::Length {
            expected: 2,
            found: 3
        }
    );
    assert_eq!(
        DataId(0x0201_FF00).values(&[0; 8]).unwrap_err(),
        ValueError::Length {
            expected: 2,
            found: 8
        }
    );
}

#[test]
fn signs_and_digits() {
    let decode = |id: u32, data: &[u8]| DataId(id).value(data).map(|value| value.to_string());
    assert_eq!(
        decode(0x0202_0100, &[0x34, 0x12, 0x80]).unwrap(),
        "-1.234 A"
    );
    assert_eq!(
        decode(0x0000_0000, &[0x34, 0x12, 0, 0x80]).unwrap(),
        "-12.34 kWh"
    );
    // Without a sign the top bit is part of the digit.
    assert_eq!(
        decode(0x0001_0000, &[0, 0, 0, 0x90]).unwrap(),
        "900000.00 kWh"
    );
    assert_eq!(
        decode(0x0001_0000, &[0, 0x0A, 0, 0]),
        Err(ValueError::Digit {
            position: 1,
            found: 0x0A
        })
    );
    let mut out = [0; 4];
    assert_eq!(
        DataId(0x0000_0000).encode_number(-80_000_000, &mut out),
        Err(ValueError::Range)
    );
    assert_eq!(
        DataId(0x0001_0000).encode_number(-1, &mut out),
        Err(ValueError::Range)
    );
    assert_eq!(
        DataId(0x0001_0000).encode_number(100_000_000, &mut out),
        Err(ValueError::Range)
    );
}

/// Whole ranges: every value of up to three bytes, and every pair of bytes.
#[test]
fn numbers_over_their_whole_range() {
    for bytes in 1..=3_u8 {
        for signed in [false, true] {
            let format = Format::Number {
                bytes,
                decimals: 1,
                signed,
                unit: dlt645::Unit::Volt,
            };
            let digits = 10_i32.pow(u32::from(bytes) * 2);
            let (low, high) = if signed {
                (1 - digits / 10 * 8, digits / 10 * 8 - 1)
            } else {
                (0, digits - 1)
            };
            let number = |mantissa| {
                Value::Number(Number {
                    mantissa,
                    decimals: 1,
                    unit: dlt645::Unit::Volt,
                })
            };
            let mut line = [0; 3];
            for mantissa in low..=high {
                let value = number(mantissa);
                let len = format.encode(&value, &mut line).unwrap();
                assert_eq!(format.decode(&line[..len]), Ok(value));
            }
            for outside in [low - 1, high + 1] {
                assert_eq!(
                    format.encode(&number(outside), &mut line),
                    Err(ValueError::Range)
                );
            }
        }
    }
    let format = Format::Number {
        bytes: 2,
        decimals: 1,
        signed: true,
        unit: dlt645::Unit::Volt,
    };
    for pair in 0..=u16::MAX {
        let field = pair.to_le_bytes();
        let mut line = [0; 2];
        match format.decode(&field) {
            Ok(value) => {
                format.encode(&value, &mut line).unwrap();
                // A negative zero comes back without its sign.
                let expected = if pair == 0x8000 { [0, 0] } else { field };
                assert_eq!(line, expected);
            }
            Err(ValueError::Digit { position, found }) => {
                assert_eq!(field[position], found);
                let digits = if position == 1 { found & 0x7F } else { found };
                assert!(digits >> 4 > 9 || digits & 0x0F > 9, "{pair:04X}");
            }
            Err(other) => panic!("{pair:04X}: {other}"),
        }
    }
}
