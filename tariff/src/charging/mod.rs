//! Charging sessions: car piles by half-hour segments, e-bike sockets by power bracket, and OCPI
//! tariffs (feature `std`).

pub mod ebike;
#[cfg(feature = "std")]
pub mod ocpi;
pub mod pile;
