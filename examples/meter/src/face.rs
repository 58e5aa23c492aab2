//! The DL/T 645 face of the meter: identifiers to values, orders by password, the private identifiers of unified records.
//!
//! Values come from what the line between the cores brought last; a read never waits for the other core.

mod events;
mod fee;
mod kept;
mod programmed;
mod programming;
mod registers;
mod tables;

pub use fee::{FALLBACK_RATE, FRIENDLY_HOURS, INITIAL_CREDIT, OVER_POWER, STANDING};

use dlt645::{
    Address, Application, Authority, Control, DataId, Err645, FreezePattern, Message, Operator,
    Order, SecurityErr, Stamp,
};
use meter_proto::compact;
use meter_proto::message::{Acknowledgement, Command};
use meter_proto::outbox::OutboxStore;
use metrology::event::Condition;
use tariff::meter::Shown;
use tariff::remote::Command as Command645;

use crate::clock;
use crate::crossing::PhaseValues;
use crate::management::{ManagementCore, PasswordError};
use crate::store::Store;

/// Reads the oldest record that waits.
pub const RECORD: DataId = DataId(0x0E4D_5001);
/// Takes an acknowledgement.
pub const ACKNOWLEDGE: DataId = DataId(0x0E4D_5002);
/// Takes a command and gives its result.
pub const COMMAND: DataId = DataId(0x0E4D_5003);

/// Reads a line of the metering core's log: the question holds chain (0 legal, 1 asked) and number, 8 bytes low byte
/// first; the answer is that of `crossing`. "No data" means: ask again, it is on its way.
pub const LOG_LINE: DataId = DataId(0x0E4D_5005);

/// The values of one block of phases.
type Column = fn(&PhaseValues) -> i32;

/// The date a broadcast may differ, milliseconds.
const BROADCAST_WINDOW_MS: u64 = 5 * 60_000;
const DAY_MS: u64 = 86_400_000;

/// Bits of the status words 4 to 6.
const PHASE_BITS: [(u32, Condition); 9] = [
    (0, Condition::VoltageLost),
    (1, Condition::UnderVoltage),
    (2, Condition::OverVoltage),
    (3, Condition::CurrentLost),
    (4, Condition::OverCurrent),
    (5, Condition::Overload),
    (6, Condition::Reverse),
    (7, Condition::PhaseBroken),
    (8, Condition::CurrentInterrupted),
];
/// Bits of the status word 7.
const METER_BITS: [(u32, Condition); 7] = [
    (0, Condition::VoltageOrder),
    (1, Condition::CurrentOrder),
    (2, Condition::VoltageUnbalance),
    (3, Condition::CurrentUnbalance),
    (5, Condition::PowerDown),
    (7, Condition::PowerFactorLow),
    (8, Condition::SevereCurrentUnbalance),
];

/// Where the bytes of an answer are gathered.
struct Out<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Out<'_> {
    fn number(&mut self, id: u32, mantissa: i32) -> Result<(), Err645> {
        let room = self.bytes.get_mut(self.len..).ok_or(Err645::OTHER)?;
        self.len += DataId(id)
            .encode_number(mantissa, room)
            .map_err(|_| Err645::OTHER)?;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Err645> {
        self.bytes
            .get_mut(self.len..)
            .and_then(|rest| rest.get_mut(..bytes.len()))
            .ok_or(Err645::OTHER)?
            .copy_from_slice(bytes);
        self.len = self.len.saturating_add(bytes.len());
        Ok(())
    }
}

/// Steps of 0.1 Wh as digits of 0.01 kWh; the register of the standard has eight digits and rolls over.
fn hundredths_kwh(steps: u64) -> i32 {
    (steps / 100 % 100_000_000) as i32
}

