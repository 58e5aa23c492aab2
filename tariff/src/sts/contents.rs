//! What a token says, and its 44 bits.

use super::{Tid, TokenError, Transfer};

/// A credit (class 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// 0 electricity, 1 water, 2 gas, 3 time; 4 to 7 the same in currency.
    pub subclass: u8,
    /// Random number, 0 to 15.
    pub random: u8,
    /// Minute of issue.
    pub tid: Tid,
    /// Amount.
    pub amount: Transfer,
}

/// An order for one meter with a 16-bit value (class 2, subclasses 0, 1, 2, 5, 6, 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Management {
    /// 0 power limit (W), 1 clear credit (register), 2 tariff rate, 5 clear tamper, 6 limit of phase
    /// unbalance (W), 7 water factor.
    pub subclass: u8,
    /// Random number, 0 to 15.
    pub random: u8,
    /// Minute of issue.
    pub tid: Tid,
    /// The value; limits in the form of [`Transfer`].
    pub value: u16,
}

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contents {
    /// Class 0: credit.
    Credit(Credit),
    /// Class 1, subclass 0 or 1: test or display, not enciphered, for any meter of a maker.
    Test {
        /// 0 with a maker's code of 2 digits (8 bits), 1 with one of 4 digits (16 bits).
        subclass: u8,
        /// Which tests: 36 bits in subclass 0, 28 bits in subclass 1.
        control: u64,
        /// The maker.
        manufacturer: u16,
    },
    /// Class 2: an order with a value.
    Management(Management),
    /// Class 2, subclass 3: high half of a new 64-bit key.
    KeyHigh {
        /// High 4 bits of the key expiry number.
        expiry_high: u8,
        /// Key revision number, 4 bits.
        revision: u8,
        /// The list of spent tokens begins anew.
        roll_over: bool,
        /// Key type, 2 bits.
        key_type: u8,
        /// High half of the key.
        half: u32,
    },
    /// Class 2, subclass 4: low half of a new 64-bit key.
    KeyLow {
        /// Low 4 bits of the key expiry number.
        expiry_low: u8,
        /// Tariff index.
        tariff: u8,
        /// Low half of the key.
        half: u32,
    },
    /// A class and subclass without a form here: the 44 bits as they stand, their CRC checked.
    Other {
        /// Class, 0 to 3.
        class: u8,
        /// Subclass, 0 to 15.
        subclass: u8,
        /// 44 bits.
        bits: u64,
    },
}

impl Contents {
    pub(super) fn pack(&self) -> Result<(u8, u8, u64), TokenError> {
        fn fits(name: &'static str, value: u64, bits: u32) -> Result<u64, TokenError> {
            if value >> bits == 0 {
                Ok(value)
            } else {
                Err(TokenError::Field { name })
            }
        }
        let dated = |random: u8, tid: Tid, value: u16| {
            let random = fits("random", random.into(), 4)?;
            Ok(random << 40 | u64::from(tid.minutes()) << 16 | u64::from(value))
        };
        Ok(match *self {
            Contents::Credit(credit) if credit.subclass < 8 => (
                0,
                credit.subclass,
                dated(credit.random, credit.tid, credit.amount.bits())?,
            ),
            Contents::Management(order) if matches!(order.subclass, 0..=2 | 5..=7) => (
                2,
                order.subclass,
                dated(order.random, order.tid, order.value)?,
            ),
            Contents::Credit(_) | Contents::Management(_) => {
                return Err(TokenError::Field { name: "subclass" });
            }
            Contents::Test {
                subclass,
                control,
                manufacturer,
            } => {
                let maker = match subclass {
                    0 => 8,
                    1 => 16,
                    _ => return Err(TokenError::Field { name: "subclass" }),
                };
                let control = fits("control", control, 44 - maker)?;
                let manufacturer = fits("manufacturer", manufacturer.into(), maker)?;
                (1, subclass, control << maker | manufacturer)
            }
            Contents::KeyHigh {
                expiry_high,
                revision,
                roll_over,
                key_type,
                half,
            } => {
                let head = fits("expiry_high", expiry_high.into(), 4)? << 8
                    | fits("revision", revision.into(), 4)? << 4
                    | u64::from(roll_over) << 3
                    | fits("key_type", key_type.into(), 2)?;
                (2, 3, head << 32 | u64::from(half))
            }
            Contents::KeyLow {
                expiry_low,
                tariff,
                half,
            } => {
                let head = fits("expiry_low", expiry_low.into(), 4)? << 8 | u64::from(tariff);
                (2, 4, head << 32 | u64::from(half))
            }
            Contents::Other {
                class,
                subclass,
                bits,
            } => {
                let class = fits("class", class.into(), 2)? as u8;
                let subclass = fits("subclass", subclass.into(), 4)? as u8;
                (class, subclass, fits("bits", bits, 44)?)
            }
        })
    }

    pub(super) fn unpack(class: u8, subclass: u8, bits: u64) -> Self {
        let random = (bits >> 40) as u8;
        let tid = Tid::from_low_bits((bits >> 16) as u32);
        let value = bits as u16;
        match (class, subclass) {
            (0, 0..=7) => Contents::Credit(Credit {
                subclass,
                random,
                tid,
                amount: Transfer::from_bits(value),
            }),
            (1, 0) => Contents::Test {
                subclass,
                control: bits >> 8,
                manufacturer: bits as u16 & 0xFF,
            },
            (1, 1) => Contents::Test {
                subclass,
                control: bits >> 16,
                manufacturer: value,
            },
            (2, 0..=2 | 5..=7) => Contents::Management(Management {
                subclass,
                random,
                tid,
                value,
            }),
            // A reserved bit stands between roll-over and key type: a token that sets it is a later form.
            (2, 3) if bits >> 34 & 1 == 0 => Contents::KeyHigh {
                expiry_high: (bits >> 40) as u8,
                revision: (bits >> 36) as u8 & 0xF,
                roll_over: bits >> 35 & 1 == 1,
                key_type: (bits >> 32) as u8 & 3,
                half: bits as u32,
            },
            (2, 4) => Contents::KeyLow {
                expiry_low: (bits >> 40) as u8,
                tariff: (bits >> 32) as u8,
                half: bits as u32,
            },
            _ => Contents::Other {
                class,
                subclass,
                bits,
            },
        }
    }
}
