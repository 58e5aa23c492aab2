//! Instructions for the snapshot of 20 values, ours and peers', counted as in `speed`; every step checks its result.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use mcu::count;
use meter_proto::compact;
use meter_proto::message::{Head, SetSnapshot, Snapshot};

#[path = "../../../../meter-proto/benches/peers/mod.rs"]
mod peers;

const BOOT: u32 = 5_000;
const SEQ: u32 = 3_000_000;

fn must(right: bool) {
    if !right {
        hprintln!("a wrong result");
        debug::exit(debug::EXIT_FAILURE);
    }
}

#[inline(never)]
fn postcard_decode(bytes: &[u8]) -> Option<(Head, Snapshot)> {
    postcard::from_bytes(bytes).ok()
}

#[inline(never)]
fn minicbor_encode(message: &peers::cbor::Message, mut out: &mut [u8]) -> usize {
    let room = out.len();
    let _ = minicbor::encode(message, &mut out);
    room - out.len()
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
    let head = peers::head(BOOT, SEQ);
    let (whole, set) = (peers::snapshot(), peers::set_snapshot());
    let mut out = [0; 256];

    let mut len = 0;
    show(
        "messages-encode",
        count::per_call(|| {
            len = compact::encode_as(black_box(&head), black_box(&whole), &mut out).unwrap_or(0);
        }),
    );
    must(len == 121);
    let ours = out;
    show(
        "messages-decode",
        count::per_call(|| {
            let found = compact::decode_as::<Snapshot>(black_box(&ours[..121]));
            must(found.is_ok_and(|(_, found)| found.samples.len() == 20));
        }),
    );
    show(
        "messages-encode-set",
        count::per_call(|| {
            len = compact::encode_as(black_box(&head), black_box(&set), &mut out).unwrap_or(0);
        }),
    );
    must(len == 69);
    let ours_set = out;
    show(
        "messages-decode-set",
        count::per_call(|| {
            let found = compact::decode_as::<SetSnapshot>(black_box(&ours_set[..69]));
            must(found.is_ok_and(|(_, found)| found.mantissas.len() == 20));
        }),
    );
    show(
        "messages-encode-postcard",
        count::per_call(|| {
            let written = postcard::to_slice(black_box(&(&head, &whole)), &mut out);
            len = written.map(|out| out.len()).unwrap_or(0);
        }),
    );
    must(len == 118);
    let postcard = out;
    show(
        "messages-decode-postcard",
        count::per_call(|| {
            let found = postcard_decode(black_box(&postcard[..118]));
            must(found.is_some_and(|(_, found)| found.samples.len() == 20));
        }),
    );
    let cbor = peers::cbor::message(BOOT, SEQ);
    show(
        "messages-encode-minicbor",
        count::per_call(|| {
            len = minicbor_encode(black_box(&cbor), &mut out);
        }),
    );
    must(len == 189);
    let minicbor = out;
    show(
        "messages-decode-minicbor",
        count::per_call(|| {
            let found = minicbor::decode::<peers::cbor::Message>(black_box(&minicbor[..189]));
            must(found.is_ok_and(|found| found.points[0].mantissa == 2301));
        }),
    );
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
