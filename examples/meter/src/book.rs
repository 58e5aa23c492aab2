//! Settled periods, freezes, load records and relay events in a [`Store`], a ring for each kind.
//!
//! A row has a key of its kind and of its number modulo one place more than are kept, so that a row that is written
//! again after a power cut has not yet driven out the oldest that counts.

use tariff::freeze::Kind;
use tariff::meter::{Kept, Parts, Row};

use crate::account::{CHANNELS, DEMANDS, RATES};
use crate::records::{LOAD_ROWS, ROWS};
use crate::store::{Key, Store, StoreError};

/// Values of the instant behind the registers of a row, as they go on the line: voltages and currents of three phases
/// and frequency (17), active and reactive power in total and by phase (24), power factors (8), demand (6).
pub const VALUES: usize = 17 + 24 + 8 + 6;
/// Operator code behind a row that somebody asked for.
const OPERATOR: usize = 4;
/// Most bytes of a row with its values and its operator.
pub const MAX_ROW: usize = Parts::ALL.longest(CHANNELS, RATES, DEMANDS) + VALUES + OPERATOR;

/// A row of this meter.
pub type MeterRow = Row<CHANNELS, RATES, DEMANDS>;

/// A row and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The row.
    pub row: MeterRow,
    /// Values of the instant, all FF where it holds none.
    pub values: [u8; VALUES],
    /// Who asked for it, 0 where nobody did.
    pub operator: [u8; OPERATOR],
}

/// How many rows of each kind are kept; 0 keeps none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacities {
    /// Settled periods, at most 12.
    pub settled: u16,
    /// Timed freezes.
    pub timed: u16,
    /// Instant freezes.
    pub instant: u16,
    /// Freezes at a switch of a set and at a change of mode, each.
    pub agreed: u16,
    /// Hourly freezes.
    pub hourly: u16,
    /// Daily freezes of registers and of the purse, each.
    pub daily: u16,
    /// Load records.
    pub load: u16,
    /// Trips, closings, clock settings, demand resets, each.
    pub events: u16,
    /// Reactive demand of settled and of cleared periods, each; no more than of their rows.
    pub reactive: u16,
}

impl Capacities {
    /// The numbers of the standard, and load records of four days of quarter hours.
    pub const FULL: Self = Self {
        settled: 12,
        timed: 12,
        instant: 3,
        agreed: 2,
        hourly: 254,
        daily: 62,
        load: 384,
        events: 10,
        reactive: 12,
    };
    /// For 64 KiB of flash: about 15 KiB of rows.
    pub const SMALL: Self = Self {
        settled: 12,
        timed: 2,
        instant: 1,
        agreed: 1,
        hourly: 24,
        daily: 7,
        load: 8,
        events: 3,
        reactive: 0,
    };

    /// How many of a kind.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> u16 {
        match kind {
            Kind::Settlement => self.settled,
            Kind::Timed => self.timed,
            Kind::Instant => self.instant,
            Kind::Zones | Kind::DayTables | Kind::Prices | Kind::Tiers | Kind::Mode => self.agreed,
            Kind::Hourly => self.hourly,
            Kind::Daily | Kind::DailyPurse => self.daily,
            Kind::Load => self.load,
            Kind::Trip | Kind::Close | Kind::ClockSet | Kind::DemandReset => self.events,
            // The purse keeps them itself.
            _ => 0,
        }
    }
}

/// What of the registers a kind of row holds.
const fn parts(kind: Kind) -> Parts {
    match kind {
        Kind::Hourly | Kind::ClockSet => Parts::ACTIVE,
        Kind::DailyPurse => Parts::PURSE,
        Kind::Load | Kind::Trip | Kind::Close => Parts::ACTIVE.with(Parts::QUADRANTS),
        _ => Parts::ALL,
    }
}

const fn has_values(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Hourly | Kind::ClockSet | Kind::DailyPurse | Kind::Trip | Kind::Close
    )
}

const fn has_operator(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Trip | Kind::Close | Kind::ClockSet | Kind::DemandReset
    )
}

fn key(kind: Kind, number: u32, capacity: u16) -> Key {
    let slot = number.wrapping_sub(1) % (u32::from(capacity) + 1);
    match kind {
        Kind::Load => LOAD_ROWS.saturating_add(slot as Key),
        _ => ROWS + ((kind as Key) << 8) + (slot as Key & 0xFF),
    }
}

/// Keeps a row.
///
/// # Errors
/// [`StoreError`]: do not store the state that counts it.
pub fn write<S: Store>(
    store: &mut S,
    capacities: &Capacities,
    row: &Kept<'_, CHANNELS, RATES, DEMANDS>,
    values: &[u8; VALUES],
    operator: [u8; OPERATOR],
) -> Result<(), StoreError> {
    let capacity = capacities.of(row.kind);
    if capacity == 0 {
        return Ok(());
    }
    let mut bytes = [0; MAX_ROW];
    let too_long = StoreError::TooLong { found: MAX_ROW };
    let mut length = row
        .encode(parts(row.kind), &mut bytes)
        .map_err(|_| too_long)?;
    if has_values(row.kind) {
        let place = bytes.get_mut(length..length + VALUES).ok_or(too_long)?;
        place.copy_from_slice(values);
        length += VALUES;
    }
    if has_operator(row.kind) {
        let place = bytes.get_mut(length..length + OPERATOR).ok_or(too_long)?;
        place.copy_from_slice(&operator);
        length += OPERATOR;
    }
    let record = bytes.get(..length).ok_or(too_long)?;
    store.write(key(row.kind, row.number, capacity), record)
}

/// The row of a kind with a number. `None` when it is not kept.
///
/// # Errors
/// [`StoreError`].
pub fn read<S: Store>(
    store: &mut S,
    capacities: &Capacities,
    kind: Kind,
    number: u32,
) -> Result<Option<Held>, StoreError> {
    let capacity = capacities.of(kind);
    if capacity == 0 || number == 0 {
        return Ok(None);
    }
    let mut bytes = [0; MAX_ROW];
    let Some(length) = store.read(key(kind, number, capacity), &mut bytes)? else {
        return Ok(None);
    };
    let record = bytes.get(..length).unwrap_or_default();
    let (row, end) = MeterRow::decode(record).map_err(|_| StoreError::Read)?;
    let mut behind = record.get(end..).unwrap_or_default();
    let mut held = Held {
        row,
        values: [0xFF; VALUES],
        operator: [0; OPERATOR],
    };
    if has_values(kind)
        && let Some((values, rest)) = behind.split_first_chunk()
    {
        (held.values, behind) = (*values, rest);
    }
    if has_operator(kind) {
        // Rows of an older release have none.
        held.operator = behind.first_chunk().copied().unwrap_or_default();
    }
    let is_this = row.kind == kind && row.number == number;
    Ok(is_this.then_some(held))
}
