//! The meter's side: hears frames, asks the application, answers.

use serial_line::{Exchange, PREAMBLE, Timing};

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::{DataId, IdOrder};
use crate::decoder::{Decoder, Refusals};
use crate::frame::{DATA_MAX, FRAME_MAX, Frame};
use crate::message::{Head, Message, ValveOrder};
use crate::meter_type::MeterType;
use crate::record::Value;
use crate::status::Status;
use crate::value::Quantity;

const PREAMBLE_MAX: usize = 4;
/// Identifier and running number in front of the data of an answer.
const HEAD_LEN: usize = 3;

/// What the meter behind a [`Slave`] does.
pub trait Application {
    /// T of this meter.
    fn meter_type(&self) -> MeterType;

    /// The meter's own address.
    fn address(&self) -> Address;

    /// Whether a request to `meter_type` concerns this meter: to its own type or to any, by default. Heat meters that
    /// answer as 25 are asked as 20.
    fn hears(&self, meter_type: MeterType) -> bool {
        meter_type == self.meter_type() || meter_type == MeterType::ANY
    }

    /// Writes the data behind SER for `id` to the front of `out` and returns their length; see
    /// [`DataId::encode_value`], and for 901F [`crate::Reading::encode`].
    ///
    /// # Errors
    /// ST, sent with the refusal.
    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status>;

    /// Moves the valve (A017) and returns ST after the order.
    ///
    /// # Errors
    /// ST, sent with the refusal.
    fn valve(&mut self, order: ValveOrder) -> Result<Status, Status> {
        let _ = order;
        Err(Status::default())
    }

    /// The version of the key (09, 8106).
    ///
    /// # Errors
    /// ST, sent with the refusal.
    fn key_version(&mut self) -> Result<u8, Status> {
        Err(Status::default())
    }

    /// Takes a new address (15, A018); the answer still goes out under the old one.
    ///
    /// # Errors
    /// ST, sent with the refusal.
    fn write_address(&mut self, address: Address) -> Result<(), Status> {
        let _ = address;
        Err(Status::default())
    }

    /// Sets what the motor shows (16, A016).
    ///
    /// # Errors
    /// ST, sent with the refusal.
    fn synchronise(&mut self, total: Quantity) -> Result<(), Status> {
        let _ = total;
        Err(Status::default())
    }

    /// Every other write (04): writes the data behind SER of the answer to `out`, usually none, and returns their
    /// length. [`DataId::value`] tells what `data` are. `None`: the meter does not know it and stays silent.
    fn write(
        &mut self,
        function: Function,
        id: DataId,
        data: &[u8],
        out: &mut [u8],
    ) -> Option<Result<usize, Status>> {
        let _ = (function, id, data, out);
        None
    }

    /// The vendor's own function (2A): takes all data of the request (see [`Head::of_vendor`]) and writes all data of
    /// the answer. `None`: the meter does not know it and stays silent.
    fn vendor(&mut self, data: &[u8], out: &mut [u8]) -> Option<Result<usize, Status>> {
        let _ = (data, out);
        None
    }
}

/// Dialects of a meter, for tests of readers and for meters that replace others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// Identifiers of answers in this order; `None`: in the order of the request.
    pub order: Option<IdOrder>,
    /// The answer to 03 repeats the address behind SER.
    pub address_in_data: bool,
    /// What stands in a refusal.
    pub refusal: RefusalForm,
}

/// Which bytes a meter sends with a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefusalForm {
    /// SER and ST, as the text has it.
    #[default]
    SerialAndStatus,
    /// ST.
    Status,
    /// The first byte of ST.
    OneByte,
}

/// What a slave did with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlaveEvent {
    /// A request was answered.
    Answered(Function),
    /// A request was answered with a refusal.
    Refused(Function),
    /// A frame for this meter said nothing known, or was a broadcast; no answer.
    NotAnswered(Function),
}

