//! Frames of real meters, converted: the digits must be those of the frame.

use cjt188::MeterType;
use dlt645::{DataId, Edition, Message};
use meter_proto::message::Sample;
use meter_proto::point::PointId;
use meter_proto::quantity::Quantity;
use meter_proto::value::{Quality, Value};
use serde_json::Value as Json;

fn frames(edition: &str) -> Vec<Json> {
    let text = include_str!("../../../vectors/dlt645/frames.json");
    let file: Json = serde_json::from_str(text).unwrap();
    let valid = |f: &&Json| {
        f["valid"] == true && f["edition"] == edition && f["meaning"]["values"].is_array()
    };
    file["frames"]
        .as_array()
        .unwrap()
        .iter()
        .filter(valid)
        .cloned()
        .collect()
}

/// The exponent that the text of a value and its unit ask for.
fn exponent(text: &str, unit: &str) -> i8 {
    let decimals = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len() as i8);
    let kilo = if unit.starts_with('k') { 3 } else { 0 };
    kilo - decimals
}

fn check(samples: &[Sample], values: &[Json], origin: &Json) -> usize {
    let mut checked = 0;
    for (sample, value) in samples.iter().zip(values) {
        match value["value"].as_str() {
            Some(text) => {
                let digits: i64 = text.replace('.', "").parse().unwrap();
                assert_eq!(sample.value.mantissa, digits, "{origin}");
                let unit = value["unit"].as_str().unwrap_or_default();
                assert_eq!(sample.value.exponent, exponent(text, unit), "{origin}");
                assert!(sample.value.quality.is_good(), "{origin}");
            }
            None => assert!(sample.value.quality.contains(Quality::MISSING), "{origin}"),
        }
        checked += 1;
    }
    checked
}

#[test]
fn digits_of_electricity_meters_are_kept() {
    let mut checked = 0;
    for frame in frames("2007") {
        let bytes = hex::decode(frame["hex"].as_str().unwrap()).unwrap();
        let mut decoder = dlt645::Decoder::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let fed = decoder.feed(rest);
            rest = &rest[fed.used..];
            let Some(found) = fed.frame else { continue };
            let Ok(Message::ReadAnswer { id, data, .. }) = found.message(Edition::V2007) else {
                continue;
            };
            let Ok(samples) = gateway::convert::dlt645(id, data) else {
                continue;
            };
            if !samples.is_empty() {
                checked += check(
                    &samples,
                    frame["meaning"]["values"].as_array().unwrap(),
                    &frame["hex"],
                );
            }
        }
    }
    assert!(checked >= 10, "only {checked} values were checked");
}

#[test]
fn digits_of_water_meters_are_kept() {
    let mut checked = 0;
    for frame in frames("cjt188") {
        let bytes = hex::decode(frame["hex"].as_str().unwrap()).unwrap();
        // 68 T A0..A6 C L DI DI SER, then the data, then CS 16.
        let (meter_type, data) = (MeterType(bytes[1]), &bytes[14..bytes.len() - 2]);
        let reading = cjt188::Reading::parse(meter_type, data).unwrap();
        let samples = gateway::convert::cjt188(meter_type, &reading);
        checked += check(
            &samples,
            frame["meaning"]["values"].as_array().unwrap(),
            &frame["hex"],
        );
    }
    assert!(checked >= 8, "only {checked} values were checked");
}

#[test]
fn what_is_absent_or_impossible_is_marked_and_nothing_is_invented() {
    let block = DataId(0x0201_FF00);
    let samples = gateway::convert::dlt645(block, &[0x05, 0x22, 0xFF, 0xFF, 0x1A, 0x22]).unwrap();
    assert_eq!(samples.len(), 3);
    assert_eq!(samples[0].value, Value::new(2205, -1));
    assert_eq!(samples[1].value, Value::missing(-1));
    assert_eq!(samples[2].value, Value::missing(-1));
    assert!(gateway::convert::dlt645(block, &[0x05, 0x22, 0x00]).is_err());

    let factor = |mantissa| {
        Sample::new(
            PointId::new(Quantity::POWER_FACTOR),
            Value::new(mantissa, -3),
        )
    };
    assert!(
        gateway::convert::judged(factor(1000))
            .value
            .quality
            .is_good()
    );
    assert!(
        gateway::convert::judged(factor(-1000))
            .value
            .quality
            .is_good()
    );
    let judged = gateway::convert::judged(factor(1001)).value;
    assert_eq!(
        (judged.mantissa, judged.quality),
        (1001, Quality::OUT_OF_RANGE)
    );
}
