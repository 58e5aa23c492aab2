//! Instructions of single steps, counted by SysTick in the emulator; every step checks its result.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use dlt645::{Address, DataId, Decoder, Edition, FRAME_MAX, Message, Value};
use mcu::count;

/// 1234.56 kWh forward active energy, tariff 1 and total: 20 bytes, no FE in front.
const ENERGY: [u8; 20] = [
    0x68, 0x12, 0x90, 0x78, 0x56, 0x34, 0x12, 0x68, 0x91, 0x08, 0x33, 0x33, 0x34, 0x33, 0x89, 0x67,
    0x45, 0x33, 0x54, 0x16,
];
/// 68.00 m3 of a cold-water meter, 901F.
const WATER: [u8; 35] = [
    0x68, 0x10, 0x26, 0x13, 0x06, 0x07, 0x00, 0x33, 0x78, 0x81, 0x16, 0x1F, 0x90, 0x04, 0x00, 0x68,
    0x00, 0x00, 0x2C, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x73, 0x16,
];

/// Line bytes, stream decoder, message, look-up in the whole catalogue, exact value.
#[inline(never)]
fn energy(decoder: &mut Decoder, line: &[u8]) -> Option<i32> {
    let frame = decoder.feed(line).frame?;
    let Ok(Message::ReadAnswer { id, data, .. }) = frame.message(Edition::V2007) else {
        return None;
    };
    match id.value(data) {
        Ok(Value::Number(number)) => Some(number.mantissa),
        _ => None,
    }
}

#[inline(never)]
fn request(address: Address, id: DataId, out: &mut [u8]) -> usize {
    Message::Read { id, rest: &[] }
        .encode_frame(address, out)
        .unwrap_or_default()
}

#[inline(never)]
fn water(decoder: &mut cjt188::Decoder, line: &[u8]) -> Option<u32> {
    let frame = decoder.feed(line).frame?;
    let Ok(cjt188::Message::Answer { data, .. }) = frame.message(cjt188::IdOrder::LowFirst) else {
        return None;
    };
    match cjt188::Reading::parse(frame.meter_type, data) {
        Ok(cjt188::Reading::Volume(volume)) => Some(volume.current.mantissa),
        _ => None,
    }
}

fn must(right: bool) {
    if !right {
        hprintln!("a wrong result");
        debug::exit(debug::EXIT_FAILURE);
    }
}

#[entry]
fn main() -> ! {
    count::start();
    let around = count::per_call(|| {
        black_box(());
    });
    let show = |name: &str, instructions: u64| {
        hprintln!("{} {}", name, instructions.saturating_sub(around));
    };

    let mut decoder = Decoder::new();
    show(
        "decode-energy",
        count::per_call(|| must(energy(&mut decoder, black_box(&ENERGY)) == Some(123_456))),
    );
    let mut by_byte = || {
        let mut found = None;
        for byte in black_box(&ENERGY) {
            found = energy(&mut decoder, core::slice::from_ref(byte));
        }
        must(found == Some(123_456));
    };
    show("decode-energy-by-byte", count::per_call(&mut by_byte));
    show("look-up-value", {
        let data = [0x56, 0x34, 0x12, 0x00];
        count::per_call(|| {
            must(
                matches!(black_box(DataId(0x0001_0000)).value(black_box(&data)), Ok(Value::Number(n)) if n.mantissa == 123_456),
            );
        })
    });
    let mut line = [0; FRAME_MAX];
    let address = Address::from_line([0x12, 0x90, 0x78, 0x56, 0x34, 0x12]);
    show(
        "build-request",
        count::per_call(|| {
            must(
                request(
                    black_box(address),
                    black_box(DataId(0x0001_0000)),
                    black_box(&mut line),
                ) == 16,
            )
        }),
    );
    let mut decoder = cjt188::Decoder::new();
    show(
        "decode-water",
        count::per_call(|| must(water(&mut decoder, black_box(&WATER)) == Some(6800))),
    );
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
