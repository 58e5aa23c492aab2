//! Both shells of the link between the cores, on mock pins and a mock bus that damages bytes, loses chip select and is
//! not always ready: every body arrives once and in order.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType as PinErrors, InputPin, OutputPin};
use embedded_hal::spi::{ErrorType as SpiErrors, SpiBus};
use meter_proto::link::spi::{
    Endpoint, LinkMaster, LinkSlave, MasterPins, ShellError, SlaveBus, SpiMaster, SpiSlave, Timing,
};
use proptest::prelude::*;
use testkit::Rng;

const MAX: usize = 64;

/// The wires, and the slave's peripheral between them.
struct Wires {
    rng: Rng,
    noise: u32,
    selected: bool,
    ready: bool,
    data: bool,
    armed: Vec<u8>,
    exchanged: Option<Vec<u8>>,
    waited_us: u32,
    /// Transfers of which chip select breaks off a phase.
    breaks: u32,
}

#[derive(Clone)]
struct Bench(Rc<RefCell<Wires>>);

impl Bench {
    fn new(seed: u64, noise: u32, breaks: u32) -> Self {
        Self(Rc::new(RefCell::new(Wires {
            rng: Rng::new(seed),
            noise,
            selected: false,
            ready: false,
            data: false,
            armed: Vec::new(),
            exchanged: None,
            waited_us: 0,
            breaks,
        })))
    }

    fn pin(&self, which: fn(&mut Wires) -> &mut bool, low_is_true: bool) -> Pin {
        Pin {
            bench: self.clone(),
            which,
            low_is_true,
        }
    }
}

struct Pin {
    bench: Bench,
    which: fn(&mut Wires) -> &mut bool,
    low_is_true: bool,
}

impl PinErrors for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        *(self.which)(&mut self.bench.0.borrow_mut()) = self.low_is_true;
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        *(self.which)(&mut self.bench.0.borrow_mut()) = !self.low_is_true;
        Ok(())
    }
}

impl InputPin for Pin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(*(self.which)(&mut self.bench.0.borrow_mut()) != self.low_is_true)
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_high().map(|high| !high)
    }
}

/// The master's bus: what it clocks meets what the slave has armed.
struct Bus(Bench);

impl SpiErrors for Bus {
    type Error = Infallible;
}

impl SpiBus for Bus {
    fn read(&mut self, words: &mut [u8]) -> Result<(), Infallible> {
        self.transfer_in_place(words)
    }

    fn write(&mut self, words: &[u8]) -> Result<(), Infallible> {
        self.transfer_in_place(&mut words.to_vec())
    }

    fn transfer(&mut self, read: &mut [u8], write: &[u8]) -> Result<(), Infallible> {
        read.copy_from_slice(write);
        self.transfer_in_place(read)
    }

