//! The start of a metering core, in place: on a small chip there is no room for it twice.

use metrology::event::{Conditions, Monitor};
use metrology::{Calibration, Meter};
use security::counter::{DEFAULT_BLOCK, SendCounter};
use security::envelope::Direction;
use security::gate::{OrderGate, STATE_LEN, StateError};
use security::key::DeviceKey;
use security::link::Sealer;
use security::suite::Suite;

use super::blocks::slot_key;
use super::kept::{Saved, read_number, read_record, split_state, write_number};
use super::logging::Log;
use super::{BARE_SLOTS, BLOCKS, Config, Counts, Keys, MeteringCore, StartError};
use crate::crossing::{RecordName, RelayState};
use crate::records::{BLOCK_SLOT, BOOT, DATA_LIMIT, LCTRL_LIMIT, METERING_GATE, RELAY, VERSION};
use crate::store::{Key, MAX_RECORD, Store, StoreError};

/// A metering core that has not read its store yet: it meters and answers only behind [`Starting::resume`].
///
/// ```text
/// let mut starting = Starting::new(config, &keys, store, rtc_ms);
/// let core = starting.resume(&keys)?;
/// ```
#[derive(Debug)]
pub struct Starting<const P: usize, S>(pub(super) MeteringCore<P, S>);

impl<const P: usize, S: Store> Starting<P, S> {
    /// A core that knows its keys and constants.
    #[inline(never)]
    pub fn new(config: Config<P>, keys: &Keys<'_>, store: S, rtc_ms: u64) -> Self {
        Self(MeteringCore {
            meter: Meter::new(&config.calibration),
            config,
            store,
            monitor: Monitor::resume(Conditions::EMPTY),
            sealer: sealer(keys.data, 0),
            answers: sealer(keys.lctrl, 0),
            gate: OrderGate::new(keys.lctrl, Suite::Ccm16),
            name: RecordName::default(),
            waiting: [None; BLOCKS],
            acknowledged: RecordName::default(),
            saves: 0,
            next_legal_ms: 0,
            rtc_ms,
            offset_ms: 0,
            synced_day: 0,
            relay: RelayState {
                closed: true,
                wish_closed: true,
                ..RelayState::default()
            },
            permitted: false,
            relay_moved_ms: None,
            highest_boot: 0,
            boot_given_ms: None,
            log: Log::new(keys.audit),
            counts: Counts::default(),
        })
    }

    /// Goes on from what the store holds, or as a new meter when it is empty.
    ///
    /// # Errors
    /// [`StartError`], all variants.
    #[inline(never)]
    pub fn resume(&mut self, keys: &Keys<'_>) -> Result<&mut MeteringCore<P, S>, StartError> {
        let core = &mut self.0;
        let saved = core.read_states()?;
        core.read_orders(keys)?;
        let fingerprint = core.read_log()?;
        let boot = read_number(&mut core.store, BOOT)?.unwrap_or(0) as u32;
        let boot = boot.saturating_add(1);
        let data = read_number(&mut core.store, DATA_LIMIT)?.unwrap_or(0);
        let lctrl = read_number(&mut core.store, LCTRL_LIMIT)?.unwrap_or(0);
        core.sealer = sealer(keys.data, data);
        core.answers = sealer(keys.lctrl, lctrl);
        // Before anything is numbered under it.
        write_number(&mut core.store, BOOT, boot.into())?;
        core.name = RecordName { boot, seq: 0 };
        core.highest_boot = boot;
        let mut since_s = 0;
        if let Some(saved) = saved {
            since_s = saved.utc_s;
            core.saves = saved.number;
            core.offset_ms = saved.offset_ms;
            core.synced_day = saved.synced_day;
            core.monitor = Monitor::resume(saved.conditions);
        }
        core.next_legal_ms = core.after_interval();
        core.power_up(since_s, fingerprint)?;
        Ok(core)
    }
}

