//! The whole Wycheproof sets of every primitive that the crate offers.

use security::aead::AeadError;
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::fw::PublicKey;
use security::key::Secret;
use security::{ccm, chacha, cmac, gcm, wrap};
use wycheproof::{TestResult, aead, ecdsa, eddsa, keywrap, mac};

fn soft(cipher: BlockCipher, key: &[u8]) -> SoftKey {
    let Ok(key) = Soft.load(cipher, &Secret::new(key.try_into().unwrap()));
    key
}

/// What became of the cases of a set.
#[derive(Debug, Default, PartialEq)]
struct Count {
    valid: usize,
    invalid: usize,
    /// Of a key length that the crate does not offer.
    skipped: usize,
    /// Valid in the set, and refused here: a choice, each time.
    stricter: usize,
}

type Open<'a> = &'a dyn Fn(&aead::Test, &mut [u8]) -> Result<(), AeadError>;
type Seal<'a> = &'a dyn Fn(&aead::Test, &mut [u8]) -> Result<[u8; 16], AeadError>;

fn run(name: aead::TestName, key_len: usize, open: Open<'_>, seal: Seal<'_>) -> Count {
    let set = aead::TestSet::load(name).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        for test in &group.tests {
            if test.key.len() != key_len {
                count.skipped += 1;
                continue;
            }
            let id = test.tc_id;
            let mut body = test.ct.to_vec();
            let opened = open(test, &mut body);
            if test.result == TestResult::Invalid {
                assert!(opened.is_err(), "{name:?} {id} was opened");
                assert!(
                    body.iter().all(|byte| *byte == 0),
                    "{name:?} {id} left something"
                );
                count.invalid += 1;
                continue;
            }
            match opened {
                Ok(()) => {
                    assert_eq!(body, test.pt[..], "{name:?} {id}");
                    let tag = seal(test, &mut body).unwrap();
                    assert_eq!(body, test.ct[..], "{name:?} {id}");
                    assert_eq!(tag[..test.tag.len()], test.tag[..], "{name:?} {id}");
                    count.valid += 1;
                }
                Err(AeadError::TagLength { .. }) => count.stricter += 1,
                Err(error) => panic!("{name:?} {id}: {error}"),
            }
        }
    }
    count
}

fn ccm_set(name: aead::TestName, cipher: BlockCipher) -> Count {
    run(
        name,
        16,
        &|test, body| {
            let key = soft(cipher, &test.key);
            ccm::open(&mut Soft, &key, &test.nonce, &[&test.aad], body, &test.tag)
        },
        &|test, body| {
            let key = soft(cipher, &test.key);
            let tag_len = test.tag.len();
            ccm::seal(&mut Soft, &key, &test.nonce, &[&test.aad], body, tag_len)
        },
    )
}

fn gcm_set(name: aead::TestName, cipher: BlockCipher) -> Count {
    run(
        name,
        16,
        &|test, body| {
            let key = soft(cipher, &test.key);
            gcm::open(&mut Soft, &key, &test.nonce, &[&test.aad], body, &test.tag)
        },
        &|test, body| {
            let key = soft(cipher, &test.key);
            gcm::seal(&mut Soft, &key, &test.nonce, &[&test.aad], body)
        },
    )
}

/// Every case was compared: none is stricter, and at least so many were valid and invalid.
fn whole(count: &Count, cases: usize) {
    assert_eq!(count.stricter, 0, "{count:?}");
    let all = count.valid + count.invalid + count.skipped;
    assert_eq!(all, cases, "{count:?}");
    assert!(count.valid > 20 && count.invalid > 10, "{count:?}");
}

