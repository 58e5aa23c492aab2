//! Two slots, a trial boot, and the way back.
//!
//! | mark | the slot verifies | the boot stage |
//! |---|---|---|
//! | none | active does | starts the active slot |
//! | none | only the other does | starts the other slot |
//! | none | neither does | starts nothing: recovery |
//! | new | the marked one does | stores `trial`, then starts it |
//! | new | it does not | stores `none`, goes on as above |
//! | trial | whatever | it did not confirm itself: stores `none`, goes on as above |
//!
//! The decision is made twice, from reading the slots on, and a slot is started only when both name it
//! ([`Decision`]): one instruction that is passed over by a disturbed supply starts nothing.
//!
//! Every state is one record, written over the older of two copies. Whatever write is cut, one copy
//! is whole, and its state leads to an image that verifies.

use core::fmt;
use core::hint::black_box;

use crc::{CRC_32_ISCSI, Crc, NoTable};

use super::Manifest;
use crate::engine::fill;
use crate::gate::Verified;

/// Length of a stored state.
pub const RECORD_LEN: usize = 16;

const VERSION: u8 = 1;
const CRC32C: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// One of the two places for images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Slot {
    /// The first.
    A = 0,
    /// The second.
    B = 1,
}

impl Slot {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Mark {
    None = 0,
    /// The free slot holds an image that has not been started yet.
    New = 1,
    /// It was started and has not confirmed itself yet.
    Trial = 2,
}

/// What is known about the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootState {
    active: Slot,
    mark: Mark,
    /// Security counter of the image that was confirmed last: the stored counter follows it.
    counter: u32,
    generation: u32,
}

/// What the boot stage does.
///
/// It starts a slot only behind [`Decision::starts`], which holds when two looks at everything name it;
/// when they differ, it resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// The slot to start; `None` asks for recovery.
    pub start: Option<Slot>,
    /// The same from a second look at everything, as [`sure`] codes it.
    sure: u32,
    /// Why it is this one, for the log.
    pub because: StartedBecause,
    /// To be stored before the start, if there is anything to store.
    pub store: Option<BootState>,
}

impl Decision {
    /// Whether a slot is the one to start, by both looks. The two comparisons have a branch of their own
    /// each, where the caller acts on them: one skipped instruction passes one of them.
    #[inline(always)]
    pub fn starts(&self, slot: Slot) -> bool {
        black_box(self.start) == Some(black_box(slot))
            && black_box(self.sure) == sure(Some(black_box(slot)))
    }
}

/// The code of a second look: values that zeroed or left-over memory does not hold.
const fn sure(start: Option<Slot>) -> u32 {
    match start {
        Some(Slot::A) => 0x5AC3_9669,
        Some(Slot::B) => 0xA53C_6996,
        None => 0x3C5A_A5C3,
    }
}

/// Why a slot is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StartedBecause {
    /// It is the active one.
    Active,
    /// A new image has its trial.
    Trial,
    /// A new image did not verify: the active one goes on.
    NewDoesNotVerify,
    /// A new image did not confirm itself: the active one comes back.
    NotConfirmed,
    /// The active image does not verify: the other one does.
    ActiveDoesNotVerify,
    /// No image verifies.
    Nothing,
}

impl BootState {
    /// A device whose first image lies in a slot.
    pub const fn new(active: Slot) -> Self {
        Self {
            active,
            mark: Mark::None,
            counter: 0,
            generation: 0,
        }
    }

    /// The slot of the last confirmed image.
    pub const fn active(&self) -> Slot {
        self.active
    }

    /// The slot that downloads are written to; `None` while it holds an image that waits or is on
    /// trial.
    pub fn free(&self) -> Option<Slot> {
        (self.mark == Mark::None).then_some(self.active.other())
    }

    /// The state after an image in the free slot was verified: storing it makes the image bootable.
    ///
    /// # Errors
    /// [`BootError::NotFree`] while another image waits or is on trial.
    pub fn mark(&self, image: &Verified<Manifest>) -> Result<Self, BootError> {
        if image.get().security_counter < self.counter {
            return Err(BootError::Rollback);
        }
        self.free().ok_or(BootError::NotFree)?;
        Ok(self.next(self.active, Mark::New))
    }

    /// What to start. `verifies` verifies the image in a slot, as it lies in flash at that moment,
    /// against the stored security counter. It is asked twice for what is started.
    pub fn decide(&self, mut verifies: impl FnMut(Slot) -> bool) -> Decision {
        let first = self.look(&mut verifies);
        let second = black_box(self).look(&mut verifies);
        Decision {
            sure: sure(second.start),
            ..first
        }
    }

