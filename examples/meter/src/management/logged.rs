//! The metering core's log, line by line, for whoever reads the DL/T 645 line.
//!
//! The lines are not kept here: the one that was asked for is fetched from the other core, and the same question later
//! finds it.

use heapless::Vec;

use super::ManagementCore;
use crate::crossing::Request;
use crate::log::Chain;
use crate::store::Store;
use meter_proto::outbox::OutboxStore;

/// Longest answer about a line, bytes: code, chain, both places, the line.
pub const LOG_ANSWER: usize = 2 + 2 * 24 + crate::log::LINE;

/// Which line is wanted, and the answer about it when there is one.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    chain: Chain,
    number: u64,
    answer: Option<Vec<u8, LOG_ANSWER>>,
}

impl Wanted {
    pub const fn request(&self) -> Option<Request<'static>> {
        if self.answer.is_some() {
            return None;
        }
        Some(Request::Line {
            chain: self.chain,
            number: self.number,
        })
    }

    pub fn take(&mut self, answer: &[u8]) {
        self.answer = Vec::from_slice(answer).ok();
    }
}

/// The management image, as its manifest names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Security counter.
    pub counter: u32,
    /// Major and minor version.
    pub version: (u8, u8),
    /// Revision.
    pub revision: u16,
}

impl Image {
    pub(super) const fn request(&self) -> Request<'static> {
        Request::Image {
            counter: self.counter,
            version: self.version,
            revision: self.revision,
        }
    }
}

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Tells the metering core which image runs; it goes into the log there.
    pub fn tell_image(&mut self, image: Image) {
        self.image = Some(image);
    }

    /// The answer about a line of the log as the metering core gave it (`crossing`, 88 or 98), for the question chain u8,
    /// number u64; `None` until it has come, or for another question.
    pub(crate) fn log_line(&mut self, question: &[u8]) -> Option<&[u8]> {
        let (code, number) = question.split_first()?;
        let (chain, number) = (
            Chain::from_code(*code)?,
            u64::from_le_bytes(number.try_into().ok()?),
        );
        let same = |wanted: &Wanted| wanted.chain == chain && wanted.number == number;
        if !self.wanted_line.as_ref().is_some_and(same) {
            self.wanted_line = Some(Wanted {
                chain,
                number,
                answer: None,
            });
        }
        let answer = self.wanted_line.as_ref()?.answer.is_some();
        if !answer {
            return None;
        }
        // Told once: a later question hears what has come since.
        self.told_line = self.wanted_line.take()?.answer?;
        Some(&self.told_line)
    }
}
