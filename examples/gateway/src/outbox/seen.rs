//! What was taken over from each meter, so that an offered repeat is recognised.

use std::collections::BTreeMap;

/// How far behind the newest number a record can be told apart from a repeat. Meters offer their oldest
/// unacknowledged record and get it acknowledged before the next, so that a handful would do.
const WINDOW: u32 = 1024;
const WORDS: usize = WINDOW as usize / 64;

/// Boots of a meter kept per stream: an older boot may still have records waiting.
const BOOTS: usize = 4;

/// The name of a meter's record.
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
}

impl Origin {
    /// `stream | boot | seq | text`; what is longer than 255 bytes of text is cut off.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let text = self.device.as_bytes();
        let text = text.get(..246).unwrap_or(text);
        let mut bytes = vec![self.stream];
        bytes.extend_from_slice(&self.boot.to_le_bytes());
        bytes.extend_from_slice(&self.seq.to_le_bytes());
        bytes.extend_from_slice(text);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (stream, rest) = bytes.split_first()?;
        let (boot, rest) = rest.split_first_chunk::<4>()?;
        let (seq, text) = rest.split_first_chunk::<4>()?;
        Some(Self {
            device: core::str::from_utf8(text).ok()?.to_owned(),
            stream: *stream,
            boot: u32::from_le_bytes(*boot),
            seq: u32::from_le_bytes(*seq),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    highest: u32,
    /// Bit n of the whole stands for `highest - n`.
    bits: [u64; WORDS],
}

impl Window {
    fn contains(&self, seq: u32) -> bool {
        match self.highest.checked_sub(seq) {
            None => false,
            // Older than the window: taken over long ago, or never to come.
            Some(behind) if behind >= WINDOW => true,
            Some(behind) => self
                .bits
                .get(behind as usize / 64)
                .is_some_and(|word| word >> (behind % 64) & 1 == 1),
        }
    }

    fn insert(&mut self, seq: u32) {
        if let Some(ahead) = seq.checked_sub(self.highest).filter(|ahead| *ahead > 0) {
            self.shift(ahead);
            self.highest = seq;
        }
        let behind = self.highest.wrapping_sub(seq);
        if let Some(word) = self.bits.get_mut(behind as usize / 64) {
            *word |= 1 << (behind % 64);
        }
    }

    fn shift(&mut self, by: u32) {
        let words = (by / 64) as usize;
        let bits = by % 64;
        let old = self.bits;
        for (index, word) in self.bits.iter_mut().enumerate() {
            let at = |i: Option<usize>| i.and_then(|i| old.get(i).copied()).unwrap_or(0);
            let low = at(index.checked_sub(words));
            let carried = at(index.checked_sub(words + 1));
            *word = if bits == 0 {
                low
            } else {
                low << bits | carried >> (64 - bits)
            };
        }
    }
}

/// The windows of all meters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    windows: BTreeMap<(String, u8), BTreeMap<u32, Window>>,
}

impl Seen {
    pub fn contains(&self, origin: &Origin) -> bool {
        let Some(boots) = self.windows.get(&(origin.device.clone(), origin.stream)) else {
            return false;
        };
        match boots.get(&origin.boot) {
            Some(window) => window.contains(origin.seq),
            None => false,
        }
    }

    pub fn insert(&mut self, origin: &Origin) {
        let boots = self
            .windows
            .entry((origin.device.clone(), origin.stream))
            .or_default();
        boots
            .entry(origin.boot)
            .or_insert(Window {
                highest: origin.seq,
                bits: [0; WORDS],
            })
            .insert(origin.seq);
        while boots.len() > BOOTS {
            boots.pop_first();
        }
    }

    /// Version, then `text length u8 | text | stream u8 | boot u32 | highest u32 | bits` per window.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        for ((device, stream), boots) in &self.windows {
            for (boot, window) in boots {
                let text = device.as_bytes();
                let text = text.get(..246).unwrap_or(text);
                bytes.push(text.len() as u8);
                bytes.extend_from_slice(text);
                bytes.push(*stream);
                bytes.extend_from_slice(&boot.to_le_bytes());
                bytes.extend_from_slice(&window.highest.to_le_bytes());
                bytes.extend(window.bits.iter().flat_map(|word| word.to_le_bytes()));
            }
        }
        bytes
    }

    pub fn parse(bytes: &[u8]) -> Self {
        let mut seen = Self::default();
        let Some((1, mut rest)) = bytes.split_first() else {
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
    let (highest, rest) = rest.split_first_chunk::<4>()?;
    let (words, rest) = rest.split_at_checked(WORDS * 8)?;
    let mut bits = [0; WORDS];
    for (word, chunk) in bits.iter_mut().zip(words.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*chunk);
    }
    let window = Window {
        highest: u32::from_le_bytes(*highest),
        bits,
    };
    Some((
        core::str::from_utf8(text).ok()?.to_owned(),
        *stream,
        u32::from_le_bytes(*boot),
        window,
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn the_window_agrees_with_a_set(seqs in proptest::collection::vec(1_u32..3000, 1..200)) {
            let mut seen = Seen::default();
            let mut model = BTreeSet::new();
            let mut highest = 0;
            for seq in seqs {
                let origin = Origin { device: "d645-1".into(), stream: 1, boot: 7, seq };
                let known = model.contains(&seq) || (highest >= WINDOW && seq <= highest - WINDOW);
                prop_assert_eq!(seen.contains(&origin), known);
                if !known {
                    seen.insert(&origin);
                    model.insert(seq);
                    highest = highest.max(seq);
                }
                prop_assert_eq!(Seen::parse(&seen.to_bytes()), seen.clone());
            }
        }
    }
}
