//! Instructions of sealing and opening, beside the modes of other crates in the same build; every
//! step checks its result.
#![no_std]
#![no_main]

#[path = "../memory.rs"]
mod memory;

use core::hint::black_box;

use aes::Aes128;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U13, U16};
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use mcu::{count, device};
use security::counter::SendCounter;
use security::engine::{Block, Block128, BlockCipher, EngineError, Soft};
use security::envelope::{Class, Direction};
use security::gate::{Conditions, OrderGate, Verdict};
use security::key::{Purpose, Secret};
use security::link::{Form, Sealer};
use security::order::{Kind, Moment, Order, RelayFeedback};
use security::suite::Suite;

const CALLS: u32 = 100;
const NONCE: [u8; 13] = [3; 13];
const AAD: [u8; 13] = [4; 13];

/// An engine that knows what it will be asked: it answers with blocks noted before, so that its own
/// work is a copy.
struct Noted {
    blocks: [Block; 32],
    len: usize,
    next: usize,
}

impl Block128 for Noted {
    type Key = ();
    type Error = EngineError;
    const LANES: usize = 1;

    fn load(&mut self, _: BlockCipher, _: &Secret<16>) -> Result<(), EngineError> {
        Ok(())
    }

    fn encrypt(&mut self, (): &(), blocks: &mut [Block]) -> Result<(), EngineError> {
        for block in blocks {
            *block = *self.blocks.get(self.next).ok_or(EngineError::Fault)?;
            self.next += 1;
        }
        Ok(())
    }

    fn decrypt(&mut self, (): &(), _: &mut Block) -> Result<(), EngineError> {
        Err(EngineError::NoCipher)
    }
}

/// The software engine, noting what it answers.
struct Noting(Noted);

impl Block128 for Noting {
    type Key = security::engine::SoftKey;
    type Error = EngineError;
    const LANES: usize = 1;

    fn load(&mut self, cipher: BlockCipher, secret: &Secret<16>) -> Result<Self::Key, EngineError> {
        let Ok(key) = Soft.load(cipher, secret);
        Ok(key)
    }

    fn encrypt(&mut self, key: &Self::Key, blocks: &mut [Block]) -> Result<(), EngineError> {
        let Ok(()) = Soft.encrypt(key, blocks);
        for block in blocks {
            *self
                .0
                .blocks
                .get_mut(self.0.len)
                .ok_or(EngineError::Fault)? = *block;
            self.0.len += 1;
        }
        Ok(())
    }

    fn decrypt(&mut self, key: &Self::Key, block: &mut Block) -> Result<(), EngineError> {
        let Ok(()) = Soft.decrypt(key, block);
        Ok(())
    }
}

fn must(right: bool) {
    if !right {
        hprintln!("a wrong result");
        debug::exit(debug::EXIT_FAILURE);
    }
}

fn modes(show: &dyn Fn(&str, u64)) {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new([7; 16]));
    let mut long = [9_u8; 256];
    let mut ours = [0; 16];
    show(
        "seal-ccm-256",
        count::per_call_of(CALLS, || {
            long = [9; 256];
            let tag =
                security::ccm::seal(&mut Soft, &key, &NONCE, &[black_box(&AAD)], &mut long, 16);
            ours = tag.unwrap_or_default();
        }),
    );
    let peer = ccm::Ccm::<Aes128, U16, U13>::new(&[7; 16].into());
    let mut theirs = [9_u8; 256];
    let mut tag = [0; 16];
    show(
        "seal-ccm-256-peer",
        count::per_call_of(CALLS, || {
            theirs = [9; 256];
            let sealed = peer.encrypt_inout_detached(
                (&NONCE).into(),
                black_box(&AAD),
                theirs.as_mut_slice().into(),
            );
            tag = sealed.map(Into::into).unwrap_or_default();
        }),
    );
    must(long == theirs && ours == tag);
    show(
        "open-ccm-256",
        count::per_call_of(CALLS, || {
            long = theirs;
            let body = black_box(&mut long);
            must(security::ccm::open(&mut Soft, &key, &NONCE, &[&AAD], body, &tag).is_ok());
        }),
    );
    must(long == [9; 256]);
    show(
        "seal-ccm-16",
        count::per_call_of(CALLS, || {
            let body = black_box(&mut long[..16]);
            must(security::ccm::seal(&mut Soft, &key, &NONCE, &[&AAD], body, 16).is_ok());
        }),
    );
    show(
        "encrypt-block",
        count::per_call_of(CALLS, || {
            let Ok(()) = Soft.encrypt(&key, black_box(core::slice::from_mut(&mut ours)));
        }),
    );
    show(
        "load-key",
        count::per_call_of(CALLS, || {
            let Ok(key) = Soft.load(BlockCipher::Aes128, black_box(&Secret::new([7; 16])));
            black_box(&key);
        }),
    );
}

