//! Firmware: manifests, the map of chunks, the state of the two slots.

use std::collections::BTreeSet;

use security::fw::{
    Admission, BootState, ChunkError, ChunkMap, Core, MANIFEST_LEN, Manifest, PublicKey, Slot,
    verify,
};

use crate::input::Input;

const HARDWARE: u16 = 0x0101;

/// Manifests of any bytes, and near good ones: what is read is written as it came; nothing for the metering core or below
/// the stored counter is admitted; nothing is verified without a signature. Then the map of its chunks.
pub fn firmware(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut manifest = [0; MANIFEST_LEN];
    manifest[..10].copy_from_slice(&[b'M', b'F', b'W', b'1', 0, MANIFEST_LEN as u8, 1, 1, 2, 0]);
    manifest[10..12].copy_from_slice(&HARDWARE.to_be_bytes());
    manifest[25] = input.byte();
    manifest[26] = input.byte();
    manifest[27] = input.byte();
    manifest[28] = input.byte() & 3;
    manifest[29] = input.byte();
    for _ in 0..input.byte() % 4 {
        manifest[usize::from(input.byte()) % MANIFEST_LEN] = input.byte();
    }
    for candidate in [bytes, &manifest[..]] {
        let Ok(parsed) = Manifest::parse(candidate) else {
            continue;
        };
        assert_eq!(&parsed.encode()[..], candidate);
        let device = Admission {
            core: Core::Management,
            hardware: HARDWARE,
            security_counter: input.word(),
            legal_software: parsed.legal_software,
            slot_len: 1 << 18,
            running_hash: None,
            decrypts: true,
        };
        if parsed.admit(&device).is_ok() {
            assert_eq!(parsed.core, Core::Management);
            assert!(parsed.security_counter >= device.security_counter);
            assert!(!parsed.delta && parsed.image_len <= device.slot_len);
        }
        let key = PublicKey::Ed25519([9; 32]);
        let mut flash = |_: u32, buf: &mut [u8]| {
            buf.fill(0xA5);
            Ok(())
        };
        let keyed = Manifest {
            key_id: key.id(),
            ..parsed
        };
        let verified = verify(&keyed.encode(), &[7; 64], &device, &[key], &mut flash);
        assert!(verified.is_err(), "an image without a signature");
        if parsed.chunks() <= 4096 {
            chunks(&parsed, &mut input);
        }
    }
    boot(&mut input);
}

/// The map beside a set of numbers, over any row of chunks; flash that keeps its bytes says the same.
fn chunks(manifest: &Manifest, input: &mut Input<'_>) {
    let total = manifest.chunks();
    let mut bits = vec![0xFF; ChunkMap::len(manifest)];
    let mut flash = bits.clone();
    let mut have = BTreeSet::new();
    let mut map = ChunkMap::new(manifest, &mut bits).expect("its length");
    let mut short = vec![0; flash.len() - 1];
    assert!(ChunkMap::new(manifest, &mut short).is_err());
    while let [_, _, ..] = input.bytes {
        let chunk = u32::from(input.byte()) << (input.byte() % 8);
        let Ok(place) = map.place(chunk) else {
            assert!(chunk >= total);
            assert!(matches!(map.note(chunk), Err(ChunkError::Number { .. })));
            continue;
        };
        let len = (place.end - place.start) as usize;
        assert!(len > 0 && place.end <= manifest.image_len);
        let wanted = map.wants(chunk, len).expect("its length");
        assert_eq!(wanted.is_some(), !have.contains(&chunk));
        assert!(map.wants(chunk, len + 1).is_err());
        let written = map.note(chunk).expect("a chunk of the image");
        let before = flash[written.at];
        assert_eq!(
            before & written.byte,
            written.byte,
            "flash only clears bits"
        );
        flash[written.at] = written.byte;
        have.insert(chunk);
    }
    let missing: Vec<u32> = (0..total).filter(|chunk| !have.contains(chunk)).collect();
    assert_eq!(map.missing(0).collect::<Vec<_>>(), missing);
    assert_eq!(map.is_complete(), missing.is_empty());
    let again = ChunkMap::new(manifest, &mut flash).expect("its length");
    assert_eq!(again.missing(0).collect::<Vec<_>>(), missing);
}

/// Stored slot states of any contents: the newer whole one counts, and a decision starts only what verifies.
fn boot(input: &mut Input<'_>) {
    let mut record = || {
        let mut bytes = [0; 16];
        bytes[..12].fill_with(|| input.byte());
        // Mostly of a version and marks that exist.
        bytes[0] = 1;
        (bytes[1], bytes[2], bytes[3]) = (bytes[1] & 1, bytes[2] % 3, 0);
        let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(&bytes[..12]);
        bytes[12..].copy_from_slice(&sum.to_be_bytes());
        bytes
    };
    let (first, second) = (record(), record());
    let state = BootState::restore([&first, &second]).expect("whole copies");
    assert!([first, second].contains(&state.to_bytes()));
    let mut torn = first;
    torn[usize::from(input.byte() % 16)] ^= input.byte() | 1;
    assert!(BootState::restore([&torn, &torn]).is_err());
    let good = input.byte();
    let verifies = |slot: Slot| good >> (slot as u8) & 1 == 1;
    let decision = state.decide(verifies);
    assert_eq!(decision.start.is_some(), good & 3 != 0);
    assert!(
        decision.start.is_none_or(verifies),
        "what does not verify starts"
    );
}
