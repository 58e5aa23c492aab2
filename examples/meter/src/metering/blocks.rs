//! Legal blocks: sealed with `data`, stored together with the state they were sealed from, handed out in order.

use meter_proto::message::{Head, Stream};
use meter_proto::time::{ClockQuality, Stamp};
use security::envelope::Class;

use super::kept::{reserve, split_state};
use super::reading::snapshot;
use super::{BLOCKS, MeteringCore};
use crate::crossing::{Answer, MAX_BLOCK, RecordName, Refusal};
use crate::cursor::Writer;
use crate::records::{BARE_SLOT, BLOCK_SLOT, DATA_LIMIT, STATE_VERSION};
use crate::store::{Key, MAX_RECORD, Store, StoreError};

impl<const P: usize, S: Store> MeteringCore<P, S> {
    /// Seals the registers and stores them with their block.
    pub(super) fn make_block(&mut self) -> Result<(), StoreError> {
        let Some(slot) = self.waiting.iter().position(Option::is_none) else {
            // Stream 1 overwrites nothing that waits: registers go on, this interval has no block of its own.
            self.counts.held_back = self.counts.held_back.saturating_add(1);
            return self.save();
        };
        let name = RecordName {
            boot: self.name.boot,
            seq: self.name.seq.saturating_add(1),
        };
        let mut sealed = [0; MAX_BLOCK];
        let stamp = Stamp::from_seconds(self.utc_ms() / 1000, ClockQuality::LEGAL);
        let head = Head {
            node: 0,
            stream: Stream::LEGAL,
            boot: name.boot,
            seq: name.seq,
            stamp,
        };
        let mut plain = [0; MAX_BLOCK];
        let length = snapshot(&head, &self.registers(), &mut plain)
            .ok_or(StoreError::TooLong { found: MAX_BLOCK })?;
        let plain = plain.get(..length).unwrap_or_default();
        reserve(&mut self.sealer, &mut self.store, DATA_LIMIT)?;
        let block = self
            .sealer
            .seal_from(Class::Data, b"", plain, &mut sealed)
            .map_err(|_| StoreError::Write)?
            .len();
        self.name = name;
        let stored = self.write_state(slot, sealed.get(..block).unwrap_or_default());
        if stored.is_err() {
            self.name.seq = name.seq.saturating_sub(1);
            return stored;
        }
        if let Some(place) = self.waiting.get_mut(slot) {
            *place = Some(name);
        }
        self.counts.blocks = self.counts.blocks.saturating_add(1);
        Ok(())
    }

    pub(super) fn write_state(&mut self, slot: usize, block: &[u8]) -> Result<(), StoreError> {
        let mut record = [0; MAX_RECORD];
        let number = self.saves.saturating_add(1);
        let mut w = Writer::new(&mut record);
        w.u8(STATE_VERSION);
        w.u64(number);
        w.u64(self.utc_ms() / 1000);
        for name in [self.name, self.acknowledged] {
            w.u32(name.boot);
            w.u32(name.seq);
        }
        w.i64(self.offset_ms);
        w.u64(self.synced_day);
        w.u64(self.monitor.active().bits());
        w.u16(block.len() as u16);
        w.put(block);
        let too_long = StoreError::TooLong { found: MAX_RECORD };
        let head = w.finish().ok_or(too_long)?;
        // Straight behind it: a second buffer costs stack.
        let room = record.get_mut(head..).unwrap_or_default();
        let state = self
            .meter
            .save(&self.config.calibration, room)
            .map_err(|_| too_long)?;
        let length = head.saturating_add(state);
        self.store
            .write(slot_key(slot), record.get(..length).unwrap_or_default())?;
        self.saves = number;
        Ok(())
    }

    pub(super) fn next_block<'b>(
        &mut self,
        acknowledged: Option<RecordName>,
        buffer: &'b mut [u8; MAX_BLOCK],
    ) -> Answer<'b> {
        if let Some(mark) = acknowledged {
            // Only blocks that exist can be acknowledged, so no later one is lost by a wrong mark.
            for place in &mut self.waiting {
                if let Some(name) = place.filter(|name| *name <= mark) {
                    self.acknowledged = self.acknowledged.max(name);
                    *place = None;
                }
            }
        }
        let oldest = self
            .waiting
            .iter()
            .enumerate()
            .filter_map(|(slot, name)| name.map(|name| (name, slot)))
            .min();
        let Some((name, slot)) = oldest else {
            return Answer::NoBlock;
        };
        let mut record = [0; MAX_RECORD];
        let length = self
            .store
            .read(slot_key(slot), &mut record)
            .ok()
            .flatten()
            .unwrap_or(0);
        let Some((saved, block, _)) = record.get(..length).and_then(split_state) else {
            return Answer::Refused(Refusal::Store);
        };
        match buffer.get_mut(..block.len()) {
            Some(place) if saved.name == name => {
                place.copy_from_slice(block);
                Answer::Block {
                    name,
                    utc_s: saved.utc_s,
                    envelope: place,
                }
            }
            _ => Answer::Refused(Refusal::Store),
        }
    }
}

pub(super) fn slot_key(slot: usize) -> Key {
    // At most BLOCKS + BARE_SLOTS - 1.
    if slot < BLOCKS {
        BLOCK_SLOT + slot as Key
    } else {
        BARE_SLOT + (slot - BLOCKS) as Key
    }
}