/// A meter on a half-duplex line, as a plain struct; the loop is that of the `dlt645` slave: hand in bytes until all
/// are taken, send what [`Slave::poll_transmit`] gives, keep [`Slave::poll_timeout`].
#[derive(Debug)]
pub struct Slave {
    decoder: Decoder,
    transmit: [u8; FRAME_MAX + PREAMBLE_MAX],
    answer: Option<(usize, u64)>,
    due: bool,
    gap: Exchange,
    timing: Timing,
    preamble: usize,
    dialect: Dialect,
    /// The order of the last request, which decides where an identifier does not tell it.
    dialogue: IdOrder,
    event: Option<SlaveEvent>,
}

impl Slave {
    /// A meter that has heard nothing.
    #[must_use]
    pub const fn new(timing: Timing) -> Self {
        Slave {
            decoder: Decoder::new(),
            transmit: [0; FRAME_MAX + PREAMBLE_MAX],
            answer: None,
            due: false,
            gap: Exchange::new(),
            timing,
            preamble: 0,
            dialect: Dialect {
                order: None,
                address_in_data: false,
                refusal: RefusalForm::SerialAndStatus,
            },
            dialogue: IdOrder::LowFirst,
            event: None,
        }
    }

    /// How many FE go in front of an answer, at most 4; none by default.
    pub fn set_preamble(&mut self, count: usize) {
        self.preamble = count.min(PREAMBLE_MAX);
    }

    /// Another dialect from the next answer on.
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    /// Frames and bytes refused so far.
    #[must_use]
    pub const fn refusals(&self) -> Refusals {
        self.decoder.refusals()
    }

    /// Takes bytes from the line and returns how many: it stops behind a request that has an answer.
    #[must_use = "bytes that were not taken are to be handed in again"]
    pub fn handle_bytes(
        &mut self,
        now: u64,
        bytes: &[u8],
        application: &mut impl Application,
    ) -> usize {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..)
            && !rest.is_empty()
            && self.answer.is_none()
        {
            let fed = self.decoder.feed(rest);
            used += fed.used;
            let Some(frame) = fed.frame else { continue };
            let (len, event) = respond(
                &frame,
                application,
                &mut self.transmit,
                self.preamble,
                self.dialect,
                &mut self.dialogue,
            );
            self.settle(now, len, event);
        }
        if self.decoder.is_receiving() {
            self.gap.bytes_seen(now, &self.timing);
        } else {
            self.gap.stop();
        }
        used
    }

    /// To be called when [`Slave::poll_timeout`] has passed.
    pub fn handle_timeout(&mut self, now: u64, application: &mut impl Application) {
        if let Some((_, at)) = self.answer {
            self.due |= now >= at;
        }
        if self.gap.expired(now).is_none() {
            return;
        }
        while self.answer.is_none()
            && let Some(frame) = self.decoder.handle_gap()
        {
            let (len, event) = respond(
                &frame,
                application,
                &mut self.transmit,
                self.preamble,
                self.dialect,
                &mut self.dialogue,
            );
            self.settle(now, len, event);
        }
    }

    /// The bytes of an answer that may go now, once.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        if !self.due {
            return None;
        }
        self.due = false;
        let (len, _) = self.answer.take()?;
        self.transmit.get(..len)
    }

    /// What happened to the last frame for this meter, once.
    pub fn poll_event(&mut self) -> Option<SlaveEvent> {
        self.event.take()
    }

    /// When to call [`Slave::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let answer = self.answer.filter(|_| !self.due).map(|(_, at)| at);
        match (answer, self.gap.poll_timeout()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn settle(&mut self, now: u64, len: Option<usize>, event: Option<SlaveEvent>) {
        if let Some(len) = len {
            self.answer = Some((
                len,
                now.saturating_add(u64::from(self.timing.turnaround_ms)),
            ));
            self.due = self.timing.turnaround_ms == 0;
        }
        if event.is_some() {
            self.event = event;
        }
    }
}

