//! A half-duplex line in virtual time between two ends.
//!
//! Bytes leave one after the other at the line's speed, so two ends that speak at once garble each
//! other, as on RS-485. All faults are drawn from one seed.

use std::collections::VecDeque;

use crate::Rng;

/// One of the two ends of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The first end, by custom the master's.
    A,
    /// The second end, by custom the slave's.
    B,
}

impl End {
    /// The end that hears what this one says.
    pub fn other(self) -> End {
        match self {
            End::A => End::B,
            End::B => End::A,
        }
    }

    fn index(self) -> usize {
        match self {
            End::A => 0,
            End::B => 1,
        }
    }
}

/// What is wrong with a line. The default is a perfect one. Chances are millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Faults {
    /// A byte is lost.
    pub lose_byte: u32,
    /// One bit of a byte is turned over.
    pub flip_bit: u32,
    /// A byte arrives twice.
    pub double_byte: u32,
    /// A random byte arrives ahead of a byte.
    pub noise_byte: u32,
    /// A whole transmission is lost.
    pub lose_all: u32,
    /// A whole transmission arrives twice.
    pub double_all: u32,
    /// The speaker hears itself.
    pub echo: bool,
}

/// The line. Times are milliseconds of the bench's virtual clock.
#[derive(Clone, Debug)]
pub struct Line {
    rng: Rng,
    faults: Faults,
    byte_us: u64,
    delay_us: u64,
    /// Until when each end speaks, in microseconds.
    busy_until_us: [u64; 2],
    /// Bytes on their way to each end, in order of arrival.
    arriving: [VecDeque<(u64, u8)>; 2],
    collisions: u64,
}

impl Line {
    /// A line at `baud` with eleven bits a byte (start, eight, parity, stop) and no delay.
    pub fn new(seed: u64, baud: u32, faults: Faults) -> Self {
        Line {
            rng: Rng::new(seed),
            faults,
            byte_us: 11_000_000 / u64::from(baud.max(1)),
            delay_us: 0,
            busy_until_us: [0; 2],
            arriving: [VecDeque::new(), VecDeque::new()],
            collisions: 0,
        }
    }

    /// The same line with so many milliseconds between the ends.
    pub fn with_delay(mut self, delay_ms: u64) -> Self {
        self.delay_us = delay_ms.saturating_mul(1000);
        self
    }

    /// Changes the faults from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// `from` says `bytes`, beginning at `now` or when its earlier words are out.
    pub fn send(&mut self, now: u64, from: End, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let start = now
            .saturating_mul(1000)
            .max(self.busy_until_us[from.index()]);
        let end = start + self.byte_us * bytes.len() as u64;
        let clash = self.busy_until_us[from.other().index()] > start;
        self.busy_until_us[from.index()] = end;
        let mut heard = bytes.to_vec();
        if clash {
            self.collisions += 1;
            self.rng.fill(&mut heard);
            for queue in &mut self.arriving {
                for (at, byte) in queue.iter_mut() {
                    if *at > start {
                        *byte ^= self.rng.byte();
                    }
                }
            }
        }
        if self.faults.echo {
            self.carry(from, start, 0, &heard);
        }
        if self.rng.chance(self.faults.lose_all) {
            return;
        }
        self.carry(from.other(), start, self.delay_us, &heard);
        if self.rng.chance(self.faults.double_all) {
            self.carry(from.other(), end, self.delay_us, &heard);
        }
    }

    fn carry(&mut self, to: End, start: u64, delay: u64, bytes: &[u8]) {
        for (i, &byte) in bytes.iter().enumerate() {
            let at = start + delay + self.byte_us * (i as u64 + 1);
            if self.rng.chance(self.faults.noise_byte) {
                let noise = self.rng.byte();
                self.put(to, at, noise);
            }
            if self.rng.chance(self.faults.lose_byte) {
                continue;
            }
            let mut byte = byte;
            if self.rng.chance(self.faults.flip_bit) {
                byte ^= 1 << self.rng.below(8);
            }
            self.put(to, at, byte);
            if self.rng.chance(self.faults.double_byte) {
                self.put(to, at, byte);
            }
        }
    }

    fn put(&mut self, to: End, at: u64, byte: u8) {
        let queue = &mut self.arriving[to.index()];
        let place = queue.partition_point(|&(other, _)| other <= at);
        queue.insert(place, (at, byte));
    }

    /// All bytes that have reached `at` by `now`, oldest first.
    pub fn receive(&mut self, now: u64, at: End) -> Vec<u8> {
        let queue = &mut self.arriving[at.index()];
        let ready = queue.partition_point(|&(time, _)| time.div_ceil(1000) <= now);
        queue.drain(..ready).map(|(_, byte)| byte).collect()
    }

    /// The millisecond at which the next byte reaches either end, or `None` on a silent line.
    pub fn next_arrival(&self) -> Option<u64> {
        self.arriving
            .iter()
            .filter_map(|queue| queue.front())
            .map(|&(time, _)| time.div_ceil(1000))
            .min()
    }

    /// How often one end spoke into the other's words.
    pub fn collisions(&self) -> u64 {
        self.collisions
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Faults, Line};

    #[test]
    fn bytes_take_their_time() {
        let mut line = Line::new(1, 2400, Faults::default()).with_delay(3);
        line.send(100, End::A, &[1, 2, 3]);
        assert_eq!(line.next_arrival(), Some(108));
        assert!(line.receive(107, End::B).is_empty());
        assert_eq!(line.receive(108, End::B), [1]);
        assert_eq!(line.receive(200, End::B), [2, 3]);
        assert!(line.receive(200, End::A).is_empty());
        assert_eq!(line.next_arrival(), None);
    }

    #[test]
    fn speaking_at_once_garbles_both() {
        let mut line = Line::new(1, 2400, Faults::default());
        line.send(0, End::A, &[0; 8]);
        line.send(1, End::B, &[0; 8]);
        assert_eq!(line.collisions(), 1);
        assert_ne!(line.receive(1000, End::B), [0; 8]);
        assert_ne!(line.receive(1000, End::A), [0; 8]);
    }

    #[test]
    fn faults_follow_the_seed() {
        let faults = Faults {
            lose_byte: 100_000,
            flip_bit: 100_000,
            echo: true,
            ..Faults::default()
        };
        let run = |seed| {
            let mut line = Line::new(seed, 9600, faults);
            line.send(0, End::A, &[0x55; 64]);
            (line.receive(1000, End::A), line.receive(1000, End::B))
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }
}
