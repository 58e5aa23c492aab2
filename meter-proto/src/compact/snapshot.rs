//! Snapshots sample by sample, without a list in memory.

use super::{Reader, Writer, open};
use crate::error::Error;
use crate::fields::{Element, Sink, Source};
use crate::message::{Head, Sample};

/// Writes a snapshot sample by sample into the caller's buffer, without a list in memory.
///
/// The number of samples is stated first, as the layout wants it before them.
#[derive(Debug)]
pub struct SnapshotWriter<'a> {
    writer: Writer<'a>,
    missing: usize,
}

impl<'a> SnapshotWriter<'a> {
    /// Begins a snapshot of `count` samples, at most 64.
    ///
    /// # Errors
    /// [`Error::TooMany`] or [`Error::BufferFull`].
    pub fn new(head: &Head, count: usize, out: &'a mut [u8]) -> Result<Self, Error> {
        let mut writer = Writer::new(out);
        writer.begin(4, head)?;
        if count > 64 {
            return Err(Error::TooMany {
                position: writer.len(),
                capacity: 64,
            });
        }
        writer.list(0, count)?;
        Ok(Self {
            writer,
            missing: count,
        })
    }

    /// Writes the next sample.
    ///
    /// # Errors
    /// [`Error::TooMany`] beyond the stated number, [`Error::BufferFull`].
    pub fn push(&mut self, sample: &Sample) -> Result<(), Error> {
        self.missing = self.missing.checked_sub(1).ok_or(Error::TooMany {
            position: self.writer.len(),
            capacity: 0,
        })?;
        sample.put_element(&mut self.writer)
    }

    /// Ends the message, returns its length in bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if fewer samples came than stated, [`Error::BufferFull`].
    pub fn finish(mut self) -> Result<usize, Error> {
        if self.missing != 0 {
            return Err(Error::Truncated {
                position: self.writer.len(),
            });
        }
        self.writer.bytes(0, &[])?;
        Ok(self.writer.len())
    }
}

/// Reads a snapshot sample by sample from the received bytes, without a list in memory.
///
/// The whole message is checked before the first sample is handed out.
#[derive(Clone, Debug)]
pub struct SnapshotReader<'b> {
    reader: Reader<'b>,
    left: usize,
}

impl<'b> SnapshotReader<'b> {
    /// Checks the message and stands before its first sample.
    ///
    /// # Errors
    /// As [`decode_as`](super::decode_as).
    pub fn new(bytes: &'b [u8]) -> Result<(Head, Self), Error> {
        let (found, head, mut reader) = open(bytes)?;
        if found != 4 {
            return Err(Error::OtherKind { expected: 4, found });
        }
        let left = reader.list(0, 64)?;
        let samples = Self {
            reader: reader.clone(),
            left,
        };
        for _ in 0..left {
            Sample::take_element(&mut reader)?;
        }
        reader.ext()?;
        Ok((head, samples))
    }
}

impl Iterator for SnapshotReader<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        self.left = self.left.checked_sub(1)?;
        Sample::take_element(&mut self.reader).ok()
    }
}
