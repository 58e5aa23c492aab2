//! Keys, sealed envelopes, replay-proof counters and exactly-once orders for meters.
#![no_std]

pub mod ccm;
pub mod cmac;
pub mod counter;
pub mod engine;
pub mod envelope;
pub mod gate;
pub mod kdf;
pub mod key;
pub mod link;
pub mod order;
pub mod replay;
pub mod suite;
