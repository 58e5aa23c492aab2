//! The verification that a boot stage makes: what the set `+fw` costs.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use mcu::Port;
use security::fw::{Admission, BootState, Core, PublicKey, SIGNATURE_LEN, verify};

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let device = black_box(Admission {
        core: Core::Management,
        hardware: 1,
        security_counter: 1,
        legal_software: [0; 8],
        slot_len: 1 << 17,
        running_hash: None,
        decrypts: false,
    });
    let keys = black_box([PublicKey::Ed25519([7; 32]), PublicKey::Ed25519([8; 32])]);
    loop {
        let copies = black_box([[0; 16]; 2]);
        let state = BootState::restore([&copies[0], &copies[1]]);
        let Ok(state) = state else {
            port.show(-1);
            continue;
        };
        let decision = state.decide(|slot| {
            let manifest = black_box([0; 120]);
            let signature = black_box([0; SIGNATURE_LEN]);
            let mut flash = |offset: u32, buf: &mut [u8]| {
                port.show(offset as i32 + slot as i32);
                for byte in buf {
                    *byte = port.receive().ok_or(())?;
                }
                Ok(())
            };
            verify(&manifest, &signature, &device, &keys, &mut flash).is_ok()
        });
        if let Some(next) = decision.store {
            port.send(&next.to_bytes());
        }
        let started = decision.start.filter(|slot| decision.starts(*slot));
        port.show(started.map_or(-1, |slot| slot as i32));
    }
}
