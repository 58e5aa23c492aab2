//! The calibration loop: random front ends, the procedure of a production line, what is left afterwards.

use std::f64::consts::{PI, SQRT_2, TAU};

use metrology::adjust::{
    Average, Bench, Fault, Load, Measured, PhaseTerm, Point, Reading, self_test, wiring,
};
use metrology::{
    Calibration, CalibrationError, Curve, Drift, Meter, Parameters, PhaseParameters, Quantities,
    Sample, Stamp,
};

use proptest::prelude::*;

const RATE: f64 = 8000.0;
const VOLTS: f64 = 230.0;
const RATED: f64 = 10.0;

/// Small generator of reproducible random numbers, 0 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn within(&mut self, limit: f64) -> f64 {
        (2.0 * self.next() - 1.0) * limit
    }
}

/// Errors of one phase's front end.
#[derive(Clone, Copy, Debug)]
struct FrontEnd {
    voltage: f64,
    current: f64,
    /// Lateness of the current, seconds.
    delay: f64,
    /// Lead of the current transformer, degrees at 50 Hz.
    lead: f64,
    /// Counts.
    offsets: [f64; 2],
    /// Part of the voltage's counts in the current.
    crosstalk: f64,
    /// Counts rms.
    noise: f64,
}

impl FrontEnd {
    const IDEAL: Self = Self {
        voltage: 1.0,
        current: 1.0,
        delay: 0.0,
        lead: 0.0,
        offsets: [0.0; 2],
        crosstalk: 0.0,
        noise: 0.0,
    };

    fn random(random: &mut Random) -> Self {
        Self {
            voltage: 1.0 + random.within(0.05),
            current: 1.0 + random.within(0.05),
            delay: random.within(300e-6),
            lead: 2.0 * random.next(),
            offsets: [random.within(8388.0), random.within(8388.0)],
            crosstalk: random.within(1e-6),
            noise: 0.0,
        }
    }

    fn samples(
        &self,
        amperes: f64,
        degrees: f64,
        volts: f64,
        f: f64,
        seconds: f64,
    ) -> Vec<Sample<1>> {
        let mut random = Random(0x1234_5678_9ABC_DEF1);
        (0..(RATE * seconds) as usize)
            .map(|n| {
                let t = n as f64 / RATE;
                let u = volts * SQRT_2 * (TAU * f * t + 0.3).sin() * self.voltage / 60e-6;
                let lead = self.lead * PI / 180.0;
                let angle = TAU * f * (t - self.delay) + 0.3 + lead - degrees * PI / 180.0;
                let i = amperes * SQRT_2 * angle.sin() * self.current / 24e-6;
                // Twelve uniform numbers make a normal one.
                let noise = if self.noise > 0.0 {
                    (0..12).map(|_| random.next()).sum::<f64>() - 6.0
                } else {
                    0.0
                };
                let i = i + self.crosstalk * u + noise * self.noise;
                Sample {
                    u: [(u + self.offsets[0]).round() as i32],
                    i: [(i + self.offsets[1]).round() as i32],
                    n: 0,
                }
            })
            .collect()
    }

    /// What a meter with these constants reads at 50 Hz, beside what is true.
    fn point(&self, phase: &PhaseParameters, amperes: f64, degrees: f64) -> Point {
        self.point_at(phase, amperes, degrees, 50.0, 2.3)
    }

    fn point_at(
        &self,
        phase: &PhaseParameters,
        amperes: f64,
        degrees: f64,
        f: f64,
        seconds: f64,
    ) -> Point {
        Point {
            load: Load {
                voltage_uv: (VOLTS * 1e6) as u64,
                current_ua: (amperes * 1e6).round() as u64,
                active_uw: (VOLTS * amperes * (degrees * PI / 180.0).cos() * 1e6).round() as i64,
                lagging: degrees > 0.0,
            },
            reading: read(phase, &self.samples(amperes, degrees, VOLTS, f, seconds)),
        }
    }

    fn open(&self, phase: &PhaseParameters) -> Reading {
        read(phase, &self.samples(0.0, 0.0, 0.0, 50.0, 2.3))
    }
}

