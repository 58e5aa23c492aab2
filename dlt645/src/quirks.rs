//! What meters in the field do beside the standard, as options of a meter.

/// Departures of one meter from the standard; none by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Answers may carry the full wildcard AA in place of the meter's address; seen above all with 1997 meters.
    pub wildcard_answers: bool,
    /// FE in front of requests beyond the usual four, for receivers that wake slowly; at most 8 in all are sent.
    pub extra_preamble: u8,
    /// Phase voltages of the 2007 edition come with three bytes, XXXXX.X.
    pub three_byte_voltages: bool,
    /// Phase voltages of the 1997 edition come as XXX.X, not XXX; both have two bytes.
    pub tenth_volts_1997: bool,
    /// The meter may understand the older edition alone: when nobody answers a read of the address, the reader asks
    /// again by a 1997 read of 9010 to the wildcard and takes the address of that answer.
    pub answers_1997: bool,
}
