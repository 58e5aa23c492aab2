//! Master against slave on a half-duplex line that loses, delays and disturbs.

use dlt645::{
    Address, Application, Authority, Control, DataId, DataId1997, Err645, Event, Master, Message,
    Operator, Order, Password, SecurityErr, Slave, SlaveEvent, Stamp, Timing, Value,
};
use testkit::line::{End, Faults, Line};

const RECORD: DataId = DataId(0x0330_0801);
const PRIVATE_RECORD: DataId = DataId(0x0E4D_5001);
const CLASS_1997: DataId1997 = DataId1997(0x90FF);
const PRIVATE_COMMAND: DataId = DataId(0x0E4D_5003);

struct Meter {
    address: Address,
    record: Vec<u8>,
    written: Vec<u8>,
    orders: Vec<Order>,
    clock: Option<Stamp>,
    reads: usize,
}

impl Meter {
    fn new(digits: &str) -> Self {
        Meter {
            address: Address::from_digits(digits).unwrap(),
            record: (0..1026).map(|n| (n * 7 % 251) as u8).collect(),
            written: Vec::new(),
            orders: Vec::new(),
            clock: None,
            reads: 0,
        }
    }
}

impl Application for Meter {
    fn address(&self) -> Address {
        self.address
    }

    fn read(&mut self, id: DataId, rest: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        assert!(rest.is_empty());
        self.reads += 1;
        match id {
            DataId(0x0001_0000) => id.encode_number(12_345_678, out).map_err(|_| Err645::OTHER),
            RECORD | PRIVATE_RECORD => {
                out[..self.record.len()].copy_from_slice(&self.record);
                Ok(self.record.len())
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    fn read_1997(&mut self, id: DataId1997, out: &mut [u8]) -> Result<usize, Err645> {
        match id {
            CLASS_1997 => {
                out[..self.record.len()].copy_from_slice(&self.record);
                Ok(self.record.len())
            }
            _ => Err(Err645::UNKNOWN_ID_1997),
        }
    }

    fn write(&mut self, _: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        if authority.password.digits != 0x123456 {
            return Err(Err645::NOT_AUTHORISED);
        }
        self.written = data.to_vec();
        Ok(())
    }

    fn control(&mut self, _: &Authority, control: &Control) -> Result<(), Err645> {
        self.orders.push(control.order);
        Ok(())
    }

    fn security(
        &mut self,
        id: DataId,
        _: Operator,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        if id != PRIVATE_COMMAND {
            return Err(SecurityErr::AUTHENTICATION.union(SecurityErr::CUSTOMER));
        }
        for (to, from) in out.iter_mut().zip(data) {
            *to = !from;
        }
        Ok(data.len())
    }

    fn set_time(&mut self, stamp: Stamp) {
        self.clock = Some(stamp);
    }
}

/// One end in test form: the event as text or bytes, so that the line can be reused.
#[derive(Debug, PartialEq)]
enum Got {
    Data(DataId, Vec<u8>),
    Data1997(DataId1997, Vec<u8>),
    Security(Vec<u8>),
    Address(Address),
    Done,
    Refused(Err645),
    SecurityRefused(SecurityErr),
    TimedOut(u8),
    TooLong,
}

fn run(
    line: &mut Line,
    now: &mut u64,
    master: &mut Master<'_>,
    meters: &mut [(Slave<'_>, Meter)],
) -> Option<Got> {
    let limit = *now + 600_000;
    while *now < limit {
        if let Some(bytes) = master.poll_transmit() {
            line.send(*now, End::A, bytes);
        }
        let heard = line.receive(*now, End::B);
        for (slave, meter) in meters.iter_mut() {
            let mut rest = &heard[..];
            while !rest.is_empty() {
                let used = slave.handle_bytes(*now, rest, meter);
                if used == 0 {
                    break;
                }
                rest = &rest[used..];
            }
            if slave.poll_timeout().is_some_and(|at| at <= *now) {
                slave.handle_timeout(*now, meter);
            }
            if let Some(bytes) = slave.poll_transmit() {
                line.send(*now, End::B, bytes);
            }
        }
        let heard = line.receive(*now, End::A);
        if !heard.is_empty() {
            master.handle_bytes(*now, &heard);
        }
        if master.poll_timeout().is_some_and(|at| at <= *now) {
            master.handle_timeout(*now);
        }
        if let Some(event) = master.poll_event() {
            return Some(match event {
                Event::Data { id, data, .. } => Got::Data(id, data.to_vec()),
                Event::Data1997 { id, data, .. } => Got::Data1997(id, data.to_vec()),
                Event::Security { data, .. } => Got::Security(data.to_vec()),
                Event::Address(address) => Got::Address(address),
                Event::Done { .. } => Got::Done,
                Event::Refused { err, .. } => Got::Refused(err),
                Event::SecurityRefused(err) => Got::SecurityRefused(err),
                Event::TimedOut { tries } => Got::TimedOut(tries),
                Event::TooLong => Got::TooLong,
                other => panic!("{other:?}"),
            });
        }
        if !master.is_busy() && line.next_arrival().is_none() {
            return None;
        }
        *now += 1;
    }
    panic!("no end after ten minutes");
}

fn authority() -> Authority {
    Authority {
        password: Password {
            level: 2,
            digits: 0x123456,
        },
        operator: Operator(7),
    }
}

#[test]
fn every_exchange_on_a_quiet_line() {
    let timing = Timing::rs485(9600);
    let (mut one, mut two, mut buffer) = ([0; 1100], [0; 1100], [0; 1100]);
    let mut meters = [
        (Slave::new(&mut one, timing), Meter::new("202611000001")),
        (Slave::new(&mut two, timing), Meter::new("202611000002")),
    ];
    meters[0].0.set_preamble(4);
    let mut master = Master::new(&mut buffer, timing);
    let mut line = Line::new(1, 9600, Faults::default());
    let mut now = 0;
    let first = Address::from_digits("202611000001").unwrap();

    let id = DataId(0x0001_0000);
    master.read(now, first, id).unwrap();
    let Some(Got::Data(got, data)) = run(&mut line, &mut now, &mut master, &mut meters) else {
        panic!()
    };
    assert_eq!(
        (got, id.value(&data).unwrap().to_string()),
        (id, "123456.78 kWh".to_owned())
    );
    assert!(matches!(id.value(&data).unwrap(), Value::Number(_)));
    assert_eq!(meters[1].1.reads, 0, "the other meter was not asked");

    // 1,026 bytes: 196 and five parts, standard and private alike.
    for id in [RECORD, PRIVATE_RECORD] {
        master.read(now, first, id).unwrap();
        let expected = Got::Data(id, meters[0].1.record.clone());
        assert_eq!(
            run(&mut line, &mut now, &mut master, &mut meters),
            Some(expected)
        );
    }
    master.read(now, first, DataId(0x0999_9999)).unwrap();
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::Refused(Err645::NO_DATA))
    );

    master
        .write(
            now,
            first,
            DataId(0x0400_0101),
            authority(),
            &[1, 6, 5, 0x24],
        )
        .unwrap();
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::Done)
    );
    assert_eq!(meters[0].1.written, [1, 6, 5, 0x24]);
    master
        .write(now, first, DataId(0x0400_0101), Authority::default(), &[0])
        .unwrap();
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::Refused(Err645::NOT_AUTHORISED))
    );

    let control = Control {
        order: Order::Trip,
        delay: 0,
        expires: None,
    };
    master.control(now, first, authority(), control).unwrap();
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::Done)
    );
    assert_eq!(meters[0].1.orders, [Order::Trip]);

    master
        .security(now, first, PRIVATE_COMMAND, Operator(1), &[0x0F; 180])
        .unwrap();
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::Security(vec![0xF0; 180]))
    );
    master
        .security(now, first, DataId(0x0700_00FF), Operator(1), &[])
        .unwrap();
    let both = SecurityErr::AUTHENTICATION.union(SecurityErr::CUSTOMER);
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::SecurityRefused(both))
    );

    let stamp = Stamp {
        year: 26,
        month: 11,
        day: 21,
        hour: 5,
        minute: 4,
        second: 3,
    };
    master.broadcast_time(now, stamp).unwrap();
    assert_eq!(run(&mut line, &mut now, &mut master, &mut meters), None);
    for (slave, meter) in &mut meters {
        assert_eq!(meter.clock, Some(stamp));
        assert_eq!(
            slave.poll_event(),
            Some(SlaveEvent::Heard(dlt645::Function::BROADCAST_TIME))
        );
    }

    master
        .read(now, Address::from_digits("3").unwrap(), id)
        .unwrap();
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::TimedOut(3))
    );
}

