//! Rows that a meter keeps: handed out as bytes, and read back.

use core::ffi::c_void;

use ::tariff::demand::{Maxima, Peak};
use ::tariff::meter::{Channel, Detail, Kept, Parts, Row};

use super::{MTR_PREPAID_CHANNELS, MTR_PREPAID_DEMANDS, MTR_PREPAID_RATES, mtr_moment};
use crate::border::{Border, Checked, Plain, call};
use crate::result::mtr_result;

/// Most bytes of a row.
pub const MTR_ROW_MAX: usize = 288;
const _: () = assert!(
    Parts::ALL.longest(MTR_PREPAID_CHANNELS, MTR_PREPAID_RATES, MTR_PREPAID_DEMANDS) <= MTR_ROW_MAX
);

/// Totals of forward and reverse active energy.
pub const MTR_ROW_ACTIVE: u8 = 1;
/// The rate registers, and charged energy by rate.
pub const MTR_ROW_RATES: u8 = 4;
/// Maximum demand.
pub const MTR_ROW_DEMAND: u8 = 8;
/// Balance and purchase count.
pub const MTR_ROW_PURSE: u8 = 16;
/// All of these.
pub const MTR_ROW_ALL: u8 = 31;

/// What a row is; its number counts within the kind, from 1, without a gap.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_row_kind {
    /// A settled period; 12 are usually kept.
    MTR_ROW_SETTLEMENT = 0,
    /// Frozen by a pattern; 12.
    MTR_ROW_TIMED = 1,
    /// Frozen by an order; 3.
    MTR_ROW_INSTANT = 2,
    /// The other year zones run; 2.
    MTR_ROW_ZONES = 3,
    /// The other day tables run; 2.
    MTR_ROW_DAY_TABLES = 4,
    /// Frozen every hour or half hour; 254.
    MTR_ROW_HOURLY = 5,
    /// The other prices run; 2.
    MTR_ROW_PRICES = 6,
    /// Frozen every day; 62.
    MTR_ROW_DAILY = 7,
    /// The other tiers run; 2.
    MTR_ROW_TIERS = 8,
    /// The purse, every day; 62.
    MTR_ROW_DAILY_PURSE = 9,
    /// Fee control became local or remote; 2.
    MTR_ROW_MODE = 10,
    /// A load record; `detail` has its classes, bit 0 the first.
    MTR_ROW_LOAD = 11,
    /// The relay is wanted open; `detail` has who wants it, as `why` of mtr_fee_status.
    MTR_ROW_TRIP = 12,
    /// The relay is no longer wanted open; `detail` as above.
    MTR_ROW_CLOSE = 13,
    /// The clock was set; `before_s` is what it showed.
    MTR_ROW_CLOCK_SET = 14,
    /// Maximum demand was cleared.
    MTR_ROW_DEMAND_RESET = 15,
    /// A purchase was booked.
    MTR_ROW_PURCHASE = 16,
    /// A refund was booked.
    MTR_ROW_REFUND = 17,
}

impl mtr_row_kind {
    const ALL: [mtr_row_kind; 18] = [
        mtr_row_kind::MTR_ROW_SETTLEMENT,
        mtr_row_kind::MTR_ROW_TIMED,
        mtr_row_kind::MTR_ROW_INSTANT,
        mtr_row_kind::MTR_ROW_ZONES,
        mtr_row_kind::MTR_ROW_DAY_TABLES,
        mtr_row_kind::MTR_ROW_HOURLY,
        mtr_row_kind::MTR_ROW_PRICES,
        mtr_row_kind::MTR_ROW_DAILY,
        mtr_row_kind::MTR_ROW_TIERS,
        mtr_row_kind::MTR_ROW_DAILY_PURSE,
        mtr_row_kind::MTR_ROW_MODE,
        mtr_row_kind::MTR_ROW_LOAD,
        mtr_row_kind::MTR_ROW_TRIP,
        mtr_row_kind::MTR_ROW_CLOSE,
        mtr_row_kind::MTR_ROW_CLOCK_SET,
        mtr_row_kind::MTR_ROW_DEMAND_RESET,
        mtr_row_kind::MTR_ROW_PURCHASE,
        mtr_row_kind::MTR_ROW_REFUND,
    ];
}

