//! The C side of the interface: what the header says against what the library holds, every function with wrong
//! arguments, random calls, and the example programs.

mod calls;
mod header;
mod layout;
mod messages;
mod modules;
mod native;
mod programs;
mod purse;
mod security;
mod water;
