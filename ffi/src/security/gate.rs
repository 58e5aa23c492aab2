//! The gate before an actuator: an order passes once, after its number is stored.

use core::ffi::c_void;

use ::security::gate::{Conditions, OrderGate, PurseConditions, STATE_LEN, Verdict, Verified};
use ::security::order::{Order, OrderAck};

use super::engine::{Engine, EngineKey};
use super::handshake::mtr_session;
use super::key::mtr_key;
use super::link::suite;
use super::order::{MTR_ACK_MAX, moment, mtr_order, mtr_purse_state, outcome, purse, relay};
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_gate.
pub const MTR_GATE_SIZE: usize = 1008;
/// Bytes of a gate's stored state.
pub const MTR_GATE_STATE_LEN: usize = 328;
const _: () = assert!(MTR_GATE_STATE_LEN == STATE_LEN);
const _: () = assert!(MTR_ACK_MAX == ::security::order::PURSE_ACK_LEN);

/// Judges the orders of one key. Opaque; holds a key, mtr_gate_end wipes it.
///
/// mtr_gate_judge stores the number of a new order before it hands it out; the actuator acts; mtr_gate_finish stores the
/// outcome and gives the answer, which is sealed as class 2, direction MTR_FROM_DEVICE. A power cut between leaves the
/// number used and the answer "interrupted": nothing is ever done twice.
pub struct mtr_gate {
    _opaque: [u8; 0],
}

/// Where the state of a gate is kept.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_store {
    /// Handed to the callback as it is.
    pub context: *mut c_void,
    /// Writes `len` bytes so that either they or the ones before are there after a power cut (two copies in turn), and
    /// answers 0 when they are durable, anything else when they are not.
    pub write:
        Option<unsafe extern "C" fn(context: *mut c_void, bytes: *const u8, len: usize) -> i32>,
}

// SAFETY: a raw pointer and a nullable function.
unsafe impl Plain for mtr_store {}

impl mtr_store {
    pub(super) fn keep(&self, bytes: &[u8]) -> Checked<()> {
        let write = self.write.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        // SAFETY: the caller's function keeps to the header; the bytes are live for the call.
        match unsafe { write(self.context, bytes.as_ptr(), bytes.len()) } {
            0 => Ok(()),
            _ => Err(mtr_result::MTR_ERR_CALLBACK),
        }
    }
}

/// What the gate cannot know by itself at the moment of an order.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_conditions {
    /// Balance now, hundredths of the currency unit; read only with `has_purse`.
    pub balance: i64,
    /// Highest balance that a recharge may lead to; read only with `has_purse`.
    pub hoarding_limit: i64,
    /// Purchase count now; read only with `has_purse`.
    pub count: u32,
    /// Refund count now; read only with `has_purse`.
    pub refunds: u32,
    /// Highest amount of one recharge; read only with `has_purse`.
    pub max_amount: u32,
    /// Customer number; read only with `has_customer`.
    pub customer: [u8; 6],
    /// The meter's calendar now: year of this century, month, day, hour, minute, second; read only with `has_clock`.
    pub now: [u8; 6],
    /// 1: this core has a purse.
    pub has_purse: u8,
    /// 1: an account was opened.
    pub has_customer: u8,
    /// 1: the clock is trusted.
    pub has_clock: u8,
    /// 1: the port that the order came by may carry orders now.
    pub port_allows: u8,
    /// 1: the session is open and young; also 1 where static keys are used.
    pub session_young: u8,
    /// 1: hold power is in force.
    pub hold_power: u8,
    /// The relay's feedback: 0 unknown, 1 closed, 2 open, 3 permitted to close.
    pub relay: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_conditions {}

impl From<&mtr_conditions> for Conditions {
    fn from(given: &mtr_conditions) -> Self {
        Conditions {
            port_allows: given.port_allows != 0,
            session_young: given.session_young != 0,
            now: moment(given.now).filter(|_| given.has_clock != 0),
            hold_power: given.hold_power != 0,
            purse: (given.has_purse != 0).then(|| PurseConditions {
                state: purse(&mtr_purse_state {
                    balance: given.balance,
                    count: given.count,
                }),
                refunds: given.refunds,
                customer: (given.has_customer != 0).then_some(given.customer),
                max_amount: given.max_amount,
                hoarding_limit: given.hoarding_limit,
            }),
        }
    }
}

