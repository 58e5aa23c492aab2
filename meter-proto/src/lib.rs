//! The unified meter data standard: identities, points, exact values, messages, store and forward, links.
#![no_std]

pub mod cbor;
pub mod compact;
pub mod device;
pub mod error;
mod fields;
pub mod form;
pub mod link;
pub mod message;
pub mod outbox;
pub mod point;
pub mod quantity;
pub mod time;
pub mod topic;
pub mod value;
pub mod window;
