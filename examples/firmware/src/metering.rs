//! Feeds samples to the metering core and reports what it made of them.

use core::fmt::{Error, Write};

use meter::crossing::{Answer, MAX_BODY, RecordName, Request};
use meter::metering::MeteringCore;
use meter::store::{Key, MAX_RECORD, Store};
use metrology::{Registers, Sample};

use crate::setup::{SAMPLE_RATE_HZ, START_MS};

/// Bytes read at once.
const CHUNK: usize = 256;
/// Sets handed to the core at once, at most: a chunk of one phase.
const SETS: usize = CHUNK / 8;
/// The records of a metering core, as the plan of `meter::records` names them.
pub const RECORDS: [Key; 15] = [
    0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0010, 0x0011, 0x0012, 0x0013, 0x0014, 0x0015, 0x0016,
    0x0017, 0x0018, 0x0019,
];

/// Where a core stands for the test: a file to read, a text to write, a stopwatch.
pub trait Bench: Write {
    /// Copies the next bytes of the file, as many as there are up to the length of `into`; their number.
    fn read(&mut self, into: &mut [u8]) -> usize;

    /// Ticks of the board's own clock since the last call; 0 where there is none.
    fn lap(&mut self) -> u32;
}

/// Who takes the legal blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// This bench: it writes them as lines.
    Bench,
    /// The management core.
    OtherBoard,
}

/// The way from the file into the core, and what it cost.
///
/// The file holds little-endian 32-bit counts, voltages then currents, one set after the other. The contact of the
/// relay is simulated: while it is open, no current flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Sets of samples metered.
    pub sets: u64,
    /// Ticks of the board's clock within the signal chain.
    pub ticks: u64,
}

impl Feed {
    /// Meters the next piece of the file; `false` at its end.
    #[inline(never)]
    pub fn piece<const P: usize, S: Store>(
        &mut self,
        core: &mut MeteringCore<P, S>,
        bench: &mut impl Bench,
    ) -> bool {
        let mut bytes = [0; CHUNK];
        let mut sets = [Sample::<P>::ZERO; SETS];
        let whole = CHUNK - CHUNK % (8 * P);
        let length = bench.read(bytes.get_mut(..whole).unwrap_or_default());
        let read = bytes.get(..length).unwrap_or_default();
        let closed = core.relay_closed();
        let mut count = 0;
        for (set, bytes) in sets.iter_mut().zip(read.chunks_exact(8 * P)) {
            let mut counts = bytes
                .as_chunks()
                .0
                .iter()
                .map(|count| i32::from_le_bytes(*count));
            for channel in set.u.iter_mut().chain(&mut set.i) {
                *channel = counts.next().unwrap_or(0);
            }
            if !closed {
                set.i = [0; P];
            }
            count += 1;
        }
        if count == 0 {
            return false;
        }
        let _ = bench.lap();
        core.process(sets.get(..count).unwrap_or_default());
        self.ticks += u64::from(bench.lap());
        self.sets += count as u64;
        core.tick(START_MS + self.sets * 1000 / u64::from(SAMPLE_RATE_HZ));
        true
    }

    /// Meters what is left of the file.
    ///
    /// # Errors
    /// The text cannot be written.
    pub fn rest<const P: usize, S: Store>(
        &mut self,
        core: &mut MeteringCore<P, S>,
        bench: &mut impl Bench,
        taker: Taker,
    ) -> Result<(), Error> {
        let mut acknowledged = None;
        while self.piece(core, bench) {
            if taker == Taker::Bench {
                take_block(core, &mut acknowledged, bench)?;
            }
        }
        Ok(())
    }
}

/// Asks for a legal block in the words of the line between the cores, and acknowledges the one before.
#[inline(never)]
fn take_block<const P: usize, S: Store>(
    core: &mut MeteringCore<P, S>,
    acknowledged: &mut Option<RecordName>,
    out: &mut impl Write,
) -> Result<(), Error> {
    let mut question = [0; MAX_BODY];
    let mut answer = [0; MAX_BODY];
    let length = Request::NextBlock {
        acknowledged: *acknowledged,
    }
    .encode(&mut question)
    .unwrap_or(0);
    let length = core.handle(question.get(..length).unwrap_or_default(), &mut answer);
    match Answer::parse(answer.get(..length).unwrap_or_default()) {
        Some(Answer::NoBlock) => Ok(()),
        Some(Answer::Block {
            name,
            utc_s,
            envelope,
        }) => {
            *acknowledged = Some(name);
            write!(out, "block {} {} {utc_s} ", name.boot, name.seq)?;
            hex(out, envelope)
        }
        other => writeln!(out, "no block but {other:?}"),
    }
}

/// Writes registers, quantities and counters, and stores the state.
///
/// # Errors
/// The text cannot be written.
#[inline(never)]
pub fn report<const P: usize, S: Store>(
    core: &mut MeteringCore<P, S>,
    out: &mut impl Write,
) -> Result<(), Error> {
    writeln!(out, "{:?}", core.registers())?;
    writeln!(out, "{:?}", core.quantities())?;
    writeln!(out, "{:?}", core.counts())?;
    writeln!(
        out,
        "time {} boot {} closed {}",
        core.utc_ms(),
        core.boot(),
        core.relay_closed()
    )?;
    writeln!(out, "saved {:?}", core.save())
}

/// Writes the records of a store in hexadecimal.
///
/// # Errors
/// The text cannot be written.
#[inline(never)]
pub fn dump(store: &mut impl Store, keys: &[Key], out: &mut impl Write) -> Result<(), Error> {
    let mut record = [0; MAX_RECORD];
    for &key in keys {
        match store.read(key, &mut record) {
            Ok(None) => {}
            Ok(Some(length)) => {
                write!(out, "record {key:04X} ")?;
                hex(out, record.get(..length).unwrap_or_default())?;
            }
            Err(error) => writeln!(out, "record {key:04X}: {error}")?,
        }
    }
    Ok(())
}

/// Writes bytes as hexadecimal digits and ends the line.
///
/// # Errors
/// The text cannot be written.
pub fn hex(out: &mut impl Write, bytes: &[u8]) -> Result<(), Error> {
    digits(out, bytes)?;
    out.write_str("\n")
}

/// Writes bytes as hexadecimal digits.
///
/// # Errors
/// The text cannot be written.
pub fn digits(out: &mut impl Write, bytes: &[u8]) -> Result<(), Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'?');
    for part in bytes.chunks(32) {
        let mut text = [0; 64];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(part) {
            *pair = [digit(byte >> 4), digit(byte & 0x0F)];
        }
        let text = text.get(..2 * part.len()).unwrap_or_default();
        out.write_str(core::str::from_utf8(text).map_err(|_| Error)?)?;
    }
    Ok(())
}

/// Registers and pulses of a single-phase core, as numbers: active import and export, of the phase, reactive by
/// quadrant, of the fundamental, apparent, pulses, reactive pulses.
#[must_use]
pub fn register_words(registers: &Registers<1>) -> [u64; 14] {
    let Registers {
        active,
        phase: [phase],
        reactive: [r1, r2, r3, r4],
        fundamental,
        apparent,
        pulses,
        reactive_pulses,
    } = *registers;
    [
        active.import,
        active.export,
        phase.import,
        phase.export,
        r1,
        r2,
        r3,
        r4,
        fundamental.import,
        fundamental.export,
        apparent.import,
        apparent.export,
        pulses,
        reactive_pulses,
    ]
}
