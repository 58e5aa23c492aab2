//! Both forms against a plain model in 128 bits.

use std::vec::Vec;

use proptest::prelude::*;

use super::{CHUNK, PAIRS, Phasor, Square, Turn, margin, split, wide};
use crate::sample::FULL_SCALE;

extern crate std;

/// Any sample of 24 bits, the limits often.
fn sample() -> impl Strategy<Value = i32> {
    prop_oneof![
        4 => -FULL_SCALE..=FULL_SCALE,
        1 => Just(FULL_SCALE),
        1 => Just(-FULL_SCALE),
        1 => -4097..4098_i32,
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let part = || {
        prop_oneof![
            -Turn::LIMIT..=Turn::LIMIT,
            Just(Turn::LIMIT),
            Just(-Turn::LIMIT)
        ]
    };
    (part(), part()).prop_map(|(cos, sin)| Turn { cos, sin })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_forms_equal_the_plain_sums(
        sets in proptest::collection::vec((sample(), sample()), 0..=CHUNK),
        turns in proptest::collection::vec(turn(), PAIRS),
        last in sample(),
        level in 1..=FULL_SCALE,
        single in 0..2_usize,
    ) {
        let plain = |value: &dyn Fn(usize) -> i128| (0..sets.len()).map(value).sum::<i128>() as i64;
        let square = plain(&|n| i128::from(sets[n].0).pow(2));
        let straight = plain(&|n| i128::from(sets[n].0) * i128::from(sets[n].1));
        let older = |n: usize| if n == 0 { last } else { sets[n - 1].0 };
        let delayed = plain(&|n| i128::from(older(n)) * i128::from(sets[n].1));
        let first = single.min(sets.len());
        let mut sums: Vec<i32> = sets[..first].iter().map(|set| set.0).collect();
        sums.extend(sets[first..].chunks(2).map(|pair| pair.iter().map(|set| set.0).sum::<i32>()));
        let highest = sets.iter().map(|set| set.0.unsigned_abs()).max().unwrap_or(0);

        let (mut w, mut s) = ([0; PAIRS], [0; PAIRS]);
        let found = wide::squares(&sets, |set| set.0, margin(level), single, &mut w);
        prop_assert_eq!(found, split::squares(&sets, |set| set.0, margin(level), single, &mut s));
        prop_assert_eq!(found.squares, square);
        // May cry one count early, never late.
        prop_assert!(found.reached() || highest < level.unsigned_abs());
        prop_assert!(!found.reached() || highest + 1 >= level.unsigned_abs());
        prop_assert_eq!(&w[..sums.len()], &sums[..]);
        prop_assert_eq!(w, s);

        let pick = (|set: &(i32, i32)| set.0, |set: &(i32, i32)| set.1);
        let want = (straight, delayed);
        prop_assert_eq!(wide::products(&sets, &sets, last, pick.0, pick.1), want);
        prop_assert_eq!(split::products(&sets, &sets, last, pick.0, pick.1), want);

        // Pairs at a high rate, single samples at a low one.
        let singles: Vec<i32> = sets.iter().take(PAIRS).map(|set| set.1).collect();
        for sums in [sums, singles] {
            let correlated = |part: fn(&Turn) -> i32| {
                sums.iter().zip(&turns).map(|(y, t)| i64::from(*y) * i64::from(part(t))).sum::<i64>()
            };
            let phasor = Phasor { re: correlated(|t| t.cos), im: -correlated(|t| t.sin) };
            let want = (phasor, sums.iter().sum::<i32>());
            prop_assert_eq!(wide::detect(&sums, &turns), want);
            prop_assert_eq!(split::detect(&sums, &turns), want);
        }
    }
}

#[test]
fn the_largest_sums_fit() {
    for (x, y) in [(FULL_SCALE, -FULL_SCALE), (-FULL_SCALE, -FULL_SCALE)] {
        let sets = [(x, y); CHUNK];
        let product = i64::from(x) * i64::from(y) * CHUNK as i64;
        let pick = (|set: &(i32, i32)| set.0, |set: &(i32, i32)| set.1);
        assert_eq!(
            split::products(&sets, &sets, x, pick.0, pick.1),
            (product, product)
        );
        let mut pairs = [0; PAIRS];
        let found: Square = split::squares(&sets, pick.0, 0, 0, &mut pairs);
        assert_eq!(found.squares, i64::from(x).pow(2) * CHUNK as i64);
        for cos in [Turn::LIMIT, -Turn::LIMIT] {
            let turns = [Turn { cos, sin: -cos }; PAIRS];
            let single = [x; PAIRS];
            for sums in [&pairs[..], &single] {
                assert_eq!(split::detect(sums, &turns), wide::detect(sums, &turns));
            }
        }
    }
}

#[test]
fn samples_beyond_24_bits_are_always_found() {
    for x in [
        i32::MIN,
        i32::MIN + 1,
        -FULL_SCALE - 1,
        FULL_SCALE + 1,
        i32::MAX,
    ] {
        for level in [1, 1000, FULL_SCALE] {
            let mut pairs = [0; 1];
            assert!(wide::squares(&[x], |x| *x, margin(level), 0, &mut pairs).reached());
            assert!(split::squares(&[x], |x| *x, margin(level), 0, &mut pairs).reached());
        }
    }
}
