//! The C interface outside its own crate: installed for a C project, built and run for microcontrollers, its flash.

mod boards;
mod install;

pub use boards::{run as boards, size};
pub use install::{Options, install, job as packages};