fn read(phase: &PhaseParameters, samples: &[Sample<1>]) -> Reading {
    let mut p = Parameters::<1>::new(8_000_000, 50_000);
    p.phase = [*phase];
    let calibration = Calibration::try_new(p).unwrap();
    let mut meter = Meter::new(&calibration);
    let mut average = Average::default();
    for block in samples.chunks(100) {
        if meter.process(&calibration, block).windows > 0 {
            average.add(&meter.quantities().phase[0]);
        }
    }
    assert!(average.windows() >= 2);
    average.reading()
}

fn bench() -> Bench {
    Bench::new(&Parameters::<1>::new(8_000_000, 50_000))
}

/// Steps 0 to 4; the noise comes from step 0.
fn calibrate(front: &FrontEnd, term: PhaseTerm) -> Result<PhaseParameters, Fault> {
    let bench = bench();
    let mut phase = PhaseParameters::IDEAL;
    let open = front.open(&phase);
    bench.open(&mut phase, &open)?;
    let point = front.point(&phase, RATED, 0.0);
    bench.gains(&mut phase, &point)?;
    let point = front.point(&phase, RATED, 60.0);
    bench.phase(&mut phase, &point, term)?;
    bench.check(&front.point(&phase, RATED, -36.87), 200)?;
    let point = front.point(&phase, RATED / 100.0, 0.0);
    bench.power_offset(&mut phase, &point)?;
    Ok(phase)
}

#[test]
fn residuals_of_random_front_ends_are_inside_the_budget() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut worst = [0.0_f64; 5];
    for k in 0..10 {
        let front = FrontEnd::random(&mut random);
        let term = if k % 2 == 0 {
            PhaseTerm::Delay
        } else {
            PhaseTerm::Angle
        };
        let phase = calibrate(&front, term).unwrap_or_else(|e| panic!("{front:?}: {e}"));
        // 1 % to 120 % of the rated current, and Imax / 5000.
        for (amperes, degrees) in [
            (0.1, 0.0),
            (0.1, 60.0),
            (12.0, 0.0),
            (12.0, 60.0),
            (3.0, -36.87),
            (3.0, 90.0),
            (100.0, 60.0),
            (0.02, 0.0),
        ] {
            let Point { reading, .. } = front.point_at(&phase, amperes, degrees, 50.0, 0.7);
            let s = VOLTS * amperes;
            let (sin, cos) = (degrees * PI / 180.0).sin_cos();
            let error = |got: f64, want: f64, scale: f64| (got / 1e6 - want).abs() / scale;
            let voltage = error(reading.voltage_uv as f64, VOLTS, VOLTS);
            let current = error(reading.current_ua as f64, amperes, amperes);
            let power = error(reading.active_uw as f64, s * cos, s * cos.abs().max(0.5));
            let reactive = error(reading.reactive_uvar as f64, s * sin, s);
            let context = format!("{amperes} A, {degrees}: {front:?}");
            // What leaks from the voltage into the current is a true part of it: only the power is freed of it.
            let leak = front.crosstalk.abs() * VOLTS / 60e-6 * 24e-6 / amperes;
            assert!(voltage < 1e-4, "U {voltage} {context}");
            assert!(current < 1e-4 + 1.1 * leak, "I {current} {leak} {context}");
            let bound = if degrees == 0.0 && amperes > 0.05 {
                1e-4
            } else {
                2e-4
            };
            assert!(power < bound, "P {power} {context}");
            assert!(reactive < 2e-4, "Q {reactive} {context}");
            let low = amperes < 0.05;
            for (worst, error) in worst.iter_mut().zip([
                voltage,
                (current - 1.1 * leak).max(0.0),
                if degrees == 0.0 && !low { power } else { 0.0 },
                if degrees != 0.0 { power } else { 0.0 },
                if low { power } else { 0.0 },
            ]) {
                *worst = worst.max(error);
            }
        }
    }
    let [u, i, p, p_half, p_low] = worst.map(|error| error * 100.0);
    println!(
        "after calibration: U {u:.5} %, I {i:.5} %, P {p:.5} %, PF 0.5 {p_half:.5} %, Imax/5000 {p_low:.5} %"
    );
}

