//! Phasors, symmetrical components and unbalance (IEC 61000-4-30, 5.7).

use super::trig::angle;

/// A fundamental or harmonic as a complex rms value, counts Q8; cosine convention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phasor {
    /// Part in phase with the oscillator's cosine.
    pub re: i32,
    /// Part a quarter turn ahead of it.
    pub im: i32,
}

impl Phasor {
    /// Square of the magnitude.
    #[must_use]
    pub fn square(self) -> u64 {
        let part = |v: i32| u64::from(v.unsigned_abs()) * u64::from(v.unsigned_abs());
        part(self.re) + part(self.im)
    }

    /// Rms value, counts Q8.
    #[must_use]
    pub fn magnitude(self) -> u32 {
        u32::try_from(self.square().isqrt()).unwrap_or(u32::MAX)
    }

    /// Angle against the oscillator, 2^-32 turn as a signed turn.
    #[must_use]
    pub fn angle(self) -> i32 {
        angle(self.im.into(), self.re.into())
    }
}

/// Positive, negative and zero sequence of three phasors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequences {
    /// (A + a B + a² C) / 3, the rotation of the phases.
    pub positive: Phasor,
    /// (A + a² B + a C) / 3, against it.
    pub negative: Phasor,
    /// (A + B + C) / 3.
    pub zero: Phasor,
}

impl Sequences {
    /// From the fundamental phasors of phases A, B, C.
    #[must_use]
    pub fn new(phases: [Phasor; 3]) -> Self {
        let [a, b, c] = phases.map(|p| (i64::from(p.re), i64::from(p.im)));
        // a = -1/2 + j √3/2. With s = B + C and d = B - C, the two sequences are
        // A - s/2 ± j √3/2 d; the factor is Q30.
        const HALF_ROOT_3: i64 = 929_887_697;
        let third = |v: i64| narrow((2 * v + 3 * v.signum()) / 6);
        let (s, d) = ((b.0 + c.0, b.1 + c.1), (b.0 - c.0, b.1 - c.1));
        // At most 2^33 · 2^30: one bit to spare.
        let across = |v: i64| (v * HALF_ROOT_3 + (1 << 29)) >> 30;
        let middle = (a.0 - s.0 / 2, a.1 - s.1 / 2);
        let turned = (-across(d.1), across(d.0));
        Self {
            positive: Phasor {
                re: third(middle.0 + turned.0),
                im: third(middle.1 + turned.1),
            },
            negative: Phasor {
                re: third(middle.0 - turned.0),
                im: third(middle.1 - turned.1),
            },
            zero: Phasor {
                re: third(a.0 + s.0),
                im: third(a.1 + s.1),
            },
        }
    }

    /// Negative-sequence unbalance u2, parts per million of the positive sequence; `None` without one.
    #[must_use]
    pub fn negative_ppm(&self) -> Option<u32> {
        ratio_ppm(self.negative.square().into(), self.positive.square().into())
    }

    /// Zero-sequence unbalance u0, parts per million of the positive sequence; `None` without one.
    #[must_use]
    pub fn zero_ppm(&self) -> Option<u32> {
        ratio_ppm(self.zero.square().into(), self.positive.square().into())
    }

    /// Whether the phases rotate the other way (A, C, B).
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        self.negative.square() > self.positive.square()
    }
}

fn narrow(value: i64) -> i32 {
    value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// Negative-sequence unbalance from the three line-to-line rms values of the fundamental alone, parts per
/// million; `None` when they are all zero or no triangle.
///
/// u2 = sqrt((1 - r) / (1 + r)), r = sqrt(3 - 6 β), β = ΣU⁴ / (ΣU²)².
#[must_use]
pub fn line_to_line_ppm(voltages: [u32; 3]) -> Option<u32> {
    // 24 significant bits keep ΣU⁴ in 98 bits with room for the scale.
    let largest = voltages.into_iter().max().unwrap_or(0);
    let shift = (32 - largest.leading_zeros()).saturating_sub(24);
    let squares = voltages.map(|u| u128::from(u >> shift).pow(2));
    let total = squares.iter().sum::<u128>().pow(2);
    let fourth: u128 = squares.iter().map(|square| square.pow(2)).sum();
    let inner = (3 * total).checked_sub(6 * fourth)?;
    if total == 0 {
        return None;
    }
    // At most 2^102: r² with 24 fractional bits, then 24 more in front of the root.
    let r_square = ((inner << 24) / total) << 24;
    let r = r_square.isqrt().min(1 << 24);
    ratio_ppm((1 << 24) - r, (1 << 24) + r)
}

/// sqrt(part / whole) in parts per million, limited to `u32`.
pub(crate) fn ratio_ppm(part: u128, whole: u128) -> Option<u32> {
    if whole == 0 {
        return None;
    }
    // Up to 2^70 stays exact with the scale of 2^40.
    let shift = (128 - part.leading_zeros()).saturating_sub(86);
    let scaled = ((part >> shift) * 1_000_000_000_000).checked_div(whole >> shift);
    let Some(scaled) = scaled else {
        return Some(u32::MAX);
    };
    let root = scaled.isqrt();
    let rounded = root + u128::from(scaled - root * root > root);
    Some(u32::try_from(rounded).unwrap_or(u32::MAX))
}
