//! Frames of real meters: found, encoded back, and harmless with any byte changed.

use cjt188::{Decoder, Event, Frame, FrameError, IdOrder, Message, Reading};
use serde_json::Value;

fn frames() -> Vec<(Value, Vec<u8>)> {
    let file: Value =
        serde_json::from_str(include_str!("../../vectors/dlt645/frames.json")).unwrap();
    file["frames"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["edition"] == "cjt188")
        .map(|case| {
            (
                case.clone(),
                hex::decode(case["hex"].as_str().unwrap()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn sound_frames_come_back_and_others_name_their_fault() {
    let frames = frames();
    assert_eq!(frames.len(), 16);
    for (case, line) in frames {
        match Frame::parse(&line) {
            Ok(frame) => {
                let mut out = [0; 100];
                let len = frame.encode(&mut out).unwrap();
                let offset = case["frame_offset"].as_u64().unwrap() as usize;
                assert_eq!(line[offset..], out[..len], "{case}");
                let message = frame.message(IdOrder::LowFirst).unwrap();
                let len = message
                    .encode_frame(frame.meter_type, frame.address, &mut out)
                    .unwrap();
                assert_eq!(line[offset..], out[..len], "{case}");
                let (Message::Request { head, .. } | Message::Answer { head, .. }) = message else {
                    panic!("{case}")
                };
                assert_eq!(case["meaning"]["di"], head.id.to_string());
                if let (Message::Answer { data, .. }, "901F") =
                    (message, head.id.to_string().as_str())
                {
                    let Reading::Volume(volume) = Reading::parse(frame.meter_type, data).unwrap()
                    else {
                        panic!()
                    };
                    assert_eq!(
                        case["meaning"]["values"][0]["value"],
                        volume.current.to_string()
                    );
                    assert_eq!(
                        case["meaning"]["values"][1]["value"],
                        volume.settlement.to_string()
                    );
                }
            }
            Err(FrameError::Checksum { .. }) => assert_eq!(case["fault"], "checksum"),
            Err(other) => panic!("{case}: {other}"),
        }
        let mut decoder = Decoder::new();
        let found = line
            .iter()
            .filter(|byte| decoder.feed(core::slice::from_ref(*byte)).frame.is_some())
            .count();
        assert_eq!(found, usize::from(case["layer"] != "link"), "{case}");
    }
}

#[test]
fn any_byte_can_be_anything() {
    for (case, line) in frames() {
        let Some(offset) = case["frame_offset"].as_u64() else {
            continue;
        };
        for place in 0..line.len() {
            for change in 1..=255_u8 {
                let mut bad = line.clone();
                bad[place] ^= change;
                let parsed = Frame::parse(&bad);
                if place >= offset as usize {
                    let silently = parsed
                        .is_ok_and(|frame| frame.encoded_len() == line.len() - offset as usize);
                    assert!(!silently, "{case} byte {place}");
                }
            }
        }
        let Ok(frame) = Frame::parse(&line) else {
            continue;
        };
        for place in 0..frame.data.len() {
            for value in 0..=255_u8 {
                let mut data = frame.data.to_vec();
                data[place] = value;
                let frame = Frame {
                    data: &data,
                    ..frame
                };
                if let Ok(Message::Answer { data, .. }) = frame.message(IdOrder::HighFirst) {
                    let _ = Reading::parse(frame.meter_type, data).map(|reading| reading.status());
                }
            }
        }
    }
}

#[test]
fn the_example_of_the_event_type() {
    let event = Event::TimedOut { tries: 3 };
    assert_eq!(event.reading(), None);
    assert_eq!(event.valve_status(), None);
}
