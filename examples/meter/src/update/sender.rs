//! The side that has the image: a host tool, a gateway.

use meter_proto::compact;
use meter_proto::file::Sender;
use meter_proto::fragment::Fragmenter;
use meter_proto::message::{FileBlock, FileNeed, FileStatus, Head};
use meter_proto::time::{ClockQuality, Stamp};

use super::{MESSAGE, Package, REQUEST_MAX};

/// Time between two offers while the device has nothing to tell, milliseconds.
const OFFER_EVERY_MS: u64 = 500;

/// Carries one image to one device, whatever the line loses; owns no port and no clock.
///
/// The loop: send what [`UpdateSender::poll_request`] gives as function 03 with [`super::FILE`], hand the answer's data
/// to [`UpdateSender::handle_answer`]; a lost answer needs no call. When `poll_request` gives nothing, wait until
/// [`UpdateSender::poll_timeout`]; without a timeout it is over, and [`UpdateSender::status`] tells how.
#[derive(Debug)]
pub struct UpdateSender<'i> {
    sender: Sender,
    image: &'i [u8],
    message: [u8; MESSAGE],
    length: usize,
    number: u16,
    /// The next fragment and how many there are.
    index: u8,
    count: u8,
    next_offer_ms: u64,
    blocks: u32,
}

impl<'i> UpdateSender<'i> {
    /// Offers a package.
    #[must_use]
    pub fn new(package: &Package<'i>) -> Self {
        Self {
            sender: Sender::new(package.offer()),
            image: package.image(),
            message: [0; MESSAGE],
            length: 0,
            number: 0,
            index: 0,
            count: 0,
            next_offer_ms: 0,
            blocks: 0,
        }
    }

    /// How far the device is, as it told last: in use ([`FileStatus::ACTIVE`]), gone back
    /// ([`FileStatus::FELL_BACK`]), not taken ([`FileStatus::REFUSED`], [`FileStatus::BAD_CONTENT`]), or under way.
    #[must_use]
    pub const fn status(&self) -> FileStatus {
        self.sender.status()
    }

    /// Blocks sent so far, repeated ones included.
    #[must_use]
    pub const fn blocks_sent(&self) -> u32 {
        self.blocks
    }

    /// Whether nothing more is to be sent.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !matches!(self.status(), FileStatus::NEEDS | FileStatus::COMPLETE)
    }

    /// Whether the last request ended a message: who stops here sends no block in vain.
    #[must_use]
    pub const fn is_between_messages(&self) -> bool {
        self.index >= self.count
    }

    /// The data of the next request; `None` while it is not time, or when it is over.
    pub fn poll_request(&mut self, now_ms: u64, out: &mut [u8; REQUEST_MAX]) -> Option<usize> {
        if self.is_over() {
            return None;
        }
        if self.index >= self.count && !self.load(now_ms) {
            return None;
        }
        let message = self.message.get(..self.length)?;
        let mut fragments = Fragmenter::new(self.number, message, REQUEST_MAX).ok()?;
        self.count = fragments.count();
        for _ in 0..self.index {
            fragments.next(out).ok()??;
        }
        self.index = self.index.saturating_add(1);
        fragments.next(out).ok()?
    }

    /// When to call [`UpdateSender::poll_request`] again; `None` when it is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        (!self.is_over()).then_some(self.next_offer_ms)
    }

    /// The next message: a block that was asked for, else the offer.
    fn load(&mut self, now_ms: u64) -> bool {
        let head = Head::session(0, Stamp::from_seconds(0, ClockQuality::NEVER_SET));
        let block = self.sender.poll_block().and_then(|block| {
            let from = block.offset as usize;
            let data = self.image.get(from..from.checked_add(block.len)?)?;
            Some(FileBlock {
                number: self.sender.offer().number,
                offset: block.offset,
                data: heapless::Vec::from_slice(data).ok()?,
            })
        });
        let encoded = match &block {
            Some(block) => {
                self.blocks = self.blocks.saturating_add(1);
                compact::encode_as(&head, block, &mut self.message)
            }
            None if now_ms < self.next_offer_ms => return false,
            None => {
                self.next_offer_ms = now_ms.saturating_add(OFFER_EVERY_MS);
                compact::encode_as(&head, self.sender.offer(), &mut self.message)
            }
        };
        // Offers and blocks of their largest size fit.
        let Ok(length) = encoded else {
            return false;
        };
        self.length = length;
        self.number = self.number.wrapping_add(1);
        (self.index, self.count) = (0, 1);
        true
    }

    /// Takes the data of an answer; an empty one has nothing to tell. `false` for what is no answer to this file.
    pub fn handle_answer(&mut self, answer: &[u8]) -> bool {
        if answer.is_empty() {
            return true;
        }
        compact::decode_as::<FileNeed>(answer).is_ok_and(|(_, need)| self.sender.handle_need(&need))
    }
}
