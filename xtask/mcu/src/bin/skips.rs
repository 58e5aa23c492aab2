//! What a fault campaign attacks: the boot stage and the order gate, each with something forged before it.
//!
//! The debugger says which case runs by the number that [`choose`] returns, and disturbs what lies
//! between [`begin`] and [`refused`]. [`accepted`] must be reached by the genuine cases alone.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use mcu::{Port, device};
use security::counter::SendCounter;
use security::engine::Soft;
use security::envelope::{Class, Direction};
use security::fw::{
    Admission, BootState, Core, Decision, MANIFEST_LEN, Manifest, PublicKey, SIGNATURE_LEN,
    SignatureKind, Slot, verify,
};
use security::gate::{Conditions, OrderGate, Verdict, Verified};
use security::key::Purpose;
use security::link::{Form, Sealer};
use security::order::{Kind, Moment, Order, RelayFeedback};
use security::suite::Suite;

/// The signer of the image, from the seed of 32 bytes 05, and its signature over [`manifest`].
const SIGNER: [u8; 32] = [
    0x6E, 0x7A, 0x1C, 0xDD, 0x29, 0xB0, 0xB7, 0x8F, 0xD1, 0x3A, 0xF4, 0xC5, 0x59, 0x8F, 0xEF, 0xF4,
    0xEF, 0x2A, 0x97, 0x16, 0x6E, 0x3C, 0xA6, 0xF2, 0xE4, 0xFB, 0xFC, 0xCD, 0x80, 0x50, 0x5B, 0xF1,
];
const SIGNATURE: [u8; SIGNATURE_LEN] = [
    0xC3, 0x3A, 0xDF, 0xAF, 0x17, 0x5C, 0x70, 0x15, 0x32, 0xEA, 0x82, 0xAA, 0x19, 0x8C, 0x59, 0xCD,
    0xAF, 0xAA, 0x7D, 0xA2, 0x66, 0x8C, 0x4E, 0xC2, 0x81, 0xB4, 0x39, 0xBE, 0xCD, 0x1D, 0x00, 0xB5,
    0x8A, 0x33, 0x6B, 0x99, 0x36, 0xF9, 0xFA, 0x21, 0x0C, 0xF8, 0x0C, 0x6B, 0x65, 0xE8, 0xA1, 0xEE,
    0xA8, 0xEA, 0xCC, 0xD6, 0x31, 0x64, 0xDD, 0x6A, 0x9F, 0xD8, 0x25, 0x70, 0x6F, 0x13, 0xA8, 0x0F,
];
/// SHA-256 over the bytes 0 to 63.
const IMAGE_HASH: [u8; 32] = [
    0xFD, 0xEA, 0xB9, 0xAC, 0xF3, 0x71, 0x03, 0x62, 0xBD, 0x26, 0x58, 0xCD, 0xC9, 0xA2, 0x9E, 0x8F,
    0x9C, 0x75, 0x7F, 0xCF, 0x98, 0x11, 0x60, 0x3A, 0x8C, 0x44, 0x7C, 0xD1, 0xD9, 0x15, 0x11, 0x08,
];
const IMAGE_LEN: u32 = 64;

/// The case that runs: the debugger puts its number here.
#[inline(never)]
fn choose(port: &mut Port) -> u32 {
    port.now() as u32
}

/// Faults may come from here on.
#[inline(never)]
fn begin(port: &mut Port) {
    port.show(1);
}

#[inline(never)]
fn accepted(port: &mut Port) {
    port.show(2);
}

#[inline(never)]
fn refused(port: &mut Port) {
    port.show(3);
}

fn manifest(key: &PublicKey) -> [u8; MANIFEST_LEN] {
    let manifest = Manifest {
        signature: SignatureKind::Ed25519,
        core: Core::Management,
        delta: false,
        encrypted: false,
        hardware: 0x0101,
        security_counter: 1,
        version: (1, 0),
        revision: 0,
        build: 1,
        image_len: IMAGE_LEN,
        chunk_len: IMAGE_LEN as u16,
        image_hash: IMAGE_HASH,
        base_hash: [0; 32],
        legal_software: [0; 8],
        key_id: key.id(),
    };
    manifest.encode()
}

/// What lies in flash, and the counter of the device.
struct Slots {
    manifest: [u8; MANIFEST_LEN],
    signature: [u8; SIGNATURE_LEN],
    flipped: u8,
    counter: u32,
}