#[test]
fn known_errors_come_back_as_inverse_constants() {
    assert_eq!(self_test(), Ok(()));
    // The same through samples, whose rounding to counts the bounds leave room for.
    let front = FrontEnd {
        voltage: 1.04,
        current: 0.97,
        delay: 123e-6,
        ..FrontEnd::IDEAL
    };
    let mut phase = PhaseParameters::IDEAL;
    let point = front.point(&phase, 50.0, 0.0);
    bench().gains(&mut phase, &point).unwrap();
    let point = front.point(&phase, 50.0, 60.0);
    bench().phase(&mut phase, &point, PhaseTerm::Delay).unwrap();
    let unity = f64::from(1 << 30);
    assert!((f64::from(phase.voltage_gain.to_bits()) / unity * 1.04 - 1.0).abs() < 1e-6);
    assert!((f64::from(phase.current_gain.to_bits()) / unity * 0.97 - 1.0).abs() < 1e-6);
    // 0.002° are 111 ns.
    assert!((phase.delay_ns - 123_000).abs() < 111, "{}", phase.delay_ns);
}

#[test]
fn noise_is_measured_and_taken_off() {
    // A converter of 101 dB: 53 counts, 0.16 % at Imax / 5000.
    let front = FrontEnd {
        noise: 52.9,
        ..FrontEnd::IDEAL
    };
    let mut phase = PhaseParameters::IDEAL;
    let before = front.point(&phase, 0.02, 0.0).reading.current_ua as f64 / 20_000.0 - 1.0;
    assert!(before > 1e-3, "{before}");
    let open = front.open(&phase);
    bench().open(&mut phase, &open).unwrap();
    let counts = (f64::from(phase.current_noise) / 256.0).sqrt();
    assert!((counts - 52.9).abs() < 1.0, "{counts}");
    let after = front.point(&phase, 0.02, 0.0).reading.current_ua as f64 / 20_000.0 - 1.0;
    assert!(after.abs() < before / 3.0, "{before} {after}");
    // From a low load instead of open terminals.
    let mut phase = PhaseParameters::IDEAL;
    let point = front.point(&phase, 0.005, 0.0);
    bench().current_noise(&mut phase, &point).unwrap();
    let counts = (f64::from(phase.current_noise) / 256.0).sqrt();
    assert!((counts - 52.9).abs() < 4.0, "{counts}");
}

#[test]
fn two_frequencies_tell_delay_and_lead_apart() {
    let front = FrontEnd {
        delay: 140e-6,
        lead: 1.1,
        ..FrontEnd::IDEAL
    };
    let mut phase = PhaseParameters::IDEAL;
    let here = front.point_at(&phase, RATED, 60.0, 47.0, 2.3);
    let there = front.point_at(&phase, RATED, 60.0, 53.0, 2.3);
    let at = |f: u32| bench().at_frequency(f);
    at(47_000)
        .delay_and_angle(&mut phase, &here, (&at(53_000), &there))
        .unwrap();
    assert!(
        (phase.delay_ns - 140_000).abs() < 1500,
        "{}",
        phase.delay_ns
    );
    let lead = f64::from(phase.angle) * 360.0 / 4_294_967_296.0;
    assert!((lead - 1.1).abs() < 0.03, "{lead}");
    for f in [45.0, 50.0, 55.0] {
        let Point { reading, load } = front.point_at(&phase, RATED, 60.0, f, 1.0);
        let error = reading.active_uw as f64 / load.active_uw as f64 - 1.0;
        assert!(error.abs() < 1e-4, "{f} Hz: {error}");
    }
    assert_eq!(
        at(50_000).delay_and_angle(&mut phase, &here, (&at(51_999), &there)),
        Err(Fault::Points)
    );
}

