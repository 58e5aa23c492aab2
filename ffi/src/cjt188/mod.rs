//! CJ/T 188 for C: frames and values, the reader's side, the meter's side.

mod frame;
mod master;
mod parts;
mod slave;
mod value;

pub use frame::*;
pub use master::*;
pub use parts::*;
pub use slave::*;
pub use value::*;
