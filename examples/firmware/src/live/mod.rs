//! Two boards by the clock on the wall: metering, management, boot stage, and the images that must do no harm.

mod boot;
mod hostile;
mod management;
mod metering;
mod shaky;

use core::ffi::CStr;

use meter_proto::file::FlashFile;
use security::fw::Slot;

use crate::board::HostFlash;
use crate::setup::SLOT;

pub use boot::boot;
pub use hostile::hostile;
pub use management::{faulty, management};
pub use metering::metering;

/// Milliseconds of the meter that pass in one of the wall: it lets a demonstration see minutes.
const SPEED: u64 = 8;
/// Ends the run when the host has it.
const STOP: &CStr = c"stop";

/// Flash of a slot for images.
type SlotFlash = HostFlash<SLOT>;

/// The slot as a file, where the host has it.
fn open_slot(slot: Slot) -> Option<FlashFile<SlotFlash>> {
    let name = match slot {
        Slot::A => c"slot-a.flash",
        Slot::B => c"slot-b.flash",
    };
    let flash = SlotFlash::open(name)?;
    let pages = SLOT / <SlotFlash as embedded_storage::nor_flash::NorFlash>::ERASE_SIZE;
    FlashFile::try_new(flash, 0, pages as u32).ok()
}
