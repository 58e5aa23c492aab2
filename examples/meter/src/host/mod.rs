//! The host half: meters as programs.

pub mod files;
pub mod pty;
pub mod recording;