#[test]
fn curve_of_a_transformer_from_five_currents() {
    // Ratio falls and lead grows towards low currents, as with a falling permeability.
    let front = |amperes: f64| FrontEnd {
        current: 1.0 - 0.002 / (1.0 + amperes),
        lead: 0.1 + 0.6 / (1.0 + amperes),
        ..FrontEnd::IDEAL
    };
    let mut phase = PhaseParameters::IDEAL;
    let points =
        [0.1, 0.5, 1.5, 5.0, 20.0].map(|amperes| front(amperes).point(&phase, amperes, 60.0));
    bench().curve(&mut phase, &points).unwrap();
    assert_eq!(phase.curve.points().len(), 5);
    for amperes in [0.1, 0.5, 1.5, 5.0, 20.0] {
        for degrees in [0.0, 60.0, -36.87] {
            let Point { reading, load } = front(amperes).point(&phase, amperes, degrees);
            let error = reading.active_uw as f64 / load.active_uw as f64 - 1.0;
            assert!(error.abs() < 1e-4, "{amperes} A, {degrees}: {error}");
        }
    }
    assert_eq!(
        bench().curve(&mut phase, &points),
        Err(Fault::Points),
        "a second time"
    );
    phase.curve = Curve::NONE;
    assert_eq!(bench().curve(&mut phase, &points[..2]), Err(Fault::Points));
    let mut falling = points;
    falling.reverse();
    assert!(matches!(
        bench().curve(&mut phase, &falling),
        Err(Fault::Constant(CalibrationError::Parameter {
            name: "curve.current_ua",
            ..
        }))
    ));
    assert_eq!(phase.curve, Curve::NONE);
}

#[test]
fn temperature_terms_from_two_or_three_temperatures() {
    let load = Load {
        voltage_uv: 230_000_000,
        current_ua: 50_000_000,
        active_uw: 11_500_000_000,
        lagging: false,
    };
    // True gains: what the sensors' drift asks for.
    let voltage = |dt: f64| 1.01 * (1.0 + 25e-6 * dt - 0.03e-6 * dt * dt);
    let current = |dt: f64| 0.98 * (1.0 - 60e-6 * dt + 0.08e-6 * dt * dt);
    let point = |celsius: f64| {
        let dt = celsius - 23.0;
        let reading = Reading {
            voltage_uv: (230e6 / voltage(dt)).round() as u64,
            current_ua: (50e6 / current(dt)).round() as u64,
            ..Reading::default()
        };
        ((celsius * 1000.0) as i32, Point { load, reading })
    };
    let mut phase = PhaseParameters::IDEAL;
    bench()
        .drift(
            &mut phase,
            23_000,
            &[point(-20.0), point(31.0), point(60.0)],
        )
        .unwrap();
    for celsius in [-40.0, -5.0, 23.0, 55.0, 70.0] {
        let dt = celsius - 23.0;
        for (gain, drift, want) in [
            (
                phase.voltage_gain.to_bits(),
                phase.voltage_drift,
                voltage(dt),
            ),
            (
                phase.current_gain.to_bits(),
                phase.current_drift,
                current(dt),
            ),
        ] {
            let factor = f64::from(drift.factor_q30((dt * 1000.0) as i32));
            let got = f64::from(gain) / 2_f64.powi(60) * factor;
            assert!((got / want - 1.0).abs() < 1e-6, "{celsius}: {got} {want}");
        }
    }
    let again = bench().drift(&mut phase, 23_000, &[point(0.0), point(30.0)]);
    assert_eq!(again, Err(Fault::Points), "terms are there already");
    let mut phase = PhaseParameters::IDEAL;
    bench()
        .drift(&mut phase, 23_000, &[point(13.0), point(33.0)])
        .unwrap();
    assert_eq!(phase.voltage_drift.square_ppq, 0);
    assert!((phase.voltage_drift.linear_ppt - 25_000_000).abs() < 100_000);
    for points in [
        &[point(20.0)][..],
        &[point(20.0), point(24.0)],
        &[point(0.0); 4],
    ] {
        assert_eq!(
            bench().drift(&mut phase.clone(), 23_000, points),
            Err(Fault::Points)
        );
        let mut fresh = PhaseParameters::IDEAL;
        assert_eq!(
            bench().drift(&mut fresh, 23_000, points),
            Err(Fault::Points)
        );
        assert_eq!(fresh.voltage_drift, Drift::NONE);
    }
}

