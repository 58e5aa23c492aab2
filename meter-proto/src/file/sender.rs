//! The side that has the file.

use heapless::Vec;

use crate::message::{BlockRange, FileNeed, FileOffer, FileStatus};

/// Bytes of the file to send as a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where they begin.
    pub offset: u32,
    /// How many.
    pub len: usize,
}

/// Sends what was asked for and nothing else.
#[derive(Clone, Debug)]
pub struct Sender {
    offer: FileOffer,
    ranges: Vec<BlockRange, 8>,
    status: FileStatus,
}

impl Sender {
    /// The sender of an offered file.
    #[must_use]
    pub const fn new(offer: FileOffer) -> Self {
        Self {
            offer,
            ranges: Vec::new(),
            status: FileStatus::NEEDS,
        }
    }

    /// The offer, to be sent first and again when the receiver is silent.
    #[must_use]
    pub const fn offer(&self) -> &FileOffer {
        &self.offer
    }

    /// How far the receiver is, as it said last.
    #[must_use]
    pub const fn status(&self) -> FileStatus {
        self.status
    }

    /// Takes what the receiver needs; a later need replaces an earlier one. `false` for another file or blocks that
    /// it does not have.
    pub fn handle_need(&mut self, need: &FileNeed) -> bool {
        let end = |range: &BlockRange| range.first.checked_add(range.count);
        let blocks = self.offer.blocks();
        let known = need
            .ranges
            .iter()
            .all(|range| end(range).is_some_and(|end| end <= blocks));
        if need.number != self.offer.number || !known {
            return false;
        }
        self.status = need.status;
        self.ranges.clone_from(&need.ranges);
        true
    }

    /// The next block that was asked for.
    pub fn poll_block(&mut self) -> Option<Block> {
        let range = self.ranges.first_mut()?;
        let offset = range.first.checked_mul(u32::from(self.offer.block_size))?;
        range.first = range.first.saturating_add(1);
        range.count = range.count.saturating_sub(1);
        if range.count == 0 {
            self.ranges.remove(0);
        }
        let left = self.offer.size.checked_sub(offset)?;
        Some(Block {
            offset,
            len: left.min(u32::from(self.offer.block_size)) as usize,
        })
    }
}
