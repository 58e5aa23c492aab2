//! The model has a place for everything that meters of other protocols say: each value of the shared captures finds a
//! point, a unit and exact digits, and travels in every form without losing one. What the bytes of those protocols mean
//! is the business of their codecs; here stands only what their words become.

use meter_proto::language::Language;
use meter_proto::message::{Head, Message, Sample, Snapshot};
use meter_proto::point::{Foreign, Phase, PointId, Statistic};
use meter_proto::quantity::Quantity as Q;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::{Quality, Value};
use meter_proto::{cbor, compact, form, json};
use serde_json::Value as Json;
use testkit::cases::load_shared;

/// Quantity and how many of its units one of the other protocol's is.
fn quantity(name: &str, unit: &str, heat: bool) -> Option<(PointId, i64)> {
    let plain = |quantity| Some((PointId::new(quantity), 1));
    let channel = |channel| Some((PointId::new(Q::TEMPERATURE).channel(channel), 1));
    let seconds = match unit {
        "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 1,
    };
    match (name, unit) {
        ("energy", "J") => plain(Q::HEAT_ENERGY),
        ("energy", "Wh") if heat => plain(Q::HEAT_ENERGY_WH),
        ("energy", "Wh") => plain(Q::ACTIVE_ENERGY),
        ("power", "W") if heat => plain(Q::HEAT_POWER),
        ("power", "W") => plain(Q::ACTIVE_POWER),
        ("volume", "m3") => plain(Q::VOLUME),
        ("volume_flow", "m3/h") => plain(Q::VOLUME_FLOW),
        ("voltage", "V") => plain(Q::VOLTAGE),
        ("current", "A") => plain(Q::CURRENT),
        ("frequency", "Hz") => plain(Q::FREQUENCY),
        ("flow_temperature", "degC") => channel(1),
        ("return_temperature", "degC") => channel(2),
        ("temperature_difference", "K") => channel(3),
        ("external_temperature", "degC") => channel(4),
        ("hca_units", "HCA") => plain(Q::HEAT_ALLOCATION),
        ("on_time" | "operating_time", _) => Some((PointId::new(Q::TIME_IN_SERVICE), seconds)),
        ("remaining_battery", _) => Some((PointId::new(Q::REMAINING_TIME), seconds)),
        ("digital_input" | "digital_output" | "error_flags", _) => plain(Q::STATE_WORD),
        ("dimensionless" | "cumulation_counter", _) => plain(Q::COUNTER),
        _ => None,
    }
}

/// Unit of the model as the captures write it.
fn unit_of(point: PointId) -> String {
    point
        .quantity()
        .unit()
        .replace('³', "3")
        .replace('°', "deg")
}

fn number(record: &Json, name: &str) -> i64 {
    record[name].as_i64().unwrap_or(0)
}

fn vif_bytes(record: &Json) -> [u8; 4] {
    let mut bytes = hex::decode(record["vif"].as_str().unwrap_or("")).unwrap();
    bytes.resize(4, 0);
    bytes.try_into().unwrap()
}

/// The sample of one record of an M-Bus telegram.
fn sample(record: &Json, heat: bool) -> Sample {
    let name = record["quantity"].as_str().unwrap_or("");
    let unit = record["unit"].as_str().unwrap_or("");
    let known = quantity(name, unit, heat);
    if let Some((point, factor)) = known
        && factor == 1
        && !unit.is_empty()
        && !matches!(unit, "K" | "HCA")
    {
        assert_eq!(unit_of(point), unit, "{name}");
    }
    let (point, factor) = known.unwrap_or((Foreign::MBus(vif_bytes(record)).point(), 1));
    let point = if point.foreign().is_some() {
        point
    } else {
        let statistic = match record["function"].as_str().unwrap_or("") {
            "maximum" => Statistic::MAXIMUM,
            "minimum" => Statistic::MINIMUM,
            _ => Statistic::NATURAL,
        };
        let settlement = number(record, "storage").try_into().unwrap_or(255);
        let tariff = number(record, "tariff").try_into().unwrap();
        let point = point
            .statistic(statistic)
            .settlement(settlement)
            .tariff(tariff);
        // A temperature's channel names the sensor; elsewhere it is the subunit.
        match number(record, "subunit") {
            0 => point,
            subunit => point.channel(subunit.try_into().unwrap()),
        }
    };
    let exponent = i8::try_from(number(record, "exponent")).unwrap();
    let value = match record["mantissa"].as_i64() {
        Some(mantissa) => Value::new(mantissa.checked_mul(factor).unwrap(), exponent),
        None => match record["real"].as_f64() {
            Some(real) => rounded(real, -3),
            // Without digits: NaN, invalid BCD, text, dates.
            None => Value::missing(exponent),
        },
    };
    let quality = match record["function"].as_str() {
        Some("error") => value.quality.with(Quality::QUESTIONABLE),
        _ => value.quality,
    };
    Sample::new(point, value.with_quality(quality))
}

/// Through all three forms and back.
fn travels(samples: &[Sample]) {
    for part in samples.chunks(64) {
        let stamp = Stamp::from_seconds(1_795_219_200, ClockQuality::LEGAL);
        let snapshot: Snapshot = part.iter().copied().collect();
        let message = Message::new(Head::session(1, stamp), snapshot);
        let mut out = vec![0; 65_536];
        for encode in [compact::encode, cbor::encode] {
            let len = encode(&message, &mut out).unwrap();
            assert_eq!(form::decode(&out[..len]).as_ref(), Ok(&message));
        }
        for language in [Language::English, Language::Chinese] {
            let text = json::encode(&message, language, &mut out).unwrap();
            assert_eq!(
                json::decode(text.as_bytes()).as_ref(),
                Ok(&message),
                "{text}"
            );
        }
    }
}

