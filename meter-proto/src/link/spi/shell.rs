//! The transfers on real pins: [`SpiMaster`] on a bus of `embedded-hal`, [`SpiSlave`] on a peripheral in slave mode.

use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};
use embedded_hal::spi::SpiBus;

use super::{Endpoint, HEADER, LinkError, LinkMaster, LinkSlave};

/// Between two looks at the ready line, and from the end of a phase to the first look, microseconds.
const LOOK_US: u32 = 10;
/// How long a slave waits for the second phase of a transfer before it arms a header again, milliseconds.
const PHASE_MS: u64 = 20;

/// Why a transfer did not take place. The link repeats by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShellError<B> {
    /// The bus or peripheral.
    Bus(B),
    /// A pin.
    Pin,
    /// The slave was not ready in time: the transfer was given up.
    NotReady,
    /// What came is damaged.
    Link(LinkError),
}

impl<B: fmt::Debug> fmt::Display for ShellError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => write!(f, "the bus failed: {error:?}"),
            Self::Pin => f.write_str("a pin could not be read or set"),
            Self::NotReady => f.write_str("the slave was not ready in time"),
            Self::Link(error) => write!(f, "{error}"),
        }
    }
}

impl<B: fmt::Debug> core::error::Error for ShellError<B> {}

/// Bus, chip select (low while a transfer lasts), and the slave's two lines (high when it is ready, high when it has
/// something to say).
#[derive(Debug)]
pub struct MasterPins<B, S, R, D> {
    /// The bus, owned by this link alone or locked by the caller.
    pub bus: B,
    /// Chip select.
    pub select: S,
    /// READY.
    pub ready: R,
    /// DATA.
    pub data: D,
}

/// The master's side of the link on real pins.
#[derive(Debug)]
pub struct SpiMaster<'b, B, S, R, D, W, const N: usize> {
    pins: MasterPins<B, S, R, D>,
    delay: W,
    link: LinkMaster<N>,
    phase: &'b mut [u8],
}

impl<'b, B, S, R, D, W, const N: usize> SpiMaster<'b, B, S, R, D, W, N>
where
    B: SpiBus,
    S: OutputPin,
    R: InputPin,
    D: InputPin,
    W: DelayNs,
{
    /// Joins the link to its pins. `phase` holds one phase: [`Endpoint::PHASE`] bytes.
    pub const fn new(
        pins: MasterPins<B, S, R, D>,
        delay: W,
        link: LinkMaster<N>,
        phase: &'b mut [u8],
    ) -> Self {
        Self {
            pins,
            delay,
            link,
            phase,
        }
    }

    /// What both sides share: sending, receiving, events.
    pub const fn endpoint(&mut self) -> &mut Endpoint<N> {
        self.link.endpoint()
    }

    /// When [`SpiMaster::poll`] wants to be called again, if the data line does not rise before.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        self.link.poll_timeout()
    }

    /// Does one transfer if it is time for one; `false` when it is not. Waits for the slave at most twice the
    /// [`ready_ms`](super::Timing::ready_ms) of the link.
    ///
    /// # Errors
    /// [`ShellError`]; the transfer ended and chip select is high again.
    pub fn poll(&mut self, now: u64) -> Result<bool, ShellError<B::Error>> {
        let data = self.pins.data.is_high().map_err(|_| ShellError::Pin)?;
        let Some(header) = self.link.poll_transfer(now, data) else {
            return Ok(false);
        };
        self.pins.select.set_low().map_err(|_| ShellError::Pin)?;
        let result = self.transfer(header);
        let flushed = self.pins.bus.flush().map_err(ShellError::Bus);
        self.pins.select.set_high().map_err(|_| ShellError::Pin)?;
        result.and(flushed).map(|()| true)
    }

    fn transfer(&mut self, mut header: [u8; HEADER]) -> Result<(), ShellError<B::Error>> {
        self.wait_ready()?;
        let bus = &mut self.pins.bus;
        bus.transfer_in_place(&mut header)
            .map_err(ShellError::Bus)?;
        let phase = self
            .link
            .handle_header(&header, self.phase)
            .map_err(ShellError::Link)?;
        if phase == 0 {
            return Ok(());
        }
        // The line still says that the header was laid out.
        self.delay.delay_us(LOOK_US);
        self.wait_ready()?;
        let bytes = self.phase.get_mut(..phase).unwrap_or_default();
        let bus = &mut self.pins.bus;
        bus.transfer_in_place(bytes).map_err(ShellError::Bus)?;
        self.link.handle_body(bytes).map_err(ShellError::Link)?;
        Ok(())
    }

    fn wait_ready(&mut self) -> Result<(), ShellError<B::Error>> {
        let looks = self.link.timing().ready_ms.saturating_mul(1_000) / u64::from(LOOK_US);
        for _ in 0..=looks {
            if self.pins.ready.is_high().map_err(|_| ShellError::Pin)? {
                return Ok(());
            }
            self.delay.delay_us(LOOK_US);
        }
        Err(ShellError::NotReady)
    }
}

