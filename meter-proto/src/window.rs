//! The receiver's memory of what it has: every record counts once.
//!
//! One [`Window`] per (device, stream). The caller asks [`Window::classify`], commits a new record durably (its store
//! has a unique key on device, stream, boot, seq), then calls [`Window::commit`], and only then sends
//! [`Window::acknowledgement`]. After a restart the windows are rebuilt from the store: [`Window::resume`] with the
//! mark, [`Window::commit`] for each record above it. A receiver that is new to a sender begins at the floor of its
//! registration, or, where the sender hands out its oldest record first, right below that record.

use heapless::Vec;

use crate::message::{Acknowledgement, Gap, Stream};

/// How far above the contiguous mark records are remembered.
pub const REACH: u32 = 1024;

/// In streams that may lose records, holes further below the highest number than this are given up.
pub const LOSSY_REACH: u32 = 256;

const WORDS: usize = REACH as usize / 32;

/// What to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Commit it, then call [`Window::commit`].
    New,
    /// It is here: drop it and acknowledge again.
    Repeat,
    /// Its boot or place is no longer remembered: the store's unique key decides; acknowledge either way.
    TooOld,
    /// Too far ahead of a hole: drop it without acknowledging; the sender fills the hole first and comes again.
    TooFar,
    /// Number 0: a message that is not stored.
    Unnumbered,
}

/// What is here of one boot.
#[derive(Clone, Copy, Debug)]
struct Boot {
    boot: u32,
    contiguous: u32,
    /// Highest number given up in a stream that may lose records, 0 for none.
    given_up: u32,
    /// Bit i of the whole is number contiguous + 1 + i; bit 0 is never set.
    bits: [u32; WORDS],
}

impl Boot {
    const fn new(boot: u32, contiguous: u32) -> Self {
        Self {
            boot,
            contiguous,
            given_up: 0,
            bits: [0; WORDS],
        }
    }

    fn has(&self, offset: u32) -> bool {
        self.bits
            .get((offset / 32) as usize)
            .is_some_and(|word| word >> (offset % 32) & 1 == 1)
    }

    fn set(&mut self, offset: u32) {
        if let Some(word) = self.bits.get_mut((offset / 32) as usize) {
            *word |= 1 << (offset % 32);
        }
    }

    /// Moves the mark up by `count`, at most the whole window.
    fn slide(&mut self, count: u32) {
        self.contiguous = self.contiguous.saturating_add(count);
        let (words, bits) = ((count / 32) as usize, count % 32);
        for at in 0..WORDS {
            let low = self.bits.get(at + words).copied().unwrap_or(0);
            let high = self.bits.get(at + words + 1).copied().unwrap_or(0);
            let joined = u64::from(high) << 32 | u64::from(low);
            if let Some(word) = self.bits.get_mut(at) {
                *word = (joined >> bits) as u32;
            }
        }
    }

    /// Swallows the run of numbers that begins right above the mark.
    fn settle(&mut self) {
        let mut run = 0;
        for word in &self.bits {
            run += word.trailing_ones();
            if *word != u32::MAX {
                break;
            }
        }
        if run > 0 {
            self.slide(run);
        }
    }

    fn highest(&self) -> Option<u32> {
        let (at, word) = self
            .bits
            .iter()
            .enumerate()
            .rev()
            .find(|(_, word)| **word != 0)?;
        Some(
            self.contiguous
                .saturating_add(at as u32 * 32 + 32 - word.leading_zeros()),
        )
    }
}

/// What a receiver has of one stream of one device, for the newest `BOOTS` boots. 136 bytes per boot.
#[derive(Clone, Debug)]
pub struct Window<const BOOTS: usize = 2> {
    stream: Stream,
    /// Ascending by boot.
    boots: Vec<Boot, BOOTS>,
    given_up: u32,
}

impl<const BOOTS: usize> Window<BOOTS> {
    /// An empty window. Streams 3 and 4 may have holes that are never filled; the others have none.
    #[must_use]
    pub const fn new(stream: Stream) -> Self {
        Self {
            stream,
            boots: Vec::new(),
            given_up: 0,
        }
    }

    const fn lossy(&self) -> bool {
        matches!(self.stream, Stream::TELEMETRY | Stream::DIAGNOSTIC)
    }

    fn boot(&self, boot: u32) -> Option<&Boot> {
        self.boots.iter().find(|known| known.boot == boot)
    }

