//! The metering core: samples to registers, sealed readings, the relay. It trusts nobody.
//!
//! ```text
//! samples ─> metrology ─> registers ─┬─> every legal interval: block sealed with `data`, stored with the state
//!                                    └─> answers of the closed list (`crossing`)
//! sealed orders (`lctrl`) ─> gate ─┐
//! relay wish of the other core ────┴─> relay: hold power > trip by order > wish
//! ```
//!
//! What a power cut costs: energy since the last stored state, so at most one legal interval. No number is used
//! twice: boots are stored ahead, and so are the limits of the sealing counters. A block is stored together with the
//! registers it was sealed from, in one record, so registers never fall behind a block that was handed out.

mod config;
mod kept;
mod reading;
mod relay;

use meter_proto::message::{Head, Stream};
use meter_proto::time::{ClockQuality, Stamp};
use metrology::event::{Conditions, Monitor, Observation};
use metrology::{Meter, Quantities, Registers, Sample};
use security::counter::{DEFAULT_BLOCK, SendCounter};
use security::envelope::{Class, Direction};
use security::gate::OrderGate;
use security::link::Sealer;
use security::suite::Suite;

use crate::crossing::{
    Answer, MAX_BLOCK, MAX_BODY, RecordName, Refusal, RelayState, Request, Steps, Totals,
};
use crate::cursor::Writer;
use crate::records::{
    BARE_SLOT, BLOCK_SLOT, BOOT, DATA_LIMIT, LCTRL_LIMIT, METERING_GATE, RELAY, STATE_VERSION,
    VERSION,
};
use crate::store::{Key, MAX_RECORD, Store, StoreError};

pub use config::{Config, Counts, Keys};
use kept::{Saved, reserve, split_state};
pub use kept::{StartError, stored_name};
pub(crate) use kept::{read_number, read_record, write_number};
use reading::{instantaneous, snapshot};

/// Legal blocks that wait for the management core.
pub const BLOCKS: usize = 8;
/// Least time between two movements of the contact, milliseconds.
pub const RELAY_REST_MS: u64 = 2_000;
/// Largest clock step a day, milliseconds.
pub const CLOCK_STEP_MS: u64 = 1_000;

/// Least time between two boots handed out, milliseconds.
const BOOT_REST_MS: u64 = 60_000;
const BARE_SLOTS: usize = 2;
const DAY_MS: u64 = 86_400_000;

/// The metering core of a meter with `P` phases.
#[derive(Debug)]
pub struct MeteringCore<const P: usize, S> {
    config: Config<P>,
    store: S,
    meter: Meter<P>,
    monitor: Monitor<P>,
    sealer: Sealer,
    answers: Sealer,
    gate: OrderGate,
    name: RecordName,
    /// Names of the blocks in the slots that the other core has not acknowledged.
    waiting: [Option<RecordName>; BLOCKS],
    acknowledged: RecordName,
    saves: u64,
    next_legal_ms: u64,
    rtc_ms: u64,
    offset_ms: i64,
    synced_day: u64,
    relay: RelayState,
    permitted: bool,
    relay_moved_ms: Option<u64>,
    highest_boot: u32,
    boot_given_ms: Option<u64>,
    counts: Counts,
}

