//! Fragments: every length and cut, any order, repeats, losses and hostile pieces.

use meter_proto::error::Error;
use meter_proto::form::Form;
use meter_proto::fragment::{Assembler, FIRST_BYTE, FRAGMENTS_MAX, Fragmenter, HEAD, PATIENCE_MS};
use proptest::prelude::*;
use testkit::Rng;

fn cut(number: u16, message: &[u8], max: usize) -> Vec<Vec<u8>> {
    let mut fragments = Vec::new();
    let mut out = vec![0; max];
    let mut cutter = Fragmenter::new(number, message, max).unwrap();
    while let Some(len) = cutter.next(&mut out).unwrap() {
        fragments.push(out[..len].to_vec());
    }
    assert_eq!(fragments.len(), usize::from(cutter.count()));
    fragments
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_arrive_in_any_order_and_with_repeats(
        message in proptest::collection::vec(any::<u8>(), 1..1_500), max in 6usize..600, seed: u64,
    ) {
        prop_assume!((message.len() + 4).div_ceil(max - HEAD) <= FRAGMENTS_MAX);
        let mut rng = Rng::new(seed);
        let mut fragments = cut(9, &message, max);
        prop_assert!(fragments.iter().all(|fragment| fragment.len() <= max && fragment[0] == FIRST_BYTE));
        for at in (1..fragments.len()).rev() {
            fragments.swap(at, rng.below(at as u64 + 1) as usize);
        }
        let mut assembler: Assembler<1_504> = Assembler::new();
        let mut got = None;
        let count = fragments.len();
        for (at, fragment) in fragments.iter().enumerate() {
            let found = assembler.handle_fragment(at as u64, fragment).unwrap().map(<[u8]>::to_vec);
            prop_assert_eq!(found.is_some(), at + 1 == count, "whole with the last one and not before");
            got = found;
            if at + 1 < count {
                prop_assert_eq!(assembler.handle_fragment(at as u64, fragment), Ok(None));
            }
        }
        prop_assert_eq!(got, Some(message));
        prop_assert_eq!(assembler.dropped(), 0);
    }

    #[test]
    fn hostile_pieces_cause_no_panic_and_no_false_message(seed: u64) {
        let mut rng = Rng::new(seed);
        let mut assembler: Assembler<64> = Assembler::new();
        for now in 0..400 {
            let mut bytes = vec![FIRST_BYTE, rng.below(2) as u8, 0, rng.below(4) as u8, 1 + rng.below(4) as u8];
            let len = rng.below(40) as usize;
            bytes.extend(std::iter::repeat_with(|| rng.byte()).take(len));
            if let Ok(Some(message)) = assembler.handle_fragment(now, &bytes) {
                prop_assert!(message.len() <= 60);
            }
        }
    }

    #[test]
    fn one_damaged_bit_never_gives_another_message(seed: u64) {
        let mut rng = Rng::new(seed);
        let message = rng.bytes(200);
        let mut fragments = cut(1, &message, 64);
        let hit = rng.below(fragments.len() as u64) as usize;
        let at = rng.below(fragments[hit].len() as u64) as usize;
        fragments[hit][at] ^= 1 << rng.below(8);
        let mut assembler: Assembler<256> = Assembler::new();
        for fragment in &fragments {
            if let Ok(Some(found)) = assembler.handle_fragment(0, fragment) {
                prop_assert_eq!(found, &message[..]);
            }
        }
    }
}

#[test]
fn what_is_not_whole_after_a_minute_is_dropped() {
    let message = [7; 100];
    let fragments = cut(3, &message, 45);
    assert_eq!(fragments.len(), 3);
    let mut assembler: Assembler<128> = Assembler::new();
    assert_eq!(assembler.handle_fragment(1_000, &fragments[0]), Ok(None));
    assert_eq!(assembler.poll_timeout(), Some(1_000 + PATIENCE_MS));
    assembler.handle_timeout(1_000 + PATIENCE_MS);
    assert_eq!((assembler.dropped(), assembler.poll_timeout()), (1, None));
    assert_eq!(assembler.handle_fragment(62_000, &fragments[1]), Ok(None));
    assert_eq!(assembler.handle_fragment(62_000, &fragments[2]), Ok(None));
    // Another message takes the place.
    let other = cut(4, &[1; 20], 45);
    let whole = assembler.handle_fragment(62_001, &other[0]).unwrap();
    assert_eq!(whole, Some(&[1; 20][..]));
    assert_eq!(assembler.dropped(), 2);
}

#[test]
fn limits_are_refused_by_name() {
    assert_eq!(
        Fragmenter::new(1, &[0; 1_000], 20).err(),
        Some(Error::TooMany {
            position: 0,
            capacity: 16
        })
    );
    assert_eq!(
        Fragmenter::new(1, &[0], 5).err(),
        Some(Error::BufferFull { capacity: 5 })
    );
    let mut small: Assembler<32> = Assembler::new();
    let long = cut(1, &[0; 100], 60);
    assert_eq!(
        small.handle_fragment(0, &long[0]),
        Err(Error::TooMany {
            position: 5,
            capacity: 32
        })
    );
    assert_eq!(
        small.handle_fragment(0, &[0x21]),
        Err(Error::Truncated { position: 1 })
    );
    assert_eq!(
        small.handle_fragment(0, &[0x21; 6]),
        Err(Error::UnknownForm { found: 0x21 })
    );
    assert_eq!(
        small.handle_fragment(0, &[FIRST_BYTE, 0, 0, 2, 2, 9]),
        Err(Error::BadValue { position: 5 })
    );
    // Its first byte is that of no message form.
    assert_eq!(Form::of(FIRST_BYTE), None);
}
