//! Messages of the unified standard: the three forms against each other and against serde with postcard.

use meter_proto::form::Form;
use meter_proto::language::Language;
use meter_proto::message::*;
use meter_proto::{cbor, compact, form, json};
use serde::de::DeserializeOwned;

/// Bytes of either form: what decodes comes back in all three, and postcard reads the same as the compact reader.
pub fn message(bytes: &[u8]) {
    same_as_postcard(bytes);
    if let Ok(message) = form::decode(bytes) {
        in_all_forms(&message);
    }
}

/// Text: what decodes comes back in all three forms.
pub fn text(bytes: &[u8]) {
    if let Ok(message) = json::decode(bytes) {
        assert!(matches!(Form::of(bytes[0]), Some(Form::Json)) || bytes[0].is_ascii_whitespace());
        in_all_forms(&message);
    }
}

fn in_all_forms(message: &Message) {
    let mut small = vec![0; 16_384];
    let len = compact::encode(message, &mut small).expect("a decoded message encodes");
    small.truncate(len);
    assert_eq!(compact::decode(&small).as_ref(), Ok(message), "compact");
    let mut wide = vec![0; 32_768];
    let len = cbor::encode(message, &mut wide).expect("CBOR encodes");
    wide.truncate(len);
    assert!(matches!(Form::of(wide[0]), Some(Form::Cbor)));
    let read = cbor::decode(&wide).expect("CBOR decodes");
    assert_eq!(&read, message, "CBOR");
    let mut again = vec![0; 32_768];
    let len = cbor::encode(&read, &mut again).expect("and encodes again");
    assert_eq!(again[..len], wide, "CBOR has one spelling for a writer");
    let mut text = vec![0; 262_144];
    for language in [Language::English, Language::Chinese] {
        let text = json::encode(message, language, &mut text).expect("JSON encodes");
        assert_eq!(json::decode(text.as_bytes()).as_ref(), Ok(message), "JSON");
    }
}

/// Where the compact reader says yes, postcard reads the same message; where postcard does and the bytes are the one
/// spelling of what it read, so does the compact reader.
fn same_as_postcard(bytes: &[u8]) {
    let ours = compact::decode(bytes);
    let [compact::FIRST_BYTE, kind, rest @ ..] = bytes else {
        assert!(ours.is_err());
        return;
    };
    let Some(by_postcard) = by_postcard(*kind, rest) else {
        // Makers' kinds lie behind a type that postcard cannot name.
        assert!(
            ours.is_err() || *kind >= 64,
            "postcard refuses what compact reads"
        );
        return;
    };
    match ours {
        Ok(ours) => assert_eq!(ours, by_postcard),
        Err(error) => {
            let mut again = vec![0; 16_384];
            if let Ok(len) = compact::encode(&by_postcard, &mut again) {
                assert_ne!(
                    again[..len],
                    *bytes,
                    "compact refuses its own spelling: {error}"
                );
            }
        }
    }
}

fn by_postcard(kind: u8, bytes: &[u8]) -> Option<Message> {
    fn take<T: DeserializeOwned + Into<Body>>(bytes: &[u8]) -> Option<Message> {
        let ((head, body, ext), rest) = postcard::take_from_bytes::<(Head, T, Ext)>(bytes).ok()?;
        rest.is_empty().then(|| Message {
            head,
            body: body.into(),
            ext,
        })
    }
    match kind {
        1 => take::<Registration>(bytes),
        2 => take::<Welcome>(bytes),
        3 => take::<SetDefinition>(bytes),
        4 => take::<Snapshot>(bytes),
        5 => take::<SetSnapshot>(bytes),
        6 => take::<Profile>(bytes),
        7 => take::<Event>(bytes),
        8 => take::<Acknowledgement>(bytes),
        9 => take::<Heartbeat>(bytes),
        10 => take::<Command>(bytes),
        11 => take::<CommandResult>(bytes),
        12 => take::<ConfigRead>(bytes),
        13 => take::<ConfigWrite>(bytes),
        14 => take::<ConfigReport>(bytes),
        15 => take::<TimeRequest>(bytes),
        16 => take::<TimeAnswer>(bytes),
        17 => take::<FileOffer>(bytes),
        18 => take::<FileNeed>(bytes),
        19 => take::<FileBlock>(bytes),
        20 => take::<DemandResponse>(bytes),
        21 => take::<DemandStatus>(bytes),
        22 => take::<Topology>(bytes),
        23 => take::<Absence>(bytes),
        24 => take::<Ledger>(bytes),
        25 => take::<LegalBlock>(bytes),
        _ => None,
    }
}
