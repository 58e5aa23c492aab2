//! The disk under the outbox: an append-only segment log per stream, with cursors.
//!
//! ```text
//! data_dir/outbox/boot.{a,b}      number of this start, written before its first use
//!                 cursor.{a,b}    per stream and boot: everything up to here is acknowledged
//!                 seen.{a,b}      per meter and stream: records taken over whose segments are gone
//!                 s<stream>/<n>.seg
//!                 aside/<n>.seg   records that are no message: origin and bytes as they came
//! ```
//!
//! What numbers, bounds and repeats records is [`meter_proto::outbox::Outbox`]; [`DiskStore`] is what it stands on. A
//! record of streams 1, 2 and 5 is on the disk when `append` returns; one of stream 3 is with the operating system. A
//! segment is deleted when nothing in it waits any more. Records taken over from a meter carry their origin (meter,
//! stream, boot, seq and a sum of the bytes), so that a record which the meter offers again, because its
//! acknowledgement was lost, is not numbered a second time, while a new record under an old name is.

mod aside;
mod seen;
mod segment;
mod stream;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use meter_proto::message::Stream;
use meter_proto::outbox::{Key, OutboxStore, Quota};

use crate::twin::TwinFile;
use aside::Aside;
pub use seen::Origin;
use seen::Seen;
use stream::StreamLog;

/// The streams that are stored, in the order in which a backlog is sent: alarms before everything else.
pub const STREAMS: [Stream; 4] = [
    Stream::EVENT,
    Stream::LEDGER,
    Stream::LEGAL,
    Stream::TELEMETRY,
];

/// Bytes after which a segment is closed and the next one begun, unless told otherwise.
pub const SEGMENT_BYTES: u64 = 256 << 10;

/// The log of one gateway.
#[derive(Debug)]
pub struct DiskStore {
    boot: u32,
    streams: BTreeMap<u8, StreamLog>,
    cursor: TwinFile,
    cursor_dirty: bool,
    seen_file: TwinFile,
    seen: Seen,
    origin: Option<Origin>,
    aside: Aside,
}

impl DiskStore {
    /// Opens the log below `dir`, recovers what a power cut left, and takes the next boot number; in an empty folder
    /// that is `first_boot`, which must lie above all that a lost folder may have used.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(dir: &Path, segment_bytes: u64, first_boot: u32) -> io::Result<Self> {
        let dir: PathBuf = dir.join("outbox");
        std::fs::create_dir_all(&dir)?;
        let (mut boot_file, body) = TwinFile::open(&dir, "boot")?;
        let boot = body.and_then(|b| b.try_into().ok().map(u32::from_le_bytes));
        let boot = boot.map_or(first_boot.max(1), |last| last.saturating_add(1));
        let (cursor, marks) = TwinFile::open(&dir, "cursor")?;
        let marks = parse_marks(&marks.unwrap_or_default());
        let (seen_file, body) = TwinFile::open(&dir, "seen")?;
        let mut seen = Seen::parse(&body.unwrap_or_default());

