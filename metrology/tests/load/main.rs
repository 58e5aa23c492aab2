//! Rates of the load-shape helpers on simulated days and on recorded waves.
//!
//! `cargo test --release --package meterkit-metrology --test load -- --nocapture` prints the table of
//! `docs/load-shape.md`.

mod house;

use house::House;
use metrology::load::{
    Change, Pairing, RunLimits, RunMonitor, Running, Step, StepDetector, StepLimits, Window,
};
use metrology::{Calibration, Meter, Parameters, Sample};
use proptest::prelude::*;

const LIMITS: StepLimits = StepLimits::HOUSE;

fn watts(active: f64, reactive: f64) -> Window {
    Window {
        active_uw: (active * 1e6) as i64,
        reactive_uvar: (reactive * 1e6) as i64,
        elapsed_ms: 1_000,
    }
}

#[derive(Default, Debug)]
struct Score {
    truth: usize,
    found: usize,
    told: usize,
    offs: usize,
    paired: usize,
    mispaired: usize,
}

/// A day of a house in windows of so many milliseconds against what was really switched.
fn day(mut house: House, window_ms: u32, score: &mut Score) {
    let limits = StepLimits::house(window_ms);
    let (mut steps, mut pairs) = (StepDetector::new(), Pairing::<16>::new());
    let mut told: Vec<(u64, Change)> = Vec::new();
    for _ in 0..86_400_000 / window_ms {
        let (p, q) = house.window(window_ms.into());
        let window = Window {
            elapsed_ms: window_ms,
            ..watts(p, q)
        };
        if let Some(step) = steps.update(&limits, &window) {
            told.push((step.at_ms, pairs.update(&limits, &step)));
        }
    }
    // Which appliance each told on was, to judge the pairs.
    let mut owner = std::collections::HashMap::new();
    let mut used = vec![false; told.len()];
    for event in &house.events {
        score.truth += 1;
        let hit = told.iter().enumerate().position(|(n, (at, change))| {
            let on = matches!(change, Change::On { .. });
            !used[n]
                && at.abs_diff(event.at_ms) <= 3 * u64::from(window_ms)
                && on == (event.watts > 0.0)
                && {
                    let (Change::On { step, .. } | Change::Off { step, .. }) = change else {
                        return false;
                    };
                    (step.active_uw as f64 / 1e6 - event.watts).abs()
                        < 30.0 + event.watts.abs() * 0.15
                }
        });
        let Some(n) = hit else { continue };
        used[n] = true;
        score.found += 1;
        match &told[n].1 {
            Change::On { number, .. } => {
                owner.insert(*number, event.appliance);
            }
            Change::Off { of, .. } => {
                score.offs += 1;
                if let Some(of) = of {
                    score.paired += 1;
                    let wrong = owner
                        .get(&of.number)
                        .is_some_and(|who| *who != event.appliance);
                    score.mispaired += usize::from(wrong);
                }
            }
            _ => {}
        }
    }
    score.told += told.len();
}

/// Days of one house against what is asked of the helpers: nine of ten switchings found and paired, not more than one of
/// ten told that was none or paired wrongly.
fn judge(
    name: &str,
    house: fn(u64) -> House,
    seeds: std::ops::RangeInclusive<u64>,
    window_ms: u32,
) {
    let mut score = Score::default();
    let days = seeds.clone().count();
    for seed in seeds {
        day(house(seed), window_ms, &mut score);
    }
    let percent = |part: usize, of: usize| 100.0 * part as f64 / of as f64;
    println!(
        "{name}, {days} days in windows of {window_ms} ms: {} of {} switchings found ({:.1} %), {} told that were none ({:.1} %), {} of {} offs with their on ({:.1} %), {} of them with that of another ({:.1} %)",
        score.found,
        score.truth,
        percent(score.found, score.truth),
        score.told - score.found,
        percent(score.told - score.found, score.told),
        score.paired,
        score.offs,
        percent(score.paired, score.offs),
        score.mispaired,
        percent(score.mispaired, score.paired),
    );
    assert!(percent(score.found, score.truth) > 90.0);
    assert!(percent(score.told - score.found, score.told) < 10.0);
    assert!(percent(score.paired, score.offs) > 90.0);
    assert!(percent(score.mispaired, score.paired) < 10.0);
}

const DAYS: u64 = if cfg!(debug_assertions) { 3 } else { 100 };

#[test]
fn days_of_the_training() {
    judge("training", House::training, 1..=DAYS, 1_000);
}

