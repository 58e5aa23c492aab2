//! Voltage dips, swells and interruptions from Urms(1/2) (IEC 61000-4-30, 5.4 and 5.5), polyphase.
//!
//! A dip begins when one channel falls below its threshold and ends when all are above threshold plus
//! hysteresis; a swell likewise above. An interruption begins when all channels are below its threshold and
//! ends when one is above threshold plus hysteresis. An interruption lies inside a dip; both are told.

use super::half_cycle::HalfCycle;

/// What happens to a voltage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// One channel low.
    Dip = 0,
    /// One channel high.
    Swell = 1,
    /// All channels gone.
    Interruption = 2,
}

impl EventKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Dip, Self::Swell, Self::Interruption];
}

/// What the thresholds are parts of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reference {
    /// The declared voltage.
    Declared,
    /// A one-minute mean of each channel (dips and swells; interruptions keep the declared voltage).
    Sliding,
}

/// Thresholds of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Declared voltage Udin, counts Q8.
    pub declared: u32,
    /// What dips and swells are measured against.
    pub reference: Reference,
    /// Dip below, parts per million.
    pub dip_ppm: u32,
    /// Swell above, parts per million.
    pub swell_ppm: u32,
    /// Interruption below, parts per million.
    pub interruption_ppm: u32,
    /// Between begin and end, parts per million.
    pub hysteresis_ppm: u32,
}

impl Thresholds {
    /// 90 %, 110 %, 5 % and 2 % of a declared voltage in counts Q8.
    #[must_use]
    pub const fn new(declared: u32) -> Self {
        Self {
            declared,
            reference: Reference::Declared,
            dip_ppm: 900_000,
            swell_ppm: 1_100_000,
            interruption_ppm: 50_000,
            hysteresis_ppm: 20_000,
        }
    }
}

/// A dip, swell or interruption, from its begin on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub kind: EventKind,
    /// Channels that were beyond the threshold at any time, bit 0 for the first.
    pub channels: u8,
    /// Number of the half cycle whose Urms(1/2) began it.
    pub first: u64,
    /// Number of the half cycle whose Urms(1/2) ended it, or of the newest one while it lasts.
    pub end: u64,
    /// Begin of the cycle of the first Urms(1/2), samples Q16 since the start.
    pub begin: u64,
    /// Time until the begin of the cycle that ended it (or of the newest one), samples Q16.
    pub duration: u64,
    /// Residual voltage of a dip or interruption (the lowest Urms(1/2) of any channel), or the highest one of
    /// a swell; counts Q8.
    pub extreme: u32,
    /// Channel of the extreme.
    pub extreme_channel: u8,
    /// Whether it is over.
    pub over: bool,
}

/// What a half cycle changed.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventChanges {
    /// Events that began, by [`EventKind`].
    pub begun: [Option<Event>; 3],
    /// Events that ended, by [`EventKind`].
    pub ended: [Option<Event>; 3],
}

impl EventChanges {
    /// Whether an event began.
    #[must_use]
    pub fn any_begun(&self) -> bool {
        self.begun.iter().any(Option::is_some)
    }
}

/// Watches up to eight voltages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events<const C: usize> {
    thresholds: Thresholds,
    /// Sliding reference of each channel, counts Q8 with 16 more bits.
    sliding: [u64; C],
    open: [Option<Event>; 3],
}

