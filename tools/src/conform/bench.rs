//! Raw exchanges with the meter under test: what goes out is exactly what an item says, right or wrong.

use std::time::Duration;

use dlt645::{Address, Edition, Frame, FrameView, Message, Timing};
use embedded_io_async::{Read, Write};
use tokio::time::{Instant, timeout_at};

use crate::hex_text::show;
use crate::port::Port;

/// Why an item did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The meter did otherwise.
    Failed(String),
    /// The item does not apply.
    Skipped(String),
    /// The port failed.
    Port(String),
}

/// An item's verdict: a remark if it passed.
pub type Verdict = Result<String, Stop>;

/// Fails an item.
pub(super) fn fail<T>(text: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(text.into()))
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    pub bytes: Vec<u8>,
    /// Milliseconds from the end of the request to the first byte.
    pub delay: u64,
    /// Longest pause between two chunks, in milliseconds.
    pub gap: u64,
}

/// A frame of DL/T 645 that owns its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub address: Address,
    pub control: u8,
    pub data: Vec<u8>,
}

/// Times of all answers so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub answers: u32,
    pub shortest: u64,
    pub longest: u64,
    pub gap: u64,
}

/// The meter under test.
pub struct Bench {
    port: Port,
    timing: Timing,
    pub(super) edition: Edition,
    pub(super) address: Address,
    /// T and address of a CJ/T 188 meter.
    pub(super) water: (cjt188::MeterType, cjt188::Address),
    pub(super) times: Times,
    /// A question was not answered in time: its answer may still come.
    owed: bool,
    pub(super) settings: super::Settings,
}

/// Whether the bytes end with a whole frame of either protocol.
fn is_whole(bytes: &[u8]) -> bool {
    FrameView::parse(bytes).is_ok() || cjt188::Frame::parse(bytes).is_ok()
}

impl Bench {
    pub(super) fn new(
        port: Port,
        timing: Timing,
        edition: Edition,
        settings: super::Settings,
    ) -> Self {
        Bench {
            port,
            timing,
            edition,
            address: Address::WILDCARD,
            water: (cjt188::MeterType::ANY, cjt188::Address::WILDCARD),
            times: Times::default(),
            owed: false,
            settings,
        }
    }

    /// Sends `chunks` with pauses of 100 ms between them and listens until a frame is whole or the time is over.
    pub(super) async fn raw(&mut self, chunks: &[&[u8]]) -> Result<Heard, Stop> {
        self.drain().await?;
        let mut pause = false;
        for chunk in chunks {
            if std::mem::replace(&mut pause, true) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let sent = async {
                self.port.write_all(chunk).await?;
                self.port.flush().await
            };
            sent.await.map_err(|err| Stop::Port(err.to_string()))?;
        }
        let len = chunks.last().map_or(0, |chunk| chunk.len());
        self.listen(len).await
    }

    /// `sent`: bytes that may still be on their way out of a port whose flush does not wait for them.
    async fn listen(&mut self, sent: usize) -> Result<Heard, Stop> {
        let mut heard = Heard::default();
        let start = Instant::now();
        let wait = u64::from(self.timing.answer_ms) + self.timing.wire_ms(sent);
        let mut deadline = start + Duration::from_millis(wait);
        let mut last = start;
        let mut chunk = [0; 512];
        while let Ok(read) = timeout_at(deadline, self.port.read(&mut chunk)).await {
            let len = read.map_err(|err| Stop::Port(err.to_string()))?;
            if len == 0 {
                return Err(Stop::Port("the connection was closed".to_owned()));
            }
            let now = Instant::now();
            let since = now.saturating_duration_since(last);
            let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            if heard.bytes.is_empty() {
                heard.delay = since;
            } else {
                heard.gap = heard.gap.max(since);
            }
            heard
                .bytes
                .extend_from_slice(chunk.get(..len).unwrap_or_default());
            if is_whole(&heard.bytes) {
                self.times.note(&heard);
                return Ok(heard);
            }
            last = now;
            deadline = now + Duration::from_millis(u64::from(self.timing.gap_ms));
        }
        Ok(heard)
    }

    /// Bytes of an earlier item answer nothing.
    async fn drain(&mut self) -> Result<(), Stop> {
        let mut chunk = [0; 512];
        let wait = if std::mem::take(&mut self.owed) {
            u64::from(self.timing.answer_ms)
        } else {
            5
        };
        let until = Instant::now() + Duration::from_millis(wait);
        while let Ok(read) = timeout_at(until, self.port.read(&mut chunk)).await {
            if read.map_err(|err| Stop::Port(err.to_string()))? == 0 {
                return Err(Stop::Port("the connection was closed".to_owned()));
            }
        }
        Ok(())
    }

