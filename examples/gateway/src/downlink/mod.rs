//! Commands from the cloud: remembered by their id, handed to the line of their node, answered on stream 5.
//!
//! A command is written down before it runs. A repeat of its id is answered with the stored result and does nothing;
//! a command that was running when the power went is put to the device again, which knows the id too.

mod memory;

use std::collections::BTreeMap;
use std::sync::Arc;

use meter_proto::compact;
use meter_proto::message::{Command, CommandBody, CommandResult, Head, Message, Status, Stream};
use tokio::sync::mpsc;

use crate::hub::{Hub, encode};
pub(crate) use memory::Memory;
use memory::State;

/// A command for a device on a line.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub id: u64,
    pub node: u16,
    /// The command as a compact message for the device itself (node 0).
    pub message: Vec<u8>,
    /// UTC seconds from which on it must not begin.
    pub expires: u64,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub node: u16,
    pub result: CommandResult,
}

/// What the caller has to do about a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Todo {
    Nothing,
    /// Register and send the topology again.
    Announce,
}

/// Commands of all nodes.
pub(crate) struct Downlink {
    hub: Arc<Hub>,
    memory: Memory,
    lines: BTreeMap<u16, mpsc::Sender<Job>>,
    /// Accepted, but their time has not come or their line is busy.
    later: Vec<(u64, Job)>,
}

/// Commands that may wait for their time at once.
const LATER_MAX: usize = 64;

impl Downlink {
    pub fn new(hub: Arc<Hub>, memory: Memory, lines: BTreeMap<u16, mpsc::Sender<Job>>) -> Self {
        let mut downlink = Self {
            hub,
            memory,
            lines,
            later: Vec::new(),
        };
        for (id, node, message) in downlink.memory.pending() {
            match compact::decode_as::<Command>(&message) {
                Ok((_, command)) => {
                    let job = Job {
                        id,
                        node,
                        message,
                        expires: command.expires,
                    };
                    downlink.later.push((command.not_before, job));
                }
                Err(_) => downlink.conclude(node, plain_result(id, Status::FAILED, &downlink.hub)),
            }
        }
        downlink
    }

    /// Takes a command for `node`, 0 the gateway itself.
    pub fn command(&mut self, node: u16, command: Command) -> Todo {
        match self.memory.state(command.id) {
            Some(State::Pending) => {
                self.hub.board.refuse("command: already running");
                return Todo::Nothing;
            }
            Some(State::Done(message)) => {
                if let Ok((_, result)) = compact::decode_as::<CommandResult>(&message) {
                    self.report(node, result);
                }
                return Todo::Nothing;
            }
            None => {}
        }
        let id = command.id;
        let status = if self.is_late(command.expires) {
            Status::EXPIRED
        } else if node == 0 {
            return self.own_command(&command);
        } else if !self.lines.contains_key(&node) {
            Status::BAD_ARGUMENT
        } else if self.later.len() >= LATER_MAX {
            Status::FAILED
        } else {
            return self.accept(node, command);
        };
        self.conclude(node, plain_result(id, status, &self.hub));
        Todo::Nothing
    }

    fn own_command(&mut self, command: &Command) -> Todo {
        let (status, todo) = match command.body {
            CommandBody::Register => (Status::DONE, Todo::Announce),
            _ => (Status::UNKNOWN_BODY, Todo::Nothing),
        };
        self.conclude(0, plain_result(command.id, status, &self.hub));
        todo
    }

    fn accept(&mut self, node: u16, command: Command) -> Todo {
        let (id, expires, not_before) = (command.id, command.expires, command.not_before);
        let message = encode(&Message::new(
            Head::session(self.hub.boot(), self.hub.stamp()),
            command,
        ));
        let Some(message) = message.filter(|bytes| bytes.len() <= crate::line::COMMAND_MAX) else {
            self.conclude(node, plain_result(id, Status::BAD_ARGUMENT, &self.hub));
            return Todo::Nothing;
        };
        if self.memory.begin(id, node, &message).is_err() {
            self.hub.board.refuse("disk");
            self.conclude(node, plain_result(id, Status::FAILED, &self.hub));
            return Todo::Nothing;
        }
        self.later.push((
            not_before,
            Job {
                id,
                node,
                message,
                expires,
            },
        ));
        self.start_due();
        Todo::Nothing
    }

    /// Hands the commands whose time has come to their lines.
    pub fn start_due(&mut self) {
        let now = self.hub.clock.now() / 1000;
        let mut waiting = std::mem::take(&mut self.later);
        waiting.retain(|(not_before, job)| {
            if self.is_late(job.expires) {
                self.conclude(job.node, plain_result(job.id, Status::EXPIRED, &self.hub));
                return false;
            }
            let line = self.lines.get(&job.node);
            let started =
                *not_before <= now && line.is_some_and(|line| line.try_send(job.clone()).is_ok());
            !started
        });
        self.later = waiting;
    }

    /// Takes the result of a job.
    pub fn finish(&mut self, done: Finished) {
        self.conclude(done.node, done.result);
    }

    fn is_late(&self, expires: u64) -> bool {
        self.hub.clock.now() / 1000 >= expires
    }

    /// Writes the result down and reports it; in this order, so that a repeat never acts again.
    fn conclude(&mut self, node: u16, result: CommandResult) {
        let message = encode(&Message::new(
            Head::session(self.hub.boot(), self.hub.stamp()),
            result.clone(),
        ));
        if self
            .memory
            .finish(result.id, node, &message.unwrap_or_default())
            .is_err()
        {
            self.hub.board.refuse("disk");
        }
        self.report(node, result);
    }

    fn report(&self, node: u16, result: CommandResult) {
        // A full stream is counted by the hub; the issuer repeats the command and gets the stored result.
        self.hub
            .record(Stream::LEDGER, node, self.hub.stamp(), result);
    }
}

/// A result that says no more than its status.
pub(crate) fn plain_result(id: u64, status: Status, hub: &Hub) -> CommandResult {
    CommandResult {
        id,
        status,
        finished: hub.stamp(),
        detail: 0,
        value: None,
        sealed: None,
    }
}
