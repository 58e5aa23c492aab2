//! What a gate remembers across power cuts, and the bytes that it is stored as.

use core::fmt;

use crc::{CRC_32_ISCSI, Crc, NoTable};
use heapless::Vec;

use crate::engine::fill;
use crate::order::{ACK_LEN, ORDER_LEN, Order, OrderAck, PURSE_ACK_LEN, RECHARGE_LEN};

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

/// What a gate remembers across power cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub epoch: u16,
    pub counter: u64,
    roles: Vec<(u8, u64), ROLES>,
    /// [`Memory::sum`] of the roles when they were last changed.
    pub sum: u64,
    /// Oldest first.
    pub answers: Vec<Kept, ANSWERS>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub order: Order,
    pub answer: OrderAck,
}

impl Memory {
    pub const fn new(epoch: u16) -> Self {
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
    pub fn sum(&self) -> u64 {
        let roles = self.roles.iter();
        roles.fold(EMPTY_SUM, |sum, (role, number)| {
            sum.rotate_left(8) ^ number.wrapping_add(u64::from(*role))
        })
    }

    pub fn last_number(&self, role: u8) -> u64 {
        self.roles
            .iter()
            .find(|(known, _)| *known == role)
            .map_or(0, |(_, number)| *number)
    }

    pub fn has_room(&self, role: u8) -> bool {
        !self.roles.is_full() || self.roles.iter().any(|(known, _)| *known == role)
    }

    /// Uses up the number of an order and keeps its answer in the place of the oldest.
    pub fn use_number(&mut self, kept: &Kept) {
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
    pub fn encode(&self) -> [u8; STATE_LEN] {
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

    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
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
