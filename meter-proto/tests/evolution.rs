//! What later releases may do, and what today's readers make of it: the table of the published page, row by row, over
//! the golden messages of every kind.

mod samples;

use meter_proto::error::Error;
use meter_proto::form::{self, Tally};
use meter_proto::message::{Addition, Body, CommandBody, Message};
use meter_proto::{cbor, compact, json};
use samples::{entries, entry, samples};

/// Name, message, compact bytes, CBOR bytes; only those without additions, whose body ends the CBOR bytes.
fn golden() -> Vec<(&'static str, Message, Vec<u8>, Vec<u8>)> {
    let entries = entries();
    samples()
        .into_iter()
        .filter(|(_, message)| message.ext.is_empty())
        .map(|(name, message)| {
            let bytes = |form: &str| {
                hex::decode(entry(&entries, name).unwrap()[form].as_str().unwrap()).unwrap()
            };
            (name, message, bytes("compact"), bytes("cbor"))
        })
        .collect()
}

/// Where the body's map begins: behind key 7, the only 07 A0..B7 after the head's eight entries.
fn body_at(bytes: &[u8]) -> usize {
    let (mut at, mut key) = (1, 0);
    while key != 7 {
        key = bytes[at];
        at += 1;
        if key != 7 {
            // Numbers of the head only.
            at += match bytes[at] & 31 {
                24 => 2,
                25 => 3,
                26 => 5,
                27 => 9,
                _ => 1,
            };
        }
    }
    at
}

#[test]
fn a_new_kind_is_passed_over_and_counted() {
    let mut tally = Tally::default();
    for (name, message, mut small, mut wide) in golden() {
        small[1] = 200;
        wide.splice(2..3 + usize::from(wide[2] == 24), [0x18, 200]);
        for bytes in [&small, &wide] {
            assert_eq!(
                form::decode(bytes),
                Err(Error::UnknownKind { found: 200 }),
                "{name}"
            );
            assert_eq!(form::peek(bytes), Ok((200, message.head)), "{name}");
            assert_eq!(tally.read(bytes), None);
        }
    }
    assert_eq!(tally.unknown_kinds as usize, 2 * golden().len());
    assert_eq!((tally.read, tally.refused), (0, 0));
}

#[test]
fn a_new_addition_is_passed_over_and_counted() {
    let mut tally = Tally::default();
    let addition = Addition {
        addition_type: 200,
        value: &[1, 2, 3],
    };
    for (name, message, mut small, mut wide) in golden() {
        let mut appended = message.clone();
        appended.push_addition(addition).unwrap();
        let chain = [5, 200, 3, 1, 2, 3];
        small.pop();
        small.extend(chain);
        wide[0] += 1;
        wide.extend([8, 0x45]);
        wide.extend(&chain[1..]);
        for bytes in [small, wide] {
            let read = tally.read(&bytes).unwrap();
            assert_eq!(read, appended, "{name}");
            assert_eq!(read.body, message.body);
            assert_eq!(read.additions().collect::<Vec<_>>(), [addition]);
        }
    }
    assert_eq!(tally.unknown_additions as usize, 2 * golden().len());
    // A chain whose last element is cut, and one that is too long.
    let (_, _, mut cut, _) = golden().remove(0);
    cut.pop();
    cut.extend([4, 200, 3, 1, 2]);
    assert!(matches!(form::decode(&cut), Err(Error::BadValue { .. })));
    cut.truncate(cut.len() - 5);
    cut.extend([65, 1, 63].into_iter().chain([0; 63]));
    assert!(matches!(
        form::decode(&cut),
        Err(Error::TooMany { capacity: 64, .. })
    ));
    assert_eq!(tally.read(&cut), None);
    assert_eq!(tally.refused, 1);
}

#[test]
fn a_new_field_is_passed_over_in_cbor_and_json_and_refused_in_compact() {
    for (name, message, mut small, wide) in golden() {
        let mut in_body = wide.clone();
        in_body[body_at(&wide)] += 1;
        in_body.extend([0x18, 100, 0x83, 1, 0xA1, 0, 0xF6, 0x62, b'h', b'i']);
        assert_eq!(form::decode(&in_body), Ok(message.clone()), "{name}");
        let mut at_top = wide.clone();
        at_top[0] += 1;
        at_top.extend([0x18, 127, 0x43, 1, 2, 3]);
        assert_eq!(form::decode(&at_top), Ok(message.clone()), "{name}");

        let mut out = vec![0; 16_384];
        let text = json::encode(&message, Default::default(), &mut out).unwrap();
        let text = text.replacen("\"body\":{", "\"body\":{\"later\":[{\"x\":null}],", 1);
        let text = text.replace("later\":[{\"x\":null}],}", "later\":[]}");
        assert_eq!(json::decode(text.as_bytes()), Ok(message), "{text}");

        let end = small.len();
        small.push(7);
        assert_eq!(
            form::decode(&small),
            Err(Error::TrailingBytes { position: end }),
            "{name}"
        );
    }
}

