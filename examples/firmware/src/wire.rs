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
pub const PIECES: usize = 5;

const TRANSFER: u8 = b'T';
const END: u8 = b'E';

/// A line that loses nothing and waits.
pub trait Wire {
    /// Sends all bytes.
    fn send(&mut self, bytes: &[u8]);

    /// Waits until `into` is full.
    fn receive(&mut self, into: &mut [u8]);
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
        self.wire.send(&[TRANSFER]);
        self.wire.send(&ours);
        let mut theirs = [0; HEADER];
        self.wire.receive(&mut theirs);
        let mut body = [0; MAX_PHASE];
        let phase = master.header(&theirs, &mut body);
        if let Some(ours) = body.get(..phase).filter(|ours| !ours.is_empty()) {
            self.wire.send(ours);
            let mut theirs = [0; MAX_PHASE];
            let theirs = theirs.get_mut(..phase).unwrap_or_default();
            self.wire.receive(theirs);
            master.body(theirs);
        }
        let mut line = [0];
        self.wire.receive(&mut line);
        self.data_line = line != [0];
        true
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
    let mut slave = CoreSlave::new();
    loop {
        let mut select = [0];
        wire.receive(&mut select);
        if select == [END] {
            return;
        }
        let mut theirs = [0; HEADER];
        wire.receive(&mut theirs);
        let ours = slave.begin();
        wire.send(&ours);
        let mut body = [0; MAX_PHASE];
        let phase = slave.header(&theirs, &mut body);
        if phase > 0 {
            let mut theirs = [0; MAX_PHASE];
            let theirs = theirs.get_mut(..phase).unwrap_or_default();
            wire.receive(theirs);
            wire.send(body.get(..phase).unwrap_or_default());
            slave.body(theirs);
        }
        between(core, &mut slave, feed, bench);
        wire.send(&[slave.data_line().into()]);
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
