//! Feeds samples to the metering core and reports what it made of them.

use core::fmt::{Error, Write};

use meter::crossing::{Answer, MAX_BODY, RecordName, Request};
use meter::metering::{Counts, MeteringCore};
use meter::records::METERING;
use meter::store::{Key, MAX_RECORD, Store, StoreError};
use metrology::{PhaseQuantities, Quantities, Registers, Sample, TotalQuantities};

use crate::setup::{SAMPLE_RATE_HZ, START_MS};

/// Bytes read at once.
const CHUNK: usize = 256;
/// Sets handed to the core at once, at most: a chunk of one phase.
const SETS: usize = CHUNK / 8;
/// The records of a metering core.
pub const RECORDS: [Key; METERING.len()] = METERING;

/// Where a core stands for the test: a file to read, a text to write, a stopwatch.
pub trait Bench: Write {
    /// Copies the next bytes of the file, as many as there are up to the length of `into`; their number.
    fn read(&mut self, into: &mut [u8]) -> usize;

    /// Ticks of the board's own clock since the last call; 0 where there is none.
    fn lap(&mut self) -> u32;

    /// Goes back to the start of the file.
    fn rewind(&mut self) {}
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
        bench: &mut (impl Bench + ?Sized),
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
        bench: &mut (impl Bench + ?Sized),
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
    out: &mut (impl Write + ?Sized),
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
            out.write_str("block ")?;
            numbers(out, [name.boot.into(), name.seq.into(), utc_s])?;
            hex(out, envelope)
        }
        _ => out.write_str("neither a block nor none\n"),
    }
}

/// Writes registers, quantities, counters and the whole state of the signal chain, and ends the core in order. All
/// numbers are hexadecimal, low byte first: formatting would link panics.
///
/// # Errors
/// The text cannot be written.
#[inline(never)]
pub fn report<const P: usize, S: Store>(
    core: &mut MeteringCore<P, S>,
    out: &mut (impl Write + ?Sized),
) -> Result<(), Error> {
    report_registers(out, &core.registers())?;
    report_quantities(out, core.quantities())?;
    let Counts {
        blocks,
        held_back,
        store_failures,
        unknown,
        orders_dropped,
        orders_refused,
        orders_done,
        damaged,
    } = core.counts();
    let counts = [
        blocks,
        held_back,
        store_failures,
        unknown,
        orders_dropped,
        orders_refused,
        orders_done,
        damaged,
    ];
    out.write_str("counts ")?;
    numbers(out, counts.map(u64::from))?;
    out.write_str("\ntime ")?;
    numbers(out, [core.utc_ms(), core.boot().into()])?;
    out.write_str(if core.relay_closed() {
        "closed\n"
    } else {
        "open\n"
    })?;
    report_chain(core, out)?;
    out.write_str(match core.power_down() {
        Ok(()) => "saved\n",
        Err(_) => "not saved\n",
    })
}

#[inline(never)]
fn report_chain<const P: usize, S: Store>(
    core: &MeteringCore<P, S>,
    out: &mut (impl Write + ?Sized),
) -> Result<(), Error> {
    let mut chain = [0; MAX_RECORD];
    let length = core.chain_state(&mut chain).unwrap_or(0);
    out.write_str("chain ")?;
    hex(out, chain.get(..length).unwrap_or_default())
}

#[inline(never)]
fn report_registers<const P: usize>(
    out: &mut (impl Write + ?Sized),
    registers: &Registers<P>,
) -> Result<(), Error> {
    let Registers {
        active,
        phase,
        reactive,
        fundamental,
        apparent,
        pulses,
        reactive_pulses,
    } = registers;
    out.write_str("registers ")?;
    for counts in [active, fundamental, apparent].into_iter().chain(phase) {
        numbers(out, [counts.import, counts.export])?;
    }
    numbers(out, *reactive)?;
    numbers(out, [*pulses, *reactive_pulses])?;
    out.write_str("\n")
}

