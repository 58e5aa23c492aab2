//! Energy registers: nothing is lost or made in any quadrant, over sign changes inside windows, random cuts and
//! restarts; a thousand million samples in the long form.

use metrology::{Calibration, DcPower, FULL_SCALE, Meter, Parameters, Policy, Sample};

/// Samples of the tables below: no multiple of their periods, so that every pass meets other windows.
const TABLE: usize = 400_003;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A mains-like voltage of changing period and a current that turns through all four quadrants and changes
/// its sign several times in a window, with noise up to full scale.
fn table(random: &mut Random) -> Vec<Sample<1>> {
    let (mut phase, mut sign, mut lag) = (0_u64, 1_i64, 0_u64);
    (0..TABLE)
        .map(|n| {
            // 49.2 to 50.8 Hz at 4 kHz, a period is 2^32.
            phase = phase.wrapping_add(53_687_091 + (n as u64 / 9_000 % 7) * 500_000 - 1_500_000);
            if n % 1_237 == 0 {
                sign = -sign;
            }
            if n % 20_011 == 0 {
                lag = random.next() >> 32;
            }
            // A triangle is exact and periodic.
            let triangle =
                |phase: u64| ((phase as u32 as i32).unsigned_abs() as i64 - (1 << 30)) >> 8;
            let mut noise = |bits: u32| (random.next() as i64) >> (64 - bits);
            let u = triangle(phase) * 3 / 2 + noise(18);
            let i =
                sign * triangle(phase.wrapping_sub(lag)) + noise(if n % 50 == 0 { 25 } else { 16 });
            Sample {
                u: [u as i32],
                i: [i as i32],
                n: 0,
            }
        })
        .collect()
}

/// Runs at least `samples` samples and compares registers with plain sums.
fn conserve(samples: usize, seed: u64) {
    let mut random = Random(seed);
    let mut p = Parameters::<1>::new(4_000_000, 50_000);
    p.dc_power = DcPower::Kept;
    p.phase[0].current_gain = metrology::Gain::from_bits(1_234_567_890);
    let calibration = Calibration::try_new(p).unwrap();
    let table = table(&mut random);
    let limit = |x: i32| i128::from(x.clamp(-FULL_SCALE, FULL_SCALE));
    let raw = |samples: &[Sample<1>]| -> i128 {
        let products = samples.iter().map(|s| limit(s.u[0]) * limit(s.i[0]));
        products.sum::<i128>() * 1_234_567_890
    };
    let (once, mut want, mut done) = (raw(&table), 0_i128, 0_usize);
    let mut meter = Meter::new(&calibration);
    let mut windows = 0_u64;
    while done < samples {
        let mut rest = &table[..];
        while !rest.is_empty() {
            let (block, after) =
                rest.split_at((1 + random.next() as usize % 5_000).min(rest.len()));
            windows += u64::from(meter.process(&calibration, block).windows);
            rest = after;
            // A power cut now and then.
            if random.next().is_multiple_of(50) {
                let mut state = [0; Meter::<1>::STATE_LEN];
                meter.save(&calibration, &mut state).unwrap();
                meter = Meter::new(&calibration);
                meter.restore(&calibration, &state).unwrap();
            }
        }
        want += once;
        done += TABLE;
        assert_eq!(
            meter.energy_raw(&calibration, 0),
            want,
            "after {done} samples"
        );
    }
    let q = calibration.step_raw();
    let r = meter.registers(&calibration);
    let steps = i128::from(r.phase[0].import) - i128::from(r.phase[0].export);
    // The register lags by less than a step and what the open window holds.
    let window = i128::from(FULL_SCALE).pow(2) * 1_234_567_890 * 1_000;
    assert!((want - steps * q).abs() < q + window, "{want} {steps}");
    assert_eq!(r.active, r.phase[0]);
    assert!(r.phase[0].import > 0 && r.phase[0].export > 0);
    assert!(r.reactive.iter().all(|&quadrant| quadrant > 0), "{r:?}");
    assert!(windows as usize > done / 1_000 / 2);
    println!(
        "energy: {done} samples, {windows} windows, register and remainder equal the plain sum; {r:?}"
    );
}

#[test]
fn registers_are_the_plain_sum() {
    conserve(2_000_000, 0x1234_5678_9ABC_DEF1);
}

#[test]
#[ignore = "a thousand million samples; cargo xtask long"]
fn registers_are_the_plain_sum_over_a_thousand_million_samples() {
    conserve(1_000_000_000, 0xFEDC_BA98_7654_3211);
}

/// Three phases that import, export, and change every few windows; what each policy makes of them.
#[test]
fn every_policy_joins_phases_in_its_own_way() {
    let wave = |n: usize, scale: i64| {
        let triangle = ((n % 80) as i64 - 40).abs() - 20;
        (triangle * scale) as i32
    };
    let run = |policy: Policy| {
        let mut p = Parameters::<3>::new(4_000_000, 50_000);
        (p.policy, p.energy_step_mwh, p.pulses_per_kwh) = (policy, 1, 1_000_000);
        let calibration = Calibration::try_new(p).unwrap();
        let mut meter = Meter::new(&calibration);
        for n in 0..200_000 {
            let turned = if n / 2_000 % 2 == 0 { 1 } else { -1 };
            // A lag of 10 samples, 45 degrees, in the second phase.
            let sample = Sample {
                u: [wave(n, 250_000); 3],
                i: [
                    wave(n, 40_000),
                    wave(n + 70, -30_000),
                    wave(n, 90_000 * turned),
                ],
                n: 0,
            };
            let _ = meter.process(&calibration, &[sample]);
        }
        meter.registers(&calibration)
    };
    let [net, each, import] = [Policy::Net, Policy::PerPhase, Policy::ImportOnly].map(run);
    // Phases do not depend on the policy.
    assert_eq!(net.phase, each.phase);
    assert_eq!(net.phase, import.phase);
    let sum = |take: fn(&metrology::Counts) -> u64| net.phase.iter().map(take).sum::<u64>();
    let (imported, exported) = (sum(|c| c.import), sum(|c| c.export));
    assert_eq!(
        (each.active.import, each.active.export),
        (imported, exported)
    );
    assert_eq!((import.active.import, import.active.export), (imported, 0));
    // Net: the same balance, less of both.
    assert!(net.active.net().abs_diff(each.active.net()) <= 3);
    assert!(net.active.import < imported && net.active.export < exported);
    // Pulses follow the totals: a pulse is a step here.
    assert!(net.pulses.abs_diff(net.active.absolute()) <= 200);
    assert!(each.pulses.abs_diff(imported + exported) <= 400);
    assert!(import.pulses.abs_diff(imported) <= 300);
    // Fundamental and apparent energies go with the direction; a triangle is 98.6 % fundamental power.
    for r in [net, each, import] {
        let part = r.fundamental.import as f64 / r.active.import as f64;
        assert!((0.97..0.995).contains(&part), "{part}");
        assert!(
            r.apparent.import >= r.active.import - 1 && r.apparent.export + 1 >= r.active.export
        );
    }
    assert_eq!((import.fundamental.export, import.apparent.export), (0, 0));
    // The second phase exports with a lag: for itself in quadrant III. In the net, quadrants II to IV change
    // places with the third phase's power.
    assert_eq!(
        (import.reactive[1], import.reactive[2]),
        (0, 0),
        "{import:?}"
    );
    assert!(
        each.reactive[2] > 0 && net.reactive[2] + net.reactive[3] > 0,
        "{net:?}"
    );
}
