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

use core::fmt;
use core::hint::black_box;

use crc::{CRC_32_ISCSI, Crc, NoTable};
use heapless::Vec;

use crate::engine::{Block128, Soft, SoftKey, copy, fill, sure};
use crate::envelope::{Class, Direction, Header};
use crate::key::{DeviceKey, KeyHandle, Purpose};
use crate::link::Opener;
use crate::order::{
    ACK_LEN, Kind, Moment, ORDER_LEN, Order, OrderAck, Outcome, PURSE_ACK_LEN, PurseState,
    RECHARGE_LEN, Recharge, RelayFeedback,
};
use crate::replay::{Freshness, ReplayWindow};
use crate::suite::Suite;

/// Operator roles that one gate keeps numbers for.
pub const ROLES: usize = 4;
/// Answers that one gate remembers.
pub const ANSWERS: usize = 4;
/// Length of the stored state in bytes.
pub const STATE_LEN: usize = HEAD_LEN + ROLES * ROLE_LEN + ANSWERS * ANSWER_LEN + 4;

const STATE_VERSION: u8 = 1;
const HEAD_LEN: usize = 16;
const ROLE_LEN: usize = 9;
const ANSWER_LEN: usize = 2 + RECHARGE_LEN + PURSE_ACK_LEN;
/// The sum over no numbers; zeroed memory has another.
const EMPTY_SUM: u64 = 0x6D65_7465_725F_6B31;
const CRC32C: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

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

/// The purse at the moment of an order; amounts in hundredths of the currency unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurseConditions {
    /// Balance and purchase count now.
    pub state: PurseState,
    /// Refunds so far.
    pub refunds: u32,
    /// Customer number; `None` before an account is opened.
    pub customer: Option<[u8; 6]>,
    /// Highest amount of one recharge.
    pub max_amount: u32,
    /// Highest balance that a recharge may lead to.
    pub hoarding_limit: i64,
}

/// Why an order was not executed, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Refusal {
    /// Not an envelope that the key of this gate opens.
    Tag = 16,
    /// A genuine envelope of another class.
    Class = 17,
    /// This port may not carry orders now.
    Port = 18,
    /// The counter of the envelope is not above the last one.
    Replayed = 19,
    /// The session is closed or too old.
    Session = 20,
    /// The order is for another device.
    Address = 21,
    /// The message is no order.
    Malformed = 22,
    /// The clock is not trusted, so no deadline can be checked.
    ClockUnsafe = 23,
    /// The deadline is past.
    DeadlinePast = 24,
    /// The number is not above the last one of this operator role, or the numbers in memory were damaged.
    NumberUsed = 25,
    /// No more operator roles can be kept.
    TooManyRoles = 26,
    /// This core does not execute orders of this kind.
    NotThisCore = 27,
    /// Hold power forbids opening the relay.
    HoldPower = 28,
    /// The customer number differs.
    Customer = 29,
    /// A recharge with this purchase count was done before, or a refund with this refund count.
    RechargeRepeated = 30,
    /// The count is not the one that the order needs: the next one, to close or to clear the present one.
    RechargeCount = 31,
    /// The amount is zero, above the limit of one recharge or, to be given back, above the balance; not zero
    /// where the order moves no money.
    Amount = 32,
    /// The balance would rise above the hoarding limit.
    Hoarding = 33,
    /// The key is the factory's and the device is sealed.
    FactoryKey = 34,
    /// No account is open, or fee control is already in the mode that was asked for.
    Account = 35,
}

impl Refusal {
    const ALL: [Self; 20] = [
        Self::Tag,
        Self::Class,
        Self::Port,
        Self::Replayed,
        Self::Session,
        Self::Address,
        Self::Malformed,
        Self::ClockUnsafe,
        Self::DeadlinePast,
        Self::NumberUsed,
        Self::TooManyRoles,
        Self::NotThisCore,
        Self::HoldPower,
        Self::Customer,
        Self::RechargeRepeated,
        Self::RechargeCount,
        Self::Amount,
        Self::Hoarding,
        Self::FactoryKey,
        Self::Account,
    ];

    /// The result byte of an answer, 16 to 35.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The refusal of a result byte.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tag => "this is not an envelope that the key opens",
            Self::Class => "the envelope is not of class command",
            Self::Port => "this port may not carry orders now",
            Self::Replayed => "the envelope was seen before",
            Self::Session => "the session is closed or too old",
            Self::Address => "the order is for another device",
            Self::Malformed => "the message is no order",
            Self::ClockUnsafe => "the clock is not trusted",
            Self::DeadlinePast => "the deadline of the order is past",
            Self::NumberUsed => "the order number is not above the last one of this role",
            Self::TooManyRoles => "no more operator roles can be kept",
            Self::NotThisCore => "this core does not execute orders of this kind",
            Self::HoldPower => "hold power forbids opening the relay",
            Self::Customer => "the customer number differs",
            Self::RechargeRepeated => "this recharge was done before",
            Self::RechargeCount => "the purchase count is not the next one",
            Self::Amount => "the amount is zero or above the limit of one recharge",
            Self::Hoarding => "the balance would rise above the hoarding limit",
            Self::FactoryKey => "the key of the order is the factory's",
            Self::Account => "no account is open, or fee control is in that mode already",
        })
    }
}

