//! The slow model: the same samples in double precision over whole cycles of a known frequency.

use std::f64::consts::{SQRT_2, TAU};

use super::Turning;

/// Integral from the far left of the triangle of width 2 and area 1 around zero.
fn ramp(x: f64) -> f64 {
    if x <= -1.0 {
        0.0
    } else if x < 0.0 {
        (1.0 + x) * (1.0 + x) / 2.0
    } else if x < 1.0 {
        1.0 - (1.0 - x) * (1.0 - x) / 2.0
    } else {
        1.0
    }
}

/// Mean values over a span of whole cycles, taken sample by sample.
///
/// The samples are joined by straight lines and the lines integrated between the two ends, which lie anywhere
/// between samples: what a span of whole cycles leaves of the ripple is the part of an image of the sample
/// rate, below 1e-7 for orders below a tenth of it.
#[derive(Clone, Debug)]
pub struct Model {
    from: f64,
    to: f64,
    at: f64,
    turning: Turning,
    /// u, i, u², i², u·i, then real and imaginary parts of u1 and i1.
    sums: [f64; 9],
}

/// What the model found; values in counts or counts².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference {
    /// Voltage without its mean, rms.
    pub voltage: f64,
    /// Current without its mean, rms.
    pub current: f64,
    /// Active power without the product of the means.
    pub active: f64,
    /// Active power of the fundamental.
    pub fundamental_active: f64,
    /// Reactive power of the fundamental, positive when the current lags.
    pub reactive: f64,
}

impl Model {
    /// `cycles` whole cycles, each of `1 / turns` samples, from position `from` (sample 0 is the first one
    /// pushed).
    #[must_use]
    pub fn new(turns: f64, from: f64, cycles: f64) -> Self {
        let (sin, cos) = (TAU * turns).sin_cos();
        Self {
            from,
            to: from + cycles / turns,
            at: 0.0,
            turning: Turning {
                value: [1.0, 0.0],
                step: [cos, sin],
            },
            sums: [0.0; 9],
        }
    }

    /// Takes the next sample of both channels, counts.
    pub fn push(&mut self, u: i32, i: i32) {
        let weight = ramp(self.to - self.at) - ramp(self.from - self.at);
        self.at += 1.0;
        let [cos, sin] = self.turning.next();
        if weight == 0.0 {
            return;
        }
        let (u, i) = (f64::from(u), f64::from(i));
        let (wu, wi) = (weight * u, weight * i);
        let parts = [
            wu,
            wi,
            wu * u,
            wi * i,
            wu * i,
            wu * cos,
            wu * sin,
            wi * cos,
            wi * sin,
        ];
        for (sum, part) in self.sums.iter_mut().zip(parts) {
            *sum += part;
        }
    }

    /// Whether every sample of the span has been pushed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.at >= self.to + 1.0
    }

    /// The mean values of the span.
    #[must_use]
    pub fn reference(&self) -> Reference {
        let length = self.to - self.from;
        let [u, i, uu, ii, ui, ..] = self.sums.map(|sum| sum / length);
        // Phasors, rms: √2 times the mean of x e^(-jθ); the imaginary sums carry the other sign.
        let [.., ur, us, ir, is] = self.sums.map(|sum| SQRT_2 * sum / length);
        Reference {
            voltage: (uu - u * u).max(0.0).sqrt(),
            current: (ii - i * i).max(0.0).sqrt(),
            active: ui - u * i,
            fundamental_active: ur * ir + us * is,
            reactive: ur * is - us * ir,
        }
    }
}

impl Reference {
    /// The same for a current that arrived late by this angle, in radians, and is now turned back; for pure
    /// sines.
    #[must_use]
    pub fn turned_back(self, lag: f64) -> Self {
        let (sin, cos) = lag.sin_cos();
        let turned = |active: f64| active * cos + self.reactive * sin;
        Self {
            active: turned(self.active),
            fundamental_active: turned(self.fundamental_active),
            reactive: self.reactive * cos - self.fundamental_active * sin,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Wave;

    /// Against the closed form, for spans that begin and end anywhere.
    #[test]
    fn model_is_exact_on_known_waves() {
        let scale = 1e4;
        let u = Wave::sine(230.0, 10.0).tone(5.0, 9.0, 70.0).with_dc(2.0);
        let i = Wave::sine(90.0, -55.0).tone(5.0, 30.0, 33.0).with_dc(-1.0);
        for (frequency, from) in [(50.0, 0.0), (47.93, 100.37), (61.02, 1.99), (45.003, 333.5)] {
            let turns = frequency / 8000.0;
            let mut model = Model::new(turns, from, 10.0);
            let (mut us, mut is) = (u.generator(turns), i.generator(turns));
            while !model.is_complete() {
                model.push(
                    (us.value() * scale).round() as i32,
                    (is.value() * scale).round() as i32,
                );
            }
            let found = model.reference();
            let square = scale * scale;
            for (got, want, unit) in [
                (found.voltage, u.rms(), scale),
                (found.current, i.rms(), scale),
                (found.active, u.power(&i), square),
                (found.reactive, u.reactive(&i), square),
                (
                    found.fundamental_active,
                    230.0 * 90.0 * 65_f64.to_radians().cos(),
                    square,
                ),
            ] {
                let error = (got / unit - want) / want;
                assert!(
                    error.abs() < 5e-7,
                    "{frequency} {from}: {got} {want} {error:.1e}"
                );
            }
        }
    }

    #[test]
    fn a_late_current_is_turned_back() {
        let (turns, lag) = (50.0 / 8000.0, 0.01_f64);
        let mut model = Model::new(turns, 0.0, 10.0);
        let u = Wave::sine(1e6, 0.0);
        let i = Wave::sine(1e6, -60.0 - lag.to_degrees());
        let (mut us, mut is) = (u.generator(turns), i.generator(turns));
        while !model.is_complete() {
            model.push(us.value() as i32, is.value() as i32);
        }
        let found = model.reference().turned_back(lag);
        assert!((found.active / 1e12 - 0.5).abs() < 1e-6, "{found:?}");
        assert!((found.reactive / 1e12 - 0.75_f64.sqrt()).abs() < 1e-6);
    }
}
