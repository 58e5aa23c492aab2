//! What a running meter counts and measures, for people and tests.

use serde::Serialize;

/// One look at a meter; printed as one line of JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// Identity.
    pub id: String,
    /// Open connections.
    pub connections: usize,
    /// Connections closed because too many were open.
    pub connections_refused: usize,
    /// Requests answered with data or "done".
    pub answered: u64,
    /// Broadcasts heard.
    pub heard: u64,
    /// Everything refused.
    pub refused: Refused,
    /// Values of an electricity meter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub electricity: Option<Electricity>,
    /// Litres of a water meter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub litres: Option<u64>,
}

/// Refusals by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Bytes outside of frames.
    pub noise_bytes: u64,
    /// Frames with a wrong check sum, end or length.
    pub bad_frames: u64,
    /// Good frames that say nothing known.
    pub not_understood: u64,
    /// Requests answered with an error.
    pub requests: u64,
    /// Wrong passwords.
    pub passwords: u32,
    /// Commands and orders refused by either core.
    pub orders: u32,
    /// Questions that are not on the list of the line between the cores.
    pub questions: u32,
}

impl Refused {
    /// All refusals together, noise counted by bytes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.noise_bytes
            + self.bad_frames
            + self.not_understood
            + self.requests
            + u64::from(self.passwords)
            + u64::from(self.orders)
            + u64::from(self.questions)
    }
}

/// Values of an electricity meter.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Electricity {
    /// Boots.
    pub boot: u32,
    /// Legal time, UTC milliseconds since 1970.
    pub utc_ms: u64,
    /// Imported energy, tenths of a watt hour.
    pub import_dwh: u64,
    /// Exported energy, tenths of a watt hour.
    pub export_dwh: u64,
    /// Root mean square voltages, millivolts.
    pub voltage_mv: Vec<u32>,
    /// Root mean square currents, microamperes.
    pub current_ua: Vec<u32>,
    /// Active power, milliwatts.
    pub active_mw: i32,
    /// Frequency, millihertz.
    pub frequency_mhz: u32,
    /// The relay is closed.
    pub relay_closed: bool,
    /// Balance in hundredths, of a prepaid meter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<i64>,
    /// Records that wait for the gateway: legal, events, results.
    pub waiting: [u32; 3],
    /// Legal blocks made, and intervals without one because nobody took them.
    pub blocks: (u32, u32),
    /// Records the gateway acknowledged.
    pub acknowledged: u32,
    /// Writes that failed and were tried again.
    pub store_failures: u32,
    /// Events and results that found no room.
    pub lost: u32,
    /// Milliseconds of simulated time that were left out because the machine was too slow.
    pub skipped_ms: u64,
}
