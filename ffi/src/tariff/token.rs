//! Prepayment tokens of 20 digits (STS, IEC 62055-41), and the memory that makes each work once.

use core::cell::Cell;
use core::ffi::{c_char, c_void};

use ::tariff::sts::{
    Cipher, Contents, Credit, Management, SpentTids, Tid, TidRefusal, Token, TokenError, Transfer,
};

use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;
use crate::text;

/// Bytes of storage of an mtr_spent.
pub const MTR_SPENT_SIZE: usize = 224;
/// Token identifiers that it remembers.
pub const MTR_SPENT_TOKENS: usize = 50;
/// Bytes of its stored state.
pub const MTR_SPENT_LEN: usize = 151;
const _: () = assert!(MTR_SPENT_LEN == Spent::ENCODED_LEN);
/// Characters of a token with the closing NUL.
pub const MTR_TOKEN_TEXT: usize = 21;

/// Behind an mtr_spent.
pub type Spent = SpentTids<MTR_SPENT_TOKENS>;

/// Which tokens were taken: each has an effect once. Opaque.
///
/// Spend a token before its credit is booked, and store both together: the journal keeps one record whole, so put this
/// state behind that of the meter.
pub struct mtr_spent {
    _opaque: [u8; 0],
}

/// The block cipher of 64 bits under the key of one meter; the tables of meters in the field are licensed, so the caller
/// brings it. The callbacks answer 0 when they are done.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cipher {
    /// Handed to the callbacks as it is.
    pub context: *mut c_void,
    /// Enciphers `block` in place; may be NULL where tokens are only decoded.
    pub encrypt: Option<unsafe extern "C" fn(context: *mut c_void, block: *mut u64) -> i32>,
    /// Deciphers `block` in place; may be NULL where tokens are only encoded.
    pub decrypt: Option<unsafe extern "C" fn(context: *mut c_void, block: *mut u64) -> i32>,
}

// SAFETY: a raw pointer and nullable functions.
unsafe impl Plain for mtr_cipher {}

/// Credit: `subclass` 0 electricity, 1 water, 2 gas, 3 time, 4 to 7 the same in currency; `random`, `tid`, `amount`.
pub const MTR_TOKEN_CREDIT: u8 = 0;
/// Test or display, for any meter of a maker: `subclass` 0 or 1, `bits` the tests, `value` the maker.
pub const MTR_TOKEN_TEST: u8 = 1;
/// An order with a value: `subclass` 0 power limit (W), 1 clear credit, 2 tariff rate, 5 clear tamper, 6 limit of phase
/// unbalance (W), 7 water factor; `random`, `tid`, `value`.
pub const MTR_TOKEN_ORDER: u8 = 2;
/// High half of a new key: `expiry` (high 4 bits), `revision`, `roll_over`, `key_type`, `amount` the half.
pub const MTR_TOKEN_KEY_HIGH: u8 = 3;
/// Low half of a new key: `expiry` (low 4 bits), `tariff`, `amount` the half.
pub const MTR_TOKEN_KEY_LOW: u8 = 4;
/// Another class and subclass: `token_class`, `subclass`, `bits`.
pub const MTR_TOKEN_OTHER: u8 = 5;

/// What a token says; which fields hold something follows from its kind, the others are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_token {
    /// Tests (36 bits in subclass 0, 28 in 1), or the 44 bits of another token.
    pub bits: u64,
    /// Of a credit: 0.1 kWh, m3 or minutes, in currency 0.00001 of it; at most 18201624. Encoding takes the next amount
    /// above that can be sent. Of a key: its half.
    pub amount: u32,
    /// Minute of issue, 24 bits, since the base date.
    pub tid: u32,
    /// Value of an order, or the maker of a test (8 bits in subclass 0).
    pub value: u16,
    /// MTR_TOKEN_...
    pub kind: u8,
    /// Class, 0 to 3.
    pub token_class: u8,
    /// Subclass, 0 to 15.
    pub subclass: u8,
    /// Random number, 0 to 15.
    pub random: u8,
    /// Half of the key expiry number, 0 to 15.
    pub expiry: u8,
    /// Key revision number, 0 to 15.
    pub revision: u8,
    /// 1: the list of spent tokens begins anew (mtr_spent_clear).
    pub roll_over: u8,
    /// Key type, 0 to 3.
    pub key_type: u8,
    /// Tariff index.
    pub tariff: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_token {}

/// The caller's cipher; what it failed at shows after the call.
struct Given {
    cipher: mtr_cipher,
    failed: Cell<bool>,
}

