//! The tables of IEC 61000-4-15: rectangular changes that give Pst = 1, sines that give Pinst = 1.

use std::f64::consts::{SQRT_2, TAU};

use metrology::pq::{Flicker, Lamp};

const VOLTS: f64 = 3_000_000.0;

/// Runs `seconds` of a modulated voltage; the largest Pinst of the second half and the Pst after 20 s.
fn run(lamp: Lamp, rate: u32, seconds: u32, modulation: impl Fn(f64) -> f64) -> (f64, f64) {
    let f = if lamp == Lamp::V230Hz50 { 50.0 } else { 60.0 };
    let mut flicker = Flicker::new(rate * 1000, lamp);
    let mut most = 0;
    let mut second = Vec::new();
    for s in 0..seconds + 20 {
        second.clear();
        second.extend((0..rate).map(|n| {
            let t = f64::from(s) + f64::from(n) / f64::from(rate);
            [(VOLTS * SQRT_2 * (TAU * f * t).sin() * (1.0 + modulation(t) / 2.0)) as i32]
        }));
        for part in second.chunks(16) {
            flicker.process(part, 0);
            if s > seconds / 2 {
                most = most.max(flicker.pinst());
            }
        }
        if s == 19 {
            flicker.restart();
        }
    }
    let severity = flicker.finish().expect("levels were counted");
    (
        f64::from(most) / f64::from(1 << 20),
        f64::from(severity) / 1e6,
    )
}

fn rectangle(changes: f64, percent: f64) -> impl Fn(f64) -> f64 {
    // Two changes make a period.
    move |t| {
        let at = (t * changes / 120.0).fract();
        if at < 0.5 {
            percent / 100.0
        } else {
            -percent / 100.0
        }
    }
}

#[test]
fn rectangular_changes_give_severity_one() {
    let rows = [
        (
            Lamp::V230Hz50,
            [1.0, 2.0, 7.0, 39.0, 110.0, 1620.0, 4000.0],
            [2.715, 2.191, 1.450, 0.894, 0.722, 0.407, 2.343],
        ),
        (
            Lamp::V120Hz60,
            [1.0, 2.0, 7.0, 39.0, 110.0, 1620.0, 4800.0],
            [3.178, 2.561, 1.694, 1.045, 0.844, 0.545, 4.834],
        ),
    ];
    let mut worst = 0.0_f64;
    for (lamp, changes, percents) in rows {
        for (changes, percent) in changes.into_iter().zip(percents) {
            let (_, severity) = run(lamp, 1600, 600, rectangle(changes, percent));
            println!("{lamp:?} {changes} a minute, {percent} %: Pst {severity:.4}");
            worst = worst.max((severity - 1.0).abs());
            assert!(
                (severity - 1.0).abs() < 0.01,
                "{lamp:?} {changes}: {severity}"
            );
        }
    }
    println!("Pst within {:.2} %", worst * 100.0);
}

#[test]
fn severity_is_proportional_to_the_changes() {
    for factor in [0.2, 3.0, 10.0] {
        let (_, severity) = run(Lamp::V230Hz50, 1600, 120, rectangle(110.0, 0.722 * factor));
        // Class F1: 5 %.
        assert!(
            (severity / factor - 1.0).abs() < 0.05,
            "{factor}: {severity}"
        );
    }
}

#[test]
fn sines_at_the_threshold_of_perception() {
    for (lamp, percent) in [(Lamp::V230Hz50, 0.250), (Lamp::V120Hz60, 0.321)] {
        for rate in [1600, 4000, 8000, 12_800] {
            let (most, _) = run(lamp, rate, 40, |t| percent / 100.0 * (TAU * 8.8 * t).sin());
            println!("{lamp:?} {rate} Hz: Pinst at most {most:.4}");
            assert!((most - 1.0).abs() < 0.02, "{lamp:?} {rate}: {most}");
        }
    }
}

#[test]
fn nothing_flickers_without_voltage_or_without_change() {
    let (most, severity) = run(Lamp::V230Hz50, 2000, 30, |_| 0.0);
    assert!(most < 1e-3 && severity < 0.05, "{most} {severity}");
    let mut flicker = Flicker::new(2_000_000, Lamp::V230Hz50);
    flicker.process(&[[0_i32; 1]; 20_000], 0);
    assert_eq!(flicker.pinst(), 0);
    // A voltage that appears, full-scale noise, and its end: bounded, and still counting.
    let mut x = 1_u32;
    let noise: Vec<[i32; 1]> = (0..200_000)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [x as i32]
        })
        .collect();
    flicker.process(&noise, 0);
    flicker.process(&[[0_i32; 1]; 2000], 0);
    assert!(flicker.counted() > 1000);
}