impl<const P: usize, S: Store> MeteringCore<P, S> {
    /// Starts from what `store` holds, or as a new meter when it is empty. `rtc_ms` is the calendar chip's UTC,
    /// milliseconds since 1970.
    ///
    /// # Errors
    /// [`StartError`], all variants.
    pub fn start(
        config: Config<P>,
        keys: &Keys<'_>,
        mut store: S,
        rtc_ms: u64,
    ) -> Result<Self, StartError> {
        let boot = read_number(&mut store, BOOT)?.unwrap_or(0) as u32;
        let boot = boot.saturating_add(1);
        let mut meter = Meter::new(&config.calibration);
        let mut counts = Counts::default();
        let mut best: Option<Saved> = None;
        let mut waiting = [None; BLOCKS];
        let mut buffer = [0; MAX_RECORD];
        let mut acknowledged = RecordName::default();
        for slot in 0..BLOCKS + BARE_SLOTS {
            let read = store.read(slot_key(slot), &mut buffer);
            let Ok(length) = read else {
                counts.damaged += 1;
                continue;
            };
            let Some(record) = length.and_then(|length| buffer.get(..length)) else {
                continue;
            };
            let Some((saved, block, state)) = split_state(record) else {
                counts.damaged += 1;
                continue;
            };
            if let Some(place) = waiting.get_mut(slot) {
                *place = (!block.is_empty()).then_some(saved.name);
            }
            acknowledged = acknowledged.max(saved.acknowledged);
            if best.as_ref().is_none_or(|best| best.number < saved.number) {
                match meter.restore(&config.calibration, state) {
                    Ok(()) => best = Some(saved),
                    Err(_) => counts.damaged += 1,
                }
            }
        }
        if best.is_none() && counts.damaged > 0 {
            return Err(StartError::Damaged { key: BLOCK_SLOT });
        }
        for place in &mut waiting {
            *place = place.filter(|name| *name > acknowledged);
        }
        let gate = match read_record(&mut store, METERING_GATE, &mut buffer)? {
            None => OrderGate::new(keys.lctrl, Suite::Ccm16),
            Some(state) => OrderGate::restore(keys.lctrl, Suite::Ccm16, state)
                .map_err(|_| StartError::Damaged { key: METERING_GATE })?,
        };
        let (mut relay, mut permitted) = (
            RelayState {
                closed: true,
                wish_closed: true,
                ..RelayState::default()
            },
            false,
        );
        if let Some(record) = read_record(&mut store, RELAY, &mut buffer)? {
            let [VERSION, bits, permit] = *record else {
                return Err(StartError::Damaged { key: RELAY });
            };
            relay = RelayState::from_bits(bits).ok_or(StartError::Damaged { key: RELAY })?;
            permitted = permit != 0;
        }
        let data = SendCounter::boot(
            read_number(&mut store, DATA_LIMIT)?.unwrap_or(0),
            DEFAULT_BLOCK,
        );
        let lctrl = SendCounter::boot(
            read_number(&mut store, LCTRL_LIMIT)?.unwrap_or(0),
            DEFAULT_BLOCK,
        );
        // Before anything is numbered under it.
        write_number(&mut store, BOOT, boot.into())?;
        let saved = best.unwrap_or(Saved {
            number: 0,
            utc_s: 0,
            name: RecordName::default(),
            acknowledged,
            offset_ms: 0,
            synced_day: 0,
            conditions: Conditions::EMPTY,
        });
        let mut core = Self {
            config,
            store,
            meter,
            monitor: Monitor::resume(saved.conditions),
            sealer: Sealer::new(keys.data, Direction::FromDevice, Suite::Ccm16, data),
            answers: Sealer::new(keys.lctrl, Direction::FromDevice, Suite::Ccm16, lctrl),
            gate,
            name: RecordName { boot, seq: 0 },
            waiting,
            acknowledged,
            saves: saved.number,
            next_legal_ms: 0,
            rtc_ms,
            offset_ms: saved.offset_ms,
            synced_day: saved.synced_day,
            relay,
            permitted,
            relay_moved_ms: None,
            highest_boot: boot,
            boot_given_ms: None,
            counts,
        };
        core.next_legal_ms = core.after_interval();
        Ok(core)
    }

    /// Meters one block of simultaneous samples.
    pub fn process(&mut self, samples: &[Sample<P>]) {
        let progress = self.meter.process(&self.config.calibration, samples);
        if progress.windows > 0 {
            let quantities = self.meter.quantities();
            let each_ms = quantities.duration_ms(&self.config.calibration);
            // A block longer than a window shows its last one only, which stands for all of them.
            let elapsed_ms = each_ms.saturating_mul(progress.windows);
            let _ = self.monitor.update(
                &self.config.limits,
                &Observation::of(quantities, elapsed_ms),
            );
        }
    }

    /// Lets time pass: makes a legal block when its interval ends. `rtc_ms` never falls.
    pub fn tick(&mut self, rtc_ms: u64) {
        self.rtc_ms = rtc_ms.max(self.rtc_ms);
        if self.utc_ms() >= self.next_legal_ms {
            match self.make_block() {
                Ok(()) => self.next_legal_ms = self.after_interval(),
                // Tried again at the next tick, under the same number and in the same slot.
                Err(_) => self.counts.store_failures = self.counts.store_failures.saturating_add(1),
            }
        }
    }

    /// Legal time: UTC, milliseconds since 1970.
    #[must_use]
    pub fn utc_ms(&self) -> u64 {
        self.rtc_ms.saturating_add_signed(self.offset_ms)
    }

    /// Whether the contact is closed.
    #[must_use]
    pub const fn relay_closed(&self) -> bool {
        self.relay.closed
    }

    /// Registers now.
    #[must_use]
    pub fn registers(&self) -> Registers<P> {
        self.meter.registers(&self.config.calibration)
    }

    /// The whole state of the signal chain as it would be stored, remainders included; its length.
    #[must_use]
    pub fn chain_state(&self, out: &mut [u8; MAX_RECORD]) -> Option<usize> {
        self.meter.save(&self.config.calibration, out).ok()
    }

    /// Quantities of the last window.
    #[must_use]
    pub fn quantities(&self) -> &Quantities<P> {
        self.meter.quantities()
    }

    /// What was counted.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Boots so far, this one included.
    #[must_use]
    pub const fn boot(&self) -> u32 {
        self.name.boot
    }