impl Given {
    fn run(
        &self,
        callback: Option<unsafe extern "C" fn(*mut c_void, *mut u64) -> i32>,
        block: u64,
    ) -> u64 {
        let mut block = block;
        let done = callback.is_some_and(|callback| {
            // SAFETY: the caller's function keeps to the header; the block is ours for the call.
            unsafe { callback(self.cipher.context, &mut block) == 0 }
        });
        self.failed.set(self.failed.get() || !done);
        block
    }

    fn judge(&self) -> Checked<()> {
        if self.failed.get() {
            Err(mtr_result::MTR_ERR_CALLBACK)
        } else {
            Ok(())
        }
    }
}

impl From<mtr_cipher> for Given {
    fn from(cipher: mtr_cipher) -> Self {
        Given {
            cipher,
            failed: Cell::new(false),
        }
    }
}

impl Cipher for Given {
    fn encrypt(&self, block: u64) -> u64 {
        self.run(self.cipher.encrypt, block)
    }

    fn decrypt(&self, block: u64) -> u64 {
        self.run(self.cipher.decrypt, block)
    }
}

const NOTHING: mtr_token = mtr_token {
    bits: 0,
    amount: 0,
    tid: 0,
    value: 0,
    kind: MTR_TOKEN_OTHER,
    token_class: 0,
    subclass: 0,
    random: 0,
    expiry: 0,
    revision: 0,
    roll_over: 0,
    key_type: 0,
    tariff: 0,
};

fn told(contents: Contents) -> Checked<mtr_token> {
    Ok(match contents {
        Contents::Credit(Credit {
            subclass,
            random,
            tid,
            amount,
        }) => mtr_token {
            kind: MTR_TOKEN_CREDIT,
            subclass,
            random,
            tid: tid.minutes(),
            amount: amount.amount(),
            ..NOTHING
        },
        Contents::Test {
            subclass,
            control,
            manufacturer,
        } => mtr_token {
            kind: MTR_TOKEN_TEST,
            token_class: 1,
            subclass,
            bits: control,
            value: manufacturer,
            ..NOTHING
        },
        Contents::Management(Management {
            subclass,
            random,
            tid,
            value,
        }) => mtr_token {
            kind: MTR_TOKEN_ORDER,
            token_class: 2,
            subclass,
            random,
            tid: tid.minutes(),
            value,
            ..NOTHING
        },
        Contents::KeyHigh {
            expiry_high,
            revision,
            roll_over,
            key_type,
            half,
        } => mtr_token {
            kind: MTR_TOKEN_KEY_HIGH,
            token_class: 2,
            subclass: 3,
            expiry: expiry_high,
            revision,
            roll_over: roll_over.into(),
            key_type,
            amount: half,
            ..NOTHING
        },
        Contents::KeyLow {
            expiry_low,
            tariff,
            half,
        } => mtr_token {
            kind: MTR_TOKEN_KEY_LOW,
            token_class: 2,
            subclass: 4,
            expiry: expiry_low,
            tariff,
            amount: half,
            ..NOTHING
        },
        Contents::Other {
            class,
            subclass,
            bits,
        } => mtr_token {
            kind: MTR_TOKEN_OTHER,
            token_class: class,
            subclass,
            bits,
            ..NOTHING
        },
        _ => return Err(mtr_result::MTR_ERR_VALUE),
    })
}

impl mtr_token {
    fn contents(&self) -> Checked<Contents> {
        let bad = mtr_result::MTR_ERR_PARAMETER;
        let (subclass, random) = (self.subclass, self.random);
        let tid = Tid::from_minutes(self.tid).ok_or(bad);
        Ok(match self.kind {
            MTR_TOKEN_CREDIT => Contents::Credit(Credit {
                subclass,
                random,
                tid: tid?,
                amount: Transfer::for_amount(self.amount).ok_or(bad)?,
            }),
            MTR_TOKEN_TEST => Contents::Test {
                subclass,
                control: self.bits,
                manufacturer: self.value,
            },
            MTR_TOKEN_ORDER => Contents::Management(Management {
                subclass,
                random,
                tid: tid?,
                value: self.value,
            }),
            MTR_TOKEN_KEY_HIGH => Contents::KeyHigh {
                expiry_high: self.expiry,
                revision: self.revision,
                roll_over: self.roll_over != 0,
                key_type: self.key_type,
                half: self.amount,
            },
            MTR_TOKEN_KEY_LOW => Contents::KeyLow {
                expiry_low: self.expiry,
                tariff: self.tariff,
                half: self.amount,
            },
            MTR_TOKEN_OTHER => Contents::Other {
                class: self.token_class,
                subclass,
                bits: self.bits,
            },
            _ => return Err(bad),
        })
    }
}

