//! Addresses, frames and the stream decoder.

use core::ffi::{c_char, c_void};

use ::dlt645::{Address, ControlCode, Decoder, Frame, Refusals};

use crate::border::{Plain, call};
use crate::result::mtr_result;
use crate::text;

/// Bytes of storage of an mtr_dlt645_decoder.
pub const MTR_DLT645_DECODER_SIZE: usize = 288;

/// Most data bytes of a frame.
pub const MTR_DLT645_DATA_MAX: usize = 200;
const _: () = assert!(MTR_DLT645_DATA_MAX == ::dlt645::DATA_MAX);

/// A stream decoder: any split of the bytes, noise and preambles skipped. Opaque.
pub struct mtr_dlt645_decoder {
    _opaque: [u8; 0],
}

/// The address of a meter: 12 digits, packed. AA...AA is the wildcard, 99...99 the broadcast.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_address {
    /// Packed digits, most significant first, as printed on the meter.
    pub digits: [u8; 6],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_dlt645_address {}

impl From<mtr_dlt645_address> for Address {
    fn from(given: mtr_dlt645_address) -> Self {
        Address::from_big_endian(given.digits)
    }
}

impl From<Address> for mtr_dlt645_address {
    fn from(own: Address) -> Self {
        mtr_dlt645_address {
            digits: own.big_endian(),
        }
    }
}

/// One frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_frame {
    /// The meter.
    pub address: mtr_dlt645_address,
    /// The control code: bit 7 from the meter, bit 6 refusal, bit 5 more follows, bits 4 to 0 function.
    pub control: u8,
    /// Number of data bytes, 0 to MTR_DLT645_DATA_MAX.
    pub length: u8,
    /// The data without the 33H of the line, in line order.
    pub data: [u8; MTR_DLT645_DATA_MAX],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_dlt645_frame {}

impl mtr_dlt645_frame {
    fn new(found: &Frame<'_>) -> Self {
        let mut out = mtr_dlt645_frame {
            address: found.address.into(),
            control: found.control.0,
            length: 0,
            data: [0; MTR_DLT645_DATA_MAX],
        };
        for (place, byte) in out.data.iter_mut().zip(found.data) {
            *place = *byte;
            out.length += 1;
        }
        out
    }
}

/// What a decoder refused since it was made.
#[repr(C)]
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

impl From<Refusals> for mtr_dlt645_refusals {
    fn from(own: Refusals) -> Self {
        mtr_dlt645_refusals {
            noise: own.noise,
            start: own.start,
            length: own.length,
            checksum: own.checksum,
            end: own.end,
            truncated: own.truncated,
        }
    }
}

/// Reads an address of up to 12 digits, as printed on the meter; `A` in the leading places is a wildcard digit.
/// MTR_ERR_VALUE when `text` is no address.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_address_from_digits(
    text: *const c_char,
    len: usize,
    address: *mut mtr_dlt645_address,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (text, address) =
            unsafe { (text::given(&mut border, text, len), border.place(address)?) };
        let found = Address::from_digits(text?).map_err(|_| mtr_result::MTR_ERR_VALUE)?;
        address.write(found.into());
        Ok(())
    })
}

/// Makes a decoder in `storage` of `size` bytes (at least MTR_DLT645_DECODER_SIZE, aligned to
/// MTR_ALIGN) and puts its handle into `decoder`. Nothing is to be freed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_decoder_init(
    storage: *mut c_void,
    size: usize,
    decoder: *mut *mut mtr_dlt645_decoder,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.storage(storage, size, decoder) }?.fill(Decoder::new());
        Ok(())
    })
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
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (decoder, bytes, used, frame) = unsafe {
            (
                border.object_mut(decoder)?,
                border.slice(bytes, len)?,
                border.place(used)?,
                border.place(frame)?,
            )
        };
        let fed = decoder.feed(bytes);
        used.write(fed.used);
        let found = fed.frame.ok_or(mtr_result::MTR_MORE)?;
        frame.write(mtr_dlt645_frame::new(&found));
        Ok(())
    })
}

/// The line has been silent for too long inside a frame: what was begun is given up, and looked through for a frame
/// that hides in it. MTR_OK: one is in `frame`, call again. MTR_MORE: none is left.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_decoder_handle_gap(
    decoder: *mut mtr_dlt645_decoder,
    frame: *mut mtr_dlt645_frame,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (decoder, frame) = unsafe { (border.object_mut(decoder)?, border.place(frame)?) };
        let found = decoder.handle_gap().ok_or(mtr_result::MTR_MORE)?;
        frame.write(mtr_dlt645_frame::new(&found));
        Ok(())
    })
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
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (decoder, refusals) = unsafe { (border.object(decoder)?, border.place(refusals)?) };
        refusals.write(decoder.refusals().into());
        Ok(())
    })
}

/// Writes a frame to `out` of `capacity` bytes, without a preamble, and its length (12 and the data)
/// into `len`. MTR_ERR_LENGTH when it does not fit, or when `length` of the frame is too large.
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
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (frame, out, len) = unsafe {
            (
                border.given(frame)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let data = frame
            .data
            .get(..usize::from(frame.length))
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        let frame = Frame {
            address: frame.address.into(),
            control: ControlCode(frame.control),
            data,
        };
        len.write(frame.encode(out).map_err(|_| mtr_result::MTR_ERR_LENGTH)?);
        Ok(())
    })
}
