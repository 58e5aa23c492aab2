//! Alarms that are raised and wait for their acknowledgement.

use heapless::Vec;

use super::Key;
use crate::message::{Event, EventPhase};

/// Alarms remembered at once; further ones are sent in their turn.
const ALARMS: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Alarm {
    node: u16,
    code: u16,
    instance: u32,
    key: Key,
}

#[derive(Debug, Default)]
pub(super) struct Alarms {
    raised: Vec<Alarm, ALARMS>,
}

impl Alarms {
    /// Takes note of a stored event.
    pub(super) fn note(&mut self, node: u16, event: &Event, key: Key) {
        let same = |alarm: &Alarm| {
            (alarm.node, alarm.code, alarm.instance) == (node, event.code, event.instance)
        };
        match event.phase {
            EventPhase::RAISED if !self.raised.iter().any(same) => {
                // Without room it goes in its turn.
                let _ = self.raised.push(Alarm {
                    node,
                    code: event.code,
                    instance: event.instance,
                    key,
                });
            }
            EventPhase::CLEARED => self.raised.retain(|alarm| !same(alarm)),
            _ => {}
        }
    }

    /// A record that waits no more.
    pub(super) fn forget(&mut self, key: Key) {
        self.raised.retain(|alarm| alarm.key != key);
    }

    /// The records of the alarms, oldest first.
    pub(super) fn raised(&self) -> Vec<Key, ALARMS> {
        // One after the other: the library's sort takes kilobytes of flash for these few.
        let mut keys: Vec<Key, ALARMS> = Vec::new();
        while let Some(next) = self
            .raised
            .iter()
            .map(|alarm| alarm.key)
            .filter(|key| keys.last().is_none_or(|last| key > last))
            .min()
        {
            if keys.push(next).is_err() {
                break;
            }
        }
        keys
    }
}
