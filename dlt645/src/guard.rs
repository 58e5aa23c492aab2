//! Who may change a meter: levels, passwords, lock-out, programming button, programming records (sections 4.2 and 6.1 of
//! the fact sheet), and when a broadcast time is taken.

use crate::data_id::DataId;
use crate::error::Err645;
use crate::format::Format;
use crate::layout::Layout;
use crate::message::{Authority, Operator, Password};
use crate::record::RecordWriter;
use crate::time::Stamp;
use crate::value::{Value, ValueError};

/// Plain levels 00 to 09.
const LEVELS: usize = 10;
/// Identifiers in one programming record.
const RECORDED: usize = 10;

/// How strict a meter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardRules {
    /// Wrong passwords in a row that lock plain access; 0 never locks.
    pub wrong_passwords: u8,
    /// Milliseconds for which it stays locked.
    pub lock_ms: u64,
    /// Whether writing under a plain password needs the programming button too, as smart meters ask.
    pub button: bool,
    /// Milliseconds for which a press of the button allows programming.
    pub button_ms: u64,
}

impl Default for GuardRules {
    /// Three wrong passwords lock for 24 hours; no button needed, and a press lasts four hours.
    fn default() -> Self {
        GuardRules {
            wrong_passwords: 3,
            lock_ms: 24 * 3_600_000,
            button: false,
            button_ms: 4 * 3_600_000,
        }
    }
}

/// Passwords and programming state of a meter. Give it to [`Slave::set_guard`](crate::Slave::set_guard), and requests
/// reach the application only with the right level and password.
#[derive(Clone)]
pub struct Guard {
    passwords: [Option<u32>; LEVELS],
    rules: GuardRules,
    wrong: u8,
    locked_until: Option<u64>,
    button_until: Option<u64>,
    programming: Option<Programming>,
    finished: Option<Programming>,
}

// Passwords do not belong into logs.
impl core::fmt::Debug for Guard {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Guard")
            .field("wrong", &self.wrong)
            .field("locked_until", &self.locked_until)
            .field("button_until", &self.button_until)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// A guard without any password: everything under a plain level is refused.
    #[must_use]
    pub const fn new(rules: GuardRules) -> Self {
        Guard {
            passwords: [None; LEVELS],
            rules,
            wrong: 0,
            locked_until: None,
            button_until: None,
            programming: None,
            finished: None,
        }
    }

    /// Sets the password of a level 0 to 9, six packed digits; other levels are ignored.
    #[must_use]
    pub fn password(mut self, level: u8, digits: u32) -> Self {
        self.set_password(Password { level, digits });
        self
    }

    /// As [`Guard::password`], later.
    pub fn set_password(&mut self, password: Password) {
        if let Some(place) = self.passwords.get_mut(usize::from(password.level)) {
            *place = Some(password.digits);
        }
    }

    /// Whether a lock-out lasts at `now`.
    #[must_use]
    pub fn is_locked(&self, now: u64) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// Whether the programming button allows programming at `now`.
    #[must_use]
    pub fn is_programming(&self, now: u64) -> bool {
        self.button_until.is_some_and(|until| now < until)
    }

    /// Somebody pressed the programming button: on, or off if it was on.
    pub fn press_button(&mut self, now: u64) {
        if self.is_programming(now) {
            self.button_until = None;
            self.close();
        } else {
            self.button_until = Some(now.saturating_add(self.rules.button_ms));
        }
    }

    /// Checks level and password of a request that needs level `needed` or a better one, which is a lower number.
    ///
    /// # Errors
    /// [`Err645::NOT_AUTHORISED`].
    pub fn check(&mut self, now: u64, password: Password, needed: u8) -> Result<(), Err645> {
        if self.is_locked(now) {
            return Err(Err645::NOT_AUTHORISED);
        }
        let known = self
            .passwords
            .get(usize::from(password.level))
            .copied()
            .flatten();
        if known != Some(password.digits) {
            self.wrong = self.wrong.saturating_add(1);
            if self.rules.wrong_passwords != 0 && self.wrong >= self.rules.wrong_passwords {
                self.locked_until = Some(now.saturating_add(self.rules.lock_ms));
                self.wrong = 0;
            }
            return Err(Err645::NOT_AUTHORISED);
        }
        self.wrong = 0;
        self.locked_until = None;
        if password.level <= needed {
            Ok(())
        } else {
            Err(Err645::NOT_AUTHORISED)
        }
    }

    pub(crate) fn check_write(
        &mut self,
        now: u64,
        authority: &Authority,
        needed: u8,
    ) -> Result<(), Err645> {
        self.check(now, authority.password, needed)?;
        if self.rules.button && !self.is_programming(now) {
            return Err(Err645::NOT_AUTHORISED);
        }
        Ok(())
    }

    /// Function 18: the old password is right and its level is at least as high as that of the new one.
    pub(crate) fn check_change(
        &mut self,
        now: u64,
        old: Password,
        new: Password,
    ) -> Result<(), Err645> {
        self.check(now, old, new.level)?;
        if usize::from(new.level) < LEVELS {
            Ok(())
        } else {
            Err(Err645::NOT_AUTHORISED)
        }
    }