impl core::error::Error for Refusal {}

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
        check_purse(order.kind(), recharge, conditions.purse.as_ref())
    }
}

/// What is checked of a purse order beside the state of the relay.
fn check_purse(
    kind: Kind,
    recharge: &Recharge,
    purse: Option<&PurseConditions>,
) -> Result<(), Refusal> {
    let purse = match (kind, purse) {
        (Kind::ToLocal, None) => return Ok(()),
        (Kind::ToLocal, Some(_)) | (Kind::ToRemote, None) => return Err(Refusal::Account),
        (_, None) => return Err(Refusal::NotThisCore),
        (_, Some(purse)) => purse,
    };
    if purse
        .customer
        .is_some_and(|customer| customer != recharge.customer)
    {
        return Err(Refusal::Customer);
    }
    let needs_account = kind.pays_out() || matches!(kind, Kind::CloseAccount | Kind::CorrectUp);
    if needs_account && purse.customer.is_none() {
        return Err(Refusal::Account);
    }
    if !kind.pays_in() && !kind.pays_out() {
        return if recharge.count != purse.state.count {
            Err(Refusal::RechargeCount)
        } else if recharge.amount != 0 {
            Err(Refusal::Amount)
        } else {
            Ok(())
        };
    }
    let count = if kind.pays_out() {
        purse.refunds
    } else {
        purse.state.count
    };
    if recharge.count == count {
        return Err(Refusal::RechargeRepeated);
    }
    if count.checked_add(1) != Some(recharge.count) {
        return Err(Refusal::RechargeCount);
    }
    if recharge.amount == 0 || recharge.amount > purse.max_amount {
        return Err(Refusal::Amount);
    }
    let amount = i64::from(recharge.amount);
    if kind.pays_out() {
        return if amount > purse.state.balance {
            Err(Refusal::Amount)
        } else {
            Ok(())
        };
    }
    if purse.state.balance.saturating_add(amount) > purse.hoarding_limit {
        return Err(Refusal::Hoarding);
    }
    Ok(())
}

enum Fresh {
    New,
    Repeated(OrderAck),
}

/// What a gate remembers across power cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Memory {
    epoch: u16,
    counter: u64,
    roles: Vec<(u8, u64), ROLES>,
    /// [`Memory::sum`] of the roles when they were last changed.
    sum: u64,
    /// Oldest first.
    answers: Vec<Kept, ANSWERS>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    order: Order,
    answer: OrderAck,
}

impl Memory {
    const fn new(epoch: u16) -> Self {
        Self {
            epoch,
            counter: 0,
            roles: Vec::new(),
            sum: EMPTY_SUM,
            answers: Vec::new(),
        }
    }

    /// A sum over the numbers used. A stack frame that a skipped instruction misplaced overwrites what
    /// lies beside it, and this memory may: numbers that were lost must not look unused.
    fn sum(&self) -> u64 {
        let roles = self.roles.iter();
        roles.fold(EMPTY_SUM, |sum, (role, number)| {
            sum.rotate_left(8) ^ number.wrapping_add(u64::from(*role))
        })
    }

    fn last_number(&self, role: u8) -> u64 {
        self.roles
            .iter()
            .find(|(known, _)| *known == role)
            .map_or(0, |(_, number)| *number)
    }

    fn has_room(&self, role: u8) -> bool {
        !self.roles.is_full() || self.roles.iter().any(|(known, _)| *known == role)
    }

    /// Uses up the number of an order and keeps its answer in the place of the oldest.
    fn use_number(&mut self, kept: &Kept) {
        let (role, number) = (kept.order.role(), kept.order.number());
        match self.roles.iter_mut().find(|(known, _)| *known == role) {
            Some((_, last)) => *last = number,
            None => {
                // There is room: it was checked when the order was judged.
                let _ = self.roles.push((role, number));
            }
        }
        self.sum = self.sum();
        if self.answers.is_full() {
            self.answers.remove(0);
        }
        let _ = self.answers.push(*kept);
    }

