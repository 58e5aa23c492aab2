//! A prepaid meter: tables that arrive at run time, the machine, its stored state. The sizes are those of `tariff.rs`
//! in the small profile on both cores.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use mcu::Port;
use tariff::calendar::{Slot, Zone};
use tariff::civil::Moment;
use tariff::profile::Small;
use tariff::purse::{Limits, Recharge};
use tariff::remote::Command;
use tariff::{Machine, Money, Price, stored};

fn number(port: &mut Port) -> u64 {
    let mut number = 0;
    while let Some(byte) = port.receive() {
        number = number << 8 | u64::from(byte);
    }
    number
}

fn amount(port: &mut Port) -> Money {
    Money::from_ten_millionths(number(port) as i64)
}

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut tables = Small::new();
    let limits = Limits {
        alarm_1: amount(&mut port),
        alarm_2: amount(&mut port),
        overdraft: amount(&mut port),
        hoard: amount(&mut port),
        close_allow: amount(&mut port),
    };
    let mut machine = Machine::<4>::prepaid(limits);
    let mut record = [0; stored::longest(4)];
    let mut sequence = 0;
    loop {
        let row = number(&mut port);
        match row >> 56 {
            0 => {
                let zone = Zone {
                    start: row as u16,
                    table: (row >> 16) as u8,
                };
                port.show(i32::from(tables.zones.push(zone).is_ok()));
            }
            1 => {
                let slot = Slot {
                    start: row as u16,
                    table: (row >> 16) as u8,
                    rate: (row >> 24) as u8,
                };
                port.show(i32::from(tables.slots.push(slot).is_ok()));
            }
            2 => {
                let price = Price::from_ten_thousandths(row as u32);
                port.show(i32::from(tables.prices.push(price).is_ok()));
            }
            3 => {
                let now = Moment {
                    utc_s: number(&mut port) as i64,
                    offset_s: 28_800,
                };
                let total = number(&mut port);
                if let Ok(tariff) = tables.tariff() {
                    let effect = machine.advance(&tariff, now, total, |_| ());
                    port.show(i32::from(effect.relay_open == Some(true)));
                }
            }
            4 => {
                let order = Recharge {
                    customer: [row as u8; 6],
                    count: number(&mut port) as u32,
                    amount: amount(&mut port),
                };
                port.show(i32::from(machine.recharge(order, row as i64).is_ok()));
            }
            5 => port.show(i32::from(machine.open_account([row as u8; 6]).is_ok())),
            6 => {
                let delay_s = row as u32;
                port.show(i32::from(
                    machine.command(Command::Trip { delay_s }, 0).is_ok(),
                ));
            }
            7 => port.show(i32::from(machine.key().relay_open.is_some())),
            8 => {
                let mut bytes = [0; stored::longest(4)];
                for byte in &mut bytes {
                    *byte = port.receive().unwrap_or_default();
                }
                if let Ok((number, stored)) = stored::decode::<4>(&bytes) {
                    (sequence, machine) = (number, stored);
                }
            }
            _ => {}
        }
        sequence = sequence.wrapping_add(1);
        if let Ok(length) = stored::encode(&machine, sequence, &mut record) {
            port.send(record.get(..length).unwrap_or_default());
        }
    }
}
