//! A DL/T 645 line over TCP for host tools: one question at a time, and an image carried over it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dlt645::{Address, AskError, DataId, Event, Master, Message, Operator, Timing};
use meter_proto::message::FileStatus;

use crate::crossing::Answer;
use crate::face::LOG_LINE;
use crate::log::{Chain, Entry};
use crate::update::{FILE, Package, REQUEST_MAX, UpdateSender};

/// A line to one meter.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    address: Address,
    begun: Instant,
    timing: Timing,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The connection failed or ended.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Nobody answered.
    #[error("no answer")]
    TimedOut,
    /// The meter refused; the text names the bits.
    #[error("refused: {0}")]
    Refused(String),
    /// The question cannot be put.
    #[error("{0}")]
    Question(AskError),
}

impl Line {
    /// Connects to `host:port`; a question is put up to three times, each for `wait`.
    ///
    /// # Errors
    /// The connection cannot be made.
    pub fn connect(target: &str, address: Address, wait: Duration) -> Result<Self, LineError> {
        let stream = TcpStream::connect(target)?;
        stream.set_nodelay(true)?;
        let mut timing = Timing::tcp();
        timing.answer_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        Ok(Self {
            stream,
            address,
            begun: Instant::now(),
            timing,
        })
    }

    /// Milliseconds since the connection.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Puts a question and waits for its answer; the data of it.
    ///
    /// # Errors
    /// [`LineError`], all variants.
    pub fn ask(&mut self, message: &Message<'_>) -> Result<Vec<u8>, LineError> {
        let mut buffer = [0; 2_048];
        let mut master = Master::new(&mut buffer, self.timing);
        master
            .ask(self.now_ms(), self.address, message)
            .map_err(LineError::Question)?;
        loop {
            if let Some(bytes) = master.poll_transmit() {
                self.stream.write_all(bytes)?;
            }
            match master.poll_event() {
                None => {}
                Some(Event::Data { data, .. } | Event::Security { data, .. }) => {
                    return Ok(data.to_vec());
                }
                Some(Event::Done { .. }) => return Ok(Vec::new()),
                Some(Event::TimedOut { .. }) => return Err(LineError::TimedOut),
                Some(other) => return Err(LineError::Refused(format!("{other:?}"))),
            }
            let now = self.now_ms();
            let due = master.poll_timeout().unwrap_or(now);
            let wait = Duration::from_millis(due.saturating_sub(now).max(1));
            self.stream.set_read_timeout(Some(wait))?;
            let mut bytes = [0; 512];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into()),
                Ok(length) => master.handle_bytes(self.now_ms(), &bytes[..length]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    master.handle_timeout(self.now_ms());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads an identifier; its data as they came, low byte first.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub fn read(&mut self, id: DataId) -> Result<Vec<u8>, LineError> {
        self.ask(&Message::Read { id, rest: &[] })
    }

    /// All lines of a log that the meter still has, oldest first; [`crate::log::check`] proves them. A line for which the
    /// meter has no answer within `patience` ends it.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub fn log(&mut self, chain: Chain, patience: Duration) -> Result<Vec<Entry>, LineError> {
        let mut entries = Vec::new();
        let mut number = 1_u64;
        let mut until = Instant::now() + patience;
        loop {
            let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
            let question = Message::Read {
                id: LOG_LINE,
                rest: &[chain as u8, a, b, c, d, e, f, g, h],
            };
            match self.ask(&question) {
                Ok(answer) => match Answer::parse(&answer) {
                    Some(Answer::Line { entry, .. }) => {
                        entries.push(entry);
                        number = entry.after.number().saturating_add(1);
                        until = Instant::now() + patience;
                    }
                    Some(Answer::NoLine { .. }) => return Ok(entries),
                    _ => return Err(LineError::Refused("no line of a log".into())),
                },
                // It is on its way from the other core.
                Err(LineError::Refused(_)) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Function 03 with operator 0.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub fn security(&mut self, id: DataId, data: &[u8]) -> Result<Vec<u8>, LineError> {
        self.ask(&Message::Security {
            id,
            operator: Operator::default(),
            data,
        })
    }

    /// Carries an image to the meter until it is in use, refused, or fell back. After each answer `watch` hears of the
    /// sender and of a device that has nothing to say for now; `false` ends it there.
    ///
    /// # Errors
    /// The connection: the meter restarts with a new image without closing it, so this is a fault. What has arrived
    /// stays in the meter.
    pub fn update(
        &mut self,
        package: &Package<'_>,
        mut watch: impl FnMut(&UpdateSender<'_>) -> bool,
    ) -> Result<FileStatus, LineError> {
        let mut sender = UpdateSender::new(package);
        let mut request = [0; REQUEST_MAX];
        loop {
            match sender.poll_request(self.now_ms(), &mut request) {
                Some(length) => match self.security(FILE, &request[..length]) {
                    Ok(answer) => {
                        sender.handle_answer(&answer);
                    }
                    // It restarts, or the frame was lost: what is missing is asked for.
                    Err(LineError::TimedOut | LineError::Refused(_)) => {}
                    Err(error) => return Err(error),
                },
                None => {
                    let Some(due) = sender.poll_timeout() else {
                        return Ok(sender.status());
                    };
                    let wait = due.saturating_sub(self.now_ms());
                    std::thread::sleep(Duration::from_millis(wait));
                }
            }
            if !watch(&sender) {
                return Ok(sender.status());
            }
        }
    }
}
