//! The control code (section 17.2 of the fact sheet).

use core::fmt;

/// What a frame asks or answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Function(pub u8);

impl Function {
    /// 01: read.
    pub const READ: Function = Function(0x01);
    /// 03: read address.
    pub const READ_ADDRESS: Function = Function(0x03);
    /// 04: write, valve included.
    pub const WRITE: Function = Function(0x04);
    /// 09: read key version.
    pub const READ_KEY_VERSION: Function = Function(0x09);
    /// 15: write address.
    pub const WRITE_ADDRESS: Function = Function(0x15);
    /// 16: synchronise the motor reading.
    pub const SYNCHRONISE: Function = Function(0x16);
    /// 2A: vendor's own, D5 is part of it.
    pub const VENDOR: Function = Function(0x2A);
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({:02X})", self.0)
    }
}

/// The control code of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ControlCode(pub u8);

impl ControlCode {
    /// A question.
    #[must_use]
    pub const fn request(function: Function) -> Self {
        ControlCode(function.0 & 0x3F)
    }

    /// A good answer.
    #[must_use]
    pub const fn answer(function: Function) -> Self {
        ControlCode(function.0 & 0x3F | 0x80)
    }

    /// A refusal.
    #[must_use]
    pub const fn refusal(function: Function) -> Self {
        ControlCode(function.0 & 0x3F | 0xC0)
    }

    /// D7: from the meter.
    #[must_use]
    pub const fn from_meter(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// D6: refusal.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// D5, except where it is part of the function.
    #[must_use]
    pub const fn has_more(self) -> bool {
        self.0 & 0x20 != 0 && self.0 & 0x3F != Function::VENDOR.0
    }

    /// The function.
    #[must_use]
    pub const fn function(self) -> Function {
        match self.0 & 0x3F {
            0x2A => Function::VENDOR,
            code => Function(code & 0x1F),
        }
    }
}

impl fmt::Debug for ControlCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ControlCode({:02X})", self.0)
    }
}