    /// What to do with this record. Changes nothing.
    #[must_use]
    pub fn classify(&self, boot: u32, seq: u32) -> Verdict {
        if seq == 0 {
            return Verdict::Unnumbered;
        }
        let Some(known) = self.boot(boot) else {
            let forgotten =
                self.boots.is_full() && self.boots.first().is_some_and(|oldest| boot < oldest.boot);
            return match () {
                () if forgotten => Verdict::TooOld,
                () if seq > REACH && !self.lossy() => Verdict::TooFar,
                () => Verdict::New,
            };
        };
        match seq.checked_sub(known.contiguous) {
            None | Some(0) if seq <= known.given_up => Verdict::TooOld,
            None | Some(0) => Verdict::Repeat,
            Some(above) if above <= REACH && known.has(above - 1) => Verdict::Repeat,
            Some(above) if above > REACH && !self.lossy() => Verdict::TooFar,
            Some(_) => Verdict::New,
        }
    }

    /// Remembers a committed record, returns what [`Window::classify`] said before.
    pub fn commit(&mut self, boot: u32, seq: u32) -> Verdict {
        let verdict = self.classify(boot, seq);
        if verdict != Verdict::New {
            return verdict;
        }
        let lossy = self.lossy();
        let Some(known) = self.open(boot) else {
            return verdict;
        };
        let mut given_up = 0;
        if lossy {
            let floor = seq.saturating_sub(LOSSY_REACH);
            if let Some(count) = floor
                .checked_sub(known.contiguous)
                .filter(|count| *count > 0)
            {
                given_up = (0..count.min(REACH))
                    .filter(|offset| !known.has(*offset))
                    .count() as u32
                    + count.saturating_sub(REACH);
                known.slide(count.min(REACH));
                known.contiguous = floor;
                if given_up > 0 {
                    known.given_up = floor;
                }
            }
        }
        if let Some(offset) = seq
            .checked_sub(known.contiguous)
            .and_then(|above| above.checked_sub(1))
        {
            known.set(offset);
        }
        known.settle();
        self.given_up = self.given_up.saturating_add(given_up);
        verdict
    }

    /// States that everything up to `contiguous` is here or will never come: after a restart from the store, or when a
    /// registration says so ([`StreamState::floor`](crate::message::StreamState::floor)). Never moves the mark down.
    pub fn resume(&mut self, boot: u32, contiguous: u32) {
        if let Some(known) = self.open(boot)
            && let Some(count) = contiguous.checked_sub(known.contiguous)
        {
            known.slide(count.min(REACH));
            known.contiguous = contiguous;
            known.settle();
        }
    }

    /// The memory of a boot, made if it is new; the oldest boot makes room. `None` for a boot older than all known.
    fn open(&mut self, boot: u32) -> Option<&mut Boot> {
        if self.boot(boot).is_none() {
            if self.boots.is_full() {
                if self.boots.first().is_none_or(|oldest| boot < oldest.boot) {
                    return None;
                }
                self.boots.remove(0);
            }
            let place = self
                .boots
                .iter()
                .take_while(|known| known.boot < boot)
                .count();
            self.boots.insert(place, Boot::new(boot, 0)).ok()?;
        }
        self.boots.iter_mut().find(|known| known.boot == boot)
    }

