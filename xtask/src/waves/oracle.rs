//! The reference's own methods in double precision, for what its files do not hold.

use std::f64::consts::{PI, SQRT_2, TAU};

/// Frequency of a periodic record by harmonic least squares, first in the band that the reference program
/// searches (0.8 to 1.2 of nominal), then over 0.5 to 2 of nominal.
pub fn frequency(wave: &[f64], rate: f64, nominal: f64) -> (f64, f64) {
    let inside = fit(wave, rate, nominal, 0.8..=1.2, 0.5..=1.5);
    let real = fit(wave, rate, nominal, 0.5..=2.0, 0.4..=2.2);
    (inside, real)
}

/// `band` is where the coarse maximum is looked for, `limits` where the fit may go; parts of nominal.
fn fit(
    wave: &[f64],
    rate: f64,
    nominal: f64,
    band: std::ops::RangeInclusive<f64>,
    limits: std::ops::RangeInclusive<f64>,
) -> f64 {
    let n = wave.len();
    let mean = wave.iter().sum::<f64>() / n as f64;
    let smooth: Vec<f64> = wave
        .iter()
        .enumerate()
        .map(|(k, x)| (x - mean) * (0.5 - 0.5 * (TAU * k as f64 / (n - 1) as f64).cos()))
        .collect();
    // The grid of a transform with eightfold zero padding.
    let step = rate / (8 * n) as f64;
    let power = |f: f64| {
        let (mut re, mut im) = (0.0, 0.0);
        for (k, x) in smooth.iter().enumerate() {
            let (s, c) = (TAU * f * k as f64 / rate).sin_cos();
            re += x * c;
            im += x * s;
        }
        re * re + im * im
    };
    let coarse = (0..)
        .map(|k| f64::from(k) * step)
        .skip_while(|f| *f <= band.start() * nominal)
        .take_while(|f| *f < band.end() * nominal)
        .map(|f| (f, power(f)))
        .fold((nominal, f64::MIN), |best, next| {
            if next.1 > best.1 { next } else { best }
        })
        .0;
    let most = if n < 6000 { 7.0 } else { 5.0 };
    let orders = f64::min(most, (0.4 * rate / coarse).floor()).max(1.0) as usize;
    let left = |f: f64| residual(wave, TAU * f / rate, orders);
    let width = 0.6 * rate / n as f64;
    let mut low = (coarse - width).max(limits.start() * nominal);
    let mut high = (coarse + width).min(limits.end() * nominal);
    let grid: Vec<f64> = (0..15)
        .map(|k| low + (high - low) * f64::from(k) / 14.0)
        .collect();
    let best = (0..15)
        .map(|k| (k, left(grid[k])))
        .fold(
            (0, f64::MAX),
            |best, next| if next.1 < best.1 { next } else { best },
        )
        .0;
    (low, high) = (grid[best.saturating_sub(1)], grid[(best + 1).min(14)]);
    while high - low > 1e-6 {
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        let (c, d) = (high - golden * (high - low), low + golden * (high - low));
        if left(c) < left(d) {
            high = d;
        } else {
            low = c;
        }
    }
    (low + high) / 2.0
}

/// What least squares of mean and harmonics leaves of a wave.
fn residual(wave: &[f64], turn: f64, orders: usize) -> f64 {
    let size = 2 * orders + 1;
    let mut normal = vec![vec![0.0; size + 1]; size];
    let mut energy = 0.0;
    let mut row = vec![1.0; size];
    for (k, x) in wave.iter().enumerate() {
        for h in 1..=orders {
            (row[2 * h - 1], row[2 * h]) = {
                let (s, c) = (h as f64 * turn * k as f64).sin_cos();
                (c, s)
            };
        }
        for (line, a) in normal.iter_mut().zip(&row) {
            for (sum, b) in line.iter_mut().zip(&row) {
                *sum += a * b;
            }
            line[size] += a * x;
        }
        energy += x * x;
    }
    let right: Vec<f64> = normal.iter().map(|line| line[size]).collect();
    let solution = solve(normal);
    energy - solution.iter().zip(&right).map(|(a, b)| a * b).sum::<f64>()
}

