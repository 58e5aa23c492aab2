//! The meter's side: hears frames, asks the application, answers.

use serial_line::{Exchange, PREAMBLE, Timing};

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::{DataId, IdOrder};
use crate::decoder::{Decoder, Refusals};
use crate::frame::{DATA_MAX, FRAME_MAX, Frame};
use crate::message::{Message, ValveOrder};
use crate::meter_type::MeterType;
use crate::value::Status;

const PREAMBLE_MAX: usize = 4;
/// Identifier and running number in front of the data of an answer.
const HEAD_LEN: usize = 3;

/// What the meter behind a [`Slave`] does.
pub trait Application {
    /// T of this meter.
    fn meter_type(&self) -> MeterType;

    /// The meter's own address.
    fn address(&self) -> Address;

    /// Writes the data behind SER for `id` to the front of `out` and returns their length; for 901F see
    /// [`crate::Reading::encode`].
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

    /// Every other write (functions 04, 15, 16): writes the data behind SER of the answer to `out` and returns their
    /// length. `None`: the meter does not know it and stays silent.
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
            event: None,
        }
    }

    /// How many FE go in front of an answer, at most 4; none by default.
    pub fn set_preamble(&mut self, count: usize) {
        self.preamble = count.min(PREAMBLE_MAX);
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
            let (len, event) = respond(&frame, application, &mut self.transmit, self.preamble);
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
            let (len, event) = respond(&frame, application, &mut self.transmit, self.preamble);
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
) -> (Option<usize>, Option<SlaveEvent>) {
    let own = application.meter_type();
    let for_type = frame.meter_type == own || frame.meter_type == MeterType::ANY;
    if frame.control.from_meter() || !for_type || !frame.address.matches(application.address()) {
        return (None, None);
    }
    let function = frame.control.function();
    let silent = (None, Some(SlaveEvent::NotAnswered(function)));
    let Ok(Message::Request { head, data, .. }) = frame.message(IdOrder::default()) else {
        return silent;
    };
    if frame.address.kind() == AddressKind::Broadcast {
        return silent;
    }
    let mut buffer = [0; DATA_MAX - HEAD_LEN];
    let result = match (function, head.id) {
        (Function::READ_ADDRESS, _) => Ok(0),
        (Function::READ, id) => application.read(id, &mut buffer),
        // Only reads go to whoever is there.
        _ if frame.address.kind() != AddressKind::Single => return silent,
        (Function::WRITE, DataId::VALVE) => match ValveOrder::from_line(data) {
            Some(order) => application.valve(order).map(|status| {
                let [first, second, ..] = &mut buffer;
                (*first, *second) = (status.0[0], status.0[1]);
                2
            }),
            None => return silent,
        },
        (function, id) => match application.write(function, id, data, &mut buffer) {
            Some(result) => result,
            None => return silent,
        },
    };
    let refusal;
    let (message, event) = match result {
        Ok(len) => {
            let data = buffer.get(..len).unwrap_or_default();
            (
                Message::Answer {
                    function,
                    head,
                    data,
                },
                SlaveEvent::Answered(function),
            )
        }
        Err(Status([first, second])) => {
            refusal = [head.serial, first, second];
            (
                Message::Refused {
                    function,
                    data: &refusal,
                },
                SlaveEvent::Refused(function),
            )
        }
    };
    let Some((wake, place)) = transmit.split_at_mut_checked(preamble) else {
        return silent;
    };
    wake.fill(PREAMBLE);
    match message.encode_frame(own, application.address(), place) {
        Ok(len) => (Some(preamble + len), Some(event)),
        Err(_) => silent,
    }
}
