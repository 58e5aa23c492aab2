//! What the management core tells: relay, credit, and the conditions that the metering core judged.

use meter_proto::message::{Event, EventPhase, Stream};
use meter_proto::outbox::OutboxStore;
use meter_proto::point::{Phase, PointId};
use meter_proto::quantity::Quantity;
use meter_proto::value::Value;
use metrology::event::Condition;

use super::ManagementCore;
use crate::crossing::PhaseValues;
use crate::events::Energies;
use crate::store::Store;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    fn event(
        &mut self,
        code: u16,
        severity: u8,
        phase: EventPhase,
        instance: u32,
        about: (PointId, Option<Value>),
    ) -> bool {
        let (point, value) = about;
        let event = Event {
            code,
            severity,
            phase,
            instance,
            point,
            value,
            limit: None,
        };
        let stamp = self.stamp();
        let mut scratch = [0; 128];
        let pushed = self
            .outbox
            .push(Stream::EVENT, 0, stamp, &event, &mut scratch)
            .is_ok();
        if !pushed {
            self.counts.lost = self.counts.lost.saturating_add(1);
        }
        pushed
    }

    fn next_instance(&mut self) -> u32 {
        self.event_instance = self.event_instance.wrapping_add(1);
        self.event_instance
    }

    pub(super) fn tell_relay(&mut self) {
        let closed = self.totals.relay.closed;
        if self.relay_told == Some(closed) {
            return;
        }
        // At the start an open relay is told, a closed one is the rule.
        let silent = self.relay_told.is_none() && closed;
        let instance = self.next_instance();
        let relay = (PointId::new(Quantity::STATE_WORD), None);
        let code = if closed {
            Event::RELAY_CLOSED
        } else {
            Event::RELAY_OPENED
        };
        if silent || self.event(code, 5, EventPhase::PULSE, instance, relay) {
            self.relay_told = Some(closed);
        }
    }

    /// Raises and clears "credit low" and "credit empty".
    pub(super) fn tell_credit(&mut self) {
        let Some(level) = self.account.credit_level() else {
            return;
        };
        if level == self.credit_told {
            return;
        }
        let balance = Value::new(self.account.balance_hundredths(), -2);
        let balance = (PointId::new(Quantity::MONEY_BALANCE), Some(balance));
        let steps = [(1, Event::CREDIT_LOW, 4), (2, Event::CREDIT_EMPTY, 5)];
        for (step, code, severity) in steps {
            let (was, is) = (self.credit_told >= step, level >= step);
            if was == is {
                continue;
            }
            // Cleared carries the instance of its raised.
            let index = usize::from(step) - 1;
            let mut instance = self.credit_instance.get(index).copied().unwrap_or(0);
            if is {
                instance = self.next_instance();
                if let Some(place) = self.credit_instance.get_mut(index) {
                    *place = instance;
                }
            }
            let phase = if is {
                EventPhase::RAISED
            } else {
                EventPhase::CLEARED
            };
            let _ = self.event(code, severity, phase, instance, balance);
        }
        self.credit_told = level;
    }

    /// Total energies as event records take them.
    #[must_use]
    pub fn energies(&self) -> Energies {
        let [q1, q2, q3, q4] = self.totals.reactive;
        let active = self.totals.active;
        [
            active.import,
            active.export,
            q1.saturating_add(q2),
            q3.saturating_add(q4),
        ]
        .map(|steps| (steps / 100 % 100_000_000) as u32)
    }

    /// UTC seconds by the calendar that stamps events.
    pub(crate) fn event_clock_s(&self) -> u32 {
        u32::try_from(self.utc_ms() / 1000).unwrap_or(u32::MAX)
    }

    /// Keeps the book of conditions and tells the gateway of those that are a danger or an outage.
    pub(super) fn note_events(&mut self) {
        if self.values.window == 0 {
            return;
        }
        let active = self.values.conditions;
        let before = self.events.holding();
        let (now_s, energies) = (self.event_clock_s(), self.energies());
        let noted = self.events.update(active, now_s, energies, &mut self.store);
        if noted.is_err() {
            self.counts.store_failures = self.counts.store_failures.saturating_add(1);
        }
        for (condition, phase) in active.without(before).iter() {
            self.tell_condition(condition, phase, EventPhase::RAISED);
        }
        for (condition, phase) in before.without(active).iter() {
            self.tell_condition(condition, phase, EventPhase::CLEARED);
        }
    }

    fn tell_condition(&mut self, condition: Condition, phase: usize, edge: EventPhase) {
        let voltage = |line: &PhaseValues| Value::new(line.voltage_mv.into(), -3);
        let (code, severity, quantity, value): (_, _, _, fn(&PhaseValues) -> Value) =
            match condition {
                Condition::VoltageLost | Condition::PhaseBroken => {
                    (Event::PHASE_LOSS, 5, Quantity::VOLTAGE, voltage)
                }
                Condition::AllVoltagesLost | Condition::PowerDown => {
                    (Event::OUTAGE, 6, Quantity::VOLTAGE, voltage)
                }
                Condition::UnderVoltage => (Event::UNDER_VOLTAGE, 4, Quantity::VOLTAGE, voltage),
                Condition::OverVoltage => (Event::OVER_VOLTAGE, 5, Quantity::VOLTAGE, voltage),
                Condition::OverCurrent => (Event::OVERLOAD, 5, Quantity::CURRENT, |line| {
                    Value::new(line.current_ua.into(), -6)
                }),
                Condition::Overload => (Event::OVERLOAD, 5, Quantity::ACTIVE_POWER, |line| {
                    Value::new(line.active_mw.into(), -3)
                }),
                // The rest is in the book, for who reads it: reversal, for one, is the rule where the sun shines.
                _ => return,
            };
        let line = self.values.phase.get(phase).copied().unwrap_or_default();
        let phases = [Phase::L1, Phase::L2, Phase::L3];
        let point = phases.get(phase).map_or(PointId::new(quantity), |phase| {
            PointId::new(quantity).phase(*phase)
        });
        // The number of the occurrence and the place in the book: the same for raised and cleared, over restarts too.
        let count = self
            .events
            .entry(condition, phase)
            .map_or(0, |entry| entry.count);
        let instance = count
            .wrapping_mul(256)
            .wrapping_add(condition as u32 * 3 + phase as u32);
        let _ = self.event(code, severity, edge, instance, (point, Some(value(&line))));
    }
}
