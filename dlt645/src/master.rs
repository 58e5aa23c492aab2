//! The reader's side: asks, repeats, gathers long answers.

use core::fmt;

use serial_line::{Exchange, PREAMBLE as WAKE, Timing};

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::{DataId, DataId1997};
use crate::decoder::{Decoder, Refusals};
use crate::element::ElementRefused;
use crate::error::{Err645, SecurityErr};
use crate::frame::{FRAME_MAX, TooLong};
use crate::message::{Authority, Blocks, Control, Edition, Message, Operator, Password};
use crate::quirks::Quirks;
use crate::time::Stamp;

mod answer;
mod order;

use answer::{Asked, Outcome, Purpose, Question, Step, judge};

/// Usual FE in front of a request.
const PREAMBLE: usize = 4;
/// Most FE that are sent, for a meter that wakes slowly.
const PREAMBLE_MAX: usize = 8;
/// What every 1997 meter can be asked for.
const FORWARD_1997: DataId1997 = DataId1997(0x9010);

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The whole answer to a read, all parts joined; decode it with [`DataId::values`].
    Data {
        /// The meter, by the address of its answer.
        address: Address,
        /// What was read.
        id: DataId,
        /// Plain bytes, low byte first.
        data: &'a [u8],
    },
    /// The answer to a security exchange.
    Security {
        /// The meter.
        address: Address,
        /// What was exchanged.
        id: DataId,
        /// Plain bytes behind the identifier.
        data: &'a [u8],
    },
    /// The whole answer to a 1997 read; decode it with [`DataId1997::values`].
    Data1997 {
        /// The meter.
        address: Address,
        /// What was read.
        id: DataId1997,
        /// Plain bytes, low byte first.
        data: &'a [u8],
    },
    /// The meter agreed to another rate and has it from now on: switch the port and call [`Master::confirm_rate`].
    RateChanged {
        /// The meter.
        address: Address,
        /// Bits per second.
        rate: u32,
    },
    /// The meter was heard at the new rate.
    RateConfirmed {
        /// Bits per second.
        rate: u32,
    },
    /// The meter was not heard at the new rate: switch the port back to this one.
    RateLost {
        /// Bits per second before the change.
        rate: u32,
    },
    /// The answer to [`Master::read_address`].
    Address(Address),
    /// The meter did it.
    Done {
        /// The meter.
        address: Address,
        /// What it did.
        function: Function,
    },
    /// The meter answered an order (1C) with two words, see [`Message::ControlReport`].
    ControlReport {
        /// What was done.
        done: u16,
        /// What kept it from being done.
        refused: u16,
    },
    /// The meter refused.
    Refused {
        /// What it refused.
        function: Function,
        /// Why.
        err: Err645,
    },
    /// The meter refused a security exchange.
    SecurityRefused(SecurityErr),
    /// Nobody answered.
    TimedOut {
        /// How often was asked.
        tries: u8,
    },
    /// The answer is longer than the buffer given to [`Master::new`].
    TooLong,
}

/// Why a question was not put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskError {
    /// The last question is not answered yet.
    Busy,
    /// The message does not fit into a frame.
    TooLong(TooLong),
    /// The edition has no such rate.
    Rate,
    /// The secure element refused.
    Element(ElementRefused),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Busy => f.write_str("the last question is not answered yet"),
            AskError::TooLong(err) => err.fmt(f),
            AskError::Rate => f.write_str("the edition has no such rate"),
            AskError::Element(err) => err.fmt(f),
        }
    }
}

impl core::error::Error for AskError {}

