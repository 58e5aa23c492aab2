//! Maximum demand of reactive energy, beside the meter and in a record of its own: who does not show it pays nothing.
//!
//! ```text
//! 1 ReactiveDemand::book      before Meter::advance, at the rate that the meter had until now
//! 2 Meter::advance            rows; for a settlement of the first day and a demand reset:
//! 3 ReactiveDemand::end       hands out what the period held, which is kept first, and begins anew
//! 4 store                     the rows, this state, then the meter's
//! ```
//!
//! A row that comes again after a power cut has the number of the last one: it ends nothing twice.

use super::formed::Formed;
use crate::civil::Moment;
use crate::combine::ReactiveWord;
use crate::demand::{Maxima, Peak, Windows};
use crate::freeze::Kind;
use crate::machine::Clock;
use crate::stored::bytes::{CHECK, PEAK, Reader, Writer, opened};
use crate::stored::{TooShort, Unreadable};

/// Combined reactive 1 and 2, quadrants I to IV (0103xxxx to 0108xxxx).
pub const QUANTITIES: usize = 6;
/// First byte of the stored form.
const VERSION: u8 = 1;
const HEAD: usize = 4 + 4 + 4 + 4;

/// Maximum demand of the reactive quantities by rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactiveDemand<const RATES: usize, const SLIPS: usize> {
    maxima: [Maxima<RATES>; QUANTITIES],
    /// Number of the settlement and of the demand reset that ended a period last.
    ended: [u32; 2],
    formed: [Formed<SLIPS>; QUANTITIES],
    words: [ReactiveWord; 2],
    /// Totals of the quadrants, and when they were read.
    last: Option<[u64; 4]>,
    booked: Option<Moment>,
}

impl<const RATES: usize, const SLIPS: usize> Default for ReactiveDemand<RATES, SLIPS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const RATES: usize, const SLIPS: usize> ReactiveDemand<RATES, SLIPS> {
    /// No window yet.
    #[must_use]
    pub const fn new() -> Self {
        ReactiveDemand {
            maxima: [Maxima::new(); QUANTITIES],
            ended: [0; 2],
            formed: [Formed::NEW; QUANTITIES],
            words: [ReactiveWord::FIRST, ReactiveWord::SECOND],
            last: None,
            booked: None,
        }
    }

    /// Books the totals of the quadrants, tenths of a varh, at the rate of the time since the last call. The words say
    /// what the combined quantities hold; other words begin the windows anew. True when a maximum rose.
    ///
    /// A total below the last one books nothing and keeps its mark.
    pub fn book(
        &mut self,
        windows: Option<Windows>,
        words: [ReactiveWord; 2],
        now: Clock,
        rate: u8,
        quadrants: [u64; 4],
    ) -> bool {
        let last = self.last.unwrap_or(quadrants);
        let mut used = [0; 4];
        for ((used, last), total) in used.iter_mut().zip(last).zip(quadrants) {
            *used = total.saturating_sub(last);
        }
        let mut marks = quadrants;
        for (mark, last) in marks.iter_mut().zip(last) {
            *mark = last.max(*mark);
        }
        self.last = Some(marks);
        if words != self.words {
            self.words = words;
            self.restart();
        }
        let (Some(windows), true) = (windows, now.good) else {
            self.restart();
            return false;
        };
        let start = self.booked.replace(now.at);
        let before = self.maxima;
        let [i, ii, iii, iv] = used.map(|used| i64::try_from(used).unwrap_or(i64::MAX));
        let [first, second] = words.map(|word| word.combine(used));
        let places = self.formed.iter_mut().zip(&mut self.maxima);
        for ((formed, maxima), used) in places.zip([first, second, i, ii, iii, iv]) {
            formed.book(windows, (start, now.at), used, rate, maxima);
        }
        self.maxima != before
    }

    /// The clock was set, or another metering core was put in: the windows begin anew.
    pub const fn restart(&mut self) {
        self.formed = [Formed::NEW; QUANTITIES];
        self.booked = None;
    }

