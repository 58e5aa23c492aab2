//! What each image does from start to end.
//!
//! A failure is a panic: [`board`] writes it out and ends the run with a failure.

use core::fmt::Write;

use meter::metering::{Keys, MeteringCore};
use meter::store::FlashStore;
use security::key::Purpose;

use crate::board::{self, Emulator};
use crate::metering::{self, Taker};
use crate::setup;

/// Meters `samples.bin` and reports. With the argument `link` it then answers the management core on the serial port,
/// and reports when that one ends.
///
/// # Panics
/// No file, or the constants of [`setup`] are not good.
pub fn metering<const P: usize>() -> ! {
    let mut emulator = Emulator::start(c"samples.bin");
    let taker = if board::has_argument("link") { Taker::OtherBoard } else { Taker::Bench };
    let mut store = new_store();
    let (data, lctrl) = (setup::key(Purpose::Data), setup::key(Purpose::Lctrl));
    let keys = Keys { data: &data, lctrl: &lctrl };
    let config = setup::metering_config::<P>().expect("the constants are good");
    let mut core = MeteringCore::start(config, &keys, &mut store, setup::START_MS).expect("the store is new");
    let work = metering::run(&mut core, &mut emulator, taker).expect("the host takes text");
    #[cfg(board = "mps2_an386")]
    if taker == Taker::OtherBoard {
        crate::wire::serve(&mut core, &mut board::Uart::start());
    }
    let reported = metering::report(&mut core, &mut emulator);
    drop(core);
    reported
        .and_then(|()| metering::dump(&mut store, &metering::RECORDS, &mut emulator))
        .and_then(|()| {
            let size = size_of::<MeteringCore<P, &mut FlashStore<board::Flash>>>();
            writeln!(emulator, "# core {size} bytes, {} sets in {} ticks", work.sets, work.ticks)
        })
        .expect("the host takes text");
    end(&mut emulator)
}

/// Plays `script.bin` against the management core, whose other core answers on the serial port.
///
/// # Panics
/// No file.
#[cfg(board = "mps2_an386")]
pub fn management() -> ! {
    let mut emulator = Emulator::start(c"script.bin");
    let mut line = crate::wire::Remote::new(board::Uart::start());
    let (mut store, mut waiting) = (new_store(), new_store());
    crate::management::run(&mut line, &mut emulator, &mut store, &mut waiting)
        .and_then(|()| metering::dump(&mut store, &crate::management::RECORDS, &mut emulator))
        .expect("the host takes text");
    line.end();
    end(&mut emulator)
}

fn new_store() -> FlashStore<board::Flash> {
    let flash = board::erased_flash();
    let size = embedded_storage::nor_flash::ReadNorFlash::capacity(&flash) as u32;
    FlashStore::try_new(flash, 0..size).expect("the flash has whole pages")
}

fn end(emulator: &mut Emulator) -> ! {
    let (used, there) = board::stack();
    // Lines with # are figures: they differ from the host's.
    let _ = writeln!(emulator, "# {} stack {used} of {there} bytes", board::NAME);
    board::succeed()
}
