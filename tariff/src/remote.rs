//! Remote control of the relay (DL/T 645 service 1CH): trip, close allowed, direct close, alarm,
//! keep power. The relay is open when either this or the purse wants it open.

/// A command, already authenticated and in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// 1A: open the relay after so many seconds.
    Trip {
        /// Trip delay (04001401) in seconds; 0 is at once.
        delay_s: u32,
    },
    /// 1D, 1E: open the relay now and let it come back by itself after so many seconds.
    TripFor {
        /// How long it stays open, in seconds.
        open_s: u32,
        /// 1E: the key closes then; 1D: the meter does.
        by_key: bool,
    },
    /// 1B: the key may close.
    AllowClose,
    /// 1C: close.
    Close,
    /// 2A: alarm lamp on.
    Alarm,
    /// 2B: alarm lamp off.
    AlarmOff,
    /// 3A: keep power.
    KeepPower,
    /// 3B: end keep power.
    KeepPowerOff,
}

/// A trip is refused while keep power is on; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedKeepPower;

impl core::fmt::Display for RefusedKeepPower {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("keep power is on")
    }
}

impl core::error::Error for RefusedKeepPower {}

/// The state that remote commands leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Remote {
    pub(crate) is_open: bool,
    pub(crate) close_allowed: bool,
    pub(crate) alarm: bool,
    pub(crate) keep_power: bool,
    pub(crate) trip_at_s: Option<i64>,
    /// When a trip for a time is over.
    pub(crate) back_at_s: Option<i64>,
    /// The key closes then.
    pub(crate) back_by_key: bool,
}

impl Remote {
    /// Obeys a command at UTC second `now_s`.
    ///
    /// # Errors
    /// [`RefusedKeepPower`] for a trip while keep power is on.
    pub fn command(&mut self, command: Command, now_s: i64) -> Result<(), RefusedKeepPower> {
        match command {
            Command::Trip { .. } | Command::TripFor { .. } if self.keep_power => {
                return Err(RefusedKeepPower);
            }
            Command::TripFor { open_s, by_key } => {
                *self = Remote {
                    is_open: true,
                    alarm: self.alarm,
                    back_at_s: Some(now_s.saturating_add(i64::from(open_s))),
                    back_by_key: by_key,
                    ..Remote::default()
                }
            }
            Command::Trip { delay_s } => {
                self.close_allowed = false;
                self.back_at_s = None;
                self.trip_at_s = (!self.is_open).then(|| now_s.saturating_add(i64::from(delay_s)));
            }
            Command::AllowClose => {
                self.trip_at_s = None;
                self.back_at_s = None;
                self.close_allowed = self.is_open;
            }
            Command::Close => {
                *self = Remote {
                    alarm: self.alarm,
                    keep_power: self.keep_power,
                    ..Remote::default()
                }
            }
            Command::Alarm => self.alarm = true,
            Command::AlarmOff => self.alarm = false,
            Command::KeepPower => {
                *self = Remote {
                    alarm: self.alarm,
                    keep_power: true,
                    ..Remote::default()
                }
            }
            Command::KeepPowerOff => self.keep_power = false,
        }
        self.handle_time(now_s);
        Ok(())
    }

    /// Carries out a delayed trip that is due, and the end of a trip for a time. True when the relay
    /// is now wanted open by a delayed trip.
    pub fn handle_time(&mut self, now_s: i64) -> bool {
        let due = self.trip_at_s.is_some_and(|at| at <= now_s);
        if due {
            self.trip_at_s = None;
            self.is_open = true;
        }
        if self.back_at_s.is_some_and(|at| at <= now_s) {
            self.back_at_s = None;
            self.is_open = self.back_by_key;
            self.close_allowed = self.back_by_key;
        }
        due
    }

    /// The clock was set by so many seconds: what runs keeps its length.
    pub(crate) fn shift(&mut self, seconds: i64) {
        for at in [&mut self.trip_at_s, &mut self.back_at_s] {
            *at = at.map(|at| at.saturating_add(seconds));
        }
    }

    /// The key: closes when that was allowed. True when it did.
    pub fn key(&mut self) -> bool {
        let closes = self.is_open && self.close_allowed;
        if closes {
            self.is_open = false;
            self.close_allowed = false;
        }
        closes
    }

    /// True when remote control wants the relay open.
    pub fn wants_open(&self) -> bool {
        self.is_open
    }

    /// True when the relay waits for the key.
    pub fn close_allowed(&self) -> bool {
        self.close_allowed
    }

    /// True when the last command was a trip, also while it is delayed (bit 6 of status word 3).
    pub fn commands_open(&self) -> bool {
        self.trip_at_s.is_some() || (self.is_open && !self.close_allowed)
    }

    /// True when keep power is on.
    pub fn keep_power(&self) -> bool {
        self.keep_power
    }

    /// True when the alarm was commanded (bit 7 of status word 3).
    pub fn alarm(&self) -> bool {
        self.alarm
    }

    /// When a delayed trip or the end of a trip for a time is due, in UTC seconds.
    pub fn deadline_s(&self) -> Option<i64> {
        self.trip_at_s.into_iter().chain(self.back_at_s).min()
    }

    /// Bits 4, 6, 7 and 12 of status word 3 (04000503) for the relay as given.
    pub fn status_bits(&self, relay_open: bool) -> u16 {
        u16::from(relay_open) << 4
            | u16::from(self.commands_open()) << 6
            | u16::from(self.alarm) << 7
            | u16::from(self.keep_power) << 12
    }
}
