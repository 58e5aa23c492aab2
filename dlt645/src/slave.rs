//! The meter's side: hears frames, asks the application, answers.

use serial_line::{Exchange, PREAMBLE, Timing};

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::{DataId, DataId1997};
use crate::decoder::{Decoder, Refusals};
use crate::element::{MeterElement, Protection, Subject};
use crate::error::{Err645, SecurityErr};
use crate::frame::{DATA_MAX, FRAME_MAX, Frame};
use crate::guard::{Guard, level_of};
use crate::message::{
    Authority, Control, Edition, Message, Operator, Password, rate_of, rate_of_1997,
};
use crate::time::Stamp;

/// Most data bytes behind the identifier in the first frame of an answer.
const FIRST_PART: usize = 196;
/// Most data bytes between identifier and sequence number in a follow-up frame.
const NEXT_PART: usize = 195;
/// Most data bytes behind the identifier in any frame of the 1997 edition.
const PART_1997: usize = 198;
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

    /// Sets `id` to `data`. Checking the password is the application's, unless the slave has a [`Guard`] or the request
    /// came under level 98 or 99 and the application has an [`Application::element`].
    ///
    /// # Errors
    /// The bits of ERR.
    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        let _ = (id, authority, data);
        Err(Err645::NOT_AUTHORISED)
    }

    /// Carries out an order of function 1C. Checking its password is the application's as for [`Application::write`],
    /// and its expiry unless there is an [`Application::clock`].
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

    /// Every other function (16 to 1B, 1D and protected blocks; 0C, 0F and 10 of 1997): writes the data of the answer to
    /// the front of `out` and returns their length. `None`: the meter does not know the function and stays silent.
    ///
    /// The data of an answer to 17 and 0C are the rate byte, to 18 and 0F the new password as sent, to 1D the output; all
    /// others have none.
    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        let _ = (message, out);
        None
    }

    /// The level a write of `id` needs; asked only of a slave with a [`Guard`].
    fn level(&self, id: DataId) -> u8 {
        level_of(id)
    }

    /// The meter's clock. With it the slave itself refuses orders that have expired.
    fn clock(&self) -> Option<Stamp> {
        None
    }

    /// The secure element. With it the slave opens what comes under levels 98 and 99, and the application gets the plain
    /// request; the level of its authority tells how it came.
    fn element(&mut self) -> Option<&mut dyn MeterElement> {
        None
    }

    /// 1997, 01: as [`Application::read`], for a slave that answers the older edition too.
    ///
    /// # Errors
    /// The bits of ERR of 1997; [`Err645::UNKNOWN_ID_1997`] for an identifier the meter does not have.
    fn read_1997(&mut self, id: DataId1997, out: &mut [u8]) -> Result<usize, Err645> {
        let _ = (id, out);
        Err(Err645::UNKNOWN_ID_1997)
    }

    /// 1997, 04: as [`Application::write`].
    ///
    /// # Errors
    /// The bits of ERR of 1997.
    fn write_1997(
        &mut self,
        id: DataId1997,
        password: Password,
        data: &[u8],
    ) -> Result<(), Err645> {
        let _ = (id, password, data);
        Err(Err645::PASSWORD_1997)
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
    /// The meter agreed to another rate: send the answer at the old one, then switch the port to this, in bit/s, and tell
    /// the slave by [`Slave::set_timing`].
    SwitchRate(u32),
}

/// What a long answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Id(DataId),
    Id1997(DataId1997),
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    id: Asked,
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
    guard: Option<Guard>,
    answers_1997: bool,
    half_bytes: bool,
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
            guard: None,
            answers_1997: false,
            half_bytes: false,
        }
    }

    /// Whether AA in single nibbles of a request counts as a wildcard too. Off by default, as in the standard.
    pub fn accept_half_byte_wildcards(&mut self, accept: bool) {
        self.half_bytes = accept;
    }

    /// From now on requests that change something are checked by `guard` before the application hears of them.
    pub fn set_guard(&mut self, guard: Guard) {
        self.guard = Some(guard);
    }

    /// The guard, for its button, its lock and its programming records.
    pub fn guard(&mut self) -> Option<&mut Guard> {
        self.guard.as_mut()
    }

    /// Whether the meter also answers the 1997 edition: functions 01, 02, 04, 0A, 0C, 0F, 10, and 03 without data. Off by
    /// default.
    pub fn answer_1997(&mut self, answer: bool) {
        self.answers_1997 = answer;
    }

    /// Other waiting times from now on, as after a change of the rate.
    pub fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
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
            let mut side = Side {
                now,
                buffer: &mut *self.buffer,
                pending: &mut self.pending,
                guard: self.guard.as_mut(),
                answers_1997: self.answers_1997,
                half_bytes: self.half_bytes,
            };
            let (len, event) = side.respond(&frame, application, &mut self.transmit, self.preamble);
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
            let mut side = Side {
                now,
                buffer: &mut *self.buffer,
                pending: &mut self.pending,
                guard: self.guard.as_mut(),
                answers_1997: self.answers_1997,
                half_bytes: self.half_bytes,
            };
            let (len, event) = side.respond(&frame, application, &mut self.transmit, self.preamble);
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

