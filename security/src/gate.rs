//! The gate before every actuator: an order passes once, and only with its number already stored.
//!
//! ```text
//! tag -> class allowed on this port -> counter fresh -> session open and young -> address mine
//!     -> deadline not past, clock sane -> number above the last of this operator role
//!     -> state allows it -> number stored -> effect -> answer stored and sealed
//! ```
//! The caller's part of this chain:
//!
//! 1. [`OrderGate::judge`] the envelope. On [`Verdict::New`]:
//! 2. write [`Pending::state`] and wait until it is durable, then [`Pending::stored`], which makes
//!    every check a second time;
//! 3. give the [`Verified`] order to the actuator;
//! 4. [`OrderGate::finish`] it, write [`OrderGate::state`], seal and send the answer.
//!
//! A power cut before 2 leaves the order undone and its number free; after 2 the number is used up,
//! and the same order again is answered [`Outcome::Interrupted`] until 4 is stored. A sender
//! therefore repeats an order by sealing it again under a new counter, never by a new number.

use core::hint::black_box;

use crate::engine::{Block128, Soft, SoftKey, copy, sure};
use crate::envelope::{Class, Direction, Header};
use crate::key::{DeviceKey, KeyHandle, Purpose};
use crate::link::Opener;
use crate::order::{
    Kind, Moment, Order, OrderAck, Outcome, PurseState, RECHARGE_LEN, RelayFeedback,
};
use crate::replay::{Freshness, ReplayWindow};
use crate::suite::Suite;

mod memory;
mod purse;
mod refusal;

pub use memory::{ANSWERS, ROLES, STATE_LEN, StateError};
use memory::{Kept, Memory};
pub use purse::PurseConditions;
pub use refusal::Refusal;

/// Something that passed every check. Only the checks of this crate make it; an actuator or a boot
/// stage takes nothing else.
///
/// ```
/// use security::gate::{Pending, Verified};
/// use security::order::Order;
///
/// fn actuate(order: &Verified<Order>) -> u64 {
///     order.get().number()
/// }
/// fn execute(pending: Pending<'_>) -> Option<u64> {
///     Some(actuate(&pending.stored().ok()?)) // its number is durable
/// }
/// ```
/// An order that was only read is none, and nobody else makes one of it:
/// ```compile_fail,E0308
/// # use security::{gate::Verified, order::Order};
/// # fn actuate(order: &Verified<Order>) {}
/// fn shortcut(bytes: &[u8]) {
///     actuate(&Order::parse(bytes).unwrap());
/// }
/// ```
/// ```compile_fail,E0423
/// # use security::{gate::Verified, order::Order};
/// fn forge(order: Order) -> Verified<Order> {
///     Verified(order)
/// }
/// ```
/// Nor does an order wait twice, or come before its number is stored:
/// ```compile_fail,E0382
/// # use security::gate::Pending;
/// fn twice(pending: Pending<'_>) {
///     let _first = pending.stored();
///     let _second = pending.stored();
/// }
/// ```
/// ```compile_fail,E0308
/// # use security::{gate::{Pending, Verified}, order::Order};
/// # fn actuate(order: &Verified<Order>) {}
/// fn early(pending: Pending<'_>) {
///     actuate(pending.order().unwrap());
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a verified order waits to be executed and finished"]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// For the checks of this crate alone.
    #[cfg(feature = "fw")]
    pub(crate) const fn new(checked: T) -> Self {
        Self(checked)
    }

    /// What was verified.
    pub const fn get(&self) -> &T {
        &self.0
    }
}

/// What the gate cannot know by itself at the moment of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Whether the port that the order came by may carry orders now.
    pub port_allows: bool,
    /// Whether the session is open and young; true where static keys are used.
    pub session_young: bool,
    /// The meter's calendar; `None` while the clock is not trusted.
    pub now: Option<Moment>,
    /// Whether hold power is in force.
    pub hold_power: bool,
    /// The purse, where this core has one.
    pub purse: Option<PurseConditions>,
}

