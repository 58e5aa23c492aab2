//! DL/T 645 frames for C.

use crate::border::{code, exclusive, overlap, place, put, shared, slice, slice_mut};
use crate::result::mtr_result;
use dlt645::{Address, ControlCode, DataId, Decoder, Frame, Value};

/// Bytes of storage of an mtr_dlt645_decoder.
pub const MTR_DLT645_DECODER_SIZE: usize = 288;
const _: () = assert!(size_of::<mtr_dlt645_decoder>() <= MTR_DLT645_DECODER_SIZE);

/// Most data bytes of a frame.
pub const MTR_DLT645_DATA_MAX: usize = 200;
const _: () = assert!(MTR_DLT645_DATA_MAX == dlt645::DATA_MAX);

/// A stream decoder: any split of the bytes, noise and preambles skipped. Opaque.
#[allow(non_camel_case_types)]
pub struct mtr_dlt645_decoder(Decoder);

/// One frame.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_frame {
    /// The address, BCD, most significant digits first.
    pub address: [u8; 6],
    /// The control code: bit 7 from the meter, bit 6 refusal, bit 5 more follows, bits 4 to 0 function.
    pub control: u8,
    /// Number of data bytes, 0 to MTR_DLT645_DATA_MAX.
    pub length: u8,
    /// The data without the 33H of the line, in line order.
    pub data: [u8; MTR_DLT645_DATA_MAX],
}

/// What a decoder refused since it was made.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_refusals {
    /// Bytes outside frames, preambles not counted.
    pub noise: u32,
    /// A 68H without a second one at its place.
    pub start: u32,
    /// Lengths above MTR_DLT645_DATA_MAX.
    pub length: u32,
    /// Frames with a wrong sum.
    pub checksum: u32,
    /// Frames that do not end with 16H.
    pub end: u32,
    /// Frames that broke off.
    pub truncated: u32,
}

/// Makes a decoder in `storage` of `size` bytes (at least MTR_DLT645_DECODER_SIZE, aligned to
/// MTR_ALIGN) and puts its handle into `decoder`. Nothing is to be freed.
///
/// # Safety
/// The rules of the header: `storage` is writable for `size` bytes and does not move while in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_decoder_init(
    storage: *mut u8,
    size: usize,
    decoder: *mut *mut mtr_dlt645_decoder,
) -> mtr_result {
    let run = || {
        if size < MTR_DLT645_DECODER_SIZE && !storage.is_null() {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        // SAFETY: forwarded contract of this function.
        let made = unsafe { place(storage, size, mtr_dlt645_decoder(Decoder::new())) }?;
        // SAFETY: forwarded contract of this function.
        unsafe { put(decoder, made.as_ptr()) }
    };
    code(run())
}

/// Feeds `len` bytes from the line. Takes bytes until a frame ends or they run out and puts the number
/// taken into `used`; call again with the rest. MTR_OK: a frame is in `frame`. MTR_MORE: none yet.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_decoder_push(
    decoder: *mut mtr_dlt645_decoder,
    bytes: *const u8,
    len: usize,
    used: *mut usize,
    frame: *mut mtr_dlt645_frame,
) -> mtr_result {
    let run = || {
        // SAFETY: forwarded contract of this function.
        let (decoder_ref, bytes) = unsafe { (exclusive(decoder)?, slice(bytes, len)?) };
        if overlap(bytes.as_ptr(), len, decoder.cast(), MTR_DLT645_DECODER_SIZE)
            || overlap(
                bytes.as_ptr(),
                len,
                frame.cast(),
                size_of::<mtr_dlt645_frame>(),
            )
        {
            return Err(mtr_result::MTR_ERR_OVERLAP);
        }
        let fed = decoder_ref.0.feed(bytes);
        // SAFETY: forwarded contract of this function.
        unsafe { put(used, fed.used) }?;
        let found = fed.frame.ok_or(mtr_result::MTR_MORE)?;
        let mut out = mtr_dlt645_frame {
            address: found.address.big_endian(),
            control: found.control.0,
            length: 0,
            data: [0; MTR_DLT645_DATA_MAX],
        };
        for (place, byte) in out.data.iter_mut().zip(found.data) {
            *place = *byte;
            out.length += 1;
        }
        // SAFETY: forwarded contract of this function.
        unsafe { put(frame, out) }
    };
    code(run())
}

/// What the decoder refused since it was made.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_decoder_refusals(
    decoder: *const mtr_dlt645_decoder,
    refusals: *mut mtr_dlt645_refusals,
) -> mtr_result {
    let run = || {
        // SAFETY: forwarded contract of this function.
        let counted = unsafe { shared(decoder) }?.0.refusals();
        let out = mtr_dlt645_refusals {
            noise: counted.noise,
            start: counted.start,
            length: counted.length,
            checksum: counted.checksum,
            end: counted.end,
            truncated: counted.truncated,
        };
        // SAFETY: forwarded contract of this function.
        unsafe { put(refusals, out) }
    };
    code(run())
}

/// Writes a frame into `out` of `capacity` bytes, without a preamble, and its length (12 and the data)
/// into `len`.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_encode(
    frame: *const mtr_dlt645_frame,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    let run = || {
        if overlap(out, capacity, frame.cast(), size_of::<mtr_dlt645_frame>()) {
            return Err(mtr_result::MTR_ERR_OVERLAP);
        }
        // SAFETY: forwarded contract of this function.
        let (frame, out) = unsafe { (shared(frame)?, slice_mut(out, capacity)?) };
        let data = frame
            .data
            .get(..usize::from(frame.length))
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        let written = Frame {
            address: Address::from_big_endian(frame.address),
            control: ControlCode(frame.control),
            data,
        }
        .encode(out)
        .map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
        // SAFETY: forwarded contract of this function.
        unsafe { put(len, written) }
    };
    code(run())
}

/// A decimal number: `mantissa` / 10^`decimals`.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_number {
    /// All digits, with the sign.
    pub mantissa: i32,
    /// Digits behind the point.
    pub decimals: u8,
}

/// The number that the `len` data bytes of an answer (behind the identifier, without the 33H) hold for
/// the identifier `id` (DI3 highest). MTR_ERR_IDENTIFIER: not in the catalogue; MTR_ERR_VALUE: the data
/// do not have its format, the meter marked it as absent, or it is no number.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_number(
    id: u32,
    data: *const u8,
    len: usize,
    number: *mut mtr_number,
) -> mtr_result {
    let run = || {
        // SAFETY: forwarded contract of this function.
        let data = unsafe { slice(data, len) }?;
        let value = DataId(id).value(data).map_err(|error| match error {
            dlt645::ValueError::Unknown => mtr_result::MTR_ERR_IDENTIFIER,
            _ => mtr_result::MTR_ERR_VALUE,
        })?;
        let Value::Number(found) = value else {
            return Err(mtr_result::MTR_ERR_VALUE);
        };
        let out = mtr_number {
            mantissa: found.mantissa,
            decimals: found.decimals,
        };
        // SAFETY: forwarded contract of this function.
        unsafe { put(number, out) }
    };
    code(run())
}
