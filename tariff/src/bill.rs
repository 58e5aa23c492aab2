//! Prices a series of intervals with the meter's own engine: intervals in, lines out, no heap.

use crate::civil::Moment;
use crate::plan::{Line, Tariff};
use crate::price::Money;
use crate::tier::TierTotal;

/// The longest interval that is priced, in seconds: 62 days.
pub const LONGEST_S: i64 = 62 * 86_400;

/// Energy between two instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Begin; its offset holds for the whole interval.
    pub start: Moment,
    /// Length in seconds, 1 to [`LONGEST_S`].
    pub seconds: i64,
    /// Watt hours.
    pub wh: u64,
}

/// Why an interval was not priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The length is not in 1 to [`LONGEST_S`] seconds.
    Length,
    /// The interval begins before the end of the last one.
    Overlap,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Refused::Length => "the interval is empty or longer than 62 days",
            Refused::Overlap => "the interval begins before the end of the last one",
        })
    }
}

impl core::error::Error for Refused {}

/// Cuts an interval wherever something changes and hands out the begin and energy of each part.
///
/// Energy is shared by time in whole watt hours whose sum is the interval's: up to each cut as many
/// as the time up to it gives, rounded down. `next` gives the next change after an instant.
pub fn cut(
    start_s: i64,
    seconds: u32,
    wh: u64,
    next: impl Fn(i64) -> i64,
    mut part: impl FnMut(i64, u64),
) {
    let length = i64::from(seconds);
    let (mut done_s, mut done_wh) = (0, 0);
    // Every turn moves on by a second at least.
    while done_s < length {
        let at = start_s.saturating_add(done_s);
        let until_s = next(at).saturating_sub(start_s).clamp(done_s + 1, length);
        let until_wh = share(wh, until_s as u32, seconds);
        part(at, until_wh - done_wh);
        (done_s, done_wh) = (until_s, until_wh);
    }
}

/// `wh · part / whole`, rounded down, without 128 bits on the small cores.
fn share(wh: u64, part: u32, whole: u32) -> u64 {
    let (part, whole) = (u64::from(part), u64::from(whole.max(1)));
    // What each second gets is shared exactly; the rest is less than a watt hour a second.
    (wh / whole) * part + (wh % whole) * part / whole
}

/// Prices intervals in the order of time and keeps the sums. `Copy`: a copy is a checkpoint from
/// which today's open part can be priced again and again.
#[derive(Clone, Copy, Debug)]
pub struct Biller<'a> {
    tariff: Tariff<'a>,
    tiers: TierTotal,
    end_s: Option<i64>,
    wh: u64,
    amount: Money,
    slot: Option<Slot>,
}

/// A stretch of time in which neither rate nor tier period changes: found once, not for each interval.
#[derive(Clone, Copy, Debug)]
struct Slot {
    from: Moment,
    until_s: i64,
    rate: u8,
}

impl Slot {
    fn holds(&self, at: Moment) -> bool {
        at.offset_s == self.from.offset_s && (self.from.utc_s..self.until_s).contains(&at.utc_s)
    }
}

impl<'a> Biller<'a> {
    /// Begins a bill; `tiers` is the running total of the tier period at its first instant.
    pub fn new(tariff: Tariff<'a>, tiers: TierTotal) -> Self {
        Biller {
            tariff,
            tiers,
            end_s: None,
            wh: 0,
            amount: Money::ZERO,
            slot: None,
        }
    }

    /// The stretch that an instant lies in; its tier period is turned to.
    fn slot(&mut self, at: Moment) -> Slot {
        match self.slot {
            Some(slot) if slot.holds(at) => slot,
            _ => {
                self.tiers.turn(self.tariff.reset(), at);
                let slot = Slot {
                    from: at,
                    until_s: self.tariff.next_change(at).utc_s,
                    rate: self.tariff.calendar().rate(at),
                };
                self.slot = Some(slot);
                slot
            }
        }
    }

    /// Prices one interval and hands out its lines with the instant each begins at.
    ///
    /// An interval over a switching time is cut there, its energy shared by time in whole watt
    /// hours whose sum is the interval's. Inside one slot a split anywhere changes no sum.
    ///
    /// # Errors
    /// [`Refused`]; nothing is booked then.
    pub fn price(
        &mut self,
        interval: Interval,
        mut line: impl FnMut(Moment, Line),
    ) -> Result<(), Refused> {
        let Interval { start, seconds, wh } = interval;
        if !(1..=LONGEST_S).contains(&seconds) {
            return Err(Refused::Length);
        }
        if self.end_s.is_some_and(|end| start.utc_s < end) {
            return Err(Refused::Overlap);
        }
        let slot = self.slot(start);
        let (tariff, tiers, amount) = (&self.tariff, &mut self.tiers, &mut self.amount);
        let end_s = start.utc_s.saturating_add(seconds);
        let at = |utc_s| Moment { utc_s, ..start };
        let mut take = |utc_s, part: Line| {
            *amount = *amount + part.amount;
            line(at(utc_s), part);
        };
        if end_s <= slot.until_s {
            tariff.book_rate(tiers, slot.rate, wh, |part| take(start.utc_s, part));
        } else {
            cut(
                start.utc_s,
                seconds as u32,
                wh,
                |utc_s| tariff.next_change(at(utc_s)).utc_s,
                |utc_s, wh| tariff.book(tiers, at(utc_s), wh, |part| take(utc_s, part)),
            );
        }
        self.wh = self.wh.saturating_add(wh);
        self.end_s = Some(end_s);
        Ok(())
    }

    /// All energy so far, in watt hours.
    pub fn wh(&self) -> u64 {
        self.wh
    }

    /// The exact sum so far; round it once, by name, where it is shown.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// The running total of the tier period, to begin the next bill with.
    pub fn tiers(&self) -> TierTotal {
        self.tiers
    }
}
