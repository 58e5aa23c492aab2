//! The unified meter data standard: identities, points, exact values, messages, store and forward, links.
#![no_std]

pub mod compact;
pub mod device;
pub mod error;
mod fields;
pub mod message;
pub mod point;
pub mod quantity;
pub mod time;
pub mod value;
