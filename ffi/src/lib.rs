//! The C interface of the meterkit crates. `include/meter.h` is generated from these files by
//! `cargo xtask header` and documents every function in C terms; `tests/c/` holds the C programs.
//!
//! Pointers are checked once, in [`border`]: null, alignment and length. Behind that the safe crates
//! do the work, so no C caller can make them read outside its buffers.
#![allow(unsafe_code)]

pub mod border;
pub mod dlt645;
pub mod metrology;
pub mod result;

pub use result::mtr_result;

/// Version of this interface; see mtr_abi_version.
pub const MTR_ABI_VERSION: u32 = 1;

/// Alignment of the storage of every object, in bytes.
pub const MTR_ALIGN: usize = 16;

/// The version of the library that is linked. Compare it with MTR_ABI_VERSION of the header.
#[unsafe(no_mangle)]
pub extern "C" fn mtr_abi_version() -> u32 {
    MTR_ABI_VERSION
}
