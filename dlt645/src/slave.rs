//! The meter's side: hears frames, asks the application, answers.

use serial_line::{Exchange, PREAMBLE, Timing};

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::DataId;
use crate::decoder::{Decoder, Refusals};
use crate::error::{Err645, SecurityErr};
use crate::frame::{FRAME_MAX, Frame};
use crate::message::{Authority, Control, Edition, Message, Operator};
use crate::time::Stamp;

/// Most data bytes behind the identifier in the first frame of an answer.
const FIRST_PART: usize = 196;
/// Most data bytes between identifier and sequence number in a follow-up frame.
const NEXT_PART: usize = 195;
const PREAMBLE_MAX: usize = 4;

/// What the meter behind a [`Slave`] does. Only [`Application::address`] and [`Application::read`] are required; the
/// rest refuses by default.
pub trait Application {
    /// The meter's own full address.
    fn address(&self) -> Address;

    /// Writes the value of `id` to the front of `out`, as it goes on the line (low byte first, offset not added), and
    /// returns its length; `rest` is what the request adds for class 06 and screens, usually empty.
    ///
    /// Answers longer than 196 bytes are sent in parts; `out` is the buffer given to [`Slave::new`].
    ///
    /// # Errors
    /// The bits of ERR; [`Err645::NO_DATA`] for an identifier the meter does not have.
    fn read(&mut self, id: DataId, rest: &[u8], out: &mut [u8]) -> Result<usize, Err645>;

    /// Sets `id` to `data`; checking the password is the application's.
    ///
    /// # Errors
    /// The bits of ERR.
    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        let _ = (id, authority, data);
        Err(Err645::NOT_AUTHORISED)
    }

    /// Carries out an order of function 1C; checking its expiry and password is the application's.
    ///
    /// # Errors
    /// The bits of ERR; [`Err645::NOT_AUTHORISED`] for expired, keep power and wrong level.
    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        let _ = (authority, control);
        Err(Err645::NOT_AUTHORISED)
    }

    /// Function 03: takes `data`, writes the answer behind the identifier to the front of `out` (at most 196 bytes)
    /// and returns its length.
    ///
    /// # Errors
    /// The bits of SERR.
    fn security(
        &mut self,
        id: DataId,
        operator: Operator,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        let _ = (id, operator, data, out);
        Err(SecurityErr::OTHER)
    }

    /// Function 08: somebody tells the time. Never answered; the window of the standard (at most 5 minutes off, once
    /// a day, not near midnight) is the application's.
    fn set_time(&mut self, stamp: Stamp) {
        let _ = stamp;
    }

    /// Function 15: takes a new address and says whether it did (only with the programming button held).
    fn write_address(&mut self, address: Address) -> bool {
        let _ = address;
        false
    }

    /// Every other function (16 to 1B, 1D, protected blocks): writes the data of the answer to the front of `out` and
    /// returns their length. `None`: the meter does not know the function and stays silent.
    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        let _ = (message, out);
        None
    }
}

/// What a slave did with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlaveEvent {
    /// A request was answered with data or "done".
    Answered(Function),
    /// A request was answered with a refusal.
    Refused(Function),
    /// A broadcast or a time was taken without an answer.
    Heard(Function),
    /// A frame for this meter said nothing the edition knows; no answer.
    NotUnderstood(Function),
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    id: DataId,
    len: usize,
    /// The last sequence number answered; 0 after the first part.
    sequence: u8,
}

/// A meter on a half-duplex line, as a plain struct.
///
/// The loop: hand in bytes with [`Slave::handle_bytes`] until it has taken all; send what [`Slave::poll_transmit`]
/// gives; when [`Slave::poll_timeout`] passes, call [`Slave::handle_timeout`] and look at `poll_transmit` again. The
/// answer waits for the turnaround time of [`Timing`] (20 ms on a serial line).
#[derive(Debug)]
pub struct Slave<'b> {
    decoder: Decoder,
    buffer: &'b mut [u8],
    pending: Option<Pending>,
    transmit: [u8; FRAME_MAX + PREAMBLE_MAX],
    /// Length of the answer and when it may go.
    answer: Option<(usize, u64)>,
    /// The answer may go now.
    due: bool,
    gap: Exchange,
    timing: Timing,
    preamble: usize,
    event: Option<SlaveEvent>,
}

