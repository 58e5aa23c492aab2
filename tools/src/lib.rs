//! The command line of meterkit, one module per command.

pub mod decode;
pub mod hex_text;
pub mod lang;
