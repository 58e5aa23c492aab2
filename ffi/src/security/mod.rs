//! Keys and their change, envelopes, orders, handshakes, logs, firmware and random sources for C, on the cipher in
//! software or on that of a chip.

mod engine;
mod firmware;
mod gate;
mod handshake;
mod health;
mod key;
mod link;
mod log;
mod manifest;
mod opener;
mod order;
mod slot;
mod wrap;

pub use engine::*;
pub use firmware::*;
pub use gate::*;
pub use handshake::*;
pub use health::*;
pub use key::*;
pub use link::*;
pub use log::*;
pub use manifest::*;
pub use opener::*;
pub use order::*;
pub use slot::*;
pub use wrap::*;
