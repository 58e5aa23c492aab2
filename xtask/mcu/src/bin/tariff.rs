//! A year of days of 96 points through the machine of a prepaid meter, counted by SysTick in the emulator: the limits
//! of DL/T 645 on the larger core, a small profile on the smaller; then through the whole meter with both sets,
//! demand, settlement and daily freezes, whose rows leave as bytes for a flash. Prints instructions of a point, and
//! bytes of the tables and of the state. Energy, money and rows are checked at the end.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use mcu::count;
use tariff::calendar::{Holiday, Slot, Zone};
use tariff::civil::{Date, Moment};
use tariff::demand::{Demand, Maxima, Windows};
use tariff::freeze::{Freezes, Kind, Pattern};
use tariff::machine::Clock;
use tariff::meter::{Meter, Parameters, Parts, Reading};
use tariff::purse::{Limits, Recharge};
use tariff::sets::Sets;
use tariff::tier::Tier;
use tariff::{Machine, Money, Price};

#[cfg(not(board = "microbit"))]
mod profile {
    /// The limits of DL/T 645: 14 zones, 8 tables of 14 slots, 254 holidays, 63 rates, 7 tiers.
    pub type Tables = tariff::profile::Full;
    pub const ZONES: u16 = 14;
    pub const TABLES: u8 = 8;
    pub const SLOTS: u16 = 14;
    pub const HOLIDAYS: u16 = 254;
    pub const RATES: usize = 63;
    pub const TIERS: u64 = 7;
}
#[cfg(board = "microbit")]
mod profile {
    /// Two zones, two tables of eight slots, eight holidays, four rates, three tiers.
    pub type Tables = tariff::profile::Small;
    pub const ZONES: u16 = 2;
    pub const TABLES: u8 = 2;
    pub const SLOTS: u16 = 8;
    pub const HOLIDAYS: u16 = 8;
    pub const RATES: usize = 4;
    pub const TIERS: u64 = 3;
}
use profile::{HOLIDAYS, RATES, SLOTS, TABLES, TIERS, Tables, ZONES};

/// One channel with its demand.
type Whole = Meter<1, RATES, 1, 1>;

/// A quarter of an hour.
const POINT_S: i64 = 900;
const POINTS: u32 = 365 * 96;
const UTC: i32 = 0;

/// Every place of the tables is used.
fn tables() -> Option<Tables> {
    let mut tables = Tables::new();
    for zone in 0..ZONES {
        // Rising days of rising months.
        let start = (zone * 12 / ZONES + 1) * 100 + zone + 1;
        let table = (zone % u16::from(TABLES)) as u8 + 1;
        tables.zones.push(Zone { start, table }).ok()?;
    }
    for table in 1..=TABLES {
        for slot in 0..SLOTS {
            let rate = (usize::from(table) * 17 + usize::from(slot)) % RATES + 1;
            let start = slot * (1440 / SLOTS / 15 * 15);
            let slot = Slot {
                table,
                start,
                rate: rate as u8,
            };
            tables.slots.push(slot).ok()?;
        }
    }
    for number in 0..HOLIDAYS {
        // Of this year eight at most, the others of years to come.
        let date = Date::try_new(2026 + number / 8, (number % 8) as u8 + 1, 10)?;
        tables.holidays.push(Holiday { date, table: 1 }).ok()?;
    }
    tables.work_days = 0x3E;
    tables.rest_table = 2;
    for rate in 0..RATES as u32 {
        tables
            .prices
            .push(Price::from_ten_thousandths(2000 + rate * 97))
            .ok()?;
    }
    for tier in 1..=TIERS {
        let up_to_wh = if tier == TIERS {
            u64::MAX
        } else {
            tier * 150_000
        };
        let price = Price::from_ten_thousandths(tier as u32 * 500);
        tables.tiers.push(Tier { up_to_wh, price }).ok()?;
    }
    Some(tables)
}

