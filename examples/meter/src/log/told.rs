//! How often a line about the management core is written.
//!
//! The first of a kind is written at once. Those that follow are counted, and told together after a rest that grows from
//! a minute over 16 minutes and four hours to a day while it goes on: four lines on the first day and one on each
//! later one for every matter, however many questions come. A quiet day ends it.

use super::{Event, Matter};

/// Rests after the first, second and so on line, milliseconds; the last one stays.
const RESTS_MS: [u64; 4] = [60_000, 960_000, 15_360_000, DAY_MS];
const DAY_MS: u64 = 86_400_000;

#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    count: u32,
    since_s: u64,
    detail: u64,
    /// Before this nothing is written, milliseconds of the clock chip.
    next_ms: u64,
    /// Lines since the last quiet day.
    lines: u8,
}

/// What was not told yet.
#[derive(Debug, Default)]
pub(crate) struct Told([Pending; Matter::ALL.len()]);

impl Told {
    /// Counts one more.
    pub fn note(&mut self, matter: Matter, utc_s: u64, detail: u64) {
        let Some(pending) = self.0.get_mut(place(matter)) else {
            return;
        };
        if pending.count == 0 {
            pending.since_s = utc_s;
        }
        pending.count = pending.count.saturating_add(1);
        pending.detail = detail;
    }

    /// What may be told now; with `all` whatever the rest.
    pub fn due(&self, now_ms: u64, all: bool) -> Option<Event> {
        let due = |pending: &Pending| pending.count > 0 && (all || now_ms >= pending.next_ms);
        let mut rows = Matter::ALL.into_iter().zip(&self.0);
        rows.find(|(_, pending)| due(pending))
            .map(|(matter, pending)| Event::Asked {
                matter,
                count: pending.count,
                since_s: pending.since_s,
                detail: pending.detail,
            })
    }

    /// It was written.
    pub fn told(&mut self, matter: Matter, now_ms: u64) {
        let Some(pending) = self.0.get_mut(place(matter)) else {
            return;
        };
        let quiet = now_ms.saturating_sub(pending.next_ms) >= DAY_MS;
        let before = if quiet { 0 } else { pending.lines };
        let rest_ms = RESTS_MS.get(usize::from(before)).unwrap_or(&DAY_MS);
        *pending = Pending {
            next_ms: now_ms.saturating_add(*rest_ms),
            lines: before.saturating_add(1),
            ..Pending::default()
        };
    }
}

fn place(matter: Matter) -> usize {
    usize::from(matter as u8).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_four_times_on_its_first_day_and_once_a_day_then() {
        let mut told = Told::default();
        let mut lines = Vec::new();
        let mut counted = 0;
        // A question every 10 s for ten days.
        for second in (0..10 * 86_400).step_by(10) {
            told.note(Matter::Unknown, second, second);
            while let Some(Event::Asked { matter, count, .. }) = told.due(second * 1000, false) {
                assert_eq!(matter, Matter::Unknown);
                told.told(matter, second * 1000);
                lines.push(second);
                counted += count;
            }
        }
        assert_eq!(&lines[..4], [0, 60, 1_020, 16_380]);
        assert_eq!(lines.len(), 13);
        assert!(counted > 9 * 8_640, "all but the last day's: {counted}");
        // What is left comes at a clean end.
        assert!(matches!(told.due(0, true), Some(Event::Asked { .. })));
        assert!(told.due(0, false).is_none());
    }

    #[test]
    fn a_quiet_day_lets_the_next_be_told_at_once_and_soon_again() {
        let mut told = Told::default();
        for now_ms in [0, 60_000, 90_000_000, 90_060_000] {
            told.note(Matter::Started, now_ms / 1000, 1);
            assert!(told.due(now_ms, false).is_some(), "{now_ms}");
            told.told(Matter::Started, now_ms);
        }
        told.note(Matter::Started, 90_061, 1);
        assert!(told.due(90_061_000, false).is_none());
    }
}