/// What becomes of an envelope.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_verdict_kind {
    /// A new order, its number stored: carry out `order`, then mtr_gate_finish.
    MTR_VERDICT_NEW = 1,
    /// This very order was accepted before: do nothing, send `ack` again.
    MTR_VERDICT_REPEATED = 2,
    /// A genuine order that is not executed: send `ack`.
    MTR_VERDICT_REFUSED = 3,
    /// Nothing to answer; `reason` for the log.
    MTR_VERDICT_DROPPED = 4,
}
use mtr_verdict_kind as Kind;

/// What becomes of an envelope.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_verdict {
    /// Decides which of the other fields hold something.
    pub kind: mtr_verdict_kind,
    /// 16 no good tag, 17 another class, 18 port, 19 replayed, 22 no order, 34 factory's key.
    pub reason: u8,
    /// The order.
    pub order: mtr_order,
    /// The answer as bytes, to be sealed.
    pub ack: [u8; 32],
    /// Number of them.
    pub ack_len: usize,
}

/// A gate, its engine, and the order that was handed out and not finished.
#[derive(Debug)]
pub struct Judging {
    engine: Engine,
    gate: OrderGate<EngineKey>,
    out: Option<Verified<Order>>,
}

const NO_ORDER: mtr_order = mtr_order {
    number: 0,
    amount: 0,
    count: 0,
    customer: [0; 6],
    deadline: [0; 6],
    operator_code: [0; 4],
    kind: 0,
};

fn with_state(gate: OrderGate<EngineKey>, state: &[u8]) -> Checked<OrderGate<EngineKey>> {
    match state {
        [] => Ok(gate),
        state => gate
            .with_state(state)
            .map_err(|_| mtr_result::MTR_ERR_STATE),
    }
}

/// Makes a gate under the static key of `key` in `storage` of `size` bytes (at least MTR_GATE_SIZE, aligned to
/// MTR_ALIGN). `state` is what was stored last, or no bytes for a new device. The purpose of the key says what it
/// executes: MTR_PURPOSE_LCTRL relay and alarm orders, MTR_PURPOSE_PURSE purse orders, any other both. MTR_ERR_STATE when
/// the state is damaged (starting anew would let old orders pass again), MTR_ERR_PARAMETER for an unknown suite,
/// MTR_ERR_CALLBACK when the engine fails.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_gate_init(
    storage: *mut c_void,
    size: usize,
    key: *const mtr_key,
    suite_number: u8,
    state: *const u8,
    state_len: usize,
    gate: *mut *mut mtr_gate,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, key, state) = unsafe {
            (
                border.storage(storage, size, gate)?,
                border.object(key)?,
                border.slice(state, state_len)?,
            )
        };
        let mut engine = key.engine;
        let gate = OrderGate::with_engine(&mut engine, &key.handle, suite(suite_number)?)
            .map_err(|_| mtr_result::MTR_ERR_CALLBACK)?;
        let gate = with_state(gate, state)?;
        storage.fill(Judging {
            engine,
            gate,
            out: None,
        });
        Ok(())
    })
}

/// Makes a gate under the session key of `key`'s purpose. Otherwise as mtr_gate_init.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_gate_init_session(
    storage: *mut c_void,
    size: usize,
    session: *const mtr_session,
    key: *const mtr_key,
    state: *const u8,
    state_len: usize,
    gate: *mut *mut mtr_gate,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, session, key, state) = unsafe {
            (
                border.storage(storage, size, gate)?,
                border.object(session)?,
                border.object(key)?,
                border.slice(state, state_len)?,
            )
        };
        let mut engine = key.engine;
        let gate = session
            .gate(&mut engine, &key.handle)
            .map_err(|_| mtr_result::MTR_ERR_CALLBACK)?;
        let gate = with_state(gate, state)?;
        storage.fill(Judging {
            engine,
            gate,
            out: None,
        });
        Ok(())
    })
}

