//! The two cores of the meter on two Cortex-M boards.
//!
//! * [`board`]: everything that touches the chip and the host behind the emulator; the only place with `unsafe`.
//! * [`setup`]: what the factory puts into this meter: constants, keys, tariff.
//! * [`metering`]: feeds samples to the metering core and reports what it made of them.
//! * [`chip`]: a simulated metering chip and the driver before it, which may stand between samples and core.
//! * [`wire`]: the byte line that stands for SPI between the boards.
//! * [`management`]: lets time pass and the DL/T 645 line speak for the management core.
//!
//! * [`images`]: what each image does from start to end.
//! * [`live`]: the two cores by the clock on the wall, with the RS-485 port and the update of the management core.
//!
//! All modules but `board`, `images` and `live` also compile for the host, where a test runs them beside the emulator and compares.
#![no_std]

#[expect(unsafe_code, reason = "registers of the chip, calls of the emulator")]
pub mod board;
pub mod chip;
pub mod images;
#[cfg(board = "mps2_an386")]
pub mod live;
pub mod management;
pub mod metering;
pub mod setup;
pub mod wire;
