//! Kind 25: a reading sealed by the metering core.

use heapless::Vec;

use crate::fields::fields;

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

fields!(LegalBlock { 0 envelope });
