//! The one seam to whatever keeps bytes when the power is off: [`Store`] of `tariff`, which keeps the newest whole
//! record of each key.
//!
//! | store | where | how a write becomes whole |
//! |---|---|---|
//! | [`FlashStore`] | flash of a chip, simulated flash | two journals with a check sum per record, written one after the other |
//! | [`PageStore`] | the same, for a core that must not know a panic | two pages for each record, written in turn |
//! | `host::files::FileStore` | a folder | new file, flush, rename |
//!
//! The plan of all keys is in [`crate::records`].

mod pages;
mod ram;

pub use pages::PageStore;
pub use ram::{OutOfRange, RamFlash};
pub use tariff::store::{FlashStore, Key, MAX_RECORD, Store, StoreError};