    /// Stores the state before a clean end.
    ///
    /// # Errors
    /// [`StoreError`]; the last state stored before stays.
    pub fn save(&mut self) -> Result<(), StoreError> {
        self.write_state(BLOCKS + (self.saves % BARE_SLOTS as u64) as usize, &[])
    }

    /// Gives the store back: what a power cut leaves.
    pub fn into_store(self) -> S {
        self.store
    }

    /// Answers one question of the other core; the length of the answer in `out`.
    pub fn handle(&mut self, request: &[u8], out: &mut [u8; MAX_BODY]) -> usize {
        let mut block = [0; MAX_BLOCK];
        let answer = match Request::parse(request) {
            None => {
                self.counts.unknown = self.counts.unknown.saturating_add(1);
                Answer::Refused(Refusal::Unknown)
            }
            Some(Request::Totals) => Answer::Totals(self.totals()),
            Some(Request::Instantaneous) => Answer::Instantaneous(instantaneous(
                self.meter.quantities(),
                self.monitor.active(),
            )),
            Some(Request::NextBlock { acknowledged }) => self.next_block(acknowledged, &mut block),
            Some(Request::RelayWish { closed }) => self.relay_wish(closed),
            Some(Request::Order(envelope)) => self.order(envelope, &mut block),
            Some(Request::ClockSync { utc_ms }) => self.clock_sync(utc_ms),
            Some(Request::Boot) => self.hand_out_boot(),
        };
        answer.encode(out).unwrap_or(0)
    }

    fn after_interval(&self) -> u64 {
        let interval = self.config.legal_interval_ms.max(1_000);
        (self.utc_ms() / interval + 1).saturating_mul(interval)
    }

    fn totals(&self) -> Totals {
        let registers = self.registers();
        let mut phase = [Steps::default(); 3];
        for (to, from) in phase.iter_mut().zip(&registers.phase) {
            *to = Steps {
                import: from.import,
                export: from.export,
            };
        }
        Totals {
            boot: self.name.boot,
            utc_ms: self.utc_ms(),
            phases: P as u8,
            relay: self.relay,
            active: Steps {
                import: registers.active.import,
                export: registers.active.export,
            },
            phase,
            reactive: registers.reactive,
        }
    }

    /// Seals the registers and stores them with their block.
    fn make_block(&mut self) -> Result<(), StoreError> {
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

    fn write_state(&mut self, slot: usize, block: &[u8]) -> Result<(), StoreError> {
        let mut record = [0; MAX_RECORD];
        let mut w = Writer::new(&mut record);
        let number = self.saves.saturating_add(1);
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
        let mut state = [0; MAX_RECORD];
        let length = self
            .meter
            .save(&self.config.calibration, &mut state)
            .map_err(|_| StoreError::Write)?;
        w.put(state.get(..length).unwrap_or_default());
        let length = w
            .finish()
            .ok_or(StoreError::TooLong { found: MAX_RECORD })?;
        self.store
            .write(slot_key(slot), record.get(..length).unwrap_or_default())?;
        self.saves = number;
        Ok(())
    }

    fn next_block<'b>(
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

    /// The first one who asks shares the boot of this core; later ones get a new number, which costs a write and is
    /// therefore given at most once a minute.
    fn hand_out_boot(&mut self) -> Answer<'static> {
        let Some(at) = self.boot_given_ms else {
            self.boot_given_ms = Some(self.rtc_ms);
            return Answer::Boot(self.highest_boot);
        };
        if self.rtc_ms.saturating_sub(at) < BOOT_REST_MS {
            return Answer::Refused(Refusal::TooFast);
        }
        let boot = self.highest_boot.saturating_add(1);
        if write_number(&mut self.store, BOOT, boot.into()).is_err() {
            return Answer::Refused(Refusal::Store);
        }
        self.highest_boot = boot;
        self.boot_given_ms = Some(self.rtc_ms);
        Answer::Boot(boot)
    }

    fn clock_sync(&mut self, utc_ms: u64) -> Answer<'static> {
        let now = self.utc_ms();
        let day = now / DAY_MS;
        if day == self.synced_day {
            return Answer::Refused(Refusal::ClockLimit);
        }
        let size = utc_ms.abs_diff(now).min(CLOCK_STEP_MS) as i32;
        let step_ms = if utc_ms < now { -size } else { size };
        let before = (self.offset_ms, self.synced_day);
        self.offset_ms = self.offset_ms.saturating_add(step_ms.into());
        self.synced_day = day;
        if self.save().is_err() {
            (self.offset_ms, self.synced_day) = before;
            return Answer::Refused(Refusal::Store);
        }
        Answer::Clock { step_ms }
    }
}

fn slot_key(slot: usize) -> Key {
    // At most BLOCKS + BARE_SLOTS - 1.
    if slot < BLOCKS {
        BLOCK_SLOT + slot as Key
    } else {
        BARE_SLOT + (slot - BLOCKS) as Key
    }
}
