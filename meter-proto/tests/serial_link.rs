//! Two endpoints on a serial line that damages, loses, doubles and invents bytes: every body arrives once and in
//! order, and a receiver finds the next frame within stated bytes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;

use meter_proto::link::serial::{
    Endpoint, Header, Receiver, SerialLink, Timing, encode, frame_len,
};
use meter_proto::link::{Event, TRIES};
use proptest::prelude::*;
use testkit::Rng;
use testkit::line::{End, Faults, Line};

const N: usize = 64;
const M: usize = N + 8;
const BAUD: u32 = 115_200;
const BODIES: u32 = 40;

type Side = Endpoint<N, M>;

fn side() -> Side {
    Endpoint::new(Timing::at(BAUD, N))
}

fn body(number: u32) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    body.extend((0..number % 50).map(|at| (at * 7) as u8));
    body
}

fn kind(number: u32) -> u8 {
    1 + (number % 200) as u8
}

/// One side, what it sends and what it has received.
struct Talk {
    side: Side,
    sent: u32,
    got: u32,
}

impl Talk {
    fn new() -> Self {
        Self {
            side: side(),
            sent: 0,
            got: 0,
        }
    }

    fn step(&mut self, now: u64, heard: &[u8]) -> Vec<u8> {
        self.side.handle_bytes(now, heard);
        if let Some((found, received)) = self.side.received() {
            assert_eq!((found, received), (kind(self.got), &body(self.got)[..]));
            self.got += 1;
            self.side.release();
        }
        if self.sent < BODIES && self.side.is_idle() {
            let number = self.sent;
            self.side.send(kind(number), &body(number)).unwrap();
            self.sent += 1;
        }
        let mut out = [0; frame_len(N)];
        let len = self.side.poll_transmit(now, &mut out).unwrap();
        while self.side.poll_event().is_some() {}
        out[..len.unwrap_or(0)].to_vec()
    }

    fn done(&self) -> bool {
        self.got == BODIES && self.sent == BODIES && self.side.is_idle()
    }
}

/// One line for each direction, so both may speak.
fn run(seed: u64, faults: Faults) {
    let mut there = Line::new(seed, BAUD, faults);
    let mut back = Line::new(seed ^ 1, BAUD, faults);
    let (mut a, mut b) = (Talk::new(), Talk::new());
    for now in 0..120_000 {
        let said = a.step(now, &back.receive(now, End::A));
        there.send(now, End::A, &said);
        let said = b.step(now, &there.receive(now, End::B));
        back.send(now, End::B, &said);
        if a.done() && b.done() {
            return;
        }
    }
    panic!("seed {seed}: {} and {} bodies arrived", a.got, b.got);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_body_arrives_once_and_in_order(seed: u64, noise in 0u32..6_000) {
        let faults = Faults {
            lose_byte: noise,
            flip_bit: noise,
            double_byte: noise / 2,
            noise_byte: noise / 2,
            lose_all: noise * 10,
            double_all: noise * 10,
            echo: false,
        };
        run(seed, faults);
    }

    /// After any bytes at all, the second frame that follows is read: two frames and the end of the noise are the most
    /// that can be lost.
    #[test]
    fn the_receiver_finds_the_next_frame(noise in proptest::collection::vec(any::<u8>(), 0..300), len in 0usize..N) {
        let mut receiver: Receiver<M> = Receiver::new();
        for byte in noise {
            if let Some((_, body)) = receiver.handle_byte(byte) {
                prop_assert!(body.len() <= N);
            }
        }
        let header = Header::new(0, 1, 2, 3);
        let mut frame = [0; frame_len(N)];
        let end = encode(header, &vec![7; len], &mut frame).unwrap();
        let read = |receiver: &mut Receiver<M>| {
            frame[..end].iter().filter(|byte| receiver.handle_byte(**byte).is_some()).count()
        };
        let _ = read(&mut receiver);
        prop_assert_eq!(read(&mut receiver), 1);
    }

    /// Frames of a side that knows the format and means harm: no panic, memory of one body, and nothing that was sent
    /// counts as delivered without an acknowledgement of its own number.
    #[test]
    fn a_hostile_side_causes_no_harm(seed: u64) {
        let mut rng = Rng::new(seed);
        let mut side = side();
        let mut out = [0; frame_len(N)];
        let mut frame = [0; frame_len(2 * N)];
        for now in 0..300 {
            let _ = side.send(1, b"reading");
            let _ = side.poll_transmit(now, &mut out).unwrap();
            let header = Header::new(rng.byte(), rng.byte(), 200, rng.byte());
            let len = rng.below(2 * N as u64) as usize;
            let end = encode(header, &rng.bytes(len), &mut frame).unwrap();
            side.handle_bytes(now, &frame[..end]);
            if let Some((_, body)) = side.received() {
                prop_assert!(body.len() <= N);
                side.release();
            }
            while let Some(event) = side.poll_event() {
                prop_assert_ne!(event, Event::Delivered);
            }
        }
    }
}

