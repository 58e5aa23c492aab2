//! The modes against those of another hand, over random input.

use aes::Aes128;
use ccm::aead::AeadInOut;
use ccm::consts::{U8, U12, U13, U16};
use ccm::{Ccm, KeyInit};
use cmac::{Cmac, Mac};
use proptest::collection::vec;
use proptest::prelude::*;
use security::ccm::CcmError;
use security::engine::{Block, Block128, EngineError, SoftAes, SoftKey};
use security::key::Secret;

fn soft(key: [u8; 16]) -> SoftKey {
    let Ok(key) = SoftAes.load(&Secret::new(key));
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
            &mut SoftAes,
            &soft($key),
            &$nonce_bytes[..],
            &[a, b],
            &mut got,
            $tag_len,
        );
        prop_assert_eq!(&expected, &got);
        prop_assert_eq!(&tag[..], &ours.unwrap()[..$tag_len]);
        security::ccm::open(
            &mut SoftAes,
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
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

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
        let Ok(got) = security::cmac::mac(&mut SoftAes, &soft(key), &[a, b]);
        prop_assert_eq!(&expected[..], &got[..]);
        let Ok(right) = security::cmac::verify(&mut SoftAes, &soft(key), &[&message], &got);
        prop_assert!(right);
        let mut wrong = got;
        wrong[cut % 16] ^= 1;
        let Ok(right) = security::cmac::verify(&mut SoftAes, &soft(key), &[&message], &wrong);
        prop_assert!(!right);
    }
}

/// A chip's AES unit with key slots: one block at a time, and it may fail at a given call.
struct SlotEngine {
    slots: Vec<SoftKey>,
    calls: usize,
    blocks: usize,
    fail_at: usize,
}

impl Block128 for SlotEngine {
    type Key = usize;
    type Error = EngineError;
    const LANES: usize = 1;

    fn load(&mut self, secret: &Secret<16>) -> Result<usize, EngineError> {
        self.slots.push(soft(*secret.expose()));
        Ok(self.slots.len() - 1)
    }

    fn encrypt(&mut self, key: &usize, blocks: &mut [Block]) -> Result<(), EngineError> {
        self.calls += 1;
        self.blocks += blocks.len();
        if self.calls == self.fail_at {
            return Err(EngineError::Fault);
        }
        let key = self.slots.get(*key).ok_or(EngineError::NoKey)?;
        let Ok(()) = SoftAes.encrypt(key, blocks);
        Ok(())
    }
}

fn slot_engine(fail_at: usize) -> SlotEngine {
    SlotEngine {
        slots: Vec::new(),
        calls: 0,
        blocks: 0,
        fail_at,
    }
}

#[test]
fn an_engine_fault_leaves_no_plaintext() {
    for fail_at in 1.. {
        let mut engine = slot_engine(fail_at);
        let key = engine.load(&Secret::new([5; 16])).unwrap();
        let mut body = *b"forty bytes of a message, known to all..";
        let sealed = security::ccm::seal(&mut engine, &key, &[1; 12], &[b"aad"], &mut body, 16);
        if sealed.is_ok() {
            assert!(fail_at > 3, "the fault was never met");
            return;
        }
        assert_eq!(sealed, Err(CcmError::Engine(EngineError::Fault)));
        assert_eq!(body, [0; 40]);
    }
}

#[test]
fn two_keys_interleave_on_one_engine() {
    let mut engine = slot_engine(0);
    let keys = [[1; 16], [2; 16]].map(|key| engine.load(&Secret::new(key)).unwrap());
    for round in 0..8_u8 {
        for (key, byte) in keys.iter().zip([1_u8, 2]) {
            let (mut chip, mut software) = ([round; 33], [round; 33]);
            let a = security::ccm::seal(&mut engine, key, &[round; 13], &[], &mut chip, 8);
            let b = security::ccm::seal(
                &mut SoftAes,
                &soft([byte; 16]),
                &[round; 13],
                &[],
                &mut software,
                8,
            );
            assert_eq!((a, chip), (b, software));
        }
    }
    assert_eq!(engine.load(&Secret::new([3; 16])).unwrap(), 2);
    assert_eq!(engine.encrypt(&9, &mut []), Err(EngineError::NoKey));
}

#[test]
fn each_block_costs_one_call() {
    let mut engine = slot_engine(0);
    let key = engine.load(&Secret::new([5; 16])).unwrap();
    let mut body = [0; 256];
    security::ccm::seal(
        &mut engine,
        &key,
        &[1; 12],
        &[&[0; 16], b"0123456789ab"],
        &mut body,
        16,
    )
    .unwrap();
    // First block and tag mask, two of associated data, one for each of the message's sixteen.
    assert_eq!(engine.calls, 1 + 2 + 16);
    assert_eq!(engine.blocks, 1 + 1 + 2 + 2 * 16);
}
