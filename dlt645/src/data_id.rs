//! Data identifiers.

use core::fmt;

use serial_line::cursor::Cursor;

/// A 2007 data identifier DI3 DI2 DI1 DI0, DI3 highest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataId(pub u32);

impl DataId {
    /// Four bytes as on the line, DI0 first.
    #[must_use]
    pub const fn from_line(bytes: [u8; 4]) -> Self {
        DataId(u32::from_le_bytes(bytes))
    }

    /// Four bytes as on the line, DI0 first.
    #[must_use]
    pub const fn line(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// DI3, the class.
    #[must_use]
    pub const fn di3(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// DI2.
    #[must_use]
    pub const fn di2(self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// DI1.
    #[must_use]
    pub const fn di1(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// DI0.
    #[must_use]
    pub const fn di0(self) -> u8 {
        self.0 as u8
    }

    pub(crate) fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.array().map(Self::from_line)
    }
}

/// Eight hexadecimal digits, DI3 first.
impl fmt::Display for DataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

impl fmt::Debug for DataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataId({self})")
    }
}

/// A 1997 data identifier DI1 DI0, DI1 highest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataId1997(pub u16);

impl DataId1997 {
    /// Two bytes as on the line, DI0 first.
    #[must_use]
    pub const fn from_line(bytes: [u8; 2]) -> Self {
        DataId1997(u16::from_le_bytes(bytes))
    }

    /// Two bytes as on the line, DI0 first.
    #[must_use]
    pub const fn line(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }

    pub(crate) fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.array().map(Self::from_line)
    }
}

impl fmt::Display for DataId1997 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for DataId1997 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataId1997({self})")
    }
}
