//! What the Chinese meter protocols share on a half-duplex line: packed BCD, 8-bit sum, FE preamble, the exchange timer.
#![no_std]