#[test]
fn days_that_were_held_out() {
    judge("held out", House::held_out, 1_001..=1_000 + DAYS, 1_000);
    judge("held out", House::held_out, 1_001..=1_001 + DAYS / 4, 200);
    // A drum that runs for four windows and stands for two is never steady.
    judge(
        "held out, no drum",
        House::without_drum,
        1_001..=1_000 + DAYS,
        3_000,
    );
}

/// Windows of about 200 ms of a recorded appliance.
fn recorded(folder: &std::path::Path, name: &str) -> Vec<(f64, f64)> {
    let sidecar = std::fs::read(folder.join(format!("{name}.json"))).expect("a sidecar");
    let sidecar: serde_json::Value = serde_json::from_slice(&sidecar).expect("JSON");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let scale = |channel: usize| number(&sidecar["channels"][channel]["scale"]);
    let mut parameters =
        Parameters::<1>::new((number(&sidecar["sample_rate_hz"]) * 1000.0) as u32, 50_000);
    // Counts are widened by 8 bits.
    parameters.voltage_nv = (scale(0) * 1e9 / 256.0).round() as u32;
    parameters.current_na = (scale(1) * 1e9 / 256.0).round() as u32;
    let calibration = Calibration::try_new(parameters).expect("constants");
    let mut meter = Meter::new(&calibration);
    let bytes = std::fs::read(folder.join(format!("{name}.i32"))).expect("samples");
    let numbers: Vec<i32> = bytes
        .chunks_exact(4)
        .map(|word| i32::from_le_bytes(word.try_into().expect("four bytes")))
        .collect();
    let mut windows = Vec::new();
    for set in numbers.chunks_exact(2) {
        let sample = Sample {
            u: [set[0] << 8],
            i: [set[1] << 8],
            n: 0,
        };
        if meter.process(&calibration, &[sample]).windows > 0 {
            let total = meter.quantities().total;
            windows.push((
                total.active_uw as f64 / 1e6,
                total.reactive_uvar as f64 / 1e6,
            ));
        }
    }
    windows
}

#[test]
fn recorded_loads_are_told_when_they_are_put_together() {
    let Some(folder) = testkit::cases::shared_waveforms() else {
        return testkit::skip("the recorded waves are not beside the project");
    };
    let names = [
        "kettle",
        "aircon",
        "induction_hob",
        "fridge",
        "tv",
        "washer",
        "laptop",
    ];
    let record = |name: &str, take: char| recorded(&folder, &format!("home_{name}_{take}"));
    let (mut pairs, mut found, mut spurious) = (0, 0, 0);
    for base in names {
        for added in names.into_iter().filter(|added| *added != base) {
            for take in ['a', 'b'] {
                let (rest, more) = (record(base, take), record(added, take));
                let size = more.iter().map(|(p, _)| p).sum::<f64>() / more.len() as f64;
                // 12 windows alone, 12 with the other, 12 alone.
                let (mut steps, mut pairing) = (StepDetector::new(), Pairing::<4>::new());
                let mut told = Vec::new();
                for n in 0..36 {
                    let (mut p, mut q) = rest[n % rest.len()];
                    if (12..24).contains(&n) {
                        let (more_p, more_q) = more[n % more.len()];
                        (p, q) = (p + more_p, q + more_q);
                    }
                    let step = steps.update(&LIMITS, &watts(p, q));
                    told.extend(step.map(|step| pairing.update(&LIMITS, &step)));
                }
                if size.abs() < 60.0 {
                    // Not far enough above the least step to be told for sure.
                    continue;
                }
                pairs += 1;
                let right = matches!(told[..], [Change::On { number, .. }, Change::Off { of: Some(of), and: None, .. }]
                    if of.number == number && of.ran_ms == 12_000);
                found += usize::from(right);
                spurious += told.len().saturating_sub(2);
                if !right {
                    println!("{base} and {added} {take} ({size:.0} W): {told:?}");
                }
            }
        }
    }
    println!(
        "recorded: {found} of {pairs} pairs told as one on and its off, {spurious} changes too many"
    );
    assert!(found * 100 >= pairs * 90, "{found} of {pairs}");
}

#[test]
fn a_spike_is_no_step_and_a_slow_start_is_one() {
    let mut steps = StepDetector::new();
    let mut told = Vec::new();
    // Two windows of 3 kW, back; then a motor: 2 kW of inrush that falls to 400 W in five windows.
    let powers = [80.0; 10]
        .into_iter()
        .chain([3000.0; 2])
        .chain([80.0; 10])
        .chain([2080.0, 1400.0, 900.0, 650.0, 530.0])
        .chain([480.0; 10]);
    for (n, power) in powers.enumerate() {
        told.extend(
            steps
                .update(&LIMITS, &watts(power, 0.0))
                .map(|step| (n, step)),
        );
    }
    let [
        (
            n,
            Step {
                active_uw,
                at_ms,
                took_ms,
                ..
            },
        ),
    ] = told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(
        (n, active_uw, at_ms, took_ms),
        (29, 400_000_000, 22_000, 7_000)
    );
}

