//! The byte line that stands for SPI between the boards.
//!
//! The select line of SPI becomes a byte of its own; the slave answers every transfer with the state of its data line:
//!
//! ```text
//! master  54 header(8)            body          54 …          45
//! slave            header(8)           body  line                (ends)
//! ```

use meter::link::{CoreMaster, CoreSlave, MAX_PHASE};
use meter::metering::MeteringCore;
use meter::store::Store;
use meter_proto::link::spi::HEADER;

use crate::metering::{Bench, Feed};

/// Pieces of the file metered between two transfers.
pub const PIECES: usize = 10;
/// Pause within a transfer after which the slave takes it for broken off, milliseconds.
pub const BROKEN_OFF_MS: u64 = 300;

const TRANSFER: u8 = b'T';
const END: u8 = b'E';

/// A line of bytes, in order.
pub trait Wire {
    /// Sends all bytes, as long as the other side takes them.
    fn send(&mut self, bytes: &[u8]);

    /// Waits until `into` is full; `false` when the patience ended first.
    fn receive(&mut self, into: &mut [u8]) -> bool;

    /// Drops what has come.
    fn drain(&mut self);
}

/// The way from the management core to the other core.
pub trait Line {
    /// One transfer; `false` when `master` has nothing to do.
    fn transfer(&mut self, master: &mut CoreMaster, now_ms: u64) -> bool;
}

/// A [`Line`] to another board.
#[derive(Debug)]
pub struct Remote<W> {
    wire: W,
    data_line: bool,
}

impl<W: Wire> Remote<W> {
    /// The master's end.
    pub const fn new(wire: W) -> Self {
        Self {
            wire,
            data_line: false,
        }
    }

    /// Tells the other board that this one ends.
    pub fn end(mut self) {
        self.wire.send(&[END]);
    }
}

impl<W: Wire> Line for Remote<W> {
    fn transfer(&mut self, master: &mut CoreMaster, now_ms: u64) -> bool {
        let Some(ours) = master.begin(now_ms, self.data_line) else {
            return false;
        };
        // What a transfer that was broken off left.
        self.wire.drain();
        self.wire.send(&[TRANSFER]);
        self.wire.send(&ours);
        let mut theirs = [0; HEADER];
        let mut whole = self.wire.receive(&mut theirs);
        let mut body = [0; MAX_PHASE];
        // Without an answer this is no header, and the link repeats by itself.
        let phase = master.header(&theirs, &mut body);
        if let Some(ours) = body.get(..phase).filter(|ours| !ours.is_empty()) {
            self.wire.send(ours);
            let mut theirs = [0; MAX_PHASE];
            let theirs = theirs.get_mut(..phase).unwrap_or_default();
            whole &= self.wire.receive(theirs);
            master.body(theirs);
        }
        let mut line = [0];
        whole = whole && self.wire.receive(&mut line);
        self.data_line = whole && line != [0];
        whole
    }
}

/// What a byte did to a [`Port`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes are to come.
    More,
    /// A transfer is whole: let the core answer, then send [`Port::line`].
    Transferred,
    /// The other board ended.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waits for the select line.
    Select,
    /// Waits for the rest of the header.
    Header,
    /// Waits for the rest of a body of so many bytes.
    Body(usize),
}

/// The slave's end, byte by byte: it never waits for the other board.
#[derive(Debug)]
pub struct Port {
    slave: CoreSlave,
    state: State,
    bytes: [u8; MAX_PHASE],
    filled: usize,
    /// What goes out against the body that comes.
    ours: [u8; MAX_PHASE],
    heard_ms: u64,
}

impl Default for Port {
    fn default() -> Self {
        Self::new()
    }
}

impl Port {
    /// An end that has just started.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slave: CoreSlave::new(),
            state: State::Select,
            bytes: [0; MAX_PHASE],
            filled: 0,
            ours: [0; MAX_PHASE],
            heard_ms: 0,
        }
    }

    /// Takes a byte and sends what answers it. `now_ms` is any clock that never falls.
    pub fn handle_byte(&mut self, now_ms: u64, byte: u8, wire: &mut impl Wire) -> Step {
        self.heard_ms = now_ms;
        if self.state == State::Select {
            if byte == TRANSFER {
                self.expect(State::Header);
                let ours = self.slave.begin();
                wire.send(&ours);
            }
            return if byte == END { Step::Ended } else { Step::More };
        }
        if let Some(place) = self.bytes.get_mut(self.filled) {
            *place = byte;
        }
        self.filled += 1;
        match self.state {
            State::Header if self.filled == HEADER => {
                let theirs = self.bytes.first_chunk().unwrap_or(&[0; HEADER]);
                let phase = self.slave.header(theirs, &mut self.ours);
                if phase > 0 {
                    self.expect(State::Body(phase));
                    return Step::More;
                }
            }
            State::Body(phase) if self.filled >= phase => {
                wire.send(self.ours.get(..phase).unwrap_or_default());
                self.slave.body(self.bytes.get(..phase).unwrap_or_default());
            }
            _ => return Step::More,
        }
        self.state = State::Select;
        Step::Transferred
    }

    /// Gives up a transfer that was broken off.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.heard_ms) >= BROKEN_OFF_MS {
            self.state = State::Select;
        }
    }

    /// Whether a transfer is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.state != State::Select
    }

    /// Both ends of what the core is asked and answers.
    pub fn slave(&mut self) -> &mut CoreSlave {
        &mut self.slave
    }

    /// The state of the data line, which ends a transfer.
    #[must_use]
    pub fn line(&self) -> [u8; 1] {
        [self.slave.data_line().into()]
    }

    fn expect(&mut self, state: State) {
        self.state = state;
        self.filled = 0;
    }
}

/// Answers for the metering core until the other board ends.
///
/// The core meters on: after each transfer come [`PIECES`] pieces of the file, so the time of the meter runs with the
/// transfers and every run is the same.
pub fn serve<const P: usize, S: Store>(
    core: &mut MeteringCore<P, S>,
    wire: &mut impl Wire,
    feed: &mut Feed,
    bench: &mut impl Bench,
) {
    let mut port = Port::new();
    let mut byte = [0];
    while wire.receive(&mut byte) {
        let [byte] = byte;
        match port.handle_byte(0, byte, wire) {
            Step::More => {}
            Step::Transferred => {
                between(core, port.slave(), feed, bench);
                wire.send(&port.line());
            }
            Step::Ended => return,
        }
    }
}

/// What the metering core does between two transfers.
pub fn between<const P: usize, S: Store>(
    core: &mut MeteringCore<P, S>,
    slave: &mut CoreSlave,
    feed: &mut Feed,
    bench: &mut impl Bench,
) {
    slave.serve(core);
    for _ in 0..PIECES {
        feed.piece(core, bench);
    }
}
