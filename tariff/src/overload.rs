//! The over-power trip: the relay opens when the power stays above a limit, comes back by itself a few
//! times, and waits for the key after that.
//!
//! ```text
//! Calm ──power above limit──> Above ──for after_s──> Tripped ──after reclose_s, tries left──> Calm
//!   ^                           │                       │
//!   └──power at or below limit──┘                       └──key, remote close──> Calm, tries anew
//! ```

/// Seconds without power above the limit after which the tries begin anew.
const CALM_S: i64 = 3600;

/// When the relay opens for too much power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerLimit {
    /// Highest power that may last, watts.
    pub watts: u32,
    /// How long it may be above, seconds.
    pub after_s: u32,
    /// After how many seconds the relay closes by itself; 0 waits for the key.
    pub reclose_s: u32,
    /// How often it closes by itself before the key is needed.
    pub tries: u8,
    /// Opens in spite of keep power.
    pub despite_keep_power: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    #[default]
    Calm,
    Above,
    Tripped,
}

/// The state of an over-power trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Overload {
    pub(crate) phase: Phase,
    /// UTC second at which the phase began.
    pub(crate) since_s: i64,
    /// How often the relay closed by itself.
    pub(crate) used: u8,
    pub(crate) despite_keep_power: bool,
}

impl Overload {
    /// Takes the mean power since the last call; `None` when it is not known. Without a limit
    /// nothing trips and an open relay is let go.
    pub fn handle(&mut self, limit: Option<&PowerLimit>, now_s: i64, watts: Option<u32>) {
        let Some(limit) = limit else {
            *self = Overload::default();
            return;
        };
        let lasted = now_s.saturating_sub(self.since_s);
        if self.phase == Phase::Calm && lasted >= CALM_S {
            self.used = 0;
        }
        match (self.phase, watts) {
            (Phase::Calm, Some(watts)) if watts > limit.watts => self.enter(Phase::Above, now_s),
            (Phase::Above, Some(watts)) if watts <= limit.watts => self.enter(Phase::Calm, now_s),
            (Phase::Tripped, _)
                if limit.reclose_s > 0
                    && self.used < limit.tries
                    && lasted >= i64::from(limit.reclose_s) =>
            {
                self.used += 1;
                self.enter(Phase::Calm, now_s);
            }
            _ => {}
        }
        let lasted = now_s.saturating_sub(self.since_s);
        if self.phase == Phase::Above && lasted >= i64::from(limit.after_s) {
            self.despite_keep_power = limit.despite_keep_power;
            self.enter(Phase::Tripped, now_s);
        }
    }

    /// Key or remote close: closes and gives all tries back. True when it was open.
    pub fn release(&mut self, now_s: i64) -> bool {
        let was = self.is_tripped();
        if was {
            self.used = 0;
            self.enter(Phase::Calm, now_s);
        }
        was
    }

    fn enter(&mut self, phase: Phase, now_s: i64) {
        (self.phase, self.since_s) = (phase, now_s);
    }

    /// True between trip and closing.
    #[must_use]
    pub fn is_tripped(&self) -> bool {
        self.phase == Phase::Tripped
    }

    /// True when the relay is wanted open.
    #[must_use]
    pub fn wants_open(&self, keep_power: bool) -> bool {
        self.is_tripped() && (self.despite_keep_power || !keep_power)
    }

    /// When [`Overload::handle`] is due at the latest, in UTC seconds.
    #[must_use]
    pub fn deadline_s(&self, limit: Option<&PowerLimit>) -> Option<i64> {
        let limit = limit?;
        let after = match self.phase {
            Phase::Calm => return None,
            Phase::Above => limit.after_s,
            Phase::Tripped if limit.reclose_s > 0 && self.used < limit.tries => limit.reclose_s,
            Phase::Tripped => return None,
        };
        Some(self.since_s.saturating_add(after.into()))
    }

    pub(crate) fn shift(&mut self, seconds: i64) {
        self.since_s = self.since_s.saturating_add(seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::{Overload, PowerLimit};

    #[test]
    fn trips_after_its_delay_comes_back_twice_and_then_waits_for_the_key() {
        let limit = PowerLimit {
            watts: 5000,
            after_s: 60,
            reclose_s: 120,
            tries: 2,
            despite_keep_power: false,
        };
        let mut state = Overload::default();
        let mut now = 0;
        let mut story = |state: &mut Overload, seconds, watts| {
            now += seconds;
            state.handle(Some(&limit), now, Some(watts));
            (state.is_tripped(), now)
        };
        assert!(!story(&mut state, 10, 6000).0);
        assert!(!story(&mut state, 59, 6000).0);
        assert!(!story(&mut state, 1, 5000).0, "back at the limit in time");
        for _ in 0..2 {
            story(&mut state, 1, 5001);
            assert!(story(&mut state, 60, 5001).0);
            assert!(story(&mut state, 119, 0).0);
            assert!(!story(&mut state, 1, 0).0);
        }
        story(&mut state, 1, 9000);
        let (tripped, at) = story(&mut state, 60, 9000);
        assert!(tripped && state.wants_open(false) && !state.wants_open(true));
        assert_eq!(state.deadline_s(Some(&limit)), None);
        assert!(story(&mut state, 100_000, 0).0, "two tries are used");
        assert!(state.release(at + 100_000) && !state.is_tripped());
        assert_eq!(state.used, 0);
        story(&mut state, 1, 9000);
        assert_eq!(state.deadline_s(Some(&limit)), Some(at + 100_001 + 60));
        state.handle(None, at, None);
        assert_eq!(state, Overload::default());
    }
}
