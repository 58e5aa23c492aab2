//! The C interface of the meterkit crates. `include/meter.h` is generated from these files by
//! `cargo xtask header` and documents every function in C terms; `examples/` holds C programs, `docs/c.md` leads in.
//!
//! Pointers are checked once, in [`border`]: null, alignment, length, overlap, and whether an object is one. Behind
//! that the safe crates do the work, so no C caller can make them read outside its buffers.
//!
//! No panic crosses the border: the functions are `extern "C"`, where the compiler turns a panic into an abort, and
//! the archives are built with `panic = "abort"` (`--profile c`). On bare metal the panic handler below stands still,
//! for the watchdog to find; a linked image shows by its symbols whether a path to it is left.
#![cfg_attr(target_os = "none", no_std)]
#![allow(unsafe_code, non_camel_case_types)]

pub mod border;
#[cfg(feature = "cjt188")]
pub mod cjt188;
#[cfg(feature = "dlt645")]
pub mod dlt645;
#[cfg(any(feature = "tariff", feature = "meter-proto"))]
pub mod flash;
#[cfg(any(feature = "dlt645", feature = "cjt188"))]
pub mod line;
#[cfg(feature = "meter-proto")]
pub mod meter_proto;
#[cfg(feature = "metrology")]
pub mod metrology;
mod objects;
pub mod result;
#[cfg(feature = "security")]
pub mod security;
#[cfg(feature = "tariff")]
pub mod tariff;
#[cfg(any(
    feature = "dlt645",
    feature = "cjt188",
    feature = "tariff",
    feature = "meter-proto"
))]
pub mod text;

pub use objects::OBJECTS;
pub use result::mtr_result;

/// Version of this interface; see mtr_abi_version. It rises when a structure, a function or the meaning of a number
/// changes; new functions alone do not raise it.
pub const MTR_ABI_VERSION: u32 = 3;

/// Alignment of the storage of every object, in bytes.
pub const MTR_ALIGN: usize = 16;

/// The version of the library that is linked. Compare it with MTR_ABI_VERSION of the header.
#[unsafe(no_mangle)]
pub extern "C" fn mtr_abi_version() -> u32 {
    MTR_ABI_VERSION
}

/// Nothing is left to do on a microcontroller: no unwinding, no output. The watchdog resets.
#[cfg(all(target_os = "none", not(test)))]
#[panic_handler]
fn stand_still(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