/// Its numbers begin behind the stored limit.
#[inline(never)]
fn sealer(key: &DeviceKey, limit: u64) -> Sealer {
    let counter = SendCounter::boot(limit, DEFAULT_BLOCK);
    Sealer::new(key, Direction::FromDevice, Suite::Ccm16, counter)
}

impl<const P: usize, S: Store> MeteringCore<P, S> {
    /// The newest state that can be read, and which blocks wait.
    #[inline(never)]
    fn read_states(&mut self) -> Result<Option<Saved>, StartError> {
        let mut best: Option<Saved> = None;
        let mut buffer = [0; MAX_RECORD];
        for slot in 0..BLOCKS + BARE_SLOTS {
            let read = self.store.read(slot_key(slot), &mut buffer);
            let Ok(length) = read else {
                self.counts.damaged += 1;
                continue;
            };
            let Some(record) = length.and_then(|length| buffer.get(..length)) else {
                continue;
            };
            let Some((saved, block, state)) = split_state(record) else {
                self.counts.damaged += 1;
                continue;
            };
            if let Some(place) = self.waiting.get_mut(slot) {
                *place = (!block.is_empty()).then_some(saved.name);
            }
            self.acknowledged = self.acknowledged.max(saved.acknowledged);
            if best.as_ref().is_none_or(|best| best.number < saved.number) {
                match self.meter.restore(&self.config.calibration, state) {
                    Ok(()) => best = Some(saved),
                    Err(_) => self.counts.damaged += 1,
                }
            }
        }
        if best.is_none() && self.counts.damaged > 0 {
            return Err(StartError::Damaged { key: BLOCK_SLOT });
        }
        for place in &mut self.waiting {
            *place = place.filter(|name| *name > self.acknowledged);
        }
        Ok(best)
    }

    /// The memory of orders, and the relay as they left it.
    #[inline(never)]
    fn read_orders(&mut self, keys: &Keys<'_>) -> Result<(), StartError> {
        // One byte more than there should be: a longer record is a damaged one.
        let mut buffer = [0; STATE_LEN + 1];
        let state = match self.store.read(METERING_GATE, &mut buffer) {
            Err(StoreError::Read | StoreError::TooLong { .. }) => {
                return Err(damaged(METERING_GATE));
            }
            other => other?.and_then(|length| buffer.get(..length)),
        };
        if let Some(state) = state {
            restore(&mut self.gate, keys.lctrl, state).map_err(|_| damaged(METERING_GATE))?;
        }
        if let Some(record) = read_record(&mut self.store, RELAY, &mut buffer)? {
            let [VERSION, bits, permit] = *record else {
                return Err(damaged(RELAY));
            };
            self.relay = RelayState::from_bits(bits).ok_or(damaged(RELAY))?;
            self.permitted = permit != 0;
        }
        Ok(())
    }

    /// Where the log stands; the fingerprint of the constants.
    #[inline(never)]
    fn read_log(&mut self) -> Result<u32, StartError> {
        let mut buffer = [0; MAX_RECORD];
        self.log
            .open(&mut self.store, &mut buffer, &mut self.counts.damaged)?;
        Ok(fingerprint(&self.config.calibration, &mut buffer))
    }
}

/// Apart: the gate stands on the stack once more while it is read.
#[inline(never)]
fn restore(gate: &mut OrderGate, key: &DeviceKey, state: &[u8]) -> Result<(), StateError> {
    *gate = OrderGate::restore(key, Suite::Ccm16, state)?;
    Ok(())
}

const fn damaged(key: Key) -> StartError {
    StartError::Damaged { key }
}

/// The check sum of the constants; 0 would be that of none, which have no stored form.
fn fingerprint<const P: usize>(calibration: &Calibration<P>, buffer: &mut [u8; MAX_RECORD]) -> u32 {
    let length = calibration.encode(buffer).unwrap_or(0);
    let check = buffer.get(..length).and_then(|bytes| bytes.last_chunk());
    check.map_or(0, |check| u32::from_le_bytes(*check))
}
