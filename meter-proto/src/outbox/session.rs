//! When to connect, and in which order to speak after an outage.
//!
//! ```text
//! handle_start, handle_failure ──> Connect ──> handle_connected ──> Register ──> handle_welcome ──> Snapshot
//!                                                                                     │
//!         alarms still raised, the fresh snapshot, the backlog at the welcomed rate <─┘
//! ```
//!
//! Devices spread their starts: each waits the hash of its identity modulo the window of the last welcome. After each
//! failure the wait doubles up to an hour, with jitter, so that a million meters do not come back in step.

use crate::device::DeviceId;
use crate::message::Welcome;

/// Window of a device that was never welcomed, seconds.
const SPREAD_S: u16 = 300;
/// The longest wait between attempts, milliseconds.
const LONGEST_MS: u64 = 3_600_000;
/// What is doubled when the device's own place in the window is the very first, milliseconds.
const SHORTEST_MS: u64 = 1_000;
/// How long a connection or a welcome may take, milliseconds.
const ANSWER_MS: u64 = 60_000;

/// What the application is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// Open a connection, then call [`Session::handle_connected`] or [`Session::handle_failure`].
    Connect,
    /// Send a registration, then give the answer to [`Session::handle_welcome`].
    Register,
    /// Call [`Outbox::handle_reconnect`](super::Outbox::handle_reconnect), push a fresh snapshot and
    /// [`hurry`](super::Outbox::hurry) it; from now on ask [`Session::may_transmit`].
    Snapshot,
    /// No answer came: close the connection, then call [`Session::handle_failure`].
    GiveUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is wanted yet.
    Idle,
    /// Not connected; the next attempt is due then.
    Waiting(u64),
    /// Told to connect; given up then.
    Connecting(u64),
    /// Connected and not told to register yet.
    Connected,
    /// Waits for the welcome; given up then.
    Registered(u64),
    /// Given up, told so; waits for [`Session::handle_failure`].
    GivenUp,
    /// Welcomed and not told to make a snapshot yet.
    Welcomed,
    Open,
}

/// The sender's connection to its receiver.
#[derive(Clone, Debug)]
pub struct Session {
    place: u32,
    spread_s: u16,
    failures: u8,
    state: State,
    /// Milliseconds between records of the backlog, 0 without limit.
    pace_ms: u64,
    next: u64,
}

impl Session {
    /// A session of this device; nothing happens before [`Session::handle_start`].
    #[must_use]
    pub fn new(device: &DeviceId) -> Self {
        Self {
            place: device.hash32(),
            spread_s: SPREAD_S,
            failures: 0,
            state: State::Idle,
            pace_ms: 0,
            next: 0,
        }
    }

    /// Whether records may be sent at all.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// After power-up: the first attempt comes at the device's place in the window.
    pub fn handle_start(&mut self, now: u64) {
        self.failures = 0;
        self.state = State::Waiting(now.saturating_add(self.place_ms()));
    }

    /// An attempt failed or the connection broke. `random` is any number, for the jitter.
    pub fn handle_failure(&mut self, now: u64, random: u32) {
        let wait = self
            .place_ms()
            .max(SHORTEST_MS)
            .saturating_mul(1 << self.failures.min(22))
            .min(LONGEST_MS);
        // Within a quarter below: never longer than an hour.
        let jitter = (wait / 4).saturating_mul(u64::from(random)) >> 32;
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting(now.saturating_add(wait.saturating_sub(jitter)));
    }

    /// The connection stands.
    pub fn handle_connected(&mut self) {
        self.state = State::Connected;
    }

    /// The answer to the registration. An answer to another session is ignored; `false` says so.
    pub fn handle_welcome(&mut self, now: u64, session: u32, welcome: &Welcome) -> bool {
        if welcome.session != session || !matches!(self.state, State::Registered(_)) {
            return false;
        }
        self.failures = 0;
        self.spread_s = welcome.spread_s;
        self.pace_ms = 1_000u64
            .checked_div(u64::from(welcome.backlog_rate))
            .map_or(0, |pace| pace.max(1));
        self.next = now;
        self.state = State::Welcomed;
        true
    }

    /// What to do now; ask again until there is nothing.
    pub fn poll_event(&mut self, now: u64) -> Option<SessionEvent> {
        let limit = now.saturating_add(ANSWER_MS);
        let (state, event) = match self.state {
            State::Waiting(due) if due <= now => (State::Connecting(limit), SessionEvent::Connect),
            State::Connected => (State::Registered(limit), SessionEvent::Register),
            State::Welcomed => (State::Open, SessionEvent::Snapshot),
            State::Connecting(due) | State::Registered(due) if due <= now => {
                (State::GivenUp, SessionEvent::GiveUp)
            }
            _ => return None,
        };
        self.state = state;
        Some(event)
    }

