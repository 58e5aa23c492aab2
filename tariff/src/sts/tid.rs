//! Token identifiers: minutes since a base date, and the memory that makes each token work once.

use crate::civil::Date;

/// The date from which token identifiers count; a key change with roll-over moves to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Base {
    /// 1993-01-01 00:00, which ran out on 2024-11-24 at 20:15.
    Y1993,
    /// 2014-01-01 00:00.
    Y2014,
    /// 2035-01-01 00:00.
    Y2035,
}

impl Base {
    const fn start_s(self) -> i64 {
        let year = match self {
            Base::Y1993 => 1993,
            Base::Y2014 => 2014,
            Base::Y2035 => 2035,
        };
        match Date::try_new(year, 1, 1) {
            Some(date) => date.days() * 86_400,
            None => 0,
        }
    }
}

/// A token identifier: whole minutes since the base date, 24 bits (31.9 years).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tid(u32);

impl Tid {
    /// The last identifier.
    const LAST: u32 = (1 << 24) - 1;

    /// `None` above 24 bits.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Option<Self> {
        if minutes <= Self::LAST {
            Some(Tid(minutes))
        } else {
            None
        }
    }

    pub(super) const fn from_low_bits(bits: u32) -> Self {
        Tid(bits & Self::LAST)
    }

    /// The minute in which an instant lies, seconds since 1970-01-01 in the vendor's time; `None`
    /// before the base date and after its 31.9 years.
    #[must_use]
    pub fn at(base: Base, unix_s: i64) -> Option<Self> {
        let minutes = unix_s.checked_sub(base.start_s())?.div_euclid(60);
        Self::from_minutes(u32::try_from(minutes).ok()?)
    }

    /// Minutes since the base date.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.0
    }

    /// The first second of the minute, seconds since 1970-01-01.
    #[must_use]
    pub const fn unix_s(self, base: Base) -> i64 {
        base.start_s() + self.0 as i64 * 60
    }

    /// The eight bits that are compared with the key expiry number.
    #[must_use]
    pub const fn expiry(self) -> u8 {
        (self.0 >> 16) as u8
    }
}

/// Why a token with a right check value still has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TidRefusal {
    /// This very token was taken before.
    Used,
    /// Older than everything the memory reaches back to.
    Old,
    /// Issued after the key expired.
    KeyExpired,
}

impl core::fmt::Display for TidRefusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            TidRefusal::Used => "the token was used before",
            TidRefusal::Old => "the token is older than the memory of used tokens",
            TidRefusal::KeyExpired => "the token was issued after its key expired",
        })
    }
}

impl core::error::Error for TidRefusal {}

/// The identifiers of the last `N` tokens taken (the standard asks for 50 or more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpentTids<const N: usize> {
    /// Rising; the first `count` hold.
    tids: [u32; N],
    count: usize,
}

impl<const N: usize> SpentTids<N> {
    /// Bytes of the stored form: a count and three bytes each, big-endian.
    pub const ENCODED_LEN: usize = 1 + 3 * N;