#[test]
fn implausible_readings_are_refused_by_value() {
    let bench = bench();
    let ideal = PhaseParameters::IDEAL;
    let mut phase = ideal;
    let good = FrontEnd::IDEAL.point(&ideal, RATED, 0.0);
    let with = |change: &dyn Fn(&mut Point)| {
        let mut point = good;
        change(&mut point);
        point
    };
    let dead = with(&|p| p.reading.current_ua = 0);
    assert!(matches!(
        bench.gains(&mut phase, &dead),
        Err(Fault::Value {
            what: Measured::Current,
            found_ppm: -1_000_000,
            ..
        })
    ));
    let reversed = FrontEnd {
        current: -1.0,
        ..FrontEnd::IDEAL
    }
    .point(&ideal, RATED, 0.0);
    assert!(matches!(
        bench.gains(&mut phase, &reversed),
        Err(Fault::Reversed { .. })
    ));
    // The current of another phase at PF 0.5: power positive, angle 120° off.
    let mut swapped = FrontEnd::IDEAL.point(&ideal, RATED, -60.0);
    swapped.load.lagging = true;
    assert!(matches!(
        bench.gains(&mut phase, &swapped),
        Err(Fault::Angle {
            found_mdeg: -120_001..=-119_999,
            ..
        })
    ));
    let distorted = with(&|p| p.reading.fundamental_uw -= p.reading.fundamental_uw / 500);
    assert!(matches!(
        bench.gains(&mut phase, &distorted),
        Err(Fault::Value {
            what: Measured::Apparent,
            found_ppm: -2_001..=-1_999,
            limit_ppm: 500
        })
    ));
    let impossible = with(&|p| p.load.active_uw *= 2);
    assert_eq!(bench.gains(&mut phase, &impossible), Err(Fault::Reference));
    // PF 1 says nothing about the phase.
    assert_eq!(
        bench.phase(&mut phase, &good, PhaseTerm::Angle),
        Err(Fault::Reference)
    );
    let late = FrontEnd {
        delay: 900e-6,
        ..FrontEnd::IDEAL
    }
    .point(&ideal, RATED, 60.0);
    let error = bench
        .phase(&mut phase, &late, PhaseTerm::Delay)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Fault::Angle {
                found_mdeg: 16_190..=16_210,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().starts_with("the current is 16"),
        "{error}"
    );
    let offset = with(&|p| p.reading.active_uw -= 100_000_000);
    assert!(matches!(
        bench.power_offset(&mut phase, &offset),
        Err(Fault::Offset {
            limit_uw: 46_000_000,
            ..
        })
    ));
    assert!(matches!(
        bench.open(&mut phase, &good.reading),
        Err(Fault::Noise {
            what: Measured::Voltage,
            ..
        })
    ));
    assert!(matches!(
        bench.check(&offset, 100),
        Err(Fault::Value {
            what: Measured::Power,
            found_ppm: -43_500..=-43_400,
            limit_ppm: 100
        })
    ));
    assert_eq!(phase, ideal, "a refused step changes nothing");
}

#[test]
fn wrong_wiring_is_named() {
    let quantities = |order: [f64; 3], currents: [f64; 3], volts: [f64; 3]| -> Quantities<3> {
        let calibration = Calibration::try_new(Parameters::<3>::new(8_000_000, 50_000)).unwrap();
        let mut meter = Meter::new(&calibration);
        let block: Vec<_> = (0..8000)
            .map(|n| {
                let angle = TAU * 50.0 * f64::from(n) / RATE;
                let wave = |k: usize, lag: f64, peak: f64| {
                    ((angle - (order[k] + lag) * PI / 180.0).sin() * peak) as i32
                };
                Sample {
                    u: [0, 1, 2].map(|k| wave(k, 0.0, volts[k] * SQRT_2 / 60e-6)),
                    i: [0, 1, 2].map(|k| wave(k, currents[k], 300_000.0)),
                    n: 0,
                }
            })
            .collect();
        let _ = meter.process(&calibration, &block);
        *meter.quantities()
    };
    let (right, straight, full) = ([0.0, 120.0, 240.0], [5.0, 5.0, 5.0], [VOLTS; 3]);
    let judge = |q: Quantities<3>| wiring(&q, 230_000_000, 0);
    assert_eq!(judge(quantities(right, straight, full)), Ok(()));
    assert!(matches!(
        judge(quantities([0.0, 240.0, 120.0], straight, full)),
        Err(Fault::Sequence {
            phase: 1,
            expected_mdeg: 120_000,
            ..
        })
    ));
    assert!(matches!(
        judge(quantities(right, straight, [VOLTS, VOLTS, 100.0])),
        Err(Fault::NoVoltage { phase: 2, .. })
    ));
    let error = judge(quantities(right, [5.0, 180.0, 5.0], full)).unwrap_err();
    assert!(matches!(
        error,
        Fault::Terminals {
            phase: 1,
            expected_mdeg: 0,
            ..
        }
    ));
    assert!(matches!(
        judge(quantities(right, [125.0, 5.0, 245.0], full)),
        Err(Fault::Terminals {
            phase: 0,
            found_mdeg: 124_900..=125_100,
            ..
        })
    ));
}