/// A reader on a half-duplex line: one question at a time, as a plain struct.
///
/// ```
/// use dlt645::{Address, DataId, Event, Master, Timing};
/// let mut buffer = [0; 256];
/// let mut master = Master::new(&mut buffer, Timing::rs485(2400));
/// master.read(0, Address::from_digits("72007201")?, DataId(0x0201_0200))?;
/// assert!(master.poll_transmit().is_some());
/// // Bytes that came back from the port:
/// master.handle_bytes(120, &[0x68, 0x01, 0x72, 0, 0x72, 0, 0, 0x68, 0x91, 6, 0x33, 0x35, 0x34, 0x35]);
/// master.handle_bytes(140, &[0x38, 0x55, 0xAA, 0x16]);
/// assert!(matches!(master.poll_event(), Some(Event::Data { data: [0x05, 0x22], .. })));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// The loop: ask; send what [`Master::poll_transmit`] gives; hand in bytes with [`Master::handle_bytes`] and the passing
/// of [`Master::poll_timeout`] with [`Master::handle_timeout`]; after each of the two look at `poll_transmit` and
/// [`Master::poll_event`]. Every question ends in exactly one event, broadcasts in none.
#[derive(Debug)]
pub struct Master<'b> {
    decoder: Decoder,
    buffer: &'b mut [u8],
    /// Bytes of the answer gathered so far.
    gathered: usize,
    transmit: [u8; FRAME_MAX + PREAMBLE_MAX],
    transmit_len: usize,
    to_send: bool,
    question: Option<Question>,
    outcome: Option<Outcome>,
    exchange: Exchange,
    timing: Timing,
    preamble: usize,
    quirks: Quirks,
    ignored: u32,
    /// Refusals when the last question was put.
    before: Refusals,
    /// The meter, the old and the new rate while a change is at work.
    rate: Option<(Address, Edition, u32, u32)>,
}

impl<'b> Master<'b> {
    /// A reader whose longest joined answer fits into `buffer`.
    #[must_use]
    pub fn new(buffer: &'b mut [u8], timing: Timing) -> Self {
        Master {
            decoder: Decoder::new(),
            buffer,
            gathered: 0,
            transmit: [0; FRAME_MAX + PREAMBLE_MAX],
            transmit_len: 0,
            to_send: false,
            question: None,
            outcome: None,
            exchange: Exchange::new(),
            timing,
            preamble: PREAMBLE,
            quirks: Quirks::default(),
            ignored: 0,
            before: Refusals::default(),
            rate: None,
        }
    }

    /// How many FE go in front of a request, at most 8; 4 by default.
    pub fn set_preamble(&mut self, count: usize) {
        self.preamble = count.min(PREAMBLE_MAX);
    }

    /// Whether an answer may carry the full wildcard instead of the meter's address, as some field devices send it.
    /// Off by default.
    pub fn accept_wildcard_answers(&mut self, accept: bool) {
        self.quirks.wildcard_answers = accept;
    }

    /// The departures of the meter that is asked next.
    pub fn set_quirks(&mut self, quirks: Quirks) {
        self.quirks = quirks;
    }

    /// Other waiting times from the next request on.
    pub fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// Frames and bytes refused so far.
    #[must_use]
    pub const fn refusals(&self) -> Refusals {
        self.decoder.refusals()
    }

    /// Good frames that answered nothing that was asked: echoes, other meters, late answers.
    #[must_use]
    pub const fn ignored(&self) -> u32 {
        self.ignored
    }

    /// Whether bytes came since the last question that were no good frame: noise, or several meters at once.
    #[must_use]
    pub fn heard_damage(&self) -> bool {
        self.decoder.refusals() != self.before
    }