    /// Remembers a write for the programming record (033000).
    pub(crate) fn record(&mut self, id: DataId, operator: Operator) {
        match &mut self.programming {
            Some(open) if open.operator == operator && open.count < RECORDED => open.push(id),
            _ => {
                self.close();
                let mut open = Programming {
                    operator,
                    ids: [DataId(0xFFFF_FFFF); RECORDED],
                    count: 0,
                };
                open.push(id);
                self.programming = Some(open);
            }
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.programming.take() {
            self.finished = Some(open);
        }
    }

    /// A programming record that has ended, once: another operator came, ten items were written, or the button was
    /// released. The application stores it with its time. Poll after each request, or an older one is lost.
    pub fn poll_programming(&mut self) -> Option<Programming> {
        self.finished.take()
    }

    /// Ends the programming record at work, as at power-down or after a quiet time, for [`Guard::poll_programming`].
    pub fn end_programming(&mut self) {
        self.close();
    }
}

/// What one operator wrote: the content of event record 033000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Programming {
    /// Who.
    pub operator: Operator,
    ids: [DataId; RECORDED],
    count: usize,
}

impl Programming {
    fn push(&mut self, id: DataId) {
        if let Some(place) = self.ids.get_mut(self.count) {
            *place = id;
            self.count += 1;
        }
    }

    /// What was written, at most ten identifiers.
    #[must_use]
    pub fn ids(&self) -> &[DataId] {
        self.ids.get(..self.count).unwrap_or_default()
    }

    /// Writes the record 033000nn to the front of `out` and returns its 50 bytes' length; unused identifiers are FF.
    ///
    /// # Errors
    /// [`ValueError::Length`] if `out` is too small, [`ValueError::Range`] for a time above 99.
    pub fn encode(&self, at: Stamp, out: &mut [u8]) -> Result<usize, ValueError> {
        let mut writer = RecordWriter::new(Layout::Programming, 0, out);
        writer.put(&Value::Instant(at))?;
        writer.put(&Value::Binary(&self.operator.line()))?;
        for id in self.ids {
            writer.put(&Value::Id(id))?;
        }
        writer.finish()
    }
}

/// Decides whether a broadcast time (08) is taken: no more than five minutes off, once a calendar day, and not within
/// five minutes of midnight or of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeWindow {
    /// Year, month and day of the last one taken.
    last: Option<(u8, u8, u8)>,
}

impl TimeWindow {
    /// Nothing taken yet.
    #[must_use]
    pub const fn new() -> Self {
        TimeWindow { last: None }
    }

    /// Whether `told` is taken by a meter whose clock says `own` and whose settlements are at these days and hours.
    ///
    /// ```
    /// use dlt645::{Stamp, TimeWindow};
    /// let own = Stamp { year: 26, month: 11, day: 21, hour: 5, minute: 10, second: 0 };
    /// let mut window = TimeWindow::new();
    /// assert!(!window.takes(own, Stamp { minute: 16, ..own }, &[]), "six minutes off");
    /// assert!(window.takes(own, Stamp { minute: 12, ..own }, &[]));
    /// assert!(!window.takes(own, Stamp { minute: 11, ..own }, &[]), "twice in a day");
    /// ```
    #[must_use]
    pub fn takes(&mut self, own: Stamp, told: Stamp, settlements: &[(u8, u8)]) -> bool {
        const LIMIT: u32 = 300;
        const DAY: u32 = 86_400;
        let seconds = |at: &Stamp| {
            (u32::from(at.hour) * 60 + u32::from(at.minute)) * 60 + u32::from(at.second)
        };
        let day = |at: &Stamp| (at.year, at.month, at.day);
        let (mine, theirs) = (seconds(&own), seconds(&told));
        // A day apart is more than five minutes apart, as neither is near midnight.
        let near = |at: u32, instant: u32| at.abs_diff(instant) <= LIMIT;
        let midnight = |at: u32| near(at, 0) || near(at, DAY);
        let settles = settlements.iter().any(|(on, hour)| {
            *on == own.day
                && (near(mine, u32::from(*hour) * 3600) || near(theirs, u32::from(*hour) * 3600))
        });
        let takes = told.is_calendar()
            && day(&own) == day(&told)
            && mine.abs_diff(theirs) <= LIMIT
            && !midnight(mine)
            && !midnight(theirs)
            && !settles
            && self.last != Some(day(&own));
        if takes {
            self.last = Some(day(&own));
        }
        takes
    }
}

/// The level that a write of `id` needs in the plain standard: 02 for the parameters that bill, 04 for the rest.
#[must_use]
pub const fn level_of(id: DataId) -> u8 {
    match id.0 {
        // Address, constants, ratios, prices and ladders.
        0x0400_0306 | 0x0400_0307 | 0x0400_0401 | 0x0400_0402 | 0x0400_0409 | 0x0400_040A => 0x02,
        0x0405_0000..=0x0407_FFFF => 0x02,
        _ => 0x04,
    }
}

const _: () = assert!(Format::Record(Layout::Programming).len() == 50);