/// What becomes of an envelope.
#[derive(Debug)]
#[must_use]
pub enum Verdict<'g, K = SoftKey> {
    /// A new order that passed every check: store, execute, finish.
    New(Pending<'g, K>),
    /// This very order was accepted before: do nothing, send its answer again.
    Repeated(OrderAck),
    /// A genuine order that is not executed. Store [`OrderGate::state`] before the answer is sent:
    /// otherwise the same envelope could be brought again after a restart, when it might pass.
    Refused(OrderAck),
    /// Nothing to answer: not genuine, seen before, or not allowed here. Count and log it.
    Dropped(Refusal),
}

/// A new order whose number is not stored yet.
#[derive(Debug)]
#[must_use = "store the state, then call stored()"]
pub struct Pending<'g, K = SoftKey> {
    gate: &'g mut OrderGate<K>,
    kept: Kept,
    seen: Seen,
}

/// What an order was judged by, for the second look.
#[derive(Clone, Copy, Debug)]
struct Seen {
    header: Header,
    /// The highest counter before this one.
    above: u64,
    conditions: Conditions,
    /// The order as it came, [`Order::encoded_len`] bytes of it.
    message: [u8; RECHARGE_LEN],
}

impl<K> Pending<'_, K> {
    /// The order, to prepare its effect; an actuator waits for [`Pending::stored`]. Whoever books an
    /// effect together with [`Pending::state_when_done`] books it after this.
    ///
    /// Every check was passed before; the order is read and checked again, apart from the first time,
    /// so that one instruction that was passed over by a disturbed supply opens no way here.
    ///
    /// # Errors
    /// The [`Refusal`] of the second look: the processor was disturbed, and nothing may happen.
    pub fn order(&self) -> Result<&Order, Refusal> {
        let (seen, order) = (black_box(&self.seen), black_box(&self.kept.order));
        self.gate
            .admit(&seen.header, seen.above, &seen.conditions)?;
        let message = seen.message.get(..order.encoded_len());
        let again = Order::parse(message.unwrap_or_default()).map_err(|_| Refusal::Malformed)?;
        match self.gate.check(&again, &seen.header, &seen.conditions)? {
            Fresh::New if again == *order => Ok(order),
            Fresh::New => Err(Refusal::Malformed),
            Fresh::Repeated(_) => Err(Refusal::NumberUsed),
        }
    }

    /// The state with the number used up and the answer [`Outcome::Interrupted`]. It must be durable
    /// before the effect.
    pub fn state(&self) -> [u8; STATE_LEN] {
        self.state_after(&self.kept)
    }

    /// The state with the number used up and the answer [`Outcome::Done`], for an effect that is
    /// itself a stored value, such as a balance: written in one record with that value, either both
    /// are there after a power cut or neither. [`OrderGate::finish`] is still called.
    pub fn state_when_done(
        &self,
        relay: RelayFeedback,
        purse: Option<PurseState>,
    ) -> [u8; STATE_LEN] {
        let mut kept = self.kept;
        kept.answer = OrderAck {
            outcome: Outcome::Done,
            relay,
            purse: kept.order.purse_part(purse),
            ..kept.answer
        };
        self.state_after(&kept)
    }

    fn state_after(&self, kept: &Kept) -> [u8; STATE_LEN] {
        let mut after = self.gate.memory.clone();
        after.use_number(kept);
        after.encode()
    }

    /// States that [`Pending::state`] is durable, and hands out the order.
    ///
    /// # Errors
    /// As [`Pending::order`]. The number is used up then too, as the stored state says.
    pub fn stored(self) -> Result<Verified<Order>, Refusal> {
        let again = self.order().copied();
        self.gate.memory.use_number(&self.kept);
        again.map(Verified)
    }
}

/// Judges the orders of one key: freshness, deadline, number, state.
#[derive(Debug)]
pub struct OrderGate<K = SoftKey> {
    opener: Opener<K>,
    purpose: Purpose,
    address: [u8; 6],
    factory_keys: bool,
    /// The counter belongs to a session and is not stored.
    in_session: bool,
    memory: Memory,
}

impl OrderGate {
    /// A gate that starts with nothing stored: a new device.
    ///
    /// The purpose of the key says what it executes: `lctrl` relay and alarm orders, `purse` purse
    /// orders, any other both.
    pub fn new(key: &DeviceKey, suite: Suite) -> Self {
        let handle = key.soft();
        sure(Self::with_engine(&mut Soft, &handle, suite))
    }