#[test]
fn locked_constants_carry_revision_and_date() {
    let front = FrontEnd::random(&mut Random(99));
    let mut p = Parameters::<1>::new(8_000_000, 50_000);
    p.phase = [calibrate(&front, PhaseTerm::Delay).unwrap()];
    p.stamp = Stamp {
        revision: 1,
        date: 20_261_121,
    };
    let calibration = Calibration::try_new(p).unwrap();
    let mut bytes = [0; Calibration::<1>::ENCODED_LEN];
    calibration.encode(&mut bytes).unwrap();
    assert_eq!(Calibration::decode(&bytes), Ok(calibration));
    bytes[40] ^= 4;
    assert!(matches!(
        Calibration::<1>::decode(&bytes),
        Err(CalibrationError::Crc { .. })
    ));
}

fn any_point() -> impl Strategy<Value = Point> {
    let edge = |bits: u32| prop_oneof![Just(0_u64), 0..1_u64 << bits, any::<u64>(), Just(u64::MAX)];
    let signed = || {
        prop_oneof![
            Just(0_i64),
            -(1_i64 << 40)..1 << 40,
            any::<i64>(),
            Just(i64::MIN)
        ]
    };
    let load = (edge(30), edge(30), signed(), any::<bool>());
    let reading = (edge(30), edge(30), proptest::array::uniform5(signed()));
    (load, reading).prop_map(
        |((voltage_uv, current_ua, active_uw, lagging), (u, i, rest))| Point {
            load: Load {
                voltage_uv,
                current_ua,
                active_uw,
                lagging,
            },
            reading: Reading {
                voltage_uv: u,
                current_ua: i,
                active_uw: rest[0],
                fundamental_uw: rest[1],
                reactive_uvar: rest[2],
                voltage_mean_uv: rest[3],
                current_mean_ua: rest[4],
            },
        },
    )
}

/// A step of the procedure.
type Step<'a> = &'a dyn Fn(&mut PhaseParameters) -> Result<(), Fault>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Overflow checks are on in tests; a refused step changes nothing.
    #[test]
    fn any_reading_is_judged(
        points in proptest::array::uniform3(any_point()),
        temperatures in proptest::array::uniform3(any::<i32>()),
        gain in any::<u32>(),
        same in any::<bool>(),
    ) {
        let mut points = points;
        if same {
            // Close to right, so that the later checks are met as well.
            for point in &mut points {
                point.reading.voltage_uv = point.load.voltage_uv;
                point.reading.current_ua = point.load.current_ua;
            }
        }
        let start = PhaseParameters { current_gain: metrology::Gain::from_bits(gain | 1 << 26), ..PhaseParameters::IDEAL };
        let [first, second, third] = &points;
        let bench = bench();
        let steps: [Step<'_>; 9] = [
            &|p| bench.open(p, &first.reading),
            &|p| bench.gains(p, first),
            &|p| bench.phase(p, first, PhaseTerm::Delay),
            &|p| bench.phase(p, first, PhaseTerm::Angle),
            &|p| bench.delay_and_angle(p, first, (&bench.at_frequency(u32::MAX), second)),
            &|p| bench.power_offset(p, first),
            &|p| bench.current_noise(p, first),
            &|p| bench.curve(p, &points),
            &|p| {
                let [a, b, c] = temperatures;
                bench.drift(p, 23_000, &[(a, *first), (b, *second), (c, *third)])
            },
        ];
        for (k, step) in steps.iter().enumerate() {
            let mut phase = start;
            if let Err(fault) = step(&mut phase) {
                prop_assert_eq!(phase, start, "step {}: {}", k, fault);
            }
        }
        let _ = bench.check(first, 1000);
    }
}