    /// A row of the meter ends the period: a settlement of the first settlement day or a demand reset. What was held
    /// is given back, to be kept under the row's number; `None` for other rows, and for one that ended it before.
    pub fn end(&mut self, kind: Kind, number: u32) -> Option<[Maxima<RATES>; QUANTITIES]> {
        let [settled, reset] = &mut self.ended;
        let ended = match kind {
            Kind::Settlement => settled,
            Kind::DemandReset => reset,
            _ => return None,
        };
        if *ended == number {
            return None;
        }
        *ended = number;
        Some(core::mem::replace(
            &mut self.maxima,
            [Maxima::new(); QUANTITIES],
        ))
    }

    /// The maxima of a quantity, from 0, since the last reset.
    #[must_use]
    pub const fn maxima(&self) -> &[Maxima<RATES>; QUANTITIES] {
        &self.maxima
    }

    /// The demand of the last window of a quantity that ended; `None` before the first.
    #[must_use]
    pub fn present(&self, quantity: usize) -> Option<Peak> {
        self.formed.get(quantity).and_then(Formed::present)
    }

    /// Writes the state: [`encode`] with what ended the periods.
    ///
    /// # Errors
    /// [`TooShort`].
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, TooShort> {
        encode(0, self.ended, &self.maxima, buffer)
    }

    /// Takes a stored state back; windows begin anew.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (_, ended, maxima) = read(bytes)?;
        Ok(ReactiveDemand {
            maxima,
            ended,
            ..Self::new()
        })
    }
}

/// Most bytes of the state and of a row, by the number of rates.
#[must_use]
pub const fn longest_reactive(rates: usize) -> usize {
    HEAD + QUANTITIES * (1 + rates) * PEAK + CHECK
}

/// Writes what a period held under the number of the row that ended it; its length.
///
/// # Errors
/// [`TooShort`].
pub fn encode_reactive<const RATES: usize>(
    number: u32,
    maxima: &[Maxima<RATES>; QUANTITIES],
    buffer: &mut [u8],
) -> Result<usize, TooShort> {
    encode(number, [0; 2], maxima, buffer)
}

/// Reads what a period held, and the number of its row.
///
/// # Errors
/// [`Unreadable`].
pub fn decode_reactive<const RATES: usize>(
    bytes: &[u8],
) -> Result<(u32, [Maxima<RATES>; QUANTITIES]), Unreadable> {
    let (number, _, maxima) = read(bytes)?;
    Ok((number, maxima))
}

/// Version, rates, length, number of the row (0 for the state), numbers of the rows that ended periods, maxima, check.
fn encode<const RATES: usize>(
    number: u32,
    ended: [u32; 2],
    maxima: &[Maxima<RATES>; QUANTITIES],
    buffer: &mut [u8],
) -> Result<usize, TooShort> {
    let mut w = Writer::new(buffer);
    w.put(&[VERSION, RATES as u8, 0, 0])?;
    w.put(&number.to_le_bytes())?;
    for number in ended {
        w.put(&number.to_le_bytes())?;
    }
    maxima.iter().try_for_each(|maxima| w.maxima(maxima))?;
    w.close()
}

type Read<const RATES: usize> = (u32, [u32; 2], [Maxima<RATES>; QUANTITIES]);

fn read<const RATES: usize>(bytes: &[u8]) -> Result<Read<RATES>, Unreadable> {
    let body = opened(bytes)?;
    let mut r = Reader::new(body, 0);
    let [found, rates, _, _] = r.take()?;
    if found != VERSION {
        return Err(Unreadable::Version { found });
    }
    if usize::from(rates) != RATES {
        return Err(Unreadable::Rates { found: rates });
    }
    let (number, ended) = (r.u32()?, [r.u32()?, r.u32()?]);
    let mut maxima = [Maxima::new(); QUANTITIES];
    for place in &mut maxima {
        *place = r.maxima()?;
    }
    Ok((number, ended, maxima))
}
