//! Any message of either edition is the same after a way over the line, and any frame that says something says it again.

use dlt645::{
    Address, Authority, Control, ControlCode, DataId, DataId1997, Edition, Err645, Frame, Function,
    Message, Operator, Order, Password, SecurityErr, Stamp,
};
use proptest::prelude::*;

fn stamp() -> impl Strategy<Value = Stamp> {
    (
        0..100_u8,
        0..100_u8,
        0..100_u8,
        0..100_u8,
        0..100_u8,
        1..100_u8,
    )
        .prop_map(|(year, month, day, hour, minute, second)| Stamp {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
}

prop_compose! {
    fn authority()(level in 0..0x98_u8, digits in 0..0x100_0000_u32, operator: u32) -> Authority {
        Authority { password: Password { level, digits }, operator: Operator(operator) }
    }
}

/// One of each kind; the kinds of the two editions stand apart because they share control codes.
fn messages<'a>(
    data: &'a [u8],
    id: u32,
    who: Authority,
    at: Stamp,
    byte: u8,
    more: bool,
) -> (Vec<Message<'a>>, Vec<Message<'a>>) {
    let (operator, password) = (who.operator, who.password);
    let old = DataId1997(id as u16);
    let id = DataId(id);
    let address = Address::from_line([byte & 0x77, 1, 2, 3, 4, 5]);
    let control = Control {
        order: Order::from_code(byte),
        delay: byte,
        expires: Some(at),
    };
    let function = |numbers: &[u8]| Function(numbers[usize::from(byte) % numbers.len()]);
    let (err, serr) = (Err645(byte), SecurityErr(u16::from(byte) << 4));
    let new = vec![
        Message::Security { id, operator, data },
        Message::SecurityAnswer { id, data, more },
        Message::SecurityRefused(serr),
        Message::BroadcastTime(at),
        Message::Read { id, rest: data },
        Message::ReadAnswer { id, data, more },
        Message::ReadFollowUp { id, sequence: byte },
        Message::FollowUpAnswer {
            id,
            data,
            sequence: byte,
            more,
        },
        Message::ReadAddress,
        Message::AddressAnswer(address),
        Message::Write {
            id,
            authority: who,
            data,
        },
        Message::WriteAddress(address),
        Message::Freeze {
            month: at.month,
            day: at.day,
            hour: at.hour,
            minute: at.minute,
        },
        Message::ChangeRate(byte),
        Message::RateAnswer(byte),
        Message::ChangePassword {
            id,
            old: password,
            new: password,
        },
        Message::PasswordAnswer(password),
        Message::ClearDemand(who),
        Message::ClearMeter(who),
        Message::ClearEvents { id, authority: who },
        Message::Control {
            authority: who,
            control,
        },
        Message::ControlReport {
            done: u16::from(byte),
            refused: u16::from(byte) << 3,
        },
        Message::Output(byte),
        Message::OutputAnswer(byte),
        Message::Done(function(&[0x14, 0x15, 0x16, 0x19, 0x1A, 0x1B, 0x1C])),
        Message::Refused {
            function: function(&[
                0x11, 0x12, 0x14, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D,
            ]),
            err,
        },
    ];
    let older = vec![
        Message::Read1997 { id: old },
        Message::ReadAnswer1997 {
            id: old,
            data,
            more,
        },
        Message::ReadFollowUp1997 { id: old },
        Message::FollowUpAnswer1997 {
            id: old,
            data,
            more,
        },
        Message::ReadAgain1997,
        Message::ReadAgainAnswer1997 {
            id: old,
            data,
            more,
        },
        Message::Write1997 {
            id: old,
            password,
            data,
        },
        Message::BroadcastTime(at),
        Message::WriteAddress(address),
        Message::ChangeRate(byte),
        Message::RateAnswer(byte),
        Message::ChangePassword1997 {
            old: password,
            new: password,
        },
        Message::PasswordAnswer(password),
        Message::ClearDemand1997(password),
        Message::Done(function(&[0x04, 0x0A, 0x10])),
        Message::Refused {
            function: function(&[0x01, 0x02, 0x03, 0x04, 0x0C, 0x0F, 0x10]),
            err,
        },
    ];
    (new, older)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_message_comes_back(
        data in proptest::collection::vec(any::<u8>(), 0..180),
        id: u32, who in authority(), at in stamp(), byte: u8, more: bool, to: [u8; 6],
    ) {
        let to = Address::from_line(to);
        let (new, older) = messages(&data, id, who, at, byte, more);
        for (edition, messages) in [(Edition::V2007, new), (Edition::V1997, older)] {
            for message in messages {
                let mut line = [0; 255];
                let len = message.encode_frame_in(edition, to, &mut line).unwrap();
                let mut plain = [0; 255];
                let frame = Frame::parse(&line[..len], &mut plain).unwrap();
                prop_assert_eq!(frame.address, to);
                prop_assert_eq!(frame.control, message.control_in(edition));
                prop_assert_eq!(frame.message(edition), Ok(message));
            }
        }
    }

    #[test]
    fn whatever_a_frame_says_it_says_again(
        control: u8, data in proptest::collection::vec(any::<u8>(), 0..200), to: [u8; 6],
    ) {
        let frame = Frame { address: Address::from_line(to), control: ControlCode(control), data: &data };
        for edition in [Edition::V2007, Edition::V1997] {
            let Ok(message) = frame.message(edition) else { continue };
            let (mut line, mut again) = ([0; 255], [0; 255]);
            let len = frame.encode(&mut line).unwrap();
            let back = message.encode_frame_in(edition, frame.address, &mut again).unwrap();
            prop_assert_eq!(&line[..len], &again[..back], "{:?}", message);
        }
    }
}
