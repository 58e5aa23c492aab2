//! What a frame means for the question that is open, and the gathering of parts.

use crate::address::{Address, AddressKind};
use crate::control::Function;
use crate::data_id::{DataId, DataId1997};
use crate::error::{Err645, SecurityErr};
use crate::frame::Frame;
use crate::message::{Edition, Message, rate_of, rate_of_1997};

/// An identifier of either edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Id(DataId),
    Id1997(DataId1997),
}

/// What an exchange is for, where the answer alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Plain,
    /// Only the address of the answer counts.
    Address,
    /// Any answer proves the new rate.
    Confirm,
}

/// What the master waits for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub address: Address,
    pub function: Function,
    pub edition: Edition,
    pub purpose: Purpose,
    pub id: Option<Asked>,
    /// 0 for the first part.
    pub sequence: u8,
    pub asked: u8,
    pub tries: u8,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    Data {
        address: Address,
        id: DataId,
    },
    Security {
        address: Address,
        id: DataId,
    },
    Data1997 {
        address: Address,
        id: DataId1997,
    },
    RateChanged {
        address: Address,
        rate: u32,
    },
    RateConfirmed {
        rate: u32,
    },
    RateLost {
        rate: u32,
    },
    Address(Address),
    Done {
        address: Address,
        function: Function,
    },
    ControlReport {
        done: u16,
        refused: u16,
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

/// What follows from a frame.
pub(super) enum Step {
    Ignore,
    End(Outcome),
    Next {
        address: Address,
        id: Asked,
        sequence: u8,
    },
}

pub(super) fn judge(
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
    let meter = frame.address.kind() == AddressKind::Single
        && question.address.matches_half_bytes(frame.address);
    let wildcard = wildcard_answers && frame.address == Address::WILDCARD;
    if !(meter || wildcard) {
        return Step::Ignore;
    }
    let address = if meter {
        frame.address
    } else {
        question.address
    };
    let Ok(message) = frame.message(question.edition) else {
        return Step::Ignore;
    };
    match message {
        Message::ReadAnswer1997 { id, .. }
            if question.purpose == Purpose::Address && question.id == Some(Asked::Id1997(id)) =>
        {
            // An answer in the wildcard's name tells no address.
            match meter {
                true => Step::End(Outcome::Address(address)),
                false => Step::Ignore,
            }
        }
        Message::ReadAnswer1997 { id, data, more }
        | Message::FollowUpAnswer1997 { id, data, more }
            if question.id == Some(Asked::Id1997(id)) =>
        {
            let sequence = question.sequence;
            gather(
                address,
                Asked::Id1997(id),
                sequence,
                data,
                more,
                buffer,
                gathered,
            )
        }
        Message::Refused { function, err } => Step::End(Outcome::Refused { function, err }),
        Message::SecurityRefused(err) => Step::End(Outcome::SecurityRefused(err)),
        Message::AddressAnswer(address) => Step::End(Outcome::Address(address)),
        Message::ReadAnswer { id, data, more } if question.id == Some(Asked::Id(id)) => {
            gather(address, Asked::Id(id), 0, data, more, buffer, gathered)
        }
        Message::FollowUpAnswer {
            id,
            data,
            sequence,
            more,
        } if question.id == Some(Asked::Id(id)) && question.sequence == sequence => gather(
            address,
            Asked::Id(id),
            sequence,
            data,
            more,
            buffer,
            gathered,
        ),
        Message::SecurityAnswer { id, data, .. } if question.id == Some(Asked::Id(id)) => {
            match append(data, buffer, gathered) {
                true => Step::End(Outcome::Security { address, id }),
                false => Step::End(Outcome::TooLong),
            }
        }
        Message::Done(function) => Step::End(Outcome::Done { address, function }),
        Message::RateAnswer(byte) => {
            let rate = match question.edition {
                Edition::V2007 => rate_of(byte),
                Edition::V1997 => rate_of_1997(byte),
            };
            match rate {
                Some(rate) => Step::End(Outcome::RateChanged { address, rate }),
                None => Step::Ignore,
            }
        }
        Message::ControlReport { done, refused } => {
            Step::End(Outcome::ControlReport { done, refused })
        }
        Message::PasswordAnswer(_) | Message::OutputAnswer(_) => Step::End(Outcome::Done {
            address,
            function: question.function,
        }),
        _ => Step::Ignore,
    }
}

fn gather(
    address: Address,
    id: Asked,
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
        (false, _) => Step::End(match id {
            Asked::Id(id) => Outcome::Data { address, id },
            Asked::Id1997(id) => Outcome::Data1997 { address, id },
        }),
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
    let place = buffer.get_mut(*gathered..);
    match place.and_then(|place| place.get_mut(..data.len())) {
        Some(place) => {
            place.copy_from_slice(data);
            *gathered = gathered.saturating_add(data.len());
            true
        }
        None => false,
    }
}
