//! Every quantity against double precision on random periodic signals: orders 1 to 40, random phases, frequency
//! off the grid (spec 11.1); and what follows from them.

use std::f64::consts::{SQRT_2, TAU};

use metrology::{
    Calibration, Details, FULL_SCALE, Meter, NeutralParameters, Parameters, Progress, Sample,
    Sequence,
};

const VOLT: f64 = 60e-6;
const AMPERE: f64 = 24e-6;

/// Uniform numbers in 0 to 1, the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Order, rms value, angle in turns.
type Line = (f64, f64, f64);

fn wave(dice: &mut Dice, rms: f64, angle: f64, distortion: f64) -> Vec<Line> {
    let mut lines = vec![(1.0, rms, angle)];
    lines.extend((2..=40).map(|h| {
        let h = f64::from(h);
        (h, rms * distortion * dice.next() / h, dice.next())
    }));
    lines
}

fn at(lines: &[Line], t: f64) -> f64 {
    let part = |(h, rms, angle): &Line| rms * SQRT_2 * (TAU * (h * t + angle)).sin();
    lines.iter().map(part).sum()
}

fn rms(lines: &[Line]) -> f64 {
    lines
        .iter()
        .map(|(_, rms, _)| rms * rms)
        .sum::<f64>()
        .sqrt()
}

/// Σ U_h I_h f(h, φ_h), the angle in turns.
fn power(u: &[Line], i: &[Line], f: impl Fn(f64, f64) -> f64) -> f64 {
    u.iter()
        .zip(i)
        .map(|((h, u, a), (_, i, b))| u * i * f(*h, a - b))
        .sum()
}

fn difference(a: &[Line], b: &[Line], sign: f64) -> Vec<Line> {
    a.iter()
        .zip(b)
        .map(|((h, x, p), (_, y, q))| {
            let re = x * (TAU * p).cos() + sign * y * (TAU * q).cos();
            let im = x * (TAU * p).sin() + sign * y * (TAU * q).sin();
            (*h, re.hypot(im), im.atan2(re) / TAU)
        })
        .collect()
}

struct Case {
    f: f64,
    rate: f64,
    u: [Vec<Line>; 3],
    i: [Vec<Line>; 3],
}

impl Case {
    fn random(dice: &mut Dice, rate: f64) -> Self {
        let f = 45.0 + 21.0 * dice.next();
        let third = |k: usize| k as f64 / 3.0;
        Self {
            f,
            rate,
            u: core::array::from_fn(|k| {
                let rms = 200.0 + 50.0 * dice.next();
                let angle = -third(k) + 0.01 * dice.next();
                wave(dice, rms, angle, 0.1)
            }),
            i: core::array::from_fn(|k| {
                let rms = 1.0 + 60.0 * dice.next();
                let angle = -third(k) - 0.2 + 0.4 * dice.next();
                wave(dice, rms, angle, 0.5)
            }),
        }
    }

    fn measured(&self) -> (Meter<3>, Details<3, 200>) {
        let mut p = Parameters::new((self.rate * 1000.0) as u32, (self.f * 1000.0) as u32);
        p.neutral = Some(NeutralParameters {
            gain: metrology::Gain::ONE,
            offset: 0,
        });
        let calibration = Calibration::try_new(p).unwrap();
        let mut meter = Meter::new(&calibration);
        let mut details = Details::try_new(&calibration).unwrap();
        let count = (self.rate * 1.2) as usize;
        let block: Vec<_> = (0..count)
            .map(|n| {
                let t = n as f64 / self.rate * self.f;
                let i = self
                    .i
                    .each_ref()
                    .map(|lines| (at(lines, t) / AMPERE).round() as i32);
                Sample {
                    u: self
                        .u
                        .each_ref()
                        .map(|lines| (at(lines, t) / VOLT).round() as i32),
                    i,
                    n: i.iter().sum::<i32>().clamp(-FULL_SCALE, FULL_SCALE),
                }
            })
            .collect();
        let mut progress = Progress::default();
        for part in block.chunks(53) {
            progress.windows += details.process(&mut meter, &calibration, part).windows;
        }
        assert!(progress.windows > 3);
        (meter, details)
    }
}

#[track_caller]
fn near(what: &str, got: f64, want: f64, scale: f64, bound: f64) {
    let error = (got - want).abs() / scale.abs();
    assert!(
        error <= bound,
        "{what}: {got} for {want}, {error:.1e} above {bound:.0e}"
    );
}

