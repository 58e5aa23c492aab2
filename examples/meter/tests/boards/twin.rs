//! The undisturbed twin of a metering core: the same samples, no other board.

use std::fmt;

use meter::metering::MeteringCore;
use meter::store::{MAX_RECORD, PageStore, RamFlash};

use crate::metering::{self, Bench, Feed};
use crate::setup;

/// What a metering board said at its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Sets of samples metered.
    pub sets: u64,
    /// Registers and pulses.
    pub registers: Vec<u64>,
    /// The stored state of the signal chain, remainders included.
    pub chain: Vec<u8>,
    /// After so many sets the contact was so.
    pub contact: Vec<(u64, bool)>,
    /// Unknown questions; orders dropped, refused, done.
    pub counts: Vec<u32>,
    /// Bytes of stack used and there.
    pub stack: [u32; 2],
}

impl Said {
    /// Reads the lines of the board.
    pub fn parse(text: &str) -> Self {
        let mut said = Self::default();
        let mut moved = 0;
        for line in text.lines() {
            let Some((name, digits)) = line.split_once(' ') else {
                continue;
            };
            let Ok(bytes) = hex::decode(digits) else {
                continue;
            };
            let long = || {
                bytes
                    .chunks_exact(8)
                    .map(|b| u64::from_le_bytes(b.try_into().unwrap()))
            };
            let short = || {
                bytes
                    .chunks_exact(4)
                    .map(|b| u32::from_le_bytes(b.try_into().unwrap()))
            };
            match name {
                "contact" => moved = long().next().unwrap(),
                "is" => said.contact.push((moved, bytes == [1])),
                "sets" => said.sets = long().next().unwrap(),
                "registers" => said.registers = long().collect(),
                "chain" => said.chain.clone_from(&bytes),
                "counts" => said.counts = short().collect(),
                "stack" => said.stack = short().collect::<Vec<_>>().try_into().unwrap(),
                _ => {}
            }
        }
        said
    }
}

/// A file of samples that never ends; the contact moves as it did on the board.
struct Mains<'a> {
    wave: &'a [u8],
    at: usize,
    sets: u64,
    contact: &'a [(u64, bool)],
}

/// Bytes of a set: one voltage, one current.
const SET: usize = 8;

impl Bench for Mains<'_> {
    fn read(&mut self, into: &mut [u8]) -> usize {
        let closed = self
            .contact
            .iter()
            .take_while(|(from, _)| *from <= self.sets)
            .last()
            .is_none_or(|(_, closed)| *closed);
        let rest = &self.wave[self.at..];
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        if !closed {
            for set in into[..length].chunks_exact_mut(SET) {
                set[SET / 2..].fill(0);
            }
        }
        self.at = (self.at + length) % self.wave.len();
        self.sets += (length / SET) as u64;
        length
    }

    fn lap(&mut self) -> u32 {
        0
    }
}

impl fmt::Write for Mains<'_> {
    fn write_str(&mut self, _text: &str) -> fmt::Result {
        Ok(())
    }
}

/// What a core alone makes of the samples that the board metered.
pub fn undisturbed(wave: &[u8], board: &Said) -> (Vec<u64>, Vec<u8>) {
    let flash = RamFlash::<{ setup::METERING_FLASH }>::new();
    let mut store = PageStore::try_new(flash, metering::RECORDS).unwrap();
    let keys = setup::MeteringKeys::new();
    let config = setup::metering_config::<1>().unwrap();
    let mut core = MeteringCore::start(config, &keys.all(), &mut store, setup::START_MS).unwrap();
    let mut mains = Mains {
        wave,
        at: 0,
        sets: 0,
        contact: &board.contact,
    };
    let mut feed = Feed::default();
    while feed.sets < board.sets {
        assert!(feed.piece(&mut core, &mut mains));
    }
    assert_eq!(feed.sets, board.sets);
    let mut chain = [0; MAX_RECORD];
    let length = core.chain_state(&mut chain).unwrap();
    let registers = metering::register_words(&core.registers());
    (registers.to_vec(), chain[..length].to_vec())
}
