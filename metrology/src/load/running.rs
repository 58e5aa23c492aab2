//! A machine behind its own meter: when it starts, when it stops, how long it ran.

use super::step::Window;

/// When a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// It runs at this active power and above, either direction, microwatts.
    pub start_uw: u64,
    /// It stands below this power, microwatts.
    pub stop_uw: u64,
    /// How long either must hold, milliseconds.
    pub delay_ms: u32,
}

/// What happened with a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Running {
    /// It started so long before the end of the window, milliseconds.
    Started {
        /// Milliseconds.
        since_ms: u32,
    },
    /// It stopped so long before the end of the window.
    Stopped {
        /// Milliseconds.
        since_ms: u32,
    },
}

/// Watches one machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunMonitor {
    runs: bool,
    pending_ms: u32,
    total_ms: u64,
    starts: u32,
}

impl RunMonitor {
    /// It stands.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            runs: false,
            pending_ms: 0,
            total_ms: 0,
            starts: 0,
        }
    }

    /// Goes on with what was stored.
    #[must_use]
    pub const fn resume(runs: bool, total_ms: u64, starts: u32) -> Self {
        Self {
            runs,
            pending_ms: 0,
            total_ms,
            starts,
        }
    }

    /// Whether it runs.
    #[must_use]
    pub const fn runs(&self) -> bool {
        self.runs
    }

    /// Running time, milliseconds.
    #[must_use]
    pub const fn total_ms(&self) -> u64 {
        self.total_ms
    }

    /// Starts so far.
    #[must_use]
    pub const fn starts(&self) -> u32 {
        self.starts
    }

    /// Takes the next window.
    pub fn update(&mut self, limits: &RunLimits, window: &Window) -> Option<Running> {
        let power = window.active_uw.unsigned_abs();
        let wanted = if self.runs {
            power >= limits.stop_uw
        } else {
            power >= limits.start_uw
        };
        if wanted == self.runs {
            // What was pending was no change: it counts as what the machine did.
            let passed = u64::from(self.pending_ms) + u64::from(window.elapsed_ms);
            self.total_ms = self
                .total_ms
                .saturating_add(if self.runs { passed } else { 0 });
            self.pending_ms = 0;
            return None;
        }
        self.pending_ms = self.pending_ms.saturating_add(window.elapsed_ms);
        if self.pending_ms < limits.delay_ms {
            return None;
        }
        let since_ms = core::mem::take(&mut self.pending_ms);
        self.runs = wanted;
        if wanted {
            self.total_ms = self.total_ms.saturating_add(since_ms.into());
            self.starts = self.starts.saturating_add(1);
            Some(Running::Started { since_ms })
        } else {
            Some(Running::Stopped { since_ms })
        }
    }
}
