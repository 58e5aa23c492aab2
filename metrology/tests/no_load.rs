//! Start and no-load (IEC 62053-21 and -22, clause 8): the smallest load counts, noise never does.

use std::f64::consts::{SQRT_2, TAU};

use metrology::{Calibration, Meter, Parameters, Sample};

/// A meter for 3 · 230 V, 5 (100) A at 6400 imp/kWh: starting current 5 mA, threshold half of its power.
const RATED: f64 = 5.0;
const LARGEST: f64 = 100.0;
const CONSTANT: u32 = 6400;
const UN: f64 = 230.0;

fn calibration() -> Calibration<3> {
    let mut p = Parameters::<3>::new(8_000_000, 50_000);
    p.start_uw = (UN * RATED * 0.001 / 2.0 * 1e6) as u32;
    p.pulses_per_kwh = CONSTANT;
    Calibration::try_new(p).unwrap()
}

/// Ten seconds, which close without a seam at 50.1 Hz: voltages of `volts`, currents of `amperes` in phase,
/// and in every current noise of a 101 dB converter and crosstalk of a twenty-thousandth of a percent.
fn ten_seconds(volts: f64, amperes: f64, seed: u64) -> Vec<Sample<3>> {
    let mut state = seed;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..80_000)
        .map(|n| {
            let angle = TAU * 50.1 * f64::from(n) / 8000.0;
            let sine = [0.0, 1.0, 2.0].map(|k| (angle - k * TAU / 3.0).sin() * SQRT_2);
            let u = sine.map(|sine| volts * sine / 60e-6);
            // Four uniform numbers of this width have a deviation of 52.9 counts.
            let i: [f64; 3] = std::array::from_fn(|k| {
                let noise = (0..4).map(|_| random() - 0.5).sum::<f64>() * 91.6;
                amperes * sine[k] / 24e-6 + noise + 2e-7 * u[k]
            });
            Sample {
                u: u.map(|x| x.round() as i32),
                i: i.map(|x| x.round() as i32),
                n: 0,
            }
        })
        .collect()
}

/// Runs for that many seconds; pulses given.
fn run(
    meter: &mut Meter<3>,
    calibration: &Calibration<3>,
    block: &[Sample<3>],
    seconds: usize,
) -> u32 {
    let mut pulses = 0;
    let mut left = seconds * 8000;
    while left > 0 {
        let count = left.min(block.len());
        pulses += meter.process(calibration, &block[..count]).pulses;
        left -= count;
    }
    pulses
}

/// The formula's time for class 0.2S, 900e6 / (k m Un Imax) minutes, in seconds.
fn no_load_seconds() -> f64 {
    900e6 / (f64::from(CONSTANT) * 3.0 * UN * LARGEST) * 60.0
}

#[test]
fn starting_current_starts_within_the_time_of_two_pulses() {
    let calibration = calibration();
    for (amperes, starts) in [(0.005, true), (0.0045, true), (0.0015, false)] {
        let mut meter = Meter::new(&calibration);
        // Voltage first, so that the load has to start the meter.
        let none = ten_seconds(UN, 0.0, 5);
        assert_eq!(run(&mut meter, &calibration, &none, 10), 0);
        let load = ten_seconds(UN, amperes, 6);
        let pulse = 3.6e6 / f64::from(CONSTANT) / (3.0 * UN * amperes);
        let pulses = run(&mut meter, &calibration, &load, (2.0 * pulse) as usize + 4);
        if starts {
            assert!((1..=2).contains(&pulses), "{amperes} A: {pulses}");
            let energy: u64 = meter
                .registers(&calibration)
                .phase
                .iter()
                .map(|c| c.import)
                .sum();
            // Two pulses are 312.5 mWh, three steps; a phase counts whole steps of its own.
            assert!(energy <= 3, "{energy}");
        } else {
            assert_eq!(pulses, 0, "{amperes} A");
        }
    }
}

/// 1.15 Un with open currents.
fn creep(times: f64) {
    let calibration = calibration();
    let mut meter = Meter::new(&calibration);
    let open = ten_seconds(1.15 * UN, 0.0, 7);
    let seconds = (no_load_seconds() * times).ceil() as usize;
    let pulses = run(&mut meter, &calibration, &open, seconds);
    let r = meter.registers(&calibration);
    assert_eq!((pulses, r.active.absolute(), r.pulses), (0, 0, 0), "{r:?}");
    for phase in 0..3 {
        let open = meter.energy_raw(&calibration, phase);
        // Nothing is held back either: only the window that is open may hold a little.
        assert!(open.abs() < calibration.step_raw() / 100_000, "{open}");
    }
    println!("no load: {seconds} s at 1.15 Un without a pulse");
}

#[test]
fn noise_never_counts() {
    creep(1.0);
}

#[test]
#[ignore = "a hundred times the time of the formula; cargo xtask long"]
fn noise_never_counts_for_a_hundred_times_the_time() {
    creep(100.0);
}

#[test]
fn phases_start_apart_and_stop_lower() {
    let calibration = calibration();
    let mut meter = Meter::new(&calibration);
    // One phase at 10 mA, the others at a seventh of the starting current.
    let mut block = ten_seconds(UN, 0.010, 8);
    for sample in &mut block {
        sample.i[1] /= 14;
        sample.i[2] /= 14;
    }
    let _ = run(&mut meter, &calibration, &block, 600);
    let [first, others @ ..] = meter.registers(&calibration).phase;
    // 2.3 W for ten minutes are 0.38 Wh.
    assert_eq!(first.import, 3);
    assert!(
        others.iter().all(|counts| counts.absolute() == 0),
        "{others:?}"
    );
    // 0.51 W lie between stop (0.43 W) and start (0.58 W): a running phase goes on, an idle one does not begin.
    let low = ten_seconds(UN, 0.0022, 9);
    let mut idle = Meter::new(&calibration);
    let before = meter.energy_raw(&calibration, 0);
    let _ = run(&mut meter, &calibration, &low, 100);
    let _ = run(&mut idle, &calibration, &low, 100);
    let watts = |raw: i128| raw as f64 / calibration.step_raw() as f64 * 3.6;
    let went = watts(meter.energy_raw(&calibration, 0) - before);
    assert!((went - UN * 0.0022).abs() < 0.03, "{went}");
    assert!(watts(idle.energy_raw(&calibration, 0)).abs() < 0.003);
}
