//! What a converter delivers: one set of simultaneous samples.

/// Largest magnitude of a sample: 24 bits with sign. Samples beyond it are limited to it and flagged.
pub const FULL_SCALE: i32 = (1 << 23) - 1;

/// One simultaneous set of samples of `PHASES` voltages and currents, in counts of at most 24 bits.
///
/// A 16-bit converter's counts are shifted left by 8 ([`Sample::widened`]), so that one code path serves
/// both. The unit of a count is stated by the calibration.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample<const PHASES: usize> {
    /// Phase voltages, counts.
    pub u: [i32; PHASES],
    /// Phase currents, counts; positive power is import.
    pub i: [i32; PHASES],
    /// Neutral current, counts; read only when the calibration has a neutral channel.
    pub n: i32,
}

impl<const PHASES: usize> Sample<PHASES> {
    /// No signal on any channel.
    pub const ZERO: Self = Self {
        u: [0; PHASES],
        i: [0; PHASES],
        n: 0,
    };

    /// The same set with every channel shifted left by `SHIFT` bits, limited to the range of `i32`.
    #[must_use]
    pub fn widened<const SHIFT: u32>(mut self) -> Self {
        for channel in self.u.iter_mut().chain(&mut self.i).chain([&mut self.n]) {
            *channel = channel.saturating_mul(1_i32.checked_shl(SHIFT).unwrap_or(i32::MAX));
        }
        self
    }
}

/// Picks the voltage of a phase; of the last one for a phase that is not there.
///
/// So no loop over samples asks whether the channel is there: limited inside, because only there the compiler sees it.
pub(crate) fn voltage<const PHASES: usize>(phase: usize) -> impl Fn(&Sample<PHASES>) -> i32 {
    move |set| nth(&set.u, phase)
}

/// Picks the current of a phase, as [`voltage`].
pub(crate) fn current<const PHASES: usize>(phase: usize) -> impl Fn(&Sample<PHASES>) -> i32 {
    move |set| nth(&set.i, phase)
}

#[inline(always)]
fn nth<const PHASES: usize>(channels: &[i32; PHASES], phase: usize) -> i32 {
    let phase = phase.min(PHASES.saturating_sub(1));
    channels.get(phase).copied().unwrap_or(0)
}

impl<const PHASES: usize> Default for Sample<PHASES> {
    fn default() -> Self {
        Self::ZERO
    }
}