#[test]
fn elements_of_lists_may_grow_in_cbor() {
    // The last element of the message begins at this distance from its end.
    for (name, back) in [
        ("set definition", 5),
        ("acknowledgement", 5),
        ("topology", 17),
        ("file need", 5),
    ] {
        let (_, message, _, mut wide) = golden().into_iter().find(|it| it.0 == name).unwrap();
        let start = wide.len() - back;
        assert_eq!(wide[start] >> 4, 8, "{name}: an array of fields");
        wide[start] += 1;
        wide.extend([0x82, 1, 2]);
        assert_eq!(form::decode(&wide), Ok(message), "{name}");
    }
}

#[test]
fn new_codes_are_kept_as_they_came() {
    let (_, message, small, _) = golden().into_iter().find(|it| it.0 == "event").unwrap();
    let Body::Event(mut event) = message.body else {
        panic!("an event")
    };
    event.code = 0x7FFF;
    event.phase.0 = 99;
    let mut out = [0; 128];
    for encode in [compact::encode, cbor::encode] {
        let unheard = Message::new(message.head, event);
        let len = encode(&unheard, &mut out).unwrap();
        assert_eq!(form::decode(&out[..len]), Ok(unheard));
    }
    // A body of a later release is a command all the same, to be answered with "unknown body".
    let (_, _, mut command, _) = golden()
        .into_iter()
        .find(|it| it.0 == "command register")
        .unwrap();
    let code = command.len() - 3; // code, empty arguments, empty ext
    command.splice(code..code + 2, [0xE8, 0x07, 2, 0xAA, 0xBB]);
    match form::decode(&command).unwrap().body {
        Body::Command(command) => assert_eq!(command.body, CommandBody::Unknown { code: 1000 }),
        other => panic!("{other:?}"),
    }
    let mut version_2 = small;
    version_2[0] = 0x22;
    assert_eq!(
        form::decode(&version_2),
        Err(Error::UnknownVersion { found: 2 })
    );
}

#[test]
fn a_widened_number_is_refused_where_it_does_not_fit() {
    let (_, _, small, wide) = golden().into_iter().find(|it| it.0 == "event").unwrap();
    // The code, 0x0204, becomes 0x10204: three bytes as a varint, a u32 in CBOR.
    let at = small
        .windows(2)
        .rposition(|pair| pair == [0x84, 0x04])
        .unwrap();
    let mut grown = small;
    grown.splice(at..at + 2, [0x84, 0x84, 0x04]);
    assert!(matches!(form::decode(&grown), Err(Error::BadNumber { .. })));
    let at = body_at(&wide) + 2;
    let mut grown = wide;
    grown.splice(at..at + 3, [0x1A, 0, 1, 2, 4]);
    assert!(matches!(form::decode(&grown), Err(Error::BadNumber { .. })));
}

#[test]
fn what_the_forms_forbid_is_refused_for_every_kind() {
    for (name, _, _, wide) in golden() {
        let body = body_at(&wide);
        // The same key twice: the body's first field again behind the last.
        let key = wide[body + 1];
        let mut twice = wide.clone();
        twice[body] += 1;
        twice.extend([key, 0]);
        let position = wide.len();
        assert_eq!(
            form::decode(&twice),
            Err(Error::DuplicateKey { position, key }),
            "{name}"
        );
        // An indefinite length, of the body and of the whole.
        let mut endless = wide.clone();
        endless[body] = 0xBF;
        endless.push(0xFF);
        assert_eq!(
            form::decode(&endless),
            Err(Error::BadType { position: body }),
            "{name}"
        );
        endless[0] = 0xBF;
        assert_eq!(
            form::decode(&endless),
            Err(Error::UnknownForm { found: 0xBF })
        );
        // A number longer than necessary: the key.
        let mut long = wide.clone();
        long.splice(body + 1..body + 2, [0x18, key]);
        assert_eq!(
            form::decode(&long),
            Err(Error::BadNumber { position: body + 1 }),
            "{name}"
        );
    }
}

/// Why elements never grow in the compact form: the layout has no end of an element, so that an old reader takes the
/// new field for the next element. Postcard shows it.
#[test]
fn the_layout_alone_cannot_tell_a_grown_element() {
    let new = [(1u32, 2u32, 3u32), (4, 5, 6)];
    let mut out = [0; 16];
    let bytes =
        postcard::to_slice(&heapless::Vec::<_, 2>::from_slice(&new).unwrap(), &mut out).unwrap();
    let old: (heapless::Vec<(u32, u32), 2>, _) = postcard::take_from_bytes(bytes).unwrap();
    assert_eq!(old.0[..], [(1, 2), (3, 4)]);
    // Here the bytes that are left over betray it.
    assert_eq!(old.1.len(), 2);
}
