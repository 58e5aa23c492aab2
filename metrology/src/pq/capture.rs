//! Waveforms around an event: a ring of the caller's frames that stops some time after the trigger.

/// Keeps the newest frames until an event, then what is wanted after it.
///
/// ```
/// use metrology::pq::Capture;
///
/// let mut memory = [[0_i32; 1]; 8];
/// let mut capture = Capture::new(&mut memory, 3);
/// capture.record(&[[1], [2], [3], [4], [5], [6], [7], [8], [9], [10]]);
/// capture.trigger();
/// capture.record(&[[11], [12]]);
/// assert!(capture.frozen().is_none());
/// capture.record(&[[13], [14], [15]]);
/// // Five frames up to the trigger, three after it.
/// let frozen = capture.frozen().unwrap();
/// let frames: Vec<i32> = frozen.iter().map(|frame| frame[0]).collect();
/// assert_eq!((frames, frozen.before), (vec![6, 7, 8, 9, 10, 11, 12, 13], 5));
/// capture.release();
/// ```
#[derive(Debug)]
pub struct Capture<'a, const C: usize> {
    memory: &'a mut [[i32; C]],
    /// Place of the oldest frame once the ring is full.
    at: usize,
    filled: usize,
    after: usize,
    /// Frames still wanted; `None` while no event is awaited.
    wanted: Option<usize>,
    /// Position of the next frame, and of the first one after the trigger.
    position: u64,
    triggered: u64,
    missed: u32,
}

/// A finished capture.
#[derive(Clone, Copy, Debug)]
pub struct Frozen<'a, const C: usize> {
    older: &'a [[i32; C]],
    newer: &'a [[i32; C]],
    /// Frames up to the trigger.
    pub before: usize,
    /// Number of the first frame since the start.
    pub first: u64,
}

impl<'a, const C: usize> Frozen<'a, C> {
    /// The frames in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [i32; C]> + use<'a, C> {
        self.older.iter().chain(self.newer)
    }
}

impl<'a, const C: usize> Capture<'a, C> {
    /// A ring in `memory` of which `after` frames (at most all) are for the time after the trigger.
    #[must_use]
    pub fn new(memory: &'a mut [[i32; C]], after: usize) -> Self {
        let after = after.min(memory.len());
        Self {
            memory,
            at: 0,
            filled: 0,
            after,
            wanted: None,
            position: 0,
            triggered: 0,
            missed: 0,
        }
    }

    /// Takes frames. While a capture is frozen they are counted and not kept.
    pub fn record(&mut self, frames: &[[i32; C]]) {
        for frame in frames {
            self.position = self.position.wrapping_add(1);
            match &mut self.wanted {
                Some(0) => continue,
                Some(left) => *left -= 1,
                None => {}
            }
            if let Some(place) = self.memory.get_mut(self.at) {
                *place = *frame;
                self.at += 1;
                self.filled = self.filled.max(self.at);
            }
            if self.at >= self.memory.len() {
                self.at = 0;
            }
        }
    }

    /// An event begins with the next frame. While another one is captured or frozen, it is counted as missed.
    pub fn trigger(&mut self) {
        if self.wanted.is_some() {
            self.missed = self.missed.saturating_add(1);
        } else {
            (self.wanted, self.triggered) = (Some(self.after), self.position);
        }
    }

    /// The capture, when it is complete.
    #[must_use]
    pub fn frozen(&self) -> Option<Frozen<'_, C>> {
        if self.wanted != Some(0) {
            return None;
        }
        let kept = self.memory.get(..self.filled)?;
        // Not yet full: the ring begins at its start.
        let (newer, older) = if self.filled < self.memory.len() {
            (&kept[..0], kept)
        } else {
            kept.split_at_checked(self.at)?
        };
        let before = self.filled - self.after.min(self.filled);
        Some(Frozen {
            older,
            newer,
            before,
            first: self.triggered.saturating_sub(before as u64),
        })
    }

    /// Triggers that came while another capture was under way.
    #[must_use]
    pub const fn missed(&self) -> u32 {
        self.missed
    }

    /// Gives the frozen capture up and waits for the next event.
    pub fn release(&mut self) {
        (self.wanted, self.at, self.filled) = (None, 0, 0);
    }
}
