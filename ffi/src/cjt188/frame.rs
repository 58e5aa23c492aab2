//! Addresses, frames and the stream decoder.

use core::ffi::{c_char, c_void};

use ::cjt188::{Address, ControlCode, DataId, Decoder, Frame, IdOrder, MeterType, Refusals};

use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;
use crate::text;

/// Bytes of storage of an mtr_cjt188_decoder.
pub const MTR_CJT188_DECODER_SIZE: usize = 208;

/// Most data bytes of a frame.
pub const MTR_CJT188_DATA_MAX: usize = 128;
const _: () = assert!(MTR_CJT188_DATA_MAX == ::cjt188::DATA_MAX);

/// Meter type: cold water. 0x10 to 0x19 are water meters.
pub const MTR_CJT188_COLD_WATER: u8 = 0x10;
/// Meter type: heat. 0x20 to 0x29 are heat and cold meters.
pub const MTR_CJT188_HEAT: u8 = 0x20;
/// Meter type: gas. 0x30 to 0x39 are gas meters.
pub const MTR_CJT188_GAS: u8 = 0x30;
/// Meter type in requests: any.
pub const MTR_CJT188_ANY: u8 = 0xAA;

/// Order of the two bytes of an identifier: low byte first, as the 2018 text has it.
pub const MTR_CJT188_LOW_FIRST: u8 = 0;
/// High byte first, as the 2004 text has it.
pub const MTR_CJT188_HIGH_FIRST: u8 = 1;

/// A stream decoder: any split of the bytes, noise and preambles skipped. Opaque.
pub struct mtr_cjt188_decoder {
    _opaque: [u8; 0],
}

/// The address of a meter: 14 digits, packed. AA...AA is the wildcard, 99...99 the broadcast.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_address {
    /// Packed digits, most significant first, as printed on the meter.
    pub digits: [u8; 7],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_cjt188_address {}

impl From<mtr_cjt188_address> for Address {
    fn from(given: mtr_cjt188_address) -> Self {
        let [a6, a5, a4, a3, a2, a1, a0] = given.digits;
        Address::from_line([a0, a1, a2, a3, a4, a5, a6])
    }
}

impl From<Address> for mtr_cjt188_address {
    fn from(own: Address) -> Self {
        mtr_cjt188_address {
            digits: own.big_endian(),
        }
    }
}

/// One frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_frame {
    /// The meter.
    pub address: mtr_cjt188_address,
    /// The meter type.
    pub meter_type: u8,
    /// The control code: bit 7 from the meter, bit 6 refusal, bits 5 to 0 function.
    pub control: u8,
    /// Number of data bytes, 0 to MTR_CJT188_DATA_MAX.
    pub length: u8,
    /// The data in line order.
    pub data: [u8; MTR_CJT188_DATA_MAX],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_cjt188_frame {}

impl mtr_cjt188_frame {
    fn new(found: &Frame<'_>) -> Self {
        let mut out = mtr_cjt188_frame {
            address: found.address.into(),
            meter_type: found.meter_type.0,
            control: found.control.0,
            length: 0,
            data: [0; MTR_CJT188_DATA_MAX],
        };
        for (place, byte) in out.data.iter_mut().zip(found.data) {
            *place = *byte;
            out.length += 1;
        }
        out
    }

    fn data(&self) -> Checked<&[u8]> {
        self.data
            .get(..usize::from(self.length))
            .ok_or(mtr_result::MTR_ERR_LENGTH)
    }
}

/// What stands in front of the data of most frames.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_head {
    /// The identifier, its known first byte high: 0x901F.
    pub id: u16,
    /// SER, the running number that an answer repeats.
    pub serial: u8,
    /// MTR_CJT188_LOW_FIRST or MTR_CJT188_HIGH_FIRST.
    pub order: u8,
}

/// What a decoder refused since it was made.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_refusals {
    /// Bytes outside frames, preambles not counted.
    pub noise: u32,
    /// Lengths above MTR_CJT188_DATA_MAX.
    pub length: u32,
    /// Frames with a wrong sum.
    pub checksum: u32,
    /// Frames that do not end with 16H.
    pub end: u32,
    /// Frames that broke off.
    pub truncated: u32,
}

impl From<Refusals> for mtr_cjt188_refusals {
    fn from(own: Refusals) -> Self {
        mtr_cjt188_refusals {
            noise: own.noise,
            length: own.length,
            checksum: own.checksum,
            end: own.end,
            truncated: own.truncated,
        }
    }
}