    #[inline(never)]
    fn look(&self, verifies: &mut impl FnMut(Slot) -> bool) -> Decision {
        let (because, store) = match self.mark {
            Mark::New if verifies(self.active.other()) => {
                return Decision {
                    start: Some(self.active.other()),
                    sure: sure(None),
                    because: StartedBecause::Trial,
                    store: Some(self.next(self.active, Mark::Trial)),
                };
            }
            Mark::New => (StartedBecause::NewDoesNotVerify, true),
            Mark::Trial => (StartedBecause::NotConfirmed, true),
            Mark::None => (StartedBecause::Active, false),
        };
        let store = store.then(|| self.next(self.active, Mark::None));
        if verifies(self.active) {
            return Decision {
                start: Some(self.active),
                sure: sure(None),
                because,
                store,
            };
        }
        let other = verifies(self.active.other()).then_some(self.active.other());
        let because = match other {
            Some(_) => StartedBecause::ActiveDoesNotVerify,
            None => StartedBecause::Nothing,
        };
        Decision {
            start: other,
            sure: sure(None),
            because,
            store,
        }
    }

    /// Whether the running image is on trial.
    pub fn on_trial(&self) -> bool {
        self.mark == Mark::Trial
    }

    /// Whether a trial took too long: reset then, and the old image comes back.
    pub fn overdue(&self, since_start_s: u32, limit_s: u32) -> bool {
        self.on_trial() && since_start_s >= limit_s
    }

    /// The state after the image on trial found itself working. Store it, then raise the monotonic
    /// counter to [`BootState::counter_floor`].
    ///
    /// # Errors
    /// [`BootError::NotOnTrial`].
    pub fn confirm(&self, image: &Verified<Manifest>) -> Result<Self, BootError> {
        if !self.on_trial() {
            return Err(BootError::NotOnTrial);
        }
        let mut after = self.next(self.active.other(), Mark::None);
        after.counter = self.counter.max(image.get().security_counter);
        Ok(after)
    }

    /// What the monotonic security counter must be raised to, at every start too: power may have gone
    /// between the confirmation and the raise.
    pub const fn counter_floor(&self) -> u32 {
        self.counter
    }

    const fn next(&self, active: Slot, mark: Mark) -> Self {
        Self {
            active,
            mark,
            counter: self.counter,
            generation: self.generation.wrapping_add(1),
        }
    }

    /// Number of the copy, 0 or 1, that this state is written over.
    pub const fn copy(&self) -> usize {
        (self.generation & 1) as usize
    }

    /// `version | active | mark | 0 | counter 4 | generation 4 | CRC-32C 4`.
    pub fn to_bytes(&self) -> [u8; RECORD_LEN] {
        let mut out = [0; RECORD_LEN];
        let (body, sum) = out.split_at_mut(RECORD_LEN - 4);
        fill(
            body,
            &[
                &[VERSION, self.active as u8, self.mark as u8, 0],
                &self.counter.to_be_bytes(),
                &self.generation.to_be_bytes(),
            ],
        );
        fill(sum, &[&CRC32C.checksum(body).to_be_bytes()]);
        out
    }

    /// The newer whole state of two copies.
    ///
    /// # Errors
    /// [`BootError::NoRecord`] when neither is whole.
    pub fn restore(copies: [&[u8; RECORD_LEN]; 2]) -> Result<Self, BootError> {
        let [first, second] = copies.map(Self::from_bytes);
        let newer = match (first, second) {
            (Some(a), Some(b)) if b.generation.wrapping_sub(a.generation) < 1 << 31 => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        };
        newer.ok_or(BootError::NoRecord)
    }

    fn from_bytes(bytes: &[u8; RECORD_LEN]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<4>()?;
        if CRC32C.checksum(body).to_be_bytes() != *sum {
            return None;
        }
        let [VERSION, active, mark, 0, c0, c1, c2, c3, g0, g1, g2, g3, ..] = *bytes else {
            return None;
        };
        Some(Self {
            active: match active {
                0 => Slot::A,
                1 => Slot::B,
                _ => return None,
            },
            mark: match mark {
                0 => Mark::None,
                1 => Mark::New,
                2 => Mark::Trial,
                _ => return None,
            },
            counter: u32::from_be_bytes([c0, c1, c2, c3]),
            generation: u32::from_be_bytes([g0, g1, g2, g3]),
        })
    }
}

/// Why the state of the slots did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootError {
    /// The other slot holds an image that waits or is on trial.
    NotFree,
    /// The running image is not on trial.
    NotOnTrial,
    /// The image is older than the confirmed one.
    Rollback,
    /// Neither copy of the state is whole.
    NoRecord,
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFree => "the other slot holds an image that waits or is on trial",
            Self::NotOnTrial => "the running image is not on trial",
            Self::Rollback => "the image has a lower security counter than the confirmed one",
            Self::NoRecord => "neither copy of the boot state is whole",
        })
    }
}

impl core::error::Error for BootError {}
