//! The unified messages for C: points and values, messages written and read, kept until they are acknowledged, carried
//! over a serial line.

mod acknowledgement;
mod command;
mod event;
mod head;
mod link;
mod outbox;
mod point;
mod profile;
mod snapshot;
mod value;

pub use acknowledgement::*;
pub use command::*;
pub use event::*;
pub use head::*;
pub use link::*;
pub use outbox::*;
pub use point::*;
pub use profile::*;
pub use snapshot::*;
pub use value::*;
