//! Both elements at the ends of a DL/T 645 line: identity, a relay order under level 98, a write under level 99, a
//! recharge by function 03, with answers lost and power cut.

use dlt645::{
    Address, Application, Authority, Control, DataId, Err645, Event, Function, Guard, GuardRules,
    HostElement, Master, MeterElement, Operator, Order, Protection, SecurityErr, Slave, Stamp,
    Timing,
};
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::esam::{Element, Host, HostKeys, Purse, RECORD_LEN, Refused};
use security::key::Secret;

const METER: [u8; 6] = [0x20, 0x26, 0x11, 0, 0, 1];
const OPERATOR: Operator = Operator(0x1000_0001);
const VOLTAGE_LIMIT: DataId = DataId(0x0400_1401);
const RECHARGE: DataId = DataId(0x0701_02FF);
const OPEN_ACCOUNT: DataId = DataId(0x0701_01FF);

fn keys() -> HostKeys {
    let secret = |byte| Secret::new([byte; 16]);
    HostKeys {
        parameter: secret(1),
        control: secret(2),
        identity: secret(3),
        main: secret(4),
    }
}

fn chip() -> SoftKey {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new([0xC1; 16]));
    key
}

/// A meter behind its element: what it was told to do, and what its flash holds.
struct Meter {
    element: Element<Soft>,
    copies: [[u8; RECORD_LEN]; 2],
    done: Vec<String>,
    randoms: u8,
}

impl Meter {
    fn new() -> Self {
        let mut element = Element::new(Soft, &keys(), METER, [9; 8]).unwrap();
        let record = element.record(&chip()).unwrap();
        Self {
            element,
            copies: [record; 2],
            done: Vec::new(),
            randoms: 0,
        }
    }

    fn restart(&mut self) {
        let [a, b] = &self.copies;
        self.element = Element::restore(Soft, &chip(), [a, b]).unwrap();
    }
}

impl Application for Meter {
    fn address(&self) -> Address {
        Address::from_big_endian(METER)
    }

    fn read(&mut self, _: DataId, _: &[u8], _: &mut [u8]) -> Result<usize, Err645> {
        Err(Err645::NO_DATA)
    }

    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        let level = authority.password.level;
        self.done.push(format!("{id} {level:02X} {data:02X?}"));
        Ok(())
    }

    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        let level = authority.password.level;
        self.done.push(format!("{:?} {level:02X}", control.order));
        Ok(())
    }

    fn security(
        &mut self,
        id: DataId,
        _: Operator,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        self.randoms += 1;
        self.element.give_random([self.randoms; 8]);
        let answered = self.element.request(id.0, data, out)?;
        // Durable before it is answered.
        if let Some((nth, record)) = self.element.unsaved(&chip())? {
            self.copies[nth] = record;
            self.element.saved();
        }
        Ok(answered)
    }

    fn clock(&self) -> Option<Stamp> {
        Some(stamp(12))
    }

    fn element(&mut self) -> Option<&mut dyn MeterElement> {
        Some(&mut self.element)
    }
}

fn stamp(hour: u8) -> Stamp {
    Stamp {
        year: 26,
        month: 11,
        day: 21,
        hour,
        minute: 0,
        second: 0,
    }
}

/// Both ends, a clock, and the number of answers that the line loses next.
struct Line<'b> {
    master: Master<'b>,
    slave: Slave<'b>,
    host: Host<Soft>,
    meter: Meter,
    now: u64,
    lose: u32,
    randoms: u8,
}

#[derive(Debug, PartialEq)]
enum Told {
    Done,
    Refused(Err645),
    Security(Vec<u8>),
    SecurityRefused(SecurityErr),
    Nothing,
}

impl<'b> Line<'b> {
    fn new(own: &'b mut [u8; 300], buffer: &'b mut [u8; 300]) -> Self {
        let mut slave = Slave::new(own, Timing::tcp());
        slave.set_guard(Guard::new(GuardRules::default()));
        Self {
            master: Master::new(buffer, Timing::tcp()),
            slave,
            host: Host::new(Soft, keys()),
            meter: Meter::new(),
            now: 0,
            lose: 0,
            randoms: 0x80,
        }
    }

