//! What one port may do after bad tags: each port is counted for itself, so that a flood on one is no
//! way to lock the others.

/// Bad tags a day after which a port takes no more orders, unless told otherwise.
pub const BAD_TAGS: u16 = 200;

/// Counts the bad tags of one port over one day.
///
/// ```
/// use security::port::PortGuard;
///
/// let mut optical = PortGuard::new(2);
/// assert!(!optical.bad_tag(9456)); // day number, by the meter's calendar
/// assert!(optical.bad_tag(9456)); // the second: log it and push it
/// assert!(!optical.allows_orders(9456));
/// assert!(optical.allows_orders(9457)); // midnight
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortGuard {
    day: u32,
    bad: u16,
    limit: u16,
}

impl PortGuard {
    /// A port that rests after `limit` bad tags a day, at least one.
    pub const fn new(limit: u16) -> Self {
        Self {
            day: 0,
            bad: 0,
            limit: if limit == 0 { 1 } else { limit },
        }
    }

    /// Notes a message that did not open, whatever was wrong with it. True when the port rests from
    /// now on.
    pub const fn bad_tag(&mut self, day: u32) -> bool {
        self.turn(day);
        self.bad = self.bad.saturating_add(1);
        self.bad == self.limit
    }

    /// Bad tags on the given day.
    pub const fn bad_tags(&self, day: u32) -> u16 {
        if day == self.day { self.bad } else { 0 }
    }

    /// Whether orders are taken on the given day; reading is not concerned.
    pub const fn allows_orders(&self, day: u32) -> bool {
        self.bad_tags(day) < self.limit
    }

    const fn turn(&mut self, day: u32) {
        if day != self.day {
            self.day = day;
            self.bad = 0;
        }
    }

    /// Day and count as bytes for a store, so that switching off is no way to try again.
    pub const fn to_bytes(&self) -> [u8; 6] {
        let [d0, d1, d2, d3] = self.day.to_be_bytes();
        let [b0, b1] = self.bad.to_be_bytes();
        [d0, d1, d2, d3, b0, b1]
    }

    /// Goes on from stored bytes.
    #[must_use]
    pub const fn with_stored(mut self, bytes: &[u8; 6]) -> Self {
        let [d0, d1, d2, d3, b0, b1] = *bytes;
        self.day = u32::from_be_bytes([d0, d1, d2, d3]);
        self.bad = u16::from_be_bytes([b0, b1]);
        self
    }
}

impl Default for PortGuard {
    fn default() -> Self {
        Self::new(BAD_TAGS)
    }
}
