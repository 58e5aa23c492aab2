//! What was taken over from each meter, so that an offered repeat is recognised.

use std::collections::{BTreeMap, VecDeque};

use crate::twin::CRC32C;

/// Records of one boot that are remembered. Meters offer their oldest unacknowledged record and get it acknowledged
/// before the next, so that a handful would do; what is older and comes again is stored again, and the receiver drops
/// it by its content.
const KEPT: usize = 128;

const VERSION: u8 = 2;

/// Boots of a meter kept per stream: an older boot may still have records waiting.
const BOOTS: usize = 4;

/// Bytes of an identity that are kept.
const LONGEST_TEXT: usize = 240;

/// The name of a meter's record, and what it held: a meter that lost its memory gives old names to new records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Text form of the meter's identity, at most 255 bytes.
    pub device: String,
    /// Stream of the meter.
    pub stream: u8,
    /// Boot of the meter.
    pub boot: u32,
    /// Number within stream and boot.
    pub seq: u32,
    /// [`Origin::digest_of`] the record as the meter offered it.
    pub digest: u32,
}

impl Origin {
    /// CRC-32C of a record's bytes.
    #[must_use]
    pub fn digest_of(record: &[u8]) -> u32 {
        CRC32C.checksum(record)
    }

    /// `stream | boot | seq | digest | text`; the text is cut off where the whole would be longer than 255 bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let text = self.device.as_bytes();
        let text = text.get(..LONGEST_TEXT).unwrap_or(text);
        let mut bytes = vec![self.stream];
        bytes.extend_from_slice(&self.boot.to_le_bytes());
        bytes.extend_from_slice(&self.seq.to_le_bytes());
        bytes.extend_from_slice(&self.digest.to_le_bytes());
        bytes.extend_from_slice(text);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (stream, rest) = bytes.split_first()?;
        let (boot, rest) = rest.split_first_chunk::<4>()?;
        let (seq, rest) = rest.split_first_chunk::<4>()?;
        let (digest, text) = rest.split_first_chunk::<4>()?;
        Some(Self {
            device: core::str::from_utf8(text).ok()?.to_owned(),
            stream: *stream,
            boot: u32::from_le_bytes(*boot),
            seq: u32::from_le_bytes(*seq),
            digest: u32::from_le_bytes(*digest),
        })
    }
}

/// Number and digest of the latest records, oldest first.
type Window = VecDeque<(u32, u32)>;

/// The windows of all meters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    windows: BTreeMap<(String, u8), BTreeMap<u32, Window>>,
}

impl Seen {
    pub fn contains(&self, origin: &Origin) -> bool {
        let boots = self.windows.get(&(origin.device.clone(), origin.stream));
        boots
            .and_then(|boots| boots.get(&origin.boot))
            .is_some_and(|window| window.contains(&(origin.seq, origin.digest)))
    }

    pub fn insert(&mut self, origin: &Origin) {
        let boots = self
            .windows
            .entry((origin.device.clone(), origin.stream))
            .or_default();
        let window = boots.entry(origin.boot).or_default();
        let record = (origin.seq, origin.digest);
        if !window.contains(&record) {
            window.push_back(record);
        }
        while window.len() > KEPT {
            window.pop_front();
        }
        while boots.len() > BOOTS {
            boots.pop_first();
        }
    }

    /// Version, then `text length u8 | text | stream u8 | boot u32 | count u8 | (seq u32 | digest u32) * count` per
    /// boot.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for ((device, stream), boots) in &self.windows {
            for (boot, window) in boots {
                let text = device.as_bytes();
                let text = text.get(..LONGEST_TEXT).unwrap_or(text);
                bytes.push(text.len() as u8);
                bytes.extend_from_slice(text);
                bytes.push(*stream);
                bytes.extend_from_slice(&boot.to_le_bytes());
                bytes.push(window.len() as u8);
                for (seq, digest) in window {
                    bytes.extend_from_slice(&seq.to_le_bytes());
                    bytes.extend_from_slice(&digest.to_le_bytes());
                }
            }
        }
        bytes
    }

    pub fn parse(bytes: &[u8]) -> Self {
        let mut seen = Self::default();
        let Some((&VERSION, mut rest)) = bytes.split_first() else {
            return seen;
        };
        while let Some((device, stream, boot, window, after)) = parse_window(rest) {
            seen.windows
                .entry((device, stream))
                .or_default()
                .insert(boot, window);
            rest = after;
        }
        seen
    }
}

fn parse_window(bytes: &[u8]) -> Option<(String, u8, u32, Window, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    let (stream, rest) = rest.split_first()?;
    let (boot, rest) = rest.split_first_chunk::<4>()?;
    let (count, rest) = rest.split_first()?;
    let (records, rest) = rest.split_at_checked(usize::from(*count) * 8)?;
    let half = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
    let window = records
        .as_chunks::<8>()
        .0
        .iter()
        .map(|[a, b, c, d, e, f, g, h]| (half([*a, *b, *c, *d]), half([*e, *f, *g, *h])))
        .collect();
    let text = core::str::from_utf8(text).ok()?.to_owned();
    Some((text, *stream, u32::from_le_bytes(*boot), window, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_latest_records_are_known_by_name_and_content(
            records in proptest::collection::vec((1_u32..300, 0_u32..3), 1..400)
        ) {
            let mut seen = Seen::default();
            let mut model: Vec<(u32, u32)> = Vec::new();
            for (seq, digest) in records {
                let origin = Origin { device: "d645-1".into(), stream: 1, boot: 7, seq, digest };
                let latest = model.len().saturating_sub(KEPT);
                let known = model[latest..].contains(&(seq, digest));
                prop_assert_eq!(seen.contains(&origin), known);
                if !known {
                    seen.insert(&origin);
                    model.push((seq, digest));
                }
            }
            prop_assert_eq!(Seen::parse(&seen.to_bytes()), seen);
        }
    }

    #[test]
    fn an_origin_keeps_its_parts() {
        let device = "d645-202611000001".to_owned();
        let origin = Origin {
            device,
            stream: 5,
            boot: 3,
            seq: 77,
            digest: Origin::digest_of(b"x"),
        };
        assert_eq!(Origin::parse(&origin.to_bytes()), Some(origin));
    }
}
