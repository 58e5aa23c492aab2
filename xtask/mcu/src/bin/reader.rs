//! The least reader: asks one meter for an energy, repeats, and takes the value.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use dlt645::{
    Address, ControlCode, DataId, Decoder, FRAME_MAX, Format, Frame, Function, Timing, Unit, Value,
};
use mcu::Port;
use serial_line::Exchange;

const TIMING: Timing = Timing::rs485(2400);
const ENERGY: Format = Format::Number {
    bytes: 4,
    decimals: 2,
    signed: false,
    unit: Unit::KilowattHour,
};

fn request(address: Address, id: DataId, out: &mut [u8]) -> usize {
    Frame {
        address,
        control: ControlCode::request(Function::READ),
        data: &id.line(),
    }
    .encode(out)
    .unwrap_or_default()
}

fn value(frame: &Frame<'_>, address: Address, id: DataId) -> Option<i32> {
    if frame.control != ControlCode::answer(Function::READ, false) || frame.address != address {
        return None;
    }
    match ENERGY.decode(frame.data.strip_prefix(&id.line())?) {
        Ok(Value::Number(number)) => Some(number.mantissa),
        _ => None,
    }
}

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut decoder = Decoder::new();
    let address = Address::from_line([0x12, 0x90, 0x78, 0x56, 0x34, 0x12]);
    let mut line = [0; FRAME_MAX];
    let mut tariff = 0;
    loop {
        let id = DataId::from_line([0, tariff, 1, 0]);
        tariff = (tariff + 1) % 5;
        let mut exchange = Exchange::new();
        let mut answer = None;
        let len = request(address, id, &mut line);
        for _ in 0..TIMING.tries {
            port.send(line.get(..len).unwrap_or_default());
            exchange.request_sent(port.now(), len, &TIMING);
            while exchange.expired(port.now()).is_none() && answer.is_none() {
                let Some(byte) = port.receive() else { continue };
                let fed = decoder.feed(&[byte]);
                answer = fed.frame.and_then(|frame| value(&frame, address, id));
                exchange.bytes_seen(port.now(), &TIMING);
            }
            decoder.reset();
            if answer.is_some() {
                break;
            }
        }
        port.show(answer.unwrap_or(-1));
    }
}
