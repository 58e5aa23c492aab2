//! DL/T 645 for C: frames and values, the reader's side, the meter's side.

mod frame;
mod master;
mod slave;
mod value;

pub use frame::*;
pub use master::*;
pub use slave::*;
pub use value::*;
