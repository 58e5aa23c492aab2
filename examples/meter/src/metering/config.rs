//! What a metering core is made with and what it counts.

use metrology::Calibration;
use metrology::event::Limits;
use security::key::DeviceKey;

/// What one metering core is made with.
#[derive(Clone, Copy, Debug)]
pub struct Config<const P: usize> {
    /// Constants of the signal chain; its register step must be 0.1 Wh.
    pub calibration: Calibration<P>,
    /// Where conditions (voltage lost, over-current and the like) begin and end.
    pub limits: Limits,
    /// Time between two legal blocks, milliseconds; at least 1,000.
    pub legal_interval_ms: u64,
    /// Minutes from UTC to the meter's calendar, in which deadlines of orders are given.
    pub utc_offset_min: i16,
}

/// Keys of the metering core.
#[derive(Debug)]
pub struct Keys<'a> {
    /// Purpose `data`: seals readings.
    pub data: &'a DeviceKey,
    /// Purpose `lctrl`: relay orders.
    pub lctrl: &'a DeviceKey,
    /// Purpose `audit`: chains the log.
    pub audit: &'a DeviceKey,
}

/// What the core counted, for people; nothing of it is legal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks made since the boot.
    pub blocks: u32,
    /// Intervals without a block because the other core took none.
    pub held_back: u32,
    /// Writes that failed and were tried again later.
    pub store_failures: u32,
    /// Questions that are not on the list.
    pub unknown: u32,
    /// Orders whose seal or freshness was not good.
    pub orders_dropped: u32,
    /// Genuine orders that were refused.
    pub orders_refused: u32,
    /// Orders carried out.
    pub orders_done: u32,
    /// Stored states and segments of the log found damaged at the start, older ones were used.
    pub damaged: u32,
}
