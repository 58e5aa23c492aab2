//! Any bytes at every reader that outsiders reach: refused, and nothing changes.

use proptest::collection::vec;
use proptest::prelude::*;
use security::ake::{self, AkeError, Responder};
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::esam::{Element, HostKeys};
use security::fw::{BootState, ChunkMap, Manifest, Slot};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::log::Head;
use security::slot::{KeySlot, SlotError};
use security::suite::Suite;
use security::wrap;
use testkit::rounds;

const METER: DeviceKeyId = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);

fn auth() -> DeviceKey {
    DeviceKey::new(Secret::new([7; 16]), METER, Purpose::Auth, 1)
}

fn chip() -> SoftKey {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new([0xC1; 16]));
    key
}

fn element() -> Element<Soft> {
    let secret = |byte| Secret::new([byte; 16]);
    let keys = HostKeys {
        parameter: secret(1),
        control: secret(2),
        identity: secret(3),
        main: secret(4),
    };
    let mut element = Element::new(Soft, &keys, METER.address(), [9; 8]).unwrap();
    element.set_now(1, 1);
    element.give_random([5; 8]);
    element
}

/// Identifiers of function 03, known and unknown ones.
fn identifier() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0x0700_00FF),
        Just(0x0700_01FF),
        Just(0x0700_03FF),
        Just(0x0701_01FF),
        Just(0x0701_02FF),
        Just(0x0702_01FF),
        Just(0x0702_04FF),
        Just(0x0703_01FF),
        Just(0x0780_03FF),
        any::<u32>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(400, 2) as u32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn handshakes(kind in 0x10..0x15_u8, mut bytes in vec(any::<u8>(), 0..60), mine: bool, suites in 0..12_u8) {
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        // With epoch, address and count right, the rest decides.
        if mine && bytes.len() > 10 {
            bytes[1..3].copy_from_slice(&[0, 1]);
            bytes[3..9].copy_from_slice(&METER.address());
            bytes[9] = suites;
        }
        let key = auth().soft();
        let mut device = Responder::new(Suite::ALL);
        let answered = device.answer(&mut Soft, &key, &bytes, [2; 16], 0);
        if let Ok(m2) = answered {
            prop_assert_eq!(m2[0], 0x12);
            prop_assert!(bytes[10..10 + usize::from(suites)].contains(&m2[1]));
        } else {
            prop_assert_eq!(answered, Err(AkeError::Refused));
        }
        prop_assert!(device.finish(&mut Soft, &key, &bytes, 0).is_err());
        let sent = ake::start(&key, Suite::ALL, [1; 16]).unwrap();
        prop_assert!(sent.receive(&mut Soft, &key, &bytes, 0).is_err());
    }

    #[test]
    fn records_and_wrapped_keys(mut bytes in vec(any::<u8>(), 0..200), name: [u8; 24]) {
        let restored = KeySlot::restore(&mut Soft, &chip(), [&bytes, &[]]);
        prop_assert_eq!(restored, Err(SlotError::Record));
        prop_assert!(wrap::unwrap(&mut Soft, &chip(), &mut bytes).is_err());
        prop_assert!(bytes.iter().all(|byte| *byte == 0));
        let head = Head::from_bytes(&name);
        prop_assert_eq!(head.to_bytes(), name);
        let copy: [u8; 16] = name[..16].try_into().unwrap();
        prop_assert!(BootState::restore([&copy, &[0xFF; 16]]).is_err());
    }

    #[test]
    fn manifests(mut bytes: [u8; 120], edit in 0..121_usize) {
        // From a good one on, with one byte of any value.
        let mut good = [0; 120];
        good[..10].copy_from_slice(&[b'M', b'F', b'W', b'1', 0, 120, 1, 1, 2, 0]);
        good[27] = 200;
        good[29] = 64;
        if edit < 120 {
            good[edit] = bytes[edit];
            bytes = good;
        }
        if let Ok(manifest) = Manifest::parse(&bytes) {
            prop_assert_eq!(manifest.encode(), bytes);
            let mut map = vec![0xFF; ChunkMap::len(&manifest).min(1 << 16)];
            if let Ok(mut map) = ChunkMap::new(&manifest, &mut map) {
                let last = manifest.chunks() - 1;
                let place = map.place(last).unwrap();
                prop_assert_eq!(place.end, manifest.image_len);
                prop_assert!(map.place(last + 1).is_err());
                prop_assert!(map.wants(0, 0).is_err() && map.is_missing(last));
                let _ = map.note(last).unwrap();
                prop_assert!(!map.is_missing(last));
            }
        }
    }

    #[test]
    fn elements(id in identifier(), data in vec(any::<u8>(), 0..200), inside: bool) {
        let mut element = element();
        let before = element.record(&chip()).unwrap();
        let mut out = [0; 256];
        let answered = element.request(id, &data, &mut out);
        // Only what asks for nothing that must be proved is answered.
        prop_assert!(answered.is_err() || matches!(id, 0x0780_03FF | 0x0700_02FF));
        prop_assert_eq!(element.unsaved(&chip()), Ok(None));
        let mut plain = [0; 256];
        let opened = if inside {
            element.open_hidden_parameters(id, &data, &mut plain)
        } else {
            element.open_parameters(id, &data, &mut plain)
        };
        prop_assert!(opened.is_err());
        prop_assert!(element.open_control(&data, &mut plain).is_err());
        prop_assert_eq!(plain, [0; 256]);
        prop_assert_eq!(element.record(&chip()).unwrap(), before);
    }
}

#[test]
fn a_boot_state_survives_its_bytes() {
    let state = BootState::new(Slot::B);
    assert_eq!(BootState::restore([&state.to_bytes(), &[0; 16]]), Ok(state));
}