#[test]
fn random_periodic_signals() {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    for rate in [8000.0, 12_800.0, 16_129.0, 25_600.0] {
        for _ in 0..3 {
            let case = Case::random(&mut dice, rate);
            let (meter, details) = case.measured();
            let (q, more) = (meter.quantities(), details.quantities());
            let mega = 1e6;
            near(
                "f",
                f64::from(q.frequency_uhz.unwrap()) / mega,
                case.f,
                1.0,
                1e-3,
            );
            for k in 0..3 {
                let (u, i) = (&case.u[k], &case.i[k]);
                let (line, more) = (&q.phase[k], &more.phase[k]);
                let (s, next) = (rms(u) * rms(i), (k + 1) % 3);
                let fundamental = u[0].1 * i[0].1;
                let phi = u[0].2 - i[0].2;
                near("U", line.voltage_uv as f64 / mega, rms(u), rms(u), 1e-4);
                near("I", line.current_ua as f64 / mega, rms(i), rms(i), 1e-4);
                near(
                    "U1",
                    line.fundamental_voltage_uv as f64 / mega,
                    u[0].1,
                    u[0].1,
                    1e-4,
                );
                near(
                    "I1",
                    line.fundamental_current_ua as f64 / mega,
                    i[0].1,
                    i[0].1,
                    1e-4,
                );
                let p = power(u, i, |_, phi| (TAU * phi).cos());
                near("P", line.active_uw as f64 / mega, p, s, 1e-4);
                let p1 = fundamental * (TAU * phi).cos();
                near("P1", line.fundamental_active_uw as f64 / mega, p1, s, 2e-4);
                near(
                    "PH",
                    line.harmonic_active_uw() as f64 / mega,
                    p - p1,
                    s,
                    2e-4,
                );
                let q1 = fundamental * (TAU * phi).sin();
                near("Q1", line.reactive_uvar as f64 / mega, q1, s, 2e-4);
                near("S", line.apparent_uva as f64 / mega, s, s, 2e-4);
                near(
                    "S1",
                    line.fundamental_apparent_uva() as f64 / mega,
                    fundamental,
                    s,
                    2e-4,
                );
                near(
                    "PF",
                    f64::from(line.power_factor_ppm) / mega,
                    p / s,
                    1.0,
                    3e-4,
                );
                let displacement = (TAU * phi).cos();
                near(
                    "dPF",
                    f64::from(line.displacement_factor_ppm()) / mega,
                    displacement,
                    1.0,
                    3e-4,
                );
                near(
                    "N",
                    line.nonactive_uva() as f64 / mega,
                    (s * s - p * p).sqrt(),
                    s,
                    5e-4,
                );
                let sn = (s * s - fundamental * fundamental).sqrt();
                near(
                    "SN",
                    line.nonfundamental_apparent_uva() as f64 / mega,
                    sn,
                    s,
                    2e-3,
                );

                let ll = rms(&difference(u, &case.u[next], -1.0));
                near("Ull", more.line_to_line_uv as f64 / mega, ll, ll, 1e-4);
                // Order h of a voltage a quarter cycle late; between samples by straight lines.
                let delayed = power(u, i, |h, phi| (TAU * (phi - h / 4.0)).cos());
                near(
                    "Qd",
                    more.delayed_reactive_uvar as f64 / mega,
                    delayed,
                    s,
                    2e-3,
                );
                let peak = |lines: &[Line]| {
                    (0..16_000)
                        .map(|n| at(lines, f64::from(n) / 16_000.0).abs())
                        .fold(0.0, f64::max)
                };
                let (top, got) = (peak(u), more.voltage_peak_uv as f64 / mega);
                assert!(got <= top * 1.000_01 && got > top * 0.99, "{got} {top}");
                near(
                    "crest",
                    f64::from(more.voltage_crest_ppm) / mega,
                    got / rms(u),
                    1.0,
                    1e-3,
                );

                let vector = line.current_vector();
                let angle = (i[0].2 - case.u[0][0].2 + 2.5).rem_euclid(1.0) - 0.5;
                near(
                    "angle",
                    f64::from(vector.angle_mdeg) / 360e3,
                    angle,
                    1.0,
                    1e-4,
                );
            }
            let sum = difference(&difference(&case.i[0], &case.i[1], 1.0), &case.i[2], 1.0);
            near(
                "In",
                more.neutral_ua as f64 / mega,
                rms(&sum),
                rms(&sum),
                2e-4,
            );
            near(
                "In measured",
                q.neutral_ua.unwrap() as f64 / mega,
                rms(&sum),
                rms(&sum),
                2e-4,
            );
            let square = |of: &dyn Fn(usize) -> f64| (0..3).map(|k| of(k).powi(2)).sum::<f64>();
            let lines = square(&|k| rms(&difference(&case.u[k], &case.u[(k + 1) % 3], -1.0)));
            let ue = ((3.0 * square(&|k| rms(&case.u[k])) + lines) / 18.0).sqrt();
            let ie = ((square(&|k| rms(&case.i[k])) + rms(&sum).powi(2)) / 3.0).sqrt();
            let effective = q.effective_apparent_uva(
                more.phase.map(|line| line.line_to_line_uv),
                more.neutral_ua,
            );
            near(
                "Se",
                effective as f64 / mega,
                3.0 * ue * ie,
                3.0 * ue * ie,
                3e-4,
            );
            let total = &q.total;
            let vector = (total.active_uw as f64).hypot(total.reactive_uvar as f64);
            near("Sv", q.vector_apparent_uva() as f64, vector, vector, 1e-6);
            assert_eq!(q.sequence(), Some(Sequence::Positive));
        }
    }
}

