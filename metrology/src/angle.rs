//! Angles as 2^-32 turn, their sine and cosine, and the way back, by coordinate rotation (CORDIC).

/// atan(2^-k) in 2^-40 turn.
const STEPS: [i64; 32] = [
    137438953472,
    81134951838,
    42869480287,
    21761217566,
    10922836750,
    5466743129,
    2734038620,
    1367102738,
    683561799,
    341782203,
    170891265,
    85445653,
    42722829,
    21361415,
    10680707,
    5340354,
    2670177,
    1335088,
    667544,
    333772,
    166886,
    83443,
    41722,
    20861,
    10430,
    5215,
    2608,
    1304,
    652,
    326,
    163,
    81,
];
/// Product of cos(atan(2^-k)), Q40.
const SHRINK: i64 = 667_681_663_043;

/// Sine and cosine of an angle in 2^-32 turn, both Q30; error below 3e-9.
pub(crate) fn sin_cos(turn: u32) -> (i32, i32) {
    // The rotation converges within a quarter turn of zero; the other half plane is mirrored.
    let mirrored = turn.wrapping_add(1 << 30) >> 31 == 1;
    let near = if mirrored {
        turn.wrapping_sub(1 << 31)
    } else {
        turn
    };
    let mut angle = i64::from(near as i32) << 8;
    let (mut x, mut y) = (SHRINK, 0_i64);
    for (k, step) in STEPS.iter().enumerate() {
        let (dx, dy) = (y >> k, x >> k);
        if angle >= 0 {
            (x, y, angle) = (x - dx, y + dy, angle - step);
        } else {
            (x, y, angle) = (x + dx, y - dy, angle + step);
        }
    }
    let sign = if mirrored { -1 } else { 1 };
    let q30 = |v: i64| (sign * ((v + (1 << 9)) >> 10)) as i32;
    (q30(y), q30(x))
}

/// Angle of the vector (x, y) in 2^-32 turn, in (-2^31, 2^31]; zero for the zero vector.
pub(crate) fn angle_of(y: i128, x: i128) -> i64 {
    // Scaled to 40 bits, so that the steps below keep their precision.
    let magnitude = x.unsigned_abs().max(y.unsigned_abs());
    if magnitude == 0 {
        return 0;
    }
    let bits = 128 - magnitude.leading_zeros();
    let scale = |v: i128| if bits > 40 { v >> (bits - 40) } else { v << (40 - bits) } as i64;
    let (mut x, mut y) = (scale(x), scale(y));
    let mut angle = 0_i64;
    if x < 0 {
        angle = if y < 0 { -(1 << 39) } else { 1 << 39 };
        (x, y) = (-x, -y);
    }
    for (k, step) in STEPS.iter().enumerate() {
        let (dx, dy) = (y >> k, x >> k);
        if y >= 0 {
            (x, y, angle) = (x + dx, y - dy, angle + step);
        } else {
            (x, y, angle) = (x - dx, y + dy, angle - step);
        }
    }
    (angle + (1 << 7)) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;

    #[test]
    fn rotation_agrees_with_the_float_functions() {
        for k in 0..20_000_u32 {
            let turn = k.wrapping_mul(214_741);
            let angle = f64::from(turn) / 4_294_967_296.0 * core::f64::consts::TAU;
            let (s, c) = sin_cos(turn);
            assert!(
                (f64::from(s) / 1_073_741_824.0 - angle.sin()).abs() < 3e-9,
                "{turn}"
            );
            assert!(
                (f64::from(c) / 1_073_741_824.0 - angle.cos()).abs() < 3e-9,
                "{turn}"
            );
            let back = angle_of(s.into(), c.into());
            assert!(
                (i64::from(turn as i32) - back).abs() <= 24 || turn.abs_diff(1 << 31) < 24,
                "{turn} {back}"
            );
        }
    }
}