impl<'b> Slave<'b> {
    /// A meter whose longest answer fits into `buffer`: 196 bytes for answers of one frame, 1,026 for the longest
    /// record of the standard.
    #[must_use]
    pub fn new(buffer: &'b mut [u8], timing: Timing) -> Self {
        Slave {
            decoder: Decoder::new(),
            buffer,
            pending: None,
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

    /// Takes bytes from the line and returns how many: it stops behind a request that has an answer, so that no
    /// answer is lost. Send that, then hand in the rest.
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
                self.buffer,
                &mut self.pending,
                &mut self.transmit,
                self.preamble,
            );
            self.settle(now, len, event);
        }
        self.watch_gap(now);
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
                self.buffer,
                &mut self.pending,
                &mut self.transmit,
                self.preamble,
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
            let at = now.saturating_add(u64::from(self.timing.turnaround_ms));
            self.answer = Some((len, at));
            self.due = self.timing.turnaround_ms == 0;
        }
        if event.is_some() {
            self.event = event;
        }
    }

    fn watch_gap(&mut self, now: u64) {
        if self.decoder.is_receiving() {
            self.gap.bytes_seen(now, &self.timing);
        } else {
            self.gap.stop();
        }
    }
}

/// What goes back to the master.
enum Reply<'a> {
    Message(Message<'a>),
    Silence,
}

fn respond(
    frame: &Frame<'_>,
    application: &mut impl Application,
    buffer: &mut [u8],
    pending: &mut Option<Pending>,
    transmit: &mut [u8],
    preamble: usize,
) -> (Option<usize>, Option<SlaveEvent>) {
    if frame.control.from_meter() || !frame.address.matches(application.address()) {
        return (None, None);
    }
    let function = frame.control.function();
    // A meter does not answer what it cannot read: a wrong length counts as a bad frame.
    let Ok(message) = frame.message(Edition::V2007) else {
        return (None, Some(SlaveEvent::NotUnderstood(function)));
    };
    let kind = frame.address.kind();
    if kind == AddressKind::Broadcast {
        let heard = match message {
            Message::BroadcastTime(stamp) => {
                application.set_time(stamp);
                true
            }
            Message::Freeze { .. } | Message::Output(_) => {
                application.other(&message, buffer).is_some()
            }
            _ => false,
        };
        return (None, heard.then_some(SlaveEvent::Heard(function)));
    }
    let reply = answer(
        &message,
        kind == AddressKind::Single,
        application,
        buffer,
        pending,
    );
    let message = match reply {
        Reply::Message(message) => message,
        Reply::Silence if matches!(message, Message::BroadcastTime(_)) => {
            return (None, Some(SlaveEvent::Heard(function)));
        }
        Reply::Silence => return (None, Some(SlaveEvent::NotUnderstood(function))),
    };
    let event = if message.control().is_error() {
        SlaveEvent::Refused(function)
    } else {
        SlaveEvent::Answered(function)
    };
    let Some((wake, place)) = transmit.split_at_mut_checked(preamble) else {
        return (None, None);
    };
    wake.fill(PREAMBLE);
    match message.encode_frame(application.address(), place) {
        Ok(len) => (Some(preamble + len), Some(event)),
        Err(_) => (None, Some(SlaveEvent::NotUnderstood(function))),
    }
}