/// The same year through the whole meter: instructions of a point.
#[inline(never)]
fn whole(tables: &Tables, start: Moment) -> Option<u64> {
    let tariff = tables.tariff().ok()?;
    let sets = Sets::try_new(
        tariff,
        &tables.zones,
        &tables.slots,
        &tables.prices,
        &tables.tiers,
    )
    .ok()?;
    let p = Parameters {
        windows: Windows::block(15),
        freezes: Freezes {
            daily: Some(Pattern::Daily { minute: 0 }),
            ..Freezes::default()
        },
        ..Parameters::of(sets)
    };
    let mut meter: Whole = Meter::around(Machine::new());
    let (mut at, mut tenths, mut point) = (start, 0_u64, 0_u32);
    let mut row = [0; Parts::ALL.longest(1, RATES, 1)];
    let (mut kept, mut bytes) = (0_u32, 0_u64);
    let mut advance = || {
        let reading = Reading {
            tenths: [tenths],
            watts: None,
        };
        let effect = meter.advance(
            &p,
            Clock::good(black_box(at)),
            black_box(&reading),
            |rows| {
                kept += 1;
                // A settled period keeps rates and demand, a freeze the rates.
                let parts = match rows.kind {
                    Kind::Settlement => Parts::ACTIVE.with(Parts::RATES).with(Parts::DEMAND),
                    _ => Parts::ACTIVE.with(Parts::RATES),
                };
                bytes += rows
                    .encode(parts, &mut row)
                    .map_or(0, |length| length as u64);
            },
        );
        black_box(effect.relay_open);
        point += 1;
        at = at.plus(POINT_S);
        tenths += u64::from(point.wrapping_mul(2_654_435_761) >> 23) % 4000;
    };
    advance();
    let cost = count::per_call_of(POINTS, &mut advance);
    // Eleven months end before the last point, the twelfth with it; a freeze for every day but the first.
    let settled = meter.kept(Kind::Settlement) == 12;
    let used = meter.machine().registers_wh().iter().sum::<u64>();
    let total = meter.channel(0)?.total;
    (settled && kept == 12 + 365 && bytes > u64::from(kept) * 30 && used == total / 10)
        .then_some(cost)
}

fn run() -> Option<()> {
    const CUSTOMER: [u8; 6] = [6; 6];
    let tables = tables()?;
    let tariff = tables.tariff().ok()?;
    let start = Moment::from_local(Date::try_new(2026, 1, 1)?, 0, UTC);
    let credit = Money::from_hundredths(90_000_000);
    let mut machine = Machine::<RATES>::prepaid(Limits::default());
    let _ = machine.advance(&tariff, start, 0, |_| ());
    let _ = machine.open_account(CUSTOMER).ok()?;
    let order = Recharge {
        customer: CUSTOMER,
        count: 1,
        amount: credit,
    };
    let _ = machine.recharge(order, start.utc_s).ok()?;
    let (mut at, mut total, mut spent, mut point) = (start, 0_u64, Money::ZERO, 0_u32);
    let mut advance = || {
        // 0 to 1.6 kW, never the same for long.
        point += 1;
        at = at.plus(POINT_S);
        total += u64::from(point.wrapping_mul(2_654_435_761) >> 23) % 400;
        let effect = machine.advance(&tariff, black_box(at), black_box(total), |line| {
            spent = spent + line.amount;
        });
        black_box(effect.relay_open);
    };
    let point_cost = count::per_call_of(POINTS, &mut advance);
    let right = machine.registers_wh().iter().sum::<u64>() == total
        && spent + machine.purse().balance() == credit
        && machine.registers_wh().iter().filter(|wh| **wh > 0).count() >= RATES * 3 / 4
        && point == POINTS;

    let mut demand = Demand::<15>::new(Windows::sliding(15, 1)?);
    let mut maxima = Maxima::<RATES>::new();
    let mut at = start;
    let minute_cost = count::per_call(|| {
        demand.book(at, 60, black_box(90_000), 1, |window| maxima.take(&window));
        at = at.plus(60);
    });
    if !right || maxima.total()?.ten_thousandths_kw() != 15_000 {
        return None;
    }
    let whole_cost = whole(&tables, start)?;
    hprintln!("tariff-point {}", point_cost);
    hprintln!("tariff-whole-point {}", whole_cost);
    hprintln!("tariff-whole-state {}", size_of::<Whole>());
    hprintln!("tariff-demand-minute {}", minute_cost);
    hprintln!("tariff-tables {}", size_of::<Tables>());
    hprintln!("tariff-state {}", size_of::<Machine<RATES>>());
    hprintln!(
        "tariff-demand-state {}",
        size_of::<Demand<15>>() + size_of::<Maxima<RATES>>()
    );
    Some(())
}

#[entry]
fn main() -> ! {
    count::start();
    if run().is_none() {
        hprintln!("a wrong result");
        debug::exit(debug::EXIT_FAILURE);
    }
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
