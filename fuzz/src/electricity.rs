//! DL/T 645 above the frame: what answers say, a slave before any master, a master before any slave.

use dlt645::{
    Address, Application, Authority, Control, DataId, DataId1997, Edition, Err645, Event, Format,
    Frame, Guard, GuardRules, Heard, Master, Message, Operator, Password, RecordWriter, Search,
    SecurityErr, Slave, Stamp, Timing, Value,
};

use crate::input::Input;

/// The data of an answer: four bytes of identifier (of a known class, so that most inputs reach a rule), then the data.
/// What decodes, encodes to bytes that decode to the same value.
pub fn answer(bytes: &[u8]) {
    let mut input = Input { bytes };
    let choice = input.byte();
    let (id, data) = (input.word(), input.bytes);
    let id = DataId(match choice & 7 {
        0 => id,
        class @ 1..=6 => id & 0x00FF_FFFF | u32::from(class) << 24,
        _ => id & 0x0FFF_FFFF | 0x1000_0000,
    });
    if let Ok(values) = id.values(data) {
        for (id, value) in values {
            let item = id.item().expect("a value of a known item");
            if let Ok(value) = value {
                check_value(item.format(), &value);
            }
        }
    }
    let old = DataId1997(id.0 as u16);
    if let Ok(values) = old.values(data) {
        for (id, value) in values {
            let item = id.item().expect("a value of a known item");
            if let Ok(value) = value {
                check_value(item.format(), &value);
            }
        }
    }
    if let Some(format) = id.request_format()
        && let Ok(value) = format.decode(data)
    {
        check_value(format, &value);
    }
}

/// Longer than any input of the engine: data that decode must have room to be encoded.
const LONGEST: usize = 16 * 1024;

fn check_value(format: Format, value: &Value<'_>) {
    let text = value.to_string();
    let mut out = [0; LONGEST];
    match format.encode(value, &mut out) {
        Ok(len) => {
            let again = format
                .decode(&out[..len])
                .expect("an encoded value decodes");
            assert_eq!(again, *value, "{format:?} {text}");
        }
        // A bit field of FF is a value there and no absence, so nothing else may fail.
        Err(err) => panic!("{format:?} {text}: {err}"),
    }
    if let Value::Record(record) = value {
        let shape = record.fields().filter(|field| field.number() > 0).count();
        let mut built = [0; LONGEST];
        let mut writer = RecordWriter::new(record.layout(), shape.min(255) as u8, &mut built);
        for field in record.fields() {
            let Ok(value) = field.value() else { return };
            let _ = writer.put(&value);
        }
    }
}

/// An application that does what the input says.
struct Any<'a> {
    address: Address,
    input: Input<'a>,
}

impl Any<'_> {
    fn result(&mut self) -> Result<(), Err645> {
        match self.input.byte() {
            0..=127 => Ok(()),
            err => Err(Err645(err)),
        }
    }

    fn length(&mut self, out: &mut [u8]) -> Result<usize, Err645> {
        let value = self.input.byte();
        out.fill(value);
        // Lengths that do not fit are the application's fault and must do no harm.
        match self.input.byte() {
            0 => Err(Err645::NO_DATA),
            many => Ok(usize::from(many) * 5),
        }
    }
}

impl Application for Any<'_> {
    fn address(&self) -> Address {
        self.address
    }

    fn read(&mut self, _: DataId, _: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        self.length(out)
    }

    fn write(&mut self, _: DataId, _: &Authority, _: &[u8]) -> Result<(), Err645> {
        self.result()
    }

    fn control(&mut self, _: &Authority, _: &Control) -> Result<(), Err645> {
        self.result()
    }

    fn security(
        &mut self,
        _: DataId,
        _: Operator,
        _: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        self.length(out).map_err(|_| SecurityErr::OTHER)
    }

    fn set_time(&mut self, _: Stamp) {}

    fn write_address(&mut self, address: Address) -> bool {
        let takes = self.input.byte() & 1 == 0;
        if takes {
            self.address = address;
        }
        takes
    }

    fn other(&mut self, _: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        match self.input.byte() {
            0 => None,
            len @ 1..=9 => {
                out.fill(self.input.byte());
                Some(Ok(usize::from(len) - 1))
            }
            _ => Some(self.length(out)),
        }
    }

    fn read_1997(&mut self, _: DataId1997, out: &mut [u8]) -> Result<usize, Err645> {
        self.length(out)
    }

    fn write_1997(&mut self, _: DataId1997, _: Password, _: &[u8]) -> Result<(), Err645> {
        self.result()
    }
}

