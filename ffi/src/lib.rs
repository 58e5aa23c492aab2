//! The C interface of the meterkit crates.
 