//! Frames of real meters and of the fact sheet: found, encoded back, and harmless with any byte changed.

use dlt645::{Decoder, Edition, Frame, FrameError, FrameView, Message};
use serde_json::Value;

fn frames() -> Vec<(Value, Vec<u8>)> {
    let file = include_str!("../../vectors/dlt645/frames.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let electricity = |case: &Value| case["edition"] != "cjt188";
    file["frames"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| electricity(case))
        .map(|case| {
            (
                case.clone(),
                hex::decode(case["hex"].as_str().unwrap()).unwrap(),
            )
        })
        .collect()
}

fn edition(case: &Value) -> Edition {
    if case["edition"] == "1997" {
        Edition::V1997
    } else {
        Edition::V2007
    }
}

#[test]
fn sound_frames_come_back_byte_for_byte_and_others_name_their_fault() {
    let frames = frames();
    assert_eq!(frames.len(), 101);
    for (case, line) in frames {
        let mut plain = [0; 255];
        match Frame::parse(&line, &mut plain) {
            Ok(frame) => {
                assert_ne!(case["layer"], "link", "{case}");
                let mut out = [0; 267];
                let len = frame.encode(&mut out).unwrap();
                let offset = case["frame_offset"].as_u64().unwrap() as usize;
                assert_eq!(line[offset..], out[..len], "{case}");
                assert_eq!(case["meaning"]["address"], frame.address.to_string());
                if case["valid"] == true {
                    let message = frame.message(edition(&case)).unwrap();
                    let mut again = [0; 267];
                    let len = message
                        .encode_frame_in(edition(&case), frame.address, &mut again)
                        .unwrap();
                    assert_eq!(again[..len], out[..len], "{case}");
                    same_values(&case, &message);
                }
            }
            Err(err) => {
                let fault = match err {
                    FrameError::Start { .. } => "start",
                    FrameError::Truncated { .. } => "truncated",
                    FrameError::Checksum { .. } => "checksum",
                    FrameError::End { .. } => "end",
                    _ => "another",
                };
                assert_eq!(case["fault"], fault, "{case}: {err}");
            }
        }
    }
}

/// The numbers that the file states, in both editions.
fn same_values(case: &Value, message: &Message<'_>) {
    let Some(expected) = case["meaning"]["values"].as_array() else {
        return;
    };
    let found: Vec<_> = match *message {
        Message::ReadAnswer { id, data, .. } | Message::Write { id, data, .. } => id
            .values(data)
            .unwrap()
            .map(|value| value.1.unwrap())
            .collect(),
        Message::ReadAnswer1997 { id, data, .. } => id
            .values(data)
            .unwrap()
            .map(|value| value.1.unwrap())
            .collect(),
        ref other => panic!("{other:?}"),
    };
    assert_eq!(found.len(), expected.len(), "{case}");
    for (value, expected) in found.iter().zip(expected) {
        let text = match value {
            dlt645::Value::Absent => {
                assert!(expected["value"].is_null());
                continue;
            }
            dlt645::Value::Number(number) => {
                assert_eq!(expected["unit"], number.unit.symbol(), "{case}");
                number.to_string()
            }
            other => other.to_string(),
        };
        assert_eq!(expected["value"], text, "{case}");
    }
}

#[test]
fn the_stream_decoder_finds_the_same_frames() {
    for (case, line) in frames() {
        let mut decoder = Decoder::new();
        let mut found = 0;
        for byte in &line {
            let fed = decoder.feed(core::slice::from_ref(byte));
            assert_eq!(fed.used, 1);
            found += usize::from(fed.frame.is_some());
        }
        while decoder.handle_gap().is_some() {
            found += 1;
        }
        assert_eq!(found, usize::from(case["layer"] != "link"), "{case}");
    }
}

/// Every value of every byte of every frame: no panic, and a change that the sum can see is seen. A changed byte
/// always changes the sum, so only bytes outside the summed part may pass: preamble and noise in front.
#[test]
fn one_changed_byte_never_passes_silently() {
    for (case, line) in frames() {
        let Some(offset) = case["frame_offset"].as_u64() else {
            continue;
        };
        for place in 0..line.len() {
            for change in 1..=255_u8 {
                let mut bad = line.clone();
                bad[place] ^= change;
                let mut plain = [0; 255];
                let parsed = Frame::parse(&bad, &mut plain);
                if place >= offset as usize {
                    let mended = parsed
                        .is_ok_and(|frame| frame.encoded_len() == line.len() - offset as usize);
                    assert!(!mended, "{case} byte {place} {change:02X}");
                } else if let Ok(frame) = parsed {
                    let _ = frame.message(edition(&case));
                }
                let view = FrameView::parse(&bad);
                if let Ok(view) = view {
                    let mut plain = [0; 255];
                    let _ = view.unmask(&mut plain).unwrap().message(edition(&case));
                }
            }
        }
    }
}

/// The content of each sound frame with any data byte changed and the sum put right: messages and values may differ
/// or be refused, and nothing panics.
#[test]
fn any_data_byte_can_be_anything() {
    for (case, line) in frames() {
        let mut plain = [0; 255];
        let Ok(frame) = Frame::parse(&line, &mut plain) else {
            continue;
        };
        let (address, control) = (frame.address, frame.control);
        let data = frame.data.to_vec();
        for place in 0..data.len() {
            for value in 0..=255_u8 {
                let mut data = data.clone();
                data[place] = value;
                let frame = Frame {
                    address,
                    control,
                    data: &data,
                };
                if let Ok(Message::ReadAnswer { id, data, .. }) = frame.message(edition(&case))
                    && let Ok(values) = id.values(data)
                {
                    for (id, value) in values {
                        let _ = (
                            id.item()
                                .map(|item| item.name(dlt645::Lang::En).to_string()),
                            value,
                        );
                    }
                }
            }
        }
    }
}

/// How many of all single-byte changes of all frames the stream decoder takes for another frame. A changed byte changes
/// the sum by itself, so a change passes only where it moves the place of the sum: in L, or in the wake-up bytes.
#[test]
fn single_changes_that_the_sum_cannot_see_are_counted() {
    let (mut changes, mut unseen) = (0, 0);
    for (case, line) in frames() {
        if case["layer"] == "link" {
            continue;
        }
        let mut plain = [0; 255];
        let sent = Frame::parse(&line, &mut plain).unwrap();
        for place in 0..line.len() {
            for change in 1..=255_u8 {
                let mut bad = line.clone();
                bad[place] ^= change;
                changes += 1;
                let mut decoder = Decoder::new();
                let mut rest = &bad[..];
                let mut passes = |frame: &Frame<'_>| {
                    let same = (frame.address, frame.control, frame.data)
                        == (sent.address, sent.control, sent.data);
                    unseen += usize::from(!same);
                };
                while !rest.is_empty() {
                    let fed = decoder.feed(rest);
                    if let Some(frame) = fed.frame {
                        passes(&frame);
                    }
                    rest = &rest[fed.used..];
                }
                while let Some(frame) = decoder.handle_gap() {
                    passes(&frame);
                }
            }
        }
    }
    assert_eq!((changes, unseen), (CHANGES, UNSEEN));
}

const CHANGES: usize = 515_865;
const UNSEEN: usize = 0;