    /// The boots that are remembered, ascending.
    pub fn boots(&self) -> impl Iterator<Item = u32> + '_ {
        self.boots.iter().map(|known| known.boot)
    }

    /// Records that a lossy stream never delivered.
    #[must_use]
    pub const fn given_up(&self) -> u32 {
        self.given_up
    }

    /// What to tell the sender about this boot. `None` for a boot that is not remembered: see
    /// [`Window::acknowledge_one`].
    #[must_use]
    pub fn acknowledgement(&self, boot: u32) -> Option<Acknowledgement> {
        let known = self.boot(boot)?;
        let mut gaps: Vec<Gap, 8> = Vec::new();
        if let Some(highest) = known.highest() {
            let mut first = None;
            for offset in 0..REACH {
                let number = known.contiguous.saturating_add(offset + 1);
                match (known.has(offset), first) {
                    (false, None) => first = Some(number),
                    (true, Some(begin)) => {
                        if gaps
                            .push(Gap {
                                first: begin,
                                last: number - 1,
                            })
                            .is_err()
                        {
                            break;
                        }
                        first = None;
                    }
                    _ => {}
                }
                if number > highest {
                    // Says that everything before it is here.
                    let _ = gaps.push(Gap {
                        first: number,
                        last: number,
                    });
                    break;
                }
            }
        }
        Some(Acknowledgement {
            stream: self.stream,
            boot,
            contiguous: known.contiguous,
            gaps,
        })
    }

    /// An acknowledgement of one record that lies outside what is remembered ([`Verdict::TooOld`]).
    #[must_use]
    pub fn acknowledge_one(stream: Stream, boot: u32, seq: u32) -> Acknowledgement {
        let mut gaps = Vec::new();
        if let Some(before) = seq.checked_sub(1).filter(|before| *before > 0) {
            let _ = gaps.push(Gap {
                first: 1,
                last: before,
            });
        }
        if let Some(after) = seq.checked_add(1) {
            let _ = gaps.push(Gap {
                first: after,
                last: after,
            });
        }
        Acknowledgement {
            stream,
            boot,
            contiguous: 0,
            gaps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_named_and_filled() {
        let mut window: Window = Window::new(Stream::LEGAL);
        for seq in [1, 2, 5, 6, 9] {
            assert_eq!(window.commit(7, seq), Verdict::New);
            assert_eq!(window.commit(7, seq), Verdict::Repeat);
        }
        let Some(told) = window.acknowledgement(7) else {
            panic!("boot 7 is known")
        };
        assert_eq!(told.contiguous, 2);
        assert_eq!(
            told.gaps,
            [
                Gap { first: 3, last: 4 },
                Gap { first: 7, last: 8 },
                Gap {
                    first: 10,
                    last: 10
                }
            ]
        );
        let covered: Vec<u32, 16> = (1..=12).filter(|seq| told.covers(7, *seq)).collect();
        assert_eq!(covered, [1, 2, 5, 6, 9]);
        for seq in [3, 4, 8, 7] {
            assert_eq!(window.commit(7, seq), Verdict::New);
        }
        assert_eq!(
            window
                .acknowledgement(7)
                .map(|told| (told.contiguous, told.gaps.len())),
            Some((9, 0))
        );
        assert_eq!(window.classify(7, 9 + REACH), Verdict::New);
        assert_eq!(window.classify(7, 10 + REACH), Verdict::TooFar);
        assert_eq!(window.classify(7, 0), Verdict::Unnumbered);
    }

    #[test]
    fn boots_are_kept_apart_and_the_oldest_is_forgotten() {
        let mut window: Window = Window::new(Stream::LEGAL);
        assert_eq!(window.commit(2, 1), Verdict::New);
        assert_eq!(window.commit(1, 1), Verdict::New);
        assert_eq!(window.commit(3, 1), Verdict::New);
        assert_eq!(window.classify(1, 2), Verdict::TooOld);
        assert_eq!(window.classify(2, 1), Verdict::Repeat);
        let told = Window::<2>::acknowledge_one(Stream::LEGAL, 1, 2);
        assert!(told.covers(1, 2) && !told.covers(1, 1) && !told.covers(1, 3));
    }

    #[test]
    fn a_lossy_stream_gives_up_old_holes() {
        let mut window: Window = Window::new(Stream::TELEMETRY);
        assert_eq!(window.commit(1, 1), Verdict::New);
        assert_eq!(window.commit(1, 500), Verdict::New);
        assert_eq!(window.given_up(), 500 - LOSSY_REACH - 1);
        assert_eq!(window.classify(1, 2), Verdict::TooOld);
        assert_eq!(window.classify(1, 400), Verdict::New);
        assert_eq!(window.commit(1, u32::MAX), Verdict::New);
        assert_eq!(window.classify(1, u32::MAX), Verdict::Repeat);
        assert!(window.acknowledgement(1).is_some());
    }

    #[test]
    fn the_mark_slides_over_any_distance() {
        let mut window: Window = Window::new(Stream::LEGAL);
        for seq in (2..=1024).rev() {
            assert_eq!(window.commit(1, seq), Verdict::New);
        }
        assert_eq!(window.commit(1, 1), Verdict::New);
        assert_eq!(
            window.acknowledgement(1).map(|told| told.contiguous),
            Some(1024)
        );
        window.resume(1, 5000);
        assert_eq!(window.classify(1, 5001), Verdict::New);
        window.resume(1, 10);
        assert_eq!(window.classify(1, 5000), Verdict::Repeat);
    }
}
