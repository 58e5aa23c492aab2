//! Both forms against a plain model in 128 bits.

use std::vec::Vec;

use proptest::prelude::*;

use super::{CHUNK, PAIRS, Phasor, Seen, Square, Turn, margin, reaches, split, wide};
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
        alone in 0..4_usize,
    ) {
        let plain = |value: &dyn Fn(usize) -> i128| (0..sets.len()).map(value).sum::<i128>() as i64;
        let square = plain(&|n| i128::from(sets[n].0).pow(2));
        let straight = plain(&|n| i128::from(sets[n].0) * i128::from(sets[n].1));
        let older = |n: usize| if n == 0 { last } else { sets[n - 1].0 };
        let delayed = plain(&|n| i128::from(older(n)) * i128::from(sets[n].1));
        let first = single.min(sets.len());
        let mut sums: Vec<i32> = sets[..first].iter().map(|set| set.0).collect();
        sums.extend(sets[first..].chunks(2).map(|pair| pair.iter().map(|set| set.0).sum::<i32>()));
        let sum = sets.iter().map(|set| set.0).sum::<i32>();
        let highest = sets.iter().map(|set| set.0.unsigned_abs()).max().unwrap_or(0);

        let (mut w, mut s) = ([Seen::<2>::ZERO; PAIRS], [Seen::<2>::ZERO; PAIRS]);
        let found = wide::squares(&sets, |set| set.0, margin(level), single, 1, &mut w);
        prop_assert_eq!(found, split::squares(&sets, |set| set.0, margin(level), single, 1, &mut s));
        prop_assert_eq!((found.squares, found.sum), (square, sum));
        // May suspect too much, from 70 % of the level on; never too little.
        prop_assert_eq!(reaches(&sets, |set| set.0, level), highest >= level.unsigned_abs());
        prop_assert!(found.suspect() || highest < level.unsigned_abs());
        let coarse = (highest >> 16) + 1;
        prop_assert!(!found.suspect() || 2 * coarse * coarse >= (level.unsigned_abs() >> 16).pow(2));
        prop_assert!(w[..sums.len()].iter().map(|seen| seen.sums).eq(sums.iter().map(|y| [0, *y])));
        prop_assert_eq!(w, s);

        let pick = (|set: &(i32, i32)| set.0, |set: &(i32, i32)| set.1);
        let (mut w, mut s) = (wide::Products::default(), split::Products::default());
        // The first sets one by one, as those that meet remembered samples.
        let (head, tail) = sets.split_at(alone.min(sets.len()));
        let mut before = last;
        for set in head {
            w.one(before, set.0, set.1);
            s.one(before, set.0, set.1);
            before = set.0;
        }
        w.run(tail, tail, before, pick.0, pick.1);
        s.run(tail, tail, before, pick.0, pick.1);
        prop_assert_eq!(w.sums(), (straight, delayed));
        prop_assert_eq!(s.sums(), (straight, delayed));

        // Pairs at a high rate, single samples at a low one.
        let singles: Vec<i32> = sets.iter().take(PAIRS).map(|set| set.1).collect();
        let seen = |n: usize| Seen {
            cos: turns[n].cos,
            sin: turns[n].sin,
            sums: [&sums, &singles].map(|sums| sums.get(n).copied().unwrap_or(0)),
        };
        let seen: Vec<Seen<2>> = (0..sums.len().max(singles.len())).map(seen).collect();
        let want = [sums, singles].map(|sums| {
            let correlated = |part: fn(&Turn) -> i32| {
                sums.iter().zip(&turns).map(|(y, t)| i64::from(*y) * i64::from(part(t))).sum::<i64>()
            };
            Phasor { re: correlated(|t| t.cos), im: -correlated(|t| t.sin) }
        });
        prop_assert_eq!(wide::detect(&seen), want);
        prop_assert_eq!(split::detect(&seen), want);
    }

    #[test]
    fn upper_halves_of_products_are_exact(a in any::<i32>(), b in any::<i32>()) {
        prop_assert_eq!(split::high(a, b), wide::high(a, b));
        for (a, b) in [(i32::MIN, i32::MIN), (i32::MIN, b), (a, i32::MAX), (a, -1)] {
            prop_assert_eq!(split::high(a, b), wide::high(a, b));
        }
    }
}

#[test]
fn the_largest_sums_fit() {
    for (x, y) in [(FULL_SCALE, -FULL_SCALE), (-FULL_SCALE, -FULL_SCALE)] {
        let sets = [(x, y); CHUNK];
        let product = i64::from(x) * i64::from(y) * CHUNK as i64;
        let pick = (|set: &(i32, i32)| set.0, |set: &(i32, i32)| set.1);
        let mut sums = split::Products::default();
        sums.run(&sets, &sets, x, pick.0, pick.1);
        assert_eq!(sums.sums(), (product, product));
        let mut seen = [Seen::<1>::ZERO; PAIRS];
        let found: Square = split::squares(&sets, pick.0, 0, 0, 0, &mut seen);
        assert_eq!(found.squares, i64::from(x).pow(2) * CHUNK as i64);
        for cos in [Turn::LIMIT, -Turn::LIMIT] {
            for seen in &mut seen {
                seen.show(Turn { cos, sin: -cos });
            }
            assert_eq!(split::detect(&seen), wide::detect(&seen));
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
        // Alone, as the second of a pair, and as both.
        for sets in [&[x][..], &[0, x], &[x, x]] {
            for level in [1, 1000, FULL_SCALE] {
                let mut seen = [Seen::<1>::ZERO; 1];
                assert!(wide::squares(sets, |x| *x, margin(level), 0, 0, &mut seen).suspect());
                assert!(split::squares(sets, |x| *x, margin(level), 0, 0, &mut seen).suspect());
                assert!(reaches(sets, |x| *x, level));
            }
        }
    }
}
