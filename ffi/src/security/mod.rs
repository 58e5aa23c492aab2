//! Keys, envelopes, orders and handshakes for C, on the cipher in software or on that of a chip.

mod engine;
mod gate;
mod handshake;
mod key;
mod link;
mod order;

pub use engine::*;
pub use gate::*;
pub use handshake::*;
pub use key::*;
pub use link::*;
pub use order::*;
