//! A session: what a handshake leaves behind, and how long it counts.

use crate::cipher::LinkCipher;
use crate::counter::SendCounter;
use crate::engine::Block128;
use crate::envelope::Direction;
use crate::gate::OrderGate;
use crate::key::{KeyHandle, Secret};
use crate::link::{Opener, Sealer};
use crate::suite::Suite;

/// Minutes that a session may give orders unless told otherwise.
pub const COMMAND_MINUTES: u16 = 5;
/// Longest life for orders in minutes, as in DL/T 645.
pub const COMMAND_MINUTES_MAX: u16 = 9999;
/// Hours that a session may carry data.
pub const DATA_HOURS: u64 = 24;

/// An open session. Only a finished handshake makes one; it lies in RAM and dies with the power.
///
/// Each purpose gets keys of its own, so a session serves data and orders alike.
#[derive(Debug)]
pub struct Session {
    suite: Suite,
    host_random: Secret<16>,
    device_random: Secret<16>,
    since: u64,
    command_minutes: u16,
}

impl Session {
    pub(crate) const fn new(
        suite: Suite,
        host_random: [u8; 16],
        device_random: [u8; 16],
        now_s: u64,
    ) -> Self {
        Self {
            suite,
            host_random: Secret::new(host_random),
            device_random: Secret::new(device_random),
            since: now_s,
            command_minutes: COMMAND_MINUTES,
        }
    }

    /// Sets how long orders are taken: 1 to [`COMMAND_MINUTES_MAX`] minutes; says whether it did.
    pub const fn set_command_minutes(&mut self, minutes: u16) -> bool {
        let good = minutes >= 1 && minutes <= COMMAND_MINUTES_MAX;
        if good {
            self.command_minutes = minutes;
        }
        good
    }

    /// The suite that both sides agreed on.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Whether orders may still be given. A clock that went back closes the session.
    pub const fn may_command(&self, now_s: u64) -> bool {
        self.younger(now_s, (self.command_minutes as u32 * 60) as u64)
    }

    /// Whether data may still be carried. Besides, each key ends after
    /// [`crate::counter::SESSION_MESSAGES`] messages.
    pub const fn may_carry_data(&self, now_s: u64) -> bool {
        self.younger(now_s, DATA_HOURS * 3600)
    }

    const fn younger(&self, now_s: u64, seconds: u64) -> bool {
        now_s >= self.since && now_s - self.since < seconds
    }

    /// A sender under the session key ("SES1") of a purpose.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn sealer<E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        direction: Direction,
    ) -> Result<Sealer<E::Key>, E::Error> {
        let cipher = self.cipher(engine, key, direction)?;
        Ok(Sealer::under(
            cipher,
            key,
            direction,
            SendCounter::session(),
        ))
    }

    /// A receiver under the session key ("SES1") of a purpose.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn opener<E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        direction: Direction,
    ) -> Result<Opener<E::Key>, E::Error> {
        let cipher = self.cipher(engine, key, direction)?;
        Ok(Opener::under(cipher, key, direction))
    }

    /// A gate for the orders of this session. Give it the stored state with
    /// [`OrderGate::with_state`], and [`Session::may_command`] in its conditions.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn gate<E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
    ) -> Result<OrderGate<E::Key>, E::Error> {
        let opener = self.opener(engine, key, Direction::ToDevice)?;
        Ok(OrderGate::of_session(opener, key))
    }

    fn cipher<E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        direction: Direction,
    ) -> Result<LinkCipher<E::Key>, E::Error> {
        let (host, device) = (self.host_random.expose(), self.device_random.expose());
        let link = key.session_link(engine, self.suite, direction, host, device)?;
        LinkCipher::load(engine, &link)
    }
}
