//! What master and slave do beside reading and writing: levels, lock-out, the button, protected requests,
//! rates, freezes and outputs.

mod toy;

use dlt645::{
    Address, Control, DataId, Edition, Err645, Event, FreezePattern, Function, Guard, GuardRules,
    HostElement, Master, Message, Operator, Order, Password, Protection, Slave, SlaveEvent, Stamp,
    Timing,
};
use toy::{Meter, PASSWORD, Toy, authority, exchange, guard};
#[test]
fn levels_passwords_and_the_lock() {
    let (mut own, mut buffer) = ([0; 300], [0; 300]);
    let mut slave = Slave::new(&mut own, Timing::tcp());
    let mut meter = Meter::new("1");
    let mut master = Master::new(&mut buffer, Timing::tcp());
    let (mut now, mut lose) = (0, 0);
    slave.set_guard(guard(GuardRules::default()));
    let mut ask = |slave: &mut Slave<'_>,
                   meter: &mut Meter,
                   now: &mut u64,
                   message: &Message<'_>|
     -> Result<(), Err645> {
        let address = meter.address;
        master.ask(*now, address, message).unwrap();
        exchange(&mut master, slave, meter, now, &mut lose);
        match master.poll_event().unwrap() {
            Event::Done { .. } => Ok(()),
            Event::Refused { err, .. } => Err(err),
            other => panic!("{other:?}"),
        }
    };
    let write = |password| Message::Write {
        id: DataId(0x0400_0302),
        authority: authority(password),
        data: &[5],
    };
    let four = Password {
        level: 4,
        digits: 0x444444,
    };
    let address = Message::Write {
        id: DataId(0x0400_0402),
        authority: authority(four),
        data: &[1; 6],
    };
    let refused = Err(Err645::NOT_AUTHORISED);
    assert_eq!(
        ask(&mut slave, &mut meter, &mut now, &write(PASSWORD)),
        Ok(())
    );
    assert_eq!(ask(&mut slave, &mut meter, &mut now, &write(four)), Ok(()));
    assert_eq!(
        ask(&mut slave, &mut meter, &mut now, &address),
        refused,
        "needs level 02"
    );
    assert_eq!(
        ask(
            &mut slave,
            &mut meter,
            &mut now,
            &Message::ClearMeter(authority(four))
        ),
        refused
    );
    assert_eq!(
        ask(
            &mut slave,
            &mut meter,
            &mut now,
            &Message::ClearDemand(authority(four))
        ),
        Ok(())
    );
    // A new password for level 4, from level 2.
    let change = |old| Message::ChangePassword {
        id: DataId(0x0400_0C05),
        old,
        new: Password {
            level: 4,
            digits: 0x555555,
        },
    };
    assert_eq!(
        ask(&mut slave, &mut meter, &mut now, &change(PASSWORD)),
        Ok(())
    );
    let wrong = Message::ChangePassword {
        id: DataId(0x0400_0101),
        old: PASSWORD,
        new: four,
    };
    assert_eq!(
        ask(&mut slave, &mut meter, &mut now, &wrong),
        Err(Err645::NO_DATA)
    );
    // Three wrong ones, and the right one is refused for 24 hours.
    for _ in 0..3 {
        assert_eq!(ask(&mut slave, &mut meter, &mut now, &write(four)), refused);
    }
    assert_eq!(
        ask(&mut slave, &mut meter, &mut now, &write(PASSWORD)),
        refused
    );
    assert!(slave.guard().unwrap().is_locked(now));
    now += 24 * 3_600_000;
    assert_eq!(
        ask(&mut slave, &mut meter, &mut now, &write(PASSWORD)),
        Ok(())
    );
    // What one operator wrote is one record.
    let guard = slave.guard().unwrap();
    guard.end_programming();
    let record = guard.poll_programming().unwrap();
    assert_eq!(record.ids(), [DataId(0x0400_0302); 3]);
    let mut out = [0; 50];
    let at = Stamp {
        year: 26,
        month: 11,
        day: 21,
        hour: 6,
        minute: 0,
        second: 9,
    };
    assert_eq!(record.encode(at, &mut out), Ok(50));
    assert_eq!(
        out[..14],
        [9, 0, 6, 0x21, 0x11, 0x26, 4, 3, 2, 1, 2, 3, 0, 4]
    );
}

