//! The reader's side: asks and repeats.

use serial_line::{Exchange, PREAMBLE, Timing};

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::{DataId, IdOrder};
use crate::decoder::{Decoder, Refusals};
use crate::event::{AskError, Event};
use crate::frame::{DATA_MAX, FRAME_MAX, Frame};
use crate::message::{Head, Message, ValveOrder};
use crate::meter_type::MeterType;
use crate::record::{NewKey, Prices, Recharge, Value};
use crate::status::Refusal;
use crate::value::{Quantity, Stamp};
use serial_line::cursor::Writer;

const PREAMBLE_MAX: usize = 4;

#[derive(Debug, Clone, Copy)]
struct Question {
    address: Address,
    function: Function,
    /// Not in a question of the vendor's own.
    head: Option<Head>,
    /// The address the meter has afterwards, if it is written.
    new_address: Option<Address>,
    asked: u8,
    tries: u8,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Vendor {
        meter_type: MeterType,
        address: Address,
    },
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
    wildcard_answers: bool,
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
            wildcard_answers: false,
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

    /// Whether an answer may carry the wildcard instead of the meter's address, as some field devices send it. Off by
    /// default.
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

    /// Reads the version of the meter's key (09, 8106). Ends in [`Event::Data`]; see [`Event::value`].
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn read_key_version(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
    ) -> Result<(), AskError> {
        let (function, id) = (Function::READ_KEY_VERSION, DataId::KEY_VERSION);
        self.ask(now, meter_type, address, function, id, &[])
    }

    /// Writes any value of the table with the function that belongs to its identifier; identifiers outside the table
    /// take [`Value::Raw`] with function 04. See [`Event::status`].
    ///
    /// A purchase (A013) is sent once only: a meter may take its repeat for a second one.
    ///
    /// # Errors
    /// [`AskError::Busy`]; [`AskError::Value`] if the value does not suit the identifier; [`AskError::TooLong`].
    pub fn write(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        id: DataId,
        value: &Value<'_>,
    ) -> Result<(), AskError> {
        let mut data = [0; DATA_MAX];
        let len = id.encode_value(value, &mut data).map_err(AskError::Value)?;
        let function = id.item().map_or(Function::WRITE, |item| item.function());
        let data = data.get(..len).unwrap_or_default();
        self.ask(now, meter_type, address, function, id, data)
    }

    /// Gives the meter a new address (15, A018). The answer may come from the old or from the new one.
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn write_address(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        new: Address,
    ) -> Result<(), AskError> {
        let id = DataId::WRITE_ADDRESS;
        self.write(now, meter_type, address, id, &Value::Address(new))
    }

