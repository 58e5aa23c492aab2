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

mod blocks;
mod config;
mod kept;
mod logging;
mod reading;
mod relay;
mod starting;

use metrology::event::{Monitor, Observation};
use metrology::{Meter, Quantities, Registers, Sample};
use security::gate::OrderGate;
use security::link::Sealer;

use crate::crossing::{
    Answer, MAX_BLOCK, MAX_BODY, RecordName, Refusal, RelayState, Request, Steps, Totals,
};
use crate::log::{Event, Matter, image_detail};
use crate::records::BOOT;
use crate::store::{MAX_RECORD, Store, StoreError};

pub use config::{Config, Counts, Keys};
pub use kept::{StartError, stored_name};
pub(crate) use kept::{read_number, read_record, write_number};
use logging::{Log, first_bytes};
use reading::instantaneous;
pub use starting::Starting;

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
    log: Log,
    counts: Counts,
}

impl<const P: usize, S: Store> MeteringCore<P, S> {
    /// Starts from what `store` holds, or as a new meter when it is empty. `rtc_ms` is the calendar chip's UTC,
    /// milliseconds since 1970. Where a second copy of the core finds no room on the stack, [`Starting`] does the same in
    /// place.
    ///
    /// # Errors
    /// [`StartError`], all variants.
    pub fn start(
        config: Config<P>,
        keys: &Keys<'_>,
        store: S,
        rtc_ms: u64,
    ) -> Result<Self, StartError> {
        let mut starting = Starting::new(config, keys, store, rtc_ms);
        starting.resume(keys)?;
        Ok(starting.0)
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

    /// Lets time pass: makes a legal block when its interval ends, writes what is due of the log. `rtc_ms` never falls.
    pub fn tick(&mut self, rtc_ms: u64) {
        self.rtc_ms = rtc_ms.max(self.rtc_ms);
        if self.tell(false).is_err() {
            self.counts.store_failures = self.counts.store_failures.saturating_add(1);
        }
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

    /// Stores the state. [`MeteringCore::power_down`] is the clean end.
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
                self.note(Matter::Unknown, first_bytes(request));
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
            Some(Request::Line { chain, number }) => self.line(chain, number),
            Some(Request::Image {
                counter,
                version,
                revision,
            }) => self.image(image_detail(counter, version, revision)),
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

    /// The first one who asks shares the boot of this core; later ones get a new number, which costs a write and is
    /// therefore given at most once a minute.
    fn hand_out_boot(&mut self) -> Answer<'static> {
        let Some(at) = self.boot_given_ms else {
            self.boot_given_ms = Some(self.rtc_ms);
            self.note(Matter::Started, self.highest_boot.into());
            return Answer::Boot(self.highest_boot);
        };
        if self.rtc_ms.saturating_sub(at) < BOOT_REST_MS {
            self.note(Matter::BootTooSoon, 0);
            return Answer::Refused(Refusal::TooFast);
        }
        let boot = self.highest_boot.saturating_add(1);
        if write_number(&mut self.store, BOOT, boot.into()).is_err() {
            return Answer::Refused(Refusal::Store);
        }
        self.highest_boot = boot;
        self.boot_given_ms = Some(self.rtc_ms);
        self.note(Matter::Started, boot.into());
        Answer::Boot(boot)
    }

    fn clock_sync(&mut self, utc_ms: u64) -> Answer<'static> {
        let now = self.utc_ms();
        let day = now / DAY_MS;
        if day == self.synced_day {
            self.note(Matter::ClockRefused, utc_ms);
            return Answer::Refused(Refusal::ClockLimit);
        }
        let size = utc_ms.abs_diff(now).min(CLOCK_STEP_MS) as i32;
        let step_ms = if utc_ms < now { -size } else { size };
        let before = (self.offset_ms, self.synced_day);
        let (before_ms, now_ms) = (
            self.offset_ms,
            self.offset_ms.saturating_add(step_ms.into()),
        );
        if self.log(Event::ClockSet { before_ms, now_ms }).is_err() {
            return Answer::Refused(Refusal::Store);
        }
        self.offset_ms = now_ms;
        self.synced_day = day;
        if self.save().is_err() {
            (self.offset_ms, self.synced_day) = before;
            // The step that was announced did not come.
            let _ = self.log(Event::ClockSet {
                before_ms: now_ms,
                now_ms: before_ms,
            });
            return Answer::Refused(Refusal::Store);
        }
        Answer::Clock { step_ms }
    }
}
