//! Tariffs, prepaid purse and their stored bytes in exact integers, for meters and for the cloud.
//!
//! ```text
//!  energy (Wh, growing) ─┐
//!  time (UTC + offset) ──┴> Machine::advance ─> Tariff::book ─> lines ─> registers, purse ─> relay wish
//!  series of intervals ───> bill::Biller::price ─> the same Tariff::book ─> the same lines
//! ```
//!
//! Energy is whole watt hours, a price is 0.0001 of the currency a kilowatt hour, so money counts
//! 10^-7 of the currency and no multiplication ever rounds. Rounding happens at the edge, with a
//! named [`Rounding`].
//!
//! The crate owns no clock, no store and no heap (feature `store` binds flash). Tables are borrowed ([`Tariff`]), so a meter pays
//! for the rows it has; [`profile`] gives owned storage of fixed sizes.
//!
//! [`Machine`] is the fee control of a meter; [`meter::Meter`] is the whole one, with two sets of
//! tables, settlement, demand, freezes and load records.
//!
//! # Limits
//! Tiers are counted over all rates together and added to the rate price.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod bill;
pub mod calendar;
pub mod charging;
pub mod civil;
#[cfg(feature = "std")]
pub mod cloud;
pub mod combine;
pub mod decimal;
pub mod demand;
pub mod freeze;
pub mod friendly;
#[cfg(feature = "std")]
pub mod ledger;
pub mod machine;
pub mod meter;
pub mod overload;
pub mod plan;
pub mod power_factor;
pub mod price;
pub mod profile;
pub mod purse;
pub mod remote;
pub mod sets;
pub mod settlement;
#[cfg(feature = "store")]
pub mod store;
pub mod stored;
pub mod sts;
pub mod tier;

pub use decimal::Decimal;
pub use machine::Machine;
pub use plan::{Broken, Line, Tariff};
pub use price::{Money, Price, Rounding};