/// Gauss with pivots; the last column is the right side.
fn solve(mut lines: Vec<Vec<f64>>) -> Vec<f64> {
    let size = lines.len();
    for k in 0..size {
        let pivot = (k..size)
            .max_by(|a, b| lines[*a][k].abs().total_cmp(&lines[*b][k].abs()))
            .unwrap_or(k);
        lines.swap(k, pivot);
        let line = lines[k].clone();
        for other in lines.iter_mut().skip(k + 1) {
            let factor = other[k] / line[k];
            for (a, b) in other.iter_mut().zip(&line).skip(k) {
                *a -= factor * b;
            }
        }
    }
    let mut solution = vec![0.0; size];
    for k in (0..size).rev() {
        let known: f64 = (k + 1..size).map(|j| lines[k][j] * solution[j]).sum();
        solution[k] = (lines[k][size] - known) / lines[k][k];
    }
    solution
}

/// Rms value of `cycles` periods in the window that begins at sample `first`, by the plain weighted sum over
/// samples that each stand for the time to the next one; the part of the last one that belongs to the window
/// counts.
pub fn bin(wave: &[f64], first: f64, length: f64, cycles: usize) -> f64 {
    let (mut re, mut im, mut weights) = (0.0, 0.0, 0.0);
    let (from, to) = (first.floor() as usize, (first + length).ceil() as usize);
    let weight = |n: usize| {
        let n = n as f64;
        ((n + 1.0).min(first + length) - n.max(first)).max(0.0)
    };
    let inside = from..to.min(wave.len());
    let mean = {
        let sum: f64 = inside.clone().map(|n| weight(n) * wave[n]).sum();
        sum / inside.clone().map(weight).sum::<f64>()
    };
    for n in inside {
        let (s, c) = (TAU * cycles as f64 * (n as f64 - first) / length).sin_cos();
        re += weight(n) * (wave[n] - mean) * c;
        im += weight(n) * (wave[n] - mean) * s;
        weights += weight(n);
    }
    (re * re + im * im).sqrt() / weights * SQRT_2
}

/// Rms value of `cycles` periods in the window that begins at `first`, after interpolation with a long windowed
/// sinc to 2,048 points: without the error that the cut last sample leaves in [`bin`].
pub struct Interpolated {
    points: Vec<f64>,
}

/// Samples on each side of a point.
pub const REACH: usize = 32;

impl Interpolated {
    /// `None` when the record has not [`REACH`] samples around the window.
    pub fn new(wave: &[f64], first: f64, length: f64) -> Option<Self> {
        let begin = (first.floor() as usize).checked_sub(REACH)?;
        let end = (first + length).ceil() as usize + REACH;
        wave.get(begin..end)?;
        let point = |k: usize| {
            let at = first + length * k as f64 / 2048.0;
            let middle = at.floor() as usize;
            (middle + 1 - REACH..=middle + REACH)
                .map(|n| {
                    let t = at - n as f64;
                    let sinc = if t.abs() < 1e-12 {
                        1.0
                    } else {
                        (PI * t).sin() / (PI * t)
                    };
                    // A cosine-sum window: what it lets through beside the band is 90 dB down.
                    let w = PI * t / REACH as f64;
                    let window = 0.35875
                        + 0.48829 * w.cos()
                        + 0.14128 * (2.0 * w).cos()
                        + 0.01168 * (3.0 * w).cos();
                    wave[n] * sinc * window
                })
                .sum()
        };
        Some(Self {
            points: (0..2048).map(point).collect(),
        })
    }

    /// Rms value of one bin.
    pub fn bin(&self, cycles: usize) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (k, x) in self.points.iter().enumerate() {
            let (s, c) = (TAU * (cycles * k % 2048) as f64 / 2048.0).sin_cos();
            re += x * c;
            im += x * s;
        }
        (re * re + im * im).sqrt() / 2048.0 * SQRT_2
    }
}
