//! The segments of one stream and the index over their waiting records.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Bound::{Excluded, Unbounded};
use std::path::{Path, PathBuf};

use meter_proto::message::Stream;
use meter_proto::outbox::{Key, Quota};

use super::seen::{Origin, Seen};
use super::segment::Segment;

#[derive(Clone, Copy, Debug)]
struct Place {
    segment: u32,
    offset: u64,
    length: u32,
}

/// One stream's log.
#[derive(Debug)]
pub(crate) struct StreamLog {
    dir: PathBuf,
    stream: Stream,
    segment_bytes: u64,
    sync: bool,
    /// By number; the last one takes appends.
    segments: BTreeMap<u32, Segment>,
    /// Waiting records per segment.
    live: BTreeMap<u32, usize>,
    index: BTreeMap<(u32, u32), Place>,
    /// Bytes of the waiting messages.
    waiting: u64,
    /// Highest number ever given out per boot that still matters for the cursor.
    highest: BTreeMap<u32, u32>,
    /// Places where opening found bytes that are no record.
    damaged: u32,
}

impl StreamLog {
    pub fn open(
        dir: &Path,
        stream: Stream,
        segment_bytes: u64,
        sync: bool,
        acknowledged: impl Fn(u32, u32) -> bool,
        seen: &mut Seen,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let mut numbers: Vec<u32> = std::fs::read_dir(dir)?
            .filter_map(|entry| {
                entry
                    .ok()?
                    .file_name()
                    .to_str()?
                    .strip_suffix(".seg")?
                    .parse()
                    .ok()
            })
            .collect();
        numbers.sort_unstable();
        let mut log = Self {
            dir: dir.to_owned(),
            stream,
            segment_bytes,
            sync,
            segments: BTreeMap::new(),
            live: BTreeMap::new(),
            index: BTreeMap::new(),
            waiting: 0,
            highest: BTreeMap::new(),
            damaged: 0,
        };
        for number in numbers {
            let mut live = 0;
            let (index, highest, waiting) = (&mut log.index, &mut log.highest, &mut log.waiting);
            let segment = Segment::open(dir, number, |offset, body| {
                let Some(record) = Record::parse(body) else {
                    return;
                };
                if let Some(origin) = &record.origin {
                    seen.insert(origin);
                }
                let mark = highest.entry(record.boot).or_insert(0);
                *mark = (*mark).max(record.seq);
                if !acknowledged(record.boot, record.seq) {
                    let length = record.message.len() as u32;
                    let place = Place {
                        segment: number,
                        offset: offset + record.message_at as u64,
                        length,
                    };
                    index.insert((record.boot, record.seq), place);
                    live += 1;
                    *waiting += u64::from(length);
                }
            })?;
            log.damaged = log.damaged.saturating_add(segment.damaged);
            log.live.insert(number, live);
            log.segments.insert(number, segment);
        }
        Ok(log)
    }

    pub fn damaged(&self) -> u32 {
        self.damaged
    }

    pub fn newest_boot(&self) -> u32 {
        self.highest.last_key_value().map_or(0, |(boot, _)| *boot)
    }

    pub fn append(&mut self, key: Key, origin: Option<&Origin>, message: &[u8]) -> io::Result<()> {
        let (body, message_at) = Record::encode(key, origin, message);
        let number = self.writable_segment()?;
        let Some(segment) = self.segments.get_mut(&number) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let offset = segment.append(&body, self.sync)?;
        let place = Place {
            segment: number,
            offset: offset + message_at as u64,
            length: message.len() as u32,
        };
        self.index.insert((key.boot, key.seq), place);
        self.waiting += message.len() as u64;
        *self.live.entry(number).or_insert(0) += 1;
        self.highest.insert(key.boot, key.seq);
        Ok(())
    }

    fn writable_segment(&mut self) -> io::Result<u32> {
        let last = self
            .segments
            .last_key_value()
            .map(|(number, segment)| (*number, segment.length));
        let number = match last {
            Some((number, length)) if length < self.segment_bytes => return Ok(number),
            Some((number, _)) => number.saturating_add(1),
            None => 1,
        };
        self.segments
            .insert(number, Segment::open(&self.dir, number, |_, _| ())?);
        self.live.insert(number, 0);
        Ok(number)
    }

