//! Use of the months and years (000C0000, 000D0000), whatever days the settlement is on: marks of the combined total,
//! set at 00:00 of the first by the management calendar.
//!
//! Power off over several of them gives one month and one year with all that was used. A clock set back repeats none; a
//! month or more back, the marks begin anew.

use tariff::civil::Date;
use tariff::combine::ActiveWord;

use crate::crossing::Steps;
use crate::cursor::{Reader, Writer};
use crate::metering::{StartError, read_record};
use crate::records::USES;
use crate::store::{Store, StoreError};

/// Years that are kept beside the present one.
pub const YEARS: usize = 6;
const LENGTH: usize = 1 + 4 + 8 * (3 + YEARS) + 1;
/// First byte of the record; version 1 had no word and added both directions.
const VERSION: u8 = 2;

/// Marks and what was used, tenths of a watt hour; below zero where feeding in is subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uses {
    /// Year times 12 plus month less 1; 0 before the first instant.
    month: u32,
    at_month: i64,
    last_month: i64,
    at_year: i64,
    years: [i64; YEARS],
    /// What the combined total of the marks holds.
    word: ActiveWord,
}

impl Default for Uses {
    fn default() -> Self {
        Self {
            month: 0,
            at_month: 0,
            last_month: 0,
            at_year: 0,
            years: [0; YEARS],
            word: ActiveWord::BOTH,
        }
    }
}

impl Uses {
    /// What `store` holds.
    ///
    /// # Errors
    /// [`StartError`]: damaged marks are never taken for none.
    pub fn start<S: Store>(store: &mut S) -> Result<Self, StartError> {
        let mut buffer = [0; LENGTH];
        match read_record(store, USES, &mut buffer)? {
            None => Ok(Self::default()),
            Some(record) => Self::decode(record).ok_or(StartError::Damaged { key: USES }),
        }
    }

    /// The combined total that the marks belong to.
    #[must_use]
    pub const fn combined(&self, Steps { import, export }: Steps) -> i64 {
        self.word.combine(import, export)
    }

    /// Another word for the combined total: what was used until now stays, from now on the new one counts. True when
    /// the marks are to be stored.
    pub fn take_word(&mut self, word: ActiveWord, active: Steps) -> bool {
        if word == self.word {
            return false;
        }
        let before = self.combined(active);
        self.word = word;
        let step = self.combined(active).saturating_sub(before);
        self.at_month = self.at_month.saturating_add(step);
        self.at_year = self.at_year.saturating_add(step);
        true
    }

    /// Takes the day and the combined total of now; true when a mark was set, which is to be stored.
    pub fn advance(&mut self, today: Date, total: i64) -> bool {
        let month = u32::from(today.year()) * 12 + u32::from(today.month()) - 1;
        if self.month == 0 || month + 1 < self.month {
            *self = Self {
                month,
                at_month: total,
                at_year: total,
                ..*self
            };
            return true;
        }
        if month <= self.month {
            return false;
        }
        self.last_month = total.saturating_sub(self.at_month);
        self.at_month = total;
        if month / 12 > self.month / 12 {
            self.years.rotate_right(1);
            let [last, ..] = &mut self.years;
            *last = total.saturating_sub(self.at_year);
            self.at_year = total;
        }
        self.month = month;
        true
    }

    /// Use of the present month (0) or of the last (1) at a combined total.
    #[must_use]
    pub fn month(&self, back: u8, total: i64) -> Option<i64> {
        match back {
            0 => Some(total.saturating_sub(self.at_month)),
            1 => Some(self.last_month),
            _ => None,
        }
    }

    /// Use of the present year (0) or of the sixth before at most.
    #[must_use]
    pub fn year(&self, back: u8, total: i64) -> Option<i64> {
        match usize::from(back).checked_sub(1) {
            None => Some(total.saturating_sub(self.at_year)),
            Some(nth) => self.years.get(nth).copied(),
        }
    }

    /// Stores the marks.
    ///
    /// # Errors
    /// [`StoreError`]; the old ones stay, and at the next start they are set again.
    pub fn save<S: Store>(&self, store: &mut S) -> Result<(), StoreError> {
        let mut record = [0; LENGTH];
        let mut w = Writer::new(&mut record);
        w.u8(VERSION);
        w.u32(self.month);
        w.i64(self.at_month);
        w.i64(self.last_month);
        w.i64(self.at_year);
        self.years.iter().for_each(|year| w.i64(*year));
        w.u8(self.word.0);
        store.write(USES, &record)
    }

    fn decode(record: &[u8]) -> Option<Self> {
        let mut r = Reader::new(record);
        let version = r.u8()?;
        if !(1..=VERSION).contains(&version) {
            return None;
        }
        let mut uses = Self {
            month: r.u32()?,
            at_month: r.i64()?,
            last_month: r.i64()?,
            at_year: r.i64()?,
            ..Self::default()
        };
        for year in &mut uses.years {
            *year = r.i64()?;
        }
        if version > 1 {
            uses.word = ActiveWord(r.u8()?);
        }
        r.end()?;
        Some(uses)
    }
}
