//! The state word ST and the data of refusals (sections 17.2 and 17.6 of the fact sheet).

/// Where a valve stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Valve {
    /// Bits 00.
    Open,
    /// Bits 01.
    Closed,
    /// Bits 1x.
    Abnormal,
}

/// Where a meter has its bits in ST, counted from the lowest bit of the first byte (0) to the highest of the second
/// (15). Places beyond 15 read as zero.
///
/// The standard fixes two bits for the valve and one for the battery; makers in the field use others, among them the
/// masks C0 and 20 of the first byte.
///
/// ```
/// use cjt188::{Status, StatusBits, Valve};
/// let maker = StatusBits { valve: 6, battery_low: 5 };
/// assert_eq!(maker.valve(Status([0x60, 0x00])), Valve::Closed);
/// assert!(maker.battery_low(Status([0x60, 0x00])));
/// assert_eq!(StatusBits::STANDARD.valve(Status([0x60, 0x00])), Valve::Open);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusBits {
    /// The lower of the two valve bits.
    pub valve: u8,
    /// The battery bit.
    pub battery_low: u8,
}

impl Default for StatusBits {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl StatusBits {
    /// Valve in bits 0 and 1, battery in bit 2.
    pub const STANDARD: StatusBits = StatusBits {
        valve: 0,
        battery_low: 2,
    };

    const fn from_bit(status: Status, bit: u8) -> u16 {
        match u16::from_le_bytes(status.0).checked_shr(bit as u32) {
            Some(bits) => bits,
            None => 0,
        }
    }

    /// The valve.
    #[must_use]
    pub const fn valve(self, status: Status) -> Valve {
        match Self::from_bit(status, self.valve) & 3 {
            0 => Valve::Open,
            1 => Valve::Closed,
            _ => Valve::Abnormal,
        }
    }

    /// Whether the battery is low.
    #[must_use]
    pub const fn battery_low(self, status: Status) -> bool {
        Self::from_bit(status, self.battery_low) & 1 != 0
    }

    /// ST with these bits, all others zero.
    #[must_use]
    pub const fn status(self, valve: Valve, battery_low: bool) -> Status {
        let valve = match valve {
            Valve::Open => 0_u16,
            Valve::Closed => 1,
            Valve::Abnormal => 2,
        };
        let valve = match valve.checked_shl(self.valve as u32) {
            Some(bits) => bits,
            None => 0,
        };
        let battery = match (battery_low as u16).checked_shl(self.battery_low as u32) {
            Some(bits) => bits,
            None => 0,
        };
        Status((valve | battery).to_le_bytes())
    }
}

/// ST: two bytes in line order. Drivers in the field disagree on the valve bits ([`StatusBits`]), so do not close a
/// valve on them alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status(pub [u8; 2]);

impl Status {
    /// The valve by the standard's bits.
    #[must_use]
    pub const fn valve(self) -> Valve {
        StatusBits::STANDARD.valve(self)
    }

    /// The battery by the standard's bit.
    #[must_use]
    pub const fn battery_low(self) -> bool {
        StatusBits::STANDARD.battery_low(self)
    }

    /// The standard's bits, the maker's zero.
    #[must_use]
    pub const fn new(valve: Valve, battery_low: bool) -> Self {
        StatusBits::STANDARD.status(valve, battery_low)
    }

    /// From the end of a write answer or of a refusal: two bytes, one byte (the second is taken as zero), or none.
    pub(crate) const fn from_tail(data: &[u8]) -> Option<Self> {
        match *data {
            [first, second] => Some(Status([first, second])),
            [first] => Some(Status([first, 0])),
            _ => None,
        }
    }
}

/// What a meter says with a refusal. The text has SER and ST; meters also send ST or one byte of it alone.
///
/// ```
/// use cjt188::{Refusal, Status};
/// let refusal = Refusal::parse(&[7, 0x01, 0x00]).unwrap();
/// assert_eq!((refusal.serial, refusal.status), (Some(7), Status([1, 0])));
/// assert_eq!(Refusal::parse(&[0x04]).unwrap().status, Status([4, 0]));
/// assert_eq!(Refusal::parse(&[]), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// SER, where the meter sends it.
    pub serial: Option<u8>,
    /// ST; the second byte is 0 where the meter sends one.
    pub status: Status,
}

impl Refusal {
    /// From the one to three data bytes of a refusal; `None` for other lengths.
    #[must_use]
    pub const fn parse(data: &[u8]) -> Option<Self> {
        let (serial, tail) = match data {
            [serial, tail @ ..] if data.len() == 3 => (Some(*serial), tail),
            _ => (None, data),
        };
        match Status::from_tail(tail) {
            Some(status) => Some(Refusal { serial, status }),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_bits_comes_back() {
        for bit in 0..=20 {
            for battery in (0..=20).filter(|at| !(bit..=bit + 1).contains(at)) {
                let bits = StatusBits {
                    valve: bit,
                    battery_low: battery,
                };
                for valve in [Valve::Open, Valve::Closed, Valve::Abnormal] {
                    let status = bits.status(valve, true);
                    if bit < 15 {
                        assert_eq!(bits.valve(status), valve);
                    }
                    assert_eq!(bits.battery_low(status), battery < 16);
                }
            }
        }
    }
}
