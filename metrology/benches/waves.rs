//! Sampled waves through the chain: worst errors of all windows against the closed form, and nanoseconds for a
//! sample of one voltage and one current. Writes the samples into the folder given, so that
//! `cargo xtask bench metrology` can give the same ones to an independent package.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use metrology::{Calibration, Meter, Parameters, Sample};
use testkit::signal::{FrontEnd, Noise, Wave};

const RATE: f64 = 8000.0;
const SECONDS: f64 = 20.0;
const VOLT_NV: u32 = 60_000;
const AMPERE_NA: u32 = 2_400;
/// Windows that settle, on both sides of the comparison.
const SETTLING: usize = 3;

/// Name, frequency, voltage, current.
fn cases() -> Vec<(&'static str, f64, Wave, Wave)> {
    let u = || Wave::sine(230.0, 20.0);
    let rectifier = [
        (3.0, 1.6, 170.0),
        (5.0, 1.1, -20.0),
        (7.0, 0.7, 160.0),
        (25.0, 0.08, 33.0),
    ];
    let distorted = rectifier
        .into_iter()
        .fold(Wave::sine(2.0, 5.0), |wave, (order, rms, degrees)| {
            wave.tone(order, rms, degrees)
        });
    let flat = u()
        .tone(3.0, 2.0, 90.0)
        .tone(5.0, 7.0, -160.0)
        .tone(25.0, 0.4, 70.0);
    vec![
        ("sine-pf-1", 50.17, u(), Wave::sine(5.0, 20.0)),
        ("sine-pf-0.5", 47.13, u(), Wave::sine(5.0, -40.0)),
        (
            "sine-pf-0.25",
            52.91,
            u(),
            Wave::sine(5.0, 20.0 - 75.522_487_814),
        ),
        ("sine-imax-5000", 49.91, u(), Wave::sine(6.0 / 5000.0, 20.0)),
        ("rectifier", 50.03, flat, distorted),
    ]
}

fn samples(u: &Wave, i: &Wave, hertz: f64) -> Vec<Sample<1>> {
    let turns = hertz / RATE;
    let mut noise = Noise::new(0);
    let mut count =
        |value: f64, nano: u32| FrontEnd::IDEAL.count(value * 1e9 / f64::from(nano), &mut noise);
    u.generator(turns)
        .zip(i.generator(turns))
        .take((SECONDS * RATE) as usize)
        .map(|(u, i)| Sample {
            u: [count(u, VOLT_NV)],
            i: [count(i, AMPERE_NA)],
            n: 0,
        })
        .collect()
}

fn calibration() -> Calibration<1> {
    let mut p = Parameters::new((RATE * 1000.0) as u32, 50_000);
    (p.voltage_nv, p.current_na) = (VOLT_NV, AMPERE_NA);
    Calibration::try_new(p).expect("constants within their ranges")
}

/// Largest deviation of all windows: U, I relative, P and Q1 over S, f in hertz.
fn errors(samples: &[Sample<1>], truth: &[f64; 5]) -> [f64; 5] {
    let calibration = calibration();
    let mut meter = Meter::new(&calibration);
    let (mut worst, mut seen) = ([0.0_f64; 5], 0);
    for block in samples.chunks(32) {
        if meter.process(&calibration, block).windows == 0 {
            continue;
        }
        seen += 1;
        if seen <= SETTLING {
            continue;
        }
        let q = meter.quantities();
        let line = &q.phase[0];
        let found = [
            line.voltage_uv as f64,
            line.current_ua as f64,
            line.active_uw as f64,
            line.reactive_uvar as f64,
            f64::from(q.frequency_uhz.expect("a fundamental is there")),
        ];
        let [volts, amperes, ..] = *truth;
        let scale = [volts, amperes, volts * amperes, volts * amperes, 1.0];
        for (k, worst) in worst.iter_mut().enumerate() {
            *worst = worst.max((found[k] * 1e-6 - truth[k]).abs() / scale[k]);
        }
    }
    assert!(seen > SETTLING);
    worst
}

/// Nanoseconds of one sample, the least of several runs.
fn nanoseconds(samples: &[Sample<1>]) -> f64 {
    let calibration = calibration();
    let mut best = f64::MAX;
    for _ in 0..7 {
        let (begin, mut rounds) = (Instant::now(), 0_u32);
        let mut meter = Meter::new(&calibration);
        while begin.elapsed() < Duration::from_millis(100) {
            for block in samples.chunks(32) {
                let _ = black_box(meter.process(&calibration, black_box(block)));
            }
            rounds += 1;
        }
        let all = f64::from(rounds) * samples.len() as f64;
        best = best.min(begin.elapsed().as_nanos() as f64 / all);
    }
    best
}

fn main() -> std::io::Result<()> {
    // cargo adds `--bench` to the arguments.
    let folder = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"));
    let mut list = String::new();
    let mut time = f64::MAX;
    for (name, hertz, u, i) in cases() {
        let block = samples(&u, &i, hertz);
        let truth = [u.rms(), i.rms(), u.power(&i), u.reactive(&i), hertz];
        let found = errors(&block, &truth);
        println!(
            "{name} {}",
            found.map(|error| format!("{error:e}")).join(" ")
        );
        time = time.min(nanoseconds(&block));
        if let Some(folder) = &folder {
            let bytes: Vec<u8> = block
                .iter()
                .flat_map(|sample| [sample.u[0], sample.i[0]])
                .flat_map(i32::to_le_bytes)
                .collect();
            std::fs::write(Path::new(folder).join(format!("{name}.i32")), bytes)?;
            let truth = truth.map(|value| format!("{value:e}")).join(" ");
            let _ = writeln!(
                list,
                "{name} {RATE} {:e} {:e} {truth}",
                f64::from(VOLT_NV) * 1e-9,
                f64::from(AMPERE_NA) * 1e-9
            );
        }
    }
    println!("nanoseconds {time:.1}");
    if let Some(folder) = &folder {
        std::fs::write(Path::new(folder).join("cases.txt"), list)?;
    }
    Ok(())
}
