//! Peers that say anything: nothing panics, every question ends, nobody is answered who was not asked for.

use cjt188::{
    Address, Application, DataId, Dialect, FRAME_MAX, Frame, Function, IdOrder, Master, Message,
    MeterType, Refusal, RefusalForm, Slave, Status, Timing, ValveOrder, catalogue,
};
use testkit::Rng;

/// Answers with whatever comes to its mind.
struct Random(Rng);

impl Random {
    fn any<T>(&mut self, good: T) -> Result<T, Status> {
        match self.0.chance(700_000) {
            true => Ok(good),
            false => Err(Status([self.0.byte(), self.0.byte()])),
        }
    }
}

impl Application for Random {
    fn meter_type(&self) -> MeterType {
        MeterType::GAS
    }

    fn address(&self) -> Address {
        Address::from_line([1; 7])
    }

    fn read(&mut self, _: DataId, out: &mut [u8]) -> Result<usize, Status> {
        self.0.fill(out);
        // Also more than there is room for.
        let len = self.0.below(200) as usize;
        self.any(len)
    }

    fn valve(&mut self, _: ValveOrder) -> Result<Status, Status> {
        self.any(Status([1, 2]))
    }

    fn key_version(&mut self) -> Result<u8, Status> {
        self.any(9)
    }

    fn write(
        &mut self,
        _: Function,
        _: DataId,
        _: &[u8],
        _: &mut [u8],
    ) -> Option<Result<usize, Status>> {
        let len = self.0.below(200) as usize;
        self.0.chance(800_000).then(|| self.any(len))
    }

    fn vendor(&mut self, data: &[u8], out: &mut [u8]) -> Option<Result<usize, Status>> {
        self.write(Function::VENDOR, DataId(0), data, out)
    }
}

const FUNCTIONS: [u8; 8] = [0x01, 0x03, 0x04, 0x09, 0x15, 0x16, 0x2A, 0x1F];

/// A sound frame that says anything, damaged now and then.
fn anything(random: &mut Rng, from_meter: bool) -> Vec<u8> {
    let mut data = random.bytes(70);
    if let (Some(item), Some(place)) = (
        catalogue().nth(random.below(900) as usize),
        data.first_chunk_mut(),
    ) {
        *place = item.id().line(if random.chance(500_000) {
            IdOrder::HighFirst
        } else {
            IdOrder::LowFirst
        });
    }
    let function = FUNCTIONS[random.below(8) as usize];
    let upper = match (from_meter, random.below(4)) {
        (false, _) => 0,
        (true, 0) => 0xC0,
        (true, _) => 0x80,
    };
    let addresses = [
        Address::from_line([1; 7]),
        Address::WILDCARD,
        Address::BROADCAST,
        Address::from_line([2; 7]),
    ];
    let frame = Frame {
        meter_type: *random
            .pick(&[MeterType::GAS, MeterType::ANY, MeterType::HEAT])
            .unwrap(),
        address: *random.pick(&addresses).unwrap(),
        control: cjt188::ControlCode(function | upper),
        data: &data,
    };
    let mut out = [0; FRAME_MAX];
    let len = frame.encode(&mut out).unwrap();
    let mut line = out[..len].to_vec();
    if random.chance(200_000) {
        random.mutate(&mut line);
    }
    line
}

#[test]
fn a_meter_hears_anything() {
    let mut random = Rng::new(188);
    let mut meter = Random(random.fork());
    let mut slave = Slave::new(Timing::tcp());
    let mut answers = 0;
    for now in 0..20_000 {
        let refusal = *random
            .pick(&[
                RefusalForm::SerialAndStatus,
                RefusalForm::Status,
                RefusalForm::OneByte,
            ])
            .unwrap();
        slave.set_dialect(Dialect {
            refusal,
            address_in_data: random.chance(500_000),
            order: None,
        });
        let line = anything(&mut random, false);
        let mut rest = &line[..];
        while !rest.is_empty() {
            let used = slave.handle_bytes(now * 10_000, rest, &mut meter);
            rest = &rest[used..];
            if let Some(answer) = slave.poll_transmit() {
                let frame = Frame::parse(answer).unwrap();
                assert_eq!(
                    (frame.meter_type, frame.address),
                    (MeterType::GAS, Address::from_line([1; 7]))
                );
                assert!(frame.control.from_meter());
                if let Ok(Message::Refused { data, .. }) = frame.message(IdOrder::LowFirst) {
                    assert!(Refusal::parse(data).is_some());
                }
                answers += 1;
            } else {
                assert!(used > 0);
            }
        }
        // The line is silent for a while: what has begun is dropped, and what it hid is looked at.
        slave.handle_timeout(now * 10_000 + 9_000, &mut meter);
        slave.poll_transmit();
    }
    assert!(answers > 1000, "{answers}");
}

#[test]
fn a_reader_hears_anything() {
    let mut random = Rng::new(881);
    let mut master = Master::new(Timing::tcp(), IdOrder::LowFirst);
    master.accept_wildcard_answers(true);
    let (mut now, mut answered, mut silent) = (0, 0, 0);
    for _ in 0..3_000 {
        let id = catalogue().nth(random.below(806) as usize).unwrap().id();
        let function = Function(FUNCTIONS[random.below(6) as usize]);
        let address = Address::from_line([1; 7]);
        if random.chance(100_000) {
            master
                .vendor(now, MeterType::GAS, address, &random.bytes(40))
                .unwrap();
        } else {
            master
                .ask(
                    now,
                    MeterType::GAS,
                    address,
                    function,
                    id,
                    &random.bytes(40),
                )
                .unwrap();
        }
        let mut rounds = 0;
        while master.is_busy() {
            rounds += 1;
            assert!(rounds < 1000, "a question without end");
            let asked = master.poll_transmit().map(<[u8]>::to_vec);
            // Now and then the question comes back with the bits of an answer.
            let line = match asked.as_deref().and_then(|line| Frame::parse(line).ok()) {
                Some(frame) if random.chance(300_000) => {
                    let mut out = [0; FRAME_MAX];
                    let control = cjt188::ControlCode(frame.control.0 | 0x80);
                    let len = Frame { control, ..frame }.encode(&mut out).unwrap();
                    out[..len].to_vec()
                }
                _ => anything(&mut random, true),
            };
            master.handle_bytes(now, &line);
            if let Some(event) = master.poll_event() {
                let _ = (
                    event.value(),
                    event.status(),
                    event.refusal(),
                    event.reading(),
                    event.valve_status(),
                );
                match event {
                    cjt188::Event::TimedOut { .. } => silent += 1,
                    _ => answered += 1,
                }
                continue;
            }
            now = master.poll_timeout().unwrap();
            master.handle_timeout(now);
            if let Some(cjt188::Event::TimedOut { .. }) = master.poll_event() {
                silent += 1;
            }
        }
    }
    assert!(answered > 500 && silent > 500, "{answered} {silent}");
}
