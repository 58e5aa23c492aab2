//! A simulated DL/T 645-2007 meter.

use std::sync::{Arc, Mutex};

use dlt645::{
    Address, Application, Authority, Control, DataId, DataId1997, Err645, Guard, GuardRules,
    Message, Order, Password, Stamp, rate_of,
};

use super::locked;
use super::registers::Registers;
use crate::port::millis;

/// Level needed to write, to clear the demand and to order.
const WRITER: u8 = 0x04;
/// Level needed to clear the meter and its events.
const MASTER: u8 = 0x02;

/// A three-phase meter with the password 000000 on levels 02 and 04.
#[derive(Debug)]
pub struct Electricity {
    address: Address,
    registers: Registers,
    /// One for all connections, so that none of them has more tries than another.
    guard: Guard,
    keep_power: bool,
    relay_open: bool,
}

impl Electricity {
    /// A meter with its usual registers.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Electricity {
            address,
            registers: Registers::start(address),
            guard: Guard::new(GuardRules::default())
                .password(MASTER, 0)
                .password(WRITER, 0),
            keep_power: false,
            relay_open: false,
        }
    }

    /// Gives a register other bytes.
    pub fn set(&mut self, id: DataId, data: Vec<u8>) {
        self.registers.set(id, data);
    }

    /// Whether the load is cut off.
    #[must_use]
    pub const fn is_tripped(&self) -> bool {
        self.relay_open
    }

    /// Whether `given` opens what needs `level` or better.
    fn admit(&mut self, given: Password, level: u8) -> Result<(), Err645> {
        self.guard.check(millis(), given, level)
    }

    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        self.admit(authority.password, WRITER)?;
        if id.di3() != 0x04 {
            return Err(Err645::NOT_AUTHORISED);
        }
        if !self.registers.has(id) {
            return Err(Err645::NO_DATA);
        }
        if id
            .item()
            .is_some_and(|item| item.format().len() != data.len())
        {
            return Err(Err645::OTHER);
        }
        self.registers.set(id, data.to_vec());
        Ok(())
    }

    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        self.admit(authority.password, WRITER)?;
        // Expired ones are refused before they come here; one that never expires is no order to such a meter.
        if control.expires.is_none() {
            return Err(Err645::NOT_AUTHORISED);
        }
        match control.order {
            Order::Trip | Order::TripThenClose | Order::TripThenAllow if self.keep_power => {
                return Err(Err645::NOT_AUTHORISED);
            }
            Order::Trip | Order::TripThenClose | Order::TripThenAllow => self.relay_open = true,
            Order::AllowClose | Order::Close => self.relay_open = false,
            Order::KeepPower => self.keep_power = true,
            Order::EndKeepPower => self.keep_power = false,
            Order::AlarmOn | Order::AlarmOff => {}
            _ => return Err(Err645::OTHER),
        }
        let word = [0x08 | u8::from(self.relay_open) << 4, 0];
        self.registers.set(DataId(0x0400_0503), word.to_vec());
        Ok(())
    }

    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        let mut put = |bytes: &[u8]| match out.get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                Ok(bytes.len())
            }
            None => Err(Err645::OTHER),
        };
        Some(match *message {
            Message::Freeze { .. } => Ok(0),
            Message::ChangeRate(byte) => match rate_of(byte) {
                Some(_) => put(&[byte]),
                None => Err(Err645::RATE),
            },
            Message::Output(signal @ 0..=2) => put(&[signal]),
            Message::Output(_) => Err(Err645::OTHER),
            Message::ChangePassword { id, old, new } => {
                self.change(id, old, new).and_then(|()| put(&new.line()))
            }
            Message::ClearDemand(authority) => self.admit(authority.password, WRITER).map(|()| 0),
            Message::ClearMeter(authority) | Message::ClearEvents { authority, .. } => {
                self.admit(authority.password, MASTER).map(|()| 0)
            }
            Message::Protected { .. } => Err(Err645::NOT_AUTHORISED),
            _ => return None,
        })
    }

    fn change(&mut self, id: DataId, old: Password, new: Password) -> Result<(), Err645> {
        self.admit(old, new.level)?;
        if id.0 & 0xFFFF_FF00 != 0x0400_0C00 {
            return Err(Err645::NO_DATA);
        }
        self.guard.set_password(new);
        Ok(())
    }
}

/// The host's civil time, which is the meter's.
fn now() -> Stamp {
    crate::encode::stamp(jiff::Zoned::now().datetime()).unwrap_or_default()
}

/// A meter that several connections share.
#[derive(Debug)]
pub(super) struct Shared(pub Arc<Mutex<Electricity>>);

impl Application for Shared {
    fn address(&self) -> Address {
        locked(&self.0).address
    }

    fn read(&mut self, id: DataId, _: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        // Passwords are never told.
        if id.0 & 0xFFFF_FF00 == 0x0400_0C00 {
            return Err(Err645::NOT_AUTHORISED);
        }
        let data = locked(&self.0).registers.read(id).ok_or(Err645::NO_DATA)?;
        let place = out.get_mut(..data.len()).ok_or(Err645::OTHER)?;
        place.copy_from_slice(&data);
        Ok(data.len())
    }

    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        locked(&self.0).write(id, authority, data)
    }

    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        locked(&self.0).control(authority, control)
    }

    fn write_address(&mut self, address: Address) -> bool {
        let mut meter = locked(&self.0);
        meter.address = address;
        meter.set(DataId(0x0400_0401), address.line().to_vec());
        true
    }

    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        locked(&self.0).other(message, out)
    }

    fn clock(&self) -> Option<Stamp> {
        Some(now())
    }

    fn read_1997(&mut self, id: DataId1997, out: &mut [u8]) -> Result<usize, Err645> {
        let meter = locked(&self.0);
        let data = match id.0 {
            // The same registers under their older identifiers.
            0x9010..=0x9014 | 0x901F => {
                let tariff = if id.0 == 0x901F { 0xFF } else { id.0 & 0x0F };
                meter
                    .registers
                    .read(DataId(0x0001_0000 | u32::from(tariff) << 8))
            }
            0xC032 => Some(meter.address.line().to_vec()),
            _ => meter.registers.read_1997(id),
        };
        let data = data.ok_or(Err645::UNKNOWN_ID_1997)?;
        let place = out.get_mut(..data.len()).ok_or(Err645::ILLEGAL_1997)?;
        place.copy_from_slice(&data);
        Ok(data.len())
    }

    fn write_1997(
        &mut self,
        id: DataId1997,
        password: Password,
        data: &[u8],
    ) -> Result<(), Err645> {
        let _ = (id, data);
        // No register of the older edition is written; the password is judged first.
        locked(&self.0)
            .admit(password, WRITER)
            .map_err(|_| Err645::PASSWORD_1997)?;
        Err(Err645::UNKNOWN_ID_1997)
    }
}
