//! Asynchronous shell over `embedded-io-async`: joins [`Master`] and [`Slave`] to a port, a clock and a delay.
//!
//! Tokio comes through `embedded-io-adapters`; an executor on a microcontroller brings its own ports and delays. The
//! clock closure gives milliseconds of any monotonic clock.
//!
//! ```
//! use cjt188::{Address, IdOrder, Master, MeterType, Timing, asynch::Client};
//! # use embedded_io_async::{Read, Write};
//! # async fn example<P: Read + Write>(port: P, millis: fn() -> u64, delay: impl embedded_hal_async::delay::DelayNs)
//! # -> Result<(), cjt188::ShellError<P::Error>> {
//! let mut client = Client::new(port, delay, millis, Master::new(Timing::tcp(), IdOrder::LowFirst));
//! let event = client.read_present(MeterType::COLD_WATER, Address::WILDCARD).await?;
//! if let Some(Ok(reading)) = event.reading() {
//!     let status = reading.status();
//! }
//! # Ok(()) }
//! ```
//!
//! # Cancellation
//! All progress is kept in the structs. A future dropped while it waits loses nothing: [`Client::finish`] goes on with
//! the open question and [`Server::next`] with the frame that has begun, as long as dropping a read of the port loses
//! no bytes (true for tokio's sockets and for buffered serial ports; the port says). Waiting itself drops such reads
//! when a deadline passes. A future dropped while it sends leaves half a frame on the line: the question is then put
//! again when its time is over, and an answer is lost as on a bad line. While a question is open, another is refused
//! with [`AskError::Busy`].

use embassy_futures::poll_once;
use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use embedded_io_async::{Read, Write};

use crate::address::Address;
use crate::control::Function;
use crate::data_id::DataId;
use crate::event::{AskError, Event};
use crate::master::Master;
use crate::message::ValveOrder;
use crate::meter_type::MeterType;
use crate::shell::ShellError;
use crate::slave::{Application, Slave, SlaveEvent};

/// Bytes taken from the port at a time; a port with a smaller buffer gives fewer.
const CHUNK: usize = 64;

/// A [`Master`] on a port. Questions without a method of their own go through [`Client::perform`].
#[derive(Debug)]
pub struct Client<P, D, C> {
    port: P,
    delay: D,
    clock: C,
    master: Master,
}

impl<P, D, C> Client<P, D, C>
where
    P: Read + Write,
    D: DelayNs,
    C: FnMut() -> u64,
{
    /// Joins `master` to `port`; `clock` gives milliseconds of any monotonic clock and `delay` waits on it.
    pub const fn new(port: P, delay: D, clock: C, master: Master) -> Self {
        Client {
            port,
            delay,
            clock,
            master,
        }
    }

    /// The master: its options and counts.
    pub const fn master(&mut self) -> &mut Master {
        &mut self.master
    }

    /// The port.
    pub const fn port(&mut self) -> &mut P {
        &mut self.port
    }

    /// See [`Master::read_present`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub async fn read_present(
        &mut self,
        meter_type: MeterType,
        address: Address,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.read_present(now, meter_type, address))
            .await
    }

    /// See [`Master::read`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub async fn read(
        &mut self,
        meter_type: MeterType,
        address: Address,
        id: DataId,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.read(now, meter_type, address, id))
            .await
    }

    /// See [`Master::read_address`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub async fn read_address(
        &mut self,
        meter_type: MeterType,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.read_address(now, meter_type))
            .await
    }

    /// See [`Master::valve`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub async fn valve(
        &mut self,
        meter_type: MeterType,
        address: Address,
        order: ValveOrder,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.valve(now, meter_type, address, order))
            .await
    }

    /// Puts any question; `None` when it went to all meters. See [`Master::ask`].
    ///
    /// # Errors
    /// Each [`ShellError`] but [`ShellError::NoAnswer`].
    pub async fn ask(
        &mut self,
        meter_type: MeterType,
        address: Address,
        function: Function,
        id: DataId,
        data: &[u8],
    ) -> Result<Option<Event<'_>>, ShellError<P::Error>> {
        self.perform(|master, now| master.ask(now, meter_type, address, function, id, data))
            .await
    }

    /// Puts the question that `put` gives to the master at the time it is told, and runs it to its end. Bytes that
    /// came before it answer nothing and are dropped.
    ///
    /// # Errors
    /// Each [`ShellError`] but [`ShellError::NoAnswer`].
    pub async fn perform(
        &mut self,
        put: impl FnOnce(&mut Master, u64) -> Result<(), AskError>,
    ) -> Result<Option<Event<'_>>, ShellError<P::Error>> {
        let mut chunk = [0; CHUNK];
        while let core::task::Poll::Ready(read) = poll_once(self.port.read(&mut chunk)) {
            self.hear(read, &chunk)?;
        }
        let now = (self.clock)();
        put(&mut self.master, now)?;
        self.finish().await
    }

    /// Runs the question that is open to its end; `None` when there is none. Goes on after a dropped future and after
    /// an error of the port.
    ///
    /// # Errors
    /// [`ShellError::Port`], [`ShellError::Closed`].
    pub async fn finish(&mut self) -> Result<Option<Event<'_>>, ShellError<P::Error>> {
        loop {
            if let Some(bytes) = self.master.poll_transmit() {
                send(&mut self.port, bytes).await?;
            }
            // Nothing to wait for: the question came to its event.
            let Some(at) = self.master.poll_timeout() else {
                return Ok(self.master.poll_event());
            };
            let wait = milliseconds(at.saturating_sub((self.clock)()));
            let mut chunk = [0; CHUNK];
            match select(self.port.read(&mut chunk), self.delay.delay_ms(wait)).await {
                Either::First(read) => self.hear(read, &chunk)?,
                Either::Second(()) => {
                    let now = (self.clock)();
                    self.master.handle_timeout(now);
                }
            }
        }
    }

    async fn answered(
        &mut self,
        put: impl FnOnce(&mut Master, u64) -> Result<(), AskError>,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.perform(put).await?.ok_or(ShellError::NoAnswer)
    }

    fn hear(
        &mut self,
        read: Result<usize, P::Error>,
        chunk: &[u8],
    ) -> Result<(), ShellError<P::Error>> {
        match read.map_err(ShellError::Port)? {
            0 => Err(ShellError::Closed),
            len => {
                let now = (self.clock)();
                let bytes = chunk.get(..len).unwrap_or_default();
                self.master.handle_bytes(now, bytes);
                Ok(())
            }
        }
    }
}

