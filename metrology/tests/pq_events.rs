//! Tracker, Urms(1/2), dips, swells and interruptions against double precision.

use std::f64::consts::{SQRT_2, TAU};

use metrology::pq::{EventKind, Events, HalfCycle, HalfCycles, Lock, Thresholds, Tracker, Windows};

const RATE: f64 = 8000.0;
/// Counts rms of the declared voltage.
const DECLARED: f64 = 3_000_000.0;

fn tracker() -> Tracker {
    Tracker::new(8_000_000, 50_000, 20_000)
}

/// Runs a wave through tracker and half cycles.
fn halves<const C: usize>(tracker: &mut Tracker, frames: &[[i32; C]]) -> Vec<HalfCycle<C>> {
    let mut sums = HalfCycles::new();
    let mut out = Vec::new();
    let mut rest = frames;
    while !rest.is_empty() {
        // Blocks of a size that fits nothing else.
        let span = tracker.process(&rest[..rest.len().min(37)], 0);
        out.extend(sums.process(&rest[..span.used], &span));
        rest = &rest[span.used..];
    }
    out
}

fn wave(seconds: f64, at: impl Fn(f64) -> f64) -> Vec<[i32; 1]> {
    (0..(seconds * RATE) as usize)
        .map(|n| [at(n as f64 / RATE).round() as i32])
        .collect()
}

#[test]
fn every_frequency_is_found_and_followed() {
    let mut worst = 0.0_f64;
    for f in [32.0, 42.5, 49.97, 50.0, 53.3, 57.5, 69.0, 77.9, 95.0] {
        for angle in [0.0, 1.0, 2.7, 4.5] {
            let frames = wave(1.5, |t| {
                let a = TAU * f * t + angle;
                // Harmonics and an offset are in it too.
                DECLARED
                    * SQRT_2
                    * (a.sin() + 0.06 * (5.0 * a + 1.0).sin() + 0.03 * (2.0 * a).sin())
                    + 40_000.0
            });
            let mut tracker = tracker();
            let found = halves(&mut tracker, &frames);
            assert_eq!(tracker.lock(), Lock::Locked, "{f} Hz");
            let restart = found.iter().position(|h| h.restart).unwrap();
            assert!(restart <= 16, "{f} Hz: {restart} half cycles");
            let got = f64::from(tracker.frequency_uhz()) / 1e6;
            assert!((got - f).abs() < 2e-3, "{f} Hz: {got}");
            let late = &found[found.len() - 40..];
            for half in late {
                let error = f64::from(half.length) / 65_536.0 * 2.0 * f / RATE - 1.0;
                worst = worst.max(error.abs());
                assert!(error.abs() < 1e-4, "{f} Hz: length off by {error:.1e}");
            }
            // The edges lie at zero crossings of the fundamental.
            let last = late.last().unwrap();
            let turns = (last.end as f64 / 65_536.0 / RATE) * f + angle / TAU;
            let off = if last.rising { turns } else { turns + 0.5 };
            assert!(
                (off - off.round()).abs() < 0.01,
                "{f} Hz: edge at {off} turns"
            );
        }
    }
    println!("half cycles: worst length error {worst:.1e}");
}

#[test]
fn ramps_of_a_hertz_a_second_keep_the_windows_synchronous() {
    let (mut worst_length, mut worst_f) = (0.0_f64, 0.0_f64);
    for (from, slope) in [(50.0, 1.0), (50.0, -1.0), (44.0, 1.0)] {
        let phase = |t: f64| TAU * (from * t + 0.5 * slope * t * t);
        let frames = wave(6.0, |t| DECLARED * SQRT_2 * phase(t).sin());
        let mut tracker = tracker();
        let found = halves(&mut tracker, &frames);
        assert_eq!(tracker.lock(), Lock::Locked);
        for twenty in found[100..].chunks_exact(20) {
            let end = twenty[19].end as f64 / 65_536.0 / RATE;
            let length: f64 =
                twenty.iter().map(|h| f64::from(h.length)).sum::<f64>() / 65_536.0 / RATE;
            let turns = (phase(end) - phase(end - length)) / TAU;
            worst_length = worst_length.max((turns / 10.0 - 1.0).abs());
            let middle = from + slope * (end - length / 2.0);
            worst_f = worst_f.max((10.0 / length - middle).abs());
        }
    }
    println!(
        "ramp: window off by {worst_length:.1e}, frequency by {:.2} mHz",
        worst_f * 1e3
    );
    assert!(worst_length < 3e-4, "{worst_length}");
    assert!(worst_f < 10e-3, "{worst_f}");
}

#[test]
fn steady_half_cycles_and_windows_read_the_rms_value() {
    let mut worst = [0.0_f64; 2];
    for f in [42.6, 49.83, 50.0, 51.7, 57.4] {
        let frames: Vec<[i32; 3]> = (0..12_000)
            .map(|n| {
                std::array::from_fn(|k| {
                    let a = TAU * (f * f64::from(n) / RATE + k as f64 / 3.0);
                    (DECLARED * SQRT_2 * (a.sin() + 0.05 * (7.0 * a).sin())).round() as i32
                })
            })
            .collect();
        let want = DECLARED * (1.0_f64 + 0.05 * 0.05).sqrt();
        let mut tracker = tracker();
        let mut windows = Windows::new(10);
        let mut seen = 0;
        for half in &halves(&mut tracker, &frames) {
            let finished = windows.update(half, Default::default());
            if half.index > 60 {
                for rms in half.urms {
                    worst[0] = worst[0].max((f64::from(rms) / 256.0 / want - 1.0).abs());
                }
                if let Some(window) = finished.window {
                    seen += 1;
                    for rms in window.rms {
                        worst[1] = worst[1].max((f64::from(rms) / 256.0 / want - 1.0).abs());
                    }
                }
            }
        }
        assert!(seen >= 3);
    }
    println!(
        "steady: Urms(1/2) within {:.1e}, windows within {:.1e}",
        worst[0], worst[1]
    );
    assert!(worst[0] < 5e-4 && worst[1] < 1e-4, "{worst:?}");
}