#[test]
fn wildcards_read_and_do_nothing_else() {
    let timing = Timing::tcp();
    let (mut own, mut buffer) = ([0; 1100], [0; 64]);
    let mut meters = [(Slave::new(&mut own, timing), Meter::new("202611000001"))];
    let address = meters[0].1.address;
    let mut master = Master::new(&mut buffer, timing);
    let mut line = Line::new(2, 9600, Faults::default());
    let mut now = 0;
    master.read_address(now).unwrap();
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::Address(address))
    );
    for text in ["AAAAAAAAAAAA", "AAAAAAAA0001"] {
        let wild = Address::from_digits(text).unwrap();
        master.read(now, wild, DataId(0x0001_0000)).unwrap();
        assert!(matches!(
            run(&mut line, &mut now, &mut master, &mut meters),
            Some(Got::Data(..))
        ));
        master
            .write(now, wild, DataId(0x0400_0101), authority(), &[1])
            .unwrap();
        assert_eq!(
            run(&mut line, &mut now, &mut master, &mut meters),
            Some(Got::Refused(Err645::NOT_AUTHORISED))
        );
        let control = Control {
            order: Order::Trip,
            delay: 0,
            expires: None,
        };
        master.control(now, wild, authority(), control).unwrap();
        assert_eq!(
            run(&mut line, &mut now, &mut master, &mut meters),
            Some(Got::Refused(Err645::NOT_AUTHORISED))
        );
    }
    assert!(meters[0].1.written.is_empty() && meters[0].1.orders.is_empty());
    // The answer does not fit into the reader's 64 bytes.
    master.read(now, address, RECORD).unwrap();
    assert_eq!(
        run(&mut line, &mut now, &mut master, &mut meters),
        Some(Got::TooLong)
    );
}

