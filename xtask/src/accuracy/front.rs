//! The meter on the bench: ratings, converters, and the faults that its constants correct.

use metrology::{Calibration, Parameters};
use testkit::signal::FrontEnd;

/// Sample rate, hertz.
pub const RATE: f64 = 8000.0;
/// Nominal voltage, volts.
pub const NOMINAL_VOLTS: f64 = 230.0;
/// Largest current, amperes: a 5(6) A meter behind transformers.
pub const IMAX: f64 = 6.0;
/// Volts of a count; full scale is 503 V.
const VOLT_NV: u32 = 60_000;
/// Amperes of a count; full scale is the peak of 1.25 Imax.
const AMPERE_NA: u32 = 1264;

/// A front end of the sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Front {
    pub name: &'static str,
    /// In file names and JSON.
    pub id: &'static str,
    pub converter: FrontEnd,
    /// What is wrong with the analogue part, and corrected by the constants.
    pub fault: Fault,
    /// What the total error is held against.
    pub judged: Judged,
}

/// Deviations of dividers, transformers and filters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// Voltage and current on the converter over what they should be.
    pub voltage_ratio: f64,
    pub current_ratio: f64,
    /// Time by which the current arrives late, nanoseconds.
    pub delay_ns: i32,
    /// Angle by which it is early, degrees.
    pub lead_degrees: f64,
}

impl Fault {
    const NONE: Self = Self {
        voltage_ratio: 1.0,
        current_ratio: 1.0,
        delay_ns: 0,
        lead_degrees: 0.0,
    };

    /// Angle by which the current lags too much at this frequency, radians.
    pub fn lag(&self, hertz: f64) -> f64 {
        let turns = f64::from(self.delay_ns) * 1e-9 * hertz - self.lead_degrees / 360.0;
        turns * std::f64::consts::TAU
    }
}

/// What the total error of a front end is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// A tenth of the class limit.
    Tenth,
    /// The class limit.
    Class,
    /// Nothing: the table shows what such a converter can and cannot do.
    Shown,
}

impl Judged {
    /// Part of the class limit.
    pub const fn part(self) -> Option<f64> {
        match self {
            Self::Tenth => Some(0.1),
            Self::Class => Some(1.0),
            Self::Shown => None,
        }
    }
}

/// All front ends.
pub fn all() -> [Front; 6] {
    let front = |name, id, converter, judged| Front {
        name,
        id,
        converter,
        fault: Fault::NONE,
        judged,
    };
    let plain = |bits| FrontEnd { bits, noise: 0.0 };
    // Half a step of noise: what a designer adds, or finds, in front of a coarse converter.
    let dithered = FrontEnd {
        bits: 16,
        noise: 128.0,
    };
    let shifted = Fault {
        voltage_ratio: 1.0 / 1.0371,
        current_ratio: 1.0 / 0.9642,
        delay_ns: 43_700,
        lead_degrees: 0.37,
    };
    [
        front("ideal, 24 bit", "ideal", FrontEnd::IDEAL, Judged::Tenth),
        Front {
            fault: shifted,
            ..front(
                "ideal, gain and phase faults corrected",
                "corrected",
                FrontEnd::IDEAL,
                Judged::Tenth,
            )
        },
        front(
            "24 bit, 101 dB",
            "24bit",
            FrontEnd::with_snr(24, 101.0),
            Judged::Class,
        ),
        front(
            "16 bit with half a step of noise",
            "16bit-noise",
            dithered,
            Judged::Shown,
        ),
        front("16 bit without noise", "16bit", plain(16), Judged::Shown),
        front("12 bit without noise", "12bit", plain(12), Judged::Shown),
    ]
}

impl Front {
    /// The constants that a calibration of this front end would find.
    pub fn calibration(&self, hertz: f64) -> Calibration<1> {
        let nominal = if hertz > 55.0 { 60_000 } else { 50_000 };
        let mut p = Parameters::new((RATE * 1000.0) as u32, nominal);
        (p.voltage_nv, p.current_na) = (VOLT_NV, AMPERE_NA);
        let q30 = |gain: f64| (gain * f64::from(1_u32 << 30)).round() as u32;
        let phase = &mut p.phase[0];
        phase.voltage_gain = metrology::Gain::from_bits(q30(1.0 / self.fault.voltage_ratio));
        phase.current_gain = metrology::Gain::from_bits(q30(1.0 / self.fault.current_ratio));
        phase.delay_ns = self.fault.delay_ns;
        phase.angle = (self.fault.lead_degrees / 360.0 * 4_294_967_296.0).round() as i32;
        phase.current_noise = (self.converter.noise_square() * 256.0).round() as u32;
        Calibration::try_new(p).expect("constants of the bench are within their ranges")
    }

    /// Counts for one volt.
    pub fn counts_per_volt(&self) -> f64 {
        1e9 / f64::from(VOLT_NV) * self.fault.voltage_ratio
    }

    /// Counts for one ampere.
    pub fn counts_per_ampere(&self) -> f64 {
        1e9 / f64::from(AMPERE_NA) * self.fault.current_ratio
    }

    /// Relative deviation of the active power of one sample from the converters' noise, at this load.
    pub fn scatter(&self, amperes: f64, cosine: f64) -> f64 {
        // u i: the noise of the current weighs with the voltage, and the other way round.
        let of = |noise: f64, rms: f64| noise / rms;
        let current = of(self.converter.noise, amperes * self.counts_per_ampere());
        let voltage = of(self.converter.noise, NOMINAL_VOLTS * self.counts_per_volt());
        current.hypot(voltage) / cosine
    }
}
