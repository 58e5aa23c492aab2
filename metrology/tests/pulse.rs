//! Pulse outputs: even at constant load, exact in the long run, wide enough, never lost.

use std::f64::consts::{SQRT_2, TAU};

use metrology::{Calibration, Edge, Meter, Parameters, PulseOutput, Sample};
use proptest::prelude::*;

const RATE: u32 = 8000;

/// Four seconds of 230 V and a current lagging by 60 degrees; 50.25 Hz close without a seam.
fn load(amperes: f64) -> Vec<Sample<1>> {
    (0..RATE * 4)
        .map(|n| {
            let angle = TAU * 50.25 * f64::from(n) / f64::from(RATE);
            let u = 230.0 * SQRT_2 * angle.sin() / 60e-6;
            let i = amperes * SQRT_2 * (angle - TAU / 6.0).sin() / 24e-6;
            Sample {
                u: [u.round() as i32],
                i: [i.round() as i32],
                n: 0,
            }
        })
        .collect()
}

/// A meter with both outputs; collects the times of rising edges in samples.
struct Bench {
    calibration: Calibration<1>,
    meter: Meter<1>,
    active: PulseOutput,
    reactive: PulseOutput,
    start: u64,
    times: [Vec<f64>; 2],
}

impl Bench {
    fn new(constant: u32) -> Self {
        let mut p = Parameters::<1>::new(RATE * 1000, 50_000);
        (p.pulses_per_kwh, p.pulses_per_kvarh) = (constant, constant / 2);
        let calibration = Calibration::try_new(p).unwrap();
        Self {
            calibration,
            meter: Meter::new(&calibration),
            active: PulseOutput::try_new(RATE * 1000, 30_000, 0).unwrap(),
            reactive: PulseOutput::try_new(RATE * 1000, 30_000, 0).unwrap(),
            start: 0,
            times: [vec![], vec![]],
        }
    }

    fn run(&mut self, samples: &[Sample<1>]) {
        for block in samples.chunks(50) {
            let share = self.meter.process(&self.calibration, block).share;
            let outputs = [
                (&mut self.active, share.active),
                (&mut self.reactive, share.reactive),
            ];
            for ((output, energy), times) in outputs.into_iter().zip(&mut self.times) {
                output.advance(energy, share.length_q16, block.len() as u32);
                while let Some(edge) = output.next_edge() {
                    assert!((edge.sample as usize) < block.len());
                    if edge.rising {
                        let part = f64::from(edge.fraction) / 65536.0;
                        times.push(self.start as f64 + f64::from(edge.sample) + part);
                    }
                }
            }
            self.start += block.len() as u64;
        }
    }
}

/// Mean distance and its standard deviation, relative.
fn distances(times: &[f64]) -> (f64, f64) {
    let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = steps.iter().sum::<f64>() / steps.len() as f64;
    let square = steps.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / steps.len() as f64;
    (mean, square.sqrt() / mean)
}

#[test]
fn pulses_are_even_at_constant_load() {
    // 0.1 A (1 % of 10 A, and PF 0.5) to 100 A; at 6400 imp/kWh 48.9 s to 0.49 s apart, at 25,600 to 12 ms.
    for (constant, amperes, seconds) in [(6400, 0.1, 700), (6400, 10.0, 60), (25_600, 100.0, 30)] {
        let mut bench = Bench::new(constant);
        let four = load(amperes);
        for _ in 0..seconds / 4 {
            bench.run(&four);
        }
        let watts = 115.0 * amperes;
        let vars = 230.0 * amperes * 0.75_f64.sqrt();
        for (times, power, constant) in [
            (&bench.times[0], watts, f64::from(constant)),
            (&bench.times[1], vars, f64::from(constant) / 2.0),
        ] {
            // The delay settles over the first windows.
            let settled: Vec<f64> = times.iter().copied().filter(|&t| t > 8000.0).collect();
            let (mean, deviation) = distances(&settled);
            let want = 3.6e6 / constant / power * f64::from(RATE);
            println!(
                "{power:.1} W or var at {constant} imp/k: {:.4} s, deviation {:.6} %",
                mean / 8000.0,
                deviation * 100.0
            );
            assert!((mean / want - 1.0).abs() < 1e-4, "{mean} {want}");
            assert!(deviation < 1e-4, "{amperes} A: {deviation}");
            // In whole samples, without a timer, no pulse is further than one sample from its place.
            let first = settled[0];
            for (k, time) in settled.iter().enumerate() {
                assert!((time.floor() - first - mean * k as f64).abs() < 1.5, "{k}");
            }
        }
    }
}