#[test]
fn long_answers_survive_a_bad_line() {
    let timing = Timing {
        tries: 12,
        ..Timing::rs485(9600)
    };
    let mut repeated = 0;
    for seed in 0..6 {
        let (mut own, mut buffer) = ([0; 1100], [0; 1100]);
        let mut meters = [(Slave::new(&mut own, timing), Meter::new("202611000001"))];
        let mut master = Master::new(&mut buffer, timing);
        let faults = Faults {
            lose_byte: 500,
            flip_bit: 500,
            noise_byte: 1000,
            lose_all: 20_000,
            echo: true,
            ..Faults::default()
        };
        let mut line = Line::new(seed, 9600, faults);
        let mut now = 0;
        let address = meters[0].1.address;
        meters[0].0.answer_1997(true);
        for _ in 0..4 {
            master.read(now, address, RECORD).unwrap();
            let expected = Got::Data(RECORD, meters[0].1.record.clone());
            assert_eq!(
                run(&mut line, &mut now, &mut master, &mut meters),
                Some(expected),
                "seed {seed}"
            );
            now += 2000;
        }
        repeated += master.refusals().checksum
            + meters[0].0.refusals().checksum
            + master.refusals().truncated;
    }
    assert!(repeated > 0, "the line disturbed nothing");
}

#[test]
fn follow_up_numbers_may_be_repeated_and_not_skipped() {
    let mut own = [0; 1100];
    let mut slave = Slave::new(&mut own, Timing::tcp());
    let mut meter = Meter::new("1");
    let address = meter.address;
    let mut ask = |message: Message<'_>| -> Vec<u8> {
        let mut frame = [0; 212];
        let len = message.encode_frame(address, &mut frame).unwrap();
        assert_eq!(slave.handle_bytes(0, &frame[..len], &mut meter), len);
        let answer = slave.poll_transmit().unwrap().to_vec();
        assert!(answer.len() <= 212);
        answer
    };
    let next = |sequence| Message::ReadFollowUp {
        id: RECORD,
        sequence,
    };
    assert_eq!(ask(next(1))[8], 0xD2, "nothing was read before");
    let first = ask(Message::Read {
        id: RECORD,
        rest: &[],
    });
    assert_eq!((first[8], first[9]), (0xB1, 200));
    assert_eq!(ask(next(2))[8], 0xD2);
    let part = ask(next(1));
    assert_eq!((part[8], part[9]), (0xB2, 200));
    assert_eq!(ask(next(1)), part, "the same number, the same part");
    for sequence in 2..5 {
        assert_eq!(ask(next(sequence))[8], 0xB2);
    }
    let last = ask(next(5));
    assert_eq!((last[8], last[9]), (0x92, 4 + 50 + 1));
    assert_eq!(ask(next(5)), last);
    assert_eq!(ask(next(6))[8], 0xD2);
}

#[test]
fn two_requests_in_one_chunk_get_two_answers() {
    let mut own = [0; 200];
    let mut slave = Slave::new(&mut own, Timing::tcp());
    let mut meter = Meter::new("1");
    let mut frame = [0; 212];
    let message = Message::Read {
        id: DataId(0x0001_0000),
        rest: &[],
    };
    let len = message.encode_frame(meter.address, &mut frame).unwrap();
    let both = [&frame[..len], &frame[..len]].concat();
    let mut rest = &both[..];
    let mut answers = 0;
    while !rest.is_empty() {
        let used = slave.handle_bytes(0, rest, &mut meter);
        rest = &rest[used..];
        answers += usize::from(slave.poll_transmit().is_some());
    }
    assert_eq!(answers, 2);
}

#[test]
fn long_answers_of_1997_come_whole_or_not_at_all() {
    let timing = Timing {
        tries: 8,
        ..Timing::rs485(9600)
    };
    let (mut whole, mut lost) = (0, 0);
    for seed in 0..12 {
        let (mut own, mut buffer) = ([0; 1100], [0; 1100]);
        let mut meters = [(Slave::new(&mut own, timing), Meter::new("202611000001"))];
        meters[0].0.answer_1997(true);
        let mut master = Master::new(&mut buffer, timing);
        let faults = Faults {
            lose_byte: 200,
            flip_bit: 200,
            noise_byte: 500,
            lose_all: 30_000,
            echo: true,
            ..Faults::default()
        };
        let mut line = Line::new(seed, 9600, faults);
        let mut now = 0;
        let address = meters[0].1.address;
        master.read_1997(now, address, CLASS_1997).unwrap();
        match run(&mut line, &mut now, &mut master, &mut meters) {
            Some(Got::Data1997(id, data)) => {
                assert_eq!(
                    (id, &data),
                    (CLASS_1997, &meters[0].1.record),
                    "seed {seed}"
                );
                whole += 1;
            }
            Some(Got::TimedOut(_)) => lost += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(whole > lost, "{whole} whole, {lost} not");
}
