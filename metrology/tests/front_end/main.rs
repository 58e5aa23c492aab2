//! Drivers of metering chips against chips simulated down to their registers.

mod atm90e32;
mod bus;
mod stpm3x;