fn respond(
    frame: &Frame<'_>,
    application: &mut impl Application,
    transmit: &mut [u8],
    preamble: usize,
    dialect: Dialect,
    dialogue: &mut IdOrder,
) -> (Option<usize>, Option<SlaveEvent>) {
    // The address of the answer: a new one holds from the next frame on.
    let own = application.address();
    let heard = application.hears(frame.meter_type) && frame.address.matches(own);
    if frame.control.from_meter() || !heard {
        return (None, None);
    }
    let function = frame.control.function();
    let silent = (None, Some(SlaveEvent::NotAnswered(function)));
    let Ok(request) = frame.message(*dialogue) else {
        return silent;
    };
    if frame.address.kind() == AddressKind::Broadcast {
        return silent;
    }
    let mut buffer = [0; DATA_MAX - HEAD_LEN];
    let (head, result) = match request {
        Message::Request {
            function,
            head,
            data,
        } => {
            *dialogue = head.order;
            // Only reads go to whoever is there.
            let reads = matches!(
                function,
                Function::READ | Function::READ_ADDRESS | Function::READ_KEY_VERSION
            );
            if !reads && frame.address.kind() != AddressKind::Single {
                return silent;
            }
            let wants_address = dialect.address_in_data && function == Function::READ_ADDRESS;
            let result = if wants_address {
                head.id
                    .encode_value(&Value::Address(own), &mut buffer)
                    .map_err(|_| Status::default())
            } else {
                match perform(function, head, data, application, &mut buffer) {
                    Some(result) => result,
                    None => return silent,
                }
            };
            let order = dialect.order.unwrap_or(head.order);
            (Some(Head { order, ..head }), result)
        }
        Message::Vendor {
            answer: false,
            data,
        } if frame.address.kind() == AddressKind::Single => {
            match application.vendor(data, &mut buffer) {
                Some(result) => (None, result),
                None => return silent,
            }
        }
        _ => return silent,
    };
    let refusal;
    let (message, event) = match (result, head) {
        (Ok(len), head) => {
            let data = buffer.get(..len).unwrap_or_default();
            let message = match head {
                Some(head) => Message::Answer {
                    function,
                    head,
                    data,
                },
                None => Message::Vendor { answer: true, data },
            };
            (message, SlaveEvent::Answered(function))
        }
        (Err(Status([first, second])), head) => {
            let serial = head.map_or(0, |head| head.serial);
            refusal = match dialect.refusal {
                RefusalForm::SerialAndStatus => ([serial, first, second], 3),
                RefusalForm::Status => ([first, second, 0], 2),
                RefusalForm::OneByte => ([first, 0, 0], 1),
            };
            let (bytes, len) = &refusal;
            let data = bytes.get(..*len).unwrap_or_default();
            let message = Message::Refused { function, data };
            (message, SlaveEvent::Refused(function))
        }
    };
    let Some((wake, place)) = transmit.split_at_mut_checked(preamble) else {
        return silent;
    };
    wake.fill(PREAMBLE);
    match message.encode_frame(application.meter_type(), own, place) {
        Ok(len) => (Some(preamble + len), Some(event)),
        Err(_) => silent,
    }
}

/// Hands a request to the application; `None` where the meter stays silent.
fn perform(
    function: Function,
    head: Head,
    data: &[u8],
    application: &mut impl Application,
    out: &mut [u8],
) -> Option<Result<usize, Status>> {
    let (meter_type, id) = (application.meter_type(), head.id);
    Some(match function {
        Function::READ_ADDRESS => Ok(0),
        Function::READ => application.read(id, out),
        Function::READ_KEY_VERSION => {
            let place = out.first_mut()?;
            application.key_version().map(|version| {
                *place = version;
                1
            })
        }
        // These say one thing only: with other data they are no request of the standard.
        Function::WRITE if id == DataId::VALVE => {
            let order = ValveOrder::from_line(data)?;
            let place = out.first_chunk_mut::<2>()?;
            application.valve(order).map(|status| {
                *place = status.0;
                2
            })
        }
        Function::WRITE_ADDRESS => match id.value(meter_type, data) {
            Ok(Value::Address(new)) if new.kind() == AddressKind::Single => {
                application.write_address(new).map(|()| 0)
            }
            _ => return None,
        },
        Function::SYNCHRONISE => match id.value(meter_type, data) {
            Ok(Value::Total(total)) => application.synchronise(total).map(|()| 0),
            _ => return None,
        },
        _ => return application.write(function, id, data, out),
    })
}