impl<const C: usize> Events<C> {
    /// No event; the sliding references are the declared voltage.
    #[must_use]
    pub const fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            sliding: [(thresholds.declared as u64) << 16; C],
            open: [None; 3],
        }
    }

    /// Events that last, by [`EventKind`].
    #[must_use]
    pub const fn open(&self) -> &[Option<Event>; 3] {
        &self.open
    }

    /// Sliding reference of a channel, counts Q8.
    #[must_use]
    pub fn sliding(&self, channel: usize) -> Option<u32> {
        self.sliding.get(channel).map(|level| (level >> 16) as u32)
    }

    /// Takes the rms values of a 10/12-cycle window, for the sliding reference. Windows in which an event
    /// was are flagged and change nothing.
    pub fn slide(&mut self, window: &[u32; C], flagged: bool) {
        if flagged {
            return;
        }
        for (sliding, rms) in self.sliding.iter_mut().zip(window) {
            // 0.9967 of the old and 0.0033 of the new: 0.2 s in one minute.
            *sliding = (*sliding / 10_000) * 9967
                + (*sliding % 10_000) * 9967 / 10_000
                + (u64::from(*rms) << 16) / 10_000 * 33;
        }
    }

    /// Judges one half cycle. `watched` tells which channels are voltages to be watched, bit 0 for the first.
    pub fn update(&mut self, half: &HalfCycle<C>, watched: u8) -> EventChanges {
        let mut changes = EventChanges::default();
        if !half.valid {
            return changes;
        }
        for (kind, slot) in EventKind::ALL.into_iter().zip(0..) {
            let Some(open) = self.open.get(slot).copied() else {
                continue;
            };
            let judged = self.judge(kind, half, watched, open.is_some());
            let next = match open {
                None if judged.beyond == 0 => continue,
                None => {
                    let begun = Event {
                        kind,
                        channels: judged.beyond,
                        first: half.index,
                        end: half.index,
                        begin: half.begin,
                        duration: 0,
                        extreme: judged.extreme,
                        extreme_channel: judged.channel,
                        over: false,
                    };
                    place(&mut changes.begun, slot, begun);
                    Some(begun)
                }
                Some(mut event) => {
                    event.end = half.index;
                    event.duration = half.begin.saturating_sub(event.begin);
                    if judged.beyond == 0 {
                        event.over = true;
                        place(&mut changes.ended, slot, event);
                        None
                    } else {
                        event.channels |= judged.beyond;
                        let worse = if kind == EventKind::Swell {
                            judged.extreme > event.extreme
                        } else {
                            judged.extreme < event.extreme
                        };
                        if worse {
                            event.extreme = judged.extreme;
                            event.extreme_channel = judged.channel;
                        }
                        Some(event)
                    }
                }
            };
            if let Some(place) = self.open.get_mut(slot) {
                *place = next;
            }
        }
        changes
    }

    fn judge(&self, kind: EventKind, half: &HalfCycle<C>, watched: u8, open: bool) -> Judged {
        let t = &self.thresholds;
        let limit = match (kind, open) {
            (EventKind::Dip, false) => t.dip_ppm,
            (EventKind::Dip, true) => t.dip_ppm.saturating_add(t.hysteresis_ppm),
            (EventKind::Swell, false) => t.swell_ppm,
            (EventKind::Swell, true) => t.swell_ppm.saturating_sub(t.hysteresis_ppm),
            (EventKind::Interruption, false) => t.interruption_ppm,
            (EventKind::Interruption, true) => t.interruption_ppm.saturating_add(t.hysteresis_ppm),
        };
        let mut judged = Judged {
            beyond: 0,
            extreme: if kind == EventKind::Swell {
                0
            } else {
                u32::MAX
            },
            channel: 0,
        };
        let mut all = true;
        for ((channel, urms), sliding) in (0_u8..8).zip(&half.urms).zip(&self.sliding) {
            if watched & (1 << channel) == 0 {
                continue;
            }
            let reference = match (t.reference, kind) {
                (Reference::Declared, _) | (_, EventKind::Interruption) => u64::from(t.declared),
                (Reference::Sliding, _) => sliding >> 16,
            };
            let (value, edge) = (u64::from(*urms) * 1_000_000, reference * u64::from(limit));
            let beyond = match kind {
                EventKind::Swell => value > edge,
                _ => value < edge,
            };
            if beyond {
                judged.beyond |= 1 << channel;
            } else {
                all = false;
            }
            let more = match kind {
                EventKind::Swell => *urms > judged.extreme,
                _ => *urms < judged.extreme,
            };
            if more {
                (judged.extreme, judged.channel) = (*urms, channel);
            }
        }
        // An interruption takes all channels, to begin and to last.
        if kind == EventKind::Interruption && !all {
            judged.beyond = 0;
        }
        judged
    }
}

fn place(slots: &mut [Option<Event>; 3], slot: usize, event: Event) {
    if let Some(place) = slots.get_mut(slot) {
        *place = Some(event);
    }
}

/// One half cycle against one threshold.
struct Judged {
    beyond: u8,
    extreme: u32,
    channel: u8,
}
