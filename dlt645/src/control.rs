//! The control code (section 4 of the fact sheet; DL/T 645-2007 clause 5.2.4).

use core::fmt;

/// What a frame asks or answers, the low five bits of the control code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Function(pub u8);

impl Function {
    /// 03: security authentication and everything carried over it.
    pub const SECURITY: Function = Function(0x03);
    /// 08: broadcast time.
    pub const BROADCAST_TIME: Function = Function(0x08);
    /// 11: read.
    pub const READ: Function = Function(0x11);
    /// 12: read the next part of a long answer.
    pub const READ_FOLLOW_UP: Function = Function(0x12);
    /// 13: read the address of the only meter on the line.
    pub const READ_ADDRESS: Function = Function(0x13);
    /// 14: write.
    pub const WRITE: Function = Function(0x14);
    /// 15: write the address.
    pub const WRITE_ADDRESS: Function = Function(0x15);
    /// 16: freeze.
    pub const FREEZE: Function = Function(0x16);
    /// 17: change the rate of the line.
    pub const CHANGE_RATE: Function = Function(0x17);
    /// 18: change a password.
    pub const CHANGE_PASSWORD: Function = Function(0x18);
    /// 19: clear the maximum demand.
    pub const CLEAR_DEMAND: Function = Function(0x19);
    /// 1A: clear the meter.
    pub const CLEAR_METER: Function = Function(0x1A);
    /// 1B: clear events.
    pub const CLEAR_EVENTS: Function = Function(0x1B);
    /// 1C: relay, alarm, keep power.
    pub const CONTROL: Function = Function(0x1C);
    /// 1D: multi-function output.
    pub const OUTPUT: Function = Function(0x1D);

    /// 1997, 01: read.
    pub const READ_1997: Function = Function(0x01);
    /// 1997, 02: read the next part.
    pub const READ_FOLLOW_UP_1997: Function = Function(0x02);
    /// 1997, 03: read the last answer again.
    pub const READ_AGAIN_1997: Function = Function(0x03);
    /// 1997, 04: write.
    pub const WRITE_1997: Function = Function(0x04);
    /// 1997, 0A: write the address.
    pub const WRITE_ADDRESS_1997: Function = Function(0x0A);
    /// 1997, 0C: change the rate of the line.
    pub const CHANGE_RATE_1997: Function = Function(0x0C);
    /// 1997, 0F: change a password.
    pub const CHANGE_PASSWORD_1997: Function = Function(0x0F);
    /// 1997, 10: clear the maximum demand.
    pub const CLEAR_DEMAND_1997: Function = Function(0x10);
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({:02X})", self.0)
    }
}

/// The control code of a frame: direction, refusal, more to follow, function.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ControlCode(pub u8);

impl ControlCode {
    const FROM_METER: u8 = 0x80;
    const ERROR: u8 = 0x40;
    const MORE: u8 = 0x20;

    /// A question with this function.
    #[must_use]
    pub const fn request(function: Function) -> Self {
        ControlCode(function.0 & 0x1F)
    }

    /// A good answer; `more` says that a further part can be fetched.
    #[must_use]
    pub const fn answer(function: Function, more: bool) -> Self {
        ControlCode((function.0 & 0x1F) | Self::FROM_METER | if more { Self::MORE } else { 0 })
    }

    /// A refusal.
    #[must_use]
    pub const fn refusal(function: Function) -> Self {
        ControlCode((function.0 & 0x1F) | Self::FROM_METER | Self::ERROR)
    }

    /// D7: the frame comes from a meter.
    #[must_use]
    pub const fn from_meter(self) -> bool {
        self.0 & Self::FROM_METER != 0
    }

    /// D6: the meter refuses.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 & Self::ERROR != 0
    }

    /// D5: more data can be fetched.
    #[must_use]
    pub const fn has_more(self) -> bool {
        self.0 & Self::MORE != 0
    }

    /// D4 to D0.
    #[must_use]
    pub const fn function(self) -> Function {
        Function(self.0 & 0x1F)
    }
}

impl fmt::Debug for ControlCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ControlCode({:02X})", self.0)
    }
}
