//! The boot stage: verifies what lies in flash, starts it, and takes back what did not confirm itself.

use core::fmt::Write;

use meter::update::{BootRecords, verify_slot};
use meter_proto::file::FileStore;
use security::fw::{Slot, StartedBecause};

use super::open_slot;
use crate::board::{self, Emulator, HostFlash};
use crate::setup::{self, BOOT_RECORDS, SIGNERS};

/// Bytes of an image moved at once.
const PIECE: usize = 512;

/// Chooses a slot, copies its image to where it runs, and starts it.
pub fn boot() -> ! {
    let Some(mut emulator) = Emulator::open(c"boot.flash") else {
        board::fail()
    };
    let started = choose(&mut emulator);
    if started.is_none() {
        let _ = emulator.write_str("boot: nothing can be started\n");
        board::fail()
    }
    let (used, there) = board::stack();
    let _ = writeln!(emulator, "# boot: stack {used} of {there} bytes");
    board::start_program()
}

fn choose(out: &mut Emulator) -> Option<()> {
    let flash = HostFlash::<BOOT_RECORDS>::open(c"boot.flash")?;
    let mut records = BootRecords::try_new(flash).ok()?;
    let state = records.state().ok()??;
    let device = setup::admission(state.counter_floor());
    let verified = |slot| {
        let mut file = open_slot(slot)?;
        verify_slot(&mut file, &device, &SIGNERS).ok()
    };
    let decision = state.decide(|slot| verified(slot).is_some());
    let slot = decision.start.filter(|slot| decision.starts(*slot))?;
    let manifest = *verified(slot)?.get();
    if decision.because == StartedBecause::Trial {
        records.note_trial(&manifest.image_hash).ok()?;
    }
    if let Some(next) = decision.store {
        records.store(&next).ok()?;
    }
    let why = match decision.because {
        StartedBecause::Active => "active",
        StartedBecause::Trial => "trial",
        StartedBecause::NewDoesNotVerify => "new does not verify",
        StartedBecause::NotConfirmed => "not confirmed",
        StartedBecause::ActiveDoesNotVerify => "active does not verify",
        _ => "other",
    };
    let name = match slot {
        Slot::A => "A",
        Slot::B => "B",
    };
    for text in ["boot: slot ", name, ", ", why, "\n"] {
        out.write_str(text).ok()?;
    }
    load(slot, manifest.image_len)?;
    board::hand_over(slot as u32);
    Some(())
}

fn load(slot: Slot, length: u32) -> Option<()> {
    let mut file = open_slot(slot)?;
    let mut piece = [0; PIECE];
    let mut at = 0u32;
    while at < length {
        let part = (length.saturating_sub(at) as usize).min(PIECE);
        let part = piece.get_mut(..part)?;
        file.read(at, part).ok()?;
        if !board::load_program(at as usize, part) {
            return None;
        }
        at = at.saturating_add(PIECE as u32);
    }
    Some(())
}