    /// `version | roles | answers | 0 | epoch 2 | 0 0 | counter 8`, then per role `role | number 8`,
    /// then per answer `order length | order 34 | answer length | answer 32`, then CRC-32C.
    fn encode(&self) -> [u8; STATE_LEN] {
        let mut out = [0; STATE_LEN];
        let (body, check) = out.split_at_mut(STATE_LEN - 4);
        let (head, rest) = body.split_at_mut(HEAD_LEN);
        let (roles, answers) = rest.split_at_mut(ROLES * ROLE_LEN);

        let [e0, e1] = self.epoch.to_be_bytes();
        // Both counts are at most 4.
        let counts = [self.roles.len() as u8, self.answers.len() as u8];
        fill(
            head,
            &[
                &[STATE_VERSION],
                &counts,
                &[0, e0, e1, 0, 0],
                &self.counter.to_be_bytes(),
            ],
        );
        for (to, (role, number)) in roles.chunks_exact_mut(ROLE_LEN).zip(&self.roles) {
            fill(to, &[&[*role], &number.to_be_bytes()]);
        }
        for (to, kept) in answers.chunks_exact_mut(ANSWER_LEN).zip(&self.answers) {
            let lengths = [
                kept.order.encoded_len() as u8,
                kept.answer.encoded_len() as u8,
            ];
            let [order_len, answer_len] = lengths;
            fill(
                to,
                &[
                    &[order_len],
                    &kept.order.encode(),
                    &[answer_len],
                    &kept.answer.encode(),
                ],
            );
        }
        let sum = CRC32C.checksum(body).to_be_bytes();
        fill(check, &[&sum]);
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let state: &[u8; STATE_LEN] = bytes
            .try_into()
            .map_err(|_| StateError::Length { found: bytes.len() })?;
        let (body, sum) = state.split_last_chunk::<4>().ok_or(StateError::Crc)?;
        if CRC32C.checksum(body).to_be_bytes() != *sum {
            return Err(StateError::Crc);
        }
        let (head, rest) = body
            .split_first_chunk::<HEAD_LEN>()
            .ok_or(StateError::Content)?;
        let [
            version,
            role_count,
            answer_count,
            _,
            e0,
            e1,
            _,
            _,
            counter @ ..,
        ] = *head;
        if version != STATE_VERSION {
            return Err(StateError::Version { found: version });
        }
        let (roles, answers) = rest
            .split_at_checked(ROLES * ROLE_LEN)
            .ok_or(StateError::Content)?;
        if usize::from(role_count) > ROLES || usize::from(answer_count) > ANSWERS {
            return Err(StateError::Content);
        }
        let mut memory = Self::new(u16::from_be_bytes([e0, e1]));
        memory.counter = u64::from_be_bytes(counter);
        for row in roles.chunks_exact(ROLE_LEN).take(usize::from(role_count)) {
            let (role, number) = row.split_first().ok_or(StateError::Content)?;
            let number = <[u8; 8]>::try_from(number).map_err(|_| StateError::Content)?;
            memory
                .roles
                .push((*role, u64::from_be_bytes(number)))
                .map_err(|_| StateError::Content)?;
        }
        memory.sum = memory.sum();
        for row in answers
            .chunks_exact(ANSWER_LEN)
            .take(usize::from(answer_count))
        {
            let kept = Kept::decode(row).ok_or(StateError::Content)?;
            memory.answers.push(kept).map_err(|_| StateError::Content)?;
        }
        Ok(memory)
    }
}

impl Kept {
    fn decode(row: &[u8]) -> Option<Self> {
        let (order_len, rest) = row.split_first()?;
        let (order, rest) = rest.split_at_checked(RECHARGE_LEN)?;
        let (answer_len, answer) = rest.split_first()?;
        let order = Order::parse(order.get(..usize::from(*order_len))?).ok()?;
        let answer = OrderAck::parse(answer.get(..usize::from(*answer_len))?).ok()?;
        Some(Self { order, answer })
    }
}

const _: () = assert!(ORDER_LEN < RECHARGE_LEN && ACK_LEN < PURSE_ACK_LEN && RECHARGE_LEN < 256);

/// Why bytes are not a stored gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// A state has [`STATE_LEN`] bytes.
    Length {
        /// Bytes given.
        found: usize,
    },
    /// The CRC is wrong: the record is torn or worn.
    Crc,
    /// Written by a release that this one does not know.
    Version {
        /// The version byte.
        found: u8,
    },
    /// The CRC is right and the content is not: the writer was at fault.
    Content,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => write!(f, "a stored gate has {STATE_LEN} bytes, not {found}"),
            Self::Crc => f.write_str("the stored gate is damaged"),
            Self::Version { found } => {
                write!(f, "the stored gate has version {found}, which is not known")
            }
            Self::Content => f.write_str("the stored gate contradicts itself"),
        }
    }
}

impl core::error::Error for StateError {}