fn unsigned(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Energy, class 00: totals of each phase now, the rest as the tariff counts and keeps it; the purse.
    fn energy(&mut self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        if id.di2() == 0x90 {
            let balance = self.account().balance_hundredths();
            let shown = |amount: i64| i32::try_from(amount.max(0)).unwrap_or(99_999_999);
            return match (id.di1(), id.di0()) {
                (2, 0) => out.number(id.0, shown(balance)),
                (2, 1) => out.number(id.0, shown(balance.saturating_neg())),
                _ => Err(Err645::NO_DATA),
            };
        }
        let totals = self.totals();
        let phase = |number: usize| totals.phase.get(number).copied().unwrap_or_default();
        let steps = match id.di2() {
            0x15 => phase(0).import,
            0x16 => phase(0).export,
            0x29 | 0x2A | 0x3D | 0x3E if totals.phases < 3 => return Err(Err645::NO_DATA),
            0x29 => phase(1).import,
            0x2A => phase(1).export,
            0x3D => phase(2).import,
            0x3E => phase(2).export,
            _ => return self.energies_of(id, out),
        };
        // Phases are not settled.
        match (id.di1(), id.di0()) {
            (0 | 0xFF, 0) => out.number(id.0 & 0xFFFF_0000, hundredths_kwh(steps)),
            _ => Err(Err645::NO_DATA),
        }
    }

    /// Instantaneous values, class 02.
    fn variable(&self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        let values = self.values();
        if values.window == 0 {
            return Err(Err645::NO_DATA);
        }
        if id.0 == 0x0280_0002 {
            return out.number(id.0, hertz(values.frequency_mhz));
        }
        // Price in force, of the rate, of the tier.
        let [rate, tier] = self.account().prices_ten_thousandths();
        match id.0 {
            0x0280_0020 => return out.number(id.0, unsigned(rate.saturating_add(tier))),
            0x0280_0021 => return out.number(id.0, unsigned(rate)),
            0x0280_000B => return out.number(id.0, unsigned(tier)),
            _ => {}
        }
        if id.di0() != 0 {
            return Err(Err645::NO_DATA);
        }
        let (total, column): (Option<i32>, Column) = match id.di2() {
            1 => (None, volts),
            2 => (None, amperes),
            3 => (Some(tenths(values.active_mw)), |p| tenths(p.active_mw)),
            4 => (Some(tenths(values.reactive_mvar)), |p| {
                tenths(p.reactive_mvar)
            }),
            5 => (Some(tenths_unsigned(values.apparent_mva)), |p| {
                tenths_unsigned(p.apparent_mva)
            }),
            6 => (Some(thousandths(values.power_factor_ppm)), |p| {
                thousandths(p.power_factor_ppm)
            }),
            7 => (None, |p| {
                (p.angle_mdeg.rem_euclid(360_000) + 50) / 100 % 3600
            }),
            _ => return Err(Err645::NO_DATA),
        };
        let phases = usize::from(self.totals().phases);
        match (id.di1(), total) {
            (0, Some(total)) => out.number(id.0, total),
            (0xFF, total) => {
                let base = id.0 & 0xFFFF_00FF;
                if let Some(total) = total {
                    out.number(base, total)?;
                }
                for (number, phase) in (1u32..).zip(values.phase.iter().take(phases)) {
                    out.number(base | number << 8, column(phase))?;
                }
                Ok(())
            }
            (number, _) => {
                let index = usize::from(number)
                    .checked_sub(1)
                    .filter(|index| *index < phases);
                let phase = index
                    .and_then(|index| values.phase.get(index))
                    .ok_or(Err645::NO_DATA)?;
                out.number(id.0, column(phase))
            }
        }
    }

    /// Parameters, class 04.
    fn parameter(&self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        if id.di2() != 0 {
            return self.table(id, out);
        }
        if let Some(done) = self.fee_parameter(id, out) {
            return done;
        }
        if let Some(done) = self.tariff_parameter(id, out) {
            return done;
        }
        let now = self.calendar();
        let two = |value: u8| serial(value);
        match id.0 {
            0x0400_0101 => out.put(&[
                two(now.weekday),
                two(now.day),
                two(now.month),
                two((now.year % 100) as u8),
            ]),
            0x0400_0102 => out.put(&[two(now.second), two(now.minute), two(now.hour)]),
            0x0400_0401 => out.put(&self.address().line()),
            0x0400_040E => {
                let mut customer = self.account().machine().purse().customer();
                customer.reverse();
                out.put(&customer)
            }
            0x0400_05FF => {
                for word in self.status_words() {
                    out.put(&word.to_le_bytes())?;
                }
                Ok(())
            }
            0x0400_0501..=0x0400_0507 => {
                let index = usize::from(id.di0()) - 1;
                let word = self
                    .status_words()
                    .get(index)
                    .copied()
                    .ok_or(Err645::NO_DATA)?;
                out.put(&word.to_le_bytes())
            }
            0x0400_1001..=0x0400_1005 => {
                let limit = self
                    .account()
                    .limit_hundredths(id.di0())
                    .ok_or(Err645::NO_DATA)?;
                out.number(id.0, i32::try_from(limit).unwrap_or(99_999_999))
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    /// Run status words 1 to 7.
    #[must_use]
    pub fn status_words(&self) -> [u16; 7] {
        let bit = |set: bool, number: u32| u16::from(set) << number;
        let (totals, values, account) = (self.totals(), self.values(), self.account());
        let relay = totals.relay;
        let overdrawn = account.balance_hundredths() < 0;
        let clock_bad = account.machine().clock_is_bad();
        let word1 = bit(values.active_mw < 0, 4)
            | bit(values.reactive_mvar < 0, 5)
            | bit(overdrawn, 14)
            | bit(clock_bad, 15);
        let mut word2 = 0;
        let mut phases = [0; 3];
        for ((number, phase), word) in (0u32..).zip(&values.phase).zip(&mut phases) {
            word2 |= bit(phase.active_mw < 0, number) | bit(phase.reactive_mvar < 0, number + 4);
            let index = number as usize;
            for (number, condition) in PHASE_BITS {
                *word |= bit(values.conditions.contains(condition, index), number);
            }
        }
        // What a sealed order did shows as what a plain one would.
        let shown = Shown {
            relay_open: !relay.closed,
            ..Shown::default()
        };
        let word3 = account.meter().status_word_3(shown)
            | bit(relay.tripped_by_order, 6)
            | bit(relay.alarm, 7)
            | bit(relay.hold, 12);
        let [a, b, c] = phases;
        let word7 = METER_BITS.into_iter().fold(0, |word, (number, condition)| {
            word | bit(values.conditions.contains(condition, 0), number)
        });
        [word1, word2, word3, a, b, c, word7]
    }
}

/// Tenths of a volt.
fn volts(p: &PhaseValues) -> i32 {
    unsigned(p.voltage_mv.saturating_add(50) / 100)
}

/// Milliamperes, below zero when energy flows back.
fn amperes(p: &PhaseValues) -> i32 {
    let milliamperes = unsigned(p.current_ua.saturating_add(500) / 1000).min(799_999);
    if p.active_mw < 0 {
        -milliamperes
    } else {
        milliamperes
    }
}

/// Hundredths of a hertz.
fn hertz(millihertz: u32) -> i32 {
    unsigned(millihertz.saturating_add(5) / 10)
}

fn tenths(milli: i32) -> i32 {
    (milli.saturating_add(if milli < 0 { -50 } else { 50 }) / 100).clamp(-7_999_999, 7_999_999)
}

fn tenths_unsigned(milli: u32) -> i32 {
    unsigned(milli.saturating_add(50) / 100).min(7_999_999)
}

fn thousandths(ppm: i32) -> i32 {
    (ppm.saturating_add(if ppm < 0 { -500 } else { 500 }) / 1000).clamp(-1000, 1000)
}

/// Two digits of a number below 100.
const fn serial(value: u8) -> u8 {
    ((value / 10 % 10) << 4) | (value % 10)
}

/// Two digits back; `None` when a nibble is no digit.
fn digits(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0F);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

impl From<PasswordError> for Err645 {
    fn from(_: PasswordError) -> Self {
        Err645::NOT_AUTHORISED
    }
}

impl<S: Store, O: OutboxStore> Application for ManagementCore<S, O> {
    fn address(&self) -> Address {
        self.own_address()
    }

    fn read(&mut self, id: DataId, rest: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        if id == RECORD {
            return self.oldest_record(out).ok_or(Err645::NO_DATA);
        }
        if id == LOG_LINE {
            let mut out = Out { bytes: out, len: 0 };
            out.put(self.log_line(rest).ok_or(Err645::NO_DATA)?)?;
            return Ok(out.len);
        }
        let mut out = Out { bytes: out, len: 0 };
        match id.di3() {
            0x00 => self.energy(id, &mut out),
            0x01 => self.demands(id, &mut out),
            0x02 => self.variable(id, &mut out),
            0x03 if id.di2() == 0x30 => self.programming_record(id, &mut out),
            0x03 if matches!(id.di2(), 0x33 | 0x34) => self.purse_record(id, &mut out),
            0x03 => self.event_record(id, &mut out),
            0x04 => self.parameter(id, &mut out),
            0x0E => self
                .fee_parameter(id, &mut out)
                .unwrap_or(Err(Err645::NO_DATA)),
            0x05 => self.frozen(id, &mut out),
            0x06 => self.load(id, rest, &mut out),
            0x1D | 0x1E => self.relay_record(id, &mut out),
            0x10..=0x1F => self.event_item(id, &mut out),
            _ => Err(Err645::NO_DATA),
        }?;
        Ok(out.len)
    }

    /// Date and time move the management calendar; the tables of the tariff ask for level 2.
    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        let is_time = matches!(id.0, 0x0400_0101 | 0x0400_0102);
        self.check_password(authority, if is_time { 4 } else { 2 })?;
        if !is_time {
            return self
                .program(id, authority.operator, data)
                .unwrap_or(Err(Err645::NOT_AUTHORISED));
        }
        let mut stamp = clock::stamp(self.utc_ms(), self.utc_offset_min());
        match (id.0, data) {
            (0x0400_0101, [_, day, month, year]) => {
                stamp.day = digits(*day).ok_or(Err645::OTHER)?;
                stamp.month = digits(*month).ok_or(Err645::OTHER)?;
                stamp.year = digits(*year).ok_or(Err645::OTHER)?;
            }
            (0x0400_0102, [second, minute, hour]) => {
                stamp.second = digits(*second).ok_or(Err645::OTHER)?;
                stamp.minute = digits(*minute).ok_or(Err645::OTHER)?;
                stamp.hour = digits(*hour).ok_or(Err645::OTHER)?;
            }
            _ => return Err(Err645::OTHER),
        }
        let utc_ms = clock::from_stamp(stamp, self.utc_offset_min()).ok_or(Err645::OTHER)?;
        self.move_calendar(utc_ms, authority.operator);
        Ok(())
    }

    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        self.check_password(authority, 2)?;
        // An order without an expiry, or a late one, is refused.
        let expires = control
            .expires
            .and_then(|stamp| clock::from_stamp(stamp, self.utc_offset_min()));
        if expires.is_none_or(|expires| expires < self.utc_ms()) {
            return Err(Err645::NOT_AUTHORISED);
        }
        let command = match control.order {
            Order::Trip => Command645::Trip {
                delay_s: u32::from(control.delay) * 60,
            },
            // The delay of these counts five minutes.
            Order::TripThenClose | Order::TripThenAllow => Command645::TripFor {
                open_s: u32::from(control.delay) * 300,
                by_key: control.order == Order::TripThenAllow,
            },
            Order::AllowClose => Command645::AllowClose,
            Order::Close => Command645::Close,
            Order::AlarmOn => Command645::Alarm,
            Order::AlarmOff => Command645::AlarmOff,
            Order::KeepPower => Command645::KeepPower,
            Order::EndKeepPower => Command645::KeepPowerOff,
            _ => return Err(Err645::NOT_AUTHORISED),
        };
        if self.remote_command(command, authority.operator) {
            Ok(())
        } else {
            Err(Err645::NOT_AUTHORISED)
        }
    }

    fn security(
        &mut self,
        id: DataId,
        _operator: Operator,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        match id {
            ACKNOWLEDGE => {
                let (_, told) =
                    compact::decode_as::<Acknowledgement>(data).map_err(|_| SecurityErr::OTHER)?;
                if self.acknowledged(&told) {
                    Ok(0)
                } else {
                    Err(SecurityErr::OTHER)
                }
            }
            COMMAND => {
                let (_, command) =
                    compact::decode_as::<Command>(data).map_err(|_| SecurityErr::OTHER)?;
                let (head, result) = self.command(&command);
                let room = out.len().min(180);
                let place = out.get_mut(..room).ok_or(SecurityErr::OTHER)?;
                compact::encode_as(&head, &result, place).map_err(|_| SecurityErr::OTHER)
            }
            _ => Err(SecurityErr::OTHER),
        }
    }

    /// At most 5 minutes, once a day, not within 5 minutes of midnight.
    fn set_time(&mut self, stamp: Stamp) {
        let Some(utc_ms) = clock::from_stamp(stamp, self.utc_offset_min()) else {
            return;
        };
        let of_day = clock::local_ms(self.utc_ms(), self.utc_offset_min()) % DAY_MS;
        let near_midnight = !(BROADCAST_WINDOW_MS..DAY_MS - BROADCAST_WINDOW_MS).contains(&of_day);
        if !near_midnight && utc_ms.abs_diff(self.utc_ms()) <= BROADCAST_WINDOW_MS {
            self.broadcast_time(utc_ms);
        }
    }

    /// Freezes and the clearing of demand, which is kept. Clearing the meter or its events needs the seal switch, which
    /// this meter's front does not have open: ERR bit 2.
    fn other(&mut self, message: &Message<'_>, _out: &mut [u8]) -> Option<Result<usize, Err645>> {
        let done = match message {
            &Message::Freeze {
                month,
                day,
                hour,
                minute,
            } => FreezePattern::new(month, day, hour, minute)
                .ok_or(Err645::OTHER)
                .and_then(|pattern| self.freeze_order(pattern)),
            Message::ClearDemand(authority) => self
                .check_password(authority, 4)
                .map_err(Err645::from)
                .and_then(|()| {
                    self.clear_demand(authority.operator)
                        .map_err(|_| Err645::OTHER)
                }),
            Message::ClearMeter(_) | Message::ClearEvents { .. } => Err(Err645::NOT_AUTHORISED),
            _ => return None,
        };
        Some(done.map(|()| 0))
    }
}
