//! Blocking shell over `embedded-io`: joins [`Master`] and [`Slave`] to a port and a clock.
//!
//! Waiting is the caller's: the clock closure gives milliseconds of any monotonic clock and is called over and over
//! while the line is silent, so a program with an operating system sleeps a moment in it and a microcontroller may
//! wait for an interrupt.
//!
//! ```no_run
//! use cjt188::{Address, IdOrder, Master, MeterType, Timing, blocking::Client};
//! # fn example<P: embedded_io::Read + embedded_io::ReadReady + embedded_io::Write>(port: P, millis: fn() -> u64)
//! # -> Result<(), cjt188::ShellError<P::Error>> {
//! let mut client = Client::new(port, millis, Master::new(Timing::rs485(2400), IdOrder::LowFirst));
//! let event = client.read_present(MeterType::COLD_WATER, Address::WILDCARD)?;
//! if let Some(Ok(reading)) = event.reading() {
//!     let status = reading.status();
//! }
//! # Ok(()) }
//! ```

use embedded_io::{Read, ReadReady, Write};

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
pub struct Client<P, C> {
    port: P,
    clock: C,
    master: Master,
}

impl<P, C> Client<P, C>
where
    P: Read + ReadReady + Write,
    C: FnMut() -> u64,
{
    /// Joins `master` to `port`; `clock` gives milliseconds of any monotonic clock.
    pub const fn new(port: P, clock: C, master: Master) -> Self {
        Client {
            port,
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
    pub fn read_present(
        &mut self,
        meter_type: MeterType,
        address: Address,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.read_present(now, meter_type, address))
    }

    /// See [`Master::read`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub fn read(
        &mut self,
        meter_type: MeterType,
        address: Address,
        id: DataId,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.read(now, meter_type, address, id))
    }

    /// See [`Master::read_address`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub fn read_address(
        &mut self,
        meter_type: MeterType,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.read_address(now, meter_type))
    }

    /// See [`Master::valve`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub fn valve(
        &mut self,
        meter_type: MeterType,
        address: Address,
        order: ValveOrder,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.valve(now, meter_type, address, order))
    }

    /// Puts any question; `None` when it went to all meters. See [`Master::ask`].
    ///
    /// # Errors
    /// Each [`ShellError`] but [`ShellError::NoAnswer`].
    pub fn ask(
        &mut self,
        meter_type: MeterType,
        address: Address,
        function: Function,
        id: DataId,
        data: &[u8],
    ) -> Result<Option<Event<'_>>, ShellError<P::Error>> {
        self.perform(|master, now| master.ask(now, meter_type, address, function, id, data))
    }

    /// Puts the question that `put` gives to the master at the time it is told, and runs it to its end. Bytes that
    /// came before it answer nothing and are dropped.
    ///
    /// # Errors
    /// Each [`ShellError`] but [`ShellError::NoAnswer`].
    pub fn perform(
        &mut self,
        put: impl FnOnce(&mut Master, u64) -> Result<(), AskError>,
    ) -> Result<Option<Event<'_>>, ShellError<P::Error>> {
        while self.port.read_ready().map_err(ShellError::Port)? {
            self.take_bytes()?;
        }
        let now = (self.clock)();
        put(&mut self.master, now)?;
        self.finish()
    }

    /// Runs the question that is open to its end; `None` when there is none. Goes on after an error of the port.
    ///
    /// # Errors
    /// [`ShellError::Port`], [`ShellError::Closed`].
    pub fn finish(&mut self) -> Result<Option<Event<'_>>, ShellError<P::Error>> {
        loop {
            if let Some(bytes) = self.master.poll_transmit() {
                send(&mut self.port, bytes)?;
            }
            // Nothing to wait for: the question came to its event.
            let Some(at) = self.master.poll_timeout() else {
                return Ok(self.master.poll_event());
            };
            if self.port.read_ready().map_err(ShellError::Port)? {
                self.take_bytes()?;
                continue;
            }
            let now = (self.clock)();
            if now >= at {
                self.master.handle_timeout(now);
            }
        }
    }

    fn answered(
        &mut self,
        put: impl FnOnce(&mut Master, u64) -> Result<(), AskError>,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.perform(put)?.ok_or(ShellError::NoAnswer)
    }

    fn take_bytes(&mut self) -> Result<(), ShellError<P::Error>> {
        let mut chunk = [0; CHUNK];
        match self.port.read(&mut chunk).map_err(ShellError::Port)? {
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
pub struct Server<P, C> {
    port: P,
    clock: C,
    slave: Slave,
    chunk: [u8; CHUNK],
    /// What of the chunk the slave has not taken yet.
    from: usize,
    until: usize,
}

impl<P, C> Server<P, C>
where
    P: Read + ReadReady + Write,
    C: FnMut() -> u64,
{
    /// Joins `slave` to `port`; `clock` gives milliseconds of any monotonic clock.
    pub const fn new(port: P, clock: C, slave: Slave) -> Self {
        Server {
            port,
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

    /// Does what can be done without waiting, for a main loop that has other work too: takes one chunk of bytes at
    /// most, keeps the deadlines, sends an answer that is due. Gives what happened to a frame for this meter; its
    /// answer may still have to wait for a later step.
    ///
    /// # Errors
    /// [`ShellError::Port`], [`ShellError::Closed`].
    pub fn step(
        &mut self,
        application: &mut impl Application,
    ) -> Result<Option<SlaveEvent>, ShellError<P::Error>> {
        if self.from == self.until && self.port.read_ready().map_err(ShellError::Port)? {
            let len = self.port.read(&mut self.chunk).map_err(ShellError::Port)?;
            if len == 0 {
                return Err(ShellError::Closed);
            }
            (self.from, self.until) = (0, len);
        }
        let now = (self.clock)();
        let bytes = self.chunk.get(self.from..self.until).unwrap_or_default();
        if !bytes.is_empty() {
            self.from += self.slave.handle_bytes(now, bytes, application);
        }
        if self.slave.poll_timeout().is_some_and(|at| at <= now) {
            self.slave.handle_timeout(now, application);
        }
        if let Some(bytes) = self.slave.poll_transmit() {
            send(&mut self.port, bytes)?;
        }
        Ok(self.slave.poll_event())
    }

    /// Serves until the port comes to its end.
    ///
    /// # Errors
    /// Those of the port.
    pub fn run(&mut self, application: &mut impl Application) -> Result<(), P::Error> {
        loop {
            match self.step(application) {
                Err(ShellError::Port(err)) => return Err(err),
                Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }
}

/// The whole of `bytes`; `write_all` panics on a port that takes none, and this must not.
fn send<P: Write>(port: &mut P, bytes: &[u8]) -> Result<(), ShellError<P::Error>> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match port.write(rest).map_err(ShellError::Port)? {
            0 => return Err(ShellError::Closed),
            len => rest = rest.get(len..).unwrap_or_default(),
        }
    }
    port.flush().map_err(ShellError::Port)
}