#[test]
fn the_button_opens_what_a_password_alone_does_not() {
    let (mut own, mut buffer) = ([0; 300], [0; 300]);
    let mut slave = Slave::new(&mut own, Timing::tcp());
    let mut meter = Meter::new("1");
    let mut master = Master::new(&mut buffer, Timing::tcp());
    let (mut now, mut lose) = (0, 0);
    slave.set_guard(guard(GuardRules {
        button: true,
        ..GuardRules::default()
    }));
    let new = Address::from_digits("77").unwrap();
    for pressed in [false, true] {
        let own = meter.address;
        master
            .write(now, own, DataId(0x0400_0302), authority(PASSWORD), &[5])
            .unwrap();
        exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
        assert_eq!(
            matches!(master.poll_event(), Some(Event::Done { .. })),
            pressed
        );
        master
            .ask(now, Address::WILDCARD, &Message::WriteAddress(new))
            .unwrap();
        exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
        match master.poll_event() {
            Some(Event::Done { address, .. }) => assert_eq!((pressed, address), (true, new)),
            other => assert!(
                !pressed && matches!(other, Some(Event::TimedOut { .. })),
                "{other:?}"
            ),
        }
        slave.guard().unwrap().press_button(now);
    }
}

#[test]
fn protected_requests_reach_the_application_in_plain() {
    let (mut own, mut buffer) = ([0; 300], [0; 300]);
    let mut slave = Slave::new(&mut own, Timing::tcp());
    slave.set_guard(Guard::new(GuardRules::default()));
    let mut meter = Meter::new("1");
    meter.element = Some(Toy::default());
    let at = Stamp {
        year: 26,
        month: 11,
        day: 21,
        hour: 6,
        minute: 0,
        second: 0,
    };
    meter.clock = Some(at);
    let mut master = Master::new(&mut buffer, Timing::tcp());
    let (mut now, mut lose, mut host) = (0, 0, Toy::default());
    let address = meter.address;
    let id = DataId(0x0400_1401);
    // Without an authentication everything is refused.
    master
        .write_protected(
            now,
            address,
            id,
            Protection::Mac,
            Operator(1),
            &[5, 0],
            &mut host,
        )
        .unwrap();
    exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
    assert!(matches!(
        master.poll_event(),
        Some(Event::Refused {
            err: Err645::NOT_AUTHORISED,
            ..
        })
    ));
    master
        .authenticate(now, address, Operator(1), &mut host)
        .unwrap();
    exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
    let Some(Event::Security { data, .. }) = master.poll_event() else {
        panic!()
    };
    host.finish(address, data.try_into().unwrap()).unwrap();
    for protection in [Protection::Mac, Protection::Cipher] {
        master
            .write_protected(
                now,
                address,
                id,
                protection,
                Operator(1),
                &[5, 0],
                &mut host,
            )
            .unwrap();
        exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
        assert!(matches!(master.poll_event(), Some(Event::Done { .. })));
    }
    let trip = Control {
        order: Order::Trip,
        delay: 0,
        expires: Some(Stamp { minute: 5, ..at }),
    };
    let late = Control {
        expires: Some(Stamp { hour: 5, ..at }),
        ..trip
    };
    for (control, done) in [(trip, true), (late, false)] {
        for (function, id) in [
            (Function::CONTROL, None),
            (Function::CLEAR_METER, None),
            (Function::CLEAR_EVENTS, Some(DataId(0x0330_0DFF))),
        ] {
            master
                .order_protected(now, address, function, control, id, Operator(1), &mut host)
                .unwrap();
            exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
            assert_eq!(
                matches!(master.poll_event(), Some(Event::Done { .. })),
                done,
                "{function}"
            );
        }
    }
    assert_eq!(
        meter.done,
        [
            "04001401 99 [05, 00]",
            "04001401 98 [05, 00]",
            "Trip 98",
            "1A",
            "1B"
        ]
    );
}

