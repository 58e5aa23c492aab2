//! Lets time pass and the DL/T 645 line speak for the management core.
//!
//! A script is a list of (milliseconds since the start as u32, length as u16, bytes on the DL/T 645 line),
//! little-endian, in the order of time.

use core::fmt::{Error, Write};

use dlt645::{Slave, Timing};
use meter::crossing::{Answer, MAX_BODY, Request};
use meter::link::CoreMaster;
use meter::management::ManagementCore;
use meter::store::{Key, Store};
use meter::waiting::WaitingRecords;

use crate::metering::{Bench, hex};
use crate::setup::{self, WAITING};
use crate::wire::Line;

/// The records of a management core, as the plan of `meter::records` names them.
pub const RECORDS: [Key; 3] = [0x0101, 0x0102, 0x0103];

/// Time from one look at the lines to the next, milliseconds.
const STEP_MS: u64 = 10;
/// Most transfers between the cores in one step.
const TRANSFERS: usize = 8;
/// Longest piece of a script, bytes.
const PIECE: usize = 512;

/// Starts a management core on two empty stores and plays the script. The answers go to the text.
///
/// # Errors
/// The text cannot be written.
pub fn run<S: Store>(
    line: &mut impl Line,
    bench: &mut impl Bench,
    store: &mut S,
    waiting: &mut S,
) -> Result<(), Error> {
    let mut master = CoreMaster::new();
    let Some(boot) = ask_boot(&mut master, line, 0) else {
        return writeln!(bench, "no boot");
    };
    let mut damaged = 0;
    let waiting = match WaitingRecords::<_, WAITING>::open(waiting, &mut damaged) {
        Ok(waiting) => waiting,
        Err(error) => return writeln!(bench, "waiting records: {error}"),
    };
    let purse = setup::key(security::key::Purpose::Purse);
    let keys = meter::management::Keys { purse: &purse };
    let mut core = match ManagementCore::start(
        setup::management_config(),
        &keys,
        &mut *store,
        waiting,
        boot,
    ) {
        Ok(core) => core,
        Err(error) => return writeln!(bench, "management core: {error}"),
    };
    let mut answer = [0; 1024];
    let mut slave = Slave::new(&mut answer, Timing::rs485(2400));
    let mut piece = [0; PIECE];
    let mut now_ms = 0;
    while let Some((at_ms, length)) = next_piece(bench, &mut piece) {
        while now_ms < at_ms {
            step(now_ms, &mut core, &mut master, line, &mut slave, bench)?;
            now_ms += STEP_MS;
        }
        let mut rest = piece.get(..length).unwrap_or_default();
        while !rest.is_empty() {
            let taken = slave.handle_bytes(now_ms, rest, &mut core);
            rest = rest.get(taken..).unwrap_or_default();
            step(now_ms, &mut core, &mut master, line, &mut slave, bench)?;
            now_ms += STEP_MS;
        }
    }
    writeln!(bench, "{:?}", core.totals())?;
    writeln!(bench, "{:?}", core.values())?;
    writeln!(bench, "{:?}", core.counts())?;
    writeln!(bench, "{:04X?}", core.status_words())?;
    writeln!(bench, "{:?}", slave.refusals())?;
    writeln!(
        bench,
        "time {} waiting {:?} balance {}",
        core.utc_ms(),
        core.waiting(),
        core.account().balance_hundredths()
    )?;
    writeln!(bench, "saved {:?}", core.save())
}

fn step<S: Store, O: meter_proto::outbox::OutboxStore>(
    now_ms: u64,
    core: &mut ManagementCore<S, O>,
    master: &mut CoreMaster,
    line: &mut impl Line,
    slave: &mut Slave<'_>,
    out: &mut impl Write,
) -> Result<(), Error> {
    for _ in 0..TRANSFERS {
        master.serve(now_ms, core);
        if !line.transfer(master, now_ms) {
            break;
        }
    }
    if slave.poll_timeout().is_some_and(|at| at <= now_ms) {
        slave.handle_timeout(now_ms, core);
    }
    if let Some(event) = slave.poll_event() {
        writeln!(out, "{now_ms} {event:?}")?;
    }
    if let Some(answer) = slave.poll_transmit() {
        write!(out, "{now_ms} answer ")?;
        hex(out, answer)?;
    }
    Ok(())
}

/// Asks the metering core for the boot under which this core numbers its records, from `begin_ms` on; `None` when it
/// gives none now.
pub fn ask_boot(master: &mut CoreMaster, line: &mut impl Line, begin_ms: u64) -> Option<u32> {
    let mut question = [0; MAX_BODY];
    let length = Request::Boot.encode(&mut question)?;
    let mut asked = false;
    for step in 0..100 {
        let now_ms = begin_ms.saturating_add(step * 20);
        asked = asked || master.ask(now_ms, question.get(..length)?);
        line.transfer(master, now_ms);
        let mut answer = [0; MAX_BODY];
        if let Some(length) = master.take_answer(&mut answer) {
            return match Answer::parse(answer.get(..length)?)? {
                Answer::Boot(boot) => Some(boot),
                _ => None,
            };
        }
    }
    None
}

/// When the next piece comes, and its length in `piece`.
fn next_piece(bench: &mut impl Bench, piece: &mut [u8; PIECE]) -> Option<(u64, usize)> {
    let mut head = [0; 6];
    if bench.read(&mut head) < head.len() {
        return None;
    }
    let [a, b, c, d, low, high] = head;
    let at_ms = u64::from(u32::from_le_bytes([a, b, c, d]));
    let length = usize::from(u16::from_le_bytes([low, high]));
    let place = piece.get_mut(..length)?;
    (bench.read(place) == length).then_some((at_ms, length))
}
