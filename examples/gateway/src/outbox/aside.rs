//! Records of meters that are no message this gateway understands, kept byte for byte.
//!
//! They are acknowledged to the meter once they lie here, so that the records behind them flow. The file takes no more
//! than [`ROOM`]; then such a record stays in its meter and holds up what follows, and both are counted.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use meter_proto::message::Stream;
use meter_proto::outbox::Key;

use super::seen::Origin;
use super::segment::Segment;
use super::stream::Record;

/// Bytes that may lie aside.
const ROOM: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Aside {
    file: Segment,
    names: BTreeSet<Origin>,
}

impl Aside {
    pub fn open(dir: &Path) -> io::Result<Self> {
        let dir = dir.join("aside");
        std::fs::create_dir_all(&dir)?;
        let mut names = BTreeSet::new();
        let file = Segment::open(&dir, 1, |_, body| {
            names.extend(Record::parse(body).and_then(|record| record.origin));
        })?;
        Ok(Self { file, names })
    }

    /// Keeps a record; one that lies here already is not written again.
    pub fn keep(&mut self, origin: Origin, record: &[u8]) -> io::Result<()> {
        if self.names.contains(&origin) {
            return Ok(());
        }
        // Nobody numbers what is never sent.
        let unnumbered = Key {
            stream: Stream(origin.stream),
            boot: 0,
            seq: 0,
        };
        let (body, _) = Record::encode(unnumbered, Some(&origin), record);
        if self.file.length.saturating_add(body.len() as u64) > ROOM {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.append(&body, true)?;
        self.names.insert(origin);
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.names.len()
    }
}
