//! The calibration loop: random front ends, the procedure of a production line, what is left afterwards.

mod constants;
mod refused;

use std::f64::consts::{PI, SQRT_2, TAU};

use metrology::adjust::{Average, Bench, Fault, Load, PhaseTerm, Point, Reading};
use metrology::{Calibration, Meter, Parameters, PhaseParameters, Sample};

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