    /// Whether a question waits for its answer.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.question.is_some() || self.outcome.is_some()
    }

    /// Reads `id` (11); long answers are fetched part by part (12) and joined. Ends in [`Event::Data`].
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn read(&mut self, now: u64, address: Address, id: DataId) -> Result<(), AskError> {
        self.ask(now, address, &Message::Read { id, rest: &[] })
    }

    /// Asks the only meter on the line for its address (13). Ends in [`Event::Address`].
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn read_address(&mut self, now: u64) -> Result<(), AskError> {
        self.ask(now, Address::WILDCARD, &Message::ReadAddress)
    }

    /// Writes `data` to `id` (14). Ends in [`Event::Done`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::TooLong`] above 188 bytes of data.
    pub fn write(
        &mut self,
        now: u64,
        address: Address,
        id: DataId,
        authority: Authority,
        data: &[u8],
    ) -> Result<(), AskError> {
        self.ask(
            now,
            address,
            &Message::Write {
                id,
                authority,
                data,
            },
        )
    }

    /// Relay, alarm or keep power (1C). Ends in [`Event::Done`]. An order without an expiry is never too late, so a
    /// repeat after a lost answer carries it out once more.
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn control(
        &mut self,
        now: u64,
        address: Address,
        authority: Authority,
        control: Control,
    ) -> Result<(), AskError> {
        self.ask(now, address, &Message::Control { authority, control })
    }

    /// Security exchange (03) with any identifier and data. Ends in [`Event::Security`]. Asked once only: a meter
    /// takes the repeat of a recharge for a second one.
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::TooLong`] above 192 bytes of data.
    pub fn security(
        &mut self,
        now: u64,
        address: Address,
        id: DataId,
        operator: Operator,
        data: &[u8],
    ) -> Result<(), AskError> {
        self.ask(now, address, &Message::Security { id, operator, data })
    }

    /// Tells all meters the time (08). Nobody answers and no event follows.
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn broadcast_time(&mut self, now: u64, stamp: Stamp) -> Result<(), AskError> {
        self.ask(now, Address::BROADCAST, &Message::BroadcastTime(stamp))
    }

    /// Reads blocks of the load record (class 06): `count` blocks, from a time on or the oldest. Ends in
    /// [`Event::Data`].
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn read_blocks(
        &mut self,
        now: u64,
        address: Address,
        id: DataId,
        blocks: Blocks,
    ) -> Result<(), AskError> {
        let mut rest = [blocks.count, 0, 0, 0, 0, 0];
        let rest = match blocks.from.and_then(|at| at.line()) {
            Some([_, from @ ..]) => {
                if let Some(place) = rest.last_chunk_mut::<5>() {
                    *place = from;
                }
                &rest[..]
            }
            None => &rest[..1],
        };
        self.ask(now, address, &Message::Read { id, rest })
    }

    /// Reads a 1997 identifier (01); long answers are fetched part by part and joined. Ends in [`Event::Data1997`].
    ///
    /// The edition does not number the parts: when one is lost, the read begins anew.
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn read_1997(
        &mut self,
        now: u64,
        address: Address,
        id: DataId1997,
    ) -> Result<(), AskError> {
        self.ask_in(now, Edition::V1997, address, &Message::Read1997 { id })
    }

    /// Writes to a 1997 identifier (04). Ends in [`Event::Done`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::TooLong`] above 194 bytes of data.
    pub fn write_1997(
        &mut self,
        now: u64,
        address: Address,
        id: DataId1997,
        password: Password,
        data: &[u8],
    ) -> Result<(), AskError> {
        self.ask_in(
            now,
            Edition::V1997,
            address,
            &Message::Write1997 { id, password, data },
        )
    }

    /// Puts any request of the 2007 edition.
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::TooLong`].
    pub fn ask(
        &mut self,
        now: u64,
        address: Address,
        message: &Message<'_>,
    ) -> Result<(), AskError> {
        self.ask_in(now, Edition::V2007, address, message)
    }

    /// Puts any request of either edition.
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::TooLong`].
    pub fn ask_in(
        &mut self,
        now: u64,
        edition: Edition,
        address: Address,
        message: &Message<'_>,
    ) -> Result<(), AskError> {
        if self.is_busy() {
            return Err(AskError::Busy);
        }
        let function = message.control_in(edition).function();
        let id = match *message {
            Message::Read { id, .. } | Message::Security { id, .. } => Some(Asked::Id(id)),
            Message::Read1997 { id } => Some(Asked::Id1997(id)),
            _ => None,
        };
        self.load(edition, address, message)
            .map_err(AskError::TooLong)?;
        self.gathered = 0;
        self.decoder.reset();
        self.before = self.decoder.refusals();
        if address.kind() == AddressKind::Broadcast || function == Function::BROADCAST_TIME {
            self.to_send = true;
            return Ok(());
        }
        let tries = if function == Function::SECURITY {
            1
        } else {
            self.timing.tries.max(1)
        };
        self.question = Some(Question {
            address,
            function,
            edition,
            purpose: if function == Function::READ_ADDRESS {
                Purpose::Address
            } else {
                Purpose::Plain
            },
            id,
            sequence: 0,
            asked: 0,
            tries,
        });
        self.put(now);
        Ok(())
    }

    /// Takes bytes from the line, all of them. Frames that answer nothing asked are counted and dropped.
    pub fn handle_bytes(&mut self, now: u64, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let fed = self.decoder.feed(rest);
            rest = rest.get(fed.used..).unwrap_or_default();
            let Some(frame) = fed.frame else { continue };
            let step = judge(
                &frame,
                self.question,
                self.quirks.wildcard_answers,
                self.buffer,
                &mut self.gathered,
            );
            self.follow(now, step);
        }
        if self.question.is_some() && self.decoder.is_receiving() {
            self.exchange.bytes_seen(now, &self.timing);
        }
    }

    /// To be called when [`Master::poll_timeout`] has passed: asks again or gives up.
    pub fn handle_timeout(&mut self, now: u64) {
        if self.exchange.expired(now).is_none() {
            return;
        }
        while let Some(frame) = self.decoder.handle_gap() {
            let step = judge(
                &frame,
                self.question,
                self.quirks.wildcard_answers,
                self.buffer,
                &mut self.gathered,
            );
            let answered = !matches!(step, Step::Ignore);
            self.follow(now, step);
            if answered {
                return;
            }
        }
        match self.question {
            Some(question) if question.asked < question.tries => self.repeat(now, question),
            Some(question) => self.give_up(now, question),
            None => {}
        }
    }

    fn repeat(&mut self, now: u64, question: Question) {
        // Parts without numbers cannot be asked for twice; the read begins anew.
        if let (Function::READ_FOLLOW_UP_1997, Some(Asked::Id1997(id))) =
            (question.function, question.id)
        {
            let message = Message::Read1997 { id };
            if self
                .load(Edition::V1997, question.address, &message)
                .is_ok()
            {
                self.gathered = 0;
                self.question = Some(Question {
                    function: Function::READ_1997,
                    sequence: 0,
                    ..question
                });
            }
        }
        self.put(now);
    }

    fn give_up(&mut self, now: u64, question: Question) {
        let asks_2007 = question.edition == Edition::V2007;
        if question.purpose == Purpose::Address && asks_2007 && self.quirks.answers_1997 {
            // The older edition has no such function; the address of any answer is it.
            let message = Message::Read1997 { id: FORWARD_1997 };
            if self
                .load(Edition::V1997, question.address, &message)
                .is_ok()
            {
                self.question = Some(Question {
                    function: Function::READ_1997,
                    edition: Edition::V1997,
                    id: Some(Asked::Id1997(FORWARD_1997)),
                    asked: 0,
                    ..question
                });
                return self.put(now);
            }
        }
        self.end(match (question.purpose, self.rate) {
            (Purpose::Confirm, Some((_, _, old, _))) => Outcome::RateLost { rate: old },
            _ => Outcome::TimedOut {
                tries: question.asked,
            },
        });
    }

    /// Bytes to send now, once.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        if !core::mem::take(&mut self.to_send) {
            return None;
        }
        self.transmit.get(..self.transmit_len)
    }

    /// How the last question ended, once. The master is free for the next question then.
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        let data = self.buffer.get(..self.gathered).unwrap_or_default();
        Some(match self.outcome.take()? {
            Outcome::Data { address, id } => Event::Data { address, id, data },
            Outcome::Security { address, id } => Event::Security { address, id, data },
            Outcome::Data1997 { address, id } => Event::Data1997 { address, id, data },
            Outcome::RateChanged { address, rate } => Event::RateChanged { address, rate },
            Outcome::RateConfirmed { rate } => Event::RateConfirmed { rate },
            Outcome::RateLost { rate } => Event::RateLost { rate },
            Outcome::Address(address) => Event::Address(address),
            Outcome::Done { address, function } => Event::Done { address, function },
            Outcome::ControlReport { done, refused } => Event::ControlReport { done, refused },
            Outcome::Refused { function, err } => Event::Refused { function, err },
            Outcome::SecurityRefused(err) => Event::SecurityRefused(err),
            Outcome::TimedOut { tries } => Event::TimedOut { tries },
            Outcome::TooLong => Event::TooLong,
        })
    }

    /// When to call [`Master::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.exchange.poll_timeout()
    }

    fn load(
        &mut self,
        edition: Edition,
        address: Address,
        message: &Message<'_>,
    ) -> Result<(), TooLong> {
        let extra = usize::from(self.quirks.extra_preamble);
        let preamble = (self.preamble + extra).min(PREAMBLE_MAX);
        let (wake, place) = self.transmit.split_at_mut(preamble);
        let len = message.encode_frame_in(edition, address, place)?;
        wake.fill(WAKE);
        self.transmit_len = preamble + len;
        Ok(())
    }

    fn put(&mut self, now: u64) {
        if let Some(question) = &mut self.question {
            question.asked = question.asked.saturating_add(1);
            self.to_send = true;
            self.exchange
                .request_sent(now, self.transmit_len, &self.timing);
        }
    }

    fn end(&mut self, outcome: Outcome) {
        let purpose = self.question.map(|question| question.purpose);
        let outcome = match (purpose, self.rate, outcome) {
            // Whatever the meter says, it is there.
            (
                Some(Purpose::Confirm),
                Some((.., new)),
                Outcome::Data { .. } | Outcome::Data1997 { .. } | Outcome::Refused { .. },
            ) => Outcome::RateConfirmed { rate: new },
            (_, _, outcome) => outcome,
        };
        if !matches!(outcome, Outcome::RateChanged { .. }) {
            self.rate = None;
        }
        self.question = None;
        self.exchange.stop();
        self.outcome = Some(outcome);
    }

    fn follow(&mut self, now: u64, step: Step) {
        match step {
            Step::Ignore => self.ignored = self.ignored.saturating_add(1),
            Step::End(outcome) => self.end(outcome),
            Step::Next {
                address,
                id,
                sequence,
            } => {
                let purpose = self
                    .question
                    .map_or(Purpose::Plain, |question| question.purpose);
                let tries = self.timing.tries.max(1);
                let (edition, function, message) = match id {
                    Asked::Id(id) => (
                        Edition::V2007,
                        Function::READ_FOLLOW_UP,
                        Message::ReadFollowUp { id, sequence },
                    ),
                    Asked::Id1997(id) => (
                        Edition::V1997,
                        Function::READ_FOLLOW_UP_1997,
                        Message::ReadFollowUp1997 { id },
                    ),
                };
                // The parts are asked of the meter that answered the first.
                if self.load(edition, address, &message).is_err() {
                    return self.end(Outcome::TooLong);
                }
                // A read that began anew does so again and again on a bad line, but not for ever.
                let asked = match (id, self.question) {
                    (Asked::Id1997(_), Some(question)) => question.asked.saturating_sub(1),
                    _ => 0,
                };
                self.question = Some(Question {
                    address,
                    function,
                    edition,
                    purpose,
                    id: Some(id),
                    sequence,
                    asked,
                    tries,
                });
                self.put(now);
            }
        }
    }
}
