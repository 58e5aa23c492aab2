//! The life of a device key: staged, proved, activated, and its predecessor erased.
//!
//! ```text
//! Empty -> Active(n) -> + Staged(n+1) -> + proved by both sides -> Active(n+1), Previous(n) -> Active(n+1)
//!                          `-- abort --> Active(n)                            Revoked: nothing works
//! ```
//! Device and head end hold the same [`KeySlot`]. Every step is one [`Change`]: write its record,
//! then call [`Change::stored`]. After a power cut at any write both sides still share a key:
//! a head end tries the staged key first and falls back to the active one, and a device that activated
//! keeps the previous key for receiving until the first good message under the new one, or a week.
//! There is no way back to a lower epoch.
//!
//! A record lies in two copies that are written in turn; [`KeySlot::restore`] takes the newer one that
//! is whole. The keys in it are wrapped by a key of the chip, and so is its integrity. Where the chip
//! has no key of its own, whoever reads the flash has the keys.

use core::fmt;

use crate::cmac;
use crate::ct;
use crate::engine::{Block, Block128, EngineError, copy, fill};
use crate::key::{DeviceKey, DeviceKeyId, KeyHandle, Purpose, Secret};
use crate::wrap::{self, WrapError};

/// Length of a stored slot.
pub const RECORD_LEN: usize = BODY_LEN + 16;
/// Seconds that a previous key is accepted for receiving.
pub const PREVIOUS_SECONDS: u64 = 7 * 86_400;
/// Length of a wrapped key on the wire.
pub const WRAPPED_LEN: usize = 24;

const BODY_LEN: usize = HEAD_LEN + wrap::OVERHEAD + 48;
const HEAD_LEN: usize = 36;
const VERSION: u8 = 1;

const ACTIVE: u8 = 1;
const STAGED: u8 = 2;
const PROVED: u8 = 4;
const PREVIOUS: u8 = 8;
const REVOKED: u8 = 16;

/// The keys of one device for one purpose.
#[derive(Debug, PartialEq, Eq)]
pub struct KeySlot {
    id: DeviceKeyId,
    purpose: Purpose,
    /// Rises with each stored change: the higher of two copies is the newer.
    generation: u32,
    /// The highest epoch that was ever active.
    highest: u16,
    active: Option<Held>,
    staged: Option<Held>,
    proved: bool,
    previous: Option<Held>,
    /// Second of any clock that both boots share; the previous key ends then.
    previous_until: u64,
    revoked: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Held {
    secret: Secret<16>,
    epoch: u16,
}

impl Held {
    const fn duplicate(&self) -> Self {
        Self {
            secret: self.secret.duplicate(),
            epoch: self.epoch,
        }
    }
}

/// A step that is not stored yet. Dropping it leaves the slot as it was.
#[derive(Debug)]
#[must_use = "store the record, then call stored()"]
pub struct Change<'s> {
    slot: &'s mut KeySlot,
    after: KeySlot,
}

impl Change<'_> {
    /// The record to write over the older copy, wrapped by the chip's key.
    ///
    /// # Errors
    /// [`SlotError::Engine`].
    pub fn record<E: Block128>(
        &self,
        engine: &mut E,
        chip: &E::Key,
    ) -> Result<[u8; RECORD_LEN], SlotError> {
        self.after.record(engine, chip)
    }

    /// This side's proof that it holds the key which the change stages: [`KeySlot::proof`] of what comes.
    ///
    /// # Errors
    /// As [`KeySlot::proof`].
    pub fn proof<E: Block128>(
        &self,
        engine: &mut E,
        side: Side,
        other_random: &[u8; 16],
    ) -> Result<Block, SlotError> {
        self.after.proof(engine, side, other_random)
    }

    /// States that the record is durable: the step is done.
    pub fn stored(self) {
        *self.slot = self.after;
    }
}

/// Which keys a slot may open messages with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Active,
    Staged,
    Previous,
}

impl KeySlot {
    /// A slot without a key.
    pub const fn empty(id: DeviceKeyId, purpose: Purpose) -> Self {
        Self {
            id,
            purpose,
            generation: 0,
            highest: 0,
            active: None,
            staged: None,
            proved: false,
            previous: None,
            previous_until: 0,
            revoked: false,
        }
    }