/// Levels 98 and 99 in a request without cipher and MAC prove nothing.
#[test]
fn the_level_alone_opens_nothing() {
    for (with_guard, with_element) in [(true, false), (false, true), (true, true)] {
        let (mut own, mut buffer) = ([0; 300], [0; 300]);
        let mut slave = Slave::new(&mut own, Timing::tcp());
        if with_guard {
            slave.set_guard(guard(GuardRules::default()));
        }
        let mut meter = Meter::new("1");
        meter.element = with_element.then_some(Toy {
            authenticated: true,
        });
        let mut master = Master::new(&mut buffer, Timing::tcp());
        let (mut now, mut lose) = (0, 0);
        let control = Control {
            order: Order::Trip,
            delay: 0,
            expires: None,
        };
        for level in [0x98, 0x99] {
            let who = authority(Password { level, digits: 0 });
            let address = meter.address;
            let requests = [
                Message::Write {
                    id: DataId(0x0400_0302),
                    authority: who,
                    data: &[5],
                },
                Message::Control {
                    authority: who,
                    control,
                },
                Message::ClearDemand(who),
                Message::ClearMeter(who),
                Message::ClearEvents {
                    id: DataId(0xFFFF_FFFF),
                    authority: who,
                },
                Message::Protected {
                    function: Function::CONTROL,
                    authority: who,
                    data: &[1; 20],
                },
            ];
            for message in requests {
                master.ask(now, address, &message).unwrap();
                exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
                assert!(
                    matches!(
                        master.poll_event(),
                        Some(Event::Refused {
                            err: Err645::NOT_AUTHORISED,
                            ..
                        })
                    ),
                    "{message:?}"
                );
            }
        }
        assert!(meter.done.is_empty());
    }
}

#[test]
fn a_rate_is_changed_confirmed_or_given_back() {
    let (mut own, mut buffer) = ([0; 300], [0; 300]);
    let mut slave = Slave::new(&mut own, Timing::tcp());
    let mut meter = Meter::new("1");
    let mut master = Master::new(&mut buffer, Timing::tcp());
    let (mut now, mut lose) = (0, 0);
    let address = meter.address;
    for heard in [true, false] {
        master
            .change_rate(now, Edition::V2007, address, 2400, 9600)
            .unwrap();
        exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
        assert_eq!(
            master.poll_event(),
            Some(Event::RateChanged {
                address,
                rate: 9600
            })
        );
        assert_eq!(slave.poll_event(), Some(SlaveEvent::SwitchRate(9600)));
        lose = if heard { 0 } else { 3 };
        master.confirm_rate(now).unwrap();
        exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
        let expected = if heard {
            Event::RateConfirmed { rate: 9600 }
        } else {
            Event::RateLost { rate: 2400 }
        };
        assert_eq!(master.poll_event(), Some(expected));
    }
    master
        .change_rate(now, Edition::V2007, address, 2400, 19_200)
        .unwrap();
    exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
    assert!(matches!(
        master.poll_event(),
        Some(Event::Refused {
            err: Err645::RATE,
            ..
        })
    ));
    assert!(
        master
            .change_rate(now, Edition::V2007, address, 2400, 300)
            .is_err()
    );
    assert!(master.confirm_rate(now).is_err());
}

#[test]
fn freezes_outputs_and_private_orders_go_through() {
    let (mut own, mut buffer) = ([0; 300], [0; 300]);
    let mut slave = Slave::new(&mut own, Timing::tcp());
    let mut meter = Meter::new("1");
    let mut master = Master::new(&mut buffer, Timing::tcp());
    let (mut now, mut lose) = (0, 0);
    let own = meter.address;
    let patterns = [
        FreezePattern::Now,
        FreezePattern::Hourly { minute: 30 },
        FreezePattern::Daily { hour: 0, minute: 0 },
        FreezePattern::Monthly {
            day: 28,
            hour: 23,
            minute: 59,
        },
    ];
    for message in patterns
        .map(FreezePattern::message)
        .into_iter()
        .chain([Message::Output(1)])
    {
        for (address, answered) in [(own, true), (Address::BROADCAST, false)] {
            let before = meter.done.len();
            master.ask(now, address, &message).unwrap();
            exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
            assert_eq!(meter.done.len(), before + 1);
            assert_eq!(
                matches!(master.poll_event(), Some(Event::Done { .. })),
                answered
            );
        }
    }
    master.ask(now, own, &Message::Output(3)).unwrap();
    exchange(&mut master, &mut slave, &mut meter, &mut now, &mut lose);
    assert!(matches!(master.poll_event(), Some(Event::Refused { .. })));
    // A read to all meters, and one to another meter: silence.
    for address in [Address::BROADCAST, Address::from_digits("2").unwrap()] {
        let mut line = [0; 40];
        let len = Message::Read {
            id: DataId(0x0400_0401),
            rest: &[],
        }
        .encode_frame(address, &mut line)
        .unwrap();
        assert_eq!(slave.handle_bytes(now, &line[..len], &mut meter), len);
        assert_eq!(slave.poll_transmit(), None);
    }
}