/// Who keeps the rows of a call. Rows are written before the state: after a power cut between both the same row comes
/// again under the same number, and the newer one counts.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_rows {
    /// Handed to the callback as it is.
    pub context: *mut c_void,
    /// Keeps row `number` of `kind`, `len` bytes, and answers 0 when it is durable (or not wanted). Anything else ends
    /// the meter's object: nothing of the call is to be stored, and the meter is made anew from its stored state.
    pub keep: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            kind: u32,
            number: u32,
            bytes: *const u8,
            len: usize,
        ) -> i32,
    >,
    /// What rows hold: MTR_ROW_ACTIVE, ..._RATES, ..._DEMAND, ..._PURSE together, or MTR_ROW_ALL.
    pub parts: u8,
}

// SAFETY: a raw pointer, a nullable function, an integer.
unsafe impl Plain for mtr_rows {}

/// A row of this meter.
pub(super) type OwnRow<'a> = Kept<'a, MTR_PREPAID_CHANNELS, MTR_PREPAID_RATES, MTR_PREPAID_DEMANDS>;

/// Takes rows. Not a type of its own for each call, so that a small core has the meter's code once.
pub(super) type Sink<'a> = &'a mut dyn FnMut(OwnRow<'_>);

/// The rows of one call on their way to the caller.
#[derive(Debug)]
pub(super) struct Keeper {
    rows: Option<mtr_rows>,
    /// How many there were.
    pub(super) count: u32,
    /// The callback refused one; later ones are not handed out then.
    pub(super) failed: bool,
}

impl Keeper {
    /// Takes who keeps rows; nobody for NULL.
    ///
    /// # Safety
    /// As [`Border::given`].
    pub(super) unsafe fn given(border: &mut Border, rows: *const mtr_rows) -> Checked<Self> {
        let rows = if rows.is_null() {
            None
        } else {
            // SAFETY: forwarded contract.
            let rows = *unsafe { border.given(rows) }?;
            if rows.keep.is_none() {
                return Err(mtr_result::MTR_ERR_CALLBACK);
            }
            if rows.parts > MTR_ROW_ALL {
                return Err(mtr_result::MTR_ERR_PARAMETER);
            }
            Some(rows)
        };
        Ok(Keeper {
            rows,
            count: 0,
            failed: false,
        })
    }

    pub(super) fn keep(&mut self, row: &OwnRow<'_>) {
        self.count = self.count.saturating_add(1);
        let Some(mtr_rows {
            context,
            keep: Some(keep),
            parts,
        }) = self.rows
        else {
            return;
        };
        if self.failed {
            return;
        }
        let mut bytes = [0; MTR_ROW_MAX];
        self.failed = match row.encode(Parts(parts), &mut bytes) {
            // SAFETY: the caller's function keeps to the header; the bytes are live for the call.
            Ok(len) => unsafe {
                keep(context, row.kind as u32, row.number, bytes.as_ptr(), len) != 0
            },
            Err(_) => true,
        };
    }
}

/// Total and rate registers of one direction, tenths of a watt hour.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_channel {
    /// Total.
    pub total: u64,
    /// By rate, rate 1 first.
    pub by_rate: [u64; MTR_PREPAID_RATES],
}

impl From<&Channel<MTR_PREPAID_RATES>> for mtr_channel {
    fn from(own: &Channel<MTR_PREPAID_RATES>) -> Self {
        mtr_channel {
            total: own.total,
            by_rate: own.by_rate,
        }
    }
}

