//! Values to bytes and back over their whole ranges; any bytes to a value and back, or to a refusal.

use cjt188::{
    DataId, Decoder, Frame, HeatEdition, HeatReading, IdOrder, Layout, Message, MeterType, Prices,
    Quantity, Reading, Settled, Stamp, Status, Unit, ValidFrom, Value, ValueError, catalogue,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// One of each layout.
const LAYOUTS: [u16; 17] = [
    0x901F, 0x911F, 0x907F, 0xD120, 0xD300, 0x8102, 0xA010, 0x8103, 0x8105, 0xA013, 0x8106, 0xA014,
    0x810A, 0xA016, 0xA017, 0xA019, 0xA101,
];

fn quantity(digits: u32, decimals: u8, unit: bool) -> impl Strategy<Value = Quantity> {
    let codes = any::<u8>();
    (0..10_u32.pow(digits), codes).prop_map(move |(mantissa, code)| Quantity {
        mantissa,
        decimals,
        unit: unit.then_some(Unit(code)),
    })
}

fn stamp() -> impl Strategy<Value = Option<Stamp>> {
    let fields = (
        0..10_000_u16,
        0..100_u8,
        0..100_u8,
        0..100_u8,
        0..100_u8,
        0..100_u8,
    );
    fields.prop_map(|(year, month, day, hour, minute, second)| {
        let stamp = Stamp {
            year,
            month,
            day,
            hour,
            minute,
            second,
        };
        (stamp.line() != Ok([0; 7])).then_some(stamp)
    })
}

fn round(id: u16, meter_type: MeterType, value: Value<'_>) {
    let mut out = [0; 64];
    let len = DataId(id).encode_value(&value, &mut out).unwrap();
    assert_eq!(DataId(id).value(meter_type, &out[..len]), Ok(value));
    let lengths = DataId(id).item().unwrap().layout().lengths();
    assert!(lengths.contains(&len));
    assert_eq!(
        DataId(id).encode_value(&value, &mut out[..len - 1]),
        Err(ValueError::Length { found: len - 1 })
    );
}

proptest! {
    #[test]
    fn settlements_and_totals(heat in quantity(8, 2, true), cold in quantity(8, 2, true), volume in quantity(8, 2, true)) {
        round(0xD12B, MeterType::COLD_WATER, Value::Settled(Settled::One(volume)));
        round(0xD2FF, MeterType::HEAT, Value::Settled(Settled::Heat { heat, cold, volume }));
        round(0xA016, MeterType::GAS, Value::Total(heat));
    }

    #[test]
    fn heat_of_both_editions(
        heat in quantity(8, 2, true), now in quantity(8, 2, true), volume in quantity(8, 2, true),
        rates in (0..100_000_000_u32, 0..100_000_000_u32), degrees in (0..1_000_000_u32, 0..1_000_000_u32),
        hours in 0..100_000_000_u32, time in stamp(), status: [u8; 2],
    ) {
        for edition in [HeatEdition::V2004, HeatEdition::V2018] {
            let (wide, warm, long, flow_decimals) = match edition {
                HeatEdition::V2004 => (8, 6, 6, 4),
                HeatEdition::V2018 => (6, 4, 8, 3),
            };
            let field = |mantissa: u32, digits, decimals, unit| Quantity {
                mantissa: mantissa % 10_u32.pow(digits), decimals, unit,
            };
            let reading = HeatReading {
                edition, settlement_heat: heat, current_heat: now, volume, time, status: Status(status),
                power: field(rates.0, wide, 2, Some(Unit::KILOWATT)),
                flow: field(rates.1, wide, flow_decimals, Some(Unit::CUBIC_METRE_PER_HOUR)),
                supply: field(degrees.0, warm, 2, None),
                back: field(degrees.1, warm, 2, None),
                hours: field(hours, long, 0, None),
            };
            round(0x901F, MeterType::HEAT_AND_COLD, Value::Present(Reading::Heat(reading)));
        }
    }

    #[test]
    fn prices(
        price in [quantity(6, 2, false), quantity(6, 2, false), quantity(6, 2, false)],
        limit in [quantity(6, 0, false), quantity(6, 0, false)],
        day in 0..100_u8, month in 0..100_u8, year in 0..10_000_u16,
    ) {
        let prices = Prices { price, limit, valid_from: None };
        round(0x8102, MeterType::GAS, Value::Prices(prices));
        for from in [ValidFrom::Day(day), ValidFrom::Date { year, month, day }] {
            let prices = Prices { valid_from: Some(from), ..prices };
            round(0xA010, MeterType::GAS, Value::Prices(prices));
            let mut out = [0; 64];
            prop_assert_eq!(DataId(0x8102).encode_value(&Value::Prices(prices), &mut out), Err(ValueError::Kind));
        }
    }

    /// What is understood is written back byte for byte, so nothing of it was lost; the rest names its reason.
    #[test]
    fn any_bytes_of_a_right_length(layout in 0..LAYOUTS.len(), place in 0..3_usize, kind in 0x10..0x4A_u8, mut bytes in vec(any::<u8>(), 64), decimal: bool) {
        let id = DataId(LAYOUTS[layout]);
        let lengths = id.item().unwrap().layout().lengths();
        let len = lengths.get(place % lengths.len().max(1)).copied().unwrap_or(place * 9);
        if decimal {
            for byte in &mut bytes {
                *byte = (*byte % 10) | (((*byte >> 4) % 10) << 4);
            }
        }
        let data = &bytes[..len];
        match id.value(MeterType(kind), data) {
            Ok(value) => {
                let mut out = [0; 64];
                let back = id.encode_value(&value, &mut out);
                prop_assert_eq!(back, Ok(len));
                prop_assert_eq!(&out[..len], data);
            }
            Err(ValueError::Digit { position, found }) => {
                prop_assert_eq!(data[position], found);
                prop_assert!(found & 0x0F > 9 || found >> 4 > 9);
            }
            Err(ValueError::Code { position, found }) => prop_assert_eq!(data[position], found),
            Err(ValueError::Length { found }) => prop_assert_eq!(found, len),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    /// Random frames in random pieces between noise: all are found, in order, and nothing else.
    #[test]
    fn streams(seed in any::<u64>(), datas in vec(vec(any::<u8>(), 0..=128), 1..6), noise in vec(any::<u8>(), 0..20)) {
        let mut line = Vec::new();
        let mut random = testkit::Rng::new(seed);
        for data in &datas {
            // Noise without a 68 cannot swallow a frame.
            line.extend(noise.iter().filter(|byte| **byte != 0x68));
            line.extend(std::iter::repeat_n(0xFE, random.below(6) as usize));
            let frame = Frame { meter_type: MeterType::GAS, address: cjt188::Address::BROADCAST, control: cjt188::ControlCode(0x81), data };
            let mut out = [0; cjt188::FRAME_MAX];
            let len = frame.encode(&mut out).unwrap();
            line.extend(&out[..len]);
        }
        let mut decoder = Decoder::new();
        let mut found = Vec::new();
        let mut rest = &line[..];
        while !rest.is_empty() {
            let piece = rest.len().min(1 + random.below(40) as usize);
            let (mut now, later) = rest.split_at(piece);
            while !now.is_empty() {
                let fed = decoder.feed(now);
                if let Some(frame) = fed.frame {
                    found.push(frame.data.to_vec());
                }
                now = &now[fed.used..];
            }
            rest = later;
        }
        prop_assert_eq!(found, datas);
    }
}

#[test]
fn every_two_digit_day_and_no_other() {
    for byte in 0..=255_u8 {
        let data = [byte];
        let value = DataId(0x8103).value(MeterType::GAS, &data);
        match format!("{byte:02X}").parse::<u8>() {
            Ok(day) => assert_eq!(value, Ok(Value::Day(day))),
            Err(_) => assert_eq!(
                value,
                Err(ValueError::Digit {
                    position: 0,
                    found: byte
                })
            ),
        }
        let valve = DataId::VALVE.value(MeterType::GAS, &data);
        assert_eq!(valve.is_ok(), byte == 0x55 || byte == 0x99);
    }
}

#[test]
fn values_that_do_not_suit_are_refused() {
    let mut out = [0; 64];
    let one = |mantissa, decimals| Quantity {
        mantissa,
        decimals,
        unit: None,
    };
    let total = |quantity| Value::Total(quantity);
    for (value, err) in [
        (total(one(1, 3)), ValueError::Kind),
        (total(one(100_000_000, 2)), ValueError::Range),
        (Value::Day(1), ValueError::Kind),
    ] {
        assert_eq!(DataId::SYNCHRONISE.encode_value(&value, &mut out), Err(err));
    }
    assert_eq!(
        DataId(0xA011).encode_value(&Value::Day(100), &mut out),
        Err(ValueError::Range)
    );
    // Heat in a water meter, water in a heat meter: told by type and length.
    for (kind, len) in [(MeterType::COLD_WATER, 43), (MeterType::HEAT, 19)] {
        assert_eq!(
            DataId::PRESENT.value(kind, &out[..len]),
            Err(ValueError::Length { found: len })
        );
    }
}

#[test]
fn all_types_and_all_identifiers_in_both_orders() {
    for item in catalogue() {
        for order in [IdOrder::HighFirst, IdOrder::LowFirst] {
            let (id, told) = DataId::from_line(item.id().line(order), order);
            assert_eq!((id, told), (item.id(), order));
            // Where one byte alone is a first byte, the dialogue need not be known.
            let other = match order {
                IdOrder::HighFirst => IdOrder::LowFirst,
                IdOrder::LowFirst => IdOrder::HighFirst,
            };
            let [high, low] = item.id().0.to_be_bytes();
            let ambiguous = [high, low]
                .iter()
                .all(|byte| matches!(byte, 0x90 | 0x91 | 0x81..=0x85 | 0xA0 | 0xA1 | 0xD1..=0xD4));
            assert_eq!(
                DataId::from_line(item.id().line(order), other).0 == id,
                !ambiguous || high == low
            );
        }
        let named = item.name(cjt188::Lang::En).to_string();
        assert!(!named.is_empty() && item.name(cjt188::Lang::Zh).to_string() != named);
    }
    for code in 0..=255_u8 {
        let known = matches!(code, 0x10..=0x19 | 0x20..=0x29 | 0x30..=0x39 | 0x40..=0x49);
        assert_eq!(MeterType(code).medium().is_some(), known);
    }
}

#[test]
fn follow_up_frames_do_not_exist_here() {
    let frame = Frame {
        meter_type: MeterType::GAS,
        address: cjt188::Address::BROADCAST,
        control: cjt188::ControlCode(0xA1),
        data: &[0x90, 0x1F, 0],
    };
    assert!(frame.message(IdOrder::HighFirst).is_err());
    let vendor = Frame {
        control: cjt188::ControlCode(0xAA),
        ..frame
    };
    assert!(matches!(
        vendor.message(IdOrder::HighFirst),
        Ok(Message::Vendor { answer: true, .. })
    ));
    assert!(Layout::Raw.lengths().is_empty());
}
