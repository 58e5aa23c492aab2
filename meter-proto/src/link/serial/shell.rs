//! An [`Endpoint`] on a serial port of `embedded-io`.

use embedded_io::{Read, ReadReady, Write};

use super::Endpoint;
use crate::error::Error;

/// Bytes taken from the port at a time.
const CHUNK: usize = 64;
/// Chunks taken in one call: a port that never falls silent must not keep the caller.
const CHUNKS: usize = 16;

/// Why the port could not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShellError<E> {
    /// The port.
    Port(E),
    /// The frame does not fit the buffer of the shell.
    Frame(Error),
}

impl<E: core::fmt::Debug> core::fmt::Display for ShellError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Port(error) => write!(f, "the port failed: {error:?}"),
            Self::Frame(error) => write!(f, "the frame cannot be written: {error}"),
        }
    }
}

impl<E: core::fmt::Debug> core::error::Error for ShellError<E> {}

/// Joins an endpoint to a port. Call [`SerialLink::poll`] when bytes came, when a body was given to the endpoint, and
/// when its [`poll_timeout`](Endpoint::poll_timeout) has come; it takes what is there, sends what is due and returns.
#[derive(Debug)]
pub struct SerialLink<'b, P, const N: usize, const M: usize> {
    port: P,
    endpoint: Endpoint<N, M>,
    frame: &'b mut [u8],
}

impl<'b, P: Read + ReadReady + Write, const N: usize, const M: usize> SerialLink<'b, P, N, M> {
    /// `frame` takes one frame to send: [`frame_len`](super::frame_len) of `N` bytes.
    pub const fn new(port: P, endpoint: Endpoint<N, M>, frame: &'b mut [u8]) -> Self {
        Self {
            port,
            endpoint,
            frame,
        }
    }

    /// The endpoint: sending, receiving, events.
    pub const fn endpoint(&mut self) -> &mut Endpoint<N, M> {
        &mut self.endpoint
    }

    /// The port.
    pub const fn port(&mut self) -> &mut P {
        &mut self.port
    }

    /// Takes what came and sends what is due. Stops reading while a received body waits to be released.
    ///
    /// # Errors
    /// [`ShellError`]; the endpoint repeats what was lost.
    pub fn poll(&mut self, now: u64) -> Result<(), ShellError<P::Error>> {
        let mut chunk = [0; CHUNK];
        for _ in 0..CHUNKS {
            if self.endpoint.received().is_some()
                || !self.port.read_ready().map_err(ShellError::Port)?
            {
                break;
            }
            let count = self.port.read(&mut chunk).map_err(ShellError::Port)?;
            let bytes = chunk.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            self.endpoint.handle_bytes(now, bytes);
        }
        let due = self.endpoint.poll_transmit(now, self.frame);
        if let Some(len) = due.map_err(ShellError::Frame)? {
            let frame = self.frame.get(..len).unwrap_or_default();
            self.port.write_all(frame).map_err(ShellError::Port)?;
            self.port.flush().map_err(ShellError::Port)?;
        }
        Ok(())
    }
}
