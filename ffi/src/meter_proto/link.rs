//! Bodies over a serial line, once and in order.

use core::ffi::c_void;

use ::meter_proto::link::serial::{Endpoint, OVERHEAD, Timing, frame_len};
use ::meter_proto::link::{Event, SendError};

use crate::border::call;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_link.
pub const MTR_LINK_SIZE: usize = 1648;
/// Longest body of an mtr_link.
pub const MTR_LINK_BODY_MAX: usize = 512;
/// Longest frame of an mtr_link on the line: a buffer for mtr_link_poll_transmit.
pub const MTR_LINK_FRAME_MAX: usize = 524;
const _: () = assert!(MTR_LINK_FRAME_MAX == frame_len(MTR_LINK_BODY_MAX));

/// Event of a link: the body under way was received by the other side.
pub const MTR_LINK_DELIVERED: u8 = 1;
/// Event of a link: it is down; the body stays under way.
pub const MTR_LINK_DOWN: u8 = 2;
/// Event of a link: it is up again.
pub const MTR_LINK_UP: u8 = 3;

/// What stands behind an mtr_link.
pub type Line = Endpoint<MTR_LINK_BODY_MAX, { MTR_LINK_BODY_MAX + OVERHEAD }>;

/// One end of a line on which both sides may speak at once, or of a stream: bodies arrive once and in order, whatever the
/// line damages. Opaque.
///
/// The loop: hand in bytes with mtr_link_handle_bytes, take what came with mtr_link_received and mtr_link_release; send
/// what mtr_link_poll_transmit gives, and ask again when the time of mtr_link_poll_timeout has come. `now` is
/// milliseconds of any clock that never goes back.
pub struct mtr_link {
    _opaque: [u8; 0],
}

/// Makes an end that has just started in `storage` of `size` bytes (at least MTR_LINK_SIZE, aligned to MTR_ALIGN) and puts
/// its handle into `link`. `repeat_ms` is the wait between a body and its repeat: the time of the longest frame each way
/// and of the other side's work; 0 is taken as what MTR_LINK_BODY_MAX bytes need at 9600 bit/s.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_init(
    storage: *mut c_void,
    size: usize,
    repeat_ms: u32,
    link: *mut *mut mtr_link,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let storage = unsafe { border.storage(storage, size, link) }?;
        let timing = match repeat_ms {
            0 => Timing::at(9600, MTR_LINK_BODY_MAX),
            repeat_ms => Timing {
                repeat_ms: repeat_ms.into(),
            },
        };
        storage.fill(Line::new(timing));
        Ok(())
    })
}

/// Takes a body of 1 to MTR_LINK_BODY_MAX bytes for sending; `kind` says what it is, by agreement of both ends. Ends in
/// MTR_LINK_DELIVERED. MTR_ERR_BUSY while one is under way, MTR_ERR_LENGTH for another length.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_send(
    link: *mut mtr_link,
    kind: u8,
    body: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (link, body) = unsafe { (border.object_mut(link)?, border.slice(body, len)?) };
        link.send(kind, body).map_err(|error| match error {
            SendError::Busy => mtr_result::MTR_ERR_BUSY,
            _ => mtr_result::MTR_ERR_LENGTH,
        })
    })
}

/// Takes `len` bytes from the line, all of them.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_handle_bytes(
    link: *mut mtr_link,
    now: u64,
    bytes: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (link, bytes) = unsafe { (border.object_mut(link)?, border.slice(bytes, len)?) };
        link.handle_bytes(now, bytes);
        Ok(())
    })
}

/// Writes the next frame to `out` of `capacity` bytes, MTR_LINK_FRAME_MAX are always enough, and its length into `len`.
/// MTR_MORE: nothing to send now. MTR_ERR_LENGTH: the buffer is too short.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_poll_transmit(
    link: *mut mtr_link,
    now: u64,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (link, out, len) = unsafe {
            (
                border.object_mut(link)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let frame = link
            .poll_transmit(now, out)
            .map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
        len.write(frame.ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// The body that came, until mtr_link_release: its `kind`, and `body` points into the link. Further bodies are not
/// acknowledged meanwhile, so the other side repeats them. MTR_MORE: none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_received(
    link: *const mtr_link,
    kind: *mut u8,
    body: *mut *const u8,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (link, kind, body, len) = unsafe {
            (
                border.object(link)?,
                border.place(kind)?,
                border.place(body)?,
                border.place(len)?,
            )
        };
        let (found, bytes) = link.received().ok_or(mtr_result::MTR_MORE)?;
        kind.write(found);
        body.write(bytes.as_ptr());
        len.write(bytes.len());
        Ok(())
    })
}

/// Makes room for the next body.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_release(link: *mut mtr_link) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.object_mut(link) }?.release();
        Ok(())
    })
}

/// The next thing to tell the application, MTR_LINK_DELIVERED, MTR_LINK_DOWN or MTR_LINK_UP, once. MTR_MORE: nothing.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_poll_event(link: *mut mtr_link, event: *mut u8) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (link, event) = unsafe { (border.object_mut(link)?, border.place(event)?) };
        event.write(match link.poll_event().ok_or(mtr_result::MTR_MORE)? {
            Event::Delivered => MTR_LINK_DELIVERED,
            Event::Down => MTR_LINK_DOWN,
            Event::Up => MTR_LINK_UP,
        });
        Ok(())
    })
}

/// When mtr_link_poll_transmit has something to repeat, milliseconds of the caller's clock. MTR_MORE: nothing is waited
/// for.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_poll_timeout(link: *const mtr_link, at: *mut u64) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (link, at) = unsafe { (border.object(link)?, border.place(at)?) };
        at.write(link.poll_timeout().ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// What a link met so far.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_link_statistics {
    /// Frames whose check or stuffing is wrong.
    pub damaged: u32,
    /// Frames longer than MTR_LINK_FRAME_MAX.
    pub too_long: u32,
    /// Bodies that came again.
    pub repeats: u32,
    /// 1 while the link is known to be up.
    pub up: u8,
}

/// What the link met so far.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_link_look(
    link: *const mtr_link,
    statistics: *mut mtr_link_statistics,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (link, statistics) = unsafe { (border.object(link)?, border.place(statistics)?) };
        let counters = link.counters();
        statistics.write(mtr_link_statistics {
            damaged: counters.damaged,
            too_long: counters.too_long,
            repeats: link.repeats(),
            up: link.is_up().into(),
        });
        Ok(())
    })
}