#[test]
fn drift_is_followed() {
    let mut steps = StepDetector::new();
    for n in 0..10_000 {
        let power = 1_000.0 + f64::from(n) * 0.2;
        assert_eq!(steps.update(&LIMITS, &watts(power, 0.0)), None);
    }
    let (active_uw, _) = steps.steady().expect("steady");
    assert!((active_uw / 1_000_000 - 2_999).abs() < 5);
}

#[test]
fn two_that_stop_together_are_both_told() {
    let mut pairing = Pairing::<4>::new();
    let step = |watts: i64, at_ms| Step {
        active_uw: watts * 1_000_000,
        reactive_uvar: 0,
        at_ms,
        took_ms: 0,
    };
    for (n, watts) in [2_000, 1_000, 300].into_iter().enumerate() {
        let _ = pairing.update(&LIMITS, &step(watts, 1_000 * n as u64));
    }
    let Change::Off {
        of: Some(first),
        and: Some(second),
        ..
    } = pairing.update(&LIMITS, &step(-3_000, 3_602_000))
    else {
        panic!("two went");
    };
    assert_eq!((first.number, second.number, pairing.running()), (1, 2, 1));
    assert_eq!(first.energy_uwh, 2_001_111_111);
    // Nothing of that size runs: told without an on.
    let alone = pairing.update(&LIMITS, &step(-5_000, 3_700_000));
    assert!(matches!(
        alone,
        Change::Off {
            of: None,
            and: None,
            ..
        }
    ));
}

#[test]
fn the_oldest_is_forgotten_when_too_many_run() {
    let mut pairing = Pairing::<2>::new();
    let step = |watts: i64| Step {
        active_uw: watts * 1_000_000,
        reactive_uvar: 0,
        at_ms: 0,
        took_ms: 0,
    };
    for watts in [100, 1_000, 5_000] {
        let _ = pairing.update(&LIMITS, &step(watts));
    }
    assert_eq!(pairing.running(), 2);
    assert!(matches!(
        pairing.update(&LIMITS, &step(-100)),
        Change::Off { of: None, .. }
    ));
    assert!(matches!(
        pairing.update(&LIMITS, &step(-1_000)),
        Change::Off { of: Some(_), .. }
    ));
}

#[test]
fn a_machine_starts_and_stops_with_its_delay() {
    let limits = RunLimits {
        start_uw: 200_000_000,
        stop_uw: 100_000_000,
        delay_ms: 3_000,
    };
    let mut monitor = RunMonitor::new();
    let mut told = Vec::new();
    let story = [
        (50.0, 5),
        (300.0, 2),
        (50.0, 1),
        (200.0, 10),
        (100.0, 5),
        (99.9, 2),
        (150.0, 1),
        (0.0, 10),
    ];
    let mut second = 0;
    for (power, times) in story {
        for _ in 0..times {
            second += 1;
            told.extend(
                monitor
                    .update(&limits, &watts(power, 0.0))
                    .map(|change| (second, change)),
            );
        }
    }
    assert_eq!(
        told,
        [
            (11, Running::Started { since_ms: 3_000 }),
            (29, Running::Stopped { since_ms: 3_000 })
        ]
    );
    assert_eq!(
        (monitor.runs(), monitor.total_ms(), monitor.starts()),
        (false, 18_000, 1)
    );
    assert!(RunMonitor::resume(true, 5, 1).runs());
}

proptest! {
    #[test]
    fn any_windows_are_taken(
        windows in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<u32>()), 0..200),
        settle in any::<u8>(),
    ) {
        let limits = StepLimits { settle, ..LIMITS };
        let (mut steps, mut pairing) = (StepDetector::new(), Pairing::<3>::new());
        let mut monitor = RunMonitor::new();
        let run = RunLimits { start_uw: 1, stop_uw: u64::MAX, delay_ms: 0 };
        for (active_uw, reactive_uvar, elapsed_ms) in windows {
            let window = Window { active_uw, reactive_uvar, elapsed_ms };
            let _ = monitor.update(&run, &window);
            if let Some(step) = steps.update(&limits, &window) {
                let _ = pairing.update(&limits, &step);
                prop_assert!(pairing.running() <= 3);
            }
        }
    }
}
