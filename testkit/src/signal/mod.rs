//! Mains waves in double precision, the converters that turn them into counts, and the slow model beside
//! which an integer chain is judged.
//!
//! ```text
//! Wave ──> Generator ──> FrontEnd (noise, rounding, full scale) ──> counts ──> the chain under test
//! any shape ──> Sinc3 (1 MHz and more) ──^                            └─────> Model (double precision)
//! ```
//!
//! ```
//! use testkit::signal::{FrontEnd, Noise, Wave};
//!
//! let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(5.0, -60.0).tone(3.0, 1.0, 20.0));
//! assert!((u.power(&i) - 575.0).abs() < 1e-9);
//! let mut noise = Noise::new(1);
//! let first: Vec<i32> = u
//!     .generator(50.0 / 8000.0)
//!     .take(3)
//!     .map(|volts| FrontEnd::IDEAL.count(volts / 60e-6, &mut noise))
//!     .collect();
//! assert_eq!(first, [0, 212_833, 425_339]);
//! ```

mod converter;
mod model;

pub use converter::{FrontEnd, Noise, Sinc3};
pub use model::{Model, Reference};

use std::f64::consts::{SQRT_2, TAU};

/// One component of a wave: `rms · √2 · sin(2π · order · turns + degrees)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// Frequency over that of the fundamental; any positive number.
    pub order: f64,
    /// Root mean square, in the unit of the wave.
    pub rms: f64,
    /// Phase of the sine at the start, degrees.
    pub degrees: f64,
}

/// A voltage or a current as a sum of components and a dc part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wave {
    /// The components, the fundamental among them.
    pub tones: Vec<Tone>,
    /// The dc part, in the unit of the wave.
    pub dc: f64,
}

impl Wave {
    /// A fundamental alone.
    #[must_use]
    pub fn sine(rms: f64, degrees: f64) -> Self {
        Self::default().tone(1.0, rms, degrees)
    }

    /// The same wave with one more component.
    #[must_use]
    pub fn tone(mut self, order: f64, rms: f64, degrees: f64) -> Self {
        self.tones.push(Tone {
            order,
            rms,
            degrees,
        });
        self
    }

    /// The same wave with this dc part.
    #[must_use]
    pub fn with_dc(self, dc: f64) -> Self {
        Self { dc, ..self }
    }

    /// Value after so many turns of the fundamental.
    #[must_use]
    pub fn at(&self, turns: f64) -> f64 {
        self.tones.iter().fold(self.dc, |sum, tone| {
            let angle = TAU * (tone.order * turns).fract() + tone.degrees.to_radians();
            sum + tone.rms * SQRT_2 * angle.sin()
        })
    }

    /// Root mean square without the dc part, of components of different orders.
    #[must_use]
    pub fn rms(&self) -> f64 {
        self.tones
            .iter()
            .map(|tone| tone.rms * tone.rms)
            .sum::<f64>()
            .sqrt()
    }

    /// Σ over equal orders of U I times a function of the angle by which the current lags.
    fn product(&self, current: &Self, part: fn(f64) -> f64, wanted: fn(f64) -> bool) -> f64 {
        let pairs = self
            .tones
            .iter()
            .flat_map(|u| current.tones.iter().map(move |i| (u, i)));
        pairs
            .filter(|(u, i)| u.order == i.order && wanted(u.order))
            .map(|(u, i)| u.rms * i.rms * part((u.degrees - i.degrees).to_radians()))
            .sum()
    }

    /// Active power of all orders when this is the voltage, without the product of the dc parts.
    #[must_use]
    pub fn power(&self, current: &Self) -> f64 {
        self.product(current, f64::cos, |_| true)
    }

    /// Reactive power of the fundamental, positive when the current lags.
    #[must_use]
    pub fn reactive(&self, current: &Self) -> f64 {
        self.product(current, f64::sin, |order| order == 1.0)
    }

    /// Its values at equal distances of `turns` of the fundamental, from the start on, without an end.
    ///
    /// Each component is turned on by one complex product; the error after ten million values stays below
    /// 1e-8 of it.
    #[must_use]
    pub fn generator(&self, turns: f64) -> Generator {
        let tones = self.tones.iter().map(|tone| {
            let (sin, cos) = tone.degrees.to_radians().sin_cos();
            let (step_sin, step_cos) = (TAU * tone.order * turns).sin_cos();
            let peak = tone.rms * SQRT_2;
            Turning {
                value: [peak * cos, peak * sin],
                step: [step_cos, step_sin],
            }
        });
        Generator {
            tones: tones.collect(),
            dc: self.dc,
        }
    }
}

/// A component that turns: real and imaginary part, and its turn from one value to the next.
#[derive(Clone, Copy, Debug)]
struct Turning {
    value: [f64; 2],
    step: [f64; 2],
}

impl Turning {
    fn next(&mut self) -> [f64; 2] {
        let now = self.value;
        let ([a, b], [c, d]) = (self.value, self.step);
        self.value = [a * c - b * d, a * d + b * c];
        now
    }
}

/// Values of a [`Wave`], one by one.
#[derive(Clone, Debug)]
pub struct Generator {
    tones: Vec<Turning>,
    dc: f64,
}

impl Generator {
    /// The next value.
    pub fn value(&mut self) -> f64 {
        self.tones
            .iter_mut()
            .fold(self.dc, |sum, tone| sum + tone.next()[1])
    }
}

impl Iterator for Generator {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        Some(self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generator_follows_the_closed_form() {
        let wave = Wave::sine(230.0, 17.0)
            .tone(7.0, 3.0, -50.0)
            .tone(20.6, 1.0, 5.0)
            .with_dc(0.4);
        let turns = 49.37 / 8000.0;
        let mut generator = wave.generator(turns);
        for n in 0..1_000_000 {
            let value = generator.value();
            if n % 9973 == 0 {
                let want = wave.at(f64::from(n) * turns);
                assert!((value - want).abs() < 1e-6, "{n}: {value} {want}");
            }
        }
    }

    #[test]
    fn truth_in_closed_form() {
        let u = Wave::sine(230.0, 0.0).tone(5.0, 23.0, 0.0);
        let i = Wave::sine(10.0, 0.0).tone(5.0, 4.0, 0.0).with_dc(3.0);
        assert!((u.power(&i) - 1.04 * 2300.0).abs() < 1e-9);
        assert!((i.rms() - 10.0 * 1.16_f64.sqrt()).abs() < 1e-12);
        let lagging = Wave::sine(10.0, -30.0);
        assert!((u.reactive(&lagging) - 1150.0).abs() < 1e-9);
    }
}
