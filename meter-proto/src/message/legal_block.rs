//! Kind 25: a reading sealed by the metering core.

use heapless::Vec;

use crate::error::Error;
use crate::fields::{Fields, Sink, Source};

/// Kind 25, up: the bytes of one sealed envelope of the metering core, passed on unchanged, at most 480.
///
/// The head is the carrier's: at a gateway `node` names the meter and (stream 1, boot, seq) is the gateway's own. The
/// meter's numbering stands inside the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LegalBlock {
    /// The envelope.
    pub envelope: Vec<u8, 480>,
}

impl Fields for LegalBlock {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.bytes(0, &self.envelope)
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            envelope: source.bytes_up_to(0)?,
        })
    }
}
