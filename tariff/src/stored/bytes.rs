//! Fields of stored records: little-endian numbers of 8, 6, 5, 4, 2 and 1 bytes, and a checked frame.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

use super::{TooShort, Unreadable};
use crate::civil::Moment;
use crate::demand::{Maxima, Peak};
use crate::price::Money;

const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);
/// Bytes of the check value.
pub(crate) const CHECK: usize = 4;
/// Bytes of a [`Peak`].
pub(crate) const PEAK: usize = 16;
/// Bytes of an energy.
pub(crate) const ENERGY: usize = 6;
/// Most that an energy of six bytes holds.
const MOST: u64 = (1 << 48) - 1;

pub(crate) struct Writer<'a> {
    buffer: &'a mut [u8],
    pub(crate) at: usize,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(buffer: &'a mut [u8]) -> Self {
        Writer { buffer, at: 0 }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), TooShort> {
        let end = self.at.checked_add(bytes.len()).ok_or(TooShort)?;
        self.buffer
            .get_mut(self.at..end)
            .ok_or(TooShort)?
            .copy_from_slice(bytes);
        self.at = end;
        Ok(())
    }

    pub(crate) fn money(&mut self, money: Money) -> Result<(), TooShort> {
        self.put(&money.ten_millionths().to_le_bytes())
    }

    /// Six bytes; more than they hold is the most they hold.
    pub(crate) fn energy(&mut self, energy: u64) -> Result<(), TooShort> {
        let [bytes @ .., _, _] = energy.min(MOST).to_le_bytes();
        self.put(&bytes)
    }

    pub(crate) fn moment(&mut self, at: Moment) -> Result<(), TooShort> {
        self.put(&at.utc_s.to_le_bytes())?;
        self.put(&at.offset_s.to_le_bytes())
    }

    /// Joules (8), minutes (2, zero without a peak), UTC seconds (5), quarter hours of offset (1).
    fn peak(&mut self, peak: Option<Peak>) -> Result<(), TooShort> {
        let Some(Peak {
            joules,
            seconds,
            at,
        }) = peak
        else {
            return self.put(&[0; PEAK]);
        };
        self.put(&joules.to_le_bytes())?;
        self.put(&((seconds / 60) as u16).to_le_bytes())?;
        let [utc @ .., _, _, _] = at.utc_s.to_le_bytes();
        self.put(&utc)?;
        self.put(&((at.offset_s / 900) as i8).to_le_bytes())
    }

    pub(crate) fn maxima<const RATES: usize>(
        &mut self,
        maxima: &Maxima<RATES>,
    ) -> Result<(), TooShort> {
        self.peak(maxima.total())?;
        (1..=RATES as u8).try_for_each(|rate| self.peak(maxima.rate(rate)))
    }

    /// Puts the length of the whole record at 2..4 and its check value behind it.
    pub(crate) fn close(mut self) -> Result<usize, TooShort> {
        let length = self.at + CHECK;
        let mark = u16::try_from(length).map_err(|_| TooShort)?.to_le_bytes();
        let place = self.buffer.get_mut(2..4).ok_or(TooShort)?;
        place.copy_from_slice(&mark);
        let crc = CRC.checksum(self.buffer.get(..self.at).ok_or(TooShort)?);
        self.put(&crc.to_le_bytes())?;
        Ok(length)
    }
}

/// The record without its check value, if that is right: bytes behind the record are left out.
pub(crate) fn opened(bytes: &[u8]) -> Result<&[u8], Unreadable> {
    let &[_, _, low, high] = bytes.first_chunk().ok_or(Unreadable::Torn)?;
    let end = usize::from(u16::from_le_bytes([low, high]));
    let body_end = end.checked_sub(CHECK).ok_or(Unreadable::Torn)?;
    let body = bytes.get(..body_end).ok_or(Unreadable::Torn)?;
    let crc = bytes.get(body_end..end).and_then(|b| b.first_chunk());
    if CRC.checksum(body) == u32::from_le_bytes(*crc.ok_or(Unreadable::Torn)?) {
        Ok(body)
    } else {
        Err(Unreadable::Torn)
    }
}

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Reader { bytes, at }
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let bytes = rest
            .first_chunk()
            .ok_or(Unreadable::Field { position: self.at })?;
        self.at += N;
        Ok(*bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Unreadable> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Unreadable> {
        self.take().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Unreadable> {
        self.take().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Unreadable> {
        self.take().map(i64::from_le_bytes)
    }

    pub(crate) fn money(&mut self) -> Result<Money, Unreadable> {
        self.i64().map(Money::from_ten_millionths)
    }

    pub(crate) fn energy(&mut self) -> Result<u64, Unreadable> {
        let [a, b, c, d, e, f] = self.take::<ENERGY>()?;
        Ok(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    pub(crate) fn moment(&mut self) -> Result<Moment, Unreadable> {
        Ok(Moment {
            utc_s: self.i64()?,
            offset_s: self.take().map(i32::from_le_bytes)?,
        })
    }

    fn peak(&mut self) -> Result<Option<Peak>, Unreadable> {
        let joules = self.i64()?;
        let minutes = self.take().map(u16::from_le_bytes)?;
        let [a, b, c, d, e] = self.take::<5>()?;
        // The sign of the highest byte goes on.
        let utc_s = i64::from_le_bytes([0, 0, 0, a, b, c, d, e]) >> 24;
        let offset_s = self.take().map(i8::from_le_bytes)?;
        Ok((minutes > 0).then_some(Peak {
            joules,
            seconds: u32::from(minutes) * 60,
            at: Moment {
                utc_s,
                offset_s: i32::from(offset_s) * 900,
            },
        }))
    }

    pub(crate) fn maxima<const RATES: usize>(&mut self) -> Result<Maxima<RATES>, Unreadable> {
        let total = self.peak()?;
        let mut by_rate = [None; RATES];
        for place in &mut by_rate {
            *place = self.peak()?;
        }
        Ok(Maxima::restore(total, by_rate))
    }

    pub(crate) const fn wrong(&self) -> Unreadable {
        Unreadable::Field {
            position: self.at.saturating_sub(1),
        }
    }
}
