//! How long flash lasts under the habits of a meter, from the parameters alone.
//!
//! ```
//! use tariff::store::wear::{Flash, Habit, wear};
//!
//! // A record of 1,000 bytes every quarter of an hour on 128 KiB in pages of 4 KiB, 4 KiB of it live.
//! let flash = Flash { page: 4096, pages: 32, cycles: 10_000 };
//! let found = wear(flash, 4096, [Habit { bytes: 1000, a_day: 96 }].into_iter()).unwrap();
//! assert_eq!((found.bytes_a_day, found.erases_a_page), (96_000, 5_056));
//! assert!(found.lasts());
//! ```

/// The life asked of a meter: 16 years, in days.
pub const LIFE_DAYS: u32 = 5844;

/// A region of flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Bytes of an erase page.
    pub page: u32,
    /// Pages of the region.
    pub pages: u32,
    /// Erase cycles that a page endures: 10,000 for most controllers, 100,000 for serial NOR.
    pub cycles: u32,
}

/// Records of one sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habit {
    /// Bytes of one.
    pub bytes: u32,
    /// How many are written a day at most (how many there are, where live records are told).
    pub a_day: u32,
}

/// What the habits come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wear {
    /// Bytes written a day, without what is moved at an erase.
    pub bytes_a_day: u64,
    /// Erases of each page in [`LIFE_DAYS`], rounded up.
    pub erases_a_page: u64,
    /// Days until the cycles of a page are used up.
    pub days: u64,
    /// What the flash endures.
    pub cycles: u32,
}

impl Wear {
    /// True when the flash lasts for [`LIFE_DAYS`].
    #[must_use]
    pub const fn lasts(&self) -> bool {
        self.days >= LIFE_DAYS as u64
    }
}

/// `9784 of 10000 erases of each page in 16 years; lasts 16.3 years`.
impl core::fmt::Display for Wear {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tenths = self.days.saturating_mul(160) / u64::from(LIFE_DAYS);
        write!(
            f,
            "{} bytes a day; {} of {} erases of each page in 16 years; lasts {}.{} years",
            self.bytes_a_day,
            self.erases_a_page,
            self.cycles,
            tenths / 10,
            tenths % 10
        )
    }
}

/// The wear of a cyclic journal that holds `live` bytes of records which still count: they are
/// written again whenever their page comes round.
///
/// Each round erases every page once and fills it again, less the live records that are written anew,
/// less what the record that does not fit leaves unused at the end of a page: what the longest records
/// leave when there are no others, half of one where they are mixed.
///
/// `None` when that leaves no room, or for no flash.
#[must_use]
pub fn wear(flash: Flash, live: u32, habits: impl Iterator<Item = Habit> + Clone) -> Option<Wear> {
    let longest = habits.clone().map(|habit| habit.bytes).max().unwrap_or(0);
    let unused = flash
        .page
        .checked_rem(longest)
        .unwrap_or(0)
        .max(longest / 2);
    let room = u64::from(flash.page.checked_sub(unused)?);
    // One page is always kept free.
    let pages = u64::from(flash.pages);
    if (pages.checked_sub(1)?) * room <= u64::from(live) {
        return None;
    }
    let round = pages * room - u64::from(live);
    let bytes_a_day = habits
        .map(|habit| u64::from(habit.bytes) * u64::from(habit.a_day))
        .fold(0, u64::saturating_add);
    let in_life = bytes_a_day.saturating_mul(LIFE_DAYS.into());
    let until_worn = round.saturating_mul(flash.cycles.into());
    Some(Wear {
        bytes_a_day,
        erases_a_page: in_life.div_ceil(round),
        days: until_worn.checked_div(bytes_a_day).unwrap_or(u64::MAX),
        cycles: flash.cycles,
    })
}