/// A slave hears requests made of the input, damaged and whole: it answers only what is meant for it, with its own
/// address, in whole frames.
pub fn slave(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut buffer = [0; 700];
    let choices = input.byte();
    let mut slave = Slave::new(&mut buffer, Timing::tcp());
    slave.answer_1997(choices & 1 != 0);
    slave.set_preamble(usize::from(choices >> 4));
    slave.accept_half_byte_wildcards(choices & 2 != 0);
    if choices & 4 != 0 {
        slave.set_guard(
            Guard::new(GuardRules::default())
                .password(2, 0)
                .password(4, 0x11_1111),
        );
    }
    let own = Address::from_line([0x23, 0x01, 0x00, 0x06, 0x21, 0x20]);
    let mut application = Any {
        address: own,
        input: Input { bytes },
    };
    let mut now = 0_u64;
    for _ in 0..12 {
        now += u64::from(input.byte()) * 100;
        let kind = input.byte();
        let address = match kind & 7 {
            0 => Address::WILDCARD,
            1 => Address::BROADCAST,
            2 => Address::from_line([0x23, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA]),
            3 => Address::from_line([0x24, 0x01, 0x00, 0x06, 0x21, 0x20]),
            _ => application.address,
        };
        let control = dlt645::ControlCode(input.byte());
        let data = input.take(200);
        let mut line = [0; dlt645::FRAME_MAX];
        let Ok(len) = (Frame {
            address,
            control,
            data,
        })
        .encode(&mut line) else {
            continue;
        };
        if kind & 0x80 != 0 {
            let place = usize::from(input.byte()) % len;
            line[place] ^= input.byte();
        }
        let before = application.address;
        let mut rest = &line[..len];
        for _ in 0..8 {
            let used = slave.handle_bytes(now, rest, &mut application);
            assert!(used <= rest.len());
            rest = &rest[used..];
            if let Some(answer) = slave.poll_transmit() {
                let mut plain = [0; dlt645::FRAME_MAX];
                let frame = Frame::parse(answer, &mut plain).expect("an answer is a whole frame");
                assert!(frame.control.from_meter());
                assert!(frame.address == application.address || frame.address == before);
                assert_ne!(address, Address::BROADCAST, "a broadcast is answered");
            }
            let _ = slave.poll_event();
            if rest.is_empty() {
                break;
            }
        }
        if let Some(at) = slave.poll_timeout() {
            now = now.max(at);
            slave.handle_timeout(now, &mut application);
            let _ = slave.poll_transmit();
        }
        if let Some(guard) = slave.guard() {
            if kind & 0x40 != 0 {
                guard.press_button(now);
            }
            let _ = guard.poll_programming();
        }
    }
}

/// A master asks and hears answers made of the input: every question ends in one event, and the data of an event are
/// those of frames that were sent.
pub fn master(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut buffer = [0; 500];
    let mut master = Master::new(&mut buffer, Timing::tcp());
    let meter = Address::from_line([0x23, 0x01, 0x00, 0x06, 0x21, 0x20]);
    let mut search = Search::new(input.byte() & 1 != 0);
    let mut now = 0_u64;
    for _ in 0..6 {
        let id = DataId(input.word());
        let old = DataId1997(id.0 as u16);
        let put = match input.byte() % 8 {
            0 => master.read(now, meter, id),
            1 => master.read_1997(now, meter, old),
            2 => master.read_address(now),
            3 => master.change_rate(now, Edition::V2007, meter, 2400, 4800),
            4 => master.confirm_rate(now),
            5 => master.security(now, meter, id, Operator(0), &[]),
            6 => master.read(now, search.address().unwrap_or(meter), id),
            _ => master.ask(now, meter, &Message::Output(1)),
        };
        if put.is_err() {
            continue;
        }
        let mut ended = false;
        for _ in 0..2000 {
            let asked = master.poll_transmit().map(<[u8]>::to_vec);
            if let Some(asked) = asked {
                let mut plain = [0; dlt645::FRAME_MAX];
                let request = Frame::parse(&asked, &mut plain).expect("a request is a whole frame");
                let choice = input.byte();
                let control = dlt645::ControlCode(match choice & 3 {
                    0 => input.byte(),
                    1 => request.control.0 | 0x80,
                    2 => request.control.0 | 0xA0,
                    _ => request.control.0 | 0xC0,
                });
                let mut data = request.data.to_vec();
                if choice & 0x10 != 0 {
                    data.truncate(4);
                }
                data.extend(input.take(150));
                if choice & 0x20 != 0 {
                    // The sequence number of a follow-up stands at the end.
                    data.push(request.data.last().copied().unwrap_or_default());
                }
                let mut line = [0; dlt645::FRAME_MAX];
                let answer = Frame {
                    address: meter,
                    control,
                    data: &data,
                };
                if let Ok(len) = answer.encode(&mut line) {
                    if choice & 0x80 != 0 {
                        let place = usize::from(input.byte()) % len;
                        line[place] ^= input.byte();
                    }
                    master.handle_bytes(now, &line[..len]);
                }
            }
            let damage = master.heard_damage();
            if let Some(event) = master.poll_event() {
                let heard = match event {
                    Event::Data { data, .. } | Event::Data1997 { data, .. } => {
                        assert!(data.len() <= 500);
                        Heard::Meter(meter)
                    }
                    _ if damage => Heard::Damage,
                    _ => Heard::Silence,
                };
                let _ = search.heard(heard);
                assert!(search.progress() <= 1000);
                ended = true;
                break;
            }
            match master.poll_timeout() {
                Some(at) => {
                    now = now.max(at);
                    master.handle_timeout(now);
                }
                None => assert!(!master.is_busy(), "a question without an end"),
            }
        }
        assert!(ended, "a question does not end");
    }
}