    /// A gate that goes on from stored bytes. Under another key epoch the counter starts anew;
    /// order numbers and answers stay.
    ///
    /// # Errors
    /// [`StateError`] when the bytes are not a state that [`OrderGate::state`] wrote. Starting anew
    /// instead would let old orders pass again.
    pub fn restore(key: &DeviceKey, suite: Suite, state: &[u8]) -> Result<Self, StateError> {
        Self::new(key, suite).with_state(state)
    }

    /// Opens an envelope in place and judges the order in it. `relay` is the feedback for the answer
    /// of a refusal.
    pub fn judge(
        &mut self,
        ext: &[u8],
        envelope: &mut [u8],
        conditions: &Conditions,
        relay: RelayFeedback,
    ) -> Verdict<'_> {
        self.judge_on(&mut Soft, ext, envelope, conditions, relay)
    }
}

impl<K> OrderGate<K> {
    /// As [`OrderGate::new`], under the static key of `key` on another engine.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn with_engine<E: Block128<Key = K>>(
        engine: &mut E,
        key: &KeyHandle<K>,
        suite: Suite,
    ) -> Result<Self, E::Error> {
        let opener = Opener::with_engine(engine, key, Direction::ToDevice, suite)?;
        Ok(Self::under(opener, key))
    }

    /// A gate behind a receiver that was made before.
    pub const fn under<P>(opener: Opener<K>, key: &KeyHandle<P>) -> Self {
        Self {
            opener,
            purpose: key.purpose(),
            address: key.id().address(),
            factory_keys: false,
            in_session: false,
            memory: Memory::new(key.epoch()),
        }
    }

    /// A gate behind the receiver of a session, whose counter starts anew with its key.
    pub(crate) const fn of_session<P>(opener: Opener<K>, key: &KeyHandle<P>) -> Self {
        let mut gate = Self::under(opener, key);
        gate.in_session = true;
        gate
    }

    /// Goes on from stored bytes, as [`OrderGate::restore`].
    ///
    /// # Errors
    /// As [`OrderGate::restore`].
    pub fn with_state(mut self, state: &[u8]) -> Result<Self, StateError> {
        let epoch = self.memory.epoch;
        self.memory = Memory::decode(state)?;
        if self.memory.epoch != epoch {
            self.memory.epoch = epoch;
            self.memory.counter = 0;
        }
        if !self.in_session {
            let window = ReplayWindow::above(self.memory.counter);
            self.opener = self.opener.with_window(window);
        }
        Ok(self)
    }

    /// Lets keys of epoch 0, the factory's, give orders: only for a device that is not sealed yet.
    /// Otherwise a gate with such a key refuses every order.
    #[must_use]
    pub const fn with_factory_keys(mut self) -> Self {
        self.factory_keys = true;
        self
    }

    /// The state as bytes: version, counter, numbers by role, answers, CRC.
    pub fn state(&self) -> [u8; STATE_LEN] {
        self.memory.encode()
    }

    /// The last number executed for an operator role, 0 when there is none.
    pub fn last_number(&self, role: u8) -> u64 {
        self.memory.last_number(role)
    }

    /// As [`OrderGate::judge`], on a given engine. An engine that fails drops the envelope.
    pub fn judge_on<E: Block128<Key = K>>(
        &mut self,
        engine: &mut E,
        ext: &[u8],
        envelope: &mut [u8],
        conditions: &Conditions,
        relay: RelayFeedback,
    ) -> Verdict<'_, K> {
        let Ok(opened) = self.opener.prove(engine, ext, envelope) else {
            return Verdict::Dropped(Refusal::Tag);
        };
        let above = self.opener.window().highest();
        if let Err(refusal) = self.admit(&opened.header, above, conditions) {
            return Verdict::Dropped(refusal);
        }
        if !self
            .opener
            .take_counter(opened.header.counter, Freshness::Rising)
        {
            return Verdict::Dropped(Refusal::Replayed);
        }
        if !self.in_session {
            self.memory.counter = opened.header.counter;
        }
        let Ok(order) = Order::parse(opened.plain) else {
            return Verdict::Dropped(Refusal::Malformed);
        };
        let header = opened.header;
        match self.check(&order, &header, conditions) {
            Ok(Fresh::New) => {
                let mut message = [0; RECHARGE_LEN];
                copy(&mut message, header.body(black_box(envelope)));
                Verdict::New(Pending {
                    // The answer for the case that power goes before the effect is known.
                    kept: Kept {
                        order,
                        answer: OrderAck {
                            number: order.number(),
                            outcome: Outcome::Interrupted,
                            relay: RelayFeedback::Unknown,
                            kind: order.kind(),
                            last_number: order.number(),
                            purse: order.purse_part(conditions.purse.map(|purse| purse.state)),
                        },
                    },
                    seen: Seen {
                        header,
                        above,
                        conditions: *conditions,
                        message,
                    },
                    gate: self,
                })
            }
            Ok(Fresh::Repeated(answer)) => Verdict::Repeated(answer),
            Err(refusal) => Verdict::Refused(OrderAck {
                number: order.number(),
                outcome: Outcome::Refused(refusal),
                relay,
                kind: order.kind(),
                last_number: self.memory.last_number(order.role()),
                purse: order.purse_part(conditions.purse.map(|purse| purse.state)),
            }),
        }
    }

    /// Notes how a verified order ended and returns its answer. Store [`OrderGate::state`], then
    /// seal and send the answer.
    pub fn finish(
        &mut self,
        order: Verified<Order>,
        outcome: Outcome,
        relay: RelayFeedback,
        purse: Option<PurseState>,
    ) -> OrderAck {
        let Verified(order) = order;
        let last_number = self.memory.last_number(order.role());
        let purse = order.purse_part(purse);
        let answer = OrderAck {
            number: order.number(),
            outcome,
            relay,
            kind: order.kind(),
            last_number,
            purse,
        };
        if let Some(kept) = self
            .memory
            .answers
            .iter_mut()
            .find(|kept| kept.order == order)
        {
            kept.answer = answer;
        }
        answer
    }

    /// What is checked before the message is looked at. `above` is the highest counter before it.
    #[inline(never)]
    fn admit(&self, header: &Header, above: u64, conditions: &Conditions) -> Result<(), Refusal> {
        if header.class != Class::Command {
            return Err(Refusal::Class);
        }
        if self.memory.epoch == 0 && !self.factory_keys {
            return Err(Refusal::FactoryKey);
        }
        if !conditions.port_allows {
            return Err(Refusal::Port);
        }
        if header.counter <= above {
            return Err(Refusal::Replayed);
        }
        Ok(())
    }

    /// What is checked of the order itself.
    #[inline(never)]
    fn check(
        &self,
        order: &Order,
        header: &Header,
        conditions: &Conditions,
    ) -> Result<Fresh, Refusal> {
        if !conditions.session_young {
            return Err(Refusal::Session);
        }
        if header.address != self.address {
            return Err(Refusal::Address);
        }
        let now = conditions.now.ok_or(Refusal::ClockUnsafe)?;
        if order.deadline() < now {
            return Err(Refusal::DeadlinePast);
        }
        if order.number() <= self.memory.last_number(order.role()) {
            let kept = self.memory.answers.iter().find(|kept| kept.order == *order);
            return kept
                .map(|kept| Fresh::Repeated(kept.answer))
                .ok_or(Refusal::NumberUsed);
        }
        if self.memory.sum != self.memory.sum() {
            return Err(Refusal::NumberUsed);
        }
        self.check_state(order, conditions)?;
        if !self.memory.has_room(order.role()) {
            return Err(Refusal::TooManyRoles);
        }
        Ok(Fresh::New)
    }

    fn check_state(&self, order: &Order, conditions: &Conditions) -> Result<(), Refusal> {
        let executes = match self.purpose {
            Purpose::Lctrl => !order.kind().is_purse(),
            Purpose::Purse => order.kind().is_purse(),
            _ => true,
        };
        if !executes {
            return Err(Refusal::NotThisCore);
        }
        if order.kind() == Kind::Open && conditions.hold_power {
            return Err(Refusal::HoldPower);
        }
        let Some(recharge) = order.recharge() else {
            return Ok(());
        };
        purse::check(order.kind(), recharge, conditions.purse.as_ref())
    }
}

enum Fresh {
    New,
    Repeated(OrderAck),
}
