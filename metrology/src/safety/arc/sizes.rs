//! How much of a current's size the cycles around it do not tell.
//!
//! The strokes of a compressor and the output of an inverter make a current swell and fall, and its cycles differ then
//! though nothing is wrong. What swells evenly obeys a recurrence: two tones of any frequency, seen once a cycle,
//! satisfy x(n+2) + x(n-2) = a (x(n+1) + x(n-1)) + b x(n) exactly. The two factors are fitted by least squares, to the
//! newer and to the older half of the last cycles, each for itself: a start or a step spoils one of them only. What is
//! left is what no such load explains, and of an arc that is nearly all.

/// Cycles that are looked at, and those of a half.
const CYCLES: usize = 2 * HALF;
const HALF: usize = 16;
/// Equations of a half.
const EQUATIONS: i64 = HALF as i64 - 4;
/// Fraction bits of a deviation from the mean, and of the factors.
const FRACTION: u32 = 12;
/// Largest deviation that is looked at: half the mean. More is a load that was switched.
const MOST: i64 = (1 << (FRACTION - 1)) - 1;

/// Sizes of the last cycles, mean magnitudes in counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    ring: [u32; CYCLES],
    oldest: u8,
    known: u8,
}

impl Sizes {
    pub const NONE: Self = Self {
        ring: [0; CYCLES],
        oldest: 0,
        known: 0,
    };

    pub fn push(&mut self, size: u32) {
        if let Some(place) = self.ring.get_mut(usize::from(self.oldest)) {
            *place = size;
        }
        self.oldest = (self.oldest + 1) % CYCLES as u8;
        self.known = (self.known + 1).min(CYCLES as u8);
    }

    /// Mean of what the cycles around leave unexplained in the steadier half, ten-thousandths of its mean size; 0 until
    /// all cycles are known.
    pub fn unexplained_e4(&self) -> u32 {
        if usize::from(self.known) < CYCLES {
            return 0;
        }
        let halves = self.ring.split_at_checked(usize::from(self.oldest));
        let (newer, older) = halves.unwrap_or_default();
        let half = |from: usize| {
            let mut half = [0; HALF];
            let sizes = older.iter().chain(newer).skip(from);
            half.iter_mut()
                .zip(sizes)
                .for_each(|(place, size)| *place = *size);
            half
        };
        unexplained_e4(&half(0)).min(unexplained_e4(&half(HALF)))
    }
}

fn unexplained_e4(sizes: &[u32; HALF]) -> u32 {
    let sum: i64 = sizes.iter().map(|size| i64::from(*size)).sum();
    let mean = sum / HALF as i64;
    if mean <= 0 {
        return 0;
    }
    let x = sizes.map(|size| (((i64::from(size) - mean) << FRACTION) / mean).clamp(-MOST, MOST));
    let [a, b] = factors(&x);
    let left: i64 = equations(&x)
        .map(|(y, p, q)| (y - ((a * p + b * q) >> FRACTION)).abs())
        .sum();
    u32::try_from((left * 10_000 / EQUATIONS) >> FRACTION).unwrap_or(u32::MAX)
}

/// For each cycle that has two before and two behind it: sum of the outer two, of the inner two, and itself.
fn equations(x: &[i64; HALF]) -> impl Iterator<Item = (i64, i64, i64)> {
    x.windows(5).filter_map(|five| match five {
        [first, before, now, after, last] => Some((first + last, before + after, *now)),
        _ => None,
    })
}

/// Factors of least squares, Q12.
fn factors(x: &[i64; HALF]) -> [i64; 2] {
    let (mut pp, mut pq, mut qq, mut py, mut qy) = (0, 0, 0, 0, 0);
    for (y, p, q) in equations(x) {
        pp += p * p;
        pq += p * q;
        qq += q * q;
        py += p * y;
        qy += q * y;
    }
    // At most 12 · 2^24; 20 bits of it are enough and let every product below fit.
    let shift = (i64::BITS - i64::max(pp, qq).leading_zeros()).saturating_sub(20);
    let [mut pp, pq, mut qq, py, qy] = [pp, pq, qq, py, qy].map(|sum: i64| sum >> shift);
    // A single tone leaves one factor free: a little more on the diagonal takes the smaller ones.
    pp += (pp >> 8) + 1;
    qq += (qq >> 8) + 1;
    let det = pp * qq - pq * pq;
    [py * qq - qy * pq, qy * pp - py * pq].map(|factor| {
        let factor = (factor << FRACTION).checked_div(det).unwrap_or(0);
        factor.clamp(-16 << FRACTION, 16 << FRACTION)
    })
}
