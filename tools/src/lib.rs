//! The command line of meterkit, one module per command.

pub mod conform;
pub mod decode;
pub mod encode;
pub mod hex_text;
pub mod lang;
pub mod names;
pub mod port;
pub mod read;
pub mod scan;
pub mod serve;
pub mod sign;
pub mod update;