/// Opens an envelope in place and judges the order in it; `verdict` tells what to do. The state is written to `store`
/// before the order is handed out, and before a refusal is answered. MTR_ERR_CALLBACK: the store failed, nothing may be
/// done, and the order can come again; MTR_ERR_BUSY: the last order is not finished; MTR_ERR_PARAMETER: no such relay
/// feedback.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_gate_judge(
    gate: *mut mtr_gate,
    ext: *const u8,
    ext_len: usize,
    envelope: *mut u8,
    envelope_len: usize,
    conditions: *const mtr_conditions,
    store: *const mtr_store,
    verdict: *mut mtr_verdict,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((judging, _entered), ext, envelope, conditions, store, verdict) = unsafe {
            (
                border.enter(gate)?,
                border.slice(ext, ext_len)?,
                border.buffer(envelope, envelope_len)?,
                border.given(conditions)?,
                border.given(store)?,
                border.place(verdict)?,
            )
        };
        store.write.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        if judging.out.is_some() {
            return Err(mtr_result::MTR_ERR_BUSY);
        }
        let mut out = mtr_verdict {
            kind: Kind::MTR_VERDICT_DROPPED,
            reason: 0,
            order: NO_ORDER,
            ack: [0; 32],
            ack_len: 0,
        };
        let feedback = relay(conditions.relay)?;
        let judged = judging.gate.judge_on(
            &mut judging.engine,
            ext,
            envelope,
            &conditions.into(),
            feedback,
        );
        let mut answer = |kind, ack: &OrderAck| {
            out.kind = kind;
            out.ack = ack.encode();
            out.ack_len = ack.encoded_len();
        };
        let mut refused = false;
        match judged {
            Verdict::New(pending) => {
                store.keep(&pending.state())?;
                match pending.stored() {
                    Ok(order) => {
                        out.kind = Kind::MTR_VERDICT_NEW;
                        out.order = order.get().into();
                        judging.out = Some(order);
                    }
                    // The second look at the tag did not agree: nothing is done.
                    Err(reason) => out.reason = reason.code(),
                }
            }
            Verdict::Repeated(ack) => answer(Kind::MTR_VERDICT_REPEATED, &ack),
            Verdict::Refused(ack) => {
                answer(Kind::MTR_VERDICT_REFUSED, &ack);
                refused = true;
            }
            Verdict::Dropped(reason) => out.reason = reason.code(),
        }
        if refused {
            store.keep(&judging.gate.state())?;
        }
        verdict.write(out);
        Ok(())
    })
}

/// Notes how the order that mtr_gate_judge handed out ended (0 done, 2 failed), stores it, and gives the answer as bytes,
/// to be sealed: MTR_ACK_MAX are enough. `state_of_purse` may be NULL where there is no purse. MTR_ERR_PARAMETER when no
/// order is out, or for an unknown outcome or feedback; MTR_ERR_CALLBACK: the store failed, the answer is there all the
/// same and may be sent after the state was stored.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_gate_finish(
    gate: *mut mtr_gate,
    outcome_code: u8,
    relay_code: u8,
    state_of_purse: *const mtr_purse_state,
    store: *const mtr_store,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((judging, _entered), purse_given, store, out, len) = unsafe {
            (
                border.enter(gate)?,
                (!state_of_purse.is_null())
                    .then(|| border.given(state_of_purse))
                    .transpose()?,
                border.given(store)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        store.write.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        let (outcome, relay) = (outcome(outcome_code)?, relay(relay_code)?);
        if out.len() < MTR_ACK_MAX {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        let order = judging.out.take().ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        let purse = purse_given.map(purse);
        let ack = judging.gate.finish(order, outcome, relay, purse);
        let bytes = ack.encode();
        let bytes = bytes.get(..ack.encoded_len()).unwrap_or(&bytes);
        out.get_mut(..bytes.len())
            .ok_or(mtr_result::MTR_ERR_LENGTH)?
            .copy_from_slice(bytes);
        len.write(bytes.len());
        store.keep(&judging.gate.state())
    })
}

/// Wipes a gate and releases its keys; the storage is free then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_gate_end(gate: *mut mtr_gate) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|mut border| unsafe { border.end(gate) })
}
