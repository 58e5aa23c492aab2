//! Messages of class key: how a head end brings a new key into a [`KeySlot`](crate::slot::KeySlot).
//!
//! They travel in envelopes of class key under the session keys of purpose `auth`, so both parties proved themselves
//! before; numbers stand most significant byte first.
//!
//! ```text
//! head end -> device                                        device -> head end
//! 01 stage  purpose | epoch 2 | R_host 16 | wrapped 24      81 staged  purpose | epoch 2 | R_device 16 | proof 16
//! 02 prove  purpose | epoch 2 | proof 16                    82 proved  purpose | epoch 2
//! 03 abort  purpose | epoch 2                               83 aborted purpose | epoch 2
//!                                                           8F refused purpose | epoch 2 | reason
//! ```
//! An answer goes out after its change is stored. Each request may come again: a key that waits already under that epoch
//! is proved anew, and what was proved or aborted before is answered as then. The head end sends `prove` only after it
//! has stored the device's proof; the switch itself is the next handshake, under the new epoch.

use core::fmt;

use heapless::Vec;

use crate::engine::{Block, Block128, fill};
use crate::key::{KeyHandle, Purpose};
use crate::slot::{Change, KeySlot, Side, SlotError, WRAPPED_LEN};

/// Longest message.
pub const MESSAGE_MAX: usize = 44;

const HEAD_LEN: usize = 4;
const STAGE: u8 = 0x01;
const PROVE: u8 = 0x02;
const ABORT: u8 = 0x03;
const STAGED: u8 = 0x81;
const PROVED: u8 = 0x82;
const ABORTED: u8 = 0x83;
const REFUSED: u8 = 0x8F;

/// What a message asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Head end: take this key, wrapped under the master key, and prove that you hold it.
    Stage {
        /// Number that the device proves its key over, fresh.
        host_random: [u8; 16],
        /// AES-KW of the new key.
        wrapped: [u8; WRAPPED_LEN],
    },
    /// Head end: this proves that I hold it too.
    Prove {
        /// Proof over the device's number.
        proof: Block,
    },
    /// Head end: forget the staged key.
    Abort,
    /// Device: the key is staged.
    Staged {
        /// Number that the head end proves its key over, fresh.
        device_random: [u8; 16],
        /// Proof over the head end's number.
        proof: Block,
    },
    /// Device: the next handshake may use the key.
    Proved,
    /// Device: no key is staged.
    Aborted,
    /// Device: nothing was changed.
    Refused(Reason),
}

/// Why a device refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Reason {
    /// No slot of this purpose is there, or it is revoked, or nothing is staged under this epoch.
    State = 1,
    /// The epoch is not above every one before.
    Epoch = 2,
    /// The key was not wrapped under this device's master key, or the proof is wrong.
    Key = 3,
    /// The device could not do it now; ask again.
    Failed = 4,
}

impl Reason {
    fn from_code(code: u8) -> Option<Self> {
        [Self::State, Self::Epoch, Self::Key, Self::Failed]
            .into_iter()
            .find(|reason| *reason as u8 == code)
    }
}

impl From<SlotError> for Reason {
    fn from(error: SlotError) -> Self {
        match error {
            SlotError::State => Self::State,
            SlotError::Epoch { .. } => Self::Epoch,
            SlotError::Key => Self::Key,
            SlotError::Record | SlotError::Engine(_) => Self::Failed,
        }
    }
}

/// One message of class key.
///
/// ```
/// use security::key::Purpose;
/// use security::key_message::{Body, KeyMessage};
///
/// let abort = KeyMessage { purpose: Purpose::Data, epoch: 7, body: Body::Abort };
/// assert_eq!(abort.encode(), [0x03, 6, 0, 7]);
/// assert_eq!(KeyMessage::parse(&[0x03, 6, 0, 7]), Ok(abort));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyMessage {
    /// Which key of the device.
    pub purpose: Purpose,
    /// Epoch of the new key.
    pub epoch: u16,
    /// What is asked or answered.
    pub body: Body,
}

