//! What each image does from start to end.
//!
//! A failure is a panic: [`board`] writes it out and ends the run with a failure.

use core::fmt::Write;

use meter::metering::{Keys, MeteringCore, StartError};
use meter::store::{FlashStore, StoreError};
use security::key::Purpose;

use crate::board::{self, Emulator};
use crate::metering::{self, Feed, Taker};
use crate::setup;

/// Meters `samples.bin` and reports. With the argument `link` it answers the management core on the serial port
/// meanwhile, and that one takes the legal blocks.
///
/// # Panics
/// No file, or the constants of [`setup`] are not good.
pub fn metering<const P: usize>() -> ! {
    let mut emulator = Emulator::start(c"samples.bin");
    let taker = if board::has_argument("link") {
        Taker::OtherBoard
    } else {
        Taker::Bench
    };
    let mut feed = Feed::default();
    // All large ones are used where they were made: what is moved stands on the stack twice.
    let mut store = new_store();
    let Ok(store) = &mut store else {
        panic!("the flash has no whole pages")
    };
    {
        let mut started = start::<P>(store);
        let core = match &mut started {
            Ok(core) => core,
            Err(error) => panic!("{error}"),
        };
        #[cfg(board = "mps2_an386")]
        if taker == Taker::OtherBoard {
            crate::wire::serve(core, &mut board::Uart::start(), &mut feed, &mut emulator);
        }
        feed.rest(core, &mut emulator, taker)
            .and_then(|()| metering::report(core, &mut emulator))
            .expect("the host takes text");
    }
    metering::dump(store, &metering::RECORDS, &mut emulator)
        .and_then(|()| {
            let size = size_of::<MeteringCore<P, &mut FlashStore<board::Flash>>>();
            let Feed { sets, ticks } = feed;
            writeln!(
                emulator,
                "# core {size} bytes, {sets} sets in {ticks} ticks"
            )
        })
        .expect("the host takes text");
    end(&mut emulator)
}

/// Apart, so that what a start needs on the stack is free again afterwards.
#[inline(never)]
fn start<const P: usize>(
    store: &mut FlashStore<board::Flash>,
) -> Result<MeteringCore<P, &mut FlashStore<board::Flash>>, StartError> {
    let (data, lctrl) = (setup::key(Purpose::Data), setup::key(Purpose::Lctrl));
    let keys = Keys {
        data: &data,
        lctrl: &lctrl,
    };
    let config = setup::metering_config::<P>().expect("the constants are good");
    MeteringCore::start(config, &keys, store, setup::START_MS)
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

/// Apart for the same reason as [`start`].
#[inline(never)]
fn new_store() -> Result<FlashStore<board::Flash>, StoreError> {
    let flash = board::erased_flash();
    let size = embedded_storage::nor_flash::ReadNorFlash::capacity(&flash) as u32;
    FlashStore::try_new(flash, 0..size)
}

fn end(emulator: &mut Emulator) -> ! {
    let (used, there) = board::stack();
    // Lines with # are figures: they differ from the host's.
    let _ = writeln!(emulator, "# {} stack {used} of {there} bytes", board::NAME);
    board::succeed()
}
