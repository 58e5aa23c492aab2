//! Fee control over the line: the programmed change of mode (0400010B), the current that a trip waits for (04001402,
//! 03), and what the standard has no identifier for, under private ones. Digits are packed, low byte first.
//!
//! | identifier | bytes | |
//! |---|---|---|
//! | 0E4D5101 | 4 | standing charge of a day, XXXXXX.XX |
//! | 0E4D5102 | 1 + 5 n | bit 0: public holidays are friendly; for each friendly time weekdays (bit 0 Sunday), mm hh from, mm hh until |
//! | 0E4D5103 | 10 | over-power trip: watts (4), seconds above it (2), seconds until it closes by itself (2), how often (1), bit 0 despite keep power (1); watts 0 is off |
//! | 0E4D5104 | 1 | rate while the clock is not good, 0 the last one |
//! | 0E4D5105 | 4 | what the purse begins with at the programmed change to local fee control, XXXXXX.XX |

use dlt645::{DataId, Err645};
use heapless::Vec;
use meter_proto::outbox::OutboxStore;
use tariff::friendly::FriendlyHours;
use tariff::overload::PowerLimit;
use tariff::{Money, Rounding};

use super::programming::of_day;
use super::{Out, digits, serial};
use crate::management::ManagementCore;
use crate::settings::{Fee, TripCurrent};
use crate::store::Store;

/// Standing charge of a day.
pub const STANDING: DataId = DataId(0x0E4D_5101);
/// Friendly hours.
pub const FRIENDLY_HOURS: DataId = DataId(0x0E4D_5102);
/// The over-power trip.
pub const OVER_POWER: DataId = DataId(0x0E4D_5103);
/// The rate without a clock.
pub const FALLBACK_RATE: DataId = DataId(0x0E4D_5104);
/// Credit at the programmed change to local fee control.
pub const INITIAL_CREDIT: DataId = DataId(0x0E4D_5105);

const MODE_SWITCH: DataId = DataId(0x0400_010B);
const TRIP_CURRENT: DataId = DataId(0x0400_1402);
const TRIP_DELAY: DataId = DataId(0x0400_1403);

/// Bytes of a friendly time.
const HOURS: usize = 5;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// A value of fee control; `None` when the identifier is none of them.
    pub(super) fn fee_parameter(
        &self,
        id: DataId,
        out: &mut Out<'_>,
    ) -> Option<Result<(), Err645>> {
        let fee = &self.account().settings().fee;
        let trip = fee.trip_current.unwrap_or(TripCurrent {
            limit_ma: 0,
            longest_min: 0,
        });
        Some(match id {
            MODE_SWITCH => {
                let ahead = |at_s: &i64| *at_s > self.moment().utc_s;
                let waiting = fee.mode.map(|(at_s, _)| at_s).filter(ahead);
                out.put(&waiting.map_or([0; 5], |at_s| self.minute(self.moment_of(at_s))))
            }
            TRIP_CURRENT => out.put(&packed::<3>(trip.limit_ma)),
            TRIP_DELAY => out.put(&packed::<2>(trip.longest_min.into())),
            STANDING => out.put(&amount(fee.standing)),
            INITIAL_CREDIT => out.put(&amount(fee.initial)),
            FALLBACK_RATE => out.put(&[serial(fee.fallback_rate)]),
            FRIENDLY_HOURS => out.put(&[fee.friendly_holidays.into()]).and_then(|()| {
                fee.friendly.iter().try_for_each(|hours| {
                    let [from, until] = [hours.from, hours.until].map(minute_hour);
                    out.put(&[hours.weekdays])?;
                    out.put(&from)?;
                    out.put(&until)
                })
            }),
            OVER_POWER => {
                let Some(limit) = fee.overload else {
                    return Some(out.put(&[0; 10]));
                };
                let seconds = [limit.after_s, limit.reclose_s].map(packed::<2>);
                out.put(&packed::<4>(limit.watts))
                    .and_then(|()| out.put(seconds.as_flattened()))
                    .and_then(|()| out.put(&[serial(limit.tries), limit.despite_keep_power.into()]))
            }
            _ => return None,
        })
    }

    /// Writes a value of fee control into `fee`; `None` when the identifier is none of them.
    pub(super) fn program_fee(
        &self,
        fee: &mut Fee,
        id: DataId,
        data: &[u8],
    ) -> Option<Result<(), Err645>> {
        let done = match id {
            MODE_SWITCH => self.mode_switch(fee, data),
            TRIP_CURRENT => number::<3>(data).map(|limit_ma| {
                let longest_min = fee.trip_current.map_or(0, |trip| trip.longest_min);
                set_trip(fee, limit_ma, longest_min);
            }),
            TRIP_DELAY => number::<2>(data).map(|minutes| {
                let limit_ma = fee.trip_current.map_or(0, |trip| trip.limit_ma);
                set_trip(fee, limit_ma, minutes as u16);
            }),
            STANDING => number::<4>(data).map(|hundredths| fee.standing = money(hundredths)),
            INITIAL_CREDIT => number::<4>(data).map(|hundredths| fee.initial = money(hundredths)),
            FALLBACK_RATE => number::<1>(data).map(|rate| fee.fallback_rate = rate as u8),
            FRIENDLY_HOURS => friendly(fee, data),
            OVER_POWER => over_power(data).map(|limit| fee.overload = limit),
            _ => return None,
        };
        let checked = |()| fee.is_good().then_some(()).ok_or(Err645::OTHER);
        Some(done.and_then(checked))
    }

    /// The change leads to the other mode than the one at the time of writing; all zero or a past time takes it back.
    fn mode_switch(&self, fee: &mut Fee, data: &[u8]) -> Result<(), Err645> {
        fee.mode = None;
        if data == [0; 5] {
            return Ok(());
        }
        let at_s = self.stamp_s(data)?;
        if at_s > self.moment().utc_s {
            fee.mode = Some((at_s, !self.account().machine().is_prepaid()));
        }
        Ok(())
    }
}

