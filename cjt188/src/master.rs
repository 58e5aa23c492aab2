//! The reader's side: asks and repeats.

use core::fmt;

use serial_line::{Exchange, PREAMBLE, Timing};

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::cursor::Writer;
use crate::data_id::{DataId, IdOrder};
use crate::decoder::{Decoder, Refusals};
use crate::frame::{DATA_MAX, FRAME_MAX, Frame, TooLong};
use crate::message::{Head, Message, ValveOrder};
use crate::meter_type::MeterType;
use crate::reading::Reading;
use crate::value::{Status, ValueError};

const PREAMBLE_MAX: usize = 4;

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The answer to a read or a write.
    Data {
        /// T of the answer.
        meter_type: MeterType,
        /// The meter.
        address: Address,
        /// The function answered.
        function: Function,
        /// What was asked for.
        id: DataId,
        /// The data behind SER.
        data: &'a [u8],
    },
    /// The answer to [`Master::read_address`].
    Address {
        /// T of the answer.
        meter_type: MeterType,
        /// The meter.
        address: Address,
    },
    /// The meter refused: one to three bytes.
    Refused {
        /// What it refused.
        function: Function,
        /// As sent.
        data: &'a [u8],
    },
    /// Nobody answered.
    TimedOut {
        /// How often was asked.
        tries: u8,
    },
}

impl Event<'_> {
    /// The reading in an answer to 901F; `None` for other events.
    #[must_use]
    pub fn reading(&self) -> Option<Result<Reading, ValueError>> {
        match *self {
            Event::Data {
                meter_type,
                id: DataId::PRESENT,
                data,
                ..
            } => Some(Reading::parse(meter_type, data)),
            _ => None,
        }
    }

    /// ST in an answer to [`Master::valve`]; `None` for other events and for meters that send none.
    #[must_use]
    pub fn valve_status(&self) -> Option<Status> {
        match *self {
            Event::Data {
                id: DataId::VALVE,
                data: [first, second],
                ..
            } => Some(Status([*first, *second])),
            // Some meters send one status byte.
            Event::Data {
                id: DataId::VALVE,
                data: [first],
                ..
            } => Some(Status([*first, 0])),
            _ => None,
        }
    }
}

/// Why a question was not put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskError {
    /// The last question is not answered yet.
    Busy,
    /// The data do not fit into a frame.
    TooLong(TooLong),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Busy => f.write_str("the last question is not answered yet"),
            AskError::TooLong(err) => write!(f, "{err}"),
        }
    }
}

impl core::error::Error for AskError {}

#[derive(Debug, Clone, Copy)]
struct Question {
    address: Address,
    function: Function,
    head: Head,
    asked: u8,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Data {
        meter_type: MeterType,
        address: Address,
        function: Function,
        id: DataId,
    },
    Address {
        meter_type: MeterType,
        address: Address,
    },
    Refused {
        function: Function,
    },
    TimedOut {
        tries: u8,
    },
}

/// A reader on a half-duplex line: one question at a time, as a plain struct.
///
/// The loop is that of the `dlt645` master: ask; send what [`Master::poll_transmit`] gives; hand in bytes and passing
/// deadlines; look at `poll_transmit` and [`Master::poll_event`] after each. Every question ends in one event.
///
/// ```
/// use cjt188::{Address, Event, IdOrder, Master, MeterType, Timing};
/// let mut master = Master::new(Timing::rs485(2400), IdOrder::LowFirst);
/// master.read_present(0, MeterType::COLD_WATER, Address::from_digits("78330007061326")?)?;
/// assert!(master.poll_transmit().is_some());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Master {
    decoder: Decoder,
    data: [u8; DATA_MAX],
    data_len: usize,
    transmit: [u8; FRAME_MAX + PREAMBLE_MAX],
    transmit_len: usize,
    to_send: bool,
    question: Option<Question>,
    outcome: Option<Outcome>,
    exchange: Exchange,
    timing: Timing,
    preamble: usize,
    order: IdOrder,
    serial: u8,
    ignored: u32,
}

impl Master {
    /// A reader that sends identifiers in `order`; answers may come in either.
    #[must_use]
    pub const fn new(timing: Timing, order: IdOrder) -> Self {
        Master {
            decoder: Decoder::new(),
            data: [0; DATA_MAX],
            data_len: 0,
            transmit: [0; FRAME_MAX + PREAMBLE_MAX],
            transmit_len: 0,
            to_send: false,
            question: None,
            outcome: None,
            exchange: Exchange::new(),
            timing,
            preamble: PREAMBLE_MAX,
            order,
            serial: 0,
            ignored: 0,
        }
    }

    /// How many FE go in front of a request, at most 4; 4 by default.
    pub fn set_preamble(&mut self, count: usize) {
        self.preamble = count.min(PREAMBLE_MAX);
    }

    /// The order of identifiers in the next requests.
    pub fn set_order(&mut self, order: IdOrder) {
        self.order = order;
    }

    /// Frames and bytes refused so far.
    #[must_use]
    pub const fn refusals(&self) -> Refusals {
        self.decoder.refusals()
    }