/// The integral starts from rest and settles in some twenty seconds.
#[test]
fn reactive_power_by_the_integral() {
    let mut dice = Dice(99);
    for (rate, f) in [(8000.0, 51.3), (6400.0, 48.2)] {
        let (mut u, mut i) = (
            wave(&mut dice, 230.0, 0.0, 0.1),
            wave(&mut dice, 10.0, -0.15, 0.5),
        );
        u.truncate(8);
        i.truncate(8);
        let parameters = Parameters::new((rate * 1000.0) as u32, 50_000);
        let calibration = Calibration::try_new(parameters).unwrap();
        let mut meter = Meter::new(&calibration);
        let mut details = Details::<1, 48>::try_new(&calibration).unwrap();
        for n in 0..(rate * 25.0) as usize {
            let t = n as f64 / rate * f;
            let u = [(at(&u, t) / VOLT).round() as i32];
            let i = [(at(&i, t) / AMPERE).round() as i32];
            let _ = details.process(&mut meter, &calibration, &[Sample { u, i, n: 0 }]);
        }
        let want = power(&u, &i, |h, phi| (TAU * phi).sin() / h);
        let got = details.quantities().phase[0].integral_reactive_uvar as f64 / 1e6;
        near("Qi", got, want, rms(&u) * rms(&i), 2e-4);
    }
}

#[test]
fn exchanged_phases_and_dead_ones() {
    let mut dice = Dice(77);
    let mut case = Case::random(&mut dice, 8000.0);
    case.u.swap(1, 2);
    assert_eq!(
        case.measured().0.quantities().sequence(),
        Some(Sequence::Negative)
    );
    // One voltage left: neither sequence is the larger one.
    case.u[1] = wave(&mut dice, 0.0, 0.0, 0.0);
    case.u[2] = case.u[1].clone();
    let (meter, details) = case.measured();
    assert_eq!(meter.quantities().sequence(), None);
    let line = details.quantities().phase[1];
    assert_eq!(
        (
            line.voltage_peak_uv,
            line.voltage_crest_ppm,
            line.line_to_line_uv
        ),
        (0, 0, 0)
    );
}

#[test]
fn details_refuse_too_short_a_memory() {
    let calibration = Calibration::<1>::try_new(Parameters::new(8_000_000, 50_000)).unwrap();
    assert!(Details::<1, 42>::try_new(&calibration).is_ok());
    let error = Details::<1, 41>::try_new(&calibration).unwrap_err();
    assert_eq!(error.to_string(), "DELAY must lie in 42 to 65535");
}

#[test]
fn details_do_not_depend_on_blocks_and_survive_anything() {
    let calibration = Calibration::<3>::try_new(Parameters::new(8_000_000, 50_000)).unwrap();
    let mut dice = Dice(5);
    let block: Vec<Sample<3>> = (0..9000)
        .map(|n| {
            let square = if n / 80 % 2 == 0 { i32::MAX } else { i32::MIN };
            let mut noise = || {
                if dice.next() < 0.1 {
                    (dice.next() * 4e9 - 2e9) as i32
                } else {
                    square
                }
            };
            Sample {
                u: [noise(), noise(), noise()],
                i: [noise(), noise(), noise()],
                n: 0,
            }
        })
        .collect();
    let run = |length: usize| {
        let mut meter = Meter::new(&calibration);
        let mut details = Details::<3, 48>::try_new(&calibration).unwrap();
        for part in block.chunks(length) {
            let _ = details.process(&mut meter, &calibration, part);
        }
        assert!(meter.quantities().flags.voltage_saturated == 7);
        (meter, details)
    };
    assert_eq!(run(9000), run(7));
}