    /// Carries everything there and back until the master has its answer.
    fn exchange(&mut self) -> Told {
        for _ in 0..100 {
            if let Some(request) = self.master.poll_transmit() {
                let request = request.to_vec();
                let _ = self.slave.handle_bytes(self.now, &request, &mut self.meter);
                if let Some(answer) = self.slave.poll_transmit() {
                    let answer = answer.to_vec();
                    if self.lose > 0 {
                        self.lose -= 1;
                    } else {
                        self.master.handle_bytes(self.now, &answer);
                    }
                }
                continue;
            }
            let Some(at) = self.master.poll_timeout() else {
                break;
            };
            self.now = at;
            self.master.handle_timeout(at);
        }
        match self.master.poll_event() {
            Some(Event::Done { .. }) => Told::Done,
            Some(Event::Refused { err, .. }) => Told::Refused(err),
            Some(Event::Security { data, .. }) => Told::Security(data.to_vec()),
            Some(Event::SecurityRefused(err)) => Told::SecurityRefused(err),
            Some(Event::TimedOut { .. }) => Told::Nothing,
            other => panic!("{other:?}"),
        }
    }

    fn address(&self) -> Address {
        self.meter.address()
    }

    fn authenticate(&mut self) {
        self.randoms += 1;
        self.host.give_random([self.randoms; 8]);
        let address = self.address();
        self.master
            .authenticate(self.now, address, OPERATOR, &mut self.host)
            .unwrap();
        let Told::Security(data) = self.exchange() else {
            panic!("the host was not let in");
        };
        HostElement::finish(&mut self.host, address, data.try_into().unwrap()).unwrap();
    }

    fn order(&mut self, order: Order, expires: Option<Stamp>) -> Told {
        let control = Control {
            order,
            delay: 0,
            expires,
        };
        let (now, address) = (self.now, self.address());
        let (function, host) = (Function::CONTROL, &mut self.host);
        self.master
            .order_protected(now, address, function, control, None, OPERATOR, host)
            .unwrap();
        self.exchange()
    }

    fn write(&mut self, protection: Protection) -> Told {
        let (now, address, host) = (self.now, self.address(), &mut self.host);
        self.master
            .write_protected(
                now,
                address,
                VOLTAGE_LIMIT,
                protection,
                OPERATOR,
                &[5, 0],
                host,
            )
            .unwrap();
        self.exchange()
    }

    fn recharge(&mut self, id: DataId, count: u32) -> Told {
        let sale = Purse {
            balance: 500,
            count,
            customer: [0, 0, 0, 0, 0x12, 0x34],
        };
        let data = self.host.recharge(METER, &sale).unwrap();
        self.master
            .security(self.now, self.meter.address(), id, OPERATOR, &data)
            .unwrap();
        self.exchange()
    }
}

#[test]
fn orders_and_writes_reach_the_meter_under_both_levels() {
    let (mut own, mut buffer) = ([0; 300], [0; 300]);
    let mut line = Line::new(&mut own, &mut buffer);
    line.authenticate();
    assert_eq!(line.order(Order::Trip, Some(stamp(13))), Told::Done);
    assert_eq!(line.write(Protection::Mac), Told::Done);
    assert_eq!(line.write(Protection::Cipher), Told::Done);
    let expected = ["Trip 98", "04001401 99 [05, 00]", "04001401 98 [05, 00]"];
    assert_eq!(line.meter.done, expected);
    // After the deadline, and when the authentication is over, nothing is done.
    assert_ne!(line.order(Order::Trip, Some(stamp(11))), Told::Done);
    line.meter.element.set_now(300, 1);
    assert_ne!(line.order(Order::Trip, Some(stamp(13))), Told::Done);
    assert_ne!(line.write(Protection::Mac), Told::Done);
    assert_eq!(line.meter.done.len(), 3);
}

#[test]
fn a_recharge_counts_once_over_lost_answers_and_restarts() {
    let (mut own, mut buffer) = ([0; 300], [0; 300]);
    let mut line = Line::new(&mut own, &mut buffer);
    line.authenticate();
    assert_eq!(line.recharge(OPEN_ACCOUNT, 1), Told::Security(Vec::new()));
    // The answer is lost. The master does not repeat such a frame by itself; whoever does finds its MAC used.
    line.lose = 1;
    assert_eq!(line.recharge(RECHARGE, 2), Told::Nothing);
    let repeated = line.recharge(RECHARGE, 2);
    assert_eq!(repeated, Told::SecurityRefused(Refused::MAC.into()));
    line.meter.restart();
    line.authenticate();
    let again = line.recharge(RECHARGE, 2);
    assert_eq!(again, Told::SecurityRefused(Refused::REPEATED.into()));
    assert_eq!(line.recharge(RECHARGE, 3), Told::Security(Vec::new()));
    let purse = *line.meter.element.purse();
    assert_eq!((purse.balance, purse.count), (1500, 3));
}
