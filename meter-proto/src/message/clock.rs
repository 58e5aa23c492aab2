//! Kinds 15 and 16: what time is it, asked and answered with four stamps.

use crate::error::{Error, Rule};
use crate::fields::fields;
use crate::time::ClockQuality;

/// Kind 15, both ways: asks the peer for its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TimeRequest {
    /// The asker's clock when it asked, microseconds; of any origin, it only comes back in the answer.
    pub origin_us: u64,
}

fields!(TimeRequest { 0 origin_us });

/// Kind 16, both ways: the answer.
///
/// With `origin_us` (1), `received_us` (2), `sent_us` (3) and the asker's clock at arrival (4) the asker is behind by
/// ((2 - 1) + (3 - 4)) / 2, give or take half of (4 - 1) - (3 - 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TimeAnswer {
    /// Taken from the request: an answer to another request is not used.
    pub origin_us: u64,
    /// When the request arrived, microseconds since 1970 in UTC.
    pub received_us: u64,
    /// When this answer left, microseconds since 1970 in UTC, not before `received_us`.
    pub sent_us: u64,
    /// The most by which the answerer's own clock may be wrong, microseconds.
    pub uncertainty_us: u32,
    /// Quality of the answerer's clock.
    pub quality: ClockQuality,
}

fields!(TimeAnswer { 0 origin_us, 1 received_us, 2 sent_us, 3 uncertainty_us, 4 quality } where check);

impl TimeAnswer {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        if self.sent_us < self.received_us {
            return Err(Rule::Order.into());
        }
        Ok(())
    }
}
