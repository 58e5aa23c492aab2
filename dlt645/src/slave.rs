//! The meter's side: hears frames, asks the application, answers.

use serial_line::{Exchange, Timing};

use crate::address::Address;
use crate::control::Function;
use crate::data_id::{DataId, DataId1997};
use crate::decoder::{Decoder, Refusals};
use crate::element::MeterElement;
use crate::error::{Err645, SecurityErr};
use crate::frame::FRAME_MAX;
use crate::guard::{Guard, level_of};
use crate::message::{Authority, Control, Message, Operator, Password};
use crate::time::Stamp;

mod answer;

use answer::{Pending, Side};

const PREAMBLE_MAX: usize = 4;

/// What the meter behind a [`Slave`] does. Only [`Application::address`] and [`Application::read`] are required; the
/// rest refuses by default.
pub trait Application {
    /// The meter's own full address.
    fn address(&self) -> Address;

    /// Writes the value of `id` to the front of `out`, as it goes on the line (low byte first, offset not added), and
    /// returns its length; `rest` is what the request adds for class 06 and screens, usually empty.
    ///
    /// Answers longer than 196 bytes are sent in parts; `out` is the buffer given to [`Slave::new`].
    ///
    /// # Errors
    /// The bits of ERR; [`Err645::NO_DATA`] for an identifier the meter does not have.
    fn read(&mut self, id: DataId, rest: &[u8], out: &mut [u8]) -> Result<usize, Err645>;

    /// Sets `id` to `data`. Checking the password is the application's, unless the slave has a [`Guard`] or the request
    /// came under level 98 or 99 and the application has an [`Application::element`].
    ///
    /// # Errors
    /// The bits of ERR.
    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        let _ = (id, authority, data);
        Err(Err645::NOT_AUTHORISED)
    }

    /// Carries out an order of function 1C. Checking its password is the application's as for [`Application::write`],
    /// and its expiry unless there is an [`Application::clock`].
    ///
    /// # Errors
    /// The bits of ERR; [`Err645::NOT_AUTHORISED`] for expired, keep power and wrong level.
    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        let _ = (authority, control);
        Err(Err645::NOT_AUTHORISED)
    }

    /// Function 03: takes `data`, writes the answer behind the identifier to the front of `out` (at most 196 bytes)
    /// and returns its length.
    ///
    /// # Errors
    /// The bits of SERR.
    fn security(
        &mut self,
        id: DataId,
        operator: Operator,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        let _ = (id, operator, data, out);
        Err(SecurityErr::OTHER)
    }

    /// Function 08: somebody tells the time. Never answered; the window of the standard (at most 5 minutes off, once
    /// a day, not near midnight) is the application's.
    fn set_time(&mut self, stamp: Stamp) {
        let _ = stamp;
    }

    /// Function 15: takes a new address and says whether it did (only with the programming button held).
    fn write_address(&mut self, address: Address) -> bool {
        let _ = address;
        false
    }

    /// Every other function (16 to 1B, 1D and protected blocks; 0C, 0F and 10 of 1997): writes the data of the answer to
    /// the front of `out` and returns their length. `None`: the meter does not know the function and stays silent.
    ///
    /// The data of an answer to 17 and 0C are the rate byte, to 18 and 0F the new password as sent, to 1D the output; all
    /// others have none.
    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        let _ = (message, out);
        None
    }

    /// The level a write of `id` needs; asked only of a slave with a [`Guard`].
    fn level(&self, id: DataId) -> u8 {
        level_of(id)
    }

    /// The meter's clock. With it the slave itself refuses orders that have expired.
    fn clock(&self) -> Option<Stamp> {
        None
    }

    /// The secure element. With it the slave opens what comes under levels 98 and 99, and the application gets the plain
    /// request; the level of its authority tells how it came.
    fn element(&mut self) -> Option<&mut dyn MeterElement> {
        None
    }

    /// 1997, 01: as [`Application::read`], for a slave that answers the older edition too.
    ///
    /// # Errors
    /// The bits of ERR of 1997; [`Err645::UNKNOWN_ID_1997`] for an identifier the meter does not have.
    fn read_1997(&mut self, id: DataId1997, out: &mut [u8]) -> Result<usize, Err645> {
        let _ = (id, out);
        Err(Err645::UNKNOWN_ID_1997)
    }

    /// 1997, 04: as [`Application::write`].
    ///
    /// # Errors
    /// The bits of ERR of 1997.
    fn write_1997(
        &mut self,
        id: DataId1997,
        password: Password,
        data: &[u8],
    ) -> Result<(), Err645> {
        let _ = (id, password, data);
        Err(Err645::PASSWORD_1997)
    }
}

/// What a slave did with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlaveEvent {
    /// A request was answered with data or "done".
    Answered(Function),
    /// A request was answered with a refusal.
    Refused(Function),
    /// A broadcast or a time was taken without an answer.
    Heard(Function),
    /// A frame for this meter said nothing the edition knows; no answer.
    NotUnderstood(Function),
    /// The meter agreed to another rate: send the answer at the old one, then switch the port to this, in bit/s, and tell
    /// the slave by [`Slave::set_timing`].
    SwitchRate(u32),
}

