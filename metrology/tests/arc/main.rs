//! Rates of the series-arc indicator on simulated and recorded waves.
//!
//! `cargo test --release --package meterkit-metrology --test arc -- --nocapture` prints the table of `docs/safety.md`.

mod loads;
mod records;

use loads::{Arc, LOADS, Line, Load, unit};
use metrology::safety::{ArcDetector, ArcLimits, Level};
use records::Record;
use testkit::Rng;

const VOLT_COUNTS: f64 = 20_000.0;
const AMPERE_COUNTS: f64 = 50_000.0;
/// Mean magnitude of 2 A rms.
const FLOOR_A: f64 = 1.8;
/// Cycles until what a simulation begins with has settled.
const SETTLE: usize = 50;

fn limits() -> ArcLimits {
    ArcLimits::new((FLOOR_A * AMPERE_COUNTS) as u32)
}

/// Cycles from the beginning of the load, or of its arc, to the first alarm; `None` without one in `cycles`.
fn alarm_after(mut line: Line, cycles: usize, seed: u64) -> Option<usize> {
    let (limits, mut detector) = (limits(), ArcDetector::new());
    // A converter with 16 bits: noise of some tens of these counts.
    let mut rng = Rng::new(seed);
    let mut seen = 0;
    let arcing = line.is_arcing();
    if arcing {
        line.set_arcing(false);
    }
    while seen < SETTLE + cycles {
        let (u, i) = line.next();
        let mut counts =
            |value: f64, scale: f64| (value * scale + 100.0 * (unit(&mut rng) - 0.5)) as i32;
        let (u, i) = (counts(u, VOLT_COUNTS), counts(i, AMPERE_COUNTS));
        if let Some(report) = detector.push(&limits, u, i) {
            seen += 1;
            if seen == SETTLE {
                line.set_arcing(arcing);
            }
            if report.level == Level::Alarm {
                return Some(seen.saturating_sub(SETTLE));
            }
        }
    }
    None
}

struct Rates {
    runs: usize,
    alarms: usize,
    slowest: usize,
}

fn rates(load: Load, arcing: bool, seeds: u64, cycles: usize) -> Rates {
    let mut rates = Rates {
        runs: 0,
        alarms: 0,
        slowest: 0,
    };
    for rate in [4_000.0, 6_400.0, 8_000.0] {
        for seed in 1..=seeds {
            rates.runs += 1;
            if let Some(after) = alarm_after(Line::new(load, arcing, rate, seed), cycles, seed) {
                rates.alarms += 1;
                rates.slowest = rates.slowest.max(after);
            }
        }
    }
    rates
}

#[test]
fn simulated_loads() {
    let seeds = if cfg!(debug_assertions) { 2 } else { 20 };
    let (mut detected, mut arcs, mut false_alarms, mut quiet) = (0, 0, 0, 0);
    println!(
        "{:26} {:>14} {:>16} {:>14}",
        "load", "arc found", "slowest, cycles", "false alarms"
    );
    for load in LOADS {
        let found = rates(load, true, seeds, 50);
        let wrong = rates(load, false, seeds, 250);
        println!(
            "{:26} {:>8} of {:<3} {:>16} {:>8} of {:<3}",
            format!("{load:?}"),
            found.alarms,
            found.runs,
            found.slowest,
            wrong.alarms,
            wrong.runs
        );
        // Burst control leaves every second cycle without current: such an arc is warned of only.
        if !matches!(load, Load::Burst(_)) {
            detected += found.alarms;
            arcs += found.runs;
        }
        // A hand that turns a dimmer to and fro without a pause is the one load that looks like an arc now and then.
        assert!(
            wrong.alarms == 0 || matches!(load, Load::TurnedDimmer(_)),
            "{load:?}"
        );
        false_alarms += wrong.alarms;
        quiet += wrong.runs;
    }
    println!(
        "found {detected} of {arcs} arcs within 1 s, {false_alarms} false alarms in {quiet} runs of 5 s"
    );
    assert!(false_alarms * 100 <= quiet, "{false_alarms} of {quiet}");
    assert!(detected * 100 >= arcs * 95, "found {detected} of {arcs}");
}