#[test]
fn every_value_of_the_mbus_captures_has_a_place() {
    let Some(file) = load_shared("mbus.json") else {
        return;
    };
    let (mut exact, mut foreign) = (0, 0);
    for frame in file["wired"]
        .as_array()
        .unwrap()
        .iter()
        .chain(file["wireless"].as_array().unwrap())
    {
        let medium = frame["decoded"]["medium"].as_str().unwrap_or("");
        let heat = medium.starts_with("heat") || medium == "hot_water";
        // What has no VIF is manufacturer data, passed on as bytes of a vendor's kind.
        let records: Vec<&Json> = frame["decoded"]["records"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|record| record["vif"].is_string())
            .collect();
        let samples: Vec<Sample> = records.iter().map(|record| sample(record, heat)).collect();
        for (sample, record) in samples.iter().zip(&records) {
            let is_foreign = sample.point.foreign().is_some();
            foreign += usize::from(is_foreign);
            // What has a physical unit has a point.
            let named = record["unit"].is_string() && record["mantissa"].is_i64();
            let of_the_protocol = matches!(
                record["quantity"].as_str(),
                Some("actuality_duration" | "averaging_duration")
            );
            assert!(!is_foreign || !named || of_the_protocol, "{record}");
            if let Some(mantissa) = record["mantissa"].as_i64() {
                assert_eq!(sample.value.mantissa % mantissa.max(1), 0);
                assert_eq!(i64::from(sample.value.exponent), number(record, "exponent"));
                exact += 1;
            }
        }
        travels(&samples);
    }
    assert!(exact >= 700, "{exact} exact values, {foreign} foreign");
    println!("{exact} exact values, {foreign} records with a foreign point");
}

/// Digits of a float as its manual states them: rounded once, half to even, as a gateway does at its edge.
fn rounded(real: f64, exponent: i8) -> Value {
    let steps = real / 10f64.powi(exponent.into());
    Value::new(steps.round_ties_even() as i64, exponent)
}

#[test]
fn every_named_value_of_modbus_and_zigbee_has_a_place() {
    let mut samples = Vec::new();
    let mut take = |value: &Json| {
        let (Some(name), Some(real)) = (value["quantity"].as_str(), value["value"].as_f64()) else {
            return;
        };
        let (point, _) = quantity(name, value["unit"].as_str().unwrap(), false).unwrap();
        let phase = match value["phase"].as_str() {
            Some("L1") => Phase::L1,
            Some("L2") => Phase::L2,
            Some("L3") => Phase::L3,
            _ => Phase::TOTAL,
        };
        let exponent = if point.quantity() == Q::VOLTAGE {
            -1
        } else {
            -3
        };
        let exact = rounded(real, exponent);
        let error = exact.to_string().parse::<f64>().unwrap() - real;
        assert!(
            error.abs() <= 0.5001 * 10f64.powi(exponent.into()),
            "{exact} of {real}"
        );
        samples.push(Sample::new(point.phase(phase), exact));
    };
    let Some(modbus) = load_shared("modbus.json") else {
        return;
    };
    for frame in modbus["frames"].as_array().unwrap() {
        frame["decoded"]["values"]
            .as_array()
            .into_iter()
            .flatten()
            .for_each(&mut take);
    }
    let Some(zigbee) = load_shared("zcl.json") else {
        return;
    };
    let mut raw = Vec::new();
    for frame in zigbee["frames"].as_array().unwrap() {
        frame["points"]
            .as_array()
            .into_iter()
            .flatten()
            .for_each(&mut take);
        let cluster = u16::from_str_radix(frame["cluster"].as_str().unwrap(), 16).unwrap();
        for attribute in frame["decoded"]["attributes"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let id = u16::from_str_radix(attribute["attr"].as_str().unwrap(), 16).unwrap();
            let point = match (cluster, id) {
                (0x0702, 0x0000) => PointId::new(Q::ACTIVE_ENERGY),
                (0x0702, 0x0400) | (0x0B04, 0x050B) => PointId::new(Q::ACTIVE_POWER),
                (0x0702, 0x0200) => PointId::new(Q::STATE_WORD),
                (0x0B04, 0x0505) => PointId::new(Q::VOLTAGE),
                (0x0B04, 0x0508) => PointId::new(Q::CURRENT),
                (0x0403, 0x0000) => PointId::new(Q::PRESSURE),
                (0x0001, 0x0020) => PointId::new(Q::BATTERY_VOLTAGE),
                (0x0001, 0x0021) => PointId::new(Q::STATE_OF_CHARGE),
                (cluster, attribute) => Foreign::ZigBee { cluster, attribute }.point(),
            };
            if let Some(mantissa) = attribute["value"].as_i64() {
                raw.push(Sample::new(point, Value::new(mantissa, 0)));
            }
        }
    }
    assert!(samples.len() >= 10, "{} named values", samples.len());
    assert!(raw.len() >= 15, "{} attributes", raw.len());
    travels(&samples);
    travels(&raw);
}
