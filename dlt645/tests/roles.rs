//! What master and slave do beside reading and writing: levels, lock-out, the button, protected requests, rates, the
//! 1997 edition, and the search for meters.

use dlt645::{
    Address, Application, Authority, Control, DataId, DataId1997, Edition, ElementRefused, Err645,
    Event, Frame, FreezePattern, Function, Guard, GuardRules, Heard, HostElement, Master, Message,
    MeterElement, Operator, Order, Password, Protection, Quirks, Search, Slave, SlaveEvent, Stamp,
    Subject, Timing,
};

/// A cipher for tests: every byte against a key byte, and the sum of the plain bytes four times as MAC.
#[derive(Default)]
struct Toy {
    authenticated: bool,
}

fn mac(plain: &[u8]) -> [u8; 4] {
    [plain
        .iter()
        .fold(0x5A_u8, |sum, byte| sum.rotate_left(1) ^ byte); 4]
}

impl HostElement for Toy {
    fn begin(&mut self, _: Address) -> Result<[u8; 24], ElementRefused> {
        Ok([0x11; 24])
    }

    fn finish(&mut self, _: Address, answer: [u8; 12]) -> Result<(), ElementRefused> {
        self.authenticated = answer == [0x22; 12];
        self.authenticated.then_some(()).ok_or(ElementRefused)
    }

    fn protect(
        &mut self,
        protection: Protection,
        _: Subject,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused> {
        let len = plain.len() + 4;
        let out = out.get_mut(..len).ok_or(ElementRefused)?;
        out[..plain.len()].copy_from_slice(plain);
        out[plain.len()..].copy_from_slice(&mac(plain));
        if protection == Protection::Cipher {
            out[..plain.len()].iter_mut().for_each(|byte| *byte ^= 0x77);
        }
        Ok(len)
    }
}

impl MeterElement for Toy {
    fn open(
        &mut self,
        protection: Protection,
        _: Subject,
        protected: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused> {
        let (data, sum) = protected.split_last_chunk::<4>().ok_or(ElementRefused)?;
        let key = if protection == Protection::Cipher {
            0x77
        } else {
            0
        };
        let plain: Vec<u8> = data.iter().map(|byte| byte ^ key).collect();
        if !self.authenticated || mac(&plain) != *sum {
            return Err(ElementRefused);
        }
        out[..plain.len()].copy_from_slice(&plain);
        Ok(plain.len())
    }
}

struct Meter {
    address: Address,
    clock: Option<Stamp>,
    element: Option<Toy>,
    done: Vec<String>,
}

impl Meter {
    fn new(digits: &str) -> Self {
        Meter {
            address: Address::from_digits(digits).unwrap(),
            clock: None,
            element: None,
            done: Vec::new(),
        }
    }
}

impl Application for Meter {
    fn address(&self) -> Address {
        self.address
    }

    fn read(&mut self, id: DataId, _: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        match id.0 {
            0x0400_0401 => {
                out[..6].copy_from_slice(&self.address.line());
                Ok(6)
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        self.done
            .push(format!("{id} {:02X} {data:02X?}", authority.password.level));
        Ok(())
    }

    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        self.done.push(format!(
            "{:?} {:02X}",
            control.order, authority.password.level
        ));
        Ok(())
    }

    fn security(
        &mut self,
        _: DataId,
        _: Operator,
        _: &[u8],
        out: &mut [u8],
    ) -> Result<usize, dlt645::SecurityErr> {
        self.element.as_mut().unwrap().authenticated = true;
        out[..12].fill(0x22);
        Ok(12)
    }

    fn write_address(&mut self, address: Address) -> bool {
        self.address = address;
        true
    }

    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        let answer: &[u8] = match message {
            Message::ChangeRate(0x40) => return Some(Err(Err645::RATE)),
            Message::ChangeRate(rate) => &[*rate],
            Message::Output(output) => &[*output],
            Message::ChangePassword { new, .. } | Message::ChangePassword1997 { new, .. } => {
                &new.line()
            }
            Message::Freeze {
                month,
                day,
                hour,
                minute,
            } => {
                FreezePattern::new(*month, *day, *hour, *minute)?;
                &[]
            }
            _ => &[],
        };
        self.done.push(format!("{:02X}", message.control().0));
        out[..answer.len()].copy_from_slice(answer);
        Some(Ok(answer.len()))
    }

    fn clock(&self) -> Option<Stamp> {
        self.clock
    }

    fn element(&mut self) -> Option<&mut dyn MeterElement> {
        self.element
            .as_mut()
            .map(|element| element as &mut dyn MeterElement)
    }

    fn read_1997(&mut self, id: DataId1997, out: &mut [u8]) -> Result<usize, Err645> {
        match id.0 {
            0x9010 => {
                out[..4].copy_from_slice(&[0x56, 0x34, 0x12, 0]);
                Ok(4)
            }
            0x90FF => {
                for (nth, byte) in out[..500].iter_mut().enumerate() {
                    *byte = nth as u8;
                }
                Ok(500)
            }
            _ => Err(Err645::UNKNOWN_ID_1997),
        }
    }

    fn write_1997(&mut self, id: DataId1997, _: Password, data: &[u8]) -> Result<(), Err645> {
        self.done.push(format!("{id} {data:02X?}"));
        Ok(())
    }
}

/// One exchange without a line; `lose` counts answers that do not arrive.
fn exchange(
    master: &mut Master<'_>,
    slave: &mut Slave<'_>,
    meter: &mut Meter,
    now: &mut u64,
    lose: &mut u32,
) {
    for _ in 0..100 {
        if let Some(request) = master.poll_transmit() {
            let request = request.to_vec();
            let _ = slave.handle_bytes(*now, &request, meter);
            if let Some(answer) = slave.poll_transmit() {
                let answer = answer.to_vec();
                if *lose > 0 {
                    *lose -= 1;
                } else {
                    master.handle_bytes(*now, &answer);
                }
            }
            continue;
        }
        let Some(at) = master.poll_timeout() else {
            return;
        };
        *now = at;
        master.handle_timeout(at);
    }
}

const PASSWORD: Password = Password {
    level: 2,
    digits: 0x123456,
};

fn authority(password: Password) -> Authority {
    Authority {
        password,
        operator: Operator(0x0102_0304),
    }
}

fn guard(rules: GuardRules) -> Guard {
    Guard::new(rules)
        .password(2, 0x123456)
        .password(4, 0x444444)
}

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
