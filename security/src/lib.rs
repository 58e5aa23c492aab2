//! Keys, sealed envelopes, replay-proof counters and exactly-once orders for meters.
//!
//! A reading is sealed where it is made and opened where it is used; whatever lies between carries
//! bytes that it can drop but neither read, change, move nor repeat. An order passes to an actuator
//! once, and only after its number is stored.
//!
//! ```text
//! KeyTree -> DeviceKey (one per device, purpose, epoch) -> Sealer   seals under the next number
//!   in a KeySlot: staged, proved, active                -> Opener   takes each number once
//!                                                       -> OrderGate -> Verified<Order> -> actuator
//! ake: Sent / Responder -> Session -> the same three under session keys
//! fw:  Manifest -> ChunkMap -> verify -> Verified<Manifest> -> BootState
//! ```
//! | module | is |
//! |---|---|
//! | [`key`], [`kdf`], [`slot`], [`key_message`], [`wrap`] | key tree, derivation, key change and its messages, wrapped keys |
//! | [`suite`], [`envelope`], [`link`], [`counter`], [`replay`] | sealed messages, their numbers, what is fresh |
//! | [`ake`], [`session`], [`port`] | handshake, what it opens, bad tags of a port |
//! | [`order`], [`gate`] | orders and their answers, the gate before an actuator |
//! | [`log`], [`attest`], [`health`] | chained log, which image runs, tests of a random source |
//! | `fw` (feature) | firmware: manifest, chunks, verification, two slots |
//! | `esam` (feature) | the security layer of DL/T 645 with SM4 |
//! | [`engine`], [`ccm`], [`cmac`], [`cipher`], [`aead`] | the cipher behind it all, in software or in a chip |
//!
//! # An order from the head end to the relay
//! ```
//! use security::counter::SendCounter;
//! use security::envelope::{Class, Direction};
//! use security::gate::{Conditions, OrderGate, Verdict};
//! use security::key::{DeviceKeyId, KeyTree, Purpose, Secret};
//! use security::link::Sealer;
//! use security::order::{Kind, Moment, Order, Outcome, RelayFeedback};
//! use security::suite::Suite;
//!
//! // The key service derives; the meter was given its key when it was made.
//! let tree = KeyTree::from_root(&Secret::new([7; 16]), *b"network1", 1);
//! let key = tree.device_key(DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]), Purpose::Lctrl, 1);
//!
//! // Head end: order 1 of operator role 10H, to be executed before half past twelve.
//! let mut head_end = Sealer::new(&key, Direction::ToDevice, Suite::Ccm16, SendCounter::session());
//! let deadline = Moment::try_new(26, 11, 21, 12, 30, 0).unwrap();
//! let order = Order::try_new(Kind::CloseNow, deadline, 1, [0x10, 0, 0, 1]).unwrap();
//! let mut buf = [0; 64];
//! let plain = &order.encode()[..order.encoded_len()];
//! let mut envelope = head_end.seal_from(Class::Command, b"", plain, &mut buf).unwrap().to_vec();
//!
//! // Meter.
//! let mut gate = OrderGate::new(&key, Suite::Ccm16);
//! let conditions = Conditions {
//!     port_allows: true,
//!     session_young: true,
//!     now: Moment::try_new(26, 11, 21, 12, 0, 0),
//!     hold_power: false,
//!     purse: None,
//! };
//! let Verdict::New(pending) = gate.judge(b"", &mut envelope, &conditions, RelayFeedback::Open) else {
//!     panic!("a good order was refused");
//! };
//! let _to_store = pending.state(); // write it, wait until it is durable
//! let order = pending.stored().unwrap();
//! assert_eq!(order.get().kind(), Kind::CloseNow); // the actuator acts
//! let answer = gate.finish(order, Outcome::Done, RelayFeedback::Closed, None);
//! let _to_store = gate.state(); // write it, then seal and send the answer
//! assert_eq!(answer.outcome, Outcome::Done);
//! ```
//!
//! # What it leaves to you
//! - Stores: the crate hands out bytes and takes them back. Two copies written in turn, or one
//!   journal record that is whole or absent; the order of writes is in `docs/security.md`.
//! - The clock, the ports, and randomness: nothing here draws a random number. Nonces are counters;
//!   handshakes and elements are given theirs, from a source behind [`health::Health`].
//! - Keeping keys in the chip. [`key::Secret`] wipes itself; it cannot hide from a lab. A chip that
//!   keeps keys implements [`engine::Block128`] and gives handles ([`key::KeyHandle`]).
//! - Patches of firmware.
//!
//! # Decisions
//! - An opener takes one suite, direction, epoch and address: nobody can ask for a weaker suite.
//! - One error for every message that does not open, and no plaintext left behind it.
//! - Every stored step is handed out as bytes first and counts only when the caller says that they
//!   are durable.
//! - Modes are written once over [`engine::Block128`], for software and chips, at once or later.
//! - Epoch 0, the factory's, gives no orders and opens no session unless that is asked for.
//!
//! # Features
//! None by default: handshake, envelopes with AES-128-CCM, orders, key change. `gcm`, `chacha` and
//! `sm4`: further suites. `fw`, `fw-p256`: firmware with Ed25519, and ECDSA signatures. `esam`: the
//! security layer of DL/T 645; `dlt645` puts it behind the traits of that crate. `mock-engine`: a chip
//! in memory with faults, for tests.
//!
//! # Limits
//! The power consumption of the software ciphers is not masked, and SM4 in software looks up tables.
//! The handshake has no forward secrecy. `esam` does not talk to a fielded element.
#![no_std]

pub mod aead;
pub mod ake;
pub mod attest;
pub mod ccm;
#[cfg(feature = "chacha")]
pub mod chacha;
pub mod cipher;
pub mod cmac;
pub mod counter;
mod ct;
pub mod engine;
pub mod envelope;
#[cfg(feature = "esam")]
pub mod esam;
#[cfg(feature = "fw")]
pub mod fw;
pub mod gate;
#[cfg(feature = "gcm")]
pub mod gcm;
pub mod health;
pub mod kdf;
pub mod key;
pub mod key_message;
pub mod link;
pub mod log;
pub mod order;
pub mod port;
pub mod replay;
pub mod session;
pub mod slot;
pub mod suite;
pub mod wrap;
