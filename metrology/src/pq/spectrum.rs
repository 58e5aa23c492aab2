//! Harmonics and interharmonics of one 10/12-cycle window (IEC 61000-4-7).

use super::fft;
use super::resample::{Buffer, Sampled};
use super::unbalance::{Phasor, ratio_ppm};

/// How bins are joined to one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grouping {
    /// The bin of the order alone.
    Line,
    /// With all bins half way to the neighbouring orders (the outermost half).
    Group,
    /// With the two bins beside it.
    Subgroup,
}

/// The spectrum of one channel over one window.
///
/// Bin k holds k cycles in the window, about 5 Hz each; orders lie `cycles` bins apart. All values are rms,
/// counts Q8, with the filter's droop divided out. Orders above [`Sampled`]'s highest one read zero.
#[derive(Clone, Copy, Debug)]
pub struct Spectrum<'a> {
    bins: &'a Buffer,
    sampled: Sampled,
}

impl<'a> Spectrum<'a> {
    /// Transforms a full buffer in place.
    #[must_use]
    pub fn transform(points: &'a mut Buffer, sampled: Sampled) -> Self {
        fft::transform(points);
        Self {
            bins: points,
            sampled,
        }
    }

    /// A buffer that was transformed before, with the same `sampled`.
    #[must_use]
    pub const fn transformed(bins: &'a Buffer, sampled: Sampled) -> Self {
        Self { bins, sampled }
    }

    /// Highest order that the sample rate allows, at most 50.
    #[must_use]
    pub const fn highest_order(&self) -> u8 {
        self.sampled.highest_order
    }

    /// Mean value, counts Q8.
    #[must_use]
    pub fn dc(&self) -> i32 {
        self.bins.first().map_or(0, |[mean, _]| mean << 3)
    }

    /// One bin, from 1.
    #[must_use]
    pub fn bin(&self, bin: usize) -> Phasor {
        let place = fft::place_of(bin);
        let Some([re, im]) = self.bins.get(place).filter(|_| bin != 0) else {
            return Phasor::default();
        };
        let factor = i64::from(self.sampled.response(bin));
        let scaled = |v: &i32| {
            let v = (i64::from(*v) * factor + (1 << 25)) >> 26;
            v.clamp(i32::MIN.into(), i32::MAX.into()) as i32
        };
        Phasor {
            re: scaled(re),
            im: scaled(im),
        }
    }

    /// Phasor of an order: fundamental 1.
    #[must_use]
    pub fn phasor(&self, order: u8) -> Phasor {
        if order > self.highest_order() {
            return Phasor::default();
        }
        self.bin(usize::from(order) * self.cycles())
    }

    /// Rms value of an order.
    #[must_use]
    pub fn harmonic(&self, order: u8, grouping: Grouping) -> u32 {
        root(self.square(order, grouping))
    }

    /// Interharmonic group above an order (from 0): all bins between it and the next one.
    #[must_use]
    pub fn interharmonic_group(&self, order: u8) -> u32 {
        root(self.between(order, 1))
    }

    /// Interharmonic centred subgroup above an order (from 0): without the bins beside the orders.
    #[must_use]
    pub fn interharmonic_subgroup(&self, order: u8) -> u32 {
        root(self.between(order, 2))
    }

    /// Total distortion of orders 2 to `highest` against the fundamental, parts per million.
    #[must_use]
    pub fn thd_ppm(&self, grouping: Grouping, highest: u8) -> Option<u32> {
        ratio_ppm(
            self.distortion(grouping, highest),
            self.square(1, grouping).into(),
        )
    }

    /// The same against the rms value of the whole signal (counts Q8): THD-R.
    #[must_use]
    pub fn thd_r_ppm(&self, grouping: Grouping, highest: u8, rms: u32) -> Option<u32> {
        self.tdd_ppm(grouping, highest, rms)
    }

    /// The same against a rated or demand value (counts Q8): TDD.
    #[must_use]
    pub fn tdd_ppm(&self, grouping: Grouping, highest: u8, rated: u32) -> Option<u32> {
        ratio_ppm(self.distortion(grouping, highest), u128::from(rated).pow(2))
    }

    /// K-factor of a current for transformers, Σ h² I² / Σ I² over orders 1 to `highest`, thousandths.
    #[must_use]
    pub fn k_factor_milli(&self, highest: u8) -> Option<u32> {
        let (mut weighted, mut plain) = (0_u128, 0_u128);
        for order in 1..=highest {
            let square = u128::from(self.square(order, Grouping::Line));
            weighted += square * u128::from(order) * u128::from(order);
            plain += square;
        }
        let milli = (weighted * 1000 + plain / 2).checked_div(plain)?;
        Some(u32::try_from(milli).unwrap_or(u32::MAX))
    }

    /// Partial weighted distortion, sqrt(Σ h (Y_h / Y_1)²) over orders 14 to 40, parts per million.
    #[must_use]
    pub fn pwhd_ppm(&self, grouping: Grouping) -> Option<u32> {
        let sum = (14..=40)
            .map(|order| u128::from(self.square(order, grouping)) * u128::from(order))
            .sum();
        ratio_ppm(sum, self.square(1, grouping).into())
    }

    /// Active and reactive power of one order, with `self` the voltage; counts² Q16, reactive positive when the
    /// current lags.
    #[must_use]
    pub fn power(&self, current: &Self, order: u8) -> (i64, i64) {
        let (u, i) = (self.phasor(order), current.phasor(order));
        let [ur, ui, ir, ii] = [u.re, u.im, i.re, i.im].map(i64::from);
        // Two products of 31 bits with sign.
        (
            (ur * ir).saturating_add(ui * ii),
            (ui * ir).saturating_sub(ur * ii),
        )
    }

    /// Reactive power by Budeanu's definition: the sum over all orders of U_h I_h sin φ_h, with `self` the voltage;
    /// counts² Q16.
    #[must_use]
    pub fn reactive(&self, current: &Self) -> i64 {
        let orders = 1..=self.highest_order();
        orders.fold(0, |sum, order| {
            sum.saturating_add(self.power(current, order).1)
        })
    }

    fn cycles(&self) -> usize {
        self.sampled.cycles.into()
    }

    /// Square of an order's rms value.
    fn square(&self, order: u8, grouping: Grouping) -> u64 {
        if order == 0 || order > self.highest_order() {
            return 0;
        }
        let centre = usize::from(order) * self.cycles();
        let square = |bin: usize| self.bin(bin).square();
        let sum = |sum: u64, bin: usize| sum.saturating_add(square(bin));
        match grouping {
            Grouping::Line => square(centre),
            Grouping::Subgroup => (centre - 1..=centre + 1).fold(0, sum),
            Grouping::Group => {
                let half = self.cycles() / 2;
                let inner = (centre + 1 - half..centre + half).fold(0, sum);
                inner.saturating_add(square(centre - half) / 2 + square(centre + half) / 2)
            }
        }
    }

    fn between(&self, order: u8, margin: usize) -> u64 {
        if order > self.highest_order() {
            return 0;
        }
        let first = usize::from(order) * self.cycles();
        (first + margin..=first + self.cycles() - margin)
            .fold(0, |sum, bin| sum.saturating_add(self.bin(bin).square()))
    }

    fn distortion(&self, grouping: Grouping, highest: u8) -> u128 {
        (2..=highest)
            .map(|order| u128::from(self.square(order, grouping)))
            .sum()
    }
}

fn root(square: u64) -> u32 {
    u32::try_from(square.isqrt()).unwrap_or(u32::MAX)
}