/// A peripheral in slave mode, for which `embedded-hal` has no trait: two operations that return at once, usually two
/// channels of direct memory access. It drives READY: the line must fall within 10 µs of the end of an exchange, sooner
/// than a program comes to look, so it belongs to the peripheral or to its interrupt.
pub trait SlaveBus {
    /// What can go wrong.
    type Error;

    /// Lays out `bytes` for sending and makes room to receive as many, then raises READY. What was armed before and not
    /// exchanged is dropped, with READY low meanwhile.
    ///
    /// # Errors
    /// The peripheral's.
    fn arm(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// `None` while the exchange goes on or has not begun; then how many bytes were exchanged, copied to `into`: all
    /// that were armed, or fewer when chip select rose before.
    ///
    /// # Errors
    /// The peripheral's.
    fn poll(&mut self, into: &mut [u8]) -> Result<Option<usize>, Self::Error>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Header([u8; HEADER]),
    /// The second phase: its length, and when it is given up.
    Body(usize, u64),
}

/// The slave's side of the link: never waits, so that metering goes on whatever the master does.
#[derive(Debug)]
pub struct SpiSlave<'b, B, D, const N: usize> {
    bus: B,
    data: D,
    link: LinkSlave<N>,
    stage: Stage,
    phase: &'b mut [u8],
}

impl<'b, B: SlaveBus, D: OutputPin, const N: usize> SpiSlave<'b, B, D, N> {
    /// Joins the link to its peripheral and its DATA line. `phase` holds one phase: [`Endpoint::PHASE`] bytes.
    pub const fn new(bus: B, data: D, link: LinkSlave<N>, phase: &'b mut [u8]) -> Self {
        Self {
            bus,
            data,
            link,
            stage: Stage::Idle,
            phase,
        }
    }

    /// What both sides share: sending, receiving, events.
    pub const fn endpoint(&mut self) -> &mut Endpoint<N> {
        self.link.endpoint()
    }

    /// Goes on with the transfer as far as it can now. Call it when the peripheral says that an exchange ended, when a
    /// body was given to the endpoint, and every few milliseconds.
    ///
    /// # Errors
    /// [`ShellError`]; the next header is armed by the next call.
    pub fn poll(&mut self, now: u64) -> Result<(), ShellError<B::Error>> {
        let result = self.step(now);
        if result.is_err() {
            self.stage = Stage::Idle;
        }
        if self.stage == Stage::Idle {
            self.arm_header()?;
        }
        let level = self.link.data_line().into();
        self.data.set_state(level).map_err(|_| ShellError::Pin)?;
        result
    }

    fn arm_header(&mut self) -> Result<(), ShellError<B::Error>> {
        let header = self.link.endpoint().draft();
        self.bus.arm(&header).map_err(ShellError::Bus)?;
        self.stage = Stage::Header(header);
        Ok(())
    }

    fn step(&mut self, now: u64) -> Result<(), ShellError<B::Error>> {
        match self.stage {
            Stage::Idle => Ok(()),
            Stage::Header(armed) => {
                let mut theirs = [0; HEADER];
                let Some(count) = self.bus.poll(&mut theirs).map_err(ShellError::Bus)? else {
                    if self.link.endpoint().draft() != armed {
                        // What there is to say has changed since: lay out the new header.
                        self.stage = Stage::Idle;
                    }
                    return Ok(());
                };
                self.stage = Stage::Idle;
                if count != HEADER {
                    return Err(ShellError::Link(LinkError::BadHeader));
                }
                if self.link.begin() != armed {
                    // A body was given while the header went out: the master repeats its own.
                    return Ok(());
                }
                let phase = self
                    .link
                    .handle_header(&theirs, self.phase)
                    .map_err(ShellError::Link)?;
                if phase > 0 {
                    let bytes = self.phase.get(..phase).unwrap_or_default();
                    self.bus.arm(bytes).map_err(ShellError::Bus)?;
                    self.stage = Stage::Body(phase, now.saturating_add(PHASE_MS));
                }
                Ok(())
            }
            Stage::Body(phase, until) => {
                let bytes = self.phase.get_mut(..phase).unwrap_or_default();
                let count = match self.bus.poll(bytes).map_err(ShellError::Bus)? {
                    Some(count) => count,
                    None if now >= until => 0,
                    None => return Ok(()),
                };
                self.stage = Stage::Idle;
                let came = self.phase.get(..count).unwrap_or_default();
                self.link.handle_body(came).map_err(ShellError::Link)?;
                Ok(())
            }
        }
    }
}
