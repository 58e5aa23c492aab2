//! Register map of the ATM90E32AS (data sheet Atmel-46003): names and addresses of what the driver uses.

#![allow(missing_docs, reason = "the names are those of the data sheet")]

/// Metering on: 1; 0 after a reset, which makes it the restart mark.
pub const METER_EN: u16 = 0x00;
pub const SAG_PEAK_DET_CFG: u16 = 0x05;
pub const O_V_TH: u16 = 0x06;
pub const ZX_CONFIG: u16 = 0x07;
pub const SAG_TH: u16 = 0x08;
pub const PHASE_LOSS_TH: u16 = 0x09;
pub const FREQ_LO_TH: u16 = 0x0C;
pub const FREQ_HI_TH: u16 = 0x0D;
/// Pulse constant, both halves.
pub const PL_CONST_H: u16 = 0x31;
pub const PL_CONST_L: u16 = 0x32;
pub const M_MODE0: u16 = 0x33;
/// Gains of the current amplifiers, two bits each.
pub const M_MODE1: u16 = 0x34;
pub const P_START_TH: u16 = 0x35;
pub const Q_START_TH: u16 = 0x36;
pub const S_START_TH: u16 = 0x37;
pub const P_PHASE_TH: u16 = 0x38;
pub const Q_PHASE_TH: u16 = 0x39;
pub const S_PHASE_TH: u16 = 0x3A;
/// Power offsets of phase A; reactive one behind; the next phase 2 behind.
pub const P_OFFSET_A: u16 = 0x41;
pub const Q_OFFSET_A: u16 = 0x42;
/// Power gain of phase A; its angle one behind; the next phase 2 behind.
pub const PQ_GAIN_A: u16 = 0x47;
pub const PHI_A: u16 = 0x48;
/// Voltage gain of phase A; current gain, voltage offset, current offset behind; the next phase 4 behind.
pub const U_GAIN_A: u16 = 0x61;
pub const I_GAIN_A: u16 = 0x62;
pub const U_OFFSET_A: u16 = 0x63;
pub const I_OFFSET_A: u16 = 0x64;
pub const SOFT_RESET: u16 = 0x70;
/// What was read or written last; reading it changes nothing.
pub const LAST_SPI_DATA: u16 = 0x78;
/// Not 0 when a configuration register changed by itself.
pub const CRC_ERR_STATUS: u16 = 0x79;
pub const CFG_REG_ACC_EN: u16 = 0x7F;
/// Forward active energy of all phases, then of each; cleared by reading, like all energies.
pub const AP_ENERGY_T: u16 = 0x80;
/// Reverse active, forward and reverse reactive, apparent energy, in the same order of phases.
pub const AN_ENERGY_T: u16 = 0x84;
pub const RP_ENERGY_T: u16 = 0x88;
pub const RN_ENERGY_T: u16 = 0x8C;
pub const SA_ENERGY_T: u16 = 0x90;
/// Active power of phase A, high word; low word in [`P_MEAN_A_LSB`].
pub const P_MEAN_A: u16 = 0xB1;
pub const Q_MEAN_A: u16 = 0xB5;
pub const S_MEAN_A: u16 = 0xB9;
pub const P_MEAN_A_LSB: u16 = 0xC1;
pub const Q_MEAN_A_LSB: u16 = 0xC5;
pub const S_MEAN_A_LSB: u16 = 0xC9;
pub const P_MEAN_AF: u16 = 0xD1;
pub const P_MEAN_AF_LSB: u16 = 0xE1;
/// Neutral current, computed, 1 mA.
pub const I_RMS_N: u16 = 0xD8;
/// Voltage of phase A, 10 mV; the high byte of [`U_RMS_A_LSB`] divides it further.
pub const U_RMS_A: u16 = 0xD9;
pub const I_RMS_A: u16 = 0xDD;
pub const U_RMS_A_LSB: u16 = 0xE9;
pub const I_RMS_A_LSB: u16 = 0xED;
/// 10 mHz.
pub const FREQ: u16 = 0xF8;
/// Angle of the current of phase A behind its voltage, 0.1 degree, signed.
pub const P_ANGLE_A: u16 = 0xF9;
/// °C, signed.
pub const TEMP: u16 = 0xFC;
/// Angle of the voltage of phase A against that of phase A, 0.1 degree, signed; the next phases behind.
pub const U_ANGLE_A: u16 = 0xFD;

/// Written into [`SOFT_RESET`].
pub const RESET_KEY: u16 = 0x789A;
/// Written into [`CFG_REG_ACC_EN`] to open the configuration.
pub const ACCESS_KEY: u16 = 0x55AA;