    /// When [`Session::poll_event`] wants to be asked again.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        match self.state {
            State::Waiting(due) | State::Connecting(due) | State::Registered(due) => Some(due),
            State::Connected | State::Welcomed => Some(0),
            State::Idle | State::GivenUp | State::Open => None,
        }
    }

    /// Whether the next record may be sent now; each `true` is for one. Records that do not belong to the backlog
    /// (alarms, the fresh snapshot, what is measured from now on) need no leave beyond [`Session::is_open`].
    pub fn may_transmit(&mut self, now: u64) -> bool {
        if !self.is_open() || now < self.next {
            return false;
        }
        self.next = now.max(self.next).saturating_add(self.pace_ms);
        true
    }

    /// When [`Session::may_transmit`] says yes again, while the session is open.
    #[must_use]
    pub fn poll_pace(&self) -> Option<u64> {
        self.is_open().then_some(self.next)
    }

    /// The device's own place in the window, milliseconds.
    fn place_ms(&self) -> u64 {
        let window = u64::from(self.spread_s).saturating_mul(1_000);
        u64::from(self.place).checked_rem(window).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{ClockQuality, Stamp};

    fn welcome(session: u32, backlog_rate: u16, spread_s: u16) -> Welcome {
        Welcome {
            version: 1,
            session,
            now: Stamp::from_seconds(0, ClockQuality::LEGAL),
            config_version: 0,
            backlog_rate,
            spread_s,
        }
    }

    fn device(number: u32) -> DeviceId {
        let [a, b, c, d] = number.to_be_bytes();
        let Ok(device) = DeviceId::try_new(3, &[0, 0, 0, 0, a, b, c, d]) else {
            panic!("an EUI-64")
        };
        device
    }

    #[test]
    fn starts_are_spread_over_the_window() {
        let mut tenths = [0u32; 10];
        for number in 0..2_000 {
            let mut session = Session::new(&device(number));
            session.handle_start(5_000);
            let Some(due) = session.poll_timeout() else {
                panic!("an attempt is planned")
            };
            let wait = due - 5_000;
            assert!(wait < 300_000);
            assert_eq!(session.poll_event(due - 1), None);
            assert_eq!(session.poll_event(due), Some(SessionEvent::Connect));
            tenths[(wait / 30_000) as usize] += 1;
        }
        assert!(
            tenths.iter().all(|count| (140..260).contains(count)),
            "{tenths:?}"
        );
    }

    #[test]
    fn waits_double_up_to_an_hour_and_a_welcome_ends_that() {
        let mut session = Session::new(&device(7));
        session.handle_start(0);
        let mut waits = [0; 16];
        for wait in &mut waits {
            session.handle_failure(0, u32::MAX / 2);
            *wait = session.poll_timeout().unwrap_or(0);
        }
        for pair in waits.windows(2) {
            assert!(
                pair[1] == pair[0] * 2
                    || pair[1].abs_diff(pair[0] * 2) <= 2
                    || pair[1] <= LONGEST_MS
            );
            assert!(pair[1] >= pair[0]);
        }
        assert!(waits[15] > LONGEST_MS / 4 * 3 && waits[15] <= LONGEST_MS);
        session.handle_failure(0, 0);
        assert_eq!(session.poll_timeout(), Some(LONGEST_MS));

        assert_eq!(session.poll_event(LONGEST_MS), Some(SessionEvent::Connect));
        session.handle_connected();
        assert_eq!(session.poll_event(LONGEST_MS), Some(SessionEvent::Register));
        assert!(!session.handle_welcome(LONGEST_MS, 3, &welcome(2, 10, 30)));
        assert!(
            !session.may_transmit(LONGEST_MS),
            "nothing leaves before the welcome"
        );
        assert!(session.handle_welcome(LONGEST_MS, 3, &welcome(3, 10, 30)));
        assert_eq!(session.poll_event(LONGEST_MS), Some(SessionEvent::Snapshot));
        assert_eq!(session.poll_event(LONGEST_MS), None);
        session.handle_failure(0, 0);
        assert!(
            session.poll_timeout().is_some_and(|wait| wait < 30_000),
            "the new window counts"
        );
    }

    #[test]
    fn the_backlog_keeps_the_rate_of_the_welcome() {
        let mut session = Session::new(&device(1));
        session.handle_connected();
        let _ = session.poll_event(0);
        assert!(session.handle_welcome(0, 1, &welcome(1, 20, 300)));
        let _ = session.poll_event(0);
        let sent = (0..10_000).filter(|now| session.may_transmit(*now)).count();
        assert_eq!(sent, 200);
        session.handle_connected();
        let _ = session.poll_event(0);
        assert!(session.handle_welcome(0, 1, &welcome(1, 0, 300)));
        let _ = session.poll_event(0);
        assert!(
            (0..1_000).all(|_| session.may_transmit(0)),
            "0 is without limit"
        );
    }

    #[test]
    fn silence_after_the_registration_is_given_up() {
        let mut session = Session::new(&device(1));
        session.handle_connected();
        assert_eq!(session.poll_event(10), Some(SessionEvent::Register));
        assert_eq!(
            session.poll_event(10 + ANSWER_MS),
            Some(SessionEvent::GiveUp)
        );
        assert_eq!(session.poll_event(u64::MAX), None);
        session.handle_failure(10 + ANSWER_MS, 1);
        assert!(session.poll_timeout().is_some());
    }
}
