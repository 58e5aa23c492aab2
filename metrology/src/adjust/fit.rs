//! The polynomial of temperature through two or three points.

use super::{Fault, fitting};
use crate::compensation::Drift;
use crate::division::rounded_div;

/// Unit of the ratios in [`Bench::drift`].
pub(super) const RATIO: i128 = 1_000_000_000_000_000;

/// r(T) = base · (1 + linear T + square T²) through two or three points (mK, 10^-15), by divided differences.
pub(super) fn polynomial(points: &[(i128, i128)]) -> Result<(i128, Drift), Fault> {
    // A slope is 10^-24 per mK, a curvature 10^-27 per mK².
    let slope = |(t0, r0): (i128, i128), (t1, r1): (i128, i128)| {
        let span: i128 = t1 - t0;
        if span.abs() < 5000 {
            return Err(Fault::Points);
        }
        Ok(rounded_div(
            (r1 - r0) * span.signum() * 1_000_000_000,
            span.abs(),
        ))
    };
    let (first, second, rise, bend) = match points {
        [a, b] => (*a, *b, slope(*a, *b)?, 0),
        [a, b, c] => {
            let (low, high) = (slope(*a, *b)?, slope(*b, *c)?);
            let span = c.0 - a.0;
            if span.abs() < 5000 {
                return Err(Fault::Points);
            }
            let bend = rounded_div((high - low) * span.signum() * 1000, span.abs());
            (*a, *b, low, bend)
        }
        _ => return Err(Fault::Points),
    };
    // Newton's form around zero.
    let linear = rise - rounded_div(bend * (first.0 + second.0), 1000);
    let base = first.1
        - rounded_div(
            rise * first.0 - rounded_div(bend * first.0 * second.0, 1000),
            1_000_000_000,
        );
    // 10^-24/mK over 10^-15 is 10^-9/mK, a thousandth of which is 10^-12 per mK or 10^-9 per K.
    let drift = Drift {
        linear_ppt: fitting(rounded_div(linear * 1_000_000, base))?,
        square_ppq: fitting(rounded_div(bend * 1_000_000_000, base))?,
    };
    Ok((base, drift))
}
