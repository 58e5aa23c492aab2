//! Both cores at the two ends of the SPI framing.
//!
//! [`CoreMaster`] asks for the management core, [`CoreSlave`] answers for the metering core. Whatever carries the bytes
//! (SPI, a serial line, memory) exchanges what [`CoreMaster::begin`] gives; [`exchange`] does it in memory.

use meter_proto::link::spi::{CHECK, HEADER, LinkMaster, LinkSlave, Timing};
use meter_proto::outbox::OutboxStore;

use crate::crossing::{Answer, MAX_BODY, Request};
use crate::management::ManagementCore;
use crate::metering::MeteringCore;
use crate::store::Store;

/// Longest phase of a transfer, bytes.
pub const MAX_PHASE: usize = MAX_BODY + CHECK;

/// Time until a question counts as lost, milliseconds.
const ANSWER_MS: u64 = 1_000;

/// The metering core's end.
#[derive(Debug, Default)]
pub struct CoreSlave {
    link: LinkSlave<MAX_BODY>,
}

impl CoreSlave {
    /// An end that has just started.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            link: LinkSlave::new(),
        }
    }

    /// Whether this end has something to say.
    #[must_use]
    pub const fn data_line(&self) -> bool {
        self.link.data_line()
    }

    /// The header for the next transfer.
    pub fn begin(&mut self) -> [u8; HEADER] {
        self.link.begin()
    }

    /// Takes the master's header; length of the second phase, whose bytes are in `out`. 0 ends the transfer, as a
    /// damaged header does.
    pub fn header(&mut self, theirs: &[u8; HEADER], out: &mut [u8; MAX_PHASE]) -> usize {
        self.link.handle_header(theirs, out).unwrap_or(0)
    }

    /// Takes the second phase.
    pub fn body(&mut self, theirs: &[u8]) {
        // A damaged body comes again by itself.
        let _ = self.link.handle_body(theirs);
    }

    /// Lets the core answer a question that came. A question waits in the link until the last answer has gone.
    pub fn serve<const P: usize, S: Store>(&mut self, core: &mut MeteringCore<P, S>) {
        let endpoint = self.link.endpoint();
        while endpoint.poll_event().is_some() {}
        if !endpoint.is_idle() {
            return;
        }
        let Some(question) = endpoint.received() else {
            return;
        };
        let mut answer = [0; MAX_BODY];
        let length = core.handle(question, &mut answer);
        endpoint.release();
        // It is idle and the answer fits: it takes it.
        let _ = endpoint.send(answer.get(..length).unwrap_or_default(), false);
    }
}

/// The management core's end.
#[derive(Debug)]
pub struct CoreMaster {
    link: LinkMaster<MAX_BODY>,
    /// When the question under way was put.
    asked_ms: Option<u64>,
}

impl Default for CoreMaster {
    fn default() -> Self {
        Self::new()
    }
}

impl CoreMaster {
    /// An end that has just started.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            link: LinkMaster::new(Timing {
                ready_ms: 2,
                repeat_ms: 20,
            }),
            asked_ms: None,
        }
    }

    /// Puts a question; `false` while another is under way.
    pub fn ask(&mut self, now_ms: u64, question: &[u8]) -> bool {
        let free = self.asked_ms.is_none() && self.link.endpoint().send(question, false).is_ok();
        if free {
            self.asked_ms = Some(now_ms);
        }
        free
    }

    /// The header of a transfer, when it is time for one.
    pub fn begin(&mut self, now_ms: u64, data_line: bool) -> Option<[u8; HEADER]> {
        self.link.poll_transfer(now_ms, data_line)
    }

    /// As [`CoreSlave::header`].
    pub fn header(&mut self, theirs: &[u8; HEADER], out: &mut [u8; MAX_PHASE]) -> usize {
        self.link.handle_header(theirs, out).unwrap_or(0)
    }

    /// As [`CoreSlave::body`].
    pub fn body(&mut self, theirs: &[u8]) {
        let _ = self.link.handle_body(theirs);
    }

    /// Copies the answer to the question under way; its length.
    pub fn take_answer(&mut self, out: &mut [u8; MAX_BODY]) -> Option<usize> {
        let endpoint = self.link.endpoint();
        while endpoint.poll_event().is_some() {}
        let answer = endpoint.received()?;
        let length = answer.len();
        out.get_mut(..length)?.copy_from_slice(answer);
        endpoint.release();
        self.asked_ms.take().map(|_| length)
    }

    /// Feeds the management core: answers in, questions out.
    pub fn serve<S: Store, O: OutboxStore>(
        &mut self,
        now_ms: u64,
        core: &mut ManagementCore<S, O>,
    ) {
        let mut body = [0; MAX_BODY];
        if let Some(length) = self.take_answer(&mut body) {
            core.handle_answer(now_ms, body.get(..length));
        } else if self
            .asked_ms
            .is_some_and(|at| now_ms.saturating_sub(at) >= ANSWER_MS)
        {
            // The body itself stays under way until the link delivers it; its late answer is then dropped.
            self.asked_ms = None;
            core.handle_answer(now_ms, None);
        }
        if self.asked_ms.is_none()
            && self.link.endpoint().is_idle()
            && let Some(length) = core.poll_question(now_ms, &mut body)
            && !self.ask(now_ms, body.get(..length).unwrap_or_default())
        {
            core.handle_answer(now_ms, None);
        }
    }

    /// Whether a question is under way.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.asked_ms.is_some()
    }
}

/// One transfer in memory. `false` when the master has nothing to do.
pub fn exchange(master: &mut CoreMaster, slave: &mut CoreSlave, now_ms: u64) -> bool {
    let Some(ours) = master.begin(now_ms, slave.data_line()) else {
        return false;
    };
    let theirs = slave.begin();
    let (mut from_master, mut from_slave) = ([0; MAX_PHASE], [0; MAX_PHASE]);
    let a = master.header(&theirs, &mut from_master);
    let b = slave.header(&ours, &mut from_slave);
    let phase = a.max(b);
    if phase > 0 {
        master.body(from_slave.get(..phase).unwrap_or_default());
        slave.body(from_master.get(..phase).unwrap_or_default());
    }
    true
}

/// Asks in memory for the boot of a management core that starts; `None` when the metering core gives none now.
pub fn ask_boot<const P: usize, S: Store>(
    master: &mut CoreMaster,
    slave: &mut CoreSlave,
    core: &mut MeteringCore<P, S>,
    now_ms: u64,
) -> Option<u32> {
    let mut body = [0; MAX_BODY];
    let length = Request::Boot.encode(&mut body)?;
    let mut asked = false;
    for step in 0..100 {
        let now_ms = now_ms.saturating_add(step * 20);
        asked = asked || master.ask(now_ms, body.get(..length).unwrap_or_default());
        exchange(master, slave, now_ms);
        slave.serve(core);
        let mut answer = [0; MAX_BODY];
        if let Some(length) = master.take_answer(&mut answer) {
            return match Answer::parse(answer.get(..length).unwrap_or_default()) {
                Some(Answer::Boot(boot)) => Some(boot),
                _ => None,
            };
        }
    }
    None
}
