//! The relay: a checked wish, sealed orders, one rule.

use security::envelope::Class;
use security::gate::{Conditions, STATE_LEN, Verdict};
use security::order::{Kind, OrderAck, Outcome, RelayFeedback};

use super::kept::reserve;
use super::logging::first_bytes;
use super::{MeteringCore, RELAY_REST_MS};
use crate::clock;
use crate::crossing::{Answer, MAX_BLOCK, MAX_SEALED, Refusal, RelayState};
use crate::log::{Event, Matter};
use crate::records::{LCTRL_LIMIT, METERING_GATE, RELAY, VERSION};
use crate::store::{Store, StoreError};

/// The one rule of the relay: power that is held beats a trip by order, that beats the purse.
const fn decide(state: RelayState) -> bool {
    state.hold || (!state.tripped_by_order && state.wish_closed)
}

impl<const P: usize, S: Store> MeteringCore<P, S> {
    /// Somebody pressed the key at the meter: a permitted closing happens.
    ///
    /// # Errors
    /// [`StoreError`]; the contact then did not move.
    pub fn press_key(&mut self) -> Result<(), StoreError> {
        if !self.permitted {
            return Ok(());
        }
        self.log(Event::KeyPressed)?;
        self.apply_relay(
            RelayState {
                tripped_by_order: false,
                ..self.relay
            },
            false,
        )
    }

    pub(super) fn relay_wish(&mut self, closed: bool) -> Answer<'static> {
        let next = RelayState {
            wish_closed: closed,
            ..self.relay
        };
        if next == self.relay {
            return Answer::Relay(self.relay);
        }
        let moves = decide(next) != self.relay.closed;
        let rested = self
            .relay_moved_ms
            .is_none_or(|at| self.rtc_ms.saturating_sub(at) >= RELAY_REST_MS);
        if moves && !rested {
            self.note(Matter::ContactTooSoon, closed.into());
            return Answer::Refused(Refusal::TooFast);
        }
        match self.apply_relay(next, self.permitted) {
            Ok(()) => {
                if moves {
                    self.note(Matter::Contact, self.relay.closed.into());
                }
                Answer::Relay(self.relay)
            }
            Err(_) => Answer::Refused(Refusal::Store),
        }
    }

    /// Stores what shall be, then moves the contact.
    fn apply_relay(&mut self, mut next: RelayState, permitted: bool) -> Result<(), StoreError> {
        next.closed = decide(next);
        self.store
            .write(RELAY, &[VERSION, next.bits(), permitted.into()])?;
        if next.closed != self.relay.closed {
            self.relay_moved_ms = Some(self.rtc_ms);
        }
        self.relay = next;
        self.permitted = permitted;
        Ok(())
    }

    fn feedback(&self) -> RelayFeedback {
        match (self.relay.closed, self.permitted) {
            (true, _) => RelayFeedback::Closed,
            (false, true) => RelayFeedback::PermittedToClose,
            (false, false) => RelayFeedback::Open,
        }
    }

    pub(super) fn order<'b>(
        &mut self,
        envelope: &[u8],
        buffer: &'b mut [u8; MAX_BLOCK],
    ) -> Answer<'b> {
        match self.judge(envelope) {
            Ok(None) => Answer::Refused(Refusal::Seal),
            Err(_) => {
                self.counts.store_failures = self.counts.store_failures.saturating_add(1);
                Answer::Refused(Refusal::Store)
            }
            Ok(Some(ack)) => {
                if reserve(&mut self.answers, &mut self.store, LCTRL_LIMIT).is_err() {
                    return Answer::Refused(Refusal::Store);
                }
                let plain = ack.encode();
                let plain = plain.get(..ack.encoded_len()).unwrap_or_default();
                match self
                    .answers
                    .seal_from(Class::Acknowledge, b"", plain, buffer)
                {
                    Ok(sealed) => Answer::Order(sealed),
                    Err(_) => Answer::Refused(Refusal::Store),
                }
            }
        }
    }

    /// The answer to a genuine order; `None` for anything else.
    fn judge(&mut self, envelope: &[u8]) -> Result<Option<OrderAck>, StoreError> {
        let mut bytes = [0; MAX_SEALED];
        let Some(bytes) = bytes.get_mut(..envelope.len()) else {
            return Ok(None);
        };
        bytes.copy_from_slice(envelope);
        let conditions = Conditions {
            port_allows: true,
            session_young: true,
            now: clock::order_moment(self.utc_ms(), self.config.utc_offset_min),
            hold_power: self.relay.hold,
            purse: None,
        };
        let relay = self.feedback();
        let verified = match self.gate.judge(b"", bytes, &conditions, relay) {
            Verdict::Dropped(_) => {
                self.counts.orders_dropped = self.counts.orders_dropped.saturating_add(1);
                self.note(Matter::OrderDropped, first_bytes(envelope));
                return Ok(None);
            }
            Verdict::Repeated(ack) => return Ok(Some(ack)),
            Verdict::Refused(ack) => {
                self.counts.orders_refused = self.counts.orders_refused.saturating_add(1);
                let state = self.gate.state();
                self.store.write(METERING_GATE, &state)?;
                self.log(Event::OrderRefused {
                    kind: ack.kind.code(),
                    number: ack.number,
                    reason: ack.outcome.code(),
                })?;
                return Ok(Some(ack));
            }
            Verdict::New(pending) => {
                let state: [u8; STATE_LEN] = pending.state();
                // The number is used up before anything happens.
                self.store.write(METERING_GATE, &state)?;
                let Ok(verified) = pending.stored() else {
                    // Only a disturbed processor passes the first look and not the second.
                    self.counts.orders_dropped = self.counts.orders_dropped.saturating_add(1);
                    self.note(Matter::OrderDropped, first_bytes(envelope));
                    return Ok(None);
                };
                verified
            }
        };
        let now = self.relay;
        let (next, permitted) = match verified.get().kind() {
            Kind::Open => (
                RelayState {
                    tripped_by_order: true,
                    ..now
                },
                false,
            ),
            Kind::PermitClose => (now, now.tripped_by_order),
            // A direct close ends the trip; whether supply returns is then the purse's wish.
            Kind::CloseNow => (
                RelayState {
                    tripped_by_order: false,
                    ..now
                },
                false,
            ),
            Kind::AlarmOn => (RelayState { alarm: true, ..now }, self.permitted),
            Kind::AlarmOff => (
                RelayState {
                    alarm: false,
                    ..now
                },
                self.permitted,
            ),
            Kind::HoldPower => (RelayState { hold: true, ..now }, false),
            Kind::HoldOff => (RelayState { hold: false, ..now }, false),
            _ => (now, self.permitted),
        };
        let number = verified.get().number();
        let taken = self.log(Event::OrderTaken {
            kind: verified.get().kind().code(),
            number,
            operator: verified.get().operator(),
        });
        let outcome = if taken.is_ok() && self.apply_relay(next, permitted).is_ok() {
            Outcome::Done
        } else {
            if taken.is_ok() {
                // It stays in the answer as well when this line cannot be written either.
                let _ = self.log(Event::OrderFailed { number });
            }
            Outcome::Failed
        };
        let relay = self.feedback();
        let ack = self.gate.finish(verified, outcome, relay, None);
        let state = self.gate.state();
        self.store.write(METERING_GATE, &state)?;
        self.counts.orders_done = self.counts.orders_done.saturating_add(1);
        Ok(Some(ack))
    }
}
