//! Where a meter is: a TCP address or a serial device; and time for the shells.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context;
use dlt645::Timing;
use embedded_hal_async::delay::DelayNs;
use embedded_io_adapters::tokio_1::FromTokio;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_serial::{DataBits, FlowControl, Parity, SerialPortBuilderExt, SerialStream, StopBits};

/// Anything that carries bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A port as the shells take it.
pub type Port = FromTokio<Box<dyn Stream>>;

/// Where the meter is and how long it may take.
#[derive(Debug, Clone, clap::Args)]
pub struct Line {
    /// `host:port`, or the path of a serial device.
    target: String,
    /// Bits per second of a serial device; always 8 data bits, even parity, 1 stop bit.
    #[arg(long, default_value_t = 2400)]
    baud: u32,
    /// Milliseconds to wait for an answer; 1000 on a serial line and 3000 on TCP by default.
    #[arg(long, value_name = "MS")]
    wait: Option<u32>,
    /// How often a question is put.
    #[arg(long, default_value_t = 3)]
    tries: u8,
}

impl Line {
    /// Whether the target is a serial line, where characters take their time.
    #[must_use]
    pub fn is_serial(&self) -> bool {
        is_device(&self.target)
    }

    /// The target as given.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Waiting times of the target.
    #[must_use]
    pub fn timing(&self) -> Timing {
        let mut timing = if self.is_serial() {
            Timing::rs485(self.baud)
        } else {
            Timing::tcp()
        };
        if let Some(wait) = self.wait {
            timing.answer_ms = wait;
            timing.gap_ms = timing.gap_ms.min(wait);
        }
        timing.tries = self.tries;
        timing
    }

    /// Opens it.
    ///
    /// # Errors
    /// What the system answers.
    pub async fn open(&self) -> anyhow::Result<Port> {
        if self.is_serial() {
            return Ok(FromTokio::new(Box::new(serial(&self.target, self.baud)?)));
        }
        let limit = Duration::from_secs(5);
        let stream = tokio::time::timeout(limit, TcpStream::connect(&self.target))
            .await
            .with_context(|| format!("{}: no connection within 5 s", self.target))?
            .with_context(|| self.target.clone())?;
        // Requests are short and answered one by one: none may wait for the next.
        stream.set_nodelay(true)?;
        Ok(FromTokio::new(Box::new(stream)))
    }
}

/// Paths and Windows ports are devices, anything else is `host:port`.
fn is_device(target: &str) -> bool {
    target.starts_with('/') || target.starts_with("COM") || target.starts_with('.')
}

/// A serial device with 8E1, no flow control.
///
/// # Errors
/// What the system answers.
pub fn serial(path: &str, baud: u32) -> anyhow::Result<SerialStream> {
    tokio_serial::new(path, baud)
        .data_bits(DataBits::Eight)
        .parity(Parity::Even)
        .stop_bits(StopBits::One)
        .flow_control(FlowControl::None)
        .open_native_async()
        .with_context(|| path.to_owned())
}

/// Milliseconds since the first call.
#[must_use]
pub fn millis() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Waits on the executor's timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sleep;

impl DelayNs for Sleep {
    async fn delay_ns(&mut self, ns: u32) {
        tokio::time::sleep(Duration::from_nanos(u64::from(ns))).await;
    }

    async fn delay_ms(&mut self, ms: u32) {
        tokio::time::sleep(Duration::from_millis(u64::from(ms))).await;
    }
}