#[test]
fn sealed_messages() {
    let aes_ccm = ccm_set(aead::TestName::AesCcm, BlockCipher::Aes128);
    whole(&aes_ccm, 552);
    whole(&ccm_set(aead::TestName::Sm4Ccm, BlockCipher::Sm4), 184);
    whole(&gcm_set(aead::TestName::AesGcm, BlockCipher::Aes128), 316);
    whole(&gcm_set(aead::TestName::Sm4Gcm, BlockCipher::Sm4), 104);
    let chacha = run(
        aead::TestName::ChaCha20Poly1305,
        32,
        &|test, body| {
            let key = Secret::new(test.key[..].try_into().unwrap());
            let Ok(nonce) = test.nonce[..].try_into() else {
                // The type of the nonce refuses it; nothing was opened.
                body.fill(0);
                let found = test.nonce.len();
                return Err(AeadError::NonceLength { found });
            };
            chacha::open(&key, &nonce, &[&test.aad], body, &test.tag)
        },
        &|test, body| {
            let key = Secret::new(test.key[..].try_into().unwrap());
            let nonce = test.nonce[..].try_into().unwrap();
            chacha::seal(&key, &nonce, &[&test.aad], body)
        },
    );
    whole(&chacha, 325);
}

#[test]
fn tags_and_wrapped_keys() {
    let set = mac::TestSet::load(mac::TestName::AesCmac).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        for test in &group.tests {
            if test.key.len() != 16 {
                count.skipped += 1;
                continue;
            }
            let key = soft(BlockCipher::Aes128, &test.key);
            let Ok(tag) = cmac::mac(&mut Soft, &key, &[&test.msg]);
            let same = tag[..] == test.tag[..];
            assert_eq!(same, test.result != TestResult::Invalid, "{}", test.tc_id);
            *(if same {
                &mut count.valid
            } else {
                &mut count.invalid
            }) += 1;
        }
    }
    whole(&count, 311);

    let set = keywrap::TestSet::load(keywrap::TestName::AesKeyWrap).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        for test in &group.tests {
            if test.key.len() != 16 {
                count.skipped += 1;
                continue;
            }
            let kek = soft(BlockCipher::Aes128, &test.key);
            let mut buf = test.ct.to_vec();
            let unwrapped = wrap::unwrap(&mut Soft, &kek, &mut buf).map(|key| key.to_vec());
            if test.result == TestResult::Invalid {
                assert!(unwrapped.is_err(), "{}", test.tc_id);
                assert!(buf.iter().all(|byte| *byte == 0), "{}", test.tc_id);
                count.invalid += 1;
            } else if test.result == TestResult::Acceptable && test.pt.len() < 16 {
                // RFC 3394 wraps 16 bytes or more.
                assert!(unwrapped.is_err(), "{}", test.tc_id);
                count.stricter += 1;
            } else {
                assert_eq!(unwrapped, Ok(test.pt.to_vec()), "{}", test.tc_id);
                let mut buf = [&[0; wrap::OVERHEAD][..], &test.pt].concat();
                wrap::wrap(&mut Soft, &kek, &mut buf).unwrap();
                assert_eq!(buf, test.ct[..], "{}", test.tc_id);
                count.valid += 1;
            }
        }
    }
    let expected = Count {
        valid: 11,
        invalid: 30,
        skipped: 123,
        stricter: 1,
    };
    assert_eq!(count, expected);
}

#[test]
fn signatures() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        let key = PublicKey::Ed25519(group.key.pk[..].try_into().unwrap());
        for test in &group.tests {
            judge(
                &mut count,
                &key,
                &test.msg,
                &test.sig,
                test.result,
                test.tc_id,
            );
        }
    }
    whole(&count, 151);

    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        let key = PublicKey::EcdsaP256(group.key.key[..].try_into().unwrap());
        for test in &group.tests {
            judge(
                &mut count,
                &key,
                &test.msg,
                &test.sig,
                test.result,
                test.tc_id,
            );
        }
    }
    assert!(count.valid > 100 && count.invalid > 50, "{count:?}");
}

fn judge(
    count: &mut Count,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
    result: TestResult,
    id: usize,
) {
    // The type of a signature refuses every other length.
    let verifies = signature
        .try_into()
        .is_ok_and(|signature| key.verifies(message, signature));
    assert_eq!(verifies, result == TestResult::Valid, "{id}");
    *(if verifies {
        &mut count.valid
    } else {
        &mut count.invalid
    }) += 1;
}