#[test]
fn as_many_pulses_as_the_register_counts() {
    let mut bench = Bench::new(25_600);
    let mut power = 0.5;
    for _ in 0..20 {
        // Steps of load, some of them back and forth.
        power = (power * 7.3) % 80.0;
        bench.run(&load(power)[..20_000 + (power * 100.0) as usize]);
    }
    bench.run(&vec![Sample::ZERO; RATE as usize * 3]);
    let r = bench.meter.registers(&bench.calibration);
    assert!(r.pulses > 500 && r.reactive_pulses > 400, "{r:?}");
    assert_eq!(bench.times[0].len() as u64, r.pulses);
    assert_eq!(bench.times[1].len() as u64, r.reactive_pulses);
}

#[test]
fn fraction_of_a_pulse_outlives_a_restart() {
    let mut bench = Bench::new(6400);
    let block = load(40.0);
    bench.run(&block[..15_000]);
    let mut state = [0; Meter::<1>::STATE_LEN];
    bench.meter.save(&bench.calibration, &mut state).unwrap();
    let mut after = Bench::new(6400);
    after.meter.restore(&bench.calibration, &state).unwrap();
    let [active, reactive] = after.meter.pulse_phases(&bench.calibration);
    after.active = PulseOutput::try_new(RATE * 1000, 30_000, active).unwrap();
    after.reactive = PulseOutput::try_new(RATE * 1000, 30_000, reactive).unwrap();
    let before = bench.meter.registers(&bench.calibration);
    after.run(&block);
    after.run(&vec![Sample::ZERO; RATE as usize * 3]);
    let r = after.meter.registers(&bench.calibration);
    assert_eq!(after.times[0].len() as u64, r.pulses - before.pulses);
    let reactive = r.reactive_pulses - before.reactive_pulses;
    assert_eq!(after.times[1].len() as u64, reactive);
}

#[test]
fn widths_outside_the_range_are_refused() {
    assert!(PulseOutput::try_new(8_000_000, 199, 0).is_err());
    assert!(PulseOutput::try_new(8_000_000, 100_001, 0).is_err());
    assert!(PulseOutput::try_new(599_999, 30_000, 0).is_err());
    assert!(PulseOutput::try_new(64_000_000, 100_000, u32::MAX).is_ok());
}

#[test]
fn width_is_kept_where_there_is_room_and_halved_where_there_is_not() {
    // Pulses 0.2 s, then 10 ms apart, in windows of 0.2 s.
    for (energy, high) in [(1_u64 << 32, 240), (20 << 32, 40)] {
        let mut output = PulseOutput::try_new(8_000_000, 30_000, 0).unwrap();
        let (mut start, mut rise, mut seen) = (0_u64, 0, 0);
        for _ in 0..20 {
            output.advance(energy, 1600 << 16, 1600);
            while let Some(Edge { sample, rising, .. }) = output.next_edge() {
                let now = start + u64::from(sample);
                if rising {
                    rise = now;
                } else {
                    assert!((now - rise).abs_diff(high) <= 1, "{} {high}", now - rise);
                    seen += 1;
                }
            }
            start += 1600;
        }
        assert!(seen >= 18, "{seen}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes when: edges alternate, rise in time, stay in their block, and every pulse is given.
    #[test]
    fn every_pulse_is_given_in_order(
        blocks in proptest::collection::vec((0_u64..1 << 36, 0_u64..5000, 1_u32..3000, 0_u8..4), 1..80),
        phase in any::<u32>(),
        width in 200_u32..=100_000,
    ) {
        let mut output = PulseOutput::try_new(8_000_000, width, phase).unwrap();
        let (mut total, mut pulses) = (u128::from(phase), 0_u64);
        let (mut last, mut high, mut start) = (0_u64, false, 0_u64);
        // At the end silence, long enough to give what is left at the slowest.
        let silence = std::iter::repeat_n((0, 1, 100_000, 0), 80);
        for (energy, length, samples, kind) in blocks.into_iter().chain(silence) {
            let (energy, length) = if kind == 1 { (0, 0) } else { (energy, length << 16) };
            total += u128::from(energy);
            output.advance(energy, length, samples);
            while let Some(edge) = output.next_edge() {
                let at = ((start + u64::from(edge.sample)) << 16) + u64::from(edge.fraction);
                prop_assert!(edge.sample < samples);
                prop_assert!(at >= last && edge.rising != high);
                (last, high) = (at, edge.rising);
                pulses += u64::from(edge.rising);
            }
            start += u64::from(samples);
        }
        prop_assert_eq!(u128::from(pulses), total >> 32);
        prop_assert!(!high);
    }
}
