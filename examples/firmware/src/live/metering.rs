//! The metering core, sealed: it meters whatever the other board does. No panic is linked into this image.
//!
//! The text is lines of a word and hexadecimal digits, numbers low byte first:
//!
//! ```text
//! contact SETS STATE      the contact moved after so many sets of samples; 1 is closed
//! sets SETS               at the end: how many were metered
//! registers …             registers and pulses
//! chain …                 the signal chain's whole stored state, remainders included
//! counts …                questions not on the list; orders dropped, refused, done
//! stack USED THERE        bytes
//! ```

use core::fmt::Write;

use meter::metering::{MeteringCore, Starting};
use meter::store::{MAX_RECORD, PageStore};

use super::{SPEED, STOP};
use crate::board::{self, Clock, Emulator, Uart};
use crate::chip::{self, Converter, Through};
use crate::metering::{Bench, Feed, RECORDS, hex};
use crate::setup::{self, MeteringKeys, SAMPLE_RATE_HZ};
use crate::wire::{Port, Step};

type MeteringStore = PageStore<board::MeteringFlash, { RECORDS.len() }>;

/// Bytes of the other board taken between two pieces of samples: a flood costs no sample.
const BYTES: usize = 256;
/// Sets between two looks for the end.
const LOOK: u64 = SAMPLE_RATE_HZ as u64;

/// Meters `samples.bin` over and over, by the clock, until the host wants an end. With the argument `chip` the samples
/// come through the registers of a simulated chip.
pub fn metering() -> ! {
    let Some(mut emulator) = Emulator::open(c"samples.bin") else {
        board::fail()
    };
    let Some(mut store) =
        board::metering_flash().and_then(|flash| MeteringStore::try_new(flash, RECORDS).ok())
    else {
        board::fail()
    };
    let mut feed = Feed::default();
    let keys = MeteringKeys::new();
    let Some(config) = setup::metering_config::<1>() else {
        board::fail()
    };
    let mut starting = Starting::new(config, &keys.all(), &mut store, setup::START_MS);
    let Ok(core) = starting.resume(&keys.all()) else {
        board::fail()
    };
    if board::has_argument("chip") {
        let converter = Converter::new([0; 2]);
        let Some(driver) = chip::driver(&converter) else {
            board::fail()
        };
        let mut through = Through {
            bench: &mut emulator,
            converter: &converter,
            driver,
        };
        run(core, &mut feed, &mut through);
    } else {
        run(core, &mut feed, &mut emulator);
    }
    let _ = core.power_down();
    if report(core, &feed, &mut emulator).is_err() {
        board::fail()
    }
    board::succeed()
}

#[inline(never)]
fn run(core: &mut MeteringCore<1, &mut MeteringStore>, feed: &mut Feed, emulator: &mut dyn Bench) {
    let mut clock = Clock::start();
    let mut uart = Uart::core(2);
    let mut port = Port::new();
    let mut contact = true;
    loop {
        let now_ms = clock.now_ms();
        let due = now_ms.saturating_mul(SPEED * SAMPLE_RATE_HZ as u64 / 1000);
        let behind = feed.sets < due;
        if behind {
            if core.relay_closed() != contact {
                contact = core.relay_closed();
                let _ = line(emulator, "contact ", &feed.sets.to_le_bytes());
                let _ = line(emulator, "is ", &[contact.into()]);
            }
            let before = feed.sets;
            if !feed.piece(core, emulator) {
                emulator.rewind();
            }
            if before / LOOK != feed.sets / LOOK && board::exists(STOP) {
                return;
            }
        }
        let heard = listen(now_ms, core, &mut uart, &mut port);
        if !behind && !heard && !port.is_busy() {
            board::idle();
        }
    }
}

/// Takes some bytes of the other board; whether there were any.
fn listen(
    now_ms: u64,
    core: &mut MeteringCore<1, &mut MeteringStore>,
    uart: &mut Uart,
    port: &mut Port,
) -> bool {
    port.handle_timeout(now_ms);
    for taken in 0..BYTES {
        let Some(byte) = uart.poll() else {
            return taken > 0;
        };
        if port.handle_byte(now_ms, byte, uart) == Step::Transferred {
            port.slave().serve(core);
            crate::wire::Wire::send(uart, &port.line());
        }
    }
    true
}

#[inline(never)]
fn report(
    core: &MeteringCore<1, &mut MeteringStore>,
    feed: &Feed,
    out: &mut Emulator,
) -> core::fmt::Result {
    line(out, "sets ", &feed.sets.to_le_bytes())?;
    let registers = crate::metering::register_words(&core.registers());
    out.write_str("registers ")?;
    for word in registers {
        digits(out, &word.to_le_bytes())?;
    }
    out.write_str("\n")?;
    let mut chain = [0; MAX_RECORD];
    let length = core.chain_state(&mut chain).unwrap_or(0);
    line(out, "chain ", chain.get(..length).unwrap_or_default())?;
    let counts = core.counts();
    out.write_str("counts ")?;
    for count in [
        counts.unknown,
        counts.orders_dropped,
        counts.orders_refused,
        counts.orders_done,
    ] {
        digits(out, &count.to_le_bytes())?;
    }
    out.write_str("\nstack ")?;
    let (used, there) = board::stack();
    digits(out, &(used as u32).to_le_bytes())?;
    line(out, "", &(there as u32).to_le_bytes())
}

fn line(out: &mut dyn Bench, name: &str, bytes: &[u8]) -> core::fmt::Result {
    out.write_str(name)?;
    hex(out, bytes)
}

fn digits(out: &mut dyn Bench, bytes: &[u8]) -> core::fmt::Result {
    crate::metering::digits(out, bytes)
}
