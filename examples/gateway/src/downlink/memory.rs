//! The commands that were taken, with their results, across power cuts.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use crate::twin::TwinFile;

/// Commands remembered; the standard asks a device for 64, and a gateway speaks for many.
const REMEMBERED: usize = 256;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It was handed to its line.
    Pending,
    /// It ended with this compact result.
    Done(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Entry {
    id: u64,
    node: u16,
    done: bool,
    /// The command while it runs, the result afterwards; compact messages.
    message: Vec<u8>,
}

/// The newest commands by age.
#[derive(Debug)]
pub(crate) struct Memory {
    file: TwinFile,
    entries: VecDeque<Entry>,
}

impl Memory {
    pub fn open(dir: &Path) -> io::Result<Self> {
        let (file, body) = TwinFile::open(dir, "commands")?;
        let mut entries = VecDeque::new();
        let body = body.unwrap_or_default();
        let mut rest = &body[..];
        while let Some((entry, after)) = parse_entry(rest) {
            entries.push_back(entry);
            rest = after;
        }
        Ok(Self { file, entries })
    }

    pub fn state(&self, id: u64) -> Option<State> {
        let entry = self.entries.iter().find(|entry| entry.id == id)?;
        Some(if entry.done {
            State::Done(entry.message.clone())
        } else {
            State::Pending
        })
    }

    /// Commands that were running when the memory was last written: id, node, message.
    pub fn pending(&self) -> Vec<(u64, u16, Vec<u8>)> {
        let running = self.entries.iter().filter(|entry| !entry.done);
        running
            .map(|entry| (entry.id, entry.node, entry.message.clone()))
            .collect()
    }

    pub fn begin(&mut self, id: u64, node: u16, command: &[u8]) -> io::Result<()> {
        self.put(Entry {
            id,
            node,
            done: false,
            message: command.to_vec(),
        })
    }

    pub fn finish(&mut self, id: u64, node: u16, result: &[u8]) -> io::Result<()> {
        self.put(Entry {
            id,
            node,
            done: true,
            message: result.to_vec(),
        })
    }

    fn put(&mut self, entry: Entry) -> io::Result<()> {
        self.entries.retain(|known| known.id != entry.id);
        self.entries.push_back(entry);
        while self.entries.len() > REMEMBERED {
            // What runs is not forgotten as long as anything else is left to forget.
            let oldest_done = self
                .entries
                .iter()
                .position(|known| known.done)
                .unwrap_or(0);
            self.entries.remove(oldest_done);
        }
        let mut bytes = Vec::new();
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.id.to_le_bytes());
            bytes.extend_from_slice(&entry.node.to_le_bytes());
            bytes.push(u8::from(entry.done));
            let message = entry
                .message
                .get(..usize::from(u16::MAX))
                .unwrap_or(&entry.message);
            bytes.extend_from_slice(&(message.len() as u16).to_le_bytes());
            bytes.extend_from_slice(message);
        }
        self.file.store(&bytes)
    }
}

fn parse_entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let (id, rest) = bytes.split_first_chunk::<8>()?;
    let (node, rest) = rest.split_first_chunk::<2>()?;
    let (done, rest) = rest.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (message, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let entry = Entry {
        id: u64::from_le_bytes(*id),
        node: u16::from_le_bytes(*node),
        done: *done == 1,
        message: message.to_vec(),
    };
    Some((entry, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_outlive_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(dir.path()).unwrap();
        memory.begin(7, 1, b"seven").unwrap();
        memory.begin(8, 2, b"eight").unwrap();
        memory.finish(7, 1, b"done").unwrap();
        let mut again = Memory::open(dir.path()).unwrap();
        assert_eq!(again.state(7), Some(State::Done(b"done".to_vec())));
        assert_eq!(again.state(9), None);
        assert_eq!(again.pending(), [(8, 2, b"eight".to_vec())]);
        for id in 100..500 {
            again.finish(id, 1, b"r").unwrap();
        }
        assert_eq!(again.state(8), Some(State::Pending));
        assert_eq!(again.state(7), None);
    }
}
