//! How long the flash of a prepaid meter lasts: `cargo run -p meterkit-tariff --features store --example wear`.
//!
//! The meter stores its state every quarter of an hour, with every row that it keeps, and at twenty events a day; it
//! settles, freezes and records as the standard asks. Each record goes to both halves of the flash.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use tariff::freeze::Kind;
use tariff::meter::Parts;
use tariff::store::FlashStore;
use tariff::store::wear::Habit;
use tariff::stored::longest_meter;

const CHANNELS: usize = 6;
const RATES: usize = 4;
const DEMANDS: usize = 2;

/// A chip of which only the measures count.
struct Chip;

impl ErrorType for Chip {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 1;
    fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(NorFlashErrorKind::Other)
    }
    fn capacity(&self) -> usize {
        0
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;
    fn erase(&mut self, _: u32, _: u32) -> Result<(), Self::Error> {
        Err(NorFlashErrorKind::Other)
    }
    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), Self::Error> {
        Err(NorFlashErrorKind::Other)
    }
}

fn main() {
    let row = |parts: Parts| parts.longest(CHANNELS, RATES, DEMANDS) as u32;
    let state = longest_meter(CHANNELS, RATES, DEMANDS) as u32;
    let registers = row(Parts::ACTIVE.with(Parts::QUADRANTS));
    // Kind, bytes, rows a day, rows that are kept.
    let rows = [
        (Kind::Hourly, row(Parts::ACTIVE), 24, 254),
        (Kind::Daily, row(Parts::ALL), 1, 62),
        (Kind::DailyPurse, row(Parts::PURSE), 1, 62),
        (Kind::Settlement, row(Parts::ALL), 1, 12),
        (Kind::Load, registers + 55, 96, 384),
        (Kind::Trip, registers, 20, 20),
    ];
    let stored = 96 + 20 + 2;
    let habits = rows.map(|(_, bytes, a_day, _)| Habit { bytes, a_day });
    let habits = [
        &habits[..],
        &[Habit {
            bytes: state,
            a_day: stored,
        }],
    ]
    .concat();
    let live = rows.map(|(_, bytes, _, kept)| Habit { bytes, a_day: kept });
    let live = [
        &live[..],
        &[Habit {
            bytes: state,
            a_day: 1,
        }],
    ]
    .concat();
    println!("state {state} bytes, {stored} times a day");
    for (kind, bytes, a_day, kept) in rows {
        println!("{kind:?}: {bytes} bytes, {a_day} a day, {kept} kept");
    }
    for (kib, cycles) in [(256, 10_000), (512, 10_000), (1024, 10_000), (256, 100_000)] {
        match FlashStore::<Chip>::wear(kib * 1024, cycles, &live, &habits) {
            Some(wear) => println!("{kib} KiB, pages of 4 KiB: {wear}"),
            None => println!("{kib} KiB, pages of 4 KiB: the kept rows do not fit"),
        }
    }
}
