//! Kind 7: something happened.

use crate::fields::fields;
use crate::point::PointId;
use crate::value::Value;

/// Where in its life an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EventPhase(pub u8);

impl EventPhase {
    /// The condition began.
    pub const RAISED: Self = Self(0);
    /// The condition ended.
    pub const CLEARED: Self = Self(1);
    /// It has no duration.
    pub const PULSE: Self = Self(2);
    /// It goes on with another value.
    pub const UPDATED: Self = Self(3);
}

/// Kind 7, up: an event or alarm.
///
/// The high byte of `code` is the class: 1 supply, 2 electrical safety, 3 quality, 4 tamper, 5 clock and memory,
/// 6 prepaid, 7 relay and control, 8 communication, 9 charging, 10 configuration and firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// What happened.
    pub code: u16,
    /// 0 debug to 7 immediate danger; from 5 on it leaves the device at once.
    pub severity: u8,
    /// Raised, cleared, pulse, updated.
    pub phase: EventPhase,
    /// Pairs cleared with raised.
    pub instance: u32,
    /// The point it is about; bits 0 when there is none.
    pub point: PointId,
    /// The value that caused it.
    pub value: Option<Value>,
    /// The limit it crossed.
    pub limit: Option<Value>,
}

/// Codes of this release. Low bytes count within the class.
impl Event {
    /// Supply failed.
    pub const OUTAGE: u16 = 0x0101;
    /// Voltage sag.
    pub const SAG: u16 = 0x0102;
    /// Voltage swell.
    pub const SWELL: u16 = 0x0103;
    /// A phase is missing.
    pub const PHASE_LOSS: u16 = 0x0104;
    /// Residual current above its limit.
    pub const RESIDUAL_CURRENT: u16 = 0x0201;
    /// Cable temperature above its limit.
    pub const CABLE_TEMPERATURE: u16 = 0x0202;
    /// Power or current above its limit.
    pub const OVERLOAD: u16 = 0x0203;
    /// Voltage above its limit.
    pub const OVER_VOLTAGE: u16 = 0x0204;
    /// Voltage below its limit.
    pub const UNDER_VOLTAGE: u16 = 0x0205;
    /// Arc.
    pub const ARC: u16 = 0x0206;
    /// Unbalance.
    pub const UNBALANCE: u16 = 0x0301;
    /// Distortion.
    pub const DISTORTION: u16 = 0x0302;
    /// Power factor below its limit.
    pub const POWER_FACTOR: u16 = 0x0303;
    /// Meter cover opened.
    pub const COVER: u16 = 0x0401;
    /// Terminal cover opened.
    pub const TERMINAL_COVER: u16 = 0x0402;
    /// Magnetic field.
    pub const MAGNET: u16 = 0x0403;
    /// Current reversed.
    pub const REVERSAL: u16 = 0x0404;
    /// Clock stepped.
    pub const CLOCK_STEP: u16 = 0x0501;
    /// Stored state was damaged and restored.
    pub const MEMORY: u16 = 0x0502;
    /// A stream's store is full and stopped.
    pub const STORE_FULL: u16 = 0x0503;
    /// Credit low.
    pub const CREDIT_LOW: u16 = 0x0601;
    /// Credit used up.
    pub const CREDIT_EMPTY: u16 = 0x0602;
    /// Running on overdraft.
    pub const OVERDRAFT: u16 = 0x0603;
    /// Relay opened.
    pub const RELAY_OPENED: u16 = 0x0701;
    /// Relay closed.
    pub const RELAY_CLOSED: u16 = 0x0702;
    /// An order was refused.
    pub const ORDER_REFUSED: u16 = 0x0703;
    /// The link between the cores is down.
    pub const LINK_DOWN: u16 = 0x0801;
    /// A device behind a gateway does not answer.
    pub const DEVICE_SILENT: u16 = 0x0802;

    /// The class, high byte of the code.
    #[must_use]
    pub const fn class(&self) -> u8 {
        (self.code >> 8) as u8
    }
}

fields!(Event {
    0 code,
    1 severity,
    2 phase,
    3 instance,
    4 point,
    5 value,
    6 limit,
});
