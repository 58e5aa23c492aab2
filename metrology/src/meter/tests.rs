//! What years of samples do to the counters; the same in real length is `cargo xtask long`.

extern crate std;
use std::vec::Vec;

use super::Meter;
use crate::{Calibration, Parameters, Sample};

/// Steps of a sine near 50 Hz at 8 kHz, by the recurrence 2 cos(w), and a current a third of it.
fn samples(count: usize) -> Vec<Sample<1>> {
    let (mut now, mut slope) = (0_i64, 220_000_i64 << 16);
    (0..count)
        .map(|_| {
            slope -= now * 1_543 / 1_000_000;
            now += slope;
            let u = (now >> 16) as i32;
            Sample {
                u: [u],
                i: [u / 3],
                n: 0,
            }
        })
        .collect()
}

#[test]
fn counters_pass_2_to_the_32_and_the_end_of_64_bits() {
    let calibration = Calibration::try_new(Parameters::new(8_000_000, 50_000)).unwrap();
    let block = samples(24_000);
    let mut young = Meter::new(&calibration);
    let fresh = young.process(&calibration, &block);
    assert!(fresh.windows >= 13 && fresh.pulses > 0, "{fresh:?}");
    for age in [(1_u64 << 32) - 5000, u64::MAX - 4999] {
        // Even, because pairs of samples share one value of the oscillator.
        let mut old = Meter::new(&calibration);
        (old.samples, old.windows) = (age, age | 0xF);
        assert_eq!(old.process(&calibration, &block), fresh);
        assert_eq!(old.samples(), age.wrapping_add(24_000));
        assert_eq!(
            old.quantities().number,
            (age | 0xF).wrapping_add(u64::from(fresh.windows) - 1)
        );
        let mut quantities = *old.quantities();
        quantities.number = young.quantities().number;
        assert_eq!(quantities, *young.quantities());
        assert_eq!(old.registers(&calibration), young.registers(&calibration));
    }
}
