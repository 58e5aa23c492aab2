//! Converters: noise, rounding and full scale, and the filter of a sigma-delta converter.

use std::f64::consts::{PI, TAU};

use crate::Rng;

/// Largest count of a 24-bit converter.
const FULL_SCALE: f64 = 8_388_607.0;

/// A converter whose counts are those of 24 bits; fewer bits leave the lowest ones zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrontEnd {
    /// Bits of the converter, 2 to 24.
    pub bits: u32,
    /// Its white noise in front of the rounding, counts of 24 bits, rms.
    pub noise: f64,
}

impl FrontEnd {
    /// 24 bits, nothing but their rounding.
    pub const IDEAL: Self = Self {
        bits: 24,
        noise: 0.0,
    };

    /// A converter with a given signal-to-noise ratio, against a sine at full scale.
    #[must_use]
    pub fn with_snr(bits: u32, decibels: f64) -> Self {
        let full_rms = (FULL_SCALE + 1.0) / std::f64::consts::SQRT_2;
        Self {
            bits,
            noise: full_rms / 10_f64.powf(decibels / 20.0),
        }
    }

    /// Counts of 24 bits in one step of the converter.
    #[must_use]
    pub fn step(&self) -> f64 {
        f64::from(1_u32 << (24 - self.bits.clamp(2, 24)))
    }

    /// Mean square of its noise and of an even rounding error, counts².
    #[must_use]
    pub fn noise_square(&self) -> f64 {
        let rounding = if self.noise > 0.0 {
            self.step() * self.step() / 12.0
        } else {
            0.0
        };
        self.noise * self.noise + rounding
    }

    /// What the converter delivers for a value in counts.
    pub fn count(&self, counts: f64, noise: &mut Noise) -> i32 {
        let disturbed = if self.noise > 0.0 {
            counts + self.noise * noise.value()
        } else {
            counts
        };
        let step = self.step();
        let limit = (FULL_SCALE / step).floor() * step;
        ((disturbed / step).round() * step).clamp(-limit, limit) as i32
    }
}

/// Gaussian noise of mean 0 and deviation 1 from one seed.
#[derive(Clone, Debug)]
pub struct Noise {
    rng: Rng,
    spare: Option<f64>,
}

impl Noise {
    /// Equal seeds give equal noise.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            spare: None,
        }
    }

    /// The next value, by the transform of Box and Muller.
    pub fn value(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        let mut even = || (self.rng.next_u64() >> 11) as f64 * f64::EPSILON / 2.0;
        let (radius, angle) = ((-2.0 * (1.0 - even()).ln()).sqrt(), TAU * even());
        let (sin, cos) = angle.sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }
}

/// The filter of a sigma-delta converter: three boxcars of `ratio` fast samples, one value out of each group.
///
/// Its sums are exact integers, so a run of any length shows no drift.
#[derive(Clone, Debug)]
pub struct Sinc3 {
    ratio: u32,
    at: u32,
    sums: [i64; 3],
    differences: [i64; 3],
}

/// Parts of a count that the filter's integers keep.
const PARTS: f64 = 65_536.0;

impl Sinc3 {
    /// A filter for groups of `ratio` fast samples, 1 to 1024.
    #[must_use]
    pub fn new(ratio: u32) -> Self {
        Self {
            ratio: ratio.clamp(1, 1024),
            at: 0,
            sums: [0; 3],
            differences: [0; 3],
        }
    }

    /// Takes one fast sample, in counts; gives a value after each group. The first three are still settling.
    pub fn push(&mut self, counts: f64) -> Option<f64> {
        let mut value = (counts * PARTS).round() as i64;
        for sum in &mut self.sums {
            *sum = sum.wrapping_add(value);
            value = *sum;
        }
        self.at += 1;
        if self.at < self.ratio {
            return None;
        }
        self.at = 0;
        for before in &mut self.differences {
            let now = value;
            value = now.wrapping_sub(*before);
            *before = now;
        }
        Some(value as f64 / PARTS / f64::from(self.ratio).powi(3))
    }

    /// Fast samples by which an output lies behind the last sample of its group.
    #[must_use]
    pub fn delay(&self) -> f64 {
        1.5 * f64::from(self.ratio - 1)
    }

    /// Gain for a sine that takes `turns` of its cycle from one fast sample to the next.
    #[must_use]
    pub fn gain(&self, turns: f64) -> f64 {
        let ratio = f64::from(self.ratio);
        let narrow = (PI * turns).sin();
        if narrow == 0.0 {
            return 1.0;
        }
        ((PI * turns * ratio).sin() / (ratio * narrow)).powi(3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Wave;

    #[test]
    fn noise_has_its_deviation() {
        let front = FrontEnd::with_snr(24, 101.0);
        assert!((front.noise - 52.87).abs() < 0.01, "{}", front.noise);
        let mut noise = Noise::new(3);
        let counts: Vec<_> = (0..200_000)
            .map(|_| f64::from(front.count(1000.0, &mut noise)))
            .collect();
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        let square = counts.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / counts.len() as f64;
        assert!((mean - 1000.0).abs() < 0.6, "{mean}");
        assert!(
            (square / front.noise_square() - 1.0).abs() < 0.02,
            "{square}"
        );
    }

    #[test]
    fn converters_round_and_limit() {
        let mut noise = Noise::new(1);
        let coarse = FrontEnd {
            bits: 16,
            noise: 0.0,
        };
        assert_eq!(coarse.count(127.0, &mut noise), 0);
        assert_eq!(coarse.count(129.0, &mut noise), 256);
        assert_eq!(coarse.count(1e9, &mut noise), 32_767 << 8);
        assert_eq!(FrontEnd::IDEAL.count(-1e9, &mut noise), -8_388_607);
    }

    #[test]
    fn sinc3_has_the_gain_and_the_delay_it_names() {
        let mut filter = Sinc3::new(128);
        let (turns, peak) = (50.3 / 1_024_000.0, 1e6);
        let wave = Wave::sine(peak / std::f64::consts::SQRT_2, 0.0);
        let (gain, delay) = (filter.gain(turns), filter.delay());
        let mut outputs = 0;
        for n in 0..500_000 {
            if let Some(value) = filter.push(wave.at(f64::from(n) * turns)) {
                outputs += 1;
                let want = gain * wave.at((f64::from(n) - delay) * turns);
                assert!(
                    outputs <= 3 || (value - want).abs() < 1e-3,
                    "{value} {want}"
                );
            }
        }
        assert_eq!(outputs, 500_000 / 128);
    }
}