/// The decision of a boot stage over two slots that hold the same.
#[inline(never)]
fn boot_stage(slots: &Slots, keys: &[PublicKey]) -> Decision {
    let device = Admission {
        core: Core::Management,
        hardware: 0x0101,
        security_counter: slots.counter,
        legal_software: [0; 8],
        slot_len: 1 << 17,
        running_hash: None,
        decrypts: false,
    };
    let state = BootState::new(Slot::A);
    state.decide(|_| {
        let mut flash = |offset: u32, buf: &mut [u8]| {
            for (byte, at) in buf.iter_mut().zip(offset..) {
                *byte = at as u8 ^ slots.flipped;
            }
            Ok(())
        };
        verify(&slots.manifest, &slots.signature, &device, keys, &mut flash).is_ok()
    })
}

/// An image in both slots: 0 genuine, 1 another signature, 2 other bytes, 3 older than the device allows.
fn boot(port: &mut Port, case: u32) {
    let keys = black_box([PublicKey::Ed25519(SIGNER)]);
    let [key] = &keys;
    let mut slots = Slots {
        manifest: manifest(key),
        signature: SIGNATURE,
        flipped: u8::from(case == 2),
        counter: if case == 3 { 2 } else { 1 },
    };
    if case == 1 {
        slots.signature[40] ^= 1;
    }
    let slots = black_box(slots);
    begin(port);
    let decision = boot_stage(&slots, &keys);
    for slot in [Slot::A, Slot::B] {
        if decision.starts(slot) {
            accepted(port);
        }
    }
    refused(port);
}

/// Seals an order; the length of its envelope.
fn sealed(sealer: &mut Sealer, number: u64, hour: u8, buf: &mut [u8; 64]) -> usize {
    let order = Moment::try_new(26, 11, 21, hour, 30, 0)
        .and_then(|deadline| Order::try_new(Kind::CloseNow, deadline, number, [0x10, 0, 0, 1]));
    if let (Some(order), Some(room)) = (order, buf.get_mut(16..36)) {
        for (to, from) in room.iter_mut().zip(order.encode()) {
            *to = from;
        }
    }
    sealer
        .seal_on(&mut Soft, Form::Long, Class::Command, b"", buf, 20)
        .map_or(0, <[u8]>::len)
}

/// The way from an envelope to an actuator.
#[inline(never)]
fn order_gate(port: &mut Port, gate: &mut OrderGate, envelope: &mut [u8], held: &Conditions) {
    if let Verdict::New(pending) = gate.judge(b"", envelope, held, RelayFeedback::Open)
        && let Ok(order) = pending.stored()
    {
        relay(port, &order);
    }
}

/// An actuator: it does what the order says.
fn relay(port: &mut Port, order: &Verified<Order>) {
    if order.get().kind() == Kind::CloseNow {
        accepted(port);
    }
}

/// An order: 8 genuine, 9 another tag, 10 sent again, 11 after its deadline, 12 with a used number, 13 another
/// tag behind a genuine one.
fn order(port: &mut Port, case: u32) {
    let key = device::key(Purpose::Lctrl);
    let mut sealer = Sealer::new(
        &key,
        Direction::ToDevice,
        Suite::Ccm16,
        SendCounter::session(),
    );
    let mut gate = OrderGate::new(&key, Suite::Ccm16);
    let held = black_box(Conditions {
        port_allows: true,
        session_young: true,
        now: Moment::try_new(26, 11, 21, 12, 0, 0),
        hold_power: false,
        purse: None,
    });
    let (mut first, mut second) = ([0; 64], [0; 64]);
    let hour = if case == 11 { 11 } else { 12 };
    let len = sealed(&mut sealer, 1, hour, &mut first);
    let again = first;
    let number = if case == 13 { 2 } else { 1 };
    let other = sealed(&mut sealer, number, 13, &mut second);
    let forged = if case == 13 { &mut second } else { &mut first };
    if (case == 9 || case == 13)
        && let Some(tag) = forged.get_mut(len.saturating_sub(5))
    {
        *tag ^= 1;
    }
    if matches!(case, 10 | 12 | 13) {
        // The number and the counter are used up by the genuine one.
        let genuine = first.get_mut(..len).unwrap_or_default();
        order_gate(port, &mut gate, genuine, &held);
        first = if case == 10 { again } else { second };
    }
    let len = if case >= 12 { other } else { len };
    let envelope = black_box(first.get_mut(..len).unwrap_or_default());
    begin(port);
    order_gate(port, &mut gate, envelope, &held);
    refused(port);
}

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let case = choose(&mut port);
    if case < 8 {
        boot(&mut port, case);
    } else {
        order(&mut port, case);
    }
    loop {
        cortex_m::asm::wfi();
    }
}