    /// Good frames that answered nothing that was asked.
    #[must_use]
    pub const fn ignored(&self) -> u32 {
        self.ignored
    }

    /// Whether a question waits for its answer.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.question.is_some() || self.outcome.is_some()
    }

    /// Reads the present data (901F); see [`Event::reading`].
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn read_present(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
    ) -> Result<(), AskError> {
        self.read(now, meter_type, address, DataId::PRESENT)
    }

    /// Reads any identifier (01).
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn read(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        id: DataId,
    ) -> Result<(), AskError> {
        self.ask(now, meter_type, address, Function::READ, id, &[])
    }

    /// Asks the only meter on the line for its address (03, 810A).
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn read_address(&mut self, now: u64, meter_type: MeterType) -> Result<(), AskError> {
        self.ask(
            now,
            meter_type,
            Address::WILDCARD,
            Function::READ_ADDRESS,
            DataId::READ_ADDRESS,
            &[],
        )
    }

    /// Opens or closes the valve (04, A017); see [`Event::valve_status`].
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn valve(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        order: ValveOrder,
    ) -> Result<(), AskError> {
        self.ask(
            now,
            meter_type,
            address,
            Function::WRITE,
            DataId::VALVE,
            &[order.code()],
        )
    }

    /// Puts any question; `data` goes behind SER.
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::TooLong`].
    pub fn ask(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        function: Function,
        id: DataId,
        data: &[u8],
    ) -> Result<(), AskError> {
        if self.is_busy() {
            return Err(AskError::Busy);
        }
        let serial = self.serial.wrapping_add(1);
        let head = Head {
            id,
            order: self.order,
            serial,
        };
        let (wake, place) = self.transmit.split_at_mut(self.preamble.min(PREAMBLE_MAX));
        let message = Message::Request {
            function,
            head,
            data,
        };
        let len = message
            .encode_frame(meter_type, address, place)
            .map_err(AskError::TooLong)?;
        wake.fill(PREAMBLE);
        self.transmit_len = wake.len() + len;
        self.serial = serial;
        self.data_len = 0;
        self.decoder.reset();
        if address.kind() == AddressKind::Broadcast {
            self.to_send = true;
            return Ok(());
        }
        self.question = Some(Question {
            address,
            function,
            head,
            asked: 0,
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
            let outcome = judge(&frame, self.question, &mut self.data, &mut self.data_len);
            self.end_or_ignore(outcome);
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
            let outcome = judge(&frame, self.question, &mut self.data, &mut self.data_len);
            self.end_or_ignore(outcome);
        }
        match self.question {
            Some(question) if question.asked < self.timing.tries.max(1) => self.put(now),
            Some(question) => self.end_or_ignore(Some(Outcome::TimedOut {
                tries: question.asked,
            })),
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
        let data = self.data.get(..self.data_len).unwrap_or_default();
        Some(match self.outcome.take()? {
            Outcome::Data {
                meter_type,
                address,
                function,
                id,
            } => Event::Data {
                meter_type,
                address,
                function,
                id,
                data,
            },
            Outcome::Address {
                meter_type,
                address,
            } => Event::Address {
                meter_type,
                address,
            },
            Outcome::Refused { function } => Event::Refused { function, data },
            Outcome::TimedOut { tries } => Event::TimedOut { tries },
        })
    }

    /// When to call [`Master::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.exchange.poll_timeout()
    }

    fn put(&mut self, now: u64) {
        if let Some(question) = &mut self.question {
            question.asked = question.asked.saturating_add(1);
            self.to_send = true;
            self.exchange
                .request_sent(now, self.transmit_len, &self.timing);
        }
    }

    fn end_or_ignore(&mut self, outcome: Option<Outcome>) {
        if outcome.is_some() {
            self.question = None;
            self.exchange.stop();
            self.outcome = outcome;
        } else {
            self.ignored = self.ignored.saturating_add(1);
        }
    }
}

fn judge(
    frame: &Frame<'_>,
    question: Option<Question>,
    place: &mut [u8],
    place_len: &mut usize,
) -> Option<Outcome> {
    let question = question?;
    let Frame {
        meter_type,
        address,
        control,
        ..
    } = *frame;
    if !control.from_meter()
        || control.function() != question.function
        || !question.address.matches(address)
    {
        return None;
    }
    let (outcome, data) = match frame.message(question.head.order).ok()? {
        Message::Refused { function, data } => (Outcome::Refused { function }, data),
        // Requests and answers of one dialogue may differ in the order of the identifier.
        Message::Answer {
            function,
            head,
            data,
        } if head.id.same_pair(question.head.id) && head.serial == question.head.serial => {
            if function == Function::READ_ADDRESS {
                (
                    Outcome::Address {
                        meter_type,
                        address,
                    },
                    data,
                )
            } else {
                (
                    Outcome::Data {
                        meter_type,
                        address,
                        function,
                        id: question.head.id,
                    },
                    data,
                )
            }
        }
        _ => return None,
    };
    let mut writer = Writer::new(place);
    writer.put(data);
    *place_len = writer.finish().ok()?;
    Some(outcome)
}
