//! DL/T 645 for C: frames and values, the reader's side, the meter's side.

mod frame;
mod guard;
mod master;
mod order;
mod part;
mod slave;
mod value;

pub use frame::*;
pub use guard::*;
pub use master::*;
pub use order::*;
pub use part::*;
pub use slave::*;
pub use value::*;
