//! Passwords, remote commands by password, and the management calendar.

use dlt645::{Authority, Operator};
use meter_proto::outbox::OutboxStore;
use meter_proto::time::{ClockQuality, Stamp};

use super::{DAY_MS, ManagementCore, PasswordError, WRONG_PASSWORDS};
use crate::clock;
use crate::store::Store;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Checks a plain password of this level or better.
    ///
    /// # Errors
    /// [`PasswordError`]; three wrong ones close plain passwords until the calendar's next day.
    pub fn check_password(
        &mut self,
        authority: &Authority,
        level: u8,
    ) -> Result<(), PasswordError> {
        let today = clock::local_ms(self.utc_ms(), self.config.utc_offset_min) / DAY_MS;
        if self.wrong_passwords.0 != today {
            self.wrong_passwords = (today, 0);
        }
        let password = authority.password;
        let good = password.level <= level && password.digits == self.config.password;
        if self.wrong_passwords.1 >= WRONG_PASSWORDS {
            return Err(PasswordError);
        }
        if !good {
            self.wrong_passwords.1 += 1;
            self.counts.wrong_passwords = self.counts.wrong_passwords.saturating_add(1);
            return Err(PasswordError);
        }
        Ok(())
    }

    /// Carries out a remote command given by password. `false` when keep power forbids it.
    pub fn remote_command(&mut self, command: tariff::remote::Command, operator: Operator) -> bool {
        let now = self.moment();
        let obeyed = self
            .account
            .command(command, operator, now, &mut self.store);
        // An event that could not be kept does not undo the command.
        let done = self.noted(obeyed).unwrap_or(true);
        if done {
            self.save_account();
            self.next_wish_ms = self.now_ms;
        }
        done
    }

    /// The key at the meter, pressed long enough: acknowledges a warning, closes where that was allowed.
    pub fn press_key(&mut self) {
        let pressed = self.account.key(self.moment(), &mut self.store);
        let _ = self.noted(pressed);
        self.save_account();
    }

    /// Moves the management calendar; the legal clock is asked for at most a second of it.
    pub fn move_calendar(&mut self, utc_ms: u64, operator: Operator) {
        let (legal, before) = (self.legal_utc_ms(), self.moment());
        self.offset_ms = i64::try_from(utc_ms)
            .unwrap_or(i64::MAX)
            .saturating_sub_unsigned(legal);
        self.wanted_clock = Some(utc_ms);
        let after = self.moment();
        let set = self
            .account
            .set_clock([before, after], operator, &mut self.store);
        let _ = self.noted(set);
    }

    /// As [`ManagementCore::move_calendar`], once a day, by nobody.
    pub fn broadcast_time(&mut self, utc_ms: u64) {
        let today = self.utc_ms() / DAY_MS;
        if self.broadcast_day != today {
            self.broadcast_day = today;
            self.move_calendar(utc_ms, Operator(0));
        }
    }

    fn legal_utc_ms(&self) -> u64 {
        self.totals
            .utc_ms
            .saturating_add(self.now_ms.saturating_sub(self.totals_ms))
    }

    /// The management calendar as UTC, milliseconds since 1970.
    #[must_use]
    pub fn utc_ms(&self) -> u64 {
        self.legal_utc_ms().saturating_add_signed(self.offset_ms)
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp::from_seconds(self.utc_ms() / 1000, ClockQuality::SYNCHRONISED)
    }

    /// The management calendar.
    #[must_use]
    pub fn calendar(&self) -> clock::Calendar {
        clock::calendar(clock::local_ms(self.utc_ms(), self.config.utc_offset_min))
    }

    /// Minutes from UTC to the calendar.
    #[must_use]
    pub const fn utc_offset_min(&self) -> i16 {
        self.config.utc_offset_min
    }
}
