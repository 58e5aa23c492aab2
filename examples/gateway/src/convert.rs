//! Data of the line protocols as points of the unified standard: rows of tables, exact digits, nothing invented.
//!
//! The rows identifier -> point live beside the identifiers, in the crates of the protocols. What is added here is
//! judgement: a value outside the physical range is marked, and changes of state words become events.

use cjt188::{MeterType, Reading};
use dlt645::DataId;
use meter_proto::message::{Event, EventPhase, Sample};
use meter_proto::point::PointId;
use meter_proto::quantity::Quantity;
use meter_proto::value::{Quality, Value};

/// Bounds of a quantity: what no meter of this kind can have measured.
struct Range {
    quantity: Quantity,
    /// Bounds in the unit of the quantity, both allowed.
    low: i64,
    high: i64,
}

/// One row per quantity that has bounds. Voltages reach to 66 kV lines behind transformers.
const RANGES: &[Range] = &[
    Range {
        quantity: Quantity::VOLTAGE,
        low: 0,
        high: 100_000,
    },
    Range {
        quantity: Quantity::CURRENT,
        low: -100_000,
        high: 100_000,
    },
    Range {
        quantity: Quantity::POWER_FACTOR,
        low: -1,
        high: 1,
    },
    Range {
        quantity: Quantity::FREQUENCY,
        low: 0,
        high: 100,
    },
    Range {
        quantity: Quantity::TEMPERATURE,
        low: -60,
        high: 200,
    },
];

/// Marks a value that lies outside the range of its quantity. The digits stay.
pub fn judged(sample: Sample) -> Sample {
    let Some(range) = RANGES
        .iter()
        .find(|range| range.quantity == sample.point.quantity())
    else {
        return sample;
    };
    let value = sample.value;
    let below = value.exact_cmp(&Value::new(range.low, 0)).is_lt();
    let above = value.exact_cmp(&Value::new(range.high, 0)).is_gt();
    if !value.quality.contains(Quality::MISSING) && (below || above) {
        return Sample {
            value: value.with_quality(value.quality.with(Quality::OUT_OF_RANGE)),
            ..sample
        };
    }
    sample
}

/// Run state word `number` (1 to 7) as a sample.
pub(crate) fn state_word(number: u8, word: u32) -> Sample {
    Sample::new(
        PointId::new(Quantity::STATE_WORD).channel(number),
        Value::new(i64::from(word), 0),
    )
}

/// An event that a change of a state word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub code: u16,
    pub severity: u8,
    pub phase: EventPhase,
}

/// One row per bit: what it means when it becomes 1, and when it becomes 0.
struct BitRow {
    bit: u32,
    set: Change,
    cleared: Change,
}

const fn change(code: u16, severity: u8, phase: EventPhase) -> Change {
    Change {
        code,
        severity,
        phase,
    }
}

/// Run state word 3 (DL/T 645-2007, annex C): bit 4 relay open, bit 7 alarm before the relay opens.
const STATE_3_BITS: &[BitRow] = &[
    BitRow {
        bit: 4,
        set: change(Event::RELAY_OPENED, 4, EventPhase::PULSE),
        cleared: change(Event::RELAY_CLOSED, 3, EventPhase::PULSE),
    },
    BitRow {
        bit: 7,
        set: change(Event::CREDIT_LOW, 4, EventPhase::RAISED),
        cleared: change(Event::CREDIT_LOW, 4, EventPhase::CLEARED),
    },
];

/// The events between two readings of run state word 3; none for the first reading.
pub(crate) fn state_3_events(before: Option<u32>, now: u32) -> impl Iterator<Item = Change> {
    let changed = before.map_or(0, |before| before ^ now);
    STATE_3_BITS
        .iter()
        .filter(move |row| changed >> row.bit & 1 == 1)
        .map(move |row| {
            if now >> row.bit & 1 == 1 {
                row.set
            } else {
                row.cleared
            }
        })
}

/// The word in the answer to a run state identifier.
pub(crate) fn dlt645_word(id: DataId, data: &[u8]) -> Option<u32> {
    match id.value(data) {
        Ok(::dlt645::Value::Bits(word)) => Some(word),
        _ => None,
    }
}

/// The samples in the answer to an identifier or block. A field whose nibbles are no digits is a missing value.
///
/// # Errors
/// [`dlt645::ValueError::Length`] for data that are no whole number of items, [`dlt645::ValueError::Unknown`].
pub fn dlt645(id: DataId, data: &[u8]) -> Result<Vec<Sample>, ::dlt645::ValueError> {
    let samples = id.values(data)?.filter_map(|(id, value)| match value {
        Ok(value) => id
            .unified(&value)
            .map(|(point, value)| judged(Sample::new(point, value))),
        Err(_) => id
            .point()
            .map(|(point, exponent)| Sample::new(point, Value::missing(exponent))),
    });
    Ok(samples.collect())
}

/// The samples of a CJ/T 188 reading.
pub fn cjt188(meter_type: MeterType, reading: &Reading) -> Vec<Sample> {
    reading
        .points(meter_type)
        .into_iter()
        .map(|(point, value)| judged(Sample::new(point, value)))
        .collect()
}
