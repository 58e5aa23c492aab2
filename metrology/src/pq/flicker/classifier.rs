//! Block 5: how long each level of flicker lasted, and the severities made of it.

use super::super::trig::cube_root;

/// Classes of a factor of two.
const PER_OCTAVE: u32 = 32;
/// 32 octaves: levels of 2^-20 to 2^12, which are the 32 bits of a level in Q20.
const CLASSES: usize = 32 * PER_OCTAVE as usize;

/// Counts of levels in logarithmic classes, at most 1/32 wide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classifier {
    /// Ten minutes at 100 a second are 60,000.
    counts: [u16; CLASSES],
}

/// Class of a level.
fn class_of(level: u32) -> usize {
    let level = level.max(1);
    let octave = level.ilog2();
    // Five bits below the leading one.
    let within = if octave >= 5 {
        level >> (octave - 5)
    } else {
        level << (5 - octave)
    } & 31;
    (octave * PER_OCTAVE + within) as usize
}

/// Lower end of a class, Q20 with 5 more bits.
fn begin_of(class: usize) -> u64 {
    let (octave, within) = (
        class as u32 / PER_OCTAVE,
        class as u64 % u64::from(PER_OCTAVE),
    );
    (32 + within) << octave.min(32)
}

impl Classifier {
    /// Nothing counted.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            counts: [0; CLASSES],
        }
    }

    /// Counts one level, Q20.
    pub fn count(&mut self, level: u32) {
        if let Some(count) = self.counts.get_mut(class_of(level)) {
            *count = count.saturating_add(1);
        }
    }

    /// Levels counted.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.counts.iter().map(|count| u32::from(*count)).sum()
    }

    /// Level exceeded during this part of the time (thousandths of a percent), Q25.
    fn exceeded(&self, part: u32) -> u64 {
        // In hundred-thousandths of a count.
        let wanted = u64::from(self.total()) * u64::from(part);
        let mut above = 0;
        for (class, count) in self.counts.iter().enumerate().rev() {
            let here = u64::from(*count) * 100_000;
            if here > 0 && above + here >= wanted {
                let (from, to) = (begin_of(class), begin_of(class + 1));
                // Evenly spread inside the class.
                let back = u128::from(to - from) * u128::from(wanted - above);
                return to - (back / u128::from(here)) as u64;
            }
            above += here;
        }
        0
    }

    /// Short-term severity Pst, millionths; `None` when nothing was counted.
    #[must_use]
    pub fn severity_ppm(&self) -> Option<u32> {
        if self.total() == 0 {
            return None;
        }
        let mean = |parts: &[u32]| {
            let sum: u64 = parts.iter().map(|part| self.exceeded(*part)).sum();
            u128::from(sum / parts.len().max(1) as u64)
        };
        // 0.0314 P0.1 + 0.0525 P1s + 0.0657 P3s + 0.28 P10s + 0.08 P50s, ten-thousandths.
        let sum = 314 * mean(&[100])
            + 525 * mean(&[700, 1000, 1500])
            + 657 * mean(&[2200, 3000, 4000])
            + 2800 * mean(&[6000, 8000, 10_000, 13_000, 17_000])
            + 800 * mean(&[30_000, 50_000, 80_000]);
        // Root of Q25 and ten-thousandths, in millionths.
        let square = sum * 1_000_000_000_000 / 10_000;
        Some(u32::try_from((square >> 25).isqrt()).unwrap_or(u32::MAX))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.counts = [0; CLASSES];
    }
}

impl Default for Classifier {
    fn default() -> Self {
        Self::new()
    }
}

/// Long-term severity Plt from twelve short-term ones (two hours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LongTerm {
    cubes: u128,
    count: u8,
}

impl LongTerm {
    /// Takes a Pst (millionths); the Plt (millionths) with each twelfth one.
    pub fn update(&mut self, severity_ppm: u32) -> Option<u32> {
        self.cubes += u128::from(severity_ppm).pow(3);
        self.count += 1;
        if self.count < 12 {
            return None;
        }
        let root = cube_root(self.cubes / 12);
        *self = Self::default();
        Some(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_and_meet() {
        for class in 0..CLASSES {
            assert!(begin_of(class) < begin_of(class + 1));
        }
        let mut before = 0;
        for k in 0..32_u32 {
            for part in 0..64_u32 {
                let level = ((64 + u64::from(part)) << k >> 6) as u32;
                let class = class_of(level);
                assert!(class >= before);
                before = class;
                let level = u64::from(level.max(1)) << 5;
                assert!(begin_of(class) <= level && level < begin_of(class + 1));
            }
        }
    }

    #[test]
    fn severity_of_a_constant_level() {
        let mut classifier = Classifier::new();
        assert_eq!(classifier.severity_ppm(), None);
        for _ in 0..60_000 {
            classifier.count(2 << 20);
        }
        // All percentiles are 2, spread over the class that begins there: 1/32 in level is 1/64 in its root.
        let got = f64::from(classifier.severity_ppm().unwrap_or(0)) / 1e6;
        assert!((got / (0.5096 * 2.0_f64).sqrt() - 1.0).abs() <= 1.0 / 64.0);
        classifier.clear();
        assert_eq!(classifier.total(), 0);
    }

    #[test]
    fn long_term_is_the_cubic_mean() {
        let mut long = LongTerm::default();
        for k in 1..12 {
            assert_eq!(long.update(k * 200_000), None);
        }
        let want = (1..=12).map(|k| (f64::from(k) * 0.2).powi(3)).sum::<f64>() / 12.0;
        let got = long.update(2_400_000).map_or(0.0, f64::from) / 1e6;
        assert!((got - want.cbrt()).abs() < 2e-6, "{got}");
    }
}
