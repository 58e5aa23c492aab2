//! The modes against those of another hand, over random input.

use ::ccm::aead::AeadInOut;
use ::ccm::consts::{U8, U12, U13, U16};
use ::ccm::{Ccm, KeyInit};
use aes::Aes128;
use cmac::{Cmac, Mac};
use proptest::collection::vec;
use proptest::prelude::*;
use security::aead::AeadError;
use security::engine::{Block128, BlockCipher, EngineError, Handle, MockChip, Soft, SoftKey};
use security::key::Secret;
use security::{ccm, gcm};
use testkit::rounds;

fn soft(key: [u8; 16]) -> SoftKey {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new(key));
    key
}

macro_rules! same_as_reference {
    ($tag:ty, $tag_len:expr, $nonce:ty, $key:expr, $nonce_bytes:expr, $aad:expr, $plain:expr) => {{
        let reference = Ccm::<Aes128, $tag, $nonce>::new(&$key.into());
        let nonce = (&$nonce_bytes).try_into().unwrap();
        let mut expected = $plain.clone();
        let tag = reference
            .encrypt_inout_detached(nonce, $aad, expected.as_mut_slice().into())
            .unwrap();
        let mut got = $plain.clone();
        let (a, b) = $aad.split_at($aad.len() / 3);
        let ours = security::ccm::seal(
            &mut Soft,
            &soft($key),
            &$nonce_bytes[..],
            &[a, b],
            &mut got,
            $tag_len,
        );
        prop_assert_eq!(&expected, &got);
        prop_assert_eq!(&tag[..], &ours.unwrap()[..$tag_len]);
        security::ccm::open(
            &mut Soft,
            &soft($key),
            &$nonce_bytes[..],
            &[$aad],
            &mut got,
            &tag,
        )
        .unwrap();
        prop_assert_eq!(&$plain, &got);
    }};
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(200, 1) as u32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ccm_equals_the_reference(
        key: [u8; 16], short: [u8; 12], long: [u8; 13],
        aad in vec(any::<u8>(), 0..70), plain in vec(any::<u8>(), 0..200),
    ) {
        same_as_reference!(U16, 16, U12, key, short, &aad[..], plain);
        same_as_reference!(U8, 8, U12, key, short, &aad[..], plain);
        same_as_reference!(U16, 16, U13, key, long, &aad[..], plain);
    }

    #[test]
    fn cmac_equals_the_reference(key: [u8; 16], message in vec(any::<u8>(), 0..100), cut in 0..100_usize) {
        let mut reference = <Cmac<Aes128> as KeyInit>::new(&key.into());
        reference.update(&message);
        let expected = reference.finalize().into_bytes();
        let (a, b) = message.split_at(cut.min(message.len()));
        let Ok(got) = security::cmac::mac(&mut Soft, &soft(key), &[a, b]);
        prop_assert_eq!(&expected[..], &got[..]);
        let Ok(right) = security::cmac::verify(&mut Soft, &soft(key), &[&message], &got);
        prop_assert!(right);
        let mut wrong = got;
        wrong[cut % 16] ^= 1;
        let Ok(right) = security::cmac::verify(&mut Soft, &soft(key), &[&message], &wrong);
        prop_assert!(!right);
    }
}

fn chip_with(key: [u8; 16]) -> (MockChip, Handle) {
    let mut chip = MockChip::new();
    let handle = chip.load(BlockCipher::Aes128, &Secret::new(key)).unwrap();
    (chip, handle)
}

/// What a mode does with an engine that fails at each of its calls in turn.
fn with_each_fault(mode: impl Fn(&mut MockChip, &Handle, &mut [u8]) -> Result<(), AeadError>) {
    for calls in 0.. {
        let (mut chip, key) = chip_with([5; 16]);
        chip.fail_after(calls, EngineError::Fault);
        let mut body = *b"forty bytes of a message, known to all..";
        let done = mode(&mut chip, &key, &mut body);
        if done != Err(AeadError::Engine(EngineError::Fault)) {
            assert!(
                calls >= 3 && chip.calls() <= calls,
                "the fault was never met"
            );
            return;
        }
        assert_eq!(body, [0; 40]);
    }
}

#[test]
fn an_engine_fault_leaves_no_plaintext() {
    with_each_fault(|chip, key, body| {
        ccm::seal(chip, key, &[1; 12], &[b"aad"], body, 16).map(drop)
    });
    with_each_fault(|chip, key, body| ccm::open(chip, key, &[1; 12], &[b"aad"], body, &[0; 16]));
    with_each_fault(|chip, key, body| gcm::seal(chip, key, &[1; 12], &[b"aad"], body).map(drop));
    with_each_fault(|chip, key, body| gcm::open(chip, key, &[1; 12], &[b"aad"], body, &[0; 16]));
}

#[test]
fn two_keys_interleave_on_one_engine() {
    let (mut chip, first) = chip_with([1; 16]);
    let second = chip
        .load(BlockCipher::Aes128, &Secret::new([2; 16]))
        .unwrap();
    for round in 0..rounds(8, 2) as u8 {
        for (key, byte) in [(first, 1_u8), (second, 2)] {
            let (mut on_chip, mut software) = ([round; 33], [round; 33]);
            let a = ccm::seal(&mut chip, &key, &[round; 13], &[], &mut on_chip, 8);
            let b = ccm::seal(
                &mut Soft,
                &soft([byte; 16]),
                &[round; 13],
                &[],
                &mut software,
                8,
            );
            assert_eq!((a, on_chip), (b, software));
        }
    }
    let mut other = MockChip::<1>::new();
    assert_eq!(
        Block128::encrypt(&mut other, &first, &mut []),
        Err(EngineError::NoKey)
    );
}

#[test]
fn each_block_costs_one_call() {
    let (mut chip, key) = chip_with([5; 16]);
    let mut body = [0; 256];
    let aad: [&[u8]; 2] = [&[0; 16], b"0123456789ab"];
    ccm::seal(&mut chip, &key, &[1; 12], &aad, &mut body, 16).unwrap();
    // First block and tag mask, two of associated data, one for each of the message's sixteen.
    assert_eq!(chip.calls(), 1 + 2 + 16);
    assert_eq!(chip.blocks(), 1 + 1 + 2 + 2 * 16);

    let (mut chip, key) = chip_with([5; 16]);
    gcm::seal(&mut chip, &key, &[1; 12], &aad, &mut body).unwrap();
    // Hash key and tag mask, two counter blocks a call.
    assert_eq!((chip.calls(), chip.blocks()), (1 + 8, 2 + 16));
}
