//! The 1997 edition in both roles, and the search for meters on a line.

mod toy;

use dlt645::{
    Address, DataId, DataId1997, Edition, Err645, Event, Frame, GuardRules, Heard, Master, Message,
    Password, Quirks, Search, Slave, Timing,
};
use toy::{Meter, PASSWORD, exchange, guard};
#[test]
fn the_1997_edition_in_both_roles() {
    let (mut own, mut buffer) = ([0; 600], [0; 600]);
    let mut slave = Slave::new(&mut own, Timing::tcp());
    slave.answer_1997(true);
    slave.set_guard(guard(GuardRules::default()));
    let mut meter = Meter::new("1");
    let mut master = Master::new(&mut buffer, Timing::tcp());
    let (mut now, mut lose) = (0, 0);
    let address = meter.address;
    let all: Vec<u8> = (0..500).map(|nth| nth as u8).collect();
    for lost in [0, 1, 2] {
        lose = lost;
        master.read_1997(now, address, DataId1997(0x90FF)).unwrap();
        exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
        let Some(Event::Data1997 { data, .. }) = master.poll_event() else {
            panic!("{lost}")
        };
        assert_eq!(data, all);
    }
    master.read_1997(now, address, DataId1997(0xDDDD)).unwrap();
    exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
    assert!(matches!(
        master.poll_event(),
        Some(Event::Refused {
            err: Err645::UNKNOWN_ID_1997,
            ..
        })
    ));
    master
        .write_1997(now, address, DataId1997(0xC030), PASSWORD, &[1, 2, 3])
        .unwrap();
    exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
    assert!(matches!(master.poll_event(), Some(Event::Done { .. })));
    let new = Password {
        level: 4,
        digits: 0x666666,
    };
    for message in [
        Message::ChangePassword1997 { old: PASSWORD, new },
        Message::ClearDemand1997(new),
        Message::WriteAddress(address),
    ] {
        master
            .ask_in(now, Edition::V1997, address, &message)
            .unwrap();
        if matches!(message, Message::WriteAddress(_)) {
            slave.guard().unwrap().press_button(now);
        }
        exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
        assert!(
            matches!(master.poll_event(), Some(Event::Done { .. })),
            "{message:?}"
        );
    }
    master
        .change_rate(now, Edition::V1997, address, 1200, 4800)
        .unwrap();
    exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
    assert_eq!(
        master.poll_event(),
        Some(Event::RateChanged {
            address,
            rate: 4800
        })
    );
    // 03 repeats the part at which the reader stands.
    let mut ask = |message: Message<'_>| {
        let mut line = [0; 40];
        let len = message
            .encode_frame_in(Edition::V1997, address, &mut line)
            .unwrap();
        assert_eq!(slave.handle_bytes(now, &line[..len], &mut meter), len);
        let answer = slave.poll_transmit().unwrap().to_vec();
        let mut plain = [0; 255];
        let frame = Frame::parse(&answer, &mut plain).unwrap();
        (frame.control.0, frame.data.to_vec())
    };
    let id = DataId1997(0x90FF);
    let first = ask(Message::Read1997 { id });
    assert_eq!((first.0, first.1.len()), (0xA1, 200));
    assert_eq!(ask(Message::ReadAgain1997), (0xA3, first.1));
    let second = ask(Message::ReadFollowUp1997 { id });
    assert_eq!(second.0, 0xA2);
    assert_eq!(ask(Message::ReadAgain1997), (0xA3, second.1));
    assert_eq!(ask(Message::ReadFollowUp1997 { id }).0, 0x82);
    assert_eq!(ask(Message::ReadFollowUp1997 { id }), (0xC2, vec![2]));
}

/// A meter that knows only the older edition.
#[test]
fn the_address_of_a_1997_meter_is_found_by_its_answer() {
    let mut buffer = [0; 300];
    let mut master = Master::new(
        &mut buffer,
        Timing {
            tries: 1,
            ..Timing::tcp()
        },
    );
    master.set_quirks(Quirks {
        answers_1997: true,
        ..Quirks::default()
    });
    master.read_address(0).unwrap();
    assert_eq!(master.poll_transmit().unwrap()[12], 0x13);
    master.handle_timeout(10_000);
    assert_eq!(master.poll_transmit().unwrap()[12], 0x01);
    let address = Address::from_digits("138000130754").unwrap();
    let mut line = [0; 40];
    let answer = Message::ReadAnswer1997 {
        id: DataId1997(0x9010),
        data: &[1, 0, 0, 0],
        more: false,
    };
    let len = answer
        .encode_frame_in(Edition::V1997, address, &mut line)
        .unwrap();
    master.handle_bytes(10_100, &line[..len]);
    assert_eq!(master.poll_event(), Some(Event::Address(address)));
}

/// Meters on one line, found through a master that hears all answers at once, one over the other.
#[test]
fn a_search_finds_every_meter_of_a_line() {
    for half_bytes in [false, true] {
        let digits = [
            "202600000117",
            "202600000217",
            "202600000218",
            "999900000217",
            "000000000001",
        ];
        let mut buffers = [[0; 64]; 5];
        let mut meters: Vec<_> = digits
            .iter()
            .zip(&mut buffers)
            .map(|(digits, buffer)| {
                let mut slave = Slave::new(buffer, Timing::tcp());
                slave.accept_half_byte_wildcards(half_bytes);
                (slave, Meter::new(digits))
            })
            .collect();
        let mut buffer = [0; 64];
        let mut master = Master::new(
            &mut buffer,
            Timing {
                tries: 1,
                ..Timing::tcp()
            },
        );
        let mut search = Search::new(half_bytes);
        let (mut found, mut now, mut progress) = (vec![], 0, 0);
        while let Some(address) = search.address() {
            master.read(now, address, DataId(0x0400_0401)).unwrap();
            let request = master.poll_transmit().unwrap().to_vec();
            let mut wire: Vec<u8> = vec![];
            for (slave, meter) in &mut meters {
                let _ = slave.handle_bytes(now, &request, meter);
                let answer = slave.poll_transmit().unwrap_or_default();
                if wire.len() < answer.len() {
                    wire.resize(answer.len(), 0xFF);
                }
                // A driven zero wins over an idle one.
                wire.iter_mut()
                    .zip(answer)
                    .for_each(|(bit, byte)| *bit &= byte);
            }
            master.handle_bytes(now, &wire);
            while let Some(at) = master.poll_timeout() {
                now = at;
                master.handle_timeout(at);
            }
            let damage = master.heard_damage();
            let heard = match master.poll_event().unwrap() {
                Event::Data { address, .. } => Heard::Meter(address),
                Event::TimedOut { .. } if damage => Heard::Damage,
                Event::TimedOut { .. } => Heard::Silence,
                other => panic!("{other:?}"),
            };
            found.extend(search.heard(heard).map(|address| address.to_string()));
            assert!(search.progress() >= progress);
            progress = search.progress();
        }
        let mut expected = digits.map(String::from).to_vec();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        assert_eq!(progress, 1000);
        assert!(
            search.asked() < if half_bytes { 150 } else { 900 },
            "{}",
            search.asked()
        );
    }
    assert_eq!(
        Search::below(false, &[0x17]).address(),
        Some(Address::from_digits("AAAAAAAAAA17").unwrap())
    );
}
