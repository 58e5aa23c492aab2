//! The pulse outputs: evenly spaced pulses from the energy of whole windows, to the fraction of a sample.
//!
//! Instantaneous power ripples with twice the mains frequency, and so would pulses that follow it. Here each
//! window's energy is played at a constant rate over the time it took, one window late:
//!
//! ```text
//! energy    │  window 1   │  window 2  │  window 3   │
//! arrives                 1            2             3
//! played                  ├── 1 ───────┼── 2 ────┼── 3 ──────┤
//! output                  ┘└───┘└───┘└───┘└──┘└──┘└──┘└───┘
//! ```
//! The shares come from the remainder that drives the pulse register, so the output never drifts from it.

use crate::calibration::{CalibrationError, Rule, bad};

/// Windows that may wait; further ones join the last.
const QUEUE: usize = 4;
/// One pulse in the unit of shares.
const PULSE: u128 = 1 << 32;

/// A change of a pulse output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Samples after the start of the block.
    pub sample: u32,
    /// The fraction of a sample after it, 2^-16: for a timer compare; without one the edge moves by less
    /// than a sample.
    pub fraction: u16,
    /// A pulse begins; otherwise it ends.
    pub rising: bool,
}

/// One window's energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    /// 2^-32 pulse.
    energy: u64,
    /// Samples, Q16.
    length: u64,
    /// When it came, samples Q16.
    arrival: u64,
}

/// One pulse output. Times inside are samples since it was made, Q16.
///
/// ```
/// use metrology::{Edge, PulseOutput};
///
/// let mut output = PulseOutput::try_new(8_000_000, 30_000, 0)?;
/// // A window of 0.2 s brought 3.5 pulses; the next block has 1000 samples.
/// output.advance(7 << 31, 1600 << 16, 1000);
/// let first = output.next_edge();
/// assert_eq!(first, Some(Edge { sample: 457, fraction: 9363, rising: true }));
/// // Half a period is shorter than 30 ms.
/// assert_eq!(output.next_edge().map(|edge| (edge.sample, edge.rising)), Some((685, false)));
/// # Ok::<(), metrology::CalibrationError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PulseOutput {
    queue: [Share; QUEUE],
    waiting: usize,
    /// The share that is played, and when it began.
    playing: Share,
    began: u64,
    /// Energy from the last pulse to the beginning of the share, less than a pulse.
    phase: u32,
    /// Pulses already taken from the share.
    taken: u64,
    /// A pulse that is due from this time on, and its width.
    due: Option<(u64, u64)>,
    /// When the pulse that is being given ends, and its width.
    high: Option<(u64, u64)>,
    /// The next pulse may not begin before.
    ready: u64,
    width: u64,
    /// Start and end of the block whose edges are asked for.
    block: u64,
    horizon: u64,
}

impl PulseOutput {
    /// An output whose pulses last `width_us` microseconds, but never more than half their distance.
    ///
    /// An S0 output (IEC 62053-31) wants 30,000 to 100,000; a test light 200 and more. `phase` is the part of
    /// a pulse, in 2^-32, that the registers already hold: `Meter::pulse_phases`.
    ///
    /// # Errors
    /// [`CalibrationError::Parameter`] for a sample rate outside 600,000 to 64,000,000 mHz or a width outside
    /// 200 to 100,000 µs.
    pub fn try_new(
        sample_rate_mhz: u32,
        width_us: u32,
        phase: u32,
    ) -> Result<Self, CalibrationError> {
        for (name, value, min, max) in [
            ("sample_rate_mhz", sample_rate_mhz, 600_000, 64_000_000),
            ("width_us", width_us, 200, 100_000),
        ] {
            if !(min..=max).contains(&i64::from(value)) {
                return Err(bad(name, None, Rule::Range { min, max }));
            }
        }
        let samples = u128::from(sample_rate_mhz) * u128::from(width_us);
        Ok(Self {
            queue: [Share::default(); QUEUE],
            waiting: 0,
            playing: Share::default(),
            began: 0,
            phase,
            taken: 0,
            due: None,
            high: None,
            ready: 0,
            width: ((samples << 16) / 1_000_000_000) as u64,
            block: 0,
            horizon: 0,
        })
    }

    /// Goes on to the next block of `samples` samples: call it after [`Meter::process`](crate::Meter::process)
    /// with what its progress says, then take the edges that this block has with [`PulseOutput::next_edge`].
    ///
    /// `energy` is `share.active` or `share.reactive`, `length_q16` is `share.length_q16`.
    pub fn advance(&mut self, energy: u64, length_q16: u64, samples: u32) {
        // Edges that nobody took are not lost: they move to the start of the new block.
        self.block = self.horizon;
        self.horizon = self.horizon.saturating_add(u64::from(samples) << 16);
        if energy == 0 && length_q16 == 0 {
            return;
        }
        let share = Share {
            energy,
            length: length_q16.max(1),
            arrival: self.block,
        };
        if let Some(place) = self.queue.get_mut(self.waiting) {
            *place = share;
            self.waiting += 1;
        } else if let Some(last) = self.queue.last_mut() {
            last.energy = last.energy.saturating_add(share.energy);
            last.length = last.length.saturating_add(share.length);
        }
    }

    /// The next edge of the block, in the order of time.
    pub fn next_edge(&mut self) -> Option<Edge> {
        if let Some((end, width)) = self.high {
            if end >= self.horizon {
                return None;
            }
            // The pause before the next pulse is at least as long as this one was.
            self.high = None;
            self.ready = end.saturating_add(width);
            return Some(self.edge(end, false));
        }
        let (time, width) = match self.due {
            Some(due) => due,
            None => self.next_pulse()?,
        };
        let time = time.max(self.ready).max(self.block);
        if time >= self.horizon {
            self.due = Some((time, width));
            return None;
        }
        self.due = None;
        self.high = Some((time.saturating_add(width), width));
        Some(self.edge(time, true))
    }

    fn edge(&self, time: u64, rising: bool) -> Edge {
        let at = time.saturating_sub(self.block);
        Edge {
            sample: u32::try_from(at >> 16).unwrap_or(u32::MAX),
            fraction: at as u16,
            rising,
        }
    }

    /// Time and width of the next pulse, as far as shares have come. Ends: each turn takes a share.
    fn next_pulse(&mut self) -> Option<(u64, u64)> {
        loop {
            let Share { energy, length, .. } = self.playing;
            let wanted = (u128::from(self.taken) + 1) * PULSE - u128::from(self.phase);
            if energy > 0 && wanted <= u128::from(energy) {
                let part = (wanted * u128::from(length)).div_ceil(u128::from(energy));
                let half = (PULSE / 2 * u128::from(length)) / u128::from(energy);
                self.taken += 1;
                let half = u64::try_from(half).unwrap_or(u64::MAX);
                let time = self.began.saturating_add(part as u64);
                return Some((time, self.width.min(half).max(1)));
            }
            if self.waiting == 0 {
                return None;
            }
            let total = u128::from(energy) + u128::from(self.phase);
            self.phase = total as u32;
            self.taken = 0;
            let end = self.began.saturating_add(length);
            let [next, rest @ ..] = self.queue;
            self.began = end.max(next.arrival);
            self.playing = next;
            for (place, share) in self.queue.iter_mut().zip(rest) {
                *place = share;
            }
            self.waiting -= 1;
        }
    }
}
