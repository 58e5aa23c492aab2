//! The management core: tariff and purse, records that wait for the gateway, the wish about the relay.
//!
//! ```text
//!            questions (crossing) ──> line between the cores
//! totals ─> account (tariff machine) ─> relay wish          values ─> face (DL/T 645)
//! legal blocks ─> waiting records <─ events, results        commands, recharge orders <─ face
//! ```
//!
//! Nothing here is legal: rate registers, purse and calendar can be worked out again from sealed readings. What a power
//! cut costs: nothing of the energy (the account is stored together with the register up to which it counts; the
//! rest is booked again after the start, at the rate then in force), and no sale, which is one record.

mod calendar;
mod config;
mod logged;
mod orders;
mod rows;
mod telling;

use dlt645::Address;
use heapless::Vec;
use meter_proto::compact;
use meter_proto::message::{Acknowledgement, Head, LegalBlock, Status, Stream};
use meter_proto::outbox::{Key as Name, Outbox, OutboxStore, Quota, Refused, Timing};
use meter_proto::time::{ClockQuality, Stamp};
use tariff::meter::Reading;

use crate::account::Account;
use crate::clock;
use crate::crossing::{
    Answer, Instantaneous, MAX_BODY, MAX_SEALED, RecordName, Request, Steps, Totals,
};
use crate::events::EventBook;
use crate::metering::{StartError, read_record, write_number};
use crate::records::{TAKEN, VERSION};
use crate::store::{Store, StoreError};
use crate::uses::Uses;

pub use config::{Config, Counts, Keys, PasswordError};
use logged::Wanted;
pub use logged::{Image, LOG_ANSWER};

/// Longest record for the gateway, bytes.
pub const MAX_MESSAGE: usize = 600;
/// Time between two readings of the metering core, milliseconds.
const READ_EVERY_MS: u64 = 500;
/// Time until a question is asked again that found no answer, milliseconds.
const AGAIN_MS: u64 = 1_000;
const DAY_MS: u64 = 86_400_000;
/// Wrong passwords until plain passwords rest for the day.
const WRONG_PASSWORDS: u8 = 3;

/// The question that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Totals,
    Instantaneous,
    NextBlock,
    Wish,
    Order,
    Clock,
    Line,
    Image,
}

/// An order for the metering core on its way.
#[derive(Clone, Debug)]
struct Passing {
    id: u64,
    envelope: Vec<u8, MAX_SEALED>,
}

