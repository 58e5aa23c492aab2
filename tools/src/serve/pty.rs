//! A pseudo-terminal that stands for a serial line.

use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::Context as _;
use embedded_io_adapters::tokio_1::FromTokio;
use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_serial::{SerialPort, SerialStream};

use crate::port::Port;

/// The meter's side; the other is held open so that the line survives a program that opens and closes it.
struct Terminal {
    side: SerialStream,
    _other: OwnedFd,
}

/// Opens a pseudo-terminal in raw mode; gives the path that a serial program opens.
pub(super) fn open() -> anyhow::Result<(String, Port)> {
    let (side, mut other) = SerialStream::pair()?;
    other.set_exclusive(false)?;
    let path = other.name().context("the pseudo-terminal has no path")?;
    // A serial port that is held open locks others out; a plain descriptor does not.
    let plain = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
    let terminal = Terminal {
        side,
        _other: plain,
    };
    Ok((path, FromTokio::new(Box::new(terminal))))
}

impl AsyncRead for Terminal {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.side).poll_read(context, buffer)
    }
}

impl AsyncWrite for Terminal {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.side).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.side).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.side).poll_shutdown(context)
    }
}
