//! Firmware of the management core over the DL/T 645 line: a file that is asked for block by block, a trial, a way back.
//!
//! ```text
//! UpdateSender (host tool, gateway)                UpdateClient (management core)          boot stage
//!   offer: manifest, signature ── 0E4D5004 ──> admitted? ── what is needed ──┐
//!   blocks, as fragments <────────────────────────────────────────────────────┘
//!                                              whole: verify the slot, mark it ──> verify again, trial
//!   offer again <── active, or fell back ──    confirm, or be reset          <──
//! ```
//! The file itself is `meter_proto::file`'s, the judgement `security::fw`'s; here lies what joins them to two slots of
//! flash and to the line. What has arrived survives a power cut; whatever write is cut, one image verifies.
//!
//! On the line: function 03 with [`FILE`], in each request one fragment of a compact message (kind 17, offer, or 19,
//! block); the answer is a compact message of kind 18 (what is needed, or how far it is) when there is something to
//! tell, else nothing. The metering core is never a target.

mod client;
mod package;
mod sender;
mod slots;

use dlt645::DataId;

pub use client::{Device, UpdateClient, WithUpdate};
pub use package::{PACKAGE_HEAD, Package, PackageError};
pub use sender::UpdateSender;
pub use slots::{BootRecords, RECORD_PAGES, SlotError, verify_slot};

/// Takes offers and blocks of a file, and tells what is needed.
pub const FILE: DataId = DataId(0x0E4D_5004);
/// Longest piece of data in one request behind identifier and operator, bytes.
pub const REQUEST_MAX: usize = 190;
/// Bytes of a block: the longest that keeps a lost frame cheap.
pub const BLOCK: u16 = 512;

/// Longest message, with the check of its fragments: a block of 1,024 bytes.
const MESSAGE: usize = 1_152;