impl KeyMessage {
    /// Reads a message that an envelope held.
    ///
    /// # Errors
    /// [`KeyMessageError`], all variants.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyMessageError> {
        let wrong = KeyMessageError::Length { found: bytes.len() };
        let (head, rest) = bytes.split_first_chunk::<HEAD_LEN>().ok_or(wrong)?;
        let [kind, purpose, e0, e1] = *head;
        let body = match kind {
            STAGE => {
                let (host_random, wrapped) = rest.split_first_chunk().ok_or(wrong)?;
                Body::Stage {
                    host_random: *host_random,
                    wrapped: wrapped.try_into().map_err(|_| wrong)?,
                }
            }
            PROVE => Body::Prove {
                proof: rest.try_into().map_err(|_| wrong)?,
            },
            STAGED => {
                let (device_random, proof) = rest.split_first_chunk().ok_or(wrong)?;
                Body::Staged {
                    device_random: *device_random,
                    proof: proof.try_into().map_err(|_| wrong)?,
                }
            }
            REFUSED => {
                let [reason] = *rest else { return Err(wrong) };
                Body::Refused(Reason::from_code(reason).ok_or(KeyMessageError::Field {
                    at: HEAD_LEN,
                    found: reason,
                })?)
            }
            ABORT | PROVED | ABORTED if !rest.is_empty() => return Err(wrong),
            ABORT => Body::Abort,
            PROVED => Body::Proved,
            ABORTED => Body::Aborted,
            found => return Err(KeyMessageError::Field { at: 0, found }),
        };
        let purpose = Purpose::from_number(purpose).ok_or(KeyMessageError::Field {
            at: 1,
            found: purpose,
        })?;
        Ok(Self {
            purpose,
            epoch: u16::from_be_bytes([e0, e1]),
            body,
        })
    }

    /// The message, to be sealed under class key.
    pub fn encode(&self) -> Vec<u8, MESSAGE_MAX> {
        let none: &[u8] = &[];
        let (kind, parts): (u8, [&[u8]; 2]) = match &self.body {
            Body::Stage {
                host_random,
                wrapped,
            } => (STAGE, [host_random, wrapped]),
            Body::Prove { proof } => (PROVE, [proof, none]),
            Body::Abort => (ABORT, [none; 2]),
            Body::Staged {
                device_random,
                proof,
            } => (STAGED, [device_random, proof]),
            Body::Proved => (PROVED, [none; 2]),
            Body::Aborted => (ABORTED, [none; 2]),
            Body::Refused(reason) => {
                let reason: &[u8] = match reason {
                    Reason::State => &[1],
                    Reason::Epoch => &[2],
                    Reason::Key => &[3],
                    Reason::Failed => &[4],
                };
                (REFUSED, [reason, none])
            }
        };
        let [first, second] = parts;
        let mut out = Vec::new();
        let len = HEAD_LEN
            .saturating_add(first.len())
            .saturating_add(second.len());
        // The longest body is that of a stage: there is room.
        let _ = out.resize(len, 0);
        let head = [kind, self.purpose.number()];
        fill(&mut out, &[&head, &self.epoch.to_be_bytes(), first, second]);
        out
    }

    /// The head end's request to stage a key that was wrapped by [`KeySlot::wrap_key`].
    pub const fn stage(
        purpose: Purpose,
        epoch: u16,
        host_random: [u8; 16],
        wrapped: [u8; WRAPPED_LEN],
    ) -> Self {
        Self {
            purpose,
            epoch,
            body: Body::Stage {
                host_random,
                wrapped,
            },
        }
    }

    /// What a device makes of a request: a change of its slot to be stored, and the answer to be sent after that. The
    /// slot must be the one of [`KeyMessage::purpose`]. `device_random` is fresh from a source that passed its tests;
    /// it is kept (`own_random` of the next call) until the head end's proof over it came.
    ///
    /// # Errors
    /// [`Reason`], to be sent as [`KeyMessage::refused`]; nothing is changed.
    pub fn serve<'s, E: Block128>(
        &self,
        engine: &mut E,
        slot: &'s mut KeySlot,
        master: &KeyHandle<E::Key>,
        device_random: &mut DeviceRandom,
    ) -> Result<(Option<Change<'s>>, Self), Reason> {
        if self.purpose != slot.purpose() {
            return Err(Reason::State);
        }
        match &self.body {
            Body::Stage {
                host_random,
                wrapped,
            } => {
                let random = device_random.fresh.take().ok_or(Reason::Failed)?;
                // The same key again, because the answer was lost: it is proved again, nothing is stored.
                let waits = slot.stages_the_same(engine, master, wrapped, self.epoch)?;
                let (change, proof) = if waits {
                    (None, slot.proof(engine, Side::Device, host_random)?)
                } else {
                    let change = slot.stage(engine, master, wrapped, self.epoch)?;
                    let proof = change.proof(engine, Side::Device, host_random)?;
                    (Some(change), proof)
                };
                device_random.asked = Some(random);
                let body = Body::Staged {
                    device_random: random,
                    proof,
                };
                Ok((change, self.with(body)))
            }
            Body::Prove { proof } => {
                if slot.proved_epoch() == Some(self.epoch) || slot.epoch() == Some(self.epoch) {
                    return Ok((None, self.with(Body::Proved)));
                }
                if slot.staged_epoch() != Some(self.epoch) {
                    return Err(Reason::State);
                }
                // One try for each number.
                let random = device_random.asked.take().ok_or(Reason::State)?;
                let change = slot.proved(engine, Side::HeadEnd, &random, proof)?;
                Ok((Some(change), self.with(Body::Proved)))
            }
            Body::Abort if slot.staged_epoch().is_none() => Ok((None, self.with(Body::Aborted))),
            Body::Abort if slot.staged_epoch() == Some(self.epoch) => {
                Ok((Some(slot.abort()?), self.with(Body::Aborted)))
            }
            _ => Err(Reason::State),
        }
    }

    /// The answer that nothing was changed.
    #[must_use]
    pub const fn refused(&self, reason: Reason) -> Self {
        self.with(Body::Refused(reason))
    }

    const fn with(&self, body: Body) -> Self {
        Self {
            purpose: self.purpose,
            epoch: self.epoch,
            body,
        }
    }
}

/// The numbers of a device for key changes: one fresh, and the one that a head end was asked to prove its key over.
#[derive(Clone, Copy, Default)]
pub struct DeviceRandom {
    fresh: Option<[u8; 16]>,
    asked: Option<[u8; 16]>,
}

impl fmt::Debug for DeviceRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceRandom").finish_non_exhaustive()
    }
}

impl DeviceRandom {
    /// No numbers yet.
    pub const fn new() -> Self {
        Self {
            fresh: None,
            asked: None,
        }
    }

    /// Gives the number for the next stage, from a source that passed its tests. Each serves once.
    pub const fn give(&mut self, random: [u8; 16]) {
        self.fresh = Some(random);
    }
}

/// Why bytes are no message of class key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyMessageError {
    /// No message of this kind has that many bytes.
    Length {
        /// Bytes given.
        found: usize,
    },
    /// A byte that has to be something else.
    Field {
        /// Its position.
        at: usize,
        /// What stands there.
        found: u8,
    },
}

impl fmt::Display for KeyMessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => write!(f, "no message of this kind has {found} bytes"),
            Self::Field { at, found } => write!(f, "byte {at} must not be {found:02X}"),
        }
    }
}

impl core::error::Error for KeyMessageError {}