    /// Asks the meter and takes its answer, which must be a frame; three tries, as a reader makes them.
    pub(super) async fn ask(&mut self, message: &Message<'_>) -> Result<Answer, Stop> {
        self.ask_at(self.address, message).await
    }

    /// The same to another form of the address.
    pub(super) async fn ask_at(
        &mut self,
        address: Address,
        message: &Message<'_>,
    ) -> Result<Answer, Stop> {
        let line = line(address, message)?;
        self.answer(&[&line]).await
    }

    /// Sends bytes and takes a frame in answer.
    pub(super) async fn answer(&mut self, chunks: &[&[u8]]) -> Result<Answer, Stop> {
        let mut last = Heard::default();
        for _ in 0..3 {
            last = self.raw(chunks).await?;
            if let Ok(answer) = parse(&last.bytes) {
                return Ok(answer);
            }
            self.owed = true;
        }
        if last.bytes.is_empty() {
            return fail("no answer");
        }
        match parse(&last.bytes) {
            Ok(answer) => Ok(answer),
            Err(err) => fail(format!("{err}: {}", show(&last.bytes))),
        }
    }

    /// Sends bytes that must not be answered, and then a question that must be: the meter goes on.
    pub(super) async fn silence(&mut self, chunks: &[&[u8]]) -> Verdict {
        let heard = self.raw(chunks).await?;
        if !heard.bytes.is_empty() {
            return fail(format!("answered {}", show(&heard.bytes)));
        }
        let read = self.known_read();
        match self.ask(&read).await {
            Err(Stop::Failed(reason)) => fail(format!("silent, but dumb behind it: {reason}")),
            Err(other) => Err(other),
            Ok(_) => Ok("silent".to_owned()),
        }
    }

    /// A question that every meter answers.
    pub(super) fn known_read(&self) -> Message<'static> {
        match self.edition {
            Edition::V2007 => Message::Read {
                id: self.settings.known,
                rest: &[],
            },
            Edition::V1997 => Message::Read1997 {
                id: self.settings.known_1997,
            },
        }
    }

    /// The address of a meter that is not this one, and shares no byte with it.
    pub(super) fn foreign(&self) -> Address {
        Address::from_line(self.address.line().map(|byte| match byte {
            0x99 | 0xAA => 0x11,
            byte if byte & 0x0F == 9 => (byte & 0xF0).wrapping_add(0x10) & 0x70,
            byte => byte + 1,
        }))
    }
}

impl Times {
    fn note(&mut self, heard: &Heard) {
        self.shortest = if self.answers == 0 {
            heard.delay
        } else {
            self.shortest.min(heard.delay)
        };
        self.answers += 1;
        self.longest = self.longest.max(heard.delay);
        self.gap = self.gap.max(heard.gap);
    }
}

/// A whole request, without a preamble.
pub(super) fn line(address: Address, message: &Message<'_>) -> Result<Vec<u8>, Stop> {
    let mut place = [0; 256];
    match message.encode_frame(address, &mut place) {
        Ok(len) => Ok(place.get(..len).unwrap_or_default().to_vec()),
        Err(err) => fail(err.to_string()),
    }
}

fn parse(bytes: &[u8]) -> Result<Answer, dlt645::FrameError> {
    let mut plain = [0; 255];
    let Frame {
        address,
        control,
        data,
    } = Frame::parse(bytes, &mut plain)?;
    Ok(Answer {
        address,
        control: control.0,
        data: data.to_vec(),
    })
}

impl Answer {
    /// The ERR byte of a refusal of `function`.
    pub(super) fn refusal(&self, function: u8) -> Result<u8, Stop> {
        match (self.control == 0xC0 | function, self.data.as_slice()) {
            (true, [err]) => Ok(*err),
            (true, _) => fail(format!("a refusal with {} data bytes", self.data.len())),
            (false, _) => fail(format!(
                "answered {:02X}, a refusal is {:02X}",
                self.control,
                0xC0 | function
            )),
        }
    }

    /// The data of a good answer to `function`; those behind `head`, which must be repeated.
    pub(super) fn good(&self, function: u8, head: &[u8]) -> Result<&[u8], Stop> {
        if self.control & 0xDF != 0x80 | function {
            return fail(format!(
                "answered {:02X}, a good answer is {:02X}",
                self.control,
                0x80 | function
            ));
        }
        match self.data.strip_prefix(head) {
            Some(data) => Ok(data),
            None => fail(format!(
                "the answer begins with {}, not with {}",
                show(self.data.get(..head.len()).unwrap_or(&self.data)),
                show(head)
            )),
        }
    }

    /// Whether D5 says that more follows.
    pub(super) fn has_more(&self) -> bool {
        self.control & 0x20 != 0
    }
}
