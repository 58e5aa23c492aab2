//! A dual-core meter, assembled from the crates of this workspace, and a host program that runs it.
//!
//! ```text
//!        metering core                     line between the cores            management core
//! ADC ─> metrology ─> registers ─ sealed ─> link (SPI framing) ─> outbox ─> DL/T 645 ─> gateway
//!                        relay <─ wish, sealed orders <─ link <─ tariff, purse
//! ```
//!
//! * [`metering`]: what is legal. It answers a closed list of questions ([`crossing`]) and nothing else.
//! * [`management`]: tariff and purse ([`account`]), [`events`], records that wait, and the DL/T 645 [`face`].
//! * [`log`]: the legal log of the metering core.
//! * [`link`]: both cores at the two ends of the SPI framing.
//! * [`store`]: the one seam to flash or files; [`clock`]: times into each other; [`wave`]: synthetic loads.
//! * [`update`]: firmware of the management core over the line.
//! * [`water`]: a water meter with CJ/T 188.
//! * `host` (feature `std`): sockets, pseudo-terminals, files, recorded waves.
//!
//! The library has no allocator; everything but `host` also runs on a microcontroller.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod account;
pub mod book;
pub mod clock;
pub mod crossing;
mod cursor;
pub mod events;
pub mod face;
#[cfg(feature = "std")]
pub mod host;
pub mod link;
pub mod log;
pub mod management;
pub mod metering;
pub mod programmed;
pub mod records;
pub mod settings;
pub mod store;
pub mod update;
pub mod uses;
pub mod waiting;
pub mod water;
pub mod wave;