/// The worst level of a record, and the largest count of irregular cycles.
fn play(record: &Record, arcing: bool) -> (Level, u32, usize) {
    let floor = FLOOR_A / record.scale.1;
    let limits = ArcLimits::new(floor as u32);
    let mut detector = ArcDetector::new();
    let (mut worst, mut count, mut cycles) = (Level::Normal, 0, 0);
    let (mut arc, mut rng, mut before) = (Arc::new(), Rng::new(7), 0);
    for &(u, i) in &record.samples {
        let mut behind = i;
        if arcing {
            let volts = f64::from(u) * record.scale.0;
            if (u > 0) != (before > 0) {
                arc.renew(&mut rng);
            }
            before = u;
            // The load takes less by what the arc takes of the voltage, and nothing while the arc is dark.
            behind = match arc.drop(volts, &mut rng) {
                Some(drop) if volts.abs() > drop => {
                    (f64::from(i) * (1.0 - drop / volts.abs())) as i32
                }
                _ => 0,
            };
        }
        if let Some(report) = detector.push(&limits, u, behind) {
            worst = worst.max(report.level);
            count = count.max(report.cycles);
            cycles += 1;
        }
    }
    (worst, count, cycles)
}

#[test]
fn recorded_loads() {
    let Some(folder) = testkit::cases::shared_waveforms() else {
        return testkit::skip("the recorded waves are not beside the project");
    };
    let (mut judged, mut found, mut small) = (0, 0, 0);
    for record in records::read(&folder) {
        let (level, count, cycles) = play(&record, false);
        assert_eq!(
            level,
            Level::Normal,
            "{}: {count} irregular of 32",
            record.name
        );
        if cycles < 50 {
            continue;
        }
        let mean = record
            .samples
            .iter()
            .map(|(_, i)| f64::from(*i).abs())
            .sum::<f64>();
        let mean = mean * record.scale.1 / record.samples.len() as f64;
        let (with_arc, irregular, _) = play(&record, true);
        println!(
            "{:22} {mean:5.2} A: {count:2} of 32 irregular, with an arc {irregular:2}, {with_arc:?}",
            record.name
        );
        if mean < FLOOR_A {
            small += 1;
            continue;
        }
        judged += 1;
        found += usize::from(with_arc == Level::Alarm);
    }
    println!(
        "found {found} of {judged} arcs in recorded loads; {small} records below 2 A are not judged; no false alarm"
    );
    assert!(judged > 0, "a record of more than 2 A and a second");
    assert!(found * 100 >= judged * 80, "found {found} of {judged}");
}

#[test]
fn a_line_without_voltage_is_not_judged() {
    let (limits, mut detector) = (ArcLimits::new(1), ArcDetector::new());
    let mut rng = Rng::new(1);
    for _ in 0..100_000 {
        let i = rng.between(-8_000_000, 8_000_000) as i32;
        assert_eq!(detector.push(&limits, 0, i), None);
    }
}

#[test]
fn any_samples_are_taken() {
    let limits = ArcLimits {
        floor_counts: 0,
        irregular_e4: 0,
        warning_cycles: 0,
        alarm_cycles: 33,
    };
    let mut rng = Rng::new(2);
    for extreme in [false, true] {
        let mut detector = ArcDetector::new();
        for n in 0..200_000_u32 {
            let any = |rng: &mut Rng| {
                if extreme {
                    [i32::MIN, i32::MAX][rng.below(2) as usize]
                } else {
                    rng.next_u32() as i32
                }
            };
            let u = if extreme {
                [i32::MIN, i32::MAX][(n / 64 % 2) as usize]
            } else {
                any(&mut rng)
            };
            let i = any(&mut rng);
            if let Some(report) = detector.push(&limits, u, i) {
                assert!(report.cycles <= 32 && report.level != Level::Alarm);
            }
        }
    }
}
