//! What the meter protocols share on a half-duplex line.

use serial_line::Timing;

use crate::border::{Plain, call};
use crate::result::mtr_result;

/// How a line and its meters behave in time. Begin with mtr_timing_rs485 or mtr_timing_tcp.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_timing {
    /// Microseconds one character takes on the wire; 0 where the wire does not count (TCP).
    pub byte_us: u32,
    /// Milliseconds from the end of the request to the first byte of the answer, at most.
    pub answer_ms: u32,
    /// Milliseconds between two bytes of one frame, at most.
    pub gap_ms: u32,
    /// Milliseconds a meter waits before it answers, at least.
    pub turnaround_ms: u32,
    /// How often a question is put before it counts as unanswered; 0 is taken as 1, more than 255 as 255.
    pub tries: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_timing {}

impl From<Timing> for mtr_timing {
    fn from(own: Timing) -> Self {
        mtr_timing {
            byte_us: own.byte_us,
            answer_ms: own.answer_ms,
            gap_ms: own.gap_ms,
            turnaround_ms: own.turnaround_ms,
            tries: own.tries.into(),
        }
    }
}

impl From<mtr_timing> for Timing {
    fn from(given: mtr_timing) -> Self {
        Timing {
            byte_us: given.byte_us,
            answer_ms: given.answer_ms,
            gap_ms: given.gap_ms,
            turnaround_ms: given.turnaround_ms,
            tries: u8::try_from(given.tries).unwrap_or(u8::MAX),
        }
    }
}

/// The timing of a serial line at `baud` bit/s (0 is taken as 2400), 11 bits to a character: answers within a second,
/// gaps of at most 500 ms, 20 ms before a meter answers, three tries.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_timing_rs485(baud: u32, timing: *mut mtr_timing) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.place(timing) }?.write(Timing::rs485(baud).into());
        Ok(())
    })
}

/// The timing of a stream through TCP or a radio gateway, where whole seconds pass.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_timing_tcp(timing: *mut mtr_timing) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.place(timing) }?.write(Timing::tcp().into());
        Ok(())
    })
}
