//! What each image does from start to end.
//!
//! A failure is a panic: [`board`] writes it out and ends the run with a failure.

use core::fmt::Write;

use meter::metering::{MeteringCore, Starting};
use meter::store::PageStore;
#[cfg(board = "mps2_an386")]
use meter::store::{FlashStore, StoreError};

use crate::board::{self, Emulator};
use crate::chip::{self, Converter, Through};
use crate::metering::{self, Bench, Feed, RECORDS, Taker, numbers};
use crate::setup::{self, MeteringKeys};

type MeteringStore = PageStore<board::MeteringFlash, { RECORDS.len() }>;

/// Meters `samples.bin` and reports. With the argument `link` it answers the management core on the serial port
/// meanwhile, and that one takes the legal blocks; with `chip` the samples of a single-phase meter come through the
/// registers of a simulated chip. No panic is linked into it: what fails ends the run with a failure.
pub fn metering<const P: usize>() -> ! {
    let Some(mut emulator) = Emulator::open(c"samples.bin") else {
        board::fail()
    };
    let taker = if board::has_argument("link") {
        Taker::OtherBoard
    } else {
        Taker::Bench
    };
    let mut feed = Feed::default();
    // All large ones are used where they were made: what is moved stands on the stack twice.
    let Some(mut store) =
        board::metering_flash().and_then(|flash| MeteringStore::try_new(flash, RECORDS).ok())
    else {
        board::fail()
    };
    {
        let keys = MeteringKeys::new();
        let Some(config) = setup::metering_config::<P>() else {
            board::fail()
        };
        let mut starting = Starting::new(config, &keys.all(), &mut store, setup::START_MS);
        let Ok(core) = starting.resume(&keys.all()) else {
            board::fail()
        };
        #[cfg(board = "mps2_an386")]
        if taker == Taker::OtherBoard {
            crate::wire::serve(core, &mut board::Uart::start(), &mut feed, &mut emulator);
        }
        let done = if P == 1 && board::has_argument("chip") {
            let converter = Converter::new([0; 2]);
            let Some(driver) = chip::driver(&converter) else {
                board::fail()
            };
            let mut through = Through {
                bench: &mut emulator,
                converter: &converter,
                driver,
            };
            rest(core, &mut feed, &mut through, taker)
        } else {
            rest(core, &mut feed, &mut emulator, taker)
        };
        let done = done.and_then(|()| metering::report(core, &mut emulator));
        if done.is_err() {
            board::fail()
        }
    }
    let size = size_of::<MeteringCore<P, &mut MeteringStore>>() as u64;
    let done = metering::dump(&mut store, &RECORDS, &mut emulator)
        .and_then(|()| emulator.write_str("# core "))
        .and_then(|()| numbers(&mut emulator, [size, feed.sets, feed.ticks]))
        .and_then(|()| figures(&mut emulator));
    if done.is_err() {
        board::fail()
    }
    board::succeed()
}

/// One copy of the signal chain for both ways of the samples.
#[inline(never)]
fn rest<const P: usize>(
    core: &mut MeteringCore<P, &mut MeteringStore>,
    feed: &mut Feed,
    bench: &mut dyn Bench,
    taker: Taker,
) -> core::fmt::Result {
    feed.rest(core, bench, taker)
}

/// The line of figures ends with stack used and there. Lines with # differ from the host's.
fn figures(emulator: &mut Emulator) -> core::fmt::Result {
    let (used, there) = board::stack();
    numbers(emulator, [used as u64, there as u64])?;
    emulator.write_str(board::NAME)?;
    emulator.write_str("\n")
}

/// Plays `script.bin` against the management core, whose other core answers on the serial port.
///
/// # Panics
/// No file.
#[cfg(board = "mps2_an386")]
pub fn management() -> ! {
    let mut emulator = Emulator::start(c"script.bin");
    let mut line = crate::wire::Remote::new(board::Uart::start());
    let (Ok(store), Ok(waiting)) = (&mut new_store(), &mut new_store()) else {
        panic!("the flash has no whole pages")
    };
    crate::management::run(&mut line, &mut emulator, store, waiting)
        .and_then(|()| metering::dump(store, &crate::management::RECORDS, &mut emulator))
        .expect("the host takes text");
    line.end();
    end(&mut emulator)
}

/// Apart, so that what it needs on the stack is free again afterwards.
#[cfg(board = "mps2_an386")]
#[inline(never)]
fn new_store() -> Result<FlashStore<board::Flash>, StoreError> {
    let flash = board::erased_flash();
    let size = embedded_storage::nor_flash::ReadNorFlash::capacity(&flash) as u32;
    FlashStore::try_new(flash, 0..size)
}

#[cfg(board = "mps2_an386")]
fn end(emulator: &mut Emulator) -> ! {
    let (used, there) = board::stack();
    // Lines with # are figures: they differ from the host's.
    let _ = writeln!(emulator, "# {} stack {used} of {there} bytes", board::NAME);
    board::succeed()
}