fn conditions() -> Conditions {
    Conditions {
        port_allows: true,
        session_young: true,
        now: Moment::try_new(26, 11, 21, 12, 0, 0),
        hold_power: false,
        purse: None,
    }
}

fn sealed_order(buf: &mut [u8; 64]) -> usize {
    let key = device::key(Purpose::Lctrl);
    let mut head = Sealer::new(
        &key,
        Direction::ToDevice,
        Suite::Ccm16,
        SendCounter::session(),
    );
    let order = Moment::try_new(26, 11, 21, 12, 30, 0)
        .and_then(|deadline| Order::try_new(Kind::CloseNow, deadline, 1, [0x10, 0, 0, 1]));
    if let Some(order) = order {
        let room = &mut buf[16..36];
        room.copy_from_slice(&order.encode()[..20]);
    }
    head.seal_on(
        &mut Soft,
        Form::Long,
        Class::Command,
        b"0123456789ab",
        buf,
        20,
    )
    .map_or(0, <[u8]>::len)
}

/// A 20-byte order with 12 bytes of `ext`, opened and judged by a gate that has its key.
fn order(show: &dyn Fn(&str, u64)) {
    let mut sealed = [0; 64];
    let len = sealed_order(&mut sealed);
    let held = conditions();
    let judge = |verdict: Verdict<'_, security::engine::SoftKey>| matches!(verdict, Verdict::New(pending) if pending.order().is_ok());

    // A gate takes each counter once: one for each call.
    let key = device::key(Purpose::Lctrl);
    show("judge-order", {
        let mut sum = 0;
        for _ in 0..CALLS {
            let mut gate = OrderGate::new(&key, Suite::Ccm16);
            let mut envelope = sealed;
            let envelope = envelope.get_mut(..len).unwrap_or_default();
            sum += count::once(|| {
                let verdict = gate.judge(
                    b"0123456789ab",
                    black_box(envelope),
                    &held,
                    RelayFeedback::Open,
                );
                must(judge(verdict));
            });
        }
        sum / u64::from(CALLS)
    });

    let mut noting = Noting(Noted {
        blocks: [[0; 16]; 32],
        len: 0,
        next: 0,
    });
    let handle = key.load(&mut noting);
    let gate = handle.and_then(|handle| OrderGate::with_engine(&mut noting, &handle, Suite::Ccm16));
    noting.0.len = 0;
    let mut envelope = sealed;
    let first = gate.is_ok_and(|mut gate| {
        let bytes = envelope.get_mut(..len).unwrap_or_default();
        let verdict = gate.judge_on(
            &mut noting,
            b"0123456789ab",
            bytes,
            &held,
            RelayFeedback::Open,
        );
        matches!(verdict, Verdict::New(_))
    });
    must(first);
    let mut engine = noting.0;
    show("judge-order-engine", {
        let mut sum = 0;
        for _ in 0..CALLS {
            let handle = security::key::KeyHandle::new((), device::ID, Purpose::Lctrl, 1);
            let Ok(link) = key
                .soft()
                .static_link(&mut Soft, Suite::Ccm16, Direction::ToDevice);
            let cipher = security::cipher::LinkCipher::load(&mut engine, &link);
            let Ok(cipher) = cipher else { break };
            let opener = security::link::Opener::under(cipher, &handle, Direction::ToDevice);
            let mut gate = OrderGate::under(opener, &handle);
            let mut envelope = sealed;
            let envelope = envelope.get_mut(..len).unwrap_or_default();
            engine.next = 0;
            sum += count::once(|| {
                let verdict = gate.judge_on(
                    &mut engine,
                    b"0123456789ab",
                    black_box(envelope),
                    &held,
                    RelayFeedback::Open,
                );
                must(matches!(verdict, Verdict::New(pending) if pending.order().is_ok()));
            });
        }
        sum / u64::from(CALLS)
    });
}

#[entry]
fn main() -> ! {
    count::start();
    let around = count::per_call_of(CALLS, || {
        black_box(());
    });
    let show = |name: &str, instructions: u64| {
        hprintln!("{} {}", name, instructions.saturating_sub(around));
    };
    modes(&show);
    order(&show);
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
