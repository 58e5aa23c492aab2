//! The reader's side: asks, repeats, gathers long answers.

use core::fmt;

use serial_line::{Exchange, PREAMBLE, Timing};

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::DataId;
use crate::decoder::{Decoder, Refusals};
use crate::error::{Err645, SecurityErr};
use crate::frame::{FRAME_MAX, Frame, TooLong};
use crate::message::{Authority, Control, Edition, Message, Operator};
use crate::time::Stamp;

const PREAMBLE_MAX: usize = 4;

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
    /// The answer to [`Master::read_address`].
    Address(Address),
    /// The meter did it.
    Done {
        /// The meter.
        address: Address,
        /// What it did.
        function: Function,
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
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Busy => f.write_str("the last question is not answered yet"),
            AskError::TooLong(err) => err.fmt(f),
        }
    }
}

impl core::error::Error for AskError {}

/// What the master waits for.
#[derive(Debug, Clone, Copy)]
struct Question {
    address: Address,
    function: Function,
    id: Option<DataId>,
    /// 0 for the first part.
    sequence: u8,
    asked: u8,
    tries: u8,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Data {
        address: Address,
        id: DataId,
    },
    Security {
        address: Address,
        id: DataId,
    },
    Address(Address),
    Done {
        address: Address,
        function: Function,
    },
    Refused {
        function: Function,
        err: Err645,
    },
    SecurityRefused(SecurityErr),
    TimedOut {
        tries: u8,
    },
    TooLong,
}

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
    wildcard_answers: bool,
    ignored: u32,
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
            preamble: PREAMBLE_MAX,
            wildcard_answers: false,
            ignored: 0,
        }
    }

    /// How many FE go in front of a request, at most 4; 4 by default.
    pub fn set_preamble(&mut self, count: usize) {
        self.preamble = count.min(PREAMBLE_MAX);
    }

    /// Whether an answer may carry the full wildcard instead of the meter's address, as some field devices send it.
    /// Off by default.
    pub fn accept_wildcard_answers(&mut self, accept: bool) {
        self.wildcard_answers = accept;
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
        if self.is_busy() {
            return Err(AskError::Busy);
        }
        let function = message.control().function();
        let id = match *message {
            Message::Read { id, .. } | Message::Security { id, .. } => Some(id),
            _ => None,
        };
        self.load(address, message).map_err(AskError::TooLong)?;
        self.gathered = 0;
        self.decoder.reset();
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
                self.wildcard_answers,
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
                self.wildcard_answers,
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
            Some(question) if question.asked < question.tries => self.put(now),
            Some(question) => self.end(Outcome::TimedOut {
                tries: question.asked,
            }),
            None => {}
        }
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
            Outcome::Address(address) => Event::Address(address),
            Outcome::Done { address, function } => Event::Done { address, function },
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

    fn load(&mut self, address: Address, message: &Message<'_>) -> Result<(), TooLong> {
        let preamble = self.preamble.min(PREAMBLE_MAX);
        let (wake, place) = self.transmit.split_at_mut(preamble);
        let len = message.encode_frame(address, place)?;
        wake.fill(PREAMBLE);
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
                let function = Function::READ_FOLLOW_UP;
                let tries = self.timing.tries.max(1);
                // The parts are asked of the meter that answered the first.
                if self
                    .load(address, &Message::ReadFollowUp { id, sequence })
                    .is_err()
                {
                    return self.end(Outcome::TooLong);
                }
                self.question = Some(Question {
                    address,
                    function,
                    id: Some(id),
                    sequence,
                    asked: 0,
                    tries,
                });
                self.put(now);
            }
        }
    }
}

enum Step {
    Ignore,
    End(Outcome),
    Next {
        address: Address,
        id: DataId,
        sequence: u8,
    },
}

fn judge(
    frame: &Frame<'_>,
    question: Option<Question>,
    wildcard_answers: bool,
    buffer: &mut [u8],
    gathered: &mut usize,
) -> Step {
    let Some(question) = question else {
        return Step::Ignore;
    };
    if !frame.control.from_meter() || frame.control.function() != question.function {
        return Step::Ignore;
    }
    let meter =
        frame.address.kind() == AddressKind::Single && question.address.matches(frame.address);
    let wildcard = wildcard_answers && frame.address == Address::WILDCARD;
    if !(meter || wildcard) {
        return Step::Ignore;
    }
    let address = if meter {
        frame.address
    } else {
        question.address
    };
    let Ok(message) = frame.message(Edition::V2007) else {
        return Step::Ignore;
    };
    match message {
        Message::Refused { function, err } => Step::End(Outcome::Refused { function, err }),
        Message::SecurityRefused(err) => Step::End(Outcome::SecurityRefused(err)),
        Message::AddressAnswer(address) => Step::End(Outcome::Address(address)),
        Message::ReadAnswer { id, data, more } if question.id == Some(id) => {
            gather(address, id, 0, data, more, buffer, gathered)
        }
        Message::FollowUpAnswer {
            id,
            data,
            sequence,
            more,
        } if question.id == Some(id) && question.sequence == sequence => {
            gather(address, id, sequence, data, more, buffer, gathered)
        }
        Message::SecurityAnswer { id, data, .. } if question.id == Some(id) => {
            match append(data, buffer, gathered) {
                true => Step::End(Outcome::Security { address, id }),
                false => Step::End(Outcome::TooLong),
            }
        }
        Message::Done(function) => Step::End(Outcome::Done { address, function }),
        Message::RateAnswer(_) | Message::PasswordAnswer(_) | Message::OutputAnswer(_) => {
            Step::End(Outcome::Done {
                address,
                function: question.function,
            })
        }
        _ => Step::Ignore,
    }
}

fn gather(
    address: Address,
    id: DataId,
    sequence: u8,
    data: &[u8],
    more: bool,
    buffer: &mut [u8],
    gathered: &mut usize,
) -> Step {
    if !append(data, buffer, gathered) {
        return Step::End(Outcome::TooLong);
    }
    match (more, sequence.checked_add(1)) {
        (false, _) => Step::End(Outcome::Data { address, id }),
        (true, Some(sequence)) => Step::Next {
            address,
            id,
            sequence,
        },
        // 255 parts are the most the sequence number can count.
        (true, None) => Step::End(Outcome::TooLong),
    }
}

fn append(data: &[u8], buffer: &mut [u8], gathered: &mut usize) -> bool {
    let end = gathered.saturating_add(data.len());
    match buffer.get_mut(*gathered..end) {
        Some(place) => {
            place.copy_from_slice(data);
            *gathered = end;
            true
        }
        None => false,
    }
}