/// A meter on a half-duplex line, as a plain struct.
///
/// The loop: hand in bytes with [`Slave::handle_bytes`] until it has taken all; send what [`Slave::poll_transmit`]
/// gives; when [`Slave::poll_timeout`] passes, call [`Slave::handle_timeout`] and look at `poll_transmit` again. The
/// answer waits for the turnaround time of [`Timing`] (20 ms on a serial line).
#[derive(Debug)]
pub struct Slave<'b> {
    decoder: Decoder,
    buffer: &'b mut [u8],
    pending: Option<Pending>,
    transmit: [u8; FRAME_MAX + PREAMBLE_MAX],
    /// Length of the answer and when it may go.
    answer: Option<(usize, u64)>,
    /// The answer may go now.
    due: bool,
    gap: Exchange,
    timing: Timing,
    preamble: usize,
    event: Option<SlaveEvent>,
    guard: Option<Guard>,
    answers_1997: bool,
    half_bytes: bool,
}

impl<'b> Slave<'b> {
    /// A meter whose longest answer fits into `buffer`: 196 bytes for answers of one frame, 1,026 for the longest
    /// record of the standard.
    #[must_use]
    pub fn new(buffer: &'b mut [u8], timing: Timing) -> Self {
        Slave {
            decoder: Decoder::new(),
            buffer,
            pending: None,
            transmit: [0; FRAME_MAX + PREAMBLE_MAX],
            answer: None,
            due: false,
            gap: Exchange::new(),
            timing,
            preamble: 0,
            event: None,
            guard: None,
            answers_1997: false,
            half_bytes: false,
        }
    }

    /// Whether AA in single nibbles of a request counts as a wildcard too. Off by default, as in the standard.
    pub fn accept_half_byte_wildcards(&mut self, accept: bool) {
        self.half_bytes = accept;
    }

    /// From now on requests that change something are checked by `guard` before the application hears of them.
    pub fn set_guard(&mut self, guard: Guard) {
        self.guard = Some(guard);
    }

    /// The guard, for its button, its lock and its programming records.
    pub fn guard(&mut self) -> Option<&mut Guard> {
        self.guard.as_mut()
    }

    /// Whether the meter also answers the 1997 edition: functions 01, 02, 04, 0A, 0C, 0F, 10, and 03 without data. Off by
    /// default.
    pub fn answer_1997(&mut self, answer: bool) {
        self.answers_1997 = answer;
    }

    /// Other waiting times from now on, as after a change of the rate.
    pub fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// How many FE go in front of an answer, at most 4; none by default.
    pub fn set_preamble(&mut self, count: usize) {
        self.preamble = count.min(PREAMBLE_MAX);
    }

    /// Frames and bytes refused so far.
    #[must_use]
    pub const fn refusals(&self) -> Refusals {
        self.decoder.refusals()
    }

    /// Takes bytes from the line and returns how many: it stops behind a request that has an answer, so that no
    /// answer is lost. Send that, then hand in the rest.
    #[must_use = "bytes that were not taken are to be handed in again"]
    pub fn handle_bytes(
        &mut self,
        now: u64,
        bytes: &[u8],
        application: &mut impl Application,
    ) -> usize {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..)
            && !rest.is_empty()
            && self.answer.is_none()
        {
            let fed = self.decoder.feed(rest);
            used += fed.used;
            let Some(frame) = fed.frame else { continue };
            let mut side = Side {
                now,
                buffer: &mut *self.buffer,
                pending: &mut self.pending,
                guard: self.guard.as_mut(),
                answers_1997: self.answers_1997,
                half_bytes: self.half_bytes,
            };
            let (len, event) = side.respond(&frame, application, &mut self.transmit, self.preamble);
            self.settle(now, len, event);
        }
        self.watch_gap(now);
        used
    }

    /// To be called when [`Slave::poll_timeout`] has passed.
    pub fn handle_timeout(&mut self, now: u64, application: &mut impl Application) {
        if let Some((_, at)) = self.answer {
            self.due |= now >= at;
        }
        if self.gap.expired(now).is_none() {
            return;
        }
        while self.answer.is_none()
            && let Some(frame) = self.decoder.handle_gap()
        {
            let mut side = Side {
                now,
                buffer: &mut *self.buffer,
                pending: &mut self.pending,
                guard: self.guard.as_mut(),
                answers_1997: self.answers_1997,
                half_bytes: self.half_bytes,
            };
            let (len, event) = side.respond(&frame, application, &mut self.transmit, self.preamble);
            self.settle(now, len, event);
        }
    }

    /// The bytes of an answer that may go now, once.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        if !self.due {
            return None;
        }
        self.due = false;
        let (len, _) = self.answer.take()?;
        self.transmit.get(..len)
    }

    /// What happened to the last frame for this meter, once.
    pub fn poll_event(&mut self) -> Option<SlaveEvent> {
        self.event.take()
    }

    /// When to call [`Slave::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let answer = self.answer.filter(|_| !self.due).map(|(_, at)| at);
        match (answer, self.gap.poll_timeout()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn settle(&mut self, now: u64, len: Option<usize>, event: Option<SlaveEvent>) {
        if let Some(len) = len {
            let at = now.saturating_add(u64::from(self.timing.turnaround_ms));
            self.answer = Some((len, at));
            self.due = self.timing.turnaround_ms == 0;
        }
        if event.is_some() {
            self.event = event;
        }
    }

    fn watch_gap(&mut self, now: u64) {
        if self.decoder.is_receiving() {
            self.gap.bytes_seen(now, &self.timing);
        } else {
            self.gap.stop();
        }
    }
}