    fn transfer_in_place(&mut self, words: &mut [u8]) -> Result<(), Infallible> {
        let wires = &mut *self.0.0.borrow_mut();
        assert!(
            wires.selected,
            "bytes go over the bus only under chip select"
        );
        assert!(wires.ready, "and only when the slave is ready");
        let broken = wires.rng.chance(wires.breaks);
        let reach = if broken { words.len() / 2 } else { words.len() };
        let mut came = Vec::new();
        for (at, word) in words.iter_mut().enumerate() {
            let mut theirs = wires.armed.get(at).copied().unwrap_or(0xFF);
            let mut ours = *word;
            for byte in [&mut theirs, &mut ours] {
                if wires.rng.chance(wires.noise) {
                    *byte ^= 1 << wires.rng.below(8);
                }
            }
            if at < reach {
                came.push(ours);
            }
            *word = if at < reach { theirs } else { 0 };
        }
        came.truncate(wires.armed.len());
        wires.exchanged = Some(came);
        wires.ready = false;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Peripheral(Bench);

impl SlaveBus for Peripheral {
    type Error = Infallible;

    fn arm(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        let wires = &mut *self.0.0.borrow_mut();
        wires.armed = bytes.to_vec();
        wires.ready = true;
        wires.exchanged = None;
        Ok(())
    }

    fn poll(&mut self, into: &mut [u8]) -> Result<Option<usize>, Infallible> {
        let came = self.0.0.borrow_mut().exchanged.take();
        Ok(came.map(|came| {
            let count = came.len().min(into.len());
            into[..count].copy_from_slice(&came[..count]);
            count
        }))
    }
}

type Slave<'b> = SpiSlave<'b, Peripheral, Pin, MAX>;

/// While the master waits for the ready line, the slave's program runs.
struct Delay<'s, 'b> {
    bench: Bench,
    slave: &'s RefCell<Slave<'b>>,
    now: &'s RefCell<u64>,
    /// A slave that is busy elsewhere: looks at the link only every so many waits.
    lazy: u64,
}

impl DelayNs for Delay<'_, '_> {
    fn delay_ns(&mut self, ns: u32) {
        let due = {
            let wires = &mut *self.bench.0.borrow_mut();
            wires.waited_us += ns / 1_000;
            wires.rng.below(self.lazy) == 0
        };
        if due {
            // Damage and breaks are counted by the link; it repeats.
            let _ = self.slave.borrow_mut().poll(*self.now.borrow());
        }
    }
}

fn body(number: u32) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    body.extend((0..number % 60).map(|at| at as u8));
    body
}

fn run(seed: u64, noise: u32, breaks: u32, lazy: u64) {
    let bench = Bench::new(seed, noise, breaks);
    let (mut phase, mut other) = ([0; Endpoint::<MAX>::PHASE], [0; Endpoint::<MAX>::PHASE]);
    let now = RefCell::new(0);
    let slave = RefCell::new(SpiSlave::new(
        Peripheral(bench.clone()),
        bench.pin(|wires| &mut wires.data, false),
        LinkSlave::new(),
        &mut phase,
    ));
    let pins = MasterPins {
        bus: Bus(bench.clone()),
        select: bench.pin(|wires| &mut wires.selected, true),
        ready: bench.pin(|wires| &mut wires.ready, false),
        data: bench.pin(|wires| &mut wires.data, false),
    };
    let delay = Delay {
        bench: bench.clone(),
        slave: &slave,
        now: &now,
        lazy,
    };
    let link: LinkMaster<MAX> = LinkMaster::new(Timing::default());
    let mut master = SpiMaster::new(pins, delay, link, &mut other);
    let (mut up, mut down, mut got_up, mut got_down) = (0, 0, 0, 0);
    for time in 0..30_000u64 {
        *now.borrow_mut() = time;
        if up < 40 && slave.borrow_mut().endpoint().is_idle() {
            slave
                .borrow_mut()
                .endpoint()
                .send(&body(up), false)
                .unwrap();
            up += 1;
        }
        if down < 40 && master.endpoint().is_idle() {
            master.endpoint().send(&body(down), false).unwrap();
            down += 1;
        }
        let _ = slave.borrow_mut().poll(time);
        bench.0.borrow_mut().waited_us = 0;
        let _ = master.poll(time);
        {
            let wires = bench.0.borrow();
            assert!(!wires.selected, "chip select is high after each transfer");
            assert!(
                wires.waited_us <= 2 * 2_010,
                "the master waited {} us",
                wires.waited_us
            );
        }
        let _ = slave.borrow_mut().poll(time);
        if let Some(received) = master.endpoint().received() {
            assert_eq!(received, body(got_up), "seed {seed}");
            got_up += 1;
            master.endpoint().release();
        }
        if let Some(received) = slave.borrow_mut().endpoint().received() {
            assert_eq!(received, body(got_down), "seed {seed}");
            got_down += 1;
        }
        slave.borrow_mut().endpoint().release();
        if got_up == 40 && got_down == 40 {
            return;
        }
    }
    panic!("seed {seed}: {got_up} up, {got_down} down");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_body_arrives_once_and_in_order(seed: u64, noise in 0u32..5_000, breaks in 0u32..100_000, lazy in 1u64..40) {
        run(seed, noise, breaks, lazy);
    }
}

#[test]
fn a_slave_that_is_never_ready_costs_the_master_two_milliseconds() {
    let bench = Bench::new(1, 0, 0);
    let mut phase = [0; Endpoint::<MAX>::PHASE];
    let mut other = [0; Endpoint::<MAX>::PHASE];
    let now = RefCell::new(0);
    let slave = RefCell::new(SpiSlave::new(
        Peripheral(bench.clone()),
        bench.pin(|wires| &mut wires.data, false),
        LinkSlave::new(),
        &mut phase,
    ));
    let pins = MasterPins {
        bus: Bus(bench.clone()),
        select: bench.pin(|wires| &mut wires.selected, true),
        ready: bench.pin(|wires| &mut wires.ready, false),
        data: bench.pin(|wires| &mut wires.data, false),
    };
    let delay = Delay {
        bench: bench.clone(),
        slave: &slave,
        now: &now,
        lazy: u64::MAX,
    };
    let link: LinkMaster<MAX> = LinkMaster::new(Timing::default());
    let mut master = SpiMaster::new(pins, delay, link, &mut other);
    assert_eq!(master.poll(0), Err(ShellError::NotReady));
    let waited = bench.0.borrow().waited_us;
    assert!((1_990..=2_010).contains(&waited), "{waited}");
    assert!(!bench.0.borrow().selected);
    assert_eq!(
        master.poll(1),
        Ok(false),
        "not again before the wait is over"
    );
}