    /// Puts the first key into an empty slot, where the device is made.
    ///
    /// # Errors
    /// [`SlotError::State`] when the slot is not empty, [`SlotError::Key`] for the key of another
    /// device or purpose.
    pub fn provision(&mut self, key: &DeviceKey) -> Result<Change<'_>, SlotError> {
        if key.id() != self.id || key.purpose() != self.purpose {
            return Err(SlotError::Key);
        }
        let mut after = self.after()?;
        if self.active.is_some() || self.highest != 0 {
            return Err(SlotError::State);
        }
        after.active = Some(Held {
            secret: key.secret().duplicate(),
            epoch: key.epoch(),
        });
        after.highest = key.epoch();
        Ok(self.change(after))
    }

    /// Stages a key that came wrapped under the master key, in a message of class key that was opened
    /// before. A staged key that waits already is replaced.
    ///
    /// # Errors
    /// [`SlotError::Epoch`] unless the epoch is above the active, the staged and every one before;
    /// [`SlotError::Key`] when it was not wrapped under `master`, or that is no master key of this
    /// device; [`SlotError::State`]; [`SlotError::Engine`].
    pub fn stage<E: Block128>(
        &mut self,
        engine: &mut E,
        master: &KeyHandle<E::Key>,
        wrapped: &[u8; WRAPPED_LEN],
        epoch: u16,
    ) -> Result<Change<'_>, SlotError> {
        let mut after = self.after()?;
        let staged = self.staged_epoch().unwrap_or_default();
        if self.active.is_none() {
            return Err(SlotError::State);
        }
        if epoch <= self.highest || epoch <= staged {
            return Err(SlotError::Epoch {
                found: epoch,
                above: self.highest.max(staged),
            });
        }
        let secret = self.unwrapped(engine, master, wrapped)?;
        after.staged = Some(Held { secret, epoch });
        after.proved = false;
        Ok(self.change(after))
    }

    /// Whether a wrapped key is the one that waits staged under this epoch, so that staging it again would change
    /// nothing.
    ///
    /// # Errors
    /// [`SlotError::Key`] when it was not wrapped under `master`, or that is no master key of this device;
    /// [`SlotError::Engine`].
    pub fn stages_the_same<E: Block128>(
        &self,
        engine: &mut E,
        master: &KeyHandle<E::Key>,
        wrapped: &[u8; WRAPPED_LEN],
        epoch: u16,
    ) -> Result<bool, SlotError> {
        let secret = self.unwrapped(engine, master, wrapped)?;
        let staged = self.staged.as_ref().filter(|held| held.epoch == epoch);
        Ok(staged.is_some_and(|held| held.secret == secret))
    }

    fn unwrapped<E: Block128>(
        &self,
        engine: &mut E,
        master: &KeyHandle<E::Key>,
        wrapped: &[u8; WRAPPED_LEN],
    ) -> Result<Secret<16>, SlotError> {
        if master.purpose() != Purpose::Master || master.id() != self.id {
            return Err(SlotError::Key);
        }
        let mut secret = Secret::new([0; 16]);
        let mut buf = Secret::new(*wrapped);
        let key = wrap::unwrap(engine, master.key(), buf.expose_mut())?;
        copy(secret.expose_mut(), key);
        Ok(secret)
    }

    /// Wraps a new key for [`KeySlot::stage`] of the other side.
    ///
    /// # Errors
    /// [`SlotError::Key`] when `master` is no master key, [`SlotError::Engine`].
    pub fn wrap_key<E: Block128>(
        engine: &mut E,
        master: &KeyHandle<E::Key>,
        key: &DeviceKey,
    ) -> Result<[u8; WRAPPED_LEN], SlotError> {
        if master.purpose() != Purpose::Master || master.id() != key.id() {
            return Err(SlotError::Key);
        }
        let mut buf = [0; WRAPPED_LEN];
        fill(&mut buf, &[&[0; wrap::OVERHEAD], key.secret().expose()]);
        wrap::wrap(engine, master.key(), &mut buf)?;
        Ok(buf)
    }

    /// This side's proof that it holds the staged key.
    ///
    /// The device proves `CMAC(new key, "KPROOF" || R_host || dev_id6 || epoch)`, the head end
    /// `CMAC(new key, "HPROOF" || R_device || dev_id6 || epoch)`: a proof cannot be reflected.
    ///
    /// # Errors
    /// [`SlotError::State`] without a staged key, [`SlotError::Engine`].
    pub fn proof<E: Block128>(
        &self,
        engine: &mut E,
        side: Side,
        other_random: &[u8; 16],
    ) -> Result<Block, SlotError> {
        let staged = self.staged.as_ref().ok_or(SlotError::State)?;
        let key = engine
            .load(crate::engine::BlockCipher::Aes128, &staged.secret)
            .map_err(|error| SlotError::Engine(error.into()))?;
        let parts: [&[u8]; 4] = [
            side.label(),
            other_random,
            &self.id.address(),
            &staged.epoch.to_be_bytes(),
        ];
        cmac::mac(engine, &key, &parts).map_err(|error| SlotError::Engine(error.into()))
    }

    /// Checks the proof of the other side over the random number that this side drew for it.
    ///
    /// # Errors
    /// [`SlotError::Key`] when it is wrong; [`SlotError::State`]; [`SlotError::Engine`].
    pub fn proved<E: Block128>(
        &mut self,
        engine: &mut E,
        by: Side,
        own_random: &[u8; 16],
        proof: &Block,
    ) -> Result<Change<'_>, SlotError> {
        let mut after = self.after()?;
        let right = self.proof(engine, by, own_random)?;
        if !ct::same(&right, proof) {
            return Err(SlotError::Key);
        }
        after.proved = true;
        Ok(self.change(after))
    }

    /// Drops the staged key; the active one is untouched.
    ///
    /// # Errors
    /// [`SlotError::State`] without a staged key.
    pub fn abort(&mut self) -> Result<Change<'_>, SlotError> {
        let mut after = self.after()?;
        after.staged.take().ok_or(SlotError::State)?;
        after.proved = false;
        Ok(self.change(after))
    }

    /// Notes that the other side showed the key of an epoch: by a handshake or by a good message.
    /// Returns the change that follows, if one does: the staged key becomes active, or the previous
    /// one is erased.
    ///
    /// # Errors
    /// [`SlotError::State`] when no key of that epoch may be used.
    pub fn seen(&mut self, epoch: u16, now_s: u64) -> Result<Option<Change<'_>>, SlotError> {
        let which = self.which(epoch, now_s).ok_or(SlotError::State)?;
        let mut after = self.after()?;
        match which {
            Which::Staged => {
                after.previous = after.active.take();
                after.previous_until = now_s.saturating_add(PREVIOUS_SECONDS);
                after.active = after.staged.take();
                after.proved = false;
                after.highest = epoch;
            }
            // A handshake that activated is the first use of the new key; a message after it is good
            // under it too.
            Which::Active if self.previous.is_some() => after.previous = None,
            Which::Active | Which::Previous => return Ok(None),
        }
        Ok(Some(self.change(after)))
    }

    /// Erases a previous key whose time is over.
    pub fn expire(&mut self, now_s: u64) -> Option<Change<'_>> {
        if self.previous.is_none() || now_s < self.previous_until {
            return None;
        }
        let mut after = self.after().ok()?;
        after.previous = None;
        Some(self.change(after))
    }

    /// Gives up all keys for ever.
    ///
    /// # Errors
    /// [`SlotError::State`] when that was done before.
    pub fn revoke(&mut self) -> Result<Change<'_>, SlotError> {
        let mut after = self.after()?;
        (after.active, after.staged, after.previous) = (None, None, None);
        after.revoked = true;
        Ok(self.change(after))
    }

    /// The epoch to send under.
    pub fn epoch(&self) -> Option<u16> {
        self.active.as_ref().map(|held| held.epoch)
    }

    /// Whose keys they are.
    pub const fn id(&self) -> DeviceKeyId {
        self.id
    }

    /// Purpose of the keys.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The epoch of a staged key, proved or not.
    pub fn staged_epoch(&self) -> Option<u16> {
        self.staged.as_ref().map(|held| held.epoch)
    }

    /// The epoch of a staged key that both sides proved: a head end begins its next handshake under
    /// it, and goes back to [`KeySlot::epoch`] when the device refuses.
    pub fn proved_epoch(&self) -> Option<u16> {
        let staged = self.staged.as_ref().filter(|_| self.proved);
        staged.map(|held| held.epoch)
    }

    /// The key to send under.
    pub fn sending_key(&self) -> Option<DeviceKey> {
        self.active.as_ref().map(|held| self.device_key(held))
    }

    /// The key that a message or handshake of an epoch may be opened with: the active one, a staged one
    /// that both sides proved, or the previous one while its time lasts. After a message under it was
    /// good, call [`KeySlot::seen`].
    pub fn receiving_key(&self, epoch: u16, now_s: u64) -> Option<DeviceKey> {
        let held = match self.which(epoch, now_s)? {
            Which::Active => &self.active,
            Which::Staged => &self.staged,
            Which::Previous => &self.previous,
        };
        held.as_ref().map(|held| self.device_key(held))
    }

    fn which(&self, epoch: u16, now_s: u64) -> Option<Which> {
        let is = |held: &Option<Held>| held.as_ref().is_some_and(|held| held.epoch == epoch);
        if is(&self.active) {
            Some(Which::Active)
        } else if is(&self.staged) && self.proved {
            Some(Which::Staged)
        } else if is(&self.previous) && now_s < self.previous_until {
            Some(Which::Previous)
        } else {
            None
        }
    }

    const fn device_key(&self, held: &Held) -> DeviceKey {
        DeviceKey::new(held.secret.duplicate(), self.id, self.purpose, held.epoch)
    }

    /// What the slot becomes, to be changed; nothing comes after revocation.
    fn after(&self) -> Result<Self, SlotError> {
        if self.revoked {
            return Err(SlotError::State);
        }
        Ok(Self {
            id: self.id,
            purpose: self.purpose,
            generation: self.generation.wrapping_add(1),
            highest: self.highest,
            active: self.active.as_ref().map(Held::duplicate),
            staged: self.staged.as_ref().map(Held::duplicate),
            proved: self.proved,
            previous: self.previous.as_ref().map(Held::duplicate),
            previous_until: self.previous_until,
            revoked: false,
        })
    }

    const fn change(&mut self, after: Self) -> Change<'_> {
        Change { slot: self, after }
    }

    /// `length 2 | version | purpose | states | 0 | active epoch 2 | staged 2 | previous 2 | highest 2
    /// | 0 0 | generation 4 | previous until 8 | device id 8 | wrapped keys 56 | CMAC 16`.
    fn record<E: Block128>(
        &self,
        engine: &mut E,
        chip: &E::Key,
    ) -> Result<[u8; RECORD_LEN], SlotError> {
        let bit = |held: &Option<Held>, bit: u8| if held.is_some() { bit } else { 0 };
        let epoch = |held: &Option<Held>| held.as_ref().map_or(0, |h| h.epoch).to_be_bytes();
        let states = bit(&self.active, ACTIVE)
            | bit(&self.staged, STAGED)
            | bit(&self.previous, PREVIOUS)
            | if self.proved { PROVED } else { 0 }
            | if self.revoked { REVOKED } else { 0 };
        let mut out = [0; RECORD_LEN];
        let (body, tag) = out.split_at_mut(BODY_LEN);
        let (head, keys) = body.split_at_mut(HEAD_LEN);
        fill(
            head,
            &[
                &(RECORD_LEN as u16).to_be_bytes(),
                &[VERSION, self.purpose.number(), states, 0],
                &epoch(&self.active),
                &epoch(&self.staged),
                &epoch(&self.previous),
                &self.highest.to_be_bytes(),
                &[0, 0],
                &self.generation.to_be_bytes(),
                &self.previous_until.to_be_bytes(),
                self.id.bytes(),
            ],
        );
        let slots = [&self.active, &self.staged, &self.previous];
        let cells = keys.get_mut(wrap::OVERHEAD..).unwrap_or_default();
        for (cell, held) in cells.chunks_exact_mut(16).zip(slots) {
            if let Some(held) = held {
                copy(cell, held.secret.expose());
            }
        }
        wrap::wrap(engine, chip, keys)?;
        let mac = cmac::mac(engine, chip, &[body]);
        copy(tag, &mac.map_err(|error| SlotError::Engine(error.into()))?);
        Ok(out)
    }

    /// The slot that two copies of its record hold: the newer one that is whole.
    ///
    /// # Errors
    /// [`SlotError::Record`] when neither is whole; [`SlotError::Engine`].
    pub fn restore<E: Block128>(
        engine: &mut E,
        chip: &E::Key,
        copies: [&[u8]; 2],
    ) -> Result<Self, SlotError> {
        let mut newest: Option<Self> = None;
        for copy in copies {
            match Self::decode(engine, chip, copy) {
                Ok(slot) if newest.as_ref().is_none_or(|other| slot.is_after(other)) => {
                    newest = Some(slot);
                }
                Ok(_) | Err(SlotError::Record) => {}
                Err(error) => return Err(error),
            }
        }
        newest.ok_or(SlotError::Record)
    }

    /// Number of the copy, 0 or 1, that the next record overwrites.
    pub const fn next_copy(&self) -> usize {
        (self.generation as usize).wrapping_add(1) & 1
    }

    const fn is_after(&self, other: &Self) -> bool {
        // Generations may wrap: two copies are never more than one apart.
        self.generation.wrapping_sub(other.generation) < 1 << 31
    }

    fn decode<E: Block128>(
        engine: &mut E,
        chip: &E::Key,
        record: &[u8],
    ) -> Result<Self, SlotError> {
        let record: &[u8; RECORD_LEN] = record.try_into().map_err(|_| SlotError::Record)?;
        let (body, tag) = record.split_last_chunk::<16>().ok_or(SlotError::Record)?;
        let whole = cmac::verify(engine, chip, &[body], tag);
        if !whole.map_err(|error| SlotError::Engine(error.into()))? {
            return Err(SlotError::Record);
        }
        let (head, wrapped) = body
            .split_first_chunk::<HEAD_LEN>()
            .ok_or(SlotError::Record)?;
        let [_, _, version, purpose, states, _, epochs @ ..] = head;
        let purpose = Purpose::from_number(*purpose)
            .filter(|_| *version == VERSION)
            .ok_or(SlotError::Record)?;
        let [
            a0,
            a1,
            s0,
            s1,
            p0,
            p1,
            h0,
            h1,
            _,
            _,
            g0,
            g1,
            g2,
            g3,
            rest @ ..,
        ] = epochs;
        let (until, id) = rest.split_first_chunk::<8>().ok_or(SlotError::Record)?;

        let mut keys = Secret::new([0; wrap::OVERHEAD + 48]);
        copy(keys.expose_mut(), wrapped);
        let keys = wrap::unwrap(engine, chip, keys.expose_mut())?;
        let mut cells = keys.chunks_exact(16);
        let mut held = |bit: u8, epoch: [u8; 2]| {
            let mut secret = Secret::new([0; 16]);
            copy(secret.expose_mut(), cells.next().unwrap_or_default());
            (states & bit != 0).then_some(Held {
                secret,
                epoch: u16::from_be_bytes(epoch),
            })
        };
        Ok(Self {
            active: held(ACTIVE, [*a0, *a1]),
            staged: held(STAGED, [*s0, *s1]),
            previous: held(PREVIOUS, [*p0, *p1]),
            id: DeviceKeyId::from_bytes(id.first_chunk().copied().unwrap_or_default()),
            purpose,
            generation: u32::from_be_bytes([*g0, *g1, *g2, *g3]),
            highest: u16::from_be_bytes([*h0, *h1]),
            proved: states & PROVED != 0,
            previous_until: u64::from_be_bytes(*until),
            revoked: states & REVOKED != 0,
        })
    }
}

/// A side of a key change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The device that the key belongs to.
    Device,
    /// The head end that staged it.
    HeadEnd,
}

impl Side {
    const fn label(self) -> &'static [u8; 6] {
        match self {
            Self::Device => b"KPROOF",
            Self::HeadEnd => b"HPROOF",
        }
    }
}

/// Why a slot did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotError {
    /// The slot has no such key, or it is revoked.
    State,
    /// The epoch is not above every one before.
    Epoch {
        /// The epoch given.
        found: u16,
        /// What it must be above.
        above: u16,
    },
    /// The key belongs elsewhere, or its proof or wrapping is wrong.
    Key,
    /// Neither copy of the record is whole.
    Record,
    /// The cipher engine failed.
    Engine(EngineError),
}

impl From<WrapError> for SlotError {
    fn from(error: WrapError) -> Self {
        match error {
            WrapError::Engine(error) => Self::Engine(error),
            _ => Self::Key,
        }
    }
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => f.write_str("the key slot has no such key"),
            Self::Epoch { found, above } => {
                write!(f, "epoch {found} is not above {above}")
            }
            Self::Key => f.write_str("the key is not the one expected"),
            Self::Record => f.write_str("neither copy of the key slot is whole"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SlotError {}
