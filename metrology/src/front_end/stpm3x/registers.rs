//! Register map of the STPM32, STPM33 and STPM34 (data sheet DS10272, register map tables): names, addresses, bits.
//!
//! Registers have 32 bits at even addresses; they are read whole and written by halves, the low one at the address itself.

#![allow(missing_docs, reason = "the names are those of the data sheet")]

pub const DSP_CR1: u8 = 0x00;
pub const DSP_CR2: u8 = 0x02;
pub const DSP_CR3: u8 = 0x04;
/// Phase calibration of all four channels.
pub const DSP_CR4: u8 = 0x06;
/// Gain of voltage 1; sag and swell thresholds.
pub const DSP_CR5: u8 = 0x08;
/// Gain of current 1.
pub const DSP_CR6: u8 = 0x0A;
/// Gain of voltage 2.
pub const DSP_CR7: u8 = 0x0C;
/// Gain of current 2.
pub const DSP_CR8: u8 = 0x0E;
pub const DFE_CR1: u8 = 0x18;
pub const DFE_CR2: u8 = 0x1A;
pub const US_REG1: u8 = 0x24;
pub const US_REG2: u8 = 0x26;
pub const US_REG3: u8 = 0x28;
/// Periods of both voltages, 8 µs each count.
pub const DSP_REG1: u8 = 0x2E;
/// Momentary V1, 24 bits with sign.
pub const V1_DATA: u8 = 0x30;
pub const C1_DATA: u8 = 0x32;
pub const V2_DATA: u8 = 0x34;
pub const C2_DATA: u8 = 0x36;
/// V1 rms (15 bits) and C1 rms (17 bits above).
pub const DSP_REG14: u8 = 0x48;
pub const DSP_REG15: u8 = 0x4A;
/// Delay of current 1 behind its voltage, bits 16 to 27, 8 µs each.
pub const DSP_REG17: u8 = 0x4E;
pub const DSP_REG19: u8 = 0x52;
/// Active energy of channel 1; the other seven values of the channel follow, see [`PH_ACTIVE_POWER`] and its neighbours.
pub const PH1: u8 = 0x54;
pub const PH2: u8 = 0x6C;

/// Offsets from [`PH1`] and [`PH2`].
pub const PH_ACTIVE_ENERGY: u8 = 0x00;
pub const PH_FUNDAMENTAL_ENERGY: u8 = 0x02;
pub const PH_REACTIVE_ENERGY: u8 = 0x04;
pub const PH_APPARENT_ENERGY: u8 = 0x06;
pub const PH_ACTIVE_POWER: u8 = 0x08;
pub const PH_FUNDAMENTAL_POWER: u8 = 0x0A;
pub const PH_REACTIVE_POWER: u8 = 0x0C;
pub const PH_APPARENT_POWER: u8 = 0x0E;

/// No register: a frame that only fetches an answer, or writes nothing.
pub const NONE: u8 = 0xFF;

/// DSP_CR1, DSP_CR2: the integrator for Rogowski coils.
pub const ROC: u32 = 1 << 21;
/// DSP_CR3: software reset and latches of both channels; they clear themselves.
pub const SW_RESET: u32 = 1 << 20;
pub const SW_LATCH1: u32 = 1 << 21;
pub const SW_LATCH2: u32 = 1 << 22;
/// DSP_CR3: reference frequency 60 Hz.
pub const REF_FREQ_60: u32 = 1 << 27;
/// DFE_CR1, DFE_CR2: place of the gain of the current channel.
pub const GAIN_SHIFT: u32 = 26;

/// US_REG3: read, write, CRC, underrun and overrun errors of the SPI.
pub const SPI_ERRORS: u32 = 0x7C00_0000;

/// Values after a reset.
pub const DSP_CR1_RESET: u32 = 0x0400_00A0;
pub const DSP_CR2_RESET: u32 = 0x2400_00A0;
pub const DSP_CR3_RESET: u32 = 0x0000_04E0;
pub const DSP_CR5_RESET: u32 = 0x003F_F800;
pub const DFE_CR1_RESET: u32 = 0x0F27_0327;
pub const DFE_CR2_RESET: u32 = 0x0327_0327;
pub const US_REG1_RESET: u32 = 0x0000_4007;
pub const US_REG2_RESET: u32 = 0x0000_0683;
