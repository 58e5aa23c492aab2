//! The flags of a record: the first twelve mean the same in both layouts.

use crate::purse::Purse;
use crate::remote::Remote;

#[derive(Clone, Copy)]
pub(super) struct Flags(pub u32);

impl Flags {
    pub(super) const fn has(self, bit: u32) -> bool {
        self.0 >> bit & 1 == 1
    }

    /// What the flags of both layouts say of a purse.
    pub(super) fn purse(self) -> Purse {
        Purse {
            is_open: self.has(3),
            acknowledged_2: self.has(4),
            acknowledged_0: self.has(5),
            keep_power: self.has(6),
            ..Purse::default()
        }
    }

    /// What they say of remote control, with the time of a trip that waits.
    pub(super) fn remote(self, trip_at_s: i64) -> Remote {
        Remote {
            is_open: self.has(7),
            close_allowed: self.has(8),
            alarm: self.has(9),
            keep_power: self.has(10),
            trip_at_s: self.has(11).then_some(trip_at_s),
            ..Remote::default()
        }
    }
}