#[inline(never)]
fn report_quantities<const P: usize>(
    out: &mut (impl Write + ?Sized),
    quantities: &Quantities<P>,
) -> Result<(), Error> {
    let Quantities {
        phase,
        total,
        neutral_ua,
        frequency_uhz,
        cycles,
        length_q16,
        number,
        flags,
    } = quantities;
    // Negative numbers in two's complement.
    let signed = |number: i64| number as u64;
    for phase in phase {
        let PhaseQuantities {
            voltage_uv,
            current_ua,
            active_uw,
            reactive_uvar,
            apparent_uva,
            fundamental_active_uw,
            power_factor_ppm,
            angle_mdeg,
            voltage_angle_mdeg,
            voltage_mean_uv,
            current_mean_ua,
            fundamental_voltage_uv,
            fundamental_current_ua,
        } = *phase;
        out.write_str("phase ")?;
        numbers(
            out,
            [voltage_uv, current_ua, apparent_uva, fundamental_voltage_uv],
        )?;
        numbers(out, [fundamental_current_ua])?;
        let mixed = [
            active_uw,
            reactive_uvar,
            fundamental_active_uw,
            power_factor_ppm.into(),
            angle_mdeg.into(),
            voltage_angle_mdeg.into(),
            voltage_mean_uv,
            current_mean_ua,
        ];
        numbers(out, mixed.map(signed))?;
        out.write_str("\n")?;
    }
    let TotalQuantities {
        active_uw,
        reactive_uvar,
        apparent_uva,
        power_factor_ppm,
    } = *total;
    out.write_str("total ")?;
    let mixed = [active_uw, reactive_uvar, power_factor_ppm.into()];
    numbers(out, mixed.map(signed))?;
    numbers(out, [apparent_uva, *length_q16, *number])?;
    // What is not there is all ones.
    numbers(
        out,
        [
            neutral_ua.unwrap_or(u64::MAX),
            frequency_uhz.map_or(u64::MAX, u64::from),
            u64::from(*cycles),
            u64::from(flags.synchronous),
            flags.voltage_saturated.into(),
            flags.current_saturated.into(),
        ],
    )?;
    out.write_str("\n")
}

/// Writes the records of a store in hexadecimal.
///
/// # Errors
/// The text cannot be written.
#[inline(never)]
pub fn dump(
    store: &mut impl Store,
    keys: &[Key],
    out: &mut (impl Write + ?Sized),
) -> Result<(), Error> {
    let mut record = [0; MAX_RECORD];
    for &key in keys {
        match store.read(key, &mut record) {
            Ok(None) => {}
            Ok(Some(length)) => {
                out.write_str("record ")?;
                digits(out, &key.to_be_bytes())?;
                out.write_str(" ")?;
                hex(out, record.get(..length).unwrap_or_default())?;
            }
            Err(error) => {
                out.write_str("record ")?;
                digits(out, &key.to_be_bytes())?;
                out.write_str(match error {
                    StoreError::Read => ": cannot be read\n",
                    _ => ": is too long\n",
                })?;
            }
        }
    }
    Ok(())
}

/// Writes numbers of eight bytes, low byte first, a space behind each.
///
/// # Errors
/// The text cannot be written.
pub fn numbers(
    out: &mut (impl Write + ?Sized),
    numbers: impl IntoIterator<Item = u64>,
) -> Result<(), Error> {
    for number in numbers {
        digits(out, &number.to_le_bytes())?;
        out.write_str(" ")?;
    }
    Ok(())
}

/// Writes bytes as hexadecimal digits and ends the line.
///
/// # Errors
/// The text cannot be written.
pub fn hex(out: &mut (impl Write + ?Sized), bytes: &[u8]) -> Result<(), Error> {
    digits(out, bytes)?;
    out.write_str("\n")
}

/// Writes bytes as hexadecimal digits.
///
/// # Errors
/// The text cannot be written.
pub fn digits(out: &mut (impl Write + ?Sized), bytes: &[u8]) -> Result<(), Error> {
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