        let mut streams = BTreeMap::new();
        let mut newest = 0;
        for Stream(stream) in STREAMS {
            let acknowledged =
                |boot: u32, seq: u32| marks.get(&(stream, boot)).is_some_and(|mark| seq <= *mark);
            let sync = stream != Stream::TELEMETRY.0;
            let path = dir.join(format!("s{stream}"));
            let log = StreamLog::open(
                &path,
                Stream(stream),
                segment_bytes,
                sync,
                acknowledged,
                &mut seen,
            )?;
            newest = newest.max(log.newest_boot());
            streams.insert(stream, log);
        }
        // A lost boot file must not repeat a number: the log itself is the second witness.
        let boot = boot.max(newest.saturating_add(1));
        boot_file.store(&boot.to_le_bytes())?;
        Ok(Self {
            boot,
            streams,
            cursor,
            cursor_dirty: false,
            seen_file,
            seen,
            origin: None,
            aside: Aside::open(&dir)?,
        })
    }

    /// The number of this start.
    #[must_use]
    pub fn boot(&self) -> u32 {
        self.boot
    }

    /// Places in the segments where opening found bytes that are no record; what stood there is lost.
    #[must_use]
    pub fn damaged(&self) -> u32 {
        self.streams
            .values()
            .map(StreamLog::damaged)
            .fold(0, u32::saturating_add)
    }

    /// Whether a meter's record was taken over before.
    #[must_use]
    pub fn was_taken_over(&self, origin: &Origin) -> bool {
        self.seen.contains(origin)
    }

    /// Keeps a meter's record that is no message, on the disk when this returns.
    ///
    /// # Errors
    /// Those of the file system; `StorageFull` when as much lies aside as may.
    pub fn put_aside(&mut self, origin: Origin, record: &[u8]) -> io::Result<()> {
        self.aside.keep(origin, record)
    }

    /// Records that lie aside.
    #[must_use]
    pub fn aside(&self) -> usize {
        self.aside.count()
    }

    /// Says where the next record to be appended comes from; `None` for the gateway's own.
    pub fn set_origin(&mut self, origin: Option<Origin>) {
        self.origin = origin;
    }

    /// Deletes the segments in which nothing waits. To be called after acknowledgements.
    ///
    /// # Errors
    /// Those of the file system; nothing that waits is touched.
    pub fn tidy(&mut self) -> io::Result<()> {
        if !self.streams.values().any(StreamLog::has_spent_segments) {
            return Ok(());
        }
        // Windows and cursors must outlive the segments that they would be rebuilt from.
        self.seen_file.store(&self.seen.to_bytes())?;
        self.store_cursor()?;
        self.streams
            .values_mut()
            .try_for_each(StreamLog::delete_spent_segments)
    }

    /// Writes the cursors if they moved. A cut before this only repeats records, which the receiver drops.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.cursor_dirty {
            self.store_cursor()
        } else {
            Ok(())
        }
    }

    fn store_cursor(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (stream, log) in &self.streams {
            for (boot, mark) in log.marks() {
                bytes.push(*stream);
                bytes.extend_from_slice(&boot.to_le_bytes());
                bytes.extend_from_slice(&mark.to_le_bytes());
            }
        }
        self.cursor.store(&bytes)?;
        self.cursor_dirty = false;
        Ok(())
    }

    /// The newest waiting record of `stream`.
    #[must_use]
    pub fn newest(&self, stream: Stream) -> Option<Key> {
        self.streams.get(&stream.0)?.newest()
    }

    /// The boots of which `stream` has records waiting, ascending.
    #[must_use]
    pub fn boots(&self, stream: Stream) -> Vec<u32> {
        self.streams
            .get(&stream.0)
            .map(StreamLog::boots)
            .unwrap_or_default()
    }

    /// Waiting records of `stream`.
    #[must_use]
    pub fn count(&self, stream: Stream) -> usize {
        self.streams.get(&stream.0).map_or(0, StreamLog::count)
    }

    /// Bytes of all segments on the disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.streams.values().map(StreamLog::bytes).sum()
    }
}

fn no_such_stream() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "this stream is not stored")
}

impl OutboxStore for DiskStore {
    type Error = io::Error;

    fn append(&mut self, key: Key, bytes: &[u8]) -> io::Result<()> {
        let origin = self.origin.take();
        let log = self
            .streams
            .get_mut(&key.stream.0)
            .ok_or_else(no_such_stream)?;
        log.append(key, origin.as_ref(), bytes)?;
        if let Some(origin) = origin {
            self.seen.insert(&origin);
        }
        Ok(())
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        if let Some(log) = self.streams.get_mut(&key.stream.0) {
            self.cursor_dirty |= log.remove(key);
        }
        Ok(())
    }

    fn next(&mut self, stream: Stream, after: Option<Key>) -> io::Result<Option<Key>> {
        Ok(self.streams.get(&stream.0).and_then(|log| log.next(after)))
    }

    fn read(&mut self, key: Key, out: &mut [u8]) -> io::Result<Option<usize>> {
        match self.streams.get_mut(&key.stream.0) {
            Some(log) => log.read(key, out),
            None => Ok(None),
        }
    }

    fn usage(&mut self, stream: Stream) -> io::Result<Quota> {
        Ok(self.streams.get(&stream.0).map_or(
            Quota {
                records: 0,
                bytes: 0,
            },
            StreamLog::usage,
        ))
    }
}

fn parse_marks(bytes: &[u8]) -> BTreeMap<(u8, u32), u32> {
    let (entries, _) = bytes.as_chunks::<9>();
    entries
        .iter()
        .map(|[stream, b0, b1, b2, b3, m0, m1, m2, m3]| {
            (
                (*stream, u32::from_le_bytes([*b0, *b1, *b2, *b3])),
                u32::from_le_bytes([*m0, *m1, *m2, *m3]),
            )
        })
        .collect()
}