/// The management core. `S` keeps its state, `O` the records that wait for the gateway.
#[derive(Debug)]
pub struct ManagementCore<S, O> {
    config: Config,
    store: S,
    outbox: Outbox<O, 1>,
    account: Account,
    uses: Uses,
    events: EventBook,
    boot: u32,
    taken: Option<RecordName>,
    totals: Totals,
    /// When `totals` came, on the clock of the calls.
    totals_ms: u64,
    now_ms: u64,
    values: Instantaneous,
    /// The management calendar against the legal clock, milliseconds.
    offset_ms: i64,
    broadcast_day: u64,
    wanted_clock: Option<u64>,
    asked: Option<Asked>,
    next_read_ms: u64,
    next_wish_ms: u64,
    read_values: bool,
    more_blocks: bool,
    passing: Option<Passing>,
    relay_told: Option<bool>,
    /// Since when a trip waits for the current to fall, on the clock of the calls.
    trip_waits_ms: Option<u64>,
    credit_told: u8,
    event_instance: u32,
    credit_instance: [u32; 2],
    wrong_passwords: (u64, u8),
    /// A line of the log that somebody asked for.
    wanted_line: Option<Wanted>,
    /// What was told of it.
    told_line: Vec<u8, LOG_ANSWER>,
    /// What the other core is still to hear of this image.
    image: Option<Image>,
    counts: Counts,
}

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Starts from what the stores hold. `boot` is what the metering core handed out for this start.
    ///
    /// # Errors
    /// [`StartError`], all variants.
    pub fn start(
        config: Config,
        keys: &Keys<'_>,
        mut store: S,
        waiting: O,
        boot: u32,
    ) -> Result<Self, StartError> {
        let account = Account::start(&config.account, keys.purse, &mut store)?;
        let uses = Uses::start(&mut store)?;
        let events = EventBook::start(&mut store);
        let mut buffer = [0; 16];
        let taken = match read_record(&mut store, TAKEN, &mut buffer)? {
            None => None,
            Some([VERSION, rest @ ..]) => {
                let number =
                    <[u8; 8]>::try_from(rest).map_err(|_| StartError::Damaged { key: TAKEN })?;
                let number = u64::from_le_bytes(number);
                Some(RecordName {
                    boot: (number >> 32) as u32,
                    seq: number as u32,
                })
            }
            Some(_) => return Err(StartError::Damaged { key: TAKEN }),
        };
        let quota = Quota {
            records: config.waiting,
            bytes: config.waiting.saturating_mul(MAX_MESSAGE as u32),
        };
        Ok(Self {
            config,
            store,
            outbox: Outbox::new(waiting, boot, Timing::default(), [quota; 6]),
            account,
            uses,
            events,
            boot,
            taken,
            totals: Totals::default(),
            totals_ms: 0,
            now_ms: 0,
            values: Instantaneous::default(),
            offset_ms: 0,
            broadcast_day: 0,
            wanted_clock: None,
            asked: None,
            next_read_ms: 0,
            next_wish_ms: 0,
            read_values: false,
            more_blocks: true,
            passing: None,
            relay_told: None,
            trip_waits_ms: None,
            credit_told: 0,
            event_instance: 0,
            credit_instance: [0; 2],
            wrong_passwords: (0, 0),
            wanted_line: None,
            told_line: Vec::new(),
            image: None,
            counts: Counts::default(),
        })
    }

    /// The next question for the metering core, if one is due; `now_ms` is any clock that never falls. One question is
    /// under way at a time.
    pub fn poll_question(&mut self, now_ms: u64, out: &mut [u8; MAX_BODY]) -> Option<usize> {
        self.now_ms = self.now_ms.max(now_ms);
        if self.asked.is_some() {
            return None;
        }
        let known = self.totals_ms > 0;
        let wish = self.wishes_closed();
        let (asked, length) = if let Some(passing) = &self.passing {
            (Asked::Order, Request::Order(&passing.envelope).encode(out))
        } else if known && wish != self.totals.relay.wish_closed && now_ms >= self.next_wish_ms {
            (Asked::Wish, Request::RelayWish { closed: wish }.encode(out))
        } else if let Some(utc_ms) = self.wanted_clock {
            (Asked::Clock, Request::ClockSync { utc_ms }.encode(out))
        } else if self.read_values {
            (Asked::Instantaneous, Request::Instantaneous.encode(out))
        } else if known && self.more_blocks {
            (
                Asked::NextBlock,
                Request::NextBlock {
                    acknowledged: self.taken,
                }
                .encode(out),
            )
        } else if now_ms >= self.next_read_ms {
            (Asked::Totals, Request::Totals.encode(out))
        } else if let Some(image) = self.image {
            (Asked::Image, image.request().encode(out))
        } else if let Some(wanted) = self.wanted_line.as_ref().and_then(Wanted::request) {
            (Asked::Line, wanted.encode(out))
        } else {
            return None;
        };
        self.asked = length.map(|_| asked);
        length
    }

    /// Takes the answer to the last question; `None` when the line gave none.
    pub fn handle_answer(&mut self, now_ms: u64, answer: Option<&[u8]>) {
        self.now_ms = self.now_ms.max(now_ms);
        let Some(asked) = self.asked.take() else {
            return;
        };
        let bytes = answer.unwrap_or_default();
        let answer = answer.and_then(Answer::parse);
        match (asked, answer) {
            (Asked::Totals, Some(Answer::Totals(totals))) => {
                self.next_read_ms = self.now_ms.saturating_add(READ_EVERY_MS);
                self.read_values = true;
                self.more_blocks = true;
                self.take_totals(totals);
            }
            (Asked::Instantaneous, Some(Answer::Instantaneous(values))) => {
                self.read_values = false;
                self.values = values;
                self.note_events();
            }
            (Asked::NextBlock, Some(Answer::NoBlock)) => self.more_blocks = false,
            (
                Asked::NextBlock,
                Some(Answer::Block {
                    name,
                    utc_s,
                    envelope,
                }),
            ) => {
                // What cannot be stored is not acknowledged and comes again after the next reading.
                self.more_blocks = self.take_block(name, utc_s, envelope);
            }
            (Asked::Wish, Some(Answer::Relay(state))) => {
                self.totals.relay = state;
                self.tell_relay();
            }
            (Asked::Order, Some(Answer::Order(sealed))) => {
                self.finish_order(Status::DONE, Some(sealed))
            }
            (Asked::Order, Some(Answer::Refused(_))) => self.finish_order(Status::REFUSED, None),
            (Asked::Clock, Some(Answer::Clock { step_ms })) => {
                self.wanted_clock = None;
                // The part that the legal clock took over is no difference any more.
                self.offset_ms = self.offset_ms.saturating_sub(step_ms.into());
            }
            (Asked::Clock, Some(Answer::Refused(_))) => self.wanted_clock = None,
            (Asked::Line, Some(Answer::Line { .. } | Answer::NoLine { .. })) => {
                if let Some(wanted) = &mut self.wanted_line {
                    wanted.take(bytes);
                }
            }
            // An older metering core has no log.
            (Asked::Line, Some(Answer::Refused(_))) => self.wanted_line = None,
            (Asked::Image, Some(Answer::Noted | Answer::Refused(_))) => self.image = None,
            (Asked::Line | Asked::Image, _) => {
                self.counts.link_failures = self.counts.link_failures.saturating_add(1);
            }
            (asked, answer) => {
                if asked == Asked::Wish {
                    self.next_wish_ms = self.now_ms.saturating_add(AGAIN_MS);
                }
                if asked == Asked::NextBlock {
                    self.more_blocks = false;
                }
                self.read_values = false;
                self.next_read_ms = self.now_ms.saturating_add(READ_EVERY_MS);
                if !matches!(answer, Some(Answer::Refused(_))) {
                    self.counts.link_failures = self.counts.link_failures.saturating_add(1);
                }
            }
        }
    }

    /// The combined active total that the use of months and years counts, tenths of a watt hour.
    pub(crate) const fn combined(&self) -> i64 {
        self.uses.combined(self.totals.active)
    }

    /// Use of months and years.
    pub(crate) const fn uses(&self) -> &Uses {
        &self.uses
    }

    /// What is asked of the relay. A trip waits while a phase carries more current than the contact shall break, for
    /// the programmed time at most, which begins anew when the power returns.
    fn wishes_closed(&mut self) -> bool {
        if !self.account.wants_open() {
            self.trip_waits_ms = None;
            return true;
        }
        let (relay, now_ms) = (self.totals.relay, self.now_ms);
        let Some(trip) = self.account.settings().fee.trip_current else {
            return false;
        };
        if !(relay.closed && relay.wish_closed) {
            return false;
        }
        let waited_ms = now_ms - *self.trip_waits_ms.get_or_insert(now_ms);
        self.values.current_ma() > trip.limit_ma && waited_ms < u64::from(trip.longest_min) * 60_000
    }

    fn take_totals(&mut self, totals: Totals) {
        self.totals = totals;
        self.totals_ms = self.now_ms.max(1);
        let Steps { import, export } = totals.active;
        let [q1, q2, q3, q4] = totals.reactive;
        let reading = Reading {
            tenths: [import, export, q1, q2, q3, q4],
            watts: self.values.power_w(),
        };
        let (now, values) = (self.moment(), self.line_values());
        let word = self.account.settings().words.shown;
        let reworded = self.uses.take_word(word, totals.active);
        if clock::is_set(now) && self.uses.advance(now.date(), self.combined()) || reworded {
            let saved = self.uses.save(&mut self.store);
            let _ = self.noted(saved);
        }
        let advanced = self
            .account
            .advance(now, &reading, &values, &mut self.store);
        // A wish of the relay is stored before the other core hears of it.
        if self.noted(advanced).unwrap_or(true) {
            self.save_account();
        }
        self.tell_credit();
        self.tell_relay();
    }

    fn take_block(&mut self, name: RecordName, utc_s: u64, envelope: &[u8]) -> bool {
        if self.taken.is_some_and(|taken| name <= taken) {
            // Taken before; the next question acknowledges it.
            return true;
        }
        let Ok(envelope) = Vec::from_slice(envelope) else {
            return false;
        };
        let stamp = Stamp::from_seconds(utc_s, ClockQuality::LEGAL);
        let head = Head {
            node: 0,
            stream: Stream::LEGAL,
            boot: name.boot,
            seq: name.seq,
            stamp,
        };
        let mut bytes = [0; MAX_MESSAGE];
        let Ok(length) = compact::encode_as(&head, &LegalBlock { envelope }, &mut bytes) else {
            return false;
        };
        let key = Name {
            stream: Stream::LEGAL,
            boot: name.boot,
            seq: name.seq,
        };
        match self
            .outbox
            .push_numbered(key, bytes.get(..length).unwrap_or_default())
        {
            Ok(_) => {}
            Err(Refused::Store(_)) => {
                self.counts.store_failures = self.counts.store_failures.saturating_add(1);
                return false;
            }
            Err(_) => return false,
        }
        // First the record, then the mark: a cut between them makes the block come again, and it is known by its name.
        let number = u64::from(name.boot) << 32 | u64::from(name.seq);
        if write_number(&mut self.store, TAKEN, number).is_err() {
            self.counts.store_failures = self.counts.store_failures.saturating_add(1);
            return false;
        }
        self.taken = Some(name);
        self.counts.blocks = self.counts.blocks.saturating_add(1);
        self.save_account();
        true
    }

    fn save_account(&mut self) {
        if self.account.save(&mut self.store).is_err() {
            self.counts.store_failures = self.counts.store_failures.saturating_add(1);
        }
    }

    /// Stores everything before a clean end.
    ///
    /// # Errors
    /// [`StoreError`]; what was stored before stays.
    pub fn save(&mut self) -> Result<(), StoreError> {
        self.account.save(&mut self.store)
    }

    /// Gives both stores back: what a power cut leaves.
    pub fn into_stores(self) -> (S, Outbox<O, 1>) {
        (self.store, self.outbox)
    }

    /// Takes the gateway's word that records are committed there.
    pub fn acknowledged(&mut self, told: &Acknowledgement) -> bool {
        match self.outbox.handle_acknowledgement(self.now_ms, told) {
            Ok(removed) => {
                self.counts.acknowledged = self.counts.acknowledged.saturating_add(removed);
                true
            }
            Err(_) => false,
        }
    }

    /// Copies the oldest record that waits: events first, then results, then legal blocks.
    pub fn oldest_record(&mut self, out: &mut [u8]) -> Option<usize> {
        for stream in [Stream::EVENT, Stream::LEDGER, Stream::LEGAL] {
            if let Ok(Some(name)) = self.outbox.store().next(stream, None) {
                return self.outbox.store().read(name, out).ok().flatten();
            }
        }
        None
    }

    /// Records that wait, by stream 1, 2 and 5.
    pub fn waiting(&mut self) -> [u32; 3] {
        [Stream::LEGAL, Stream::EVENT, Stream::LEDGER].map(|stream| {
            self.outbox
                .store()
                .usage(stream)
                .map_or(0, |usage| usage.records)
        })
    }

    /// Registers as they came last.
    #[must_use]
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Quantities as they came last.
    #[must_use]
    pub const fn values(&self) -> &Instantaneous {
        &self.values
    }

    /// Tariff and purse.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// The book of events.
    #[must_use]
    pub const fn events(&self) -> &EventBook {
        &self.events
    }

    /// Address on the DL/T 645 line.
    #[must_use]
    pub const fn own_address(&self) -> Address {
        self.config.address
    }

    /// What was counted.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }
}
