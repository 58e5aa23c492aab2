//! What a slave answers: dispatch, checks before the application hears of a request, parts of long answers.

use serial_line::PREAMBLE;

use super::{Application, SlaveEvent};
use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::{DataId, DataId1997};
use crate::element::{MeterElement, Protection, Subject};
use crate::error::{Err645, SecurityErr};
use crate::frame::{DATA_MAX, Frame};
use crate::guard::Guard;
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

/// What a long answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Id(DataId),
    Id1997(DataId1997),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    id: Asked,
    len: usize,
    /// The last sequence number answered; 0 after the first part.
    sequence: u8,
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
pub(super) struct Side<'s> {
    pub now: u64,
    pub buffer: &'s mut [u8],
    pub pending: &'s mut Option<Pending>,
    pub guard: Option<&'s mut Guard>,
    pub answers_1997: bool,
    pub half_bytes: bool,
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
    pub(super) fn respond(
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
