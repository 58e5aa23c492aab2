//! AC metrology in integers: samples to quantities and exact energy registers, without an allocator.
#![no_std]