/// A demand and when it came about.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_demand {
    /// Energy of the window, joules.
    pub joules: i64,
    /// The same as power, 0.0001 kW, half up.
    pub ten_thousandths_kw: i64,
    /// End of the window.
    pub at: mtr_moment,
    /// Length of the window, seconds; 0: there was none yet.
    pub seconds: u32,
}

impl From<Option<Peak>> for mtr_demand {
    fn from(own: Option<Peak>) -> Self {
        mtr_demand {
            joules: own.map_or(0, |peak| peak.joules),
            ten_thousandths_kw: own.map_or(0, |peak| peak.ten_thousandths_kw()),
            at: own.map_or_else(Default::default, |peak| peak.at).into(),
            seconds: own.map_or(0, |peak| peak.seconds),
        }
    }
}

/// Maximum demand of one direction.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_maxima {
    /// Over all windows.
    pub total: mtr_demand,
    /// Of the windows that lie wholly in one rate, rate 1 first.
    pub by_rate: [mtr_demand; MTR_PREPAID_RATES],
}

impl From<&Maxima<MTR_PREPAID_RATES>> for mtr_maxima {
    fn from(own: &Maxima<MTR_PREPAID_RATES>) -> Self {
        let mut by_rate = [mtr_demand::from(None); MTR_PREPAID_RATES];
        for (rate, place) in (1..).zip(&mut by_rate) {
            *place = own.rate(rate).into();
        }
        mtr_maxima {
            total: own.total().into(),
            by_rate,
        }
    }
}

/// A row read back; what its parts do not hold is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_row {
    /// When.
    pub at: mtr_moment,
    /// What the clock showed before it was set, UTC seconds.
    pub before_s: i64,
    /// Forward and reverse active energy.
    pub channels: [mtr_channel; MTR_PREPAID_CHANNELS],
    /// Charged energy by rate, watt hours.
    pub charged_wh: [u64; MTR_PREPAID_RATES],
    /// Maximum demand of both directions.
    pub demand: [mtr_maxima; MTR_PREPAID_DEMANDS],
    /// Balance, 10^-7 of the currency.
    pub balance: i64,
    /// Purchase count.
    pub purchases: u32,
    /// What it is.
    pub kind: mtr_row_kind,
    /// Its number within the kind.
    pub number: u32,
    /// Which parts it holds: MTR_ROW_... together.
    pub parts: u8,
    /// What is special about it, by its kind; of a settlement 1 when it ended demand too.
    pub detail: u8,
}

/// Reads a row of `len` bytes; what its keeper put behind it is not looked at. MTR_ERR_STATE when it is none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_row_decode(
    bytes: *const u8,
    len: usize,
    row: *mut mtr_row,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, place) = unsafe { (border.slice(bytes, len)?, border.place(row)?) };
        let (row, _) =
            Row::<MTR_PREPAID_CHANNELS, MTR_PREPAID_RATES, MTR_PREPAID_DEMANDS>::decode(bytes)
                .map_err(|_| mtr_result::MTR_ERR_STATE)?;
        let snapshot = &row.snapshot;
        let kind = mtr_row_kind::ALL.get(row.kind as usize).copied();
        let (detail, before_s) = match row.detail {
            Detail::Settled { first } => (first.into(), 0),
            Detail::Classes(classes) => (classes, 0),
            Detail::Relay(why) => (super::registers::why(Some(why)), 0),
            Detail::ClockSet { before_s } => (0, before_s),
            _ => (0, 0),
        };
        place.write(mtr_row {
            at: snapshot.at.into(),
            before_s,
            channels: snapshot.channels.each_ref().map(mtr_channel::from),
            charged_wh: snapshot.charged,
            demand: snapshot.demand.each_ref().map(mtr_maxima::from),
            balance: snapshot.balance.ten_millionths(),
            purchases: snapshot.purchases,
            kind: kind.ok_or(mtr_result::MTR_ERR_STATE)?,
            number: row.number,
            parts: row.parts.0,
            detail,
        });
        Ok(())
    })
}