impl Reply<'_> {
    const fn refused(function: Function, err: Err645) -> Self {
        Reply::Message(Message::Refused { function, err })
    }

    fn done(function: Function, result: Result<(), Err645>) -> Self {
        match result {
            Ok(()) => Reply::Message(Message::Done(function)),
            Err(err) => Self::refused(function, err),
        }
    }
}

/// The parts of a slave that an answer needs.
struct Side<'s> {
    now: u64,
    buffer: &'s mut [u8],
    pending: &'s mut Option<Pending>,
    guard: Option<&'s mut Guard>,
    answers_1997: bool,
    half_bytes: bool,
}

/// Whether the function belongs to the 1997 edition; the others are those of 2007 or the same in both.
fn is_1997(frame: &Frame<'_>) -> bool {
    match frame.control.function() {
        Function::READ_AGAIN_1997 => frame.data.is_empty(),
        Function(0x01 | 0x02 | 0x04 | 0x0A | 0x0C | 0x0F | 0x10) => true,
        _ => false,
    }
}

impl Side<'_> {
    fn respond(
        &mut self,
        frame: &Frame<'_>,
        application: &mut impl Application,
        transmit: &mut [u8],
        preamble: usize,
    ) -> (Option<usize>, Option<SlaveEvent>) {
        let own = application.address();
        let asked = frame.address.matches(own)
            || (self.half_bytes && frame.address.matches_half_bytes(own));
        if frame.control.from_meter() || !asked {
            return (None, None);
        }
        let function = frame.control.function();
        let edition = if self.answers_1997 && is_1997(frame) {
            Edition::V1997
        } else {
            Edition::V2007
        };
        // A meter does not answer what it cannot read: a wrong length counts as a bad frame.
        let Ok(message) = frame.message(edition) else {
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
                    application.other(&message, self.buffer).is_some()
                }
                _ => false,
            };
            return (None, heard.then_some(SlaveEvent::Heard(function)));
        }
        let exact = kind == AddressKind::Single;
        let reply = match edition {
            Edition::V2007 => self.answer(&message, function, exact, application),
            Edition::V1997 => self.answer_1997(&message, function, exact, application),
        };
        let message = match reply {
            Reply::Message(message) => message,
            Reply::Silence if matches!(message, Message::BroadcastTime(_)) => {
                return (None, Some(SlaveEvent::Heard(function)));
            }
            Reply::Silence => return (None, Some(SlaveEvent::NotUnderstood(function))),
        };
        let event = match message {
            Message::RateAnswer(rate) => match edition {
                Edition::V2007 => rate_of(rate),
                Edition::V1997 => rate_of_1997(rate),
            }
            .map_or(SlaveEvent::Answered(function), SlaveEvent::SwitchRate),
            _ if message.control().is_error() => SlaveEvent::Refused(function),
            _ => SlaveEvent::Answered(function),
        };
        let Some((wake, place)) = transmit.split_at_mut_checked(preamble) else {
            return (None, None);
        };
        wake.fill(PREAMBLE);
        match message.encode_frame_in(edition, application.address(), place) {
            Ok(len) => (Some(preamble + len), Some(event)),
            Err(_) => (None, Some(SlaveEvent::NotUnderstood(function))),
        }
    }

    /// `exact`: the request names this meter in full; a wildcard or an abbreviation only reads.
    fn answer(
        &mut self,
        message: &Message<'_>,
        function: Function,
        exact: bool,
        application: &mut impl Application,
    ) -> Reply<'_> {
        match *message {
            Message::Read { id, rest } => {
                *self.pending = None;
                let room = self.buffer.len();
                match application.read(id, rest, self.buffer) {
                    Ok(len) if len <= room => {
                        if len > FIRST_PART {
                            *self.pending = Some(Pending {
                                id: Asked::Id(id),
                                len,
                                sequence: 0,
                            });
                        }
                        let data = self.buffer.get(..len.min(FIRST_PART)).unwrap_or_default();
                        Reply::Message(Message::ReadAnswer {
                            id,
                            data,
                            more: len > FIRST_PART,
                        })
                    }
                    Ok(_) => Reply::refused(function, Err645::OTHER),
                    Err(err) => Reply::refused(function, err),
                }
            }
            Message::ReadFollowUp { id, sequence } => match follow_up(id, sequence, self.pending) {
                Some((from, until, more)) => {
                    let data = self.buffer.get(from..until).unwrap_or_default();
                    Reply::Message(Message::FollowUpAnswer {
                        id,
                        data,
                        sequence,
                        more,
                    })
                }
                None => Reply::refused(function, Err645::NO_DATA),
            },
            Message::ReadAddress => Reply::Message(Message::AddressAnswer(application.address())),
            Message::WriteAddress(address) => self.write_address(address, function, application),
            Message::BroadcastTime(stamp) => {
                application.set_time(stamp);
                Reply::Silence
            }
            Message::Security { id, operator, data } => {
                if !exact && id.di2() & 0x80 == 0 {
                    return Reply::Message(Message::SecurityRefused(SecurityErr::OTHER));
                }
                // The buffer is about to hold this answer instead of the parts of an earlier one.
                *self.pending = None;
                let room = self.buffer.len().min(FIRST_PART);
                let out = self.buffer.get_mut(..room).unwrap_or_default();
                match application.security(id, operator, data, out) {
                    Ok(len) if len <= room => {
                        let data = self.buffer.get(..len).unwrap_or_default();
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
            _ if !exact => Reply::refused(function, Err645::NOT_AUTHORISED),
            Message::Write {
                id,
                ref authority,
                data,
            } => Reply::done(function, self.write(id, authority, data, application)),
            Message::Control {
                ref authority,
                ref control,
            } => {
                let allowed = self
                    .allow(authority, 0x02, application)
                    .and_then(|()| in_time(control.expires, application));
                Reply::done(
                    function,
                    allowed.and_then(|()| application.control(authority, control)),
                )
            }
            Message::Protected {
                ref authority,
                data,
                ..
            } => self.protected(message, authority, data, function, application),
            ref other => self.order(other, function, application),
        }
    }

    /// On a wildcard this is the only thing that may be written; the answer comes from the new address.
    fn write_address(
        &mut self,
        address: Address,
        function: Function,
        application: &mut impl Application,
    ) -> Reply<'_> {
        let now = self.now;
        let button = self
            .guard
            .as_ref()
            .is_none_or(|guard| guard.is_programming(now));
        if button && address.kind() == AddressKind::Single && application.write_address(address) {
            Reply::Message(Message::Done(function))
        } else {
            Reply::Silence
        }
    }

    /// Level and password of a request in plain, if there is a guard. Levels 98 and 99 without their MAC are refused by
    /// a meter that has a guard or an element; only without both is the level the application's to judge.
    fn allow(
        &mut self,
        authority: &Authority,
        needed: u8,
        application: &mut impl Application,
    ) -> Result<(), Err645> {
        let protected = Protection::from_level(authority.password.level).is_some();
        match self.guard.as_mut() {
            Some(guard) if !protected => guard.check(self.now, authority.password, needed),
            None if !protected || application.element().is_none() => Ok(()),
            _ => Err(Err645::NOT_AUTHORISED),
        }
    }

    fn write(
        &mut self,
        id: DataId,
        authority: &Authority,
        data: &[u8],
        application: &mut impl Application,
    ) -> Result<(), Err645> {
        let mut plain = [0; DATA_MAX];
        let protection = Protection::from_level(authority.password.level);
        let data = match protection {
            None => {
                if let Some(guard) = self.guard.as_mut() {
                    guard.check_write(self.now, authority, application.level(id))?;
                }
                data
            }
            Some(protection) => {
                let subject = Subject {
                    meter: application.address(),
                    function: Function::WRITE,
                    id: Some(id),
                };
                match application.element() {
                    Some(element) => opened(element, protection, subject, data, &mut plain)?,
                    None if self.guard.is_some() => return Err(Err645::NOT_AUTHORISED),
                    // Without either the application looks after these levels itself.
                    None => data,
                }
            }
        };
        application.write(id, authority, data)?;
        if let Some(guard) = self.guard.as_mut() {
            guard.record(id, authority.operator);
        }
        Ok(())
    }

    /// 1A, 1B and 1C under level 98: the plain block is an order with its expiry, and for 1B an identifier.
    fn protected(
        &mut self,
        message: &Message<'_>,
        authority: &Authority,
        data: &[u8],
        function: Function,
        application: &mut impl Application,
    ) -> Reply<'_> {
        let subject = Subject {
            meter: application.address(),
            function,
            id: None,
        };
        let mut plain = [0; DATA_MAX];
        let opened = match (
            Protection::from_level(authority.password.level),
            application.element(),
        ) {
            (Some(protection), Some(element)) => {
                opened(element, protection, subject, data, &mut plain)
            }
            _ => return self.order(message, function, application),
        };
        // Ciphers fill up to whole blocks; what stands behind the order is filling.
        let (order, rest) = match opened.map(|plain| plain.split_first_chunk::<8>()) {
            Ok(Some((order, rest))) => (*order, rest),
            Ok(None) => return Reply::refused(function, Err645::OTHER),
            Err(err) => return Reply::refused(function, err),
        };
        let Some(control) = Control::from_line(order) else {
            return Reply::refused(function, Err645::OTHER);
        };
        if let Err(err) = in_time(control.expires, application) {
            return Reply::refused(function, err);
        }
        match (function, rest.first_chunk::<4>()) {
            (Function::CONTROL, _) => {
                Reply::done(function, application.control(authority, &control))
            }
            (Function::CLEAR_METER, _) => {
                self.carry_out(&Message::ClearMeter(*authority), function, application)
            }
            (Function::CLEAR_EVENTS, Some(id)) => {
                let message = Message::ClearEvents {
                    id: DataId::from_line(*id),
                    authority: *authority,
                };
                self.carry_out(&message, function, application)
            }
            _ => Reply::refused(function, Err645::OTHER),
        }
    }

    /// What an order needs before the application hears of it.
    fn order_allowed(
        &mut self,
        message: &Message<'_>,
        application: &mut impl Application,
    ) -> Result<(), Err645> {
        match *message {
            Message::ClearDemand(ref authority) => {
                let now = self.now;
                // The button does instead of the level.
                if self
                    .guard
                    .as_ref()
                    .is_some_and(|guard| guard.is_programming(now))
                {
                    return Ok(());
                }
                self.allow(authority, 0x04, application)
            }
            Message::ClearMeter(ref authority)
            | Message::ClearEvents { ref authority, .. }
            | Message::Protected { ref authority, .. } => self.allow(authority, 0x02, application),
            Message::ChangePassword { id, old, new } => {
                if !(0x0400_0C01..=0x0400_0C0A).contains(&id.0) {
                    return Err(Err645::NO_DATA);
                }
                match self.guard.as_mut() {
                    Some(guard) => guard.check_change(self.now, old, new),
                    None => Ok(()),
                }
            }
            Message::ChangePassword1997 { old, new } => match self.guard.as_mut() {
                Some(guard) => guard.check_change(self.now, old, new),
                None => Ok(()),
            },
            Message::ClearDemand1997(password) => match self.guard.as_mut() {
                Some(guard) => guard.check(self.now, password, 0x04),
                None => Ok(()),
            },
            Message::ChangeRate(rate)
                if rate_of(rate).is_none() && rate_of_1997(rate).is_none() =>
            {
                Err(Err645::RATE)
            }
            Message::Output(output) if output > 2 => Err(Err645::OTHER),
            _ => Ok(()),
        }
    }

    fn order(
        &mut self,
        message: &Message<'_>,
        function: Function,
        application: &mut impl Application,
    ) -> Reply<'_> {
        match self.order_allowed(message, application) {
            Ok(()) => self.carry_out(message, function, application),
            Err(err) => Reply::refused(function, err),
        }
    }

    fn carry_out(
        &mut self,
        message: &Message<'_>,
        function: Function,
        application: &mut impl Application,
    ) -> Reply<'_> {
        *self.pending = None;
        let len = match application.other(message, self.buffer) {
            None => return Reply::Silence,
            Some(Err(err)) => return Reply::refused(function, err),
            Some(Ok(len)) => len,
        };
        if let (
            Some(guard),
            Message::ChangePassword { new, .. } | Message::ChangePassword1997 { new, .. },
        ) = (self.guard.as_mut(), message)
        {
            guard.set_password(*new);
        }
        match (*message, self.buffer.get(..len)) {
            (Message::ChangeRate(_), Some(&[rate])) => Reply::Message(Message::RateAnswer(rate)),
            (Message::Output(_), Some(&[output])) => Reply::Message(Message::OutputAnswer(output)),
            (
                Message::ChangePassword { .. } | Message::ChangePassword1997 { .. },
                Some(&[pa, p0, p1, p2]),
            ) => Reply::Message(Message::PasswordAnswer(Password::from_line([
                pa, p0, p1, p2,
            ]))),
            (
                Message::ChangeRate(_)
                | Message::Output(_)
                | Message::ChangePassword { .. }
                | Message::ChangePassword1997 { .. },
                _,
            ) => Reply::refused(function, Err645::OTHER),
            (_, Some(&[])) => Reply::Message(Message::Done(function)),
            _ => Reply::refused(function, Err645::OTHER),
        }
    }

    fn answer_1997(
        &mut self,
        message: &Message<'_>,
        function: Function,
        exact: bool,
        application: &mut impl Application,
    ) -> Reply<'_> {
        match *message {
            Message::Read1997 { id } => {
                *self.pending = None;
                let room = self.buffer.len();
                match application.read_1997(id, self.buffer) {
                    Ok(len) if len <= room => {
                        *self.pending = Some(Pending {
                            id: Asked::Id1997(id),
                            len,
                            sequence: 0,
                        });
                    }
                    Ok(_) => return Reply::refused(function, Err645::ILLEGAL_1997),
                    Err(err) => return Reply::refused(function, err),
                }
                self.part_1997(function)
            }
            // No number tells a repeat from the next part; who lost a part asks for it again by 03.
            Message::ReadFollowUp1997 { id } => match self.pending.as_mut() {
                Some(place)
                    if place.id == Asked::Id1997(id)
                        && place.sequence < u8::MAX
                        && (usize::from(place.sequence) + 1) * PART_1997 < place.len =>
                {
                    place.sequence += 1;
                    self.part_1997(function)
                }
                _ => Reply::refused(function, Err645::UNKNOWN_ID_1997),
            },
            Message::ReadAgain1997 => self.part_1997(function),
            Message::WriteAddress(address) => self.write_address(address, function, application),
            _ if !exact => Reply::refused(function, Err645::PASSWORD_1997),
            Message::Write1997 { id, password, data } => {
                let checked = match self.guard.as_mut() {
                    Some(guard) => guard.check_write(
                        self.now,
                        &Authority {
                            password,
                            operator: Operator::default(),
                        },
                        0x04,
                    ),
                    None => Ok(()),
                };
                Reply::done(
                    function,
                    checked.and_then(|()| application.write_1997(id, password, data)),
                )
            }
            ref other => self.order(other, function, application),
        }
    }

    /// The part of a 1997 answer at which the reader stands, under the function asked.
    fn part_1997(&mut self, function: Function) -> Reply<'_> {
        let Some(Pending {
            id: Asked::Id1997(id),
            len,
            sequence,
        }) = *self.pending
        else {
            return Reply::refused(function, Err645::UNKNOWN_ID_1997);
        };
        let from = usize::from(sequence) * PART_1997;
        let until = len.min(from + PART_1997);
        let (data, more) = (
            self.buffer.get(from..until).unwrap_or_default(),
            until < len,
        );
        Reply::Message(match function {
            Function::READ_FOLLOW_UP_1997 => Message::FollowUpAnswer1997 { id, data, more },
            Function::READ_AGAIN_1997 => Message::ReadAgainAnswer1997 { id, data, more },
            _ => Message::ReadAnswer1997 { id, data, more },
        })
    }
}

/// Refuses an order whose time is over, if the application has a clock.
fn in_time(expires: Option<Stamp>, application: &impl Application) -> Result<(), Err645> {
    match (expires, application.clock()) {
        (Some(expires), Some(now)) if expires < now => Err(Err645::NOT_AUTHORISED),
        _ => Ok(()),
    }
}

fn opened<'p>(
    element: &mut dyn MeterElement,
    protection: Protection,
    subject: Subject,
    protected: &[u8],
    plain: &'p mut [u8],
) -> Result<&'p [u8], Err645> {
    let len = element
        .open(protection, subject, protected, plain)
        .map_err(|_| Err645::NOT_AUTHORISED)?;
    plain.get(..len).ok_or(Err645::OTHER)
}

/// Bounds of the part with this number, and whether more follow. The last number may be asked again.
fn follow_up(
    id: DataId,
    sequence: u8,
    pending: &mut Option<Pending>,
) -> Option<(usize, usize, bool)> {
    let place = pending.as_mut().filter(|place| place.id == Asked::Id(id))?;
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
