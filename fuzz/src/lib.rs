//! Fuzz bodies, one for each reader of outside bytes.
//!
//! A body takes any bytes and panics when something that must hold does not. The targets in
//! `fuzz_targets/` give them to a coverage-guided engine; `tests/corpus.rs` replays the corpus and
//! random input on the stable tool chain.

pub mod conditions;
pub mod delivery;
pub mod electricity;
pub mod face;
pub mod firmware;
pub mod front_end;
mod input;
pub mod keys;
pub mod messages;
pub mod metering;
pub mod orders;
pub mod quality;
pub mod tariff;
pub mod update;

use dlt645::{Edition, Frame, FrameView};
use security::counter::SendCounter;
use security::envelope::{Class, Direction, HEADER_LEN};
use security::key::{DeviceKeyId, KeyTree, Purpose, Secret};
use security::link::{Opener, Sealer};
use security::suite::Suite;

/// Bytes from the line, split as the first byte says: the DL/T 645 stream decoder, every message of
/// a frame, and the CJ/T 188 decoder. What is found encodes to the same frame.
pub fn frame(bytes: &[u8]) {
    let Some((&split, bytes)) = bytes.split_first() else {
        return;
    };
    let chunk = usize::from(split).max(1);
    let mut decoder = dlt645::Decoder::new();
    for part in bytes.chunks(chunk) {
        let mut rest = part;
        while !rest.is_empty() {
            let fed = decoder.feed(rest);
            assert!(fed.used <= rest.len(), "more taken than given");
            assert!(
                fed.used > 0 || fed.frame.is_some(),
                "a call without progress"
            );
            if let Some(found) = fed.frame {
                check_frame(&found);
            }
            rest = &rest[fed.used..];
        }
    }
    while let Some(found) = decoder.handle_gap() {
        check_frame(&found);
    }
    assert!(!decoder.is_receiving(), "bytes are held after the gap");
    if let Ok(view) = FrameView::parse(bytes) {
        assert!(view.end() <= bytes.len());
    }
    let mut water = cjt188::Decoder::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let fed = water.feed(rest);
        assert!(
            fed.used > 0 || fed.frame.is_some(),
            "a call without progress"
        );
        rest = &rest[fed.used..];
    }
}

fn check_frame(found: &Frame<'_>) {
    let mut line = [0; dlt645::FRAME_MAX];
    let len = found.encode(&mut line).expect("a decoded frame encodes");
    let mut plain = [0; dlt645::FRAME_MAX];
    let again = Frame::parse(&line[..len], &mut plain).expect("and parses again");
    assert_eq!(&again, found);
    for edition in [Edition::V2007, Edition::V1997] {
        // Any answer but a panic is right: the bytes are the peer's.
        let _ = found.message(edition);
    }
}

/// Outside bytes given to an opener, and a sealed message damaged as the bytes say: nothing opens but
/// what was sealed, once, and a refusal leaves no plaintext.
pub fn envelope(bytes: &[u8]) {
    let tree = KeyTree::from_root(&Secret::new([0x5A; 16]), *b"fuzz-net", 1);
    let key = tree.device_key(
        DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]),
        Purpose::Data,
        1,
    );
    let mut opener = Opener::new(&key, Direction::FromDevice, Suite::Ccm16);
    let mut outside = bytes.to_vec();
    assert!(
        opener.open(b"", &mut outside).is_err(),
        "bytes of no key were opened"
    );

    let [at, change, rest @ ..] = bytes else {
        return;
    };
    let plain = &rest[..rest.len().min(256)];
    let mut sealer = Sealer::new(
        &key,
        Direction::FromDevice,
        Suite::Ccm16,
        SendCounter::boot(0, 256),
    );
    if let Some(reservation) = sealer.reservation() {
        reservation.confirm();
    }
    let mut buffer = [0; 512];
    let sealed = sealer
        .seal_from(Class::Data, b"", plain, &mut buffer)
        .expect("256 bytes fit")
        .to_vec();

    let mut damaged = sealed.clone();
    let place = usize::from(*at) % damaged.len();
    damaged[place] ^= change | 1;
    assert!(
        opener.open(b"", &mut damaged).is_err(),
        "a damaged envelope was opened"
    );
    let message = damaged.get(HEADER_LEN..).unwrap_or_default();
    assert!(
        message.iter().all(|byte| *byte == 0),
        "something is left of the message after a refusal"
    );
    let mut good = sealed.clone();
    assert_eq!(opener.open(b"", &mut good).expect("untouched").plain, plain);
    let mut repeat = sealed;
    assert!(
        opener.open(b"", &mut repeat).is_err(),
        "a repeat was opened"
    );
}