    fn key(&self, boot: u32, seq: u32) -> Key {
        Key {
            stream: self.stream,
            boot,
            seq,
        }
    }

    pub fn next(&self, after: Option<Key>) -> Option<Key> {
        let from = after.map_or(Unbounded, |key| Excluded((key.boot, key.seq)));
        let ((boot, seq), _) = self.index.range((from, Unbounded)).next()?;
        Some(self.key(*boot, *seq))
    }

    pub fn newest(&self) -> Option<Key> {
        let ((boot, seq), _) = self.index.last_key_value()?;
        Some(self.key(*boot, *seq))
    }

    pub fn boots(&self) -> Vec<u32> {
        let boots: BTreeSet<u32> = self.index.keys().map(|(boot, _)| *boot).collect();
        boots.into_iter().collect()
    }

    pub fn read(&mut self, key: Key, out: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(place) = self.index.get(&(key.boot, key.seq)) else {
            return Ok(None);
        };
        let length = place.length as usize;
        let (Some(segment), Some(out)) =
            (self.segments.get_mut(&place.segment), out.get_mut(..length))
        else {
            return Ok(None);
        };
        segment.read(place.offset, out)?;
        Ok(Some(length))
    }

    /// Whether the record waited.
    pub fn remove(&mut self, key: Key) -> bool {
        let Some(place) = self.index.remove(&(key.boot, key.seq)) else {
            return false;
        };
        self.waiting = self.waiting.saturating_sub(u64::from(place.length));
        if let Some(live) = self.live.get_mut(&place.segment) {
            *live = live.saturating_sub(1);
        }
        true
    }

    fn spent(&self) -> impl Iterator<Item = u32> + '_ {
        let active = self.segments.last_key_value().map(|(number, _)| *number);
        let spent = self
            .live
            .iter()
            .filter(move |(number, live)| **live == 0 && Some(**number) != active);
        spent.map(|(number, _)| *number)
    }

    pub fn has_spent_segments(&self) -> bool {
        self.spent().next().is_some()
    }

    pub fn delete_spent_segments(&mut self) -> io::Result<()> {
        for number in self.spent().collect::<Vec<_>>() {
            if let Some(segment) = self.segments.remove(&number) {
                std::fs::remove_file(&segment.path)?;
            }
            self.live.remove(&number);
        }
        Ok(())
    }

    /// Per boot that is still on the disk: the number up to which everything is acknowledged.
    pub fn marks(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.highest.iter().map(|(boot, highest)| {
            let oldest = self.index.range((*boot, 0)..=(*boot, u32::MAX)).next();
            (
                *boot,
                oldest.map_or(*highest, |((_, seq), _)| seq.saturating_sub(1)),
            )
        })
    }

    pub fn count(&self) -> usize {
        self.index.len()
    }

    pub fn usage(&self) -> Quota {
        Quota {
            records: u32::try_from(self.index.len()).unwrap_or(u32::MAX),
            bytes: u32::try_from(self.waiting).unwrap_or(u32::MAX),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.length).sum()
    }
}

/// `boot u32 | seq u32 | origin length u8 | origin | message`.
pub(super) struct Record<'a> {
    boot: u32,
    seq: u32,
    pub(super) origin: Option<Origin>,
    pub(super) message: &'a [u8],
    message_at: usize,
}

impl<'a> Record<'a> {
    pub(super) fn encode(key: Key, origin: Option<&Origin>, message: &[u8]) -> (Vec<u8>, usize) {
        let origin = origin.map(Origin::to_bytes).unwrap_or_default();
        let mut body = Vec::with_capacity(9 + origin.len() + message.len());
        body.extend_from_slice(&key.boot.to_le_bytes());
        body.extend_from_slice(&key.seq.to_le_bytes());
        body.push(origin.len() as u8);
        body.extend_from_slice(&origin);
        let at = body.len();
        body.extend_from_slice(message);
        (body, at)
    }

    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (boot, rest) = body.split_first_chunk::<4>()?;
        let (seq, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first()?;
        let (origin, message) = rest.split_at_checked(usize::from(*length))?;
        Some(Self {
            boot: u32::from_le_bytes(*boot),
            seq: u32::from_le_bytes(*seq),
            origin: Origin::parse(origin),
            message,
            message_at: body.len() - message.len(),
        })
    }
}
