//! Exact values: an integer, a power of ten, marks.

use core::ffi::c_char;

use ::meter_proto::language::Language;
use ::meter_proto::message::Sample;
use ::meter_proto::point::PointId;
use ::meter_proto::value::{Quality, Value};

use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;
use crate::text::{self, MTR_LANG_EN, MTR_LANG_ZH};

/// Mark: estimated.
pub const MTR_QUALITY_ESTIMATED: u16 = 0x0002;
/// Mark: substituted by another value.
pub const MTR_QUALITY_SUBSTITUTED: u16 = 0x0004;
/// Mark: questionable.
pub const MTR_QUALITY_QUESTIONABLE: u16 = 0x0008;
/// Mark: missing; the mantissa is 0 and means nothing.
pub const MTR_QUALITY_MISSING: u16 = 0x0010;
/// Mark: outside the physical range.
pub const MTR_QUALITY_OUT_OF_RANGE: u16 = 0x0020;
/// Mark: the register rolled over since the last value.
pub const MTR_QUALITY_ROLLED_OVER: u16 = 0x0040;
/// Mark: test or calibration.
pub const MTR_QUALITY_TEST: u16 = 0x0080;
/// Mark: the clock is doubtful.
pub const MTR_QUALITY_CLOCK_DOUBTFUL: u16 = 0x0100;
/// Mark: power failed in the interval.
pub const MTR_QUALITY_POWER_FAILED: u16 = 0x0200;
/// Mark: the clock was stepped in the interval.
pub const MTR_QUALITY_CLOCK_STEPPED: u16 = 0x0400;
/// Mark: stale, the last known value.
pub const MTR_QUALITY_STALE: u16 = 0x0800;
/// Mark: entered by hand.
pub const MTR_QUALITY_MANUAL: u16 = 0x1000;
/// Mark: a copy that is not legally relevant.
pub const MTR_QUALITY_NOT_LEGAL: u16 = 0x2000;
const _: () = assert!(
    MTR_QUALITY_ESTIMATED == Quality::ESTIMATED.bits()
        && MTR_QUALITY_MISSING == Quality::MISSING.bits()
        && MTR_QUALITY_NOT_LEGAL == Quality::NOT_LEGAL.bits()
);

/// A measured value: `mantissa` times 10 to the power of `exponent`, in the unit of its quantity. The exponent is part of
/// the reading: it says its resolution.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_value {
    /// The digits of the reading.
    pub mantissa: i64,
    /// MTR_QUALITY_... marks, 0 for a good value.
    pub quality: u16,
    /// Power of ten that the digits count.
    pub exponent: i8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_value {}

/// No value.
pub(super) const NO_VALUE: mtr_proto_value = mtr_proto_value {
    mantissa: 0,
    quality: 0,
    exponent: 0,
};

impl From<Value> for mtr_proto_value {
    fn from(own: Value) -> Self {
        mtr_proto_value {
            mantissa: own.mantissa,
            quality: own.quality.bits(),
            exponent: own.exponent,
        }
    }
}

/// MTR_ERR_VALUE for marks that do not exist.
pub(super) fn quality_of(bits: u16) -> Checked<Quality> {
    Quality::from_bits(bits).ok_or(mtr_result::MTR_ERR_VALUE)
}

impl mtr_proto_value {
    /// MTR_ERR_VALUE for marks that do not exist.
    pub(super) fn own(self) -> Checked<Value> {
        Ok(Value {
            mantissa: self.mantissa,
            exponent: self.exponent,
            quality: quality_of(self.quality)?,
        })
    }
}

/// One value of one point.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_sample {
    /// What was measured: see mtr_proto_point.
    pub point: u64,
    /// What it was.
    pub value: mtr_proto_value,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_sample {}

impl From<Sample> for mtr_proto_sample {
    fn from(own: Sample) -> Self {
        mtr_proto_sample {
            point: own.point.bits(),
            value: own.value.into(),
        }
    }
}

impl mtr_proto_sample {
    pub(super) fn own(self) -> Checked<Sample> {
        Ok(Sample::new(
            PointId::from_bits(self.point),
            self.value.own()?,
        ))
    }
}

/// The language of a number of the header.
pub(super) fn language_of(lang: u32) -> Checked<Language> {
    match lang {
        MTR_LANG_EN => Ok(Language::English),
        MTR_LANG_ZH => Ok(Language::Chinese),
        _ => Err(mtr_result::MTR_ERR_PARAMETER),
    }
}

/// The digits of a value, as `230.1`, or `-` for one that is missing: UTF-8 and a NUL to `text` of `capacity` bytes, its
/// length without the NUL into `text_len`. MTR_ERR_VALUE for marks that do not exist, MTR_ERR_LENGTH when it does not
/// fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_value_text(
    value: *const mtr_proto_value,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (value, text, text_len) = unsafe {
            (
                border.given(value)?,
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        text_len.write(text::write(text, &value.own()?)?);
        Ok(())
    })
}

/// The mantissa that a value has at another exponent. MTR_ERR_VALUE when digits would be lost or the number does not
/// fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_value_mantissa_at(
    value: *const mtr_proto_value,
    exponent: i8,
    mantissa: *mut i64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (value, mantissa) = unsafe { (border.given(value)?, border.place(mantissa)?) };
        let found = value.own()?.mantissa_at(exponent);
        mantissa.write(found.ok_or(mtr_result::MTR_ERR_VALUE)?);
        Ok(())
    })
}