/// The order of a number of the header.
pub(super) fn order_of(given: u8) -> Checked<IdOrder> {
    match given {
        MTR_CJT188_LOW_FIRST => Ok(IdOrder::LowFirst),
        MTR_CJT188_HIGH_FIRST => Ok(IdOrder::HighFirst),
        _ => Err(mtr_result::MTR_ERR_PARAMETER),
    }
}

/// Reads an address of up to 14 digits, as printed on the meter. MTR_ERR_VALUE when `text` is no address.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_address_from_digits(
    text: *const c_char,
    len: usize,
    address: *mut mtr_cjt188_address,
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

/// Makes a decoder in `storage` of `size` bytes (at least MTR_CJT188_DECODER_SIZE, aligned to MTR_ALIGN) and puts its
/// handle into `decoder`. Nothing is to be freed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_decoder_init(
    storage: *mut c_void,
    size: usize,
    decoder: *mut *mut mtr_cjt188_decoder,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.storage(storage, size, decoder) }?.fill(Decoder::new());
        Ok(())
    })
}

/// Feeds `len` bytes from the line. Takes bytes until a frame ends or they run out and puts the number taken into
/// `used`; call again with the rest. MTR_OK: a frame is in `frame`. MTR_MORE: none yet; `used` holds something then too.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_decoder_push(
    decoder: *mut mtr_cjt188_decoder,
    bytes: *const u8,
    len: usize,
    used: *mut usize,
    frame: *mut mtr_cjt188_frame,
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
        frame.write(mtr_cjt188_frame::new(&found));
        Ok(())
    })
}

/// The line has been silent for too long inside a frame: what was begun is given up, and looked through for a frame
/// that hides in it. MTR_OK: one is in `frame`, call again. MTR_MORE: none is left.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_decoder_handle_gap(
    decoder: *mut mtr_cjt188_decoder,
    frame: *mut mtr_cjt188_frame,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (decoder, frame) = unsafe { (border.object_mut(decoder)?, border.place(frame)?) };
        let found = decoder.handle_gap().ok_or(mtr_result::MTR_MORE)?;
        frame.write(mtr_cjt188_frame::new(&found));
        Ok(())
    })
}

/// What the decoder refused since it was made.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_decoder_refusals(
    decoder: *const mtr_cjt188_decoder,
    refusals: *mut mtr_cjt188_refusals,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (decoder, refusals) = unsafe { (border.object(decoder)?, border.place(refusals)?) };
        refusals.write(decoder.refusals().into());
        Ok(())
    })
}

/// Identifier and running number of a frame; what stands behind them begins at its third data byte. `order` decides
/// where the two bytes of the identifier do not tell their order themselves. MTR_ERR_FRAME for frames without: refusals,
/// the vendor's own function, too few data. MTR_ERR_LENGTH when `length` of the frame is too large, MTR_ERR_PARAMETER for
/// another `order` than MTR_CJT188_LOW_FIRST and MTR_CJT188_HIGH_FIRST.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_frame_head(
    frame: *const mtr_cjt188_frame,
    order: u8,
    head: *mut mtr_cjt188_head,
) -> mtr_result {
    use ::cjt188::Message;
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (frame, head) = unsafe { (border.given(frame)?, border.place(head)?) };
        let order = order_of(order)?;
        let data = frame.data()?;
        let frame = Frame {
            meter_type: MeterType(frame.meter_type),
            address: frame.address.into(),
            control: ControlCode(frame.control),
            data,
        };
        let message = frame
            .message(order)
            .map_err(|_| mtr_result::MTR_ERR_FRAME)?;
        let (Message::Request { head: found, .. } | Message::Answer { head: found, .. }) = message
        else {
            return Err(mtr_result::MTR_ERR_FRAME);
        };
        let DataId(id) = found.id;
        head.write(mtr_cjt188_head {
            id,
            serial: found.serial,
            order: match found.order {
                IdOrder::LowFirst => MTR_CJT188_LOW_FIRST,
                IdOrder::HighFirst => MTR_CJT188_HIGH_FIRST,
            },
        });
        Ok(())
    })
}

/// Writes a frame to `out` of `capacity` bytes, without a preamble, and its length (13 and the data) into `len`.
/// MTR_ERR_LENGTH when it does not fit, or when `length` of the frame is too large.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_encode(
    frame: *const mtr_cjt188_frame,
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
        let frame = Frame {
            meter_type: MeterType(frame.meter_type),
            address: frame.address.into(),
            control: ControlCode(frame.control),
            data: frame.data()?,
        };
        len.write(frame.encode(out).map_err(|_| mtr_result::MTR_ERR_LENGTH)?);
        Ok(())
    })
}