    /// Sets what the motor of the meter is to show (16, A016): XXXXXX.XX with its unit.
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Value`].
    pub fn synchronise(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        total: Quantity,
    ) -> Result<(), AskError> {
        let id = DataId::SYNCHRONISE;
        self.write(now, meter_type, address, id, &Value::Total(total))
    }

    /// Sets the meter's clock (04, A015).
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Value`].
    pub fn write_time(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        time: Stamp,
    ) -> Result<(), AskError> {
        let id = DataId::WRITE_TIME;
        self.write(now, meter_type, address, id, &Value::Clock(Some(time)))
    }

    /// Writes prices (04, A010); they need [`Prices::valid_from`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Value`].
    pub fn write_prices(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        prices: Prices,
    ) -> Result<(), AskError> {
        let id = DataId::WRITE_PRICES;
        self.write(now, meter_type, address, id, &Value::Prices(prices))
    }

    /// Writes a purchase (04, A013), once only.
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Value`].
    pub fn recharge(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        recharge: Recharge,
    ) -> Result<(), AskError> {
        let id = DataId::RECHARGE;
        self.write(now, meter_type, address, id, &Value::Recharge(recharge))
    }

    /// Writes a new key (04, A014), encrypted as the maker says.
    ///
    /// # Errors
    /// [`AskError::Busy`].
    pub fn write_key(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        key: NewKey,
    ) -> Result<(), AskError> {
        let id = DataId::WRITE_KEY;
        self.write(now, meter_type, address, id, &Value::Key(key))
    }

    /// Puts a question of the vendor's own (2A) with these data and nothing in front of them, once only: nobody knows
    /// what a repeat would do. Ends in [`Event::Vendor`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::TooLong`].
    pub fn vendor(
        &mut self,
        now: u64,
        meter_type: MeterType,
        address: Address,
        data: &[u8],
    ) -> Result<(), AskError> {
        let message = Message::Vendor {
            answer: false,
            data,
        };
        let question = Question {
            address,
            function: Function::VENDOR,
            head: None,
            new_address: None,
            asked: 0,
            tries: 1,
        };
        self.open(now, meter_type, &message, question)
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
        let serial = self.serial.wrapping_add(1);
        let head = Head {
            id,
            order: self.order,
            serial,
        };
        let message = Message::Request {
            function,
            head,
            data,
        };
        let new_address = match (function, <[u8; 7]>::try_from(data)) {
            (Function::WRITE_ADDRESS, Ok(new)) => Some(Address::from_line(new)),
            _ => None,
        };
        let tries = match id {
            DataId::RECHARGE => 1,
            _ => self.timing.tries.max(1),
        };
        let question = Question {
            address,
            function,
            head: Some(head),
            new_address,
            asked: 0,
            tries,
        };
        self.open(now, meter_type, &message, question)?;
        self.serial = serial;
        Ok(())
    }

    fn open(
        &mut self,
        now: u64,
        meter_type: MeterType,
        message: &Message<'_>,
        question: Question,
    ) -> Result<(), AskError> {
        if self.is_busy() {
            return Err(AskError::Busy);
        }
        let (wake, place) = self.transmit.split_at_mut(self.preamble.min(PREAMBLE_MAX));
        let len = message
            .encode_frame(meter_type, question.address, place)
            .map_err(AskError::TooLong)?;
        wake.fill(PREAMBLE);
        self.transmit_len = wake.len() + len;
        self.data_len = 0;
        self.decoder.reset();
        if question.address.kind() == AddressKind::Broadcast {
            self.to_send = true;
            return Ok(());
        }
        self.question = Some(question);
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
            let outcome = judge(
                &frame,
                self.question,
                self.wildcard_answers,
                &mut self.data,
                &mut self.data_len,
            );
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
            let outcome = judge(
                &frame,
                self.question,
                self.wildcard_answers,
                &mut self.data,
                &mut self.data_len,
            );
            self.end_or_ignore(outcome);
        }
        match self.question {
            Some(question) if question.asked < question.tries => self.put(now),
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
            Outcome::Vendor {
                meter_type,
                address,
            } => Event::Vendor {
                meter_type,
                address,
                data,
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
    wildcard_answers: bool,
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
    if !control.from_meter() || control.function() != question.function {
        return None;
    }
    let meter = question.address.matches(address) || question.new_address == Some(address);
    let wildcard = wildcard_answers && address == Address::WILDCARD;
    if !(meter || wildcard) {
        return None;
    }
    let dialogue = question
        .head
        .map_or_else(IdOrder::default, |head| head.order);
    let (outcome, data) = match (frame.message(dialogue).ok()?, question.head) {
        (Message::Refused { function, data }, _) => {
            let refusal = Refusal::parse(data)?;
            // The running number tells a late refusal from one of this question.
            if let (Some(serial), Some(head)) = (refusal.serial, question.head)
                && serial != head.serial
            {
                return None;
            }
            (Outcome::Refused { function }, data)
        }
        (Message::Vendor { answer: true, data }, None) => (
            Outcome::Vendor {
                meter_type,
                address,
            },
            data,
        ),
        // Requests and answers of one dialogue may differ in the order of the identifier.
        (
            Message::Answer {
                function,
                head,
                data,
            },
            Some(asked),
        ) if head.id.same_pair(asked.id) && head.serial == asked.serial => {
            let outcome = if function == Function::READ_ADDRESS {
                Outcome::Address {
                    meter_type,
                    address,
                }
            } else {
                Outcome::Data {
                    meter_type,
                    address,
                    function,
                    id: asked.id,
                }
            };
            (outcome, data)
        }
        _ => return None,
    };
    let mut writer = Writer::new(place);
    writer.put(data);
    *place_len = writer.finish().ok()?;
    Some(outcome)
}