fn set_trip(fee: &mut Fee, limit_ma: u32, longest_min: u16) {
    fee.trip_current = (limit_ma > 0 || longest_min > 0).then_some(TripCurrent {
        limit_ma,
        longest_min,
    });
}

fn friendly(fee: &mut Fee, data: &[u8]) -> Result<(), Err645> {
    let (&flags, rows) = data.split_first().ok_or(Err645::OTHER)?;
    let (rows, rest) = rows.as_chunks::<HOURS>();
    if flags > 1 || !rest.is_empty() {
        return Err(Err645::OTHER);
    }
    let mut friendly = Vec::new();
    for &[weekdays, from_minute, from_hour, minute, hour] in rows {
        let (from, until) = of_day(from_minute, from_hour)
            .zip(of_day(minute, hour))
            .ok_or(Err645::OTHER)?;
        let hours = FriendlyHours {
            weekdays,
            from,
            until,
        };
        friendly.push(hours).map_err(|_| Err645::OTHER)?;
    }
    (fee.friendly, fee.friendly_holidays) = (friendly, flags == 1);
    Ok(())
}

fn over_power(data: &[u8]) -> Result<Option<PowerLimit>, Err645> {
    let &[w0, w1, w2, w3, a0, a1, r0, r1, tries, flags] = data else {
        return Err(Err645::OTHER);
    };
    let watts = number::<4>(&[w0, w1, w2, w3])?;
    let limit = PowerLimit {
        watts,
        after_s: number::<2>(&[a0, a1])?,
        reclose_s: number::<2>(&[r0, r1])?,
        tries: digits(tries).ok_or(Err645::OTHER)?,
        despite_keep_power: match flags {
            0 => false,
            1 => true,
            _ => return Err(Err645::OTHER),
        },
    };
    Ok((watts > 0).then_some(limit))
}

fn minute_hour(of_day: u16) -> [u8; 2] {
    [of_day % 60, of_day / 60].map(|two| serial(two as u8))
}

fn money(hundredths: u32) -> Money {
    Money::from_hundredths(hundredths.into())
}

fn amount(money: Money) -> [u8; 4] {
    packed(money.hundredths(Rounding::Trunc).clamp(0, 99_999_999) as u32)
}

/// Packed digits, low byte first; higher digits are left out.
fn packed<const N: usize>(number: u32) -> [u8; N] {
    let mut rest = number;
    [(); N].map(|()| {
        let two = (rest % 100) as u8;
        rest /= 100;
        serial(two)
    })
}

fn number<const N: usize>(data: &[u8]) -> Result<u32, Err645> {
    let bytes: &[u8; N] = data.try_into().map_err(|_| Err645::OTHER)?;
    bytes.iter().rev().try_fold(0, |number: u32, byte| {
        let two = digits(*byte).ok_or(Err645::OTHER)?;
        Ok(number * 100 + u32::from(two))
    })
}