/// `exact`: the request names this meter in full; a wildcard or an abbreviation only reads.
fn answer<'a>(
    message: &Message<'_>,
    exact: bool,
    application: &mut impl Application,
    buffer: &'a mut [u8],
    pending: &mut Option<Pending>,
) -> Reply<'a> {
    let function = message.control().function();
    let refused = |err| Reply::Message(Message::Refused { function, err });
    let done = |result: Result<(), Err645>| match result {
        Ok(()) => Reply::Message(Message::Done(function)),
        Err(err) => refused(err),
    };
    match *message {
        Message::Read { id, rest } => {
            *pending = None;
            let room = buffer.len();
            match application.read(id, rest, buffer) {
                Ok(len) if len <= room => {
                    if len > FIRST_PART {
                        *pending = Some(Pending {
                            id,
                            len,
                            sequence: 0,
                        });
                    }
                    let data = buffer.get(..len.min(FIRST_PART)).unwrap_or_default();
                    Reply::Message(Message::ReadAnswer {
                        id,
                        data,
                        more: len > FIRST_PART,
                    })
                }
                Ok(_) => refused(Err645::OTHER),
                Err(err) => refused(err),
            }
        }
        Message::ReadFollowUp { id, sequence } => match follow_up(id, sequence, pending) {
            Some((from, until, more)) => {
                let data = buffer.get(from..until).unwrap_or_default();
                Reply::Message(Message::FollowUpAnswer {
                    id,
                    data,
                    sequence,
                    more,
                })
            }
            None => refused(Err645::NO_DATA),
        },
        Message::ReadAddress => Reply::Message(Message::AddressAnswer(application.address())),
        // On a wildcard this is the only thing that may be written; the answer comes from the new address.
        Message::WriteAddress(address) => {
            if address.kind() == AddressKind::Single && application.write_address(address) {
                Reply::Message(Message::Done(function))
            } else {
                Reply::Silence
            }
        }
        Message::BroadcastTime(stamp) => {
            application.set_time(stamp);
            Reply::Silence
        }
        Message::Security { id, operator, data } => {
            if !exact && id.di2() & 0x80 == 0 {
                return Reply::Message(Message::SecurityRefused(SecurityErr::OTHER));
            }
            // The buffer is about to hold this answer instead of the parts of an earlier one.
            *pending = None;
            let room = buffer.len().min(FIRST_PART);
            let out = buffer.get_mut(..room).unwrap_or_default();
            match application.security(id, operator, data, out) {
                Ok(len) if len <= room => {
                    let data = buffer.get(..len).unwrap_or_default();
                    Reply::Message(Message::SecurityAnswer {
                        id,
                        data,
                        more: false,
                    })
                }
                Ok(_) => Reply::Message(Message::SecurityRefused(SecurityErr::OTHER)),
                Err(err) => Reply::Message(Message::SecurityRefused(err)),
            }
        }
        _ if !exact => refused(Err645::NOT_AUTHORISED),
        Message::Write {
            id,
            ref authority,
            data,
        } => done(application.write(id, authority, data)),
        Message::Control {
            ref authority,
            ref control,
        } => done(application.control(authority, control)),
        ref other => {
            *pending = None;
            match application.other(other, buffer) {
                None => Reply::Silence,
                Some(Err(err)) => refused(err),
                Some(Ok(len)) => match (function, buffer.get(..len)) {
                    (Function::CHANGE_RATE, Some(&[rate])) => {
                        Reply::Message(Message::RateAnswer(rate))
                    }
                    (Function::OUTPUT, Some(&[output])) => {
                        Reply::Message(Message::OutputAnswer(output))
                    }
                    (Function::CHANGE_PASSWORD, Some(&[pa, p0, p1, p2])) => {
                        Reply::Message(Message::PasswordAnswer(crate::Password::from_line([
                            pa, p0, p1, p2,
                        ])))
                    }
                    (_, Some(&[])) => Reply::Message(Message::Done(function)),
                    _ => refused(Err645::OTHER),
                },
            }
        }
    }
}

/// Bounds of the part with this number, and whether more follow. The last number may be asked again.
fn follow_up(
    id: DataId,
    sequence: u8,
    pending: &mut Option<Pending>,
) -> Option<(usize, usize, bool)> {
    let place = pending.as_mut().filter(|place| place.id == id)?;
    let repeats = sequence == place.sequence;
    let advances = place.sequence.checked_add(1) == Some(sequence);
    if sequence == 0 || !(repeats || advances) {
        return None;
    }
    let from = FIRST_PART + NEXT_PART * (usize::from(sequence) - 1);
    if from >= place.len {
        return None;
    }
    let until = place.len.min(from + NEXT_PART);
    place.sequence = sequence;
    Some((from, until, until < place.len))
}