/// Steps to `depth` for `cycles`, begun at `degrees` of the voltage, with the value of Urms(1/2) by definition.
fn step(depth: f64, cycles: f64, degrees: f64) -> (Vec<[i32; 1]>, f64, f64) {
    let begin = 0.6 + degrees / 360.0 / 50.0;
    let end = begin + cycles / 50.0;
    let at = move |t: f64| {
        let part = if (begin..end).contains(&t) {
            depth
        } else {
            1.0
        };
        DECLARED * SQRT_2 * part * (TAU * 50.0 * t).sin()
    };
    let frames: Vec<[i32; 1]> = (0..(1.4 * RATE) as usize)
        .map(|n| [at(n as f64 / RATE).round() as i32])
        .collect();
    // The true zero crossings are 80 samples apart; one-cycle rms values of the same samples.
    let all: Vec<f64> = (50..110)
        .map(|k| &frames[k * 80..k * 80 + 160])
        .map(|cycle| cycle.iter().map(|[x]| f64::from(*x).powi(2)).sum::<f64>())
        .map(|sum| (sum / 160.0).sqrt())
        .collect();
    let low = all.iter().copied().fold(f64::MAX, f64::min);
    let high = all.iter().copied().fold(0.0, f64::max);
    (frames, low / DECLARED, high / DECLARED)
}

#[test]
fn steps_of_every_length_at_every_angle() {
    let mut worst = [0.0_f64; 2];
    for (depth, kind) in [
        (0.0, EventKind::Dip),
        (0.4, EventKind::Dip),
        (0.7, EventKind::Dip),
        (1.3, EventKind::Swell),
    ] {
        for cycles in [0.5, 1.0, 1.5, 2.5, 5.0, 10.0] {
            for degrees in (0..360).step_by(30) {
                let (frames, low, high) = step(depth, cycles, f64::from(degrees));
                let mut tracker = tracker();
                let mut events = Events::new(Thresholds::new((DECLARED * 256.0) as u32));
                let ended: Vec<_> = halves(&mut tracker, &frames)
                    .iter()
                    .skip(40)
                    .filter_map(|half| events.update(half, 1).ended[kind as usize])
                    .collect();
                let what = format!("{depth} for {cycles} cycles at {degrees} degrees");
                let want = if kind == EventKind::Dip { low } else { high };
                let (Some(event), 1) = (ended.first(), ended.len()) else {
                    panic!("{what}: {} events", ended.len());
                };
                let extreme = f64::from(event.extreme) / 256.0 / DECLARED;
                worst[0] = worst[0].max((extreme - want).abs());
                let duration = event.duration as f64 / 65_536.0 / RATE * 50.0;
                worst[1] = worst[1].max((duration - cycles).abs());
                assert!(
                    (extreme - want).abs() < 2e-3,
                    "{what}: {extreme} for {want}"
                );
                // By definition the half-cycle grid costs up to exactly one cycle; edges lie within 1e-4 cycle.
                assert!(
                    (duration - cycles).abs() <= 1.0 + 1e-4,
                    "{what}: {duration} cycles"
                );
            }
        }
    }
    println!(
        "steps: residual voltage within {:.3} % of Udin, duration within {:.2} cycles",
        worst[0] * 100.0,
        worst[1]
    );
}

#[test]
fn an_interruption_takes_all_phases_and_a_dip_one() {
    let gone = |k: usize, t: f64| match k {
        0 => (0.5..0.9).contains(&t),
        1 => (0.55..0.85).contains(&t),
        _ => (0.6..0.8).contains(&t),
    };
    let frames: Vec<[i32; 3]> = (0..(1.2 * RATE) as usize)
        .map(|n| {
            let t = n as f64 / RATE;
            std::array::from_fn(|k| {
                let size = if gone(k, t) { 0.01 } else { 1.0 };
                (DECLARED * SQRT_2 * size * (TAU * (50.0 * t - k as f64 / 3.0)).sin()) as i32
            })
        })
        .collect();
    let mut events = Events::new(Thresholds::new((DECLARED * 256.0) as u32));
    let mut ended = Vec::new();
    for half in halves(&mut tracker(), &frames).iter().skip(40) {
        ended.extend(events.update(half, 0b111).ended.into_iter().flatten());
    }
    let [interruption, dip] = &ended[..] else {
        panic!("{ended:?}");
    };
    assert_eq!(
        (interruption.kind, interruption.channels),
        (EventKind::Interruption, 0b111)
    );
    assert_eq!((dip.kind, dip.channels), (EventKind::Dip, 0b111));
    let seconds = |samples: u64| samples as f64 / 65_536.0 / RATE;
    // From the first phase down to the last phase up; one cycle is the bound.
    assert!((seconds(dip.duration) - 0.4).abs() <= 0.02, "{dip:?}");
    assert!(
        (seconds(interruption.duration) - 0.2).abs() <= 0.02,
        "{interruption:?}"
    );
    assert!((seconds(interruption.begin) - 0.6).abs() <= 0.02);
}
