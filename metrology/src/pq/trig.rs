//! Sines from one quarter-wave table, and the way back from a vector to its angle.
//!
//! The table has the resolution of the transform (2,048 steps of a turn), so that the oscillator, the
//! detectors and the twiddle factors share it.

/// Steps of a whole turn in the table.
pub(crate) const STEPS: usize = 2048;
const QUARTER: usize = STEPS / 4;

/// sin(k/2048 turn), Q30, for the first quarter.
static SINE: [i32; QUARTER + 1] = table();

const fn table() -> [i32; QUARTER + 1] {
    // π/2, Q60.
    const RIGHT_ANGLE: i128 = 1_811_004_864_519_280_710;
    let mut out = [0; QUARTER + 1];
    let mut k = 0;
    while k <= QUARTER {
        let x = RIGHT_ANGLE * k as i128 / QUARTER as i128;
        let square = (x * x) >> 60;
        let (mut term, mut sum, mut n) = (x, x, 1);
        while n < 24 {
            term = -((term * square) >> 60) / ((n + 1) * (n + 2));
            sum += term;
            n += 2;
        }
        out[k] = ((sum + (1 << 29)) >> 30) as i32;
        k += 1;
    }
    out
}

/// sin(step/2048 turn), Q30.
#[inline]
pub(crate) fn sine_step(step: usize) -> i32 {
    let within = step % QUARTER;
    let at = if step & QUARTER == 0 {
        within
    } else {
        QUARTER - within
    };
    // The index is at most a quarter: the default is never taken.
    let value = SINE.get(at).copied().unwrap_or(0);
    if step & (2 * QUARTER) == 0 {
        value
    } else {
        -value
    }
}

/// cos(step/2048 turn), Q30.
#[inline]
pub(crate) fn cosine_step(step: usize) -> i32 {
    sine_step(step + QUARTER)
}

/// sin of a phase in 2^-32 turn, Q15, interpolated between two steps; error below 2^-15.
#[inline]
pub(crate) fn sine_q15(phase: u32) -> i32 {
    let step = (phase >> 21) as usize;
    let (from, to) = (sine_step(step) >> 12, sine_step(step + 1) >> 12);
    // Neighbours are at most 2^18 · 2π/2048 apart: the product stays below 2^20.
    let part = ((phase >> 11) & 0x3FF) as i32;
    (from + (((to - from) * part) >> 10) + 4) >> 3
}

/// cos of a phase in 2^-32 turn, Q15.
#[inline]
pub(crate) fn cosine_q15(phase: u32) -> i32 {
    sine_q15(phase.wrapping_add(1 << 30))
}

/// atan(2^-k) in 2^-32 turn.
const ROTATIONS: [i32; 24] = [
    536_870_912,
    316_933_406,
    167_458_907,
    85_004_756,
    42_667_331,
    21_354_465,
    10_679_838,
    5_340_245,
    2_670_163,
    1_335_087,
    667_544,
    333_772,
    166_886,
    83_443,
    41_722,
    20_861,
    10_430,
    5_215,
    2_608,
    1_304,
    652,
    326,
    163,
    81,
];

/// Angle of the vector (x, y) in 2^-32 turn, as a signed turn; zero for the zero vector. Error below 10^-7 turn.
pub(crate) fn angle(y: i64, x: i64) -> i32 {
    let magnitude = x.unsigned_abs() | y.unsigned_abs();
    if magnitude == 0 {
        return 0;
    }
    // 28 bits: two more come by the gain of the rotation.
    let bits = 64 - magnitude.leading_zeros();
    let scaled = |v: i64| {
        if bits > 28 {
            v >> (bits - 28)
        } else {
            v << (28 - bits)
        }
    };
    let (mut x, mut y) = (scaled(x) as i32, scaled(y) as i32);
    let mut turned = 0_i32;
    if x < 0 {
        turned = i32::MIN;
        (x, y) = (-x, -y);
    }
    for (k, rotation) in ROTATIONS.iter().enumerate() {
        let (dx, dy) = (y >> k, x >> k);
        if y >= 0 {
            (x, y) = (x + dx, y - dy);
            turned = turned.wrapping_add(*rotation);
        } else {
            (x, y) = (x - dx, y + dy);
            turned = turned.wrapping_sub(*rotation);
        }
    }
    turned
}

/// Cube root, rounded down, limited to `u32`.
pub(crate) fn cube_root(value: u128) -> u32 {
    let mut root = 0_u32;
    for bit in (0..32).rev() {
        let tried = root | 1 << bit;
        if u128::from(tried).pow(3) <= value {
            root = tried;
        }
    }
    root
}

/// Product of Q30 and any integer, rounded.
#[inline]
pub(crate) fn times_q30(value: i64, factor: i32) -> i64 {
    // Split, so that 64-bit values meet no 128-bit multiplication.
    let (high, low) = (value >> 30, value & 0x3FFF_FFFF);
    high * i64::from(factor) + ((low * i64::from(factor) + (1 << 29)) >> 30)
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use core::f64::consts::TAU;

    /// One, in the format of all sines.
    const ONE: i32 = 1 << 30;

    #[test]
    fn table_and_interpolation_agree_with_the_float_sine() {
        for step in 0..2 * STEPS {
            let angle = TAU * step as f64 / STEPS as f64;
            let q30 = f64::from(ONE);
            assert!((f64::from(sine_step(step)) / q30 - angle.sin()).abs() < 1e-9);
            assert!((f64::from(cosine_step(step)) / q30 - angle.cos()).abs() < 1e-9);
        }
        for k in 0..50_000_u32 {
            let phase = k.wrapping_mul(2_654_435_761);
            let angle = TAU * f64::from(phase) / 4_294_967_296.0;
            let error = f64::from(sine_q15(phase)) / 32_768.0 - angle.sin();
            assert!(error.abs() < 3.1e-5, "{phase} {error}");
            assert!((f64::from(cosine_q15(phase)) / 32_768.0 - angle.cos()).abs() < 3.1e-5);
        }
    }

    #[test]
    fn angles_come_back() {
        for k in 0..50_000_u32 {
            let phase = k.wrapping_mul(2_654_435_761);
            let turn = TAU * f64::from(phase) / 4_294_967_296.0;
            let size = 10_f64.powi((k % 17) as i32 + 2);
            let got = angle((turn.sin() * size) as i64, (turn.cos() * size) as i64);
            let off = f64::from(got.wrapping_sub(phase as i32)) / 4_294_967_296.0;
            let bound = 2e-7 + 0.3 / size;
            assert!(off.abs() < bound, "{phase} {size} {off}");
        }
        assert_eq!(angle(0, 0), 0);
        angle(i64::MIN, i64::MIN);
        angle(i64::MAX, i64::MIN);
    }

    #[test]
    fn wide_products_are_the_plain_ones() {
        for (value, factor) in [
            (i64::MAX, ONE),
            (i64::MIN + 1, ONE),
            (12_345_678_901, -7),
            (-9, ONE / 3),
        ] {
            let want = (i128::from(value) * i128::from(factor) + (1 << 29)) >> 30;
            assert_eq!(i128::from(times_q30(value, factor)), want);
        }
    }
}