/// A [`Slave`] on a port.
#[derive(Debug)]
pub struct Server<P, D, C> {
    port: P,
    delay: D,
    clock: C,
    slave: Slave,
    chunk: [u8; CHUNK],
    /// What of the chunk the slave has not taken yet.
    from: usize,
    until: usize,
}

impl<P, D, C> Server<P, D, C>
where
    P: Read + Write,
    D: DelayNs,
    C: FnMut() -> u64,
{
    /// Joins `slave` to `port`; `clock` gives milliseconds of any monotonic clock and `delay` waits on it.
    pub const fn new(port: P, delay: D, clock: C, slave: Slave) -> Self {
        Server {
            port,
            delay,
            clock,
            slave,
            chunk: [0; CHUNK],
            from: 0,
            until: 0,
        }
    }

    /// The slave: its options and counts.
    pub const fn slave(&mut self) -> &mut Slave {
        &mut self.slave
    }

    /// The port.
    pub const fn port(&mut self) -> &mut P {
        &mut self.port
    }

    /// Serves until something happened to a frame for this meter, and says what; the answer to it may still have to
    /// wait for the next call.
    ///
    /// # Errors
    /// [`ShellError::Port`], [`ShellError::Closed`].
    pub async fn next(
        &mut self,
        application: &mut impl Application,
    ) -> Result<SlaveEvent, ShellError<P::Error>> {
        loop {
            if let Some(bytes) = self.slave.poll_transmit() {
                send(&mut self.port, bytes).await?;
            }
            if let Some(event) = self.slave.poll_event() {
                return Ok(event);
            }
            let held = self.chunk.get(self.from..self.until).unwrap_or_default();
            if !held.is_empty() {
                let now = (self.clock)();
                let used = self.slave.handle_bytes(now, held, application);
                self.from += used;
                if used > 0 {
                    continue;
                }
            }
            self.wait(application).await?;
        }
    }

    /// Serves until the port comes to its end.
    ///
    /// # Errors
    /// Those of the port.
    pub async fn run(&mut self, application: &mut impl Application) -> Result<(), P::Error> {
        loop {
            match self.next(application).await {
                Err(ShellError::Port(err)) => return Err(err),
                Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }

    /// Until bytes come or a deadline passes.
    async fn wait(
        &mut self,
        application: &mut impl Application,
    ) -> Result<(), ShellError<P::Error>> {
        let deadline = self.slave.poll_timeout();
        let now = (self.clock)();
        let wait = deadline.map(|at| milliseconds(at.saturating_sub(now)));
        // Bytes that the slave did not take wait for its answer to go out.
        let read = if self.from < self.until {
            self.delay.delay_ms(wait.unwrap_or(1)).await;
            None
        } else {
            (self.from, self.until) = (0, 0);
            match wait {
                None => Some(self.port.read(&mut self.chunk).await),
                Some(wait) => {
                    let read = self.port.read(&mut self.chunk);
                    match select(read, self.delay.delay_ms(wait)).await {
                        Either::First(read) => Some(read),
                        Either::Second(()) => None,
                    }
                }
            }
        };
        match read {
            Some(read) => match read.map_err(ShellError::Port)? {
                0 => return Err(ShellError::Closed),
                len => self.until = len,
            },
            None => {
                let now = (self.clock)();
                self.slave.handle_timeout(now, application);
            }
        }
        Ok(())
    }
}

/// A time to wait; longer ones are waited for in turns.
fn milliseconds(wait: u64) -> u32 {
    // `DelayNs` counts nanoseconds in 32 bits below its loops over milliseconds: an hour at a time is safe anywhere.
    u32::try_from(wait).unwrap_or(u32::MAX).min(3_600_000)
}

/// The whole of `bytes`; `write_all` panics on a port that takes none, and this must not.
async fn send<P: Write>(port: &mut P, bytes: &[u8]) -> Result<(), ShellError<P::Error>> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match port.write(rest).await.map_err(ShellError::Port)? {
            0 => return Err(ShellError::Closed),
            len => rest = rest.get(len..).unwrap_or_default(),
        }
    }
    port.flush().await.map_err(ShellError::Port)
}