#[test]
fn a_silent_side_is_noticed_and_the_body_waits_for_its_return() {
    let mut out = [0; frame_len(N)];
    let (mut a, mut b) = (side(), side());
    let mut carry = |from: &mut Side, to: &mut Side, now: u64| {
        let len = from.poll_transmit(now, &mut out).unwrap();
        to.handle_bytes(now, &out[..len.unwrap_or(0)]);
        len.is_some()
    };
    for now in 0..4 {
        carry(&mut a, &mut b, now);
        carry(&mut b, &mut a, now);
    }
    assert_eq!(a.poll_event(), Some(Event::Up));
    assert!(a.is_up() && b.is_up());
    a.send(9, b"register").unwrap();
    let mut gone = side();
    let (mut frames, mut now) = (0, 10);
    while a.is_up() {
        now = a.poll_timeout().unwrap().max(now);
        frames += u32::from(carry(&mut a, &mut gone, now));
    }
    assert_eq!(a.poll_event(), Some(Event::Down));
    assert_eq!(frames, u32::from(TRIES) + 1, "four sends, then a reset");
    // It comes back having forgotten everything: the body arrives, once.
    let mut back = side();
    for later in 1..40 {
        carry(&mut a, &mut back, now + later * 10);
        carry(&mut back, &mut a, now + later * 10);
    }
    assert_eq!(back.received(), Some((9, &b"register"[..])));
    back.release();
    assert!(a.is_idle() && back.received().is_none());
    assert_eq!(a.poll_timeout(), None);
}

/// A port in memory; what one writes the other reads.
#[derive(Clone, Default)]
struct Port {
    incoming: Rc<RefCell<VecDeque<u8>>>,
    outgoing: Rc<RefCell<VecDeque<u8>>>,
}

impl embedded_io::ErrorType for Port {
    type Error = Infallible;
}

impl embedded_io::Read for Port {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Infallible> {
        let mut incoming = self.incoming.borrow_mut();
        let count = out.len().min(incoming.len());
        for (place, byte) in out.iter_mut().zip(incoming.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }
}

impl embedded_io::ReadReady for Port {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.incoming.borrow().is_empty())
    }
}

impl embedded_io::Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        // A small transmit buffer: the shell must go on until all is out.
        let count = bytes.len().min(5);
        self.outgoing.borrow_mut().extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn the_shell_joins_endpoint_and_port() {
    let here = Port::default();
    let there = Port {
        incoming: here.outgoing.clone(),
        outgoing: here.incoming.clone(),
    };
    let (mut one, mut other) = ([0; frame_len(N)], [0; frame_len(N)]);
    let mut a = SerialLink::new(here, side(), &mut one);
    let mut b = SerialLink::new(there, side(), &mut other);
    let mut got = 0;
    for now in 0..400 {
        if a.endpoint().is_idle() {
            let _ = a.endpoint().send(5, &body(got));
        }
        a.poll(now).unwrap();
        b.poll(now).unwrap();
        if let Some((5, received)) = b.endpoint().received() {
            assert_eq!(received, body(got));
            got += 1;
            b.endpoint().release();
        }
    }
    assert!(got > 30, "{got}");
    // A port that never falls silent does not keep the caller.
    a.port().incoming.borrow_mut().extend([1; 100_000]);
    a.poll(1_000).unwrap();
    assert!(a.port().incoming.borrow().len() > 90_000);
}
