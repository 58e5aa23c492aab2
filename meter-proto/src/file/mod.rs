//! Files across any link: the offerer tells what there is, the receiver asks for what it needs, block by block.
//!
//! ```text
//! FileOffer ──> Receiver ──> poll_need ──> FileNeed ──> Sender ──> poll_block ──> FileBlock ──> Receiver
//!                  │ writes, marks                                                               │
//!                  └── poll_event: Arrived ── judged by the application ── handle_verdict <──────┘
//! ```
//!
//! Nothing is sent unasked, so a receiver that is slow, asleep or full decides the pace. What has arrived survives a
//! power cut: a [`FileStore`] keeps the offer and marks pages that are whole. What the content is worth (manifest,
//! signature, hash) is judged elsewhere; activation is a command of its own.

#[cfg(feature = "embedded-storage")]
mod flash;
mod receiver;
mod sender;

#[cfg(feature = "embedded-storage")]
pub use flash::{FlashFile, FlashFileError};
pub use receiver::{Receiver, ReceiverEvent};
pub use sender::{Block, Sender};

use crate::message::FileOffer;

/// Where a file is put together: survives a power cut at any write.
pub trait FileStore {
    /// What can go wrong.
    type Error;

    /// The most bytes of a file.
    fn capacity(&self) -> u32;

    /// Bytes that are whole or absent after a power cut: a multiple of every block size.
    fn page_size(&self) -> u32;

    /// The offer of the file that is under way, if there is one.
    ///
    /// # Errors
    /// The store's own.
    fn offer(&mut self) -> Result<Option<FileOffer>, Self::Error>;

    /// Forgets what was there and begins a file; without an offer nothing is begun. Durable when it returns.
    ///
    /// # Errors
    /// The store's own.
    fn begin(&mut self, offer: Option<&FileOffer>) -> Result<(), Self::Error>;

    /// Whether a page was marked as whole.
    ///
    /// # Errors
    /// The store's own.
    fn is_whole(&mut self, page: u32) -> Result<bool, Self::Error>;

    /// Makes room for a page that is not whole: what was written to it before is gone.
    ///
    /// # Errors
    /// The store's own.
    fn clear_page(&mut self, page: u32) -> Result<(), Self::Error>;

    /// Writes bytes at a multiple of the block size, once after the page was cleared.
    ///
    /// # Errors
    /// The store's own.
    fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), Self::Error>;

    /// Marks a page as whole; everything written to it is durable before the mark is.
    ///
    /// # Errors
    /// The store's own.
    fn mark_whole(&mut self, page: u32) -> Result<(), Self::Error>;

    /// Reads bytes of the file, for whoever judges it.
    ///
    /// # Errors
    /// The store's own.
    fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Self::Error>;
}
