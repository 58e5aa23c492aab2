//! A value against two thresholds with hysteresis and delay.

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Nothing.
    #[default]
    Normal = 0,
    /// Somebody should look.
    Warning = 1,
    /// It is dangerous: alarm or trip.
    Alarm = 2,
}

/// Two thresholds in the unit of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// Warning at this value and above.
    pub warning: u64,
    /// Alarm at this value and above.
    pub alarm: u64,
    /// A level is left when the value is this much below its threshold.
    pub hysteresis: u64,
    /// How long a level must be reached, or left, before it is told, milliseconds.
    pub delay_ms: u32,
}

impl Threshold {
    /// The level of a value, seen from the level it is in.
    fn level(&self, value: u64, now: Level) -> Level {
        let reaches = |threshold: u64, level: Level| {
            let left = if now >= level { self.hysteresis } else { 0 };
            value >= threshold.saturating_sub(left)
        };
        if reaches(self.alarm, Level::Alarm) {
            Level::Alarm
        } else if reaches(self.warning, Level::Warning) {
            Level::Warning
        } else {
            Level::Normal
        }
    }
}

/// Watches one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    level: Level,
    pending_ms: u32,
}

impl Watch {
    /// Nothing was seen.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            level: Level::Normal,
            pending_ms: 0,
        }
    }

    /// The level now.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Takes the next value, which stood for `elapsed_ms`; the new level when it changed.
    ///
    /// A rise waits for the delay once, whichever level it ends at: a value that goes on from warning to alarm within the
    /// delay is told as what it is at the end.
    pub fn update(&mut self, threshold: &Threshold, value: u64, elapsed_ms: u32) -> Option<Level> {
        let level = threshold.level(value, self.level);
        if level == self.level {
            self.pending_ms = 0;
            return None;
        }
        self.pending_ms = self.pending_ms.saturating_add(elapsed_ms);
        if self.pending_ms < threshold.delay_ms {
            return None;
        }
        self.pending_ms = 0;
        self.level = level;
        Some(level)
    }
}