    /// No token was taken yet.
    ///
    /// `N` lies between 1 and 255; this is checked when the program is built.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N >= 1 && N <= 255, "1 to 255 identifiers") };
        SpentTids {
            tids: [0; N],
            count: 0,
        }
    }

    /// Takes a token once. Call it before the credit is booked and store both in one record.
    ///
    /// `key_expiry` 255 means a key without end.
    ///
    /// # Errors
    /// [`TidRefusal`]; nothing changed.
    pub fn spend(&mut self, tid: Tid, key_expiry: u8) -> Result<(), TidRefusal> {
        if key_expiry != 0xFF && tid.expiry() > key_expiry {
            return Err(TidRefusal::KeyExpired);
        }
        let held = self.tids.get(..self.count).unwrap_or(&[]);
        let place = match held.binary_search(&tid.minutes()) {
            Ok(_) => return Err(TidRefusal::Used),
            Err(place) => place,
        };
        // Each identifier moves over by one place, towards the free one or over the oldest, which counts as old from
        // now on.
        let mut moved = tid.minutes();
        if self.count < N {
            self.count += 1;
            let tail = self.tids.iter_mut().take(self.count).skip(place);
            tail.for_each(|slot| core::mem::swap(slot, &mut moved));
        } else if place == 0 {
            return Err(TidRefusal::Old);
        } else {
            let head = self.tids.iter_mut().take(place).rev();
            head.for_each(|slot| core::mem::swap(slot, &mut moved));
        }
        Ok(())
    }

    /// Forgets all: a key change with the roll-over bit.
    pub const fn clear(&mut self) {
        self.count = 0;
    }

    /// The identifiers held, rising.
    pub fn iter(&self) -> impl Iterator<Item = Tid> + '_ {
        self.tids
            .iter()
            .take(self.count)
            .map(|&minutes| Tid(minutes))
    }

    /// Writes [`Self::ENCODED_LEN`] bytes; `None` when `out` is too short.
    pub fn encode(&self, out: &mut [u8]) -> Option<usize> {
        let (count, places) = out.get_mut(..Self::ENCODED_LEN)?.split_first_mut()?;
        *count = u8::try_from(self.count).ok()?;
        for (place, tid) in places.chunks_exact_mut(3).zip(&self.tids) {
            let [_, bytes @ ..] = tid.to_be_bytes();
            place.copy_from_slice(&bytes);
        }
        Some(Self::ENCODED_LEN)
    }

    /// Takes the bytes of [`Self::encode`] back; `None` when they are none (their check value is the
    /// business of the record around them).
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&count, places) = bytes.get(..Self::ENCODED_LEN)?.split_first()?;
        let mut spent = Self::new();
        spent.count = usize::from(count);
        for (tid, place) in spent.tids.iter_mut().zip(places.chunks_exact(3)) {
            *tid = place
                .iter()
                .fold(0, |tid, &byte| tid << 8 | u32::from(byte));
        }
        let held = spent.tids.get(..spent.count)?;
        held.is_sorted_by(|a, b| a < b).then_some(spent)
    }
}

impl<const N: usize> Default for SpentTids<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Base, SpentTids, Tid, TidRefusal};

    fn tid(minutes: u32) -> Tid {
        Tid::from_minutes(minutes).unwrap()
    }

    #[test]
    fn the_first_base_date_ends_in_2024() {
        let last = tid(0xFF_FFFF).unix_s(Base::Y1993);
        assert_eq!(last, 1_732_479_300); // 2024-11-24 20:15
        assert_eq!(Tid::at(Base::Y1993, last + 59), Some(tid(0xFF_FFFF)));
        assert_eq!(Tid::at(Base::Y1993, last + 60), None);
        assert_eq!(Tid::at(Base::Y2014, last), Some(tid(5_732_415)));
        assert_eq!(Tid::at(Base::Y2035, last), None);
    }

    #[test]
    fn each_token_once_in_any_order_within_reach() {
        let mut spent = SpentTids::<4>::new();
        for minutes in [50, 30, 40, 60] {
            assert_eq!(spent.spend(tid(minutes), 0xFF), Ok(()));
            assert_eq!(spent.spend(tid(minutes), 0xFF), Err(TidRefusal::Used));
        }
        assert_eq!(spent.spend(tid(29), 0xFF), Err(TidRefusal::Old));
        assert_eq!(spent.spend(tid(45), 0xFF), Ok(()));
        assert_eq!(spent.spend(tid(30), 0xFF), Err(TidRefusal::Old));
        assert!(spent.iter().map(Tid::minutes).eq([40, 45, 50, 60]));
        assert_eq!(spent.spend(tid(0x1_0000), 0), Err(TidRefusal::KeyExpired));

        let mut bytes = [0; SpentTids::<4>::ENCODED_LEN];
        assert_eq!(spent.encode(&mut bytes), Some(13));
        assert_eq!(SpentTids::decode(&bytes), Some(spent));
        bytes[3] = 46; // no longer rising
        assert_eq!(SpentTids::<4>::decode(&bytes), None);
        spent.clear();
        assert_eq!(spent.spend(tid(1), 0xFF), Ok(()));
    }
}
