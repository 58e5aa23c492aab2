//! Orders and their answers as values.

use ::security::order::{
    Kind, Moment, Order, OrderAck, Outcome, PurseState, Recharge, RelayFeedback,
};

use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Most bytes of an order.
pub const MTR_ORDER_MAX: usize = 34;
/// Most bytes of the answer to an order.
pub const MTR_ACK_MAX: usize = 32;

/// A relay or purse order. The number rises within the operator role, the high byte of the operator code.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_order {
    /// Its number, not 0.
    pub number: u64,
    /// Amount of a recharge, hundredths of the currency unit; purse orders only.
    pub amount: u32,
    /// Purchase count after a recharge, the stored count + 1 (of a refund the refund count); purse orders only.
    pub count: u32,
    /// Customer number, packed decimal digits, most significant first; purse orders only.
    pub customer: [u8; 6],
    /// The last second in which it may be executed, meter's calendar: year of this century, month, day, hour, minute,
    /// second.
    pub deadline: [u8; 6],
    /// Operator code.
    pub operator_code: [u8; 4],
    /// 0x01 open account, 0x02 recharge, 0x04 close account, 0x05 refund, 0x06 and 0x07 correct upwards and downwards,
    /// 0x08 and 0x09 change to local and to remote fee control, 0x1A open the relay, 0x1B permit closing, 0x1C close,
    /// 0x2A alarm on, 0x2B alarm off, 0x3A hold power, 0x3B end of hold power.
    pub kind: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_order {}

/// The answer to an order.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_order_ack {
    /// Number of the order.
    pub number: u64,
    /// The last number that was executed for the operator role.
    pub last_number: u64,
    /// Balance, hundredths of the currency unit; only when `has_purse` is 1.
    pub balance: i64,
    /// Purchase count; only when `has_purse` is 1.
    pub count: u32,
    /// 0 done, 1 interrupted, 2 failed, from 16 on refused: 23 clock not trusted, 24 too late, 25 number used, ...
    pub outcome: u8,
    /// The relay's feedback: 0 unknown, 1 closed, 2 open, 3 permitted to close.
    pub relay: u8,
    /// What the order asked for.
    pub kind: u8,
    /// 1: the fields of the purse hold something.
    pub has_purse: u8,
}

impl From<&OrderAck> for mtr_order_ack {
    fn from(own: &OrderAck) -> Self {
        let purse = own.purse.unwrap_or_default();
        mtr_order_ack {
            number: own.number,
            last_number: own.last_number,
            balance: purse.balance,
            count: purse.count,
            outcome: own.outcome.code(),
            relay: own.relay as u8,
            kind: own.kind.code(),
            has_purse: own.purse.is_some().into(),
        }
    }
}

impl From<&Order> for mtr_order {
    fn from(own: &Order) -> Self {
        let recharge = own.recharge().copied().unwrap_or(Recharge {
            amount: 0,
            count: 0,
            customer: [0; 6],
        });
        let mut deadline = own.deadline().to_bcd();
        deadline.reverse();
        mtr_order {
            number: own.number(),
            amount: recharge.amount,
            count: recharge.count,
            customer: recharge.customer,
            deadline: deadline.map(|bcd| (bcd >> 4) * 10 + (bcd & 0x0F)),
            operator_code: own.operator(),
            kind: own.kind().code(),
        }
    }
}

pub(super) fn moment(fields: [u8; 6]) -> Option<Moment> {
    let [year, month, day, hour, minute, second] = fields;
    Moment::try_new(year, month, day, hour, minute, second)
}

pub(super) fn relay(code: u8) -> Checked<RelayFeedback> {
    RelayFeedback::from_code(code).ok_or(mtr_result::MTR_ERR_PARAMETER)
}

pub(super) fn outcome(code: u8) -> Checked<Outcome> {
    Outcome::from_code(code).ok_or(mtr_result::MTR_ERR_PARAMETER)
}

pub(super) const fn purse(given: &mtr_purse_state) -> PurseState {
    PurseState {
        balance: given.balance,
        count: given.count,
    }
}

/// The purse after an order.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_purse_state {
    /// Balance, hundredths of the currency unit, negative when overdrawn.
    pub balance: i64,
    /// Purchase count.
    pub count: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_purse_state {}

/// For the head end: the bytes of an order to `out` (MTR_ORDER_MAX are enough), to be sealed as class 1, direction
/// MTR_TO_DEVICE. MTR_ERR_PARAMETER for an unknown kind, number 0 or a deadline that is no moment.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_order_encode(
    order: *const mtr_order,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (order, out, len) = unsafe {
            (
                border.given(order)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let bad = mtr_result::MTR_ERR_PARAMETER;
        let kind = Kind::from_code(order.kind).ok_or(bad)?;
        let deadline = moment(order.deadline).ok_or(bad)?;
        let recharge = Recharge {
            amount: order.amount,
            count: order.count,
            customer: order.customer,
        };
        let (number, operator) = (order.number, order.operator_code);
        let order = if kind.is_purse() {
            Order::try_purse(kind, deadline, number, operator, recharge)
        } else {
            Order::try_new(kind, deadline, number, operator)
        };
        let order = order.ok_or(bad)?;
        let bytes = order.encode();
        let bytes = bytes.get(..order.encoded_len()).unwrap_or(&bytes);
        out.get_mut(..bytes.len())
            .ok_or(mtr_result::MTR_ERR_LENGTH)?
            .copy_from_slice(bytes);
        len.write(bytes.len());
        Ok(())
    })
}

/// For the head end: reads the answer to an order, which was opened before. MTR_ERR_FRAME when it is none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_order_ack_parse(
    bytes: *const u8,
    len: usize,
    ack: *mut mtr_order_ack,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, ack) = unsafe { (border.slice(bytes, len)?, border.place(ack)?) };
        let found = OrderAck::parse(bytes).map_err(|_| mtr_result::MTR_ERR_FRAME)?;
        ack.write((&found).into());
        Ok(())
    })
}