/// Reads a token as it is typed, 20 digits with spaces and hyphens between, `digits_len` characters without NUL.
/// MTR_ERR_VALUE when they are none; MTR_ERR_SEAL: mistyped, or meant for another meter; MTR_ERR_CALLBACK when the
/// cipher fails or is missing. Its identifier is to be spent (mtr_spent_spend) before it has an effect.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_token_decode(
    digits: *const c_char,
    digits_len: usize,
    cipher: *const mtr_cipher,
    token: *mut mtr_token,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (digits, cipher, place) = unsafe {
            (
                text::given(&mut border, digits, digits_len)?,
                Given::from(*border.given(cipher)?),
                border.place(token)?,
            )
        };
        let typed = Token::from_digits(digits).map_err(|_| mtr_result::MTR_ERR_VALUE)?;
        let contents = typed.decode(&cipher);
        cipher.judge()?;
        place.write(told(contents.map_err(|_| mtr_result::MTR_ERR_SEAL)?)?);
        Ok(())
    })
}

/// Makes the 20 digits of a token: the text with its NUL goes to `out` (MTR_TOKEN_TEXT bytes are enough).
/// MTR_ERR_PARAMETER when a field does not fit its bits, MTR_ERR_CALLBACK when the cipher fails or is missing.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_token_encode(
    token: *const mtr_token,
    cipher: *const mtr_cipher,
    out: *mut c_char,
    capacity: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function; characters are bytes.
        let (token, cipher, out) = unsafe {
            (
                border.given(token)?,
                Given::from(*border.given(cipher)?),
                border.buffer(out.cast::<u8>(), capacity)?,
            )
        };
        let made = Token::encode(&token.contents()?, &cipher).map_err(|error| match error {
            TokenError::Field { .. } => mtr_result::MTR_ERR_PARAMETER,
            _ => mtr_result::MTR_ERR_VALUE,
        });
        cipher.judge()?;
        text::write(out, &made?.digits()).map(|_| ())
    })
}

/// Makes the memory of spent tokens in `storage` of `size` bytes (at least MTR_SPENT_SIZE, aligned to MTR_ALIGN):
/// `state` is what mtr_spent_save wrote, or no bytes for a new key. MTR_ERR_STATE for other bytes.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_spent_init(
    storage: *mut c_void,
    size: usize,
    state: *const u8,
    len: usize,
    spent: *mut *mut mtr_spent,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, state) = unsafe {
            (
                border.storage(storage, size, spent)?,
                border.slice(state, len)?,
            )
        };
        storage.fill(match state {
            [] => Spent::new(),
            state => Spent::decode(state).ok_or(mtr_result::MTR_ERR_STATE)?,
        });
        Ok(())
    })
}

/// Takes the identifier `tid` of a token once. `key_expiry` is the number of its key, 255 for a key without end.
/// MTR_ERR_REFUSED: `reason` is 1 used before, 2 older than what is remembered, 3 issued after the key expired, 255 anything else;
/// MTR_ERR_PARAMETER above 24 bits.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_spent_spend(
    spent: *mut mtr_spent,
    tid: u32,
    key_expiry: u8,
    reason: *mut u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (spent, reason) = unsafe { (border.object_mut(spent)?, border.place(reason)?) };
        reason.write(0);
        let tid = Tid::from_minutes(tid).ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        spent.spend(tid, key_expiry).map_err(|refusal| {
            reason.write(match refusal {
                TidRefusal::Used => 1,
                TidRefusal::Old => 2,
                TidRefusal::KeyExpired => 3,
                _ => 255,
            });
            mtr_result::MTR_ERR_REFUSED
        })
    })
}

/// Writes the state to `out`, MTR_SPENT_LEN bytes; its check value is that of the record around it. MTR_ERR_LENGTH when
/// `capacity` is less.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_spent_save(
    spent: *const mtr_spent,
    out: *mut u8,
    capacity: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (spent, out) = unsafe { (border.object(spent)?, border.buffer(out, capacity)?) };
        spent.encode(out).ok_or(mtr_result::MTR_ERR_LENGTH)?;
        Ok(())
    })
}

/// Forgets all: a key change with roll-over.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_spent_clear(spent: *mut mtr_spent) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.object_mut(spent) }?.clear();
        Ok(())
    })
}
