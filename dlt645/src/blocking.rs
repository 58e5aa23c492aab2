//! Blocking shell over `embedded-io`: joins [`Master`] and [`Slave`] to a port and a clock.
//!
//! Waiting is the caller's: the clock closure gives milliseconds of any monotonic clock and is called over and over
//! while the line is silent, so a program with an operating system sleeps a moment in it and a microcontroller may
//! wait for an interrupt.
//!
//! ```no_run
//! use dlt645::{Address, DataId, Event, Master, Timing, blocking::Client};
//! # fn example<P: embedded_io::Read + embedded_io::ReadReady + embedded_io::Write>(port: P, millis: fn() -> u64)
//! # -> Result<(), dlt645::ShellError<P::Error>> {
//! let mut buffer = [0; 1026];
//! let mut client = Client::new(port, millis, Master::new(&mut buffer, Timing::rs485(2400)));
//! if let Event::Data { id, data, .. } = client.read(Address::WILDCARD, DataId(0x0001_FF00))? {
//!     let energies = id.values(data);
//! }
//! # Ok(()) }
//! ```

use embedded_io::{Read, ReadReady, Write};

use crate::address::Address;
use crate::data_id::DataId;
use crate::master::{AskError, Event, Master};
use crate::message::{Authority, Control, Message, Operator};
use crate::shell::ShellError;
use crate::slave::{Application, Slave, SlaveEvent};
use crate::time::Stamp;

/// Bytes taken from the port at a time; a port with a smaller buffer gives fewer.
const CHUNK: usize = 64;

/// A [`Master`] on a port. Questions without a method of their own go through [`Client::perform`].
#[derive(Debug)]
pub struct Client<'b, P, C> {
    port: P,
    clock: C,
    master: Master<'b>,
}

impl<'b, P, C> Client<'b, P, C>
where
    P: Read + ReadReady + Write,
    C: FnMut() -> u64,
{
    /// Joins `master` to `port`; `clock` gives milliseconds of any monotonic clock.
    pub const fn new(port: P, clock: C, master: Master<'b>) -> Self {
        Client {
            port,
            clock,
            master,
        }
    }

    /// The master: its options and counts.
    pub const fn master(&mut self) -> &mut Master<'b> {
        &mut self.master
    }

    /// The port, for instance to change its rate after function 17.
    pub const fn port(&mut self) -> &mut P {
        &mut self.port
    }

    /// See [`Master::read`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub fn read(
        &mut self,
        address: Address,
        id: DataId,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.read(now, address, id))
    }

    /// See [`Master::read_address`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub fn read_address(&mut self) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.read_address(now))
    }

    /// See [`Master::write`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub fn write(
        &mut self,
        address: Address,
        id: DataId,
        authority: Authority,
        data: &[u8],
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.write(now, address, id, authority, data))
    }

    /// See [`Master::control`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub fn control(
        &mut self,
        address: Address,
        authority: Authority,
        control: Control,
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.control(now, address, authority, control))
    }

    /// See [`Master::security`].
    ///
    /// # Errors
    /// Each [`ShellError`].
    pub fn security(
        &mut self,
        address: Address,
        id: DataId,
        operator: Operator,
        data: &[u8],
    ) -> Result<Event<'_>, ShellError<P::Error>> {
        self.answered(|master, now| master.security(now, address, id, operator, data))
    }

    /// See [`Master::broadcast_time`].
    ///
    /// # Errors
    /// Each [`ShellError`] but [`ShellError::NoAnswer`].
    pub fn broadcast_time(&mut self, stamp: Stamp) -> Result<(), ShellError<P::Error>> {
        self.perform(|master, now| master.broadcast_time(now, stamp))
            .map(|_| ())
    }

    /// Puts any request; `None` when it went to all meters. See [`Master::ask`].
    ///
    /// # Errors
    /// Each [`ShellError`] but [`ShellError::NoAnswer`].
    pub fn ask(
        &mut self,
        address: Address,
        message: &Message<'_>,
    ) -> Result<Option<Event<'_>>, ShellError<P::Error>> {
        self.perform(|master, now| master.ask(now, address, message))
    }

    /// Puts the question that `put` gives to the master at the time it is told, and runs it to its end. Bytes that
    /// came before it answer nothing and are dropped.
    ///
    /// # Errors
    /// Each [`ShellError`] but [`ShellError::NoAnswer`].
    pub fn perform(
        &mut self,
        put: impl FnOnce(&mut Master<'b>, u64) -> Result<(), AskError>,
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
        put: impl FnOnce(&mut Master<'b>, u64) -> Result<(), AskError>,
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
pub struct Server<'b, P, C> {
    port: P,
    clock: C,
    slave: Slave<'b>,
    chunk: [u8; CHUNK],
    /// What of the chunk the slave has not taken yet.
    from: usize,
    until: usize,
}

impl<'b, P, C> Server<'b, P, C>
where
    P: Read + ReadReady + Write,
    C: FnMut() -> u64,
{
    /// Joins `slave` to `port`; `clock` gives milliseconds of any monotonic clock.
    pub const fn new(port: P, clock: C, slave: Slave<'b>) -> Self {
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
    pub const fn slave(&mut self) -> &mut Slave<'b> {
        &mut self.slave
    }

    /// The port, for instance to change its rate after function 17.
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
